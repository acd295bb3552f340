// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The last answer of a session -> the threshold that its next scan starts with.
#ifndef STINT_RUNTIME_SEEDS_H_
#define STINT_RUNTIME_SEEDS_H_

#include <cstddef>
#include <cstdint>

#include "runtime/scan.h"
#include "runtime/select.h"
#include "runtime/session.h"

namespace stint {

// A lower bound of the k-th best score: the k-th best among the items of the last answer, which are
// mostly good again. Scoring their whole tiles needs no second kernel.
template <class Scores, typename T = typename Scores::Value>
Start<T> StartFromSeeds(const Scores& scores, const Filter& filter, size_t keep, SessionState* s) {
  alignas(64) T values[kTileRows];
  size_t count = 0;
  for (uint32_t i = 0; i < s->seed_count; ++i) {
    const uint32_t item = s->seeds[i];
    const size_t tile = item / kTileRows;
    if (!(filter.Allowed(tile) >> item % kTileRows & 1)) continue;
    scores.Tile(tile, values);
    s->keys[count++] = MakeKey(values[item % kTileRows], item);
  }
  if (count < keep) return {false, T()};
  KeepBest(s->keys, count, keep);
  // The scan keeps what is strictly above its threshold, and the bound itself must pass.
  Start<T> start;
  start.has_threshold = ThresholdBelow(s->keys[keep - 1], &start.threshold);
  return start;
}

// Keeps the items of an answer, s->keys[count], for the next scan.
inline void KeepSeeds(size_t count, SessionState* s) {
  for (size_t i = 0; i < count; ++i) s->seeds[i] = KeyItem(s->keys[i]);
  s->seed_count = static_cast<uint32_t>(count);
}

}  // namespace stint

#endif  // STINT_RUNTIME_SEEDS_H_
