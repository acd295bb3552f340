// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Single rows of a matrix -> vectors, or products with one.
#include "runtime/rows.h"

#include <cstring>

namespace stint {

QuantizedVector GatherInt8Row(const Int8Row& row, bool byte_planes, int8_t* room) {
  int16_t* const pairs = reinterpret_cast<int16_t*>(room);
  int32_t sum = 0;
  const uint8_t* code = row.code;
  for (size_t p = 0; p < row.steps; ++p, code += row.stride) {
    for (size_t j = 0; j < kStepColumns; ++j) {
      const int c = static_cast<int>(code[j]) - kCodeZero;
      sum += c;
      if (byte_planes) {
        room[p * kStepColumns + j] = static_cast<int8_t>(c);
      } else {  // in the order 0, 2, 1, 3
        pairs[p * kStepColumns + (j >> 1 | (j & 1) << 1)] = static_cast<int16_t>(c);
      }
    }
  }
  float step;
  std::memcpy(&step, row.scale, sizeof(step));
  return {nullptr, byte_planes ? room : nullptr, byte_planes ? nullptr : pairs, sum, step};
}

FloatVector GatherF32Row(const Panels& panels, uint32_t row, float* values) {
  const float* const tile =
      reinterpret_cast<const float*>(panels.data + row / kTileRows * panels.tile_bytes);
  for (size_t c = 0; c < panels.cols; ++c) values[c] = tile[(c + 1) * kTileRows + row % kTileRows];
  return {values};
}

// Whole numbers in any order, then the floating-point operations of a tile.
float RowValue(const Panels& panels, uint32_t row, const QuantizedVector& x) {
  const Int8Row at = Locate(panels, row);
  uint32_t sum = 0u - 128u * static_cast<uint32_t>(x.sum);  // mod 2^32
  const uint8_t* code = at.code;
  for (size_t p = 0; p < at.steps * kStepColumns; p += kStepColumns, code += at.stride) {
    for (size_t j = 0; j < kStepColumns; ++j) {
      const int q =
          x.pairs ? x.pairs[p + (j >> 1 | (j & 1) << 1)] : 256 * x.high[p + j] + x.low[p + j];
      sum += static_cast<uint32_t>(code[j] * q);
    }
  }
  float scale;
  float bias;
  std::memcpy(&scale, at.scale, sizeof(scale));
  std::memcpy(&bias, at.scale + kTileRows * sizeof(bias), sizeof(bias));
  return static_cast<float>(static_cast<int32_t>(sum)) * (scale * x.step) + bias;
}

// One column after the other, as a tile.
float RowValue(const Panels& panels, uint32_t row, const FloatVector& x) {
  const float* const bias =
      reinterpret_cast<const float*>(panels.data + row / kTileRows * panels.tile_bytes) +
      row % kTileRows;
  float sum = 0.0f;
  for (size_t c = 0; c < panels.cols; ++c) sum += x.values[c] * bias[(c + 1) * kTileRows];
  return sum + *bias;
}

void AddRow(const Rows& rows, bool int8, uint32_t row, float* values) {
  const uint8_t* const bytes = rows.data + row * rows.row_bytes;
  const float* const floats = reinterpret_cast<const float*>(bytes);
  if (int8) {
    const float scale = floats[0];
    const uint8_t* const codes = bytes + sizeof(float);
    for (size_t c = 0; c < rows.cols; ++c) {
      values[c] += scale * static_cast<float>(static_cast<int>(codes[c]) - kCodeZero);
    }
  } else {
    for (size_t c = 0; c < rows.cols; ++c) values[c] += floats[c];
  }
}

}  // namespace stint
