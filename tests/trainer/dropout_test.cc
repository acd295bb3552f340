// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Dropout masks: the right share and size of multipliers, the same for any split of the work,
// different from step to step.
#include "trainer/dropout.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace stint {
namespace {

TEST(DropoutTest, ShareAndSizeOfWhatIsKept) {
  const RandomCounter random(7, 3);
  for (const double p : {0.0, 0.1, 0.5, 0.9, 0.999}) {
    std::vector<float> mask(200000, -1);
    DrawDropout(random, p, 0, mask.size(), 0, mask.size(), mask.data());
    size_t kept = 0;
    for (const float m : mask) {
      ASSERT_TRUE(m == 0.0f || m == static_cast<float>(1 / (1 - p))) << m;
      kept += m != 0.0f;
    }
    const double n = static_cast<double>(mask.size());
    EXPECT_NEAR(static_cast<double>(kept) / n, 1 - p, 5 * std::sqrt(p * (1 - p) / n)) << p;
  }
}

TEST(DropoutTest, NeighborsAndStepsAreIndependent) {
  const RandomCounter random(7, 3);
  std::vector<float> a(100000), b(100000);
  DrawDropout(random, 0.5, 0, a.size(), 0, a.size(), a.data());
  DrawDropout(random, 0.5, 1, b.size(), 0, b.size(), b.data());
  size_t same_neighbor = 0, same_step = 0;
  for (size_t i = 0; i + 1 < a.size(); ++i) {
    same_neighbor += a[i] == a[i + 1];
    same_step += a[i] == b[i];
  }
  EXPECT_NEAR(static_cast<double>(same_neighbor), 50000, 800);
  EXPECT_NEAR(static_cast<double>(same_step), 50000, 800);
}

TEST(DropoutTest, AnySplitGivesTheSameMask) {
  const RandomCounter random(7, 3);
  std::vector<float> whole(96), parts(96);
  DrawDropout(random, 0.3, 5, 96, 0, 96, whole.data());
  for (size_t begin = 0; begin < 96; begin += 14) {
    DrawDropout(random, 0.3, 5, 96, begin, std::min<size_t>(96, begin + 14), parts.data());
  }
  EXPECT_EQ(whole, parts);
}

TEST(DropoutTest, AppliesToItsRangeOnly) {
  const std::vector<float> mask = {0, 2, 0, 2, 2};
  std::vector<float> values = {1, 2, 3, 4, 5};
  ApplyDropout(mask.data(), 1, 4, values.data());
  EXPECT_EQ(values, (std::vector<float>{1, 4, 0, 8, 5}));
}

}  // namespace
}  // namespace stint
