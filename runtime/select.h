// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Scores with item indices -> the k best, through one 64-bit key an item: the score in an order-
// preserving form above, the complement of the index below. Larger keys are better, equal scores
// go to the lower index, and no two keys are equal.
#ifndef STINT_RUNTIME_SELECT_H_
#define STINT_RUNTIME_SELECT_H_

#include <cfloat>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "runtime/status.h"

namespace stint {

// Room for `keep` keys and what a scan appends until it shrinks them again; a tile adds up to 64.
// More room means fewer but longer shrinks with later thresholds: 128 is best of 64, 128, 256 and
// 512 at k = 20 (10,000 items: 21.4 us a recommendation against 22.8 and 28.5).
constexpr uint64_t KeyCapacity(uint64_t keep) { return 2 * keep + 128; }

inline uint64_t MakeKey(uint32_t count, uint32_t item) {
  return uint64_t{count} << 32 | static_cast<uint32_t>(~item);
}
// Adding zero makes -0 a +0: they compare equal, so their keys must tie.
inline uint64_t MakeKey(float score, uint32_t item) {
  uint32_t bits;
  score += 0.0f;
  std::memcpy(&bits, &score, sizeof(bits));
  return MakeKey(bits ^ (bits >> 31 ? 0xFFFFFFFFu : 0x80000000u), item);
}

inline uint32_t KeyItem(uint64_t key) { return static_cast<uint32_t>(~key); }
inline void KeyScore(uint64_t key, uint32_t* count) { *count = static_cast<uint32_t>(key >> 32); }
inline void KeyScore(uint64_t key, float* score) {
  const uint32_t ordered = static_cast<uint32_t>(key >> 32);
  const uint32_t bits = ordered ^ (ordered >> 31 ? 0x80000000u : 0xFFFFFFFFu);
  std::memcpy(score, &bits, sizeof(bits));
}

// A threshold that the key's own score is strictly above, as close below as is safe; false if there
// is none. Below zero comes -FLT_MIN: -0 is not below +0, and where subnormals count as zero (a
// host's choice) neither are they.
inline bool ThresholdBelow(uint64_t key, uint32_t* count) {
  KeyScore(key, count);
  return (*count)-- > 0;
}
inline bool ThresholdBelow(uint64_t key, float* score) {
  KeyScore(key, score);
  if (*score >= 0 && *score <= FLT_MIN) {
    *score = -FLT_MIN;
  } else {
    KeyScore(key - (uint64_t{1} << 32), score);
  }
  return true;
}

// Moves the `keep` best of `count` keys to the front, the worst of them to keep - 1. Not sorted.
// 1 <= keep <= count.
void KeepBest(uint64_t* keys, size_t count, size_t keep) STINT_NONBLOCKING;

// Sorts keys, best first.
void SortBest(uint64_t* keys, size_t count) STINT_NONBLOCKING;

}  // namespace stint

#endif  // STINT_RUNTIME_SELECT_H_
