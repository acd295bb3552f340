// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Hidden state -> scores of the items, tile by tile or one by one: <hidden, item row> + bias.

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

// Row `row` of int8 panels times a vector, with the bits that Int8Tile gives it: whole numbers in
// any order, then its floating-point operations.
HWY_NOINLINE inline float RowValue(const Panels& panels, uint32_t row, const QuantizedVector& x) {
  const hn::CappedTag<float, 1> d;
  const hn::RebindToSigned<decltype(d)> di;
  const Int8Row at = Locate(panels, row);
  uint32_t sums[kStepColumns] = {};  // mod 2^32
  const uint8_t* code = at.code;
  for (size_t p = 0; p < at.steps; ++p, code += at.stride) {
#if STINT_BYTE_DOT
    const int8_t* const low = x.low + p * kStepColumns;
    const int8_t* const high = x.high + p * kStepColumns;
    for (size_t j = 0; j < kStepColumns; ++j) {
      sums[j] += static_cast<uint32_t>(code[j] * (256 * high[j] + low[j]));
    }
#else
    const int16_t* const q = x.pairs + p * kStepColumns;
    constexpr size_t kOrder[kStepColumns] = {0, 2, 1, 3};
    for (size_t j = 0; j < kStepColumns; ++j) {
      sums[j] += static_cast<uint32_t>(code[kOrder[j]] * q[j]);
    }
#endif
  }
  const uint32_t sum = sums[0] + sums[1] + sums[2] + sums[3] - 128u * static_cast<uint32_t>(x.sum);
  const float* const scale = reinterpret_cast<const float*>(at.scale);
  const auto step = hn::Mul(hn::Set(d, *scale), hn::Set(d, x.step));
  const auto product = hn::Mul(hn::ConvertTo(d, hn::Set(di, static_cast<int32_t>(sum))), step);
  return hn::GetLane(hn::Add(product, hn::Set(d, scale[kTileRows])));
}

// The same of f32 panels, with the bits of F32Tile: one column after the other.
HWY_NOINLINE inline float RowValue(const Panels& panels, uint32_t row, const FloatVector& x) {
  const hn::CappedTag<float, 1> d;
  const float* const bias =
      reinterpret_cast<const float*>(panels.data + row / kTileRows * panels.tile_bytes) +
      row % kTileRows;
  auto sum = hn::Zero(d);
  for (size_t c = 0; c < panels.cols; ++c) {
    const auto weight = hn::LoadU(d, bias + (c + 1) * kTileRows);
    sum = hn::Add(sum, hn::Mul(hn::LoadU(d, x.values + c), weight));
  }
  return hn::GetLane(hn::Add(sum, hn::LoadU(d, bias)));
}

// Scores of 64 items at a time. Vector is QuantizedVector or FloatVector. The tiles past an item
// matrix' end are not asked for; rows past it score 0 in the last tile.
template <class Vector>
struct RowScores {
  using Value = float;

  explicit HWY_INLINE RowScores(SessionState* s)
      : panels(s->model->item_rows),
        hidden(ToVector(s->hidden[s->model->layers - 1], s->model->width, s,
                        static_cast<Vector*>(nullptr))) {}

  HWY_INLINE void Tile(size_t tile, float* HWY_RESTRICT values) const {
    TileValues(panels, tile, hidden, values);
  }
  HWY_INLINE float Row(uint32_t item) const { return RowValue(panels, item, hidden); }

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
  HWY_INLINE uint32_t Row(uint32_t item) const { return counts[item]; }

  const uint32_t* const counts;  // [items]
  const size_t items;
};

}  // namespace HWY_NAMESPACE
}  // namespace stint
HWY_AFTER_NAMESPACE();

#endif  // STINT_RUNTIME_SCORE_INL_H_
