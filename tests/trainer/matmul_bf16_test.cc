// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The bfloat16 products against float64 sums of rounded factors, at odd sizes and at all ends of
// blocks; the same bits however the work is cut; refusal where the CPU lacks them.
#include "trainer/matmul_bf16.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <stdexcept>

#include "tests/reference/kernels.h"
#include "tests/trainer/matmul_problem.h"

namespace stint {
namespace {

using reference::Floats;
using reference::ForEachTarget;
using reference::kNan;

// To nearest, ties to even, by integer arithmetic; finite values that are not subnormal.
float Rounded(float value) {
  uint32_t bits = std::bit_cast<uint32_t>(value);
  bits += 0x7FFF + ((bits >> 16) & 1);
  return std::bit_cast<float>(bits & 0xFFFF0000u);
}

// A float64 sum of products of rounded factors, and what a float32 sum of them may be off by: each
// of its additions rounds to 2^-24 of a partial sum, none of which is above the sum of the
// absolute values. (The products are exact in float64 and almost in the fused instruction.)
struct Sum {
  double value, absolute;
  size_t terms = 0;

  explicit Sum(double start) : value(start), absolute(std::abs(start)) {}
  void Add(float a, float b) {
    const double product = static_cast<double>(Rounded(a)) * Rounded(b);
    value += product;
    absolute += std::abs(product);
    ++terms;
  }
  double Bound() const { return static_cast<double>(terms + 2) * 0x1p-24 * absolute; }
};

// Ends of blocks (rows by 8, 4, 2, 1 and 64; terms by 2, 16, 32 and 128; 1 to 5 vectors and more).
const size_t kCounts[] = {0, 1, 2, 3, 5, 8, 15, 31, 63, 64, 65, 131};
const size_t kDepths[] = {0, 1, 2, 7, 16, 17, 31, 33, 64, 100, 127, 128, 129, 259};
const size_t kWidths[] = {16, 32, 48, 64, 80, 96, 192};

template <class Check>
void ForEachProblem(const Check& check) {
  for (const size_t count : kCounts) {
    for (const size_t depth : kDepths) {
      // Every width with some shapes, few with each.
      for (size_t w = (count + depth) % 3; w < std::size(kWidths); w += 3) {
        for (const bool indexed : {false, true}) {
          SCOPED_TRACE("rows " + std::to_string(count) + " depth " + std::to_string(depth) +
                       " width " + std::to_string(kWidths[w]) + (indexed ? " indexed" : ""));
          check(Problem(count, depth, kWidths[w], indexed, depth % 2 == 1, count * 1000 + depth));
          if (::testing::Test::HasFatalFailure()) return;
        }
      }
    }
  }
}

class MatmulBf16Test : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!HasBf16Products()) GTEST_SKIP() << "this CPU has no bfloat16 products";
  }
};

TEST_F(MatmulBf16Test, RowsTimesMatrixIsTheProductOfRoundedFactors) {
  ForEachProblem([](const Problem& p) {
    const size_t out_stride = p.width + kRowAlignment;
    Floats out(p.count * out_stride, 77.0f);
    const size_t first = p.count / 3;  // rows before it must stay as they are
    RowsTimesMatrixBf16(p.rows, first, p.count, p.depth, p.x.data(), p.x_stride, p.width,
                        out.data(), out_stride);
    for (size_t r = 0; r < p.count; ++r) {
      for (size_t j = 0; j < out_stride; ++j) {
        const float actual = out[r * out_stride + j];
        if (r < first || j >= p.width) {
          ASSERT_EQ(actual, 77.0f) << "outside the range: row " << r << " column " << j;
          continue;
        }
        Sum sum(p.rows.bias != nullptr ? p.bias[p.RowOf(r)] : 0.0);  // the bias is not rounded
        for (size_t t = 0; t < p.depth; ++t) sum.Add(p.Weight(r, t), p.x[t * p.x_stride + j]);
        ASSERT_NEAR(actual, sum.value, sum.Bound()) << "row " << r << " column " << j;
      }
    }
  });
}

TEST_F(MatmulBf16Test, AddTransposedRowsTimesMatrixIsTheProductOfRoundedFactors) {
  ForEachProblem([](const Problem& p) {
    const size_t out_stride = p.width + kRowAlignment;
    const size_t column_begin = p.depth / 4, columns = p.depth - column_begin;
    const size_t first = p.count / 3;
    Floats out(columns * out_stride, 0.3f);  // is added to, unrounded
    AddTransposedRowsTimesMatrixBf16(p.rows, first, p.count, column_begin, p.depth, p.x.data(),
                                     p.x_stride, p.width, out.data(), out_stride);
    for (size_t c = 0; c < columns; ++c) {
      for (size_t j = 0; j < out_stride; ++j) {
        Sum sum(0.3f);
        for (size_t r = first; j < p.width && r < p.count; ++r) {
          sum.Add(p.Weight(r, column_begin + c), p.x[r * p.x_stride + j]);
        }
        ASSERT_NEAR(out[c * out_stride + j], sum.value, j < p.width ? sum.Bound() : 0)
            << "column " << c << " session " << j;
      }
    }
  });
}

