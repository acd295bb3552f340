// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The block of weights: shapes, alignment, deep copies; and the distribution they start from.
#include "trainer/parameters.h"
#include "trainer/initialize.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <set>
#include <utility>

#include "tests/reference/trainer_bridge.h"

namespace stint {
namespace {

using reference::SameBits;

// All matrices, biases of items too.
std::vector<Matrix> All(const Parameters& p) {
  std::vector<Matrix> all = p.Dense();
  all.push_back(p.items);
  all.push_back(p.item_bias);
  return all;
}

TEST(ParametersTest, ShapesOfLayersThatNarrowAndWiden) {
  for (const GruForm form : {GruForm::kResetAfter, GruForm::kResetBefore}) {
    const Parameters p(11, {7, 33, 16}, form);
    ASSERT_EQ(p.layers.size(), 3u);
    const size_t units[] = {7, 33, 16}, inputs[] = {16, 7, 33};
    for (size_t l = 0; l < 3; ++l) {
      EXPECT_EQ(p.layers[l].units(), units[l]);
      EXPECT_EQ(p.layers[l].inputs(), inputs[l]);
      EXPECT_EQ(p.layers[l].input_weights.rows, 3 * units[l]);
      EXPECT_EQ(p.layers[l].hidden_weights.rows, 3 * units[l]);
      EXPECT_EQ(p.layers[l].input_bias.rows, 1u);
      EXPECT_EQ(p.layers[l].input_bias.cols, 3 * units[l]);
      EXPECT_EQ(p.layers[l].hidden_bias.rows, form == GruForm::kResetAfter ? 1u : 0u);
    }
    EXPECT_EQ(p.items.rows, 11u);
    EXPECT_EQ(p.width(), 16u);
    EXPECT_EQ(p.item_bias.cols, 11u);
    EXPECT_EQ(p.Dense().size(), 12u);
  }
}

// Every row of every matrix has memory of its own, starts on a cache line and is zero.
TEST(ParametersTest, RowsAreAlignedZeroAndDoNotOverlap) {
  const Parameters p(11, {7, 33}, GruForm::kResetAfter);
  std::set<const float*> seen;
  for (const Matrix& m : All(p)) {
    EXPECT_EQ(m.stride % kRowAlignment, 0u);
    for (size_t r = 0; r < m.rows; ++r) {
      EXPECT_EQ(reinterpret_cast<uintptr_t>(m.Row(r)) % 64, 0u);
      for (size_t c = 0; c < m.stride; ++c) {
        EXPECT_EQ(m.Row(r)[c], 0.0f);
        EXPECT_TRUE(seen.insert(m.Row(r) + c).second);
      }
    }
  }
}

TEST(ParametersTest, CopiesAreDeep) {
  Parameters a(5, {3}, GruForm::kResetAfter);
  Initialize(Options{.seed = 1}, &a);
  Parameters b = a;
  EXPECT_TRUE(SameBits(a, b));
  EXPECT_NE(a.items.data, b.items.data);
  b.items.Row(4)[2] += 1;
  EXPECT_FALSE(SameBits(a, b));
  Parameters c(2, {9, 9}, GruForm::kResetBefore);
  c = a;
  EXPECT_TRUE(SameBits(a, c));
  EXPECT_EQ(c.shape.gru_form, GruForm::kResetAfter);
  c = *&c;  // to itself
  EXPECT_TRUE(SameBits(a, c));
  const Parameters d = std::move(c);
  EXPECT_TRUE(SameBits(a, d));
  const Parameters empty, copy_of_empty = empty;
  EXPECT_TRUE(copy_of_empty.layers.empty());
}

// Glorot and Bengio: uniform in +-sqrt(6 / (fan in + fan out)) of every gate block, so every
// element is inside, some come near the ends, and mean and variance are those of it.
void ExpectUniform(const Matrix& m, size_t fan_out) {
  const double limit = std::sqrt(6.0 / static_cast<double>(m.cols + fan_out));
  double sum = 0, squares = 0, largest = 0;
  for (size_t r = 0; r < m.rows; ++r) {
    for (size_t c = 0; c < m.cols; ++c) {
      const double w = m.Row(r)[c];
      sum += w;
      squares += w * w;
      largest = std::max(largest, std::abs(w));
    }
    for (size_t c = m.cols; c < m.stride; ++c) EXPECT_EQ(m.Row(r)[c], 0.0f);
  }
  const auto n = static_cast<double>(m.rows * m.cols);
  EXPECT_LE(largest, limit * (1 + 1e-6));
  EXPECT_GT(largest, limit * (1 - 20 / n));
  // Five standard deviations of either mean.
  EXPECT_NEAR(sum / n, 0, 5 * limit / std::sqrt(3 * n));
  EXPECT_NEAR(squares / n, limit * limit / 3, 5 * limit * limit * std::sqrt(4.0 / 45 / n));
}

TEST(ParametersTest, InitializeDrawsGlorotUniform) {
  Parameters p(300, {40, 70}, GruForm::kResetAfter);
  Initialize(Options{.seed = 42}, &p);
  for (const GruParameters& layer : p.layers) {
    ExpectUniform(layer.input_weights, layer.units());
    ExpectUniform(layer.hidden_weights, layer.units());
    for (size_t c = 0; c < layer.input_bias.cols; ++c) EXPECT_EQ(layer.input_bias.data[c], 0.0f);
    for (size_t c = 0; c < layer.hidden_bias.cols; ++c) EXPECT_EQ(layer.hidden_bias.data[c], 0.0f);
  }
  ExpectUniform(p.items, 300);
  for (size_t c = 0; c < 300; ++c) EXPECT_EQ(p.item_bias.data[c], 0.0f);
}

TEST(ParametersTest, InitializeFollowsTheSeed) {
  Parameters a(30, {10}, GruForm::kResetAfter), b = a, c = a;
  Initialize(Options{.seed = 1}, &a);
  Initialize(Options{.seed = 1}, &b);
  Initialize(Options{.seed = 2}, &c);
  EXPECT_TRUE(SameBits(a, b));
  EXPECT_FALSE(SameBits(a, c));
}

}  // namespace
}  // namespace stint
