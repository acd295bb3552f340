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
    WeightMean mean(start, decay);
    const size_t n = start.block_floats();
    ASSERT_EQ(std::memcmp(mean.mean().block(), start.block(), n * sizeof(float)), 0);
    std::vector<double> expected(start.block(), start.block() + n);
    Team team(1);
    for (uint64_t step = 2; step < 7; ++step) {
      const Parameters weights = Drawn(step);
      mean.Update(weights, &team);
      const double kept = std::pow(decay, 32);
      for (size_t i = 0; i < n; ++i) {
        expected[i] = kept * expected[i] + (1 - kept) * double{weights.block()[i]};
        ASSERT_NEAR(mean.mean().block()[i], expected[i], 3e-7) << "decay " << decay << " at " << i;
      }
    }
  }
}

TEST(EmaTest, SameBitsForAnyTeam) {
  WeightMean one(Drawn(1), 0.99), three(Drawn(1), 0.99);
  Team team_of_one(1), team_of_three(3);
  for (uint64_t step = 2; step < 5; ++step) {
    const Parameters weights = Drawn(step);
    one.Update(weights, &team_of_one);
    three.Update(weights, &team_of_three);
  }
  EXPECT_EQ(std::memcmp(one.mean().block(), three.mean().block(),
                        one.mean().block_floats() * sizeof(float)),
            0);
}

// Weights that stand still are their own mean, to the bit; one from a saved mean goes on alike.
TEST(EmaTest, StartsAnywhere) {
  const Parameters weights = Drawn(3), other = Drawn(4);
  Team team(1);
  WeightMean mean(weights, 0.9);
  mean.Update(weights, &team);
  const size_t bytes = weights.block_floats() * sizeof(float);
  EXPECT_EQ(std::memcmp(mean.mean().block(), weights.block(), bytes), 0);
  mean.Update(other, &team);
  WeightMean restored(mean.mean(), 0.9);
  mean.Update(weights, &team);
  restored.Update(weights, &team);
  EXPECT_EQ(std::memcmp(mean.mean().block(), restored.mean().block(), bytes), 0);
}

}  // namespace
}  // namespace stint
