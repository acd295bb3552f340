// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Parts of a sum, finished in every order or by several threads: the same additions.
#include "trainer/pairwise_sum.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include "trainer/team.h"

namespace stint {
namespace {

std::vector<std::string> Names(size_t parts) {
  std::vector<std::string> names;
  for (size_t i = 0; i < parts; ++i) names.push_back(std::to_string(i));
  return names;
}

TEST(PairwiseSumTest, AddsNeighboursWhateverFinishesFirst) {
  const std::vector<std::string> expected = {
      "0", "(0+1)", "((0+1)+2)", "((0+1)+(2+3))", "(((0+1)+(2+3))+4)", "(((0+1)+(2+3))+(4+5))"};
  for (size_t parts = 1; parts <= expected.size(); ++parts) {
    std::vector<size_t> order(parts);
    std::iota(order.begin(), order.end(), size_t{0});
    PairwiseSum sum;
    do {
      std::vector<std::string> part = Names(parts);
      sum.Start(parts);
      for (const size_t p : order) {
        sum.Finish(
            p, [&](size_t to, size_t from) { part[to] = "(" + part[to] + "+" + part[from] + ")"; });
      }
      ASSERT_EQ(part[0], expected[parts - 1]);
    } while (std::next_permutation(order.begin(), order.end()));
  }
}

TEST(PairwiseSumTest, ThreadsAddTheSamePairs) {
  Team team(3);
  PairwiseSum sum;
  std::string expected;
  team.Open([&] {
    for (int round = 0; round < 2000; ++round) {
      std::vector<std::string> part = Names(PairwiseSum::kMaxParts);
      sum.Start(part.size());
      team.Run(part.size(), [&](size_t p) {
        sum.Finish(
            p, [&](size_t to, size_t from) { part[to] = "(" + part[to] + "+" + part[from] + ")"; });
      });
      if (round == 0) expected = part[0];
      ASSERT_EQ(part[0], expected);
    }
  });
  EXPECT_EQ(std::count(expected.begin(), expected.end(), '+'), 15);
}

}  // namespace
}  // namespace stint
