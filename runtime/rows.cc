// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Single rows of a matrix -> vectors, or products with one.
#include "runtime/rows.h"

#include <cstring>

#include "runtime/cascade_kernels.h"
#include "runtime/kernels.h"

namespace stint {
namespace {

// Where column j of four stands in pairs: 0, 2, 1, 3.
constexpr size_t PairPlace(size_t j) { return j >> 1 | (j & 1) << 1; }

void PutCode(size_t at, size_t j, int code, bool byte_planes, int8_t* room) {
  if (byte_planes) {
    room[at + j] = static_cast<int8_t>(code);
  } else {
    reinterpret_cast<int16_t*>(room)[at + PairPlace(j)] = static_cast<int16_t>(code);
  }
}

QuantizedVector GatheredVector(bool byte_planes, int8_t* room, int32_t sum, float step) {
  return {nullptr, byte_planes ? room : nullptr,
          byte_planes ? nullptr : reinterpret_cast<int16_t*>(room), sum, step};
}

int QuantizedAt(const QuantizedVector& x, size_t at, size_t j) {
  return x.pairs ? x.pairs[at + PairPlace(j)] : 256 * x.high[at + j] + x.low[at + j];
}

float FloatAt(const uint8_t* bytes, size_t index) {
  float value;
  std::memcpy(&value, bytes + index * sizeof(value), sizeof(value));
  return value;
}

// A row of int4 panels.
struct Int4Row {
  const uint8_t* code;  // of the first step, the next one kInt4StepBytes on
  uint32_t shift;
  float scale;
  float bias;

  Int4Row(const Panels& panels, uint32_t row) {
    const uint8_t* const tile = panels.data + row / kTileRows * panels.tile_bytes;
    const size_t lane = row % kTileRows;
    const Int4Place place = Int4PlaceOf(lane);
    code = tile + kInt8HeaderBytes + place.byte;
    shift = place.shift;
    scale = FloatAt(tile, lane);
    bias = FloatAt(tile, kTileRows + lane);
  }
  int Code(size_t column) const {
    const uint8_t byte = code[column / kStepColumns * kInt4StepBytes + column % kStepColumns];
    return (byte >> shift & 15) - kInt4Zero;
  }
};

// A row of bf16 panels.
struct Bf16Row {
  const uint8_t* half;  // of the first column, the next one kBf16ColumnBytes on
  float bias;

