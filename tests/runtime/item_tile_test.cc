// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The tile kernel of every kind of item rows, on every SIMD target and at odd sizes: bit for bit
// against scalar code that computes what the file format defines.
#include <gtest/gtest.h>

#include <algorithm>
#include <cfloat>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "runtime/kernels.h"
#include "runtime/rows.h"
#include "schema/panel.h"
#include "tests/runtime/scalar_model.h"
#include "tests/runtime/test_model.h"

namespace stint {
namespace {

uint64_t TileBytes(DType dtype, size_t cols) {
  switch (dtype) {
    case DType::kInt8:
      return PanelTileBytes(PanelKind::kInt8, cols);
    case DType::kF32:
      return PanelTileBytes(PanelKind::kF32, cols);
    case DType::kBf16:
      return PanelTileBytes(PanelKind::kBf16, cols);
    case DType::kInt4:
      return PanelTileBytes(PanelKind::kInt4, cols);
  }
  return 0;
}

// Panels of random weights, biases and a vector. Each array is exactly as long as it must be: the
// sanitizers see what reads past an end.
struct Problem {
  DType dtype;
  Parameters parameters;
  std::vector<float> x;  // [cols]
  AlignedBytes bytes;

  Problem(DType kind, size_t rows, size_t cols)
      : dtype(kind), parameters(rows, {cols}, GruForm::kResetAfter) {
    const RandomCounter random(1000 * rows + cols, 5);
    uint64_t draw = 0;
    Randomize(random, 2.0, &draw, &parameters.items);
    Randomize(random, 1.0, &draw, &parameters.item_bias);
    for (size_t j = 0; j < cols; ++j) {
      x.push_back(static_cast<float>(2 * random.Unit(draw++) - 1));
    }
    bytes = AlignedBytes(PackedSize(dtype, rows, cols));
    PackPanels("test", dtype, parameters.items, parameters.item_bias.data, bytes.data());
  }

  Panels panels() const {
    const size_t rows = parameters.items.rows, cols = parameters.items.cols;
    return {bytes.data(), static_cast<uint32_t>(rows), static_cast<uint32_t>(cols),
            static_cast<uint32_t>(PanelTiles(rows)), static_cast<size_t>(TileBytes(dtype, cols))};
  }
  std::vector<float> Expected() const {
    return ScalarMatrix(parameters.items, parameters.item_bias.data, dtype).Times(x);
  }
};

// A vector in both forms, in the target's way.
struct TestVector {
  AlignedBytes room;
  AnyVector vector = {};

