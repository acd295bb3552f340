// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Stream of tiles of scores -> the k best of it, exactly, ties by lower item index.
//
// Only scores above a threshold, the k-th best known so far, become keys; the stream runs in the
// order of the indices, so a later equal score loses to the k kept and "above" is strict.
#ifndef STINT_RUNTIME_SCAN_H_
#define STINT_RUNTIME_SCAN_H_

#include <hwy/base.h>

#include <cstddef>
#include <cstdint>

#include "runtime/filter.h"
#include "runtime/select.h"
#include "runtime/session.h"
#include "schema/panel.h"

namespace stint {

// Items that may stand in the answer.
struct Filter {
  uint32_t items;
  const uint64_t* deny;  // [words] bit an item: left out
  const uint64_t* seen;  // [words] the same, or null
  const uint64_t* bits;  // [words] bit an item: may stand in it; or null
  bool narrow;           // ask before a tile is scored

  // The 64 items of a tile, bit i for item 64 * tile + i.
  uint64_t Allowed(size_t tile) const {
    const uint64_t rest = items - tile * kTileRows;
    const uint64_t inside = rest < kTileRows ? (uint64_t{1} << rest) - 1 : ~uint64_t{0};
    return inside & ~(deny[tile] | (seen ? seen[tile] : 0)) & (bits ? bits[tile] : ~uint64_t{0});
  }
};

inline Filter MakeFilter(const Candidates& candidates, const SessionState& s) {
  return {s.model->items, s.deny, candidates.exclude_seen ? s.seen : nullptr, candidates.bits,
          candidates.narrow};
}

// A tile with no more allowed items than this is scored row by row.
constexpr size_t kFewRows = 2;

// Where a scan starts: all scores strictly above `threshold`, or all if there is none.
template <typename T>
struct Start {
  bool has_threshold;
  T threshold;
};

// The best of the tiles added so far.
template <typename T>
struct Selection {
  Start<T> start;   // of the tiles to come
  size_t keep;      // >= 1
  uint64_t* keys;   // [capacity], of which [count] are in use
  size_t capacity;  // >= keep + 64
  size_t count;

  // Takes the values of `tile` whose bits are set. Tiles come in order.
  void Add(const T* values, uint64_t bits, size_t tile) {
    for (; bits != 0; bits &= bits - 1) {
      const size_t i = hwy::Num0BitsBelowLS1Bit_Nonzero64(bits);
      keys[count++] = MakeKey(values[i], static_cast<uint32_t>(tile * kTileRows + i));
    }
    if (count > capacity - kTileRows) {
      KeepBest(keys, count, keep);
      count = keep;
      start.has_threshold = true;
      KeyScore(keys[keep - 1], &start.threshold);
    }
  }

  // The `keep` best keys, or all if there are fewer, are in front, best first; returns their
  // number.
  size_t Finish() {
    if (count > keep) {
      KeepBest(keys, count, keep);
      count = keep;
    }
    SortBest(keys, count);
    return count;
  }
};

// Whether so few of the tile's items are allowed that they are scored row by row.
inline bool IsSparse(const Filter& filter, size_t tile) {
  return filter.narrow && hwy::PopCount(filter.Allowed(tile)) <= kFewRows;
}

// Adds the allowed rows of a tile, scored one by one.
template <class Scores, typename T = typename Scores::Value>
void AddRows(const Scores& scores, const Filter& filter, size_t tile, Selection<T>* best) {
  alignas(64) T values[kTileRows];
  uint64_t bits = filter.Allowed(tile);
  for (uint64_t rest = bits; rest != 0; rest &= rest - 1) {
    const size_t i = hwy::Num0BitsBelowLS1Bit_Nonzero64(rest);
    values[i] = scores.Row(static_cast<uint32_t>(tile * kTileRows + i));
    if (best->start.has_threshold && !(values[i] > best->start.threshold)) {
      bits ^= rest & (0 - rest);
    }
  }
  best->Add(values, bits, tile);
}

// Writes the `keep` best keys, or all if there are fewer, to the front of `keys`, best first;
// returns their number. `scores` is one of score.h. `keys` has room for `capacity` >= keep + 64.
template <class Scores, typename T = typename Scores::Value>
size_t SelectBest(const Scores& scores, const Filter& filter, Start<T> start, size_t keep,
                  uint64_t* keys, size_t capacity) {
  alignas(64) T values[kTileRows];
  Selection<T> best = {start, keep, keys, capacity, 0};
  const size_t tiles = static_cast<size_t>(PanelTiles(filter.items));
  for (size_t t = 0; t < tiles; ++t) {
    if (IsSparse(filter, t)) {
      AddRows(scores, filter, t, &best);
    } else if (best.start.has_threshold) {
      uint64_t bits;
      const size_t end = filter.narrow ? t + 1 : tiles;
      t = scores.NextAbove(t, end, best.start.threshold, values, &bits);
      if (t == end) {
        --t;
      } else {
        best.Add(values, bits & filter.Allowed(t), t);
      }
    } else {
      scores.Tile(t, values);
      best.Add(values, filter.Allowed(t), t);
    }
  }
  return best.Finish();
}

}  // namespace stint

#endif  // STINT_RUNTIME_SCAN_H_
