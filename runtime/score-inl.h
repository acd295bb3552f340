// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Hidden state -> scores of the items, tile by tile: <hidden, item row> + bias.

#if defined(STINT_RUNTIME_SCORE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef STINT_RUNTIME_SCORE_INL_H_
#undef STINT_RUNTIME_SCORE_INL_H_
#else
#define STINT_RUNTIME_SCORE_INL_H_
#endif

#include <hwy/highway.h>

#include <cstddef>
#include <cstdint>

#include "runtime/dot-inl.h"
#include "runtime/model.h"
#include "runtime/session.h"

HWY_BEFORE_NAMESPACE();
namespace stint {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// A vector of floats in the form that the model's matrices take; int8 models make it in the
// session's scratch, so only one such vector is alive at a time.
HWY_INLINE QuantizedVector ToVector(const float* x, size_t count, SessionState* s,
                                    QuantizedVector*) {
  return QuantizeVector(x, count, s->quantized);
}
HWY_INLINE FloatVector ToVector(const float* x, size_t, SessionState*, FloatVector*) { return {x}; }

// Scores of 64 items at a time. Vector is QuantizedVector or FloatVector. The tiles past an item
// matrix' end are not asked for; rows past it score 0 in the last tile.
template <class Vector>
struct ItemScores {
  using Value = float;

  explicit HWY_INLINE ItemScores(SessionState* s)
      : panels(s->model->item_rows),
        hidden(ToVector(s->hidden[s->model->layers - 1], s->model->width, s,
                        static_cast<Vector*>(nullptr))) {}

  HWY_INLINE void Tile(size_t tile, float* HWY_RESTRICT values) const {
    TileValues(panels, tile, hidden, values);
  }

  const Panels panels;
  const Vector hidden;
};

// The popularity of 64 items at a time, for a session without events.
struct ItemCounts {
  using Value = uint32_t;

  explicit HWY_INLINE ItemCounts(const SessionState* s)
      : counts(s->model->counts), items(s->model->items) {}

  HWY_INLINE void Tile(size_t tile, uint32_t* HWY_RESTRICT values) const {
    const size_t first = tile * kTileRows;
    const size_t rows = items - first < kTileRows ? items - first : kTileRows;
    std::memcpy(values, counts + first, rows * sizeof(uint32_t));
    std::memset(values + rows, 0, (kTileRows - rows) * sizeof(uint32_t));
  }

  const uint32_t* const counts;  // [items]
  const size_t items;
};

}  // namespace HWY_NAMESPACE
}  // namespace stint
HWY_AFTER_NAMESPACE();

#endif  // STINT_RUNTIME_SCORE_INL_H_
