// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The matrix kernels of every SIMD target at odd sizes: bit for bit against scalar code that
// computes what the file format defines, and against float64.
#include <cmath>
#include <cstdint>
#include <vector>

#include "runtime/kernels.h"
#include "runtime/rows.h"
#include "schema/panel.h"
#include "tests/runtime/scalar_model.h"
#include "tests/runtime/test_model.h"

namespace stint {
namespace {

// out[tiles * 64] = panels x vector, by the target in use. `x` is exactly as long as the columns,
// `room` as the header asks: the sanitizers see what reads or writes past an end.
void Multiply(const Panels& panels, bool int8, const float* x, float* out) {
  const Kernels kernels = GetKernels();
  AlignedBytes room(QuantizedBytes(panels.cols));
  if (int8) {
    QuantizedVector vector;
    kernels.quantize(x, panels.cols, reinterpret_cast<int8_t*>(room.data()), &vector);
    kernels.int8_product(panels, 0, panels.tiles, vector, out);
  } else {
    kernels.f32_product(panels, 0, panels.tiles, FloatVector{x}, out);
  }
}

// The same with row `row` of `source` for a vector.
void MultiplyRow(const Panels& panels, bool int8, const Panels& source, uint32_t row, float* out) {
  const Kernels kernels = GetKernels();
  AlignedBytes room(QuantizedBytes(panels.cols));
  std::vector<float> values(panels.cols);
  if (int8) {
    const QuantizedVector vector = GatherInt8Row(Locate(source, row), kernels.byte_planes,
                                                 reinterpret_cast<int8_t*>(room.data()));
    kernels.int8_product(panels, 0, panels.tiles, vector, out);
  } else {
    kernels.f32_product(panels, 0, panels.tiles, GatherF32Row(source, row, values.data()), out);
  }
}

struct Case {
  size_t rows, cols;
};

std::vector<Case> Cases() {
  std::vector<Case> cases;
  for (const size_t cols :
       {1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 63, 64, 65, 100, 127, 128, 129, 224, 1000}) {
    for (const size_t rows : {1, 2, 63, 64, 65, 130}) cases.push_back({rows, cols});
  }
  return cases;
}

class Problem {
 public:
  Problem(Case size, DType dtype, uint64_t seed)
      : parameters_(size.rows, {size.cols}, GruForm::kResetAfter), dtype_(dtype) {
    const RandomCounter random(seed, 5);
    uint64_t draw = 0;
    Randomize(random, 2.0, &draw, &parameters_.items);
    Randomize(random, 1.0, &draw, &parameters_.item_bias);
    for (size_t j = 0; j < size.cols; ++j) {
      x.push_back(static_cast<float>(2 * random.Unit(draw++) - 1));
    }
    bytes_ = AlignedBytes(PackedSize(dtype, size.rows, size.cols));
    PackPanels("test", dtype, parameters_.items, parameters_.item_bias.data, bytes_.data());
  }

  bool int8() const { return dtype_ == DType::kInt8; }
  Panels panels() const {
    const size_t rows = parameters_.items.rows, cols = parameters_.items.cols;
    return {bytes_.data(), static_cast<uint32_t>(rows), static_cast<uint32_t>(cols),
            static_cast<uint32_t>(PanelTiles(rows)),
            static_cast<size_t>(PanelTileBytes(int8(), cols))};
  }
  ScalarMatrix scalar() const {
    return ScalarMatrix(parameters_.items, parameters_.item_bias.data, dtype_);
  }

  std::vector<float> x;  // [cols]

