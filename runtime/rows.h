// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Single rows of a matrix -> vectors, or products with one. Plain code, the same for all SIMD
// targets: it moves a few hundred bytes.
#ifndef STINT_RUNTIME_ROWS_H_
#define STINT_RUNTIME_ROWS_H_

#include <cstddef>
#include <cstdint>

#include "runtime/model.h"
#include "runtime/vector.h"
#include "schema/panel.h"

namespace stint {

// Where a row of int8 panels or rows lies: `code` is its first step of four columns, the next one
// `stride` bytes on.
struct Int8Row {
  const uint8_t* code;
  size_t stride;
  size_t steps;
  const uint8_t* scale;  // four bytes
};
inline Int8Row Locate(const Panels& panels, uint32_t row) {
  const uint8_t* const tile = panels.data + row / kTileRows * panels.tile_bytes;
  const uint32_t lane = row % kTileRows;
  return {tile + kInt8HeaderBytes + lane * kStepColumns, kStepBytes,
          static_cast<size_t>(PanelSteps(panels.cols)), tile + lane * sizeof(float)};
}
inline Int8Row Locate(const Rows& rows, uint32_t row) {
  const uint8_t* const bytes = rows.data + row * rows.row_bytes;
  return {bytes + sizeof(float), kStepColumns, static_cast<size_t>(PanelSteps(rows.cols)), bytes};
}

// The row as a vector, in byte planes or in pairs: q are its codes, which fit one plane.
// room[QuantizedBytes(columns)].
QuantizedVector GatherInt8Row(const Int8Row& row, bool byte_planes, int8_t* room) STINT_NONBLOCKING;

// A row of int4 panels, in the same forms: q are its codes, less 8.
QuantizedVector GatherInt4Row(const Panels& panels, uint32_t row, bool byte_planes,
                              int8_t* room) STINT_NONBLOCKING;

// Row `row` of f32, bf16 or int4 panels as a vector in values[columns].
FloatVector GatherF32Row(const Panels& panels, uint32_t row, float* values) STINT_NONBLOCKING;
FloatVector GatherBf16Row(const Panels& panels, uint32_t row, float* values) STINT_NONBLOCKING;
FloatVector WidenInt4Row(const Panels& panels, uint32_t row, float* values) STINT_NONBLOCKING;

// Row `row` of panels times a vector, plus the bias, with the bits of a product with the whole
// matrix (dot-inl.h, item_tile-inl.h).
float RowValue(const Panels& panels, uint32_t row, const QuantizedVector& x) STINT_NONBLOCKING;
float RowValue(const Panels& panels, uint32_t row, const FloatVector& x) STINT_NONBLOCKING;
float Bf16RowValue(const Panels& panels, uint32_t row, const FloatVector& x) STINT_NONBLOCKING;
float Int4RowValue(const Panels& panels, uint32_t row, const QuantizedVector& x) STINT_NONBLOCKING;

// The same of float rows; a TileKernel (kernels.h), and a row of it.
uint64_t F32RowsTile(const Panels& panels, size_t tile, const AnyVector& x, float threshold,
                     float* values) STINT_NONBLOCKING;
float F32RowsValue(const Panels& panels, uint32_t row, const FloatVector& x) STINT_NONBLOCKING;

// Adds row `row` of rows to values[columns]. An int8 weight is scale * code, then added: two
// roundings.
void AddRow(const Rows& rows, bool int8, uint32_t row, float* values) STINT_NONBLOCKING;

}  // namespace stint

#endif  // STINT_RUNTIME_ROWS_H_
