// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Stream of tiles of scores -> the k best of it, exactly, ties by lower item index.
//
// Only scores above a threshold, the k-th best known so far, become keys; the stream runs in the
// order of the indices, so a later equal score loses to the k kept and "above" is strict.

#if defined(STINT_RUNTIME_SELECT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef STINT_RUNTIME_SELECT_INL_H_
#undef STINT_RUNTIME_SELECT_INL_H_
#else
#define STINT_RUNTIME_SELECT_INL_H_
#endif

#include <hwy/highway.h>

#include <cstddef>
#include <cstdint>

#include "runtime/select.h"
#include "schema/panel.h"

HWY_BEFORE_NAMESPACE();
namespace stint {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

enum class Relation { kAbove, kEqual };

// Bit i: values[i] is above (equal to) `bound`. values[64], 64-byte aligned.
template <Relation kRelation, typename T>
HWY_INLINE uint64_t TileBits(const T* HWY_RESTRICT values, T bound) {
  const hn::CappedTag<T, 16> d;
  const size_t lanes = hn::Lanes(d);
  const auto v = hn::Set(d, bound);
  uint64_t bits = 0;
  for (size_t i = 0; i < kTileRows; i += lanes) {
    const auto x = hn::Load(d, values + i);
    const auto mask = kRelation == Relation::kAbove ? hn::Gt(x, v) : hn::Eq(x, v);
    uint8_t bytes[8] = {};  // a mask of up to 16 lanes; StoreMaskBits may write 8 bytes
    hn::StoreMaskBits(d, mask, bytes);
    bits |= static_cast<uint64_t>(bytes[0] | bytes[1] << 8) << i;
  }
  return bits;
}

// Items that may stand in the answer.
struct Filter {
  uint32_t items;
  const uint64_t* deny;  // [words] bit an item: left out
  const uint64_t* seen;  // [words] the same, or null
  const uint64_t* bits;  // [words] bit an item: may stand in it; or null
  bool narrow;           // ask before a tile is scored

  // The 64 items of a tile, bit i for item 64 * tile + i.
  HWY_INLINE uint64_t Allowed(size_t tile) const {
    const uint64_t rest = items - tile * kTileRows;
    const uint64_t inside = rest < kTileRows ? (uint64_t{1} << rest) - 1 : ~uint64_t{0};
    return inside & ~(deny[tile] | (seen ? seen[tile] : 0)) & (bits ? bits[tile] : ~uint64_t{0});
  }
};

// A tile with no more allowed items than this is scored row by row.
constexpr size_t kFewRows = 2;

// Where a scan starts: all scores strictly above `threshold`, or all if there is none.
template <typename T>
struct Start {
  bool has_threshold;
  T threshold;
};

// Writes the `keep` best keys, or all if there are fewer, to the front of `keys`, best first;
// returns their number. `scores.Tile(t, values)` gives the values of items [64 t, 64 t + 64), and
// `scores.Row(i)` that of item i.
// `keys` has room for `capacity` >= keep + 64.
template <class Scores, typename T = typename Scores::Value>
HWY_INLINE size_t SelectBest(const Scores& scores, const Filter& filter, Start<T> start,
                             size_t keep, uint64_t* HWY_RESTRICT keys, size_t capacity) {
  HWY_ALIGN T values[kTileRows];
  size_t count = 0;
  const size_t tiles = PanelTiles(filter.items);
  for (size_t t = 0; t < tiles; ++t) {
    uint64_t bits = ~uint64_t{0};
    if (filter.narrow && hwy::PopCount(filter.Allowed(t)) <= kFewRows) {
      bits = filter.Allowed(t);
      for (uint64_t rest = bits; rest != 0; rest &= rest - 1) {
        const size_t i = hwy::Num0BitsBelowLS1Bit_Nonzero64(rest);
        values[i] = scores.Row(static_cast<uint32_t>(t * kTileRows + i));
        if (start.has_threshold && !(values[i] > start.threshold)) bits ^= rest & (0 - rest);
      }
    } else {
      scores.Tile(t, values);
      if (start.has_threshold) bits = TileBits<Relation::kAbove>(values, start.threshold);
      if (bits == 0) continue;
      bits &= filter.Allowed(t);
    }
    for (; bits != 0; bits &= bits - 1) {
      const size_t i = hwy::Num0BitsBelowLS1Bit_Nonzero64(bits);
      keys[count++] = MakeKey(values[i], static_cast<uint32_t>(t * kTileRows + i));
    }
    if (count > capacity - kTileRows) {
      KeepBest(keys, count, keep);
      count = keep;
      start.has_threshold = true;
      KeyScore(keys[keep - 1], &start.threshold);
    }
  }
  if (count > keep) {
    KeepBest(keys, count, keep);
    count = keep;
  }
  SortBest(keys, count);
  return count;
}

}  // namespace HWY_NAMESPACE
}  // namespace stint
HWY_AFTER_NAMESPACE();

#endif  // STINT_RUNTIME_SELECT_INL_H_
