// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Weight matrices -> panels and rows of the model file: integer rows with a scale each, bfloat16 or
// floats.
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
// Magnitude that eight steps of 4-bit codes reach, as a share of the row's largest; tried with both
// signs. Rows like Gaussian ones take 0.9 at 100 columns and 0.8 at 224, Laplacian ones down to
// 0.65.
constexpr double kClips[] = {1.14, 1.07, 1.0, 0.93, 0.86, 0.79, 0.72, 0.65, 0.58, 0.5};

PanelKind KindOf(DType dtype) {
  switch (dtype) {
    case DType::kInt8:
      return PanelKind::kInt8;
    case DType::kF32:
      return PanelKind::kF32;
    case DType::kBf16:
      return PanelKind::kBf16;
    case DType::kInt4:
      return PanelKind::kInt4;
  }
  throw std::logic_error("unknown kind of weights");
}

// Half to even, as nearbyint(), which is a call; for magnitudes below 2^51.
double Int4Level(double x) {
  constexpr double kRound = 0x1.8p52;
  return std::clamp(x, -8.0, 7.0) + kRound - kRound;
}

// A row and the levels l that a scale makes of it.
struct Int4Fit {
  double row_level = 0;    // <row, l>
  double level_level = 0;  // <l, l>
  // The scale of least squares, and by how much it lowers the squared error from that of zero.
  double Scale() const { return row_level / level_level; }
  double Explained() const { return level_level > 0 ? row_level * row_level / level_level : 0; }
};

Int4Fit FitInt4(const float* row, size_t cols, double scale) {
  Int4Fit fit;
  const double inverse = 1 / scale;
  for (size_t c = 0; c < cols; ++c) {
    const double level = Int4Level(row[c] * inverse);
    fit.row_level += row[c] * level;
    fit.level_level += level * level;
  }
  return fit;
}

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

// As PackInt8Tile().
void PackInt4Tile(const Matrix& weights, const float* bias, size_t first_row, uint8_t* tile) {
  float scales[kTileRows] = {};
  float biases[kTileRows] = {};
  uint8_t* const steps = tile + kInt8HeaderBytes;
  std::memset(steps, 0, PanelSteps(weights.cols) * kInt4StepBytes);
  std::vector<uint8_t> codes(weights.cols);
  const size_t rows = std::min<size_t>(kTileRows, weights.rows - first_row);
  for (size_t lane = 0; lane < rows; ++lane) {
    scales[lane] = QuantizeRow4(weights.Row(first_row + lane), weights.cols, codes.data());
    biases[lane] = bias ? bias[first_row + lane] : 0.0f;
    const Int4Place place = Int4PlaceOf(lane);
    for (size_t c = 0; c < weights.cols; ++c) {
      steps[c / kStepColumns * kInt4StepBytes + place.byte + c % kStepColumns] |=
          static_cast<uint8_t>(codes[c] << place.shift);
    }
  }
  std::memcpy(tile, scales, sizeof(scales));
  std::memcpy(tile + sizeof(scales), biases, sizeof(biases));
}

