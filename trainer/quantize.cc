// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Weight matrices -> panels and rows of the model file: int8 rows with a scale each, or floats.
#include "trainer/quantize.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "schema/panel.h"

namespace stint {
namespace {

constexpr float kLargestCode = 127.0f;
// Below it 1 / scale could leave the range of float; no trained row is that small.
constexpr float kSmallestRow = 1e-30f;

[[noreturn]] void ThrowWeight(const std::string& name, float w, size_t row,
                              const std::string& column) {
  throw std::runtime_error(name + ": row " + std::to_string(row) + ", " + column + " is " +
                           std::to_string(w) + ", a model holds finite weights up to 1e15");
}

void CheckWeights(const std::string& name, const Matrix& weights, const float* bias) {
  for (size_t r = 0; r < weights.rows; ++r) {
    const float* row = weights.Row(r);
    for (size_t c = 0; c < weights.cols; ++c) {  // the comparison is false for NaN
      if (!(std::fabs(row[c]) <= kLargestWeight))
        ThrowWeight(name, row[c], r, "column " + std::to_string(c));
    }
    if (bias && !(std::fabs(bias[r]) <= kLargestWeight)) ThrowWeight(name, bias[r], r, "bias");
  }
}

// One tile of 64 rows from `first_row` on.
void PackInt8Tile(const Matrix& weights, const float* bias, size_t first_row, uint8_t* tile) {
  float scales[kTileRows] = {};
  float biases[kTileRows] = {};
  uint8_t* const steps = tile + kInt8HeaderBytes;
  std::memset(steps, kCodeZero, PanelSteps(weights.cols) * kStepBytes);
  std::vector<int8_t> codes(weights.cols);
  const size_t rows = std::min<size_t>(kTileRows, weights.rows - first_row);
  for (size_t lane = 0; lane < rows; ++lane) {
    scales[lane] = QuantizeRow(weights.Row(first_row + lane), weights.cols, codes.data());
    biases[lane] = bias ? bias[first_row + lane] : 0.0f;
    for (size_t c = 0; c < weights.cols; ++c) {
      steps[c / kStepColumns * kStepBytes + lane * kStepColumns + c % kStepColumns] =
          static_cast<uint8_t>(codes[c] + kCodeZero);
    }
  }
  std::memcpy(tile, scales, sizeof(scales));
  std::memcpy(tile + sizeof(scales), biases, sizeof(biases));
}

void PackF32Tile(const Matrix& weights, const float* bias, size_t first_row, uint8_t* tile) {
  float column[kTileRows] = {};  // padding rows stay zero
  const size_t rows = std::min<size_t>(kTileRows, weights.rows - first_row);
  for (size_t lane = 0; lane < rows; ++lane) column[lane] = bias ? bias[first_row + lane] : 0.0f;
  std::memcpy(tile, column, sizeof(column));
  for (size_t c = 0; c < weights.cols; ++c) {
    for (size_t lane = 0; lane < rows; ++lane) column[lane] = weights.Row(first_row + lane)[c];
    std::memcpy(tile + kF32HeaderBytes + c * sizeof(column), column, sizeof(column));
  }
}

}  // namespace

float QuantizeRow(const float* row, size_t cols, int8_t* codes) {
  float largest = 0.0f;
  for (size_t c = 0; c < cols; ++c) largest = std::max(largest, std::fabs(row[c]));
  if (!(largest >= kSmallestRow)) {
    std::fill(codes, codes + cols, int8_t{0});
    return 0.0f;
  }
  const float scale = largest / kLargestCode;
  for (size_t c = 0; c < cols; ++c) {
    // In double, so that the quotient rounds to the code that is truly nearest.
    codes[c] = static_cast<int8_t>(
        std::nearbyint(static_cast<double>(row[c]) / static_cast<double>(scale)));
  }
  return scale;
}

size_t PackedSize(DType dtype, size_t rows, size_t cols) {
  return static_cast<size_t>(PanelBytes(dtype == DType::kInt8, rows, cols));
}

void PackPanels(const std::string& name, DType dtype, const Matrix& weights, const float* bias,
                uint8_t* out) {
  CheckWeights(name, weights, bias);
  const bool int8 = dtype == DType::kInt8;
  const size_t tile_bytes = static_cast<size_t>(PanelTileBytes(int8, weights.cols));
  for (size_t r = 0; r < weights.rows; r += kTileRows, out += tile_bytes) {
    (int8 ? PackInt8Tile : PackF32Tile)(weights, bias, r, out);
  }
}

void UnpackPanels(DType dtype, const uint8_t* panels, Matrix* weights, float* bias) {
  const bool int8 = dtype == DType::kInt8;
  const size_t tile_bytes = static_cast<size_t>(PanelTileBytes(int8, weights->cols));
  for (size_t r = 0; r < weights->rows; ++r) {
    const uint8_t* tile = panels + r / kTileRows * tile_bytes;
    const size_t lane = r % kTileRows;
    const auto float_at = [&](size_t index) {
      float value;
      std::memcpy(&value, tile + index * sizeof(float), sizeof(value));
      return value;
    };
    float* row = weights->Row(r);
    if (int8) {
      const float scale = float_at(lane);
      for (size_t c = 0; c < weights->cols; ++c) {
        const uint8_t byte = tile[kInt8HeaderBytes + c / kStepColumns * kStepBytes +
                                  lane * kStepColumns + c % kStepColumns];
        row[c] = scale * static_cast<float>(static_cast<int>(byte) - kCodeZero);
      }
      if (bias) bias[r] = float_at(kTileRows + lane);
    } else {
      for (size_t c = 0; c < weights->cols; ++c) row[c] = float_at((c + 1) * kTileRows + lane);
      if (bias) bias[r] = float_at(lane);
    }
  }
}

size_t RowsSize(DType dtype, size_t rows, size_t cols, size_t parts) {
  return static_cast<size_t>(RowsBytes(dtype == DType::kInt8, rows * parts, cols / parts));
}

void PackRows(const std::string& name, DType dtype, const Matrix& weights, size_t parts,
              uint8_t* out) {
  CheckWeights(name, weights, nullptr);
  const bool int8 = dtype == DType::kInt8;
  const size_t cols = weights.cols / parts;
  const size_t row_bytes = static_cast<size_t>(RowBytes(int8, cols));
  std::vector<int8_t> codes(cols);
  for (size_t r = 0; r < weights.rows * parts; ++r, out += row_bytes) {
    const float* row = weights.Row(r / parts) + r % parts * cols;
    if (int8) {
      const float scale = QuantizeRow(row, cols, codes.data());
      std::memcpy(out, &scale, sizeof(scale));
      uint8_t* bytes = out + sizeof(scale);
      std::memset(bytes, kCodeZero, row_bytes - sizeof(scale));
      for (size_t c = 0; c < cols; ++c) bytes[c] = static_cast<uint8_t>(codes[c] + kCodeZero);
    } else {
      std::memcpy(out, row, row_bytes);
    }
  }
}

void UnpackRows(DType dtype, const uint8_t* rows, size_t parts, Matrix* weights) {
  const bool int8 = dtype == DType::kInt8;
  const size_t cols = weights->cols / parts;
  const size_t row_bytes = static_cast<size_t>(RowBytes(int8, cols));
  for (size_t r = 0; r < weights->rows * parts; ++r, rows += row_bytes) {
    float* row = weights->Row(r / parts) + r % parts * cols;
    if (!int8) {
      std::memcpy(row, rows, row_bytes);
      continue;
    }
    float scale;
    std::memcpy(&scale, rows, sizeof(scale));
    for (size_t c = 0; c < cols; ++c) {
      row[c] = scale * static_cast<float>(static_cast<int>(rows[sizeof(scale) + c]) - kCodeZero);
    }
  }
}

}  // namespace stint