// Single products are exact in float32: what comes out is the rounding of the factors itself.
TEST_F(MatmulBf16Test, FactorsAreRoundedToNearestTiesToEven) {
  alignas(64) float one[16] = {1.0f};  // [1, 16], a row of depth 1
  alignas(64) float out[16];
  std::mt19937_64 random(1);
  for (size_t i = 0; i < 10000; ++i) {
    alignas(64) float x[16];  // [1, 16]
    for (float& value : x) {
      // Exponents of 2^-30 to 2^31; low halves of all kinds, ties with half of them.
      const uint32_t low = i % 2 == 0 ? 0x8000u : static_cast<uint32_t>(random() & 0xFFFF);
      const uint32_t exponent = 97 + static_cast<uint32_t>(random() % 62);
      const auto rest = static_cast<uint32_t>(random());
      value =
          std::bit_cast<float>((rest & 0x80000000u) | exponent << 23 | (rest & 0x7F0000u) | low);
    }
    RowsTimesMatrixBf16({.data = one, .stride = 16}, 0, 1, 1, x, 16, 16, out, 16);
    for (size_t j = 0; j < 16; ++j) ASSERT_EQ(out[j], Rounded(x[j])) << x[j];
    // The other factor.
    RowsTimesMatrixBf16({.data = x, .stride = 16}, 0, 1, 1, one, 16, 16, out, 16);
    ASSERT_EQ(out[0], Rounded(x[0])) << x[0];
  }
}

TEST_F(MatmulBf16Test, NotANumberAndInfinityComeThrough) {
  const Problem p(9, 35, 32, false, false, 4);
  Floats table(p.table.size());
  std::memcpy(table.data(), p.table.data(), 4 * table.size());
  table[2 * p.stride + 34] = kNan;
  table[3 * p.stride] = INFINITY;
  Floats out(p.count * p.width), transposed(p.depth * p.width);
  const Rows rows = {.data = table.data(), .stride = p.stride};
  RowsTimesMatrixBf16(rows, 0, p.count, p.depth, p.x.data(), p.x_stride, p.width, out.data(),
                      p.width);
  AddTransposedRowsTimesMatrixBf16(rows, 0, p.count, 0, p.depth, p.x.data(), p.x_stride, p.width,
                                   transposed.data(), p.width);
  for (size_t j = 0; j < p.width; ++j) {
    EXPECT_TRUE(std::isnan(out[2 * p.width + j]));
    EXPECT_TRUE(std::isinf(out[3 * p.width + j]));
    EXPECT_TRUE(std::isfinite(out[4 * p.width + j]));
    EXPECT_TRUE(std::isnan(transposed[34 * p.width + j]));
    EXPECT_TRUE(std::isinf(transposed[j]));
    EXPECT_TRUE(std::isfinite(transposed[5 * p.width + j]));
  }
}

// However rows and columns are cut between threads the bits are the same, whether or not rows are
// fetched beside the arithmetic.
TEST_F(MatmulBf16Test, BitsDoNotDependOnCuts) {
  const Problem p(137, 261, 112, true, true, 3);
  const size_t out_stride = p.width;
  const auto run = [&](size_t cut, bool fetch, Floats* product, Floats* transposed) {
    const float* soon[] = {p.table.data(), p.table.data() + p.stride};
    for (size_t r = 0; r < p.count; r += cut) {
      RowsAhead ahead(soon, 2, p.depth);
      RowsTimesMatrixBf16(p.rows, r, std::min(r + cut, p.count), p.depth, p.x.data(), p.x_stride,
                          p.width, product->data(), out_stride, fetch ? &ahead : nullptr);
    }
    for (size_t c = 0; c < p.depth; c += cut) {
      AddTransposedRowsTimesMatrixBf16(p.rows, 0, p.count, c, std::min(c + cut, p.depth),
                                       p.x.data(), p.x_stride, p.width,
                                       transposed->data() + c * out_stride, out_stride);
    }
  };
  Floats product(p.count * out_stride), transposed(p.depth * out_stride);
  run(1000, false, &product, &transposed);
  for (const size_t cut : {1, 2, 3, 5, 8, 16, 36, 64, 100, 1000}) {
    Floats part(product.size()), part_transposed(transposed.size());
    run(cut, true, &part, &part_transposed);
    EXPECT_EQ(0, std::memcmp(product.data(), part.data(), 4 * product.size())) << cut;
    EXPECT_EQ(0, std::memcmp(transposed.data(), part_transposed.data(), 4 * transposed.size()))
        << cut;
  }
}

// Needs no CPU of a kind: dispatch is limited to each target in turn.
TEST(MatmulBf16TargetsTest, WithoutTheInstructionThereIsNoProduct) {
  size_t without = 0;
  ForEachTarget([&](int64_t target) {
    alignas(64) float values[16] = {1.0f}, out[16] = {};
    const Rows rows = {.data = values, .stride = 16};
    EXPECT_EQ(HasBf16Products(), target == HWY_AVX3_SPR || target == HWY_AVX3_ZEN4);
    if (HasBf16Products()) {
      RowsTimesMatrixBf16(rows, 0, 1, 1, values, 16, 16, out, 16);
      EXPECT_EQ(out[0], 1.0f);
    } else {
      ++without;
      EXPECT_THROW(RowsTimesMatrixBf16(rows, 0, 1, 1, values, 16, 16, out, 16), std::logic_error);
      EXPECT_THROW(AddTransposedRowsTimesMatrixBf16(rows, 0, 1, 0, 1, values, 16, 16, out, 16),
                   std::logic_error);
    }
  });
  EXPECT_GE(without, 1u);
}

}  // namespace
}  // namespace stint