  Bf16Row(const Panels& panels, uint32_t row) {
    const uint8_t* const tile = panels.data + row / kTileRows * panels.tile_bytes;
    half = tile + kF32HeaderBytes + 2 * Bf16PlaceOf(row % kTileRows);
    bias = FloatAt(tile, row % kTileRows);
  }
  float Weight(size_t column) const {
    uint16_t bits;
    std::memcpy(&bits, half + column * kBf16ColumnBytes, sizeof(bits));
    const uint32_t wide = uint32_t{bits} << 16;
    float weight;
    std::memcpy(&weight, &wide, sizeof(weight));
    return weight;
  }
};

}  // namespace

// A step's four bytes as one word, first column lowest (as the file's numbers): no byte of it
// carries into the next.
QuantizedVector GatherInt8Row(const Int8Row& row, bool byte_planes, int8_t* room) {
  uint32_t sum = 0;
  const uint8_t* code = row.code;
  for (size_t p = 0; p < row.steps; ++p, code += row.stride) {
    uint32_t bytes;
    std::memcpy(&bytes, code, sizeof(bytes));
    const uint32_t even = bytes & 0x00FF00FF;
    const uint32_t odd = bytes >> 8 & 0x00FF00FF;
    sum += (even + odd) * 0x10001u >> 16;
    if (byte_planes) {
      bytes ^= 0x80808080;
      std::memcpy(room + 4 * p, &bytes, sizeof(bytes));
    } else {  // 16 bits each: below 128 the code is negative
      const uint32_t pairs[2] = {(even + 0x7F807F80) ^ 0x80008000, (odd + 0x7F807F80) ^ 0x80008000};
      std::memcpy(room + 8 * p, pairs, sizeof(pairs));
    }
  }
  const int32_t offset = static_cast<int32_t>(kCodeZero * kStepColumns * row.steps);
  return GatheredVector(byte_planes, room, static_cast<int32_t>(sum) - offset,
                        FloatAt(row.scale, 0));
}

QuantizedVector GatherInt4Row(const Panels& panels, uint32_t row, bool byte_planes, int8_t* room) {
  const Int4Row at(panels, row);
  const size_t columns = static_cast<size_t>(PanelSteps(panels.cols)) * kStepColumns;
  int32_t sum = 0;
  for (size_t c = 0; c < columns; ++c) {
    const int code = c < panels.cols ? at.Code(c) : 0;
    sum += code;
    PutCode(c / kStepColumns * kStepColumns, c % kStepColumns, code, byte_planes, room);
  }
  return GatheredVector(byte_planes, room, sum, at.scale);
}

FloatVector GatherF32Row(const Panels& panels, uint32_t row, float* values) {
  const float* const tile =
      reinterpret_cast<const float*>(panels.data + row / kTileRows * panels.tile_bytes);
  for (size_t c = 0; c < panels.cols; ++c) values[c] = tile[(c + 1) * kTileRows + row % kTileRows];
  return {values};
}

FloatVector GatherBf16Row(const Panels& panels, uint32_t row, float* values) {
  const Bf16Row at(panels, row);
  for (size_t c = 0; c < panels.cols; ++c) values[c] = at.Weight(c);
  return {values};
}

FloatVector WidenInt4Row(const Panels& panels, uint32_t row, float* values) {
  const Int4Row at(panels, row);
  for (size_t c = 0; c < panels.cols; ++c) values[c] = at.scale * static_cast<float>(at.Code(c));
  return {values};
}

// Whole numbers in any order, then the floating-point operations of a tile.
float RowValue(const Panels& panels, uint32_t row, const QuantizedVector& x) {
  const Int8Row at = Locate(panels, row);
  uint32_t sum = 0u - 128u * static_cast<uint32_t>(x.sum);  // mod 2^32
  const uint8_t* code = at.code;
  for (size_t p = 0; p < at.steps * kStepColumns; p += kStepColumns, code += at.stride) {
    for (size_t j = 0; j < kStepColumns; ++j) {
      sum += static_cast<uint32_t>(code[j] * QuantizedAt(x, p, j));
    }
  }
  const float scale = FloatAt(at.scale, 0);
  const float bias = FloatAt(at.scale, kTileRows);
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

float Bf16RowValue(const Panels& panels, uint32_t row, const FloatVector& x) {
  const Bf16Row at(panels, row);
  float sum = 0.0f;
  for (size_t c = 0; c < panels.cols; ++c) sum += x.values[c] * at.Weight(c);
  return sum + at.bias;
}

float Int4RowValue(const Panels& panels, uint32_t row, const QuantizedVector& x) {
  const Int4Row at(panels, row);
  int32_t sum = 0;  // at most 8 * 2^31 / 127
  for (size_t c = 0; c < panels.cols; ++c) {
    sum += at.Code(c) * QuantizedAt(x, c / kStepColumns * kStepColumns, c % kStepColumns);
  }
  return static_cast<float>(sum) * (at.scale * x.step) + at.bias;
}

uint64_t F32RowsTile(const Panels& panels, size_t tile, const AnyVector& x, float threshold,
                     float* values) {
  const FloatRows rows = {reinterpret_cast<const float*>(panels.data), panels.biases, panels.cols};
  const size_t first = tile * kTileRows;
  const size_t count = panels.rows - first < kTileRows ? panels.rows - first : kTileRows;
  GetCascadeKernels().float_scores(rows, x.floats.values, nullptr, first, count, values);
  std::memset(values + count, 0, (kTileRows - count) * sizeof(float));
  uint64_t equal;
  return GetKernels().compare(values, threshold, &equal);
}

float F32RowsValue(const Panels& panels, uint32_t row, const FloatVector& x) {
  const FloatRows rows = {reinterpret_cast<const float*>(panels.data), panels.biases, panels.cols};
  float value;
  GetCascadeKernels().float_scores(rows, x.values, nullptr, row, 1, &value);
  return value;
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
