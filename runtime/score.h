// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Session -> what scores its items, a tile of 64, a run of tiles or a row at a time: the hidden
// state's products with the item rows, or, before the first event, the items' counts. Both offer
// the same calls. Plain code around the kernels of the SIMD target in use.
#ifndef STINT_RUNTIME_SCORE_H_
#define STINT_RUNTIME_SCORE_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "runtime/hidden.h"
#include "runtime/kernels.h"
#include "runtime/model.h"
#include "runtime/rows.h"
#include "runtime/session.h"

namespace stint {

// Which of a tile's 64 values are above, and which equal to, a bound: bit i for values[i].
struct TileBits {
  uint64_t above;
  uint64_t equal;
};

// <hidden, item row> + bias. The tiles past an item matrix' end are not asked for; rows past it
// score 0 in the last tile.
class RowScores {
 public:
  using Value = float;

  explicit RowScores(SessionState* s)
      : kernels_(GetKernels()), panels_(s->model->item_rows), kind_(s->model->item_kind) {
    x_ = HiddenVector(kernels_, s->model->layers - 1, TakesIntegers(kind_), s);
    switch (kind_) {
      case ItemRowKind::kInt8:
        tile_ = kernels_.int8_tile;
        break;
      case ItemRowKind::kF32:
        tile_ = kernels_.f32_tile;
        break;
      case ItemRowKind::kBf16:
        tile_ = kernels_.bf16_tile;
        break;
      case ItemRowKind::kInt4:
        tile_ = kernels_.int4_tile;
        break;
      case ItemRowKind::kF32Rows:
        tile_ = F32RowsTile;
        break;
    }
  }

  // values[64], 64-byte aligned, here and below.
  void Tile(size_t tile, float* values) const { tile_(panels_, tile, x_, 0.0f, values); }

  float Row(uint32_t item) const {
    switch (kind_) {
      case ItemRowKind::kInt8:
        return RowValue(panels_, item, x_.quantized);
      case ItemRowKind::kF32:
        return RowValue(panels_, item, x_.floats);
      case ItemRowKind::kBf16:
        return Bf16RowValue(panels_, item, x_.floats);
      case ItemRowKind::kInt4:
        return Int4RowValue(panels_, item, x_.quantized);
      case ItemRowKind::kF32Rows:
        return F32RowsValue(panels_, item, x_.floats);
    }
    return 0.0f;
  }

  // The first tile of [first, last) with a value strictly above `threshold`, its values and which
  // these are; `last` if there is none.
  size_t NextAbove(size_t first, size_t last, float threshold, float* values,
                   uint64_t* above) const {
    for (; first < last; ++first) {
      *above = tile_(panels_, first, x_, threshold, values);
      if (*above != 0) break;
    }
    return first;
  }

  TileBits Compare(const float* values, float bound) const {
    TileBits bits;
    bits.above = kernels_.compare(values, bound, &bits.equal);
    return bits;
  }

  const Kernels& kernels() const { return kernels_; }
  const AnyVector& vector() const { return x_; }

 private:
  const Kernels kernels_;
  const Panels panels_;
  const ItemRowKind kind_;
  TileKernel tile_;
  AnyVector x_;
};

// The popularity of items, for a session without events.
class CountScores {
 public:
  using Value = uint32_t;

  explicit CountScores(const SessionState* s)
      : counts_(s->model->counts), items_(s->model->items) {}

  void Tile(size_t tile, uint32_t* values) const {
    const size_t first = tile * kTileRows;
    const size_t rows = items_ - first < kTileRows ? items_ - first : kTileRows;
    std::memcpy(values, counts_ + first, rows * sizeof(uint32_t));
    std::memset(values + rows, 0, (kTileRows - rows) * sizeof(uint32_t));
  }

  uint32_t Row(uint32_t item) const { return counts_[item]; }

  size_t NextAbove(size_t first, size_t last, uint32_t threshold, uint32_t* values,
                   uint64_t* above) const {
    for (; first < last; ++first) {
      Tile(first, values);
      *above = Compare(values, threshold).above;
      if (*above != 0) break;
    }
    return first;
  }

  TileBits Compare(const uint32_t* values, uint32_t bound) const {
    TileBits bits = {0, 0};
    for (size_t i = 0; i < kTileRows; ++i) {
      bits.above |= uint64_t{values[i] > bound} << i;
      bits.equal |= uint64_t{values[i] == bound} << i;
    }
    return bits;
  }

 private:
  const uint32_t* const counts_;  // [items]
  const size_t items_;
};

}  // namespace stint

#endif  // STINT_RUNTIME_SCORE_H_
