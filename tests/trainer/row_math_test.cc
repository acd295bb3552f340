// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Products and norms of rows against long double; clipping against the golden vectors.
#include "trainer/row_math.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "tests/reference/folders.h"
#include "tests/reference/kernels.h"
#include "tests/reference/safetensors.h"

namespace stint {
namespace {

using reference::Floats;

double SquaredNorm(const float* x, size_t n) { return RowProduct(x, x, n); }

TEST(RowMathTest, ProductsAgreeWithLongDouble) {
  for (const size_t n : {0, 1, 2, 7, 8, 9, 15, 16, 17, 33, 100, 513, 4097}) {
    for (const size_t offset : {0, 1, 3}) {
      std::mt19937_64 random(n + offset);
      Floats a(n + offset), b(n + offset);
      a.Randomize(random, 3);
      b.Randomize(random, 1e-3f);
      for (size_t i = 0; i < offset; ++i) a[i] = b[i] = reference::kNan;
      long double expected = 0, magnitude = 0, squares = 0;
      for (size_t i = offset; i < n + offset; ++i) {
        expected += static_cast<long double>(a[i]) * b[i];
        magnitude += std::abs(static_cast<long double>(a[i]) * b[i]);
        squares += static_cast<long double>(a[i]) * a[i];
      }
      const double dot = RowProduct(a.data() + offset, b.data() + offset, n);
      ASSERT_NEAR(dot, static_cast<double>(expected), 1e-14 * static_cast<double>(magnitude));
      ASSERT_NEAR(SquaredNorm(a.data() + offset, n), static_cast<double>(squares),
                  1e-14 * static_cast<double>(squares));
      const float norm = RowNorm(a.data() + offset, n);
      ASSERT_NEAR(norm, std::max(std::sqrt(static_cast<double>(squares)), 1e-12), 1e-7 * norm);
    }
  }
}

// Eight sums, added in order: the bits are defined.
TEST(RowMathTest, OrderOfTheSum) {
  const float a[] = {1e20f, 1, 1, 1, 1, 1, 1, 1, -1e20f, 2};
  const float ones[] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
  EXPECT_EQ(RowProduct(a, ones, 10), 9);  // 1e20 - 1e20 in the first sum, 1 + 2 in the second
  EXPECT_EQ(RowProduct(a, ones, 8), double{a[0]} + 7);
}

// In float these squares would be infinite or nothing.
TEST(RowMathTest, SquaresOfAnyFloatCount) {
  const std::vector<float> large(20, 1e38f), small(20, 1e-40f);
  EXPECT_NEAR(SquaredNorm(large.data(), 20), 2e77, 1e71);
  EXPECT_NEAR(SquaredNorm(small.data(), 20), 2e-79, 1e-83);
  std::vector<float> one_nan(20, 1.0f);
  one_nan[7] = reference::kNan;
  EXPECT_TRUE(std::isnan(SquaredNorm(one_nan.data(), 20)));
}

TEST(RowMathTest, ClipScale) {
  EXPECT_EQ(ClipScale(100.0, 0.0), 1.0f);  // off
  EXPECT_EQ(ClipScale(0.0, 1.0), 1.0f);
  EXPECT_EQ(ClipScale(3.99, 2.0), 1.0f);
  EXPECT_EQ(ClipScale(4.0, 2.0), 1.0f);
  EXPECT_EQ(ClipScale(16.0, 2.0), 0.5f);
  EXPECT_EQ(ClipScale(1e76, 1.0), 1e-38f);
  EXPECT_EQ(ClipScale(std::nan(""), 2.0), 1.0f);  // NaN must go on to where it is noticed
}

// The norm is over all dense gradients and all occurrences of rows together.
TEST(RowMathTest, GoldenClipping) {
  STINT_REQUIRE_PATH(reference::GoldenDir());
  const auto file = reference::ReadSafetensors(reference::GoldenDir() + "/unit_optim.safetensors");
  const std::vector<float> dense = file["g_dense"].AsFloat();                    // [6 steps, 6, 3]
  const std::vector<float> occurrences = file["g_occ"].AsFloat();                // [6 steps, 5, 3]
  const std::vector<double> clipped_dense = file["cap.g_dense"].AsDouble();      // [6, 3]
  const std::vector<double> clipped_occurrences = file["cap.g_occ"].AsDouble();  // [5, 3]
  const double squares = SquaredNorm(dense.data(), 18) + SquaredNorm(occurrences.data(), 15);
  EXPECT_NEAR(std::sqrt(squares), file["cap.norm"].AsDouble()[0], 1e-7);
  const float scale = ClipScale(squares, file.Number("cap"));
  EXPECT_LT(scale, 1.0f);
  for (size_t i = 0; i < 18; ++i) EXPECT_NEAR(scale * dense[i], clipped_dense[i], 1e-7) << i;
  for (size_t i = 0; i < 15; ++i) {
    EXPECT_NEAR(scale * occurrences[i], clipped_occurrences[i], 1e-7) << i;
  }
}

}  // namespace
}  // namespace stint
