// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The reference network proves itself before anything is judged by it: against the golden
// tensors (made by automatic differentiation in float64) and against central differences.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "tests/reference/folders.h"
#include "tests/reference/golden_case.h"
#include "tests/reference/network.h"

namespace stint::reference {
namespace {

// Both sides are float64 and only the order of sums differs; what the file holds as float32
// was rounded to nearest when it was written.
constexpr double kTolerance = 1e-12;
constexpr double kHalfUlpOfFloat = 0x1p-24;

void ExpectNear(const std::vector<double>& actual, const std::vector<double>& expected,
                bool rounded, const std::string& what) {
  ASSERT_EQ(actual.size(), expected.size()) << what;
  for (size_t i = 0; i < actual.size(); ++i) {
    const double bound =
        kTolerance + (kTolerance + (rounded ? kHalfUlpOfFloat : 0.0)) * std::abs(expected[i]);
    ASSERT_NEAR(actual[i], expected[i], bound) << what << " at " << i;
  }
}

void ExpectNear(const Weights& actual, const GoldenCase& golden, const std::string& prefix) {
  const Weights expected = golden.ReadWeights(prefix);
  const auto names = actual.Named(), others = expected.Named();
  ASSERT_EQ(names.size(), others.size());
  for (size_t a = 0; a < names.size(); ++a) {
    ExpectNear(names[a].second->values, others[a].second->values, golden.IsRounded(prefix),
               golden.name + " " + prefix + " " + names[a].first);
  }
}

void RunCase(const GoldenCase& golden) {
  ReferenceNetwork network(golden.settings, golden.ReadWeights("init"));
  const std::vector<double> losses = golden.file["loss"].AsDouble();
  ASSERT_EQ(losses.size(), golden.steps.size());
  std::vector<double> scores;
  for (size_t t = 0; t < golden.steps.size(); ++t) {
    const StepOutput output = network.Step(golden.steps[t]);
    ExpectNear({output.loss}, {losses[t]}, false, golden.name + " loss");
    scores.insert(scores.end(), output.scores.values.begin(), output.scores.values.end());
    if (t != 0) continue;
    ExpectNear(output.scores.values, golden.file["scores.0"].AsDouble(), false,
               golden.name + " scores.0");
    ExpectNear(network.gradient, golden, "grad1");
    if (golden.HasWeights("w1")) ExpectNear(network.weights, golden, "w1");
    if (golden.HasWeights("acc1")) ExpectNear(network.accumulators, golden, "acc1");
    if (golden.HasWeights("mom1")) ExpectNear(network.velocities, golden, "mom1");
  }
  ExpectNear(scores, golden.file["scores.flat"].AsDouble(), true, golden.name + " scores.flat");
  ExpectNear(network.weights, golden, "w20");
  if (golden.HasWeights("acc20")) ExpectNear(network.accumulators, golden, "acc20");
  if (golden.HasWeights("mom20")) ExpectNear(network.velocities, golden, "mom20");
  std::vector<double> last;  // [rows, all layers side by side]
  for (size_t m = 0; m < network.hidden[0].rows; ++m) {
    for (const Array& layer : network.hidden) {
      for (size_t u = 0; u < layer.cols; ++u) last.push_back(layer(m, u));
    }
  }
  ExpectNear(last, golden.file["hidden.last"].AsDouble(), false, golden.name + " hidden.last");
}

TEST(GoldenReferenceTest, EveryCaseAgreesToFloat64) {
  STINT_REQUIRE_PATH(GoldenDir());
  size_t ran = 0;
  for (const std::string& path : ListGoldenCases(GoldenDir())) {
    if (!MissingFeature(ReadSafetensors(path)).empty()) continue;
    RunCase(ReadGoldenCase(path));
    if (HasFatalFailure()) return;
    ++ran;
  }
  EXPECT_GE(ran, 11u);  // constrained cases with cross-entropy or BPR-max in the first delivery
}

// ---- Central differences ------------------------------------------------------------------

struct Recipe {
  std::string name;
  Settings settings;
};

std::vector<Recipe> LossRecipes() {
  Settings settings;
  settings.batch_size = 5;  // more than the rows of a step: the loss is divided by this
  settings.counts = {3, 9, 1, 4, 7, 2, 5};
  std::vector<Recipe> recipes;
  recipes.push_back({"cross-entropy", settings});
  settings.logq = 0.8;
  settings.sample_alpha = 0.3;
  recipes.push_back({"cross-entropy logq", settings});
  settings.logq = 0;
  settings.loss = Loss::kBprMax;
  settings.bpreg = 0.7;
  settings.final_activation = {ActivationKind::kLinear};
  recipes.push_back({"bpr-max linear", settings});
  for (const double alpha : {0.5, 1.0}) {
    settings.final_activation = {ActivationKind::kElu, alpha};
    recipes.push_back({"bpr-max elu " + std::to_string(alpha), settings});
  }
  return recipes;
}

TEST(GoldenReferenceTest, GradientsAreCentralDifferences) {
  std::mt19937_64 random(7);
  std::uniform_real_distribution<double> uniform(-1, 1);
  for (const Recipe& recipe : LossRecipes()) {
    for (const GruForm form : {GruForm::kResetAfter, GruForm::kResetBefore}) {
      for (const std::vector<size_t>& units : {std::vector<size_t>{3}, std::vector<size_t>{4, 3}}) {
        for (const bool dropout : {false, true}) {
          SCOPED_TRACE(recipe.name + ", " + Name(form) + ", layers " +
                       std::to_string(units.size()) + ", dropout " + std::to_string(dropout));
          Weights weights(7, units, form);
          for (auto& [name, array] : weights.Named()) {
            for (double& w : array->values) w = uniform(random);
          }
          std::vector<Array> hidden;
          for (const size_t h : units) {
            hidden.emplace_back(2, h);
            for (double& x : hidden.back().values) x = uniform(random);
          }
          StepInput input;  // items repeat as inputs, targets and negatives
          input.inputs = {1, 4, 1};
          input.targets = {4, 2, 0};
          input.hidden_from = {1, -1, 0};
          input.negatives = {2, 6, 6, 1};
          if (dropout) {
            const auto mask = [&](size_t width) {
              Array m(3, width);
              for (double& x : m.values) x = uniform(random) < 0 ? 0 : 2;
              return m;
            };
            input.embedding_mask = mask(3);
            for (const size_t h : units) input.hidden_masks.push_back(mask(h));
          }
          Weights gradient(7, units, form);
          Evaluate(recipe.settings, weights, hidden, input, &gradient);
          const auto arrays = weights.Named(), slopes = gradient.Named();
          for (size_t a = 0; a < arrays.size(); ++a) {
            for (size_t i = 0; i < arrays[a].second->values.size(); ++i) {
              // Truncation ~ step^2, rounding ~ 1e-16 / step: both near 1e-10 here.
              const double step = 1e-5;
              double& w = arrays[a].second->values[i];
              const double before = w;
              w = before + step;
              const double up = Evaluate(recipe.settings, weights, hidden, input, nullptr).loss;
              w = before - step;
              const double down = Evaluate(recipe.settings, weights, hidden, input, nullptr).loss;
              w = before;
              ASSERT_NEAR(slopes[a].second->values[i], (up - down) / (2 * step), 2e-9)
                  << arrays[a].first << " at " << i;
            }
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace stint::reference