void PackBf16Tile(const Matrix& weights, const float* bias, size_t first_row, uint8_t* tile) {
  float biases[kTileRows] = {};
  uint16_t column[kTileRows] = {};
  const size_t rows = std::min<size_t>(kTileRows, weights.rows - first_row);
  for (size_t lane = 0; lane < rows; ++lane) biases[lane] = bias ? bias[first_row + lane] : 0.0f;
  std::memcpy(tile, biases, sizeof(biases));
  for (size_t c = 0; c < weights.cols; ++c) {
    for (size_t lane = 0; lane < rows; ++lane) {
      column[Bf16PlaceOf(lane)] = RoundToBf16(weights.Row(first_row + lane)[c]);
    }
    std::memcpy(tile + kF32HeaderBytes + c * sizeof(column), column, sizeof(column));
  }
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

float QuantizeRow4(const float* row, size_t cols, uint8_t* codes) {
  std::fill(codes, codes + cols, uint8_t{0});
  float largest = 0.0f;
  for (size_t c = 0; c < cols; ++c) largest = std::max(largest, std::fabs(row[c]));
  if (!(largest >= kSmallestRow)) return 0.0f;
  double best = 0;
  double scale = 0;
  for (const double clip : kClips) {
    for (const double step : {clip * largest / kInt4Zero, -clip * largest / kInt4Zero}) {
      const Int4Fit fit = FitInt4(row, cols, step);
      if (fit.Explained() <= best) continue;
      best = fit.Explained();
      scale = fit.Scale();
    }
  }
  // The codes of a fitted scale explain no less than those it was fitted to.
  const double fitted = FitInt4(row, cols, scale).Scale();
  for (size_t c = 0; c < cols; ++c) {
    codes[c] = static_cast<uint8_t>(Int4Level(row[c] / scale) + kInt4Zero);
  }
  return static_cast<float>(fitted);
}

uint16_t RoundToBf16(float weight) {
  uint32_t bits;
  std::memcpy(&bits, &weight, sizeof(bits));
  return static_cast<uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

DType LayerDType(DType dtype) { return dtype == DType::kF32 ? DType::kF32 : DType::kInt8; }

size_t PackedSize(DType dtype, size_t rows, size_t cols) {
  return static_cast<size_t>(PanelBytes(KindOf(dtype), rows, cols));
}

void PackPanels(const std::string& name, DType dtype, const Matrix& weights, const float* bias,
                uint8_t* out) {
  CheckWeights(name, weights, bias);
  const auto pack = dtype == DType::kInt8   ? PackInt8Tile
                    : dtype == DType::kInt4 ? PackInt4Tile
                    : dtype == DType::kBf16 ? PackBf16Tile
                                            : PackF32Tile;
  const size_t tile_bytes = static_cast<size_t>(PanelTileBytes(KindOf(dtype), weights.cols));
  for (size_t r = 0; r < weights.rows; r += kTileRows, out += tile_bytes) {
    pack(weights, bias, r, out);
  }
}

void UnpackPanels(DType dtype, const uint8_t* panels, Matrix* weights, float* bias) {
  const size_t tile_bytes = static_cast<size_t>(PanelTileBytes(KindOf(dtype), weights->cols));
  for (size_t r = 0; r < weights->rows; ++r) {
    const uint8_t* tile = panels + r / kTileRows * tile_bytes;
    const size_t lane = r % kTileRows;
    const auto float_at = [&](size_t index) {
      float value;
      std::memcpy(&value, tile + index * sizeof(float), sizeof(value));
      return value;
    };
    float* row = weights->Row(r);
    const bool has_scale = dtype == DType::kInt8 || dtype == DType::kInt4;
    if (bias) bias[r] = float_at(has_scale ? kTileRows + lane : lane);
    for (size_t c = 0; c < weights->cols; ++c) {
      switch (dtype) {
        case DType::kInt8: {
          const uint8_t byte = tile[kInt8HeaderBytes + c / kStepColumns * kStepBytes +
                                    lane * kStepColumns + c % kStepColumns];
          row[c] = float_at(lane) * static_cast<float>(static_cast<int>(byte) - kCodeZero);
          break;
        }
        case DType::kInt4: {
          const Int4Place place = Int4PlaceOf(lane);
          const uint8_t byte = tile[kInt8HeaderBytes + c / kStepColumns * kInt4StepBytes +
                                    place.byte + c % kStepColumns];
          const int code = byte >> place.shift & 15;
          row[c] = float_at(lane) * static_cast<float>(code - kInt4Zero);
          break;
        }
        case DType::kBf16: {
          uint16_t half;
          std::memcpy(&half, tile + kF32HeaderBytes + c * kBf16ColumnBytes + 2 * Bf16PlaceOf(lane),
                      sizeof(half));
          const uint32_t bits = uint32_t{half} << 16;
          std::memcpy(&row[c], &bits, sizeof(bits));
          break;
        }
        case DType::kF32:
          row[c] = float_at((c + 1) * kTileRows + lane);
          break;
      }
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
