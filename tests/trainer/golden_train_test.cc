// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The trainer against every golden training case: losses, scores, gradients and weights after 1 and
// 20 steps, and the float32 run of the official PyTorch code.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <set>
#include <string>

#include "tests/reference/folders.h"
#include "tests/reference/golden_case.h"
#include "tests/reference/trainer_bridge.h"

namespace stint::reference {
namespace {

// README of the golden folder: what the official float32 run needs against float64.
struct Tolerance {
  double absolute, relative;
};
constexpr Tolerance kOneStep = {2e-6, 2e-6};
// BPR adds up over the columns what the other losses weigh: its gradients are 20 times theirs and
// round so, and Adagrad's first step multiplies an error in a small one by up to 100.
constexpr Tolerance kOneStepOfBpr = {1e-5, 2e-6};
constexpr Tolerance kTwentySteps = {5e-5, 1e-4};

void ExpectNear(const std::vector<double>& actual, const std::vector<double>& expected,
                const Tolerance& tolerance, const std::string& what) {
  ASSERT_EQ(actual.size(), expected.size()) << what;
  for (size_t i = 0; i < actual.size(); ++i) {
    ASSERT_NEAR(actual[i], expected[i],
                tolerance.absolute + tolerance.relative * std::abs(expected[i]))
        << what << " at " << i;
  }
}

void ExpectNear(const Parameters& actual, const GoldenCase& golden, const std::string& prefix,
                const Tolerance& tolerance) {
  const Weights weights = FromParameters(actual), expected = golden.ReadWeights(prefix);
  const auto names = weights.Named(), others = expected.Named();
  for (size_t a = 0; a < names.size(); ++a) {
    ExpectNear(names[a].second->values, others[a].second->values, tolerance,
               golden.name + " " + prefix + " " + names[a].first);
  }
}

// After the first step the accumulators are the squared gradients; their signs show in w1.
void ExpectGradient(const Parameters& accumulators, const GoldenCase& golden) {
  const Weights squares = FromParameters(accumulators), expected = golden.ReadWeights("grad1");
  const auto names = squares.Named(), others = expected.Named();
  for (size_t a = 0; a < names.size(); ++a) {
    std::vector<double> actual = names[a].second->values, sizes = others[a].second->values;
    for (double& x : actual) x = std::sqrt(x);
    for (double& x : sizes) x = std::abs(x);
    ExpectNear(actual, sizes, kOneStep, golden.name + " |grad1| " + names[a].first);
  }
}

void RunCase(const GoldenCase& golden) {
  const Weights init = golden.ReadWeights("init");
  const Options options = ToOptions(golden.settings, init, golden.steps[0].negatives.size(),
                                    golden.keep_embedding, golden.keep_hidden);
  Validate(options);
  const std::vector<uint32_t> counts = ToCounts(golden.settings);
  Network network(options, counts, ToParameters(init));
  std::vector<double> losses, scores, last;
  for (size_t t = 0; t < golden.steps.size(); ++t) {
    const StepOutput output = StepByStages(golden.steps[t], t, &network);
    losses.push_back(output.loss);
    scores.insert(scores.end(), output.scores.values.begin(), output.scores.values.end());
    if (t == 0) {
      ExpectNear(losses, {golden.file["loss"].AsDouble()[0]}, kOneStep, golden.name + " loss 0");
      ExpectNear(scores, golden.file["scores.0"].AsDouble(), kOneStep, golden.name + " scores.0");
      ExpectGradient(network.accumulators(), golden);
      if (golden.HasWeights("w1")) {
        ExpectNear(network.parameters(), golden, "w1",
                   options.loss == Loss::kBpr ? kOneStepOfBpr : kOneStep);
      }
      if (golden.HasWeights("acc1")) ExpectNear(network.accumulators(), golden, "acc1", kOneStep);
      if (golden.HasWeights("mom1")) ExpectNear(network.velocities(), golden, "mom1", kOneStep);
    }
    if (t + 1 < golden.steps.size()) continue;
    for (size_t m = 0; m < output.hidden[0].rows; ++m) {
      for (const Array& layer : output.hidden) {
        for (size_t u = 0; u < layer.cols; ++u) last.push_back(layer(m, u));
      }
    }
  }
  ExpectNear(losses, golden.file["loss"].AsDouble(), kTwentySteps, golden.name + " loss");
  ExpectNear(scores, golden.file["scores.flat"].AsDouble(), kTwentySteps,
             golden.name + " scores.flat");
  ExpectNear(last, golden.file["hidden.last"].AsDouble(), kTwentySteps,
             golden.name + " hidden.last");
  ExpectNear(network.parameters(), golden, "w20", kTwentySteps);
  if (golden.HasWeights("acc20")) ExpectNear(network.accumulators(), golden, "acc20", kTwentySteps);
  if (golden.HasWeights("mom20")) ExpectNear(network.velocities(), golden, "mom20", kTwentySteps);
  if (golden.HasWeights("official_f32.w20")) {
    ExpectNear(losses, golden.file["official_f32.loss"].AsDouble(), kTwentySteps,
               golden.name + " official loss");
    ExpectNear(network.parameters(), golden, "official_f32.w20", kTwentySteps);
  }
}

TEST(GoldenTrainTest, EveryCase) {
  STINT_REQUIRE_PATH(GoldenDir());
  size_t ran = 0;
  for (const std::string& path : ListGoldenCases(GoldenDir())) {
    RunCase(ReadGoldenCase(path));
    std::printf("%s  %s\n", HasFatalFailure() ? "FAILED " : "checked", Stem(path).c_str());
    if (HasFatalFailure()) return;
    ++ran;
  }
  EXPECT_GE(ran, 37u);  // all of the golden folder
}

// Step() is its stages, and nothing else.
TEST(GoldenTrainTest, StepIsItsStages) {
  STINT_REQUIRE_PATH(GoldenDir());
  const GoldenCase golden =
      ReadGoldenCase(GoldenDir() + "/torch_constrained_10-16_bprmax-elu0.5.safetensors");
  const Weights init = golden.ReadWeights("init");
  const Options options = ToOptions(golden.settings, init, 12, 0.5, 0.75);
  const std::vector<uint32_t> counts = ToCounts(golden.settings);
  Network whole(options, counts, ToParameters(init)), staged(options, counts, ToParameters(init));
  for (size_t t = 0; t < golden.steps.size(); ++t) {
    const double loss = whole.Step(ToMiniBatch(golden.steps[t]), golden.steps[t].negatives, t);
    EXPECT_EQ(loss, StepByStages(golden.steps[t], t, &staged).loss);
  }
  EXPECT_TRUE(SameBits(whole.parameters(), staged.parameters()));
  EXPECT_FALSE(SameBits(whole.parameters(), ToParameters(init)));
}

}  // namespace
}  // namespace stint::reference
