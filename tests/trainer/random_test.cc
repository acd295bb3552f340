// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The counter-based generator: known values of SplitMix64, independence of its streams.
#include "trainer/random.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <set>
#include <vector>

namespace stint {
namespace {

TEST(Random, MixerIsThatOfSplitMix64) {
  // First outputs of the published generator for seed 1234567 (state += golden, then mix).
  uint64_t state = 1234567;
  for (const uint64_t expected : {uint64_t{6457827717110365317u}, uint64_t{3203168211198807973u},
                                  uint64_t{9817491932198370423u}, uint64_t{4593380528125082431u},
                                  uint64_t{16408922859458223821u}}) {
    EXPECT_EQ(MixBits(state += 0x9E3779B97F4A7C15u), expected);
  }
}

TEST(Random, UnitsAreUniform) {
  const RandomCounter random(42, 3);
  constexpr uint64_t kDraws = 1 << 20;
  std::vector<double> cells(64);
  double sum = 0;
  for (uint64_t i = 0; i < kDraws; ++i) {
    const double u = random.Unit(i);
    ASSERT_GE(u, 0);
    ASSERT_LT(u, 1);
    sum += u;
    ++cells[static_cast<size_t>(u * 64)];
  }
  EXPECT_NEAR(sum / kDraws, 0.5, 4 * std::sqrt(1.0 / 12 / kDraws));  // 4 standard errors
  double chi_square = 0;
  for (const double cell : cells) {
    chi_square += (cell - kDraws / 64.0) * (cell - kDraws / 64.0) / (kDraws / 64.0);
  }
  EXPECT_LT(chi_square, 103.4);  // 63 degrees of freedom: exceeded once in 1000 seeds
}

TEST(Random, SeedsAndStreamsDiffer) {
  std::set<uint64_t> first;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    for (uint64_t stream = 1; stream < 20; ++stream) {
      first.insert(RandomCounter(seed, stream).Bits(0));
    }
  }
  EXPECT_EQ(first.size(), 50u * 19u);
  // Neighboring streams are not shifted or correlated copies of each other.
  const RandomCounter a(42, 1);
  const RandomCounter b(42, 2);
  int equal_bits = 0;
  for (uint64_t i = 0; i < 4096; ++i) equal_bits += std::popcount(~(a.Bits(i) ^ b.Bits(i)));
  EXPECT_NEAR(equal_bits, 4096 * 32, 4 * std::sqrt(4096 * 16.0));
}

}  // namespace
}  // namespace stint
