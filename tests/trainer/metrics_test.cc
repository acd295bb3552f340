// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Ranks, recall and MRR against the golden unit_rank and by hand.
#include "trainer/metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <stdexcept>

#include "tests/reference/folders.h"
#include "tests/reference/safetensors.h"

namespace stint {
namespace {

TEST(Metrics, GoldenRanks) {
  const std::string folder = reference::GoldenDir();
  STINT_REQUIRE_PATH(folder);
  const reference::Safetensors file = reference::ReadSafetensors(folder + "/unit_rank.safetensors");
  const std::vector<float> scores = file["scores"].AsFloat();
  const std::vector<uint32_t> targets = file["target"].AsUint32();
  const size_t columns = file["scores"].dim(1);
  for (const RankMode mode : {RankMode::kStandard, RankMode::kConservative, RankMode::kMedian}) {
    SCOPED_TRACE(Name(mode));
    std::vector<double> ranks;
    for (size_t row = 0; row < targets.size(); ++row) {
      const float* s = scores.data() + row * columns;
      uint32_t higher = 0;
      uint32_t equal = 0;
      for (size_t j = 0; j < columns; ++j) {
        higher += s[j] > s[targets[row]];
        equal += j != targets[row] && s[j] == s[targets[row]];
      }
      ranks.push_back(Rank(mode, higher, equal));
    }
    EXPECT_EQ(ranks, file[std::string("rank.") + Name(mode)].AsDouble());
    const Metrics metrics = ComputeMetrics(ranks, {1, 5, 20});
    const std::vector<double> expected = file[std::string("metrics.") + Name(mode)].AsDouble();
    for (size_t i = 0; i < 3; ++i) {
      EXPECT_NEAR(metrics.recall[i], expected[2 * i], 1e-15);
      EXPECT_NEAR(metrics.mrr[i], expected[2 * i + 1], 1e-15);
    }
  }
}

TEST(Metrics, ByHand) {
  const double miss = std::numeric_limits<double>::infinity();
  const Metrics metrics = ComputeMetrics({1, 4, 1.5, 21, miss}, {20, 1, 4});
  EXPECT_EQ(metrics.targets, 5u);
  EXPECT_DOUBLE_EQ(metrics.RecallAt(20), 0.6);
  EXPECT_DOUBLE_EQ(metrics.RecallAt(1), 0.2);
  EXPECT_DOUBLE_EQ(metrics.RecallAt(4), 0.6);
  EXPECT_DOUBLE_EQ(metrics.MrrAt(20), (1 + 0.25 + 1 / 1.5) / 5);
  EXPECT_DOUBLE_EQ(metrics.MrrAt(1), 0.2);
  EXPECT_THROW(metrics.RecallAt(5), std::out_of_range);
  EXPECT_THROW(metrics.MrrAt(0), std::out_of_range);
}

TEST(Metrics, NoTargetsAreZeroNotNan) {
  const Metrics metrics = ComputeMetrics({}, {20});
  EXPECT_EQ(metrics.targets, 0u);
  EXPECT_EQ(metrics.RecallAt(20), 0);
  EXPECT_EQ(metrics.MrrAt(20), 0);
}

TEST(Metrics, RanksOfLargeCountsDoNotOverflow) {
  EXPECT_EQ(Rank(RankMode::kConservative, 4294967295u, 4294967295u), 8589934591.0);
  EXPECT_EQ(Rank(RankMode::kMedian, 0, 1), 1.5);
}

}  // namespace
}  // namespace stint
