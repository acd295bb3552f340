// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The golden models, exported and ranked by the runtime, against the recall and MRR of the golden
// folder; and exact ties against the float64 reference.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>

#include "tests/reference/folders.h"
#include "tests/reference/golden_case.h"
#include "tests/reference/model_bridge.h"
#include "tests/reference/trainer_bridge.h"
#include "trainer/evaluate.h"
#include "trainer/events.h"
#include "trainer/sessions.h"

namespace stint::reference {
namespace {

// Scores in float32 differ from float64 by about 1e-6; two that are nearer than this could swap.
constexpr double kSafeGap = 3e-6;

constexpr RankMode kModes[] = {RankMode::kStandard, RankMode::kConservative, RankMode::kMedian};

// The golden click logs.
struct Logs {
  Catalog catalog;
  Sessions test;
};

Logs ReadLogs() {
  Logs logs;
  logs.catalog = MakeDataset(ReadEvents(GoldenDir() + "/train.tsv", {}), 0).catalog;
  uint64_t unknown = 0;
  logs.test = MapSessions(ReadEvents(GoldenDir() + "/test.tsv", {}), logs.catalog, &unknown);
  EXPECT_GT(unknown, 0u);  // 77 and 88
  return logs;
}

void ExpectMetrics(const Metrics& metrics, const Tensor& expected, const std::string& what) {
  const std::vector<double> values = expected.AsDouble();  // [cutoffs, (recall, mrr)]
  ASSERT_EQ(values.size(), 2 * metrics.cutoffs.size()) << what;
  for (size_t c = 0; c < metrics.cutoffs.size(); ++c) {
    EXPECT_NEAR(metrics.recall[c], values[2 * c], 1e-12) << what << " @" << metrics.cutoffs[c];
    EXPECT_NEAR(metrics.mrr[c], values[2 * c + 1], 1e-12) << what << " @" << metrics.cutoffs[c];
  }
}

// Recall and MRR of the reference network over the test log; `gap` becomes the smallest distance
// of a score from the target's that is not 0.
Metrics ReferenceMetrics(const Weights& weights, const Sessions& test, RankMode mode, double* gap) {
  *gap = INFINITY;
  std::vector<double> ranks;
  for (size_t s = 0; s < test.size(); ++s) {
    std::vector<Array> hidden;
    for (const size_t units : UnitsOf(weights)) hidden.emplace_back(1, units);
    for (size_t e = 0; e + 1 < test[s].size(); ++e) {
      hidden = Observe(weights, test[s][e], hidden);
      const Array scores = ScoreAll(weights, hidden.back());
      const uint32_t target = test[s][e + 1];
      size_t higher = 0, equal = 0;
      for (size_t i = 0; i < scores.cols; ++i) {
        higher += scores(0, i) > scores(0, target);
        equal += i != target && scores(0, i) == scores(0, target);
        const double distance = std::abs(scores(0, i) - scores(0, target));
        if (distance > 0) *gap = std::min(*gap, distance);
      }
      const double h = static_cast<double>(higher), q = static_cast<double>(equal);
      ranks.push_back(mode == RankMode::kStandard       ? 1 + h
                      : mode == RankMode::kConservative ? 1 + h + q
                                                        : 1 + h + q / 2);
    }
  }
  Metrics metrics;
  for (const uint32_t k : {1, 5, 20}) {
    double hits = 0, reciprocal = 0;
    for (const double rank : ranks) {
      hits += rank <= k;
      reciprocal += rank <= k ? 1 / rank : 0;
    }
    metrics.cutoffs.push_back(k);
    metrics.recall.push_back(hits / static_cast<double>(ranks.size()));
    metrics.mrr.push_back(reciprocal / static_cast<double>(ranks.size()));
  }
  metrics.targets = ranks.size();
  return metrics;
}

// Rows `from` of the items and their biases become rows `to`.
void CopyItem(size_t from, size_t to, Weights* weights) {
  for (size_t c = 0; c < weights->items.cols; ++c) weights->items(to, c) = weights->items(from, c);
  weights->item_bias(0, to) = weights->item_bias(0, from);
}

// With `dup`, the items 10 to 19 have been given the rows of 20 to 29, so that they tie.
void RunCase(const std::string& path, const Safetensors& eval, const Logs& logs, bool dup) {
  const std::string name = Stem(path);
  Weights weights = ReadGoldenCase(path).ReadWeights("w20");
  for (size_t i = 0; dup && i < 10; ++i) CopyItem(20 + i, 10 + i, &weights);
  const OpenModel model(ToParameters(weights), logs.catalog, DType::kF32);
  for (const RankMode mode : kModes) {
    const std::string key = name + (dup ? "/dup." : "/") + Name(mode);
    double gap = 0;
    ExpectMetrics(ReferenceMetrics(weights, logs.test, mode, &gap), eval[key], key + ", reference");
    if (!dup) {
      EXPECT_NEAR(gap, eval[name + "/min_gap"].AsDouble()[0], 1e-7);
    }
    ASSERT_GT(gap, kSafeGap) << key;
    for (const size_t threads : {1, 3}) {
      EvaluateOptions options;
      options.cutoffs = {1, 5, 20};
      options.mode = mode;
      options.threads = threads;
      const Metrics metrics = Evaluate(model.get(), logs.test, options);
      EXPECT_EQ(metrics.targets, static_cast<uint64_t>(eval[name + "/n_events"].AsInt64()[0]));
      ExpectMetrics(metrics, eval[key], key);
    }
  }
}

TEST(GoldenEvalTest, TheRuntimeRanksAsTheGoldenFolderSays) {
  STINT_REQUIRE_PATH(GoldenDir());
  const Safetensors eval = ReadSafetensors(GoldenDir() + "/eval.safetensors");
  const Logs logs = ReadLogs();
  size_t ran = 0, tied = 0;
  for (const std::string& path : ListGoldenCases(GoldenDir())) {
    const std::string name = Stem(path);
    if (!eval.Has(name + "/standard")) continue;
    RunCase(path, eval, logs, false);
    ++ran;
    if (eval.Has(name + "/dup.standard")) {
      RunCase(path, eval, logs, true);
      ++tied;
    }
    std::printf("checked  %s\n", name.c_str());
  }
  EXPECT_GE(ran, 12u);  // four of each embedding
  EXPECT_GE(tied, 8u);  // those whose input rows are not the output's
}

// Equal rows have equal scores wherever they stand: in the middle of a panel, in the last,
// incomplete one, in float32 and in int8.
TEST(GoldenEvalTest, EqualRowsTieExactly) {
  STINT_REQUIRE_PATH(GoldenDir());
  const Logs logs = ReadLogs();
  size_t ran = 0, compared = 0;
  for (const std::string& path : ListGoldenCases(GoldenDir())) {
    ++ran;
    const GoldenCase golden = ReadGoldenCase(path);
    SCOPED_TRACE(golden.name);
    Weights weights = FromParameters(ToParameters(golden.ReadWeights("w20")));
    const size_t last = weights.items.rows - 1;
    for (size_t i = 0; i < 10; ++i) CopyItem(20 + i, 10 + i, &weights);
    CopyItem(3, last, &weights);
    const Parameters parameters = ToParameters(weights);
    const OpenModel f32(parameters, logs.catalog, DType::kF32);
    const OpenModel int8(parameters, logs.catalog, DType::kInt8);
    for (const OpenModel* model : {&f32, &int8}) {
      const OpenSession session = CreateSession(*model, 5);
      std::vector<float> scores(weights.items.rows);
      for (const uint32_t item : {4u, 11u, 49u, 7u}) {
        ASSERT_EQ(stint_observe(session.get(), item), STINT_OK);
        ASSERT_EQ(stint_scores(session.get(), scores.data()), STINT_OK);
        for (size_t i = 0; i < 10; ++i) EXPECT_EQ(scores[10 + i], scores[20 + i]) << i;
        EXPECT_EQ(scores[3], scores[last]);
      }
    }
    for (const RankMode mode : kModes) {
      EvaluateOptions options;
      options.cutoffs = {1, 5, 20};
      options.mode = mode;
      const Metrics actual = Evaluate(f32.get(), logs.test, options);
      double gap = 0;
      const Metrics expected = ReferenceMetrics(weights, logs.test, mode, &gap);
      if (gap < kSafeGap) continue;
      ++compared;
      ASSERT_EQ(actual.targets, expected.targets);
      for (size_t c = 0; c < 3; ++c) {
        EXPECT_NEAR(actual.recall[c], expected.recall[c], 1e-12) << Name(mode);
        EXPECT_NEAR(actual.mrr[c], expected.mrr[c], 1e-12) << Name(mode);
      }
    }
  }
  EXPECT_GE(ran, 37u);
  EXPECT_GE(compared, 3u * 8u);
}

}  // namespace
}  // namespace stint::reference