  explicit TestVector(const std::vector<float>& x) : room(QuantizedBytes(x.size())) {
    vector.floats = {x.data()};
    GetKernels().quantize(x.data(), x.size(), reinterpret_cast<int8_t*>(room.data()),
                          &vector.quantized);
  }
};

TileKernel TileOf(DType dtype) {
  const Kernels kernels = GetKernels();
  switch (dtype) {
    case DType::kInt8:
      return kernels.int8_tile;
    case DType::kF32:
      return kernels.f32_tile;
    case DType::kBf16:
      return kernels.bf16_tile;
    case DType::kInt4:
      return kernels.int4_tile;
  }
  return nullptr;
}

float RowOf(DType dtype, const Panels& panels, uint32_t row, const AnyVector& x) {
  switch (dtype) {
    case DType::kInt8:
      return RowValue(panels, row, x.quantized);
    case DType::kF32:
      return RowValue(panels, row, x.floats);
    case DType::kBf16:
      return Bf16RowValue(panels, row, x.floats);
    case DType::kInt4:
      return Int4RowValue(panels, row, x.quantized);
  }
  return 0;
}

// Every tile and every row of the problem, and which values are above some thresholds.
void ExpectTiles(const Problem& problem, const std::vector<float>& expected) {
  const Panels panels = problem.panels();
  const TestVector x(problem.x);
  std::vector<float> thresholds = {-FLT_MAX, 0.0f, FLT_MAX, expected[expected.size() / 2],
                                   *std::max_element(expected.begin(), expected.end())};
  for (size_t tile = 0; tile < panels.tiles; ++tile) {
    for (const float threshold : thresholds) {
      alignas(64) float values[kTileRows];
      const uint64_t above = TileOf(problem.dtype)(panels, tile, x.vector, threshold, values);
      for (size_t i = 0; i < kTileRows; ++i) {
        const size_t row = tile * kTileRows + i;
        const float value = row < expected.size() ? expected[row] : 0.0f;
        ASSERT_EQ(FloatBits(values[i]), FloatBits(value)) << "row " << row << ": " << values[i];
        ASSERT_EQ(above >> i & 1, value > threshold) << "row " << row << ", above " << threshold;
      }
    }
  }
  for (uint32_t row = 0; row < panels.rows; ++row) {
    const float value = RowOf(problem.dtype, panels, row, x.vector);
    ASSERT_EQ(FloatBits(value), FloatBits(expected[row])) << "row " << row << " alone: " << value;
  }
}

TEST(ItemTile, SameBitsAsTheDefinitionOnEveryTarget) {
  for (const DType dtype : kDTypes) {
    for (const size_t cols : {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 63, 64, 65, 100, 128, 224, 999}) {
      for (const size_t rows : {1, 15, 16, 17, 33, 63, 64, 65, 130}) {
        SCOPED_TRACE(std::string(Name(dtype)) + " " + std::to_string(rows) + " x " +
                     std::to_string(cols));
        const Problem problem(dtype, rows, cols);
        const std::vector<float> expected = problem.Expected();
        ForEachTarget([&] { ExpectTiles(problem, expected); });
      }
    }
  }
}

TEST(ItemTile, ZeroAndTinyVectors) {
  for (const DType dtype : kDTypes) {
    for (const float value : {0.0f, 1e-45f, 1e-31f, 1.1e-30f, 1e-20f}) {
      Problem problem(dtype, 65, 17);
      problem.x.assign(17, value);
      const std::vector<float> expected = problem.Expected();
      ForEachTarget([&] { ExpectTiles(problem, expected); });
    }
  }
}

// All codes and all levels at their ends, at widths where the levels are few and where they are
// many: the largest sums that there are. 516 columns have the most levels for their width.
TEST(ItemTile, Int4SumsDoNotOverflow) {
  for (const uint32_t cols : {4u, 512u, 516u, 520u, 8192u, kMaxUnits}) {
    const size_t steps = PanelSteps(cols);
    AlignedBytes bytes(TileBytes(DType::kInt4, cols));
    const Panels panels = {bytes.data(), 64, cols, 1, bytes.size()};
    for (const int byte : {0x00, 0xFF, 0xF0, 0x0F}) {
      float* const header = reinterpret_cast<float*>(bytes.data());  // scales, then biases
      for (size_t i = 0; i < kTileRows; ++i) {
        header[i] = i % 2 ? 1.0f : -1.0f;
        header[kTileRows + i] = 0.0f;
      }
      std::memset(bytes.data() + kInt8HeaderBytes, byte, steps * kInt4StepBytes);
      for (const float sign : {1.0f, -1.0f}) {
        const std::vector<float> x(cols, sign);
        const auto q = ScalarMatrix::Quantize(x);
        ForEachTarget([&] {
          const TestVector vector(x);
          alignas(64) float values[kTileRows];
          GetKernels().int4_tile(panels, 0, vector.vector, 0.0f, values);
          for (uint32_t row = 0; row < kTileRows; ++row) {
            const int code = (row / 16 % 2 ? byte >> 4 : byte & 15) - 8;
            const int64_t sum = int64_t{code} * q.q[0] * static_cast<int64_t>(cols);
            const float expected = static_cast<float>(sum) * (header[row] * q.step);
            ASSERT_EQ(FloatBits(values[row]), FloatBits(expected)) << row << " of " << cols;
            ASSERT_EQ(FloatBits(Int4RowValue(panels, row, vector.vector.quantized)),
                      FloatBits(expected));
          }
        });
      }
    }
  }
}

}  // namespace
}  // namespace stint
