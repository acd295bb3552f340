// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// A trained network in files of every kind of item rows: how much of the recall and of the answers
// is left, and what the runtime makes of the rarer pairs of kinds.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/reference/model_bridge.h"
#include "tests/reference/synthetic_log.h"
#include "tests/runtime/scalar_model.h"
#include "tests/runtime/test_model.h"
#include "trainer/evaluate.h"
#include "trainer/train.h"

namespace stint {
namespace {

// The top 20 after each event of the sessions.
std::vector<std::vector<uint32_t>> Answers(const stint_model* model, const Sessions& sessions) {
  const SessionPointer session = NewSession(model, 20);
  std::vector<std::vector<uint32_t>> answers;
  std::vector<stint_recommendation> top(20);
  for (size_t s = 0; s < sessions.size(); ++s) {
    EXPECT_EQ(stint_session_reset(session.get()), STINT_OK);
    for (const uint32_t item : sessions[s]) {
      size_t count = 0;
      EXPECT_EQ(stint_observe(session.get(), item), STINT_OK);
      EXPECT_EQ(stint_recommend(session.get(), 20, nullptr, top.data(), &count), STINT_OK);
      std::vector<uint32_t> items;
      for (size_t i = 0; i < count; ++i) items.push_back(top[i].item);
      std::sort(items.begin(), items.end());
      answers.push_back(items);
    }
  }
  return answers;
}

double Overlap(const std::vector<std::vector<uint32_t>>& a,
               const std::vector<std::vector<uint32_t>>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    std::vector<uint32_t> both;
    std::set_intersection(a[i].begin(), a[i].end(), b[i].begin(), b[i].end(),
                          std::back_inserter(both));
    sum += static_cast<double>(both.size()) / static_cast<double>(a[i].size());
  }
  return sum / static_cast<double>(a.size());
}

TEST(ItemKinds, RecallAndAnswersOfATrainedNetwork) {
  const Dataset data =
      MakeDataset(reference::MakeSyntheticLog({.sessions = 1500, .items = 400}), 300);
  Options options;
  options.layers = {48};
  options.negatives = 128;
  options.epochs = 6;
  options.threads = 1;
  const TrainResult result = Train(options, data.catalog, data.train, {});
  const reference::OpenModel f32(result.parameters, data.catalog, DType::kF32);
  const double recall = Evaluate(f32.get(), data.validation, {}).RecallAt(20);
  const auto answers = Answers(f32.get(), data.validation);
  EXPECT_GT(recall, 0.5);  // it has learned: chance is 0.05
  // int8 errors are 0.4 % of a weight's spread, bf16's 0.1 % over layers of int8, so that few items
  // at the end of a list change places; int4's are 10 %, of scores averaged over 48 columns.
  struct Case {
    DType dtype;
    double lost;     // of the recall, at most
    double overlap;  // with the answers of f32, at least
  };
  for (const Case& c : {Case{DType::kInt8, 0.005, 0.97}, Case{DType::kBf16, 0.005, 0.97},
                        Case{DType::kInt4, 0.03, 0.85}}) {
    const reference::OpenModel model(result.parameters, data.catalog, c.dtype);
    const double found = Evaluate(model.get(), data.validation, {}).RecallAt(20);
    const double overlap = Overlap(answers, Answers(model.get(), data.validation));
    std::printf("%s: recall %.4f of %.4f, overlap %.4f\n", Name(c.dtype), found, recall, overlap);
    EXPECT_NEAR(found, recall, c.lost * recall) << Name(c.dtype);
    EXPECT_GE(overlap, c.overlap) << Name(c.dtype);
    EXPECT_LT(overlap, 1) << Name(c.dtype) << ": rounded to nothing?";
  }
}

// Layers of floats under rows of bf16 or int4, whose rows go into the first layer as floats.
TEST(ItemKinds, FloatLayers) {
  for (const DType dtype : {DType::kBf16, DType::kInt4}) {
    SCOPED_TRACE(Name(dtype));
    const Parameters parameters = RandomParameters(130, {13, 22}, GruForm::kResetBefore, 5);
    const Catalog catalog = NumberCatalog(130);
    ExportInput input;
    input.parameters = &parameters;
    input.catalog = &catalog;
    input.dtype = dtype;
    input.f32_layers = true;
    const AlignedBytes bytes = BuildModel(input);
    const ModelPointer model = OpenModel(bytes);
    stint_model_info info;
    ASSERT_EQ(stint_model_describe(model.get(), &info), STINT_OK);
    EXPECT_STREQ(info.dtype, Name(dtype));
    EXPECT_STREQ(info.layer_dtype, "f32");
    ForEachTarget([&] {
      ScalarModel scalar(parameters, dtype, {ActivationKind::kTanh}, /*f32_layers=*/true);
      const SessionPointer session = NewSession(model.get(), 1);
      std::vector<float> scores(130);
      for (const uint32_t item : {5u, 129u, 64u, 5u, 0u}) {
        scalar.Step(item);
        ASSERT_EQ(stint_observe(session.get(), item), STINT_OK);
        ASSERT_EQ(stint_scores(session.get(), scores.data()), STINT_OK);
        const std::vector<float> expected = scalar.Scores();
        for (size_t i = 0; i < 130; ++i) {
          ASSERT_EQ(FloatBits(scores[i]), FloatBits(expected[i])) << i;
        }
      }
    });
  }
  ExportInput input;
  const Parameters parameters = RandomParameters(7, {4}, GruForm::kResetAfter, 5);
  const Catalog catalog = NumberCatalog(7);
  input.parameters = &parameters;
  input.catalog = &catalog;
  input.f32_layers = true;
  EXPECT_THROW(BuildModel(input), std::runtime_error);  // int8 rows are the layers' dtype
}

}  // namespace
}  // namespace stint
