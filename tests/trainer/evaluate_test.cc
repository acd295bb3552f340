// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Evaluation against the same metrics from all scores, sorted out by hand.
#include "trainer/evaluate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <new>
#include <vector>

#include "stint/stint.hpp"
#include "trainer/export.h"
#include "trainer/initialize.h"
#include "trainer/parameters.h"
#include "trainer/random.h"

namespace stint {
namespace {

constexpr uint32_t kItems = 70;

class EvaluateTest : public testing::Test {
 protected:
  EvaluateTest() {
    Catalog catalog;
    for (uint32_t i = 0; i < kItems; ++i) {
      catalog.ids.numbers.push_back(i);
      catalog.counts.push_back(1 + i % 5);
    }
    Parameters parameters(kItems, {12}, GruForm::kResetAfter);
    Initialize(Options{.seed = 3}, &parameters);
    // Items 10 to 39 come in threes with equal rows: exact ties.
    for (uint32_t i = 10; i < 40; ++i) {
      for (size_t d = 0; d < 12; ++d) parameters.items.Row(i)[d] = parameters.items.Row(i % 10)[d];
    }
    ExportInput input;
    input.parameters = &parameters;
    input.catalog = &catalog;
    bytes_ = BuildModel(input);
    EXPECT_EQ(Model::FromBuffer(bytes_.data(), bytes_.size(), &model_), STINT_OK);

    const RandomCounter random(5, 5);
    uint64_t draw = 0;
    sessions_.offsets.push_back(0);
    for (uint32_t s = 0; s < 120; ++s) {
      const uint64_t length = random.Bits(draw++) % 7;  // also empty and single
      for (uint64_t i = 0; i < length; ++i) {
        sessions_.items.push_back(static_cast<uint32_t>(random.Bits(draw++) % kItems));
      }
      sessions_.offsets.push_back(sessions_.items.size());
      sessions_.order.push_back(s);
    }
  }

  // Ranks from the scores of the whole catalog.
  std::vector<double> RanksByHand(RankMode mode) const {
    std::vector<double> ranks;
    Session session;
    EXPECT_EQ(session.Create(model_, 1), STINT_OK);
    std::vector<float> scores(kItems);
    for (size_t s = 0; s < sessions_.size(); ++s) {
      EXPECT_EQ(session.Reset(), STINT_OK);
      for (size_t i = 0; i < sessions_[s].size(); ++i) {
        const uint32_t item = sessions_[s][i];
        if (i > 0 && item == kUnknownItem) {
          ranks.push_back(std::numeric_limits<double>::infinity());
        } else if (i > 0) {
          EXPECT_EQ(session.Scores(scores.data()), STINT_OK);
          uint32_t higher = 0;
          uint32_t equal = 0;
          for (uint32_t j = 0; j < kItems; ++j) {
            higher += scores[j] > scores[item];
            equal += j != item && scores[j] == scores[item];
          }
          ranks.push_back(Rank(mode, higher, equal));
        }
        if (item != kUnknownItem) {
          EXPECT_EQ(session.Observe(item), STINT_OK);
        }
      }
    }
    return ranks;
  }

  AlignedBytes bytes_;
  Model model_;
  Sessions sessions_;
};

void ExpectEqual(const Metrics& a, const Metrics& b) {
  EXPECT_EQ(a.targets, b.targets);
  EXPECT_EQ(a.cutoffs, b.cutoffs);
  EXPECT_EQ(a.recall, b.recall);  // bit for bit
  EXPECT_EQ(a.mrr, b.mrr);
}

TEST_F(EvaluateTest, EqualsRanksFromAllScoresForAnyNumberOfThreads) {
  double previous = 2;
  for (const RankMode mode : {RankMode::kStandard, RankMode::kMedian, RankMode::kConservative}) {
    EvaluateOptions options;
    options.cutoffs = {1, 3, 20};
    options.mode = mode;
    const Metrics expected = ComputeMetrics(RanksByHand(mode), options.cutoffs);
    EXPECT_EQ(expected.targets, sessions_.Targets());
    EXPECT_LT(expected.MrrAt(20), previous);  // the ties make the modes differ
    previous = expected.MrrAt(20);
    for (const size_t threads : {size_t{0}, size_t{1}, size_t{2}, size_t{3}, size_t{4}}) {
      options.threads = threads;
      ExpectEqual(Evaluate(model_.get(), sessions_, options), expected);
    }
  }
}

TEST_F(EvaluateTest, UnknownItemsAreSkippedAsInputsAndMissedAsTargets) {
  for (size_t i = 0; i < sessions_.items.size(); i += 3) sessions_.items[i] = kUnknownItem;
  EvaluateOptions options;
  options.cutoffs = {20, kItems};
  const Metrics expected = ComputeMetrics(RanksByHand(options.mode), options.cutoffs);
  ExpectEqual(Evaluate(model_.get(), sessions_, options), expected);
  EXPECT_EQ(expected.targets, sessions_.Targets());
  EXPECT_GT(expected.RecallAt(kItems), 0.5);
  EXPECT_LT(expected.RecallAt(kItems), 0.8);
}

TEST_F(EvaluateTest, ProgressComesToTheEndAndStopEnds) {
  EvaluateOptions options;
  options.threads = 1;
  uint64_t last = 0;
  options.progress = [&](uint64_t done, uint64_t total) {
    EXPECT_GT(done, last);
    EXPECT_EQ(total, sessions_.Targets());
    last = done;
  };
  Evaluate(model_.get(), sessions_, options);
  EXPECT_EQ(last, sessions_.Targets());
  last = 0;
  options.stop = [&] { return last >= 100; };
  const Metrics part = Evaluate(model_.get(), sessions_, options);
  EXPECT_EQ(part.targets, last);
  EXPECT_LT(part.targets, 110u);
}

TEST_F(EvaluateTest, WhatACallbackThrowsComesOut) {
  for (const size_t threads : {1, 3}) {
    EvaluateOptions options;
    options.threads = threads;
    bool called = false, caught = false;
    options.stop = [&]() -> bool {
      called = true;
      throw std::bad_alloc();
    };
    // The thread that is asked may find that the others have done it all.
    for (int i = 0; i < 100 && !called; ++i) {
      try {
        Evaluate(model_.get(), sessions_, options);
      } catch (const std::bad_alloc&) {
        caught = true;
      }
    }
    EXPECT_TRUE(called && caught) << threads;
  }
}

TEST_F(EvaluateTest, NoSessions) {
  EXPECT_EQ(Evaluate(model_.get(), Sessions(), EvaluateOptions()).targets, 0u);
}

TEST_F(EvaluateTest, ItemsOutOfRangeAreAnErrorNotACrash) {
  sessions_.items[5] = kItems;
  EXPECT_THROW(Evaluate(model_.get(), sessions_, EvaluateOptions()), std::runtime_error);
}

}  // namespace
}  // namespace stint