 private:
  Parameters parameters_;
  DType dtype_;
  AlignedBytes bytes_;
};

AlignedBytes Output(const Problem& problem) {
  return AlignedBytes(problem.panels().tiles * kTileRows * sizeof(float));
}

void ExpectSameBits(const std::vector<float>& expected, const AlignedBytes& bytes) {
  const float* out = reinterpret_cast<const float*>(bytes.data());
  for (size_t r = 0; r < expected.size(); ++r) {
    ASSERT_EQ(FloatBits(out[r]), FloatBits(expected[r]))
        << "row " << r << ": " << out[r] << " " << expected[r];
  }
  for (size_t r = expected.size(); r < bytes.size() / sizeof(float); ++r) {
    ASSERT_EQ(FloatBits(out[r]), 0u) << "padding row " << r;
  }
}

TEST(Dot, SameBitsAsTheDefinitionOnEveryTarget) {
  for (const DType dtype : {DType::kInt8, DType::kF32}) {
    for (const Case& size : Cases()) {
      SCOPED_TRACE(std::string(Name(dtype)) + " " + std::to_string(size.rows) + " x " +
                   std::to_string(size.cols));
      const Problem problem(size, dtype, size.rows * 1000 + size.cols);
      const std::vector<float> expected = problem.scalar().Times(problem.x);
      const std::vector<float> expected_row =
          problem.scalar().TimesRow(problem.scalar(), size.rows - 1);
      ForEachTarget([&] {
        AlignedBytes out = Output(problem);
        Multiply(problem.panels(), problem.int8(), problem.x.data(),
                 reinterpret_cast<float*>(out.data()));
        ExpectSameBits(expected, out);
        MultiplyRow(problem.panels(), problem.int8(), problem.panels(),
                    static_cast<uint32_t>(size.rows - 1), reinterpret_cast<float*>(out.data()));
        ExpectSameBits(expected_row, out);
      });
    }
  }
}

TEST(Dot, CloseToFloat64) {
  for (const DType dtype : {DType::kInt8, DType::kF32}) {
    for (const Case& size : Cases()) {
      const Problem problem(size, dtype, size.rows + 31 * size.cols);
      const ScalarMatrix scalar = problem.scalar();
      AlignedBytes out = Output(problem);
      Multiply(problem.panels(), problem.int8(), problem.x.data(),
               reinterpret_cast<float*>(out.data()));
      for (size_t r = 0; r < size.rows; ++r) {
        double exact = scalar.biases[r], magnitude = 1;
        for (size_t j = 0; j < size.cols; ++j) {
          exact += scalar.Weight(r, j) * static_cast<double>(problem.x[j]);
          magnitude += std::fabs(scalar.Weight(r, j) * static_cast<double>(problem.x[j]));
        }
        // int8: the vector has 15 bits or a few less; f32: cols roundings of 2^-24.
        const double tolerance = problem.int8()
                                     ? magnitude * 1e-4
                                     : magnitude * 6e-8 * (2 + static_cast<double>(size.cols));
        EXPECT_NEAR(reinterpret_cast<float*>(out.data())[r], exact, tolerance)
            << Name(dtype) << " " << size.rows << " x " << size.cols << " row " << r;
      }
    }
  }
}

TEST(Dot, ExtremeCodesDoNotOverflow) {
  // All codes and all levels at their ends: the largest sum that there is, at the widest matrix.
  std::vector<float> weights(64 * kMaxUnits);
  for (size_t i = 0; i < weights.size(); ++i) weights[i] = i / kMaxUnits % 2 ? -1.0f : 1.0f;
  const Matrix matrix = {weights.data(), 64, kMaxUnits, kMaxUnits};
  AlignedBytes bytes(PackedSize(DType::kInt8, 64, kMaxUnits));
  PackPanels("test", DType::kInt8, matrix, nullptr, bytes.data());
  const Panels panels = {bytes.data(), 64, kMaxUnits, 1,
                         static_cast<size_t>(PanelTileBytes(true, kMaxUnits))};
  const ScalarMatrix scalar(matrix, nullptr, DType::kInt8);
  for (const float sign : {1.0f, -1.0f}) {
    const std::vector<float> x(kMaxUnits, sign);
    const std::vector<float> expected = scalar.Times(x);
    EXPECT_NEAR(expected[0], sign * kMaxUnits, 1.0f);
    ForEachTarget([&] {
      AlignedBytes out(kTileRows * sizeof(float));
      Multiply(panels, true, x.data(), reinterpret_cast<float*>(out.data()));
      ExpectSameBits(expected, out);
    });
  }
}

TEST(Dot, ZeroAndTinyVectors) {
  const Problem problem({65, 17}, DType::kInt8, 3);
  for (const float value : {0.0f, 1e-45f, 1e-31f, 1.1e-30f, 1e-20f}) {
    const std::vector<float> x(17, value);
    const std::vector<float> expected = problem.scalar().Times(x);
    ForEachTarget([&] {
      AlignedBytes out = Output(problem);
      Multiply(problem.panels(), true, x.data(), reinterpret_cast<float*>(out.data()));
      ExpectSameBits(expected, out);
    });
  }
}

}  // namespace
}  // namespace stint
