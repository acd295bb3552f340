// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Running mean of weights: against float64, for any number of threads.
#include "trainer/ema.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "trainer/initialize.h"

namespace stint {
namespace {

Parameters Drawn(uint64_t seed) {
  const Options options{.layers = {30, 50}, .seed = seed};
  Parameters parameters(NetworkShape::Of(options, 2000));
  Initialize(options, &parameters);
  return parameters;
}

TEST(EmaTest, FollowsTheWeights) {
  for (const double decay : {0.0, 0.5, 0.9, 0.999, 0.99999}) {
    const Parameters start = Drawn(1);
    WeightMean mean(start, 2.0f, decay);
    const size_t n = start.block_floats();
    ASSERT_EQ(std::memcmp(mean.mean().block(), start.block(), n * sizeof(float)), 0);
    std::vector<double> expected(start.block(), start.block() + n);
    double scale = 2;
    Team team(1);
    for (uint64_t step = 2; step < 7; ++step) {
      const Parameters weights = Drawn(step);
      mean.Update(weights, static_cast<float>(step), &team);
      const double kept = std::pow(decay, 32);
      scale = kept * scale + (1 - kept) * static_cast<double>(step);
      ASSERT_NEAR(mean.scale(), scale, 1e-6 * scale);
      for (size_t i = 0; i < n; ++i) {
        expected[i] = kept * expected[i] + (1 - kept) * double{weights.block()[i]};
        ASSERT_NEAR(mean.mean().block()[i], expected[i], 3e-7) << "decay " << decay << " at " << i;
      }
    }
  }
}

// Steps since the last update are taken up, and nothing is changed by asking.
TEST(EmaTest, TakesUpTheStepsSinceTheLastUpdate) {
  const Parameters start = Drawn(1), weights = Drawn(2);
  const size_t n = start.block_floats();
  for (const double decay : {0.0, 0.5, 0.999}) {
    WeightMean mean(start, 3.0f, decay);
    for (const uint64_t steps : {0, 1, 7, 31}) {
      const Parameters after = mean.After(weights, steps);
      const double kept = std::pow(decay, static_cast<double>(steps));
      for (size_t i = 0; i < n; ++i) {
        const double expected =
            kept * double{start.block()[i]} + (1 - kept) * double{weights.block()[i]};
        ASSERT_NEAR(after.block()[i], expected, 1e-7) << decay << " " << steps << " at " << i;
      }
      EXPECT_NEAR(mean.ScaleAfter(5.0f, steps), kept * 3 + (1 - kept) * 5, 1e-6);
    }
    EXPECT_EQ(std::memcmp(mean.mean().block(), start.block(), n * sizeof(float)), 0);
    EXPECT_EQ(mean.scale(), 3.0f);
  }
}

TEST(EmaTest, SameBitsForAnyTeam) {
  WeightMean one(Drawn(1), 1, 0.99), three(Drawn(1), 1, 0.99);
  Team team_of_one(1), team_of_three(3);
  for (uint64_t step = 2; step < 5; ++step) {
    const Parameters weights = Drawn(step);
    one.Update(weights, 1, &team_of_one);
    three.Update(weights, 1, &team_of_three);
  }
  EXPECT_EQ(std::memcmp(one.mean().block(), three.mean().block(),
                        one.mean().block_floats() * sizeof(float)),
            0);
}

// Weights that stand still are their own mean, to the bit; one from a saved mean goes on alike.
TEST(EmaTest, StartsAnywhere) {
  const Parameters weights = Drawn(3), other = Drawn(4);
  Team team(1);
  WeightMean mean(weights, 1, 0.9);
  mean.Update(weights, 1, &team);
  const size_t bytes = weights.block_floats() * sizeof(float);
  EXPECT_EQ(std::memcmp(mean.mean().block(), weights.block(), bytes), 0);
  mean.Update(other, 1, &team);
  WeightMean restored(mean.mean(), mean.scale(), 0.9);
  mean.Update(weights, 1, &team);
  restored.Update(weights, 1, &team);
  EXPECT_EQ(std::memcmp(mean.mean().block(), restored.mean().block(), bytes), 0);
}

}  // namespace
}  // namespace stint
