// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The reference network's gradients are central differences of its loss, for every loss x final
// activation x embedding x GRU form x number of layers x hidden activation and for everything else
// that changes them. (Against golden tensors: trainer/golden_reference_test.cc.)
#include "tests/reference/network.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>

#include "tests/reference/grid.h"

namespace stint::reference {
namespace {

constexpr size_t kItems = 7;

// Weights, states and a mini-batch of three rows.
struct Problem {
  Settings settings;
  Weights weights;
  std::vector<Array> hidden;  // [layers] of [2, units]
  StepInput input;

  Problem(const NetworkShape& shape, const Recipe& recipe, std::mt19937_64* random)
      : settings(recipe.settings) {
    settings.batch_size = 5;  // more than the rows of a step: the loss is divided by this
    settings.counts = RandomCounts(kItems, random);
    weights = RandomWeights(shape, settings, random);
    std::uniform_real_distribution<double> uniform(-1, 1);
    for (const size_t units : shape.layers) {
      hidden.emplace_back(2, units);
      for (double& x : hidden.back().values) x = uniform(*random);
    }
    input = RandomStep(shape, recipe, 3, 2, 4, random);
  }
};

// Returns whether there was a gradient at all: ReLU may leave none. Adds to `kinks`.
bool ExpectCentralDifferences(Problem problem, size_t* kinks) {
  const auto loss = [&] {
    return Evaluate(problem.settings, problem.weights, problem.hidden, problem.input, nullptr).loss;
  };
  Weights gradient;
  Evaluate(problem.settings, problem.weights, problem.hidden, problem.input, &gradient);
  const auto arrays = problem.weights.Named(), slopes = gradient.Named();
  EXPECT_EQ(arrays.size(), slopes.size());
  bool flows = false;
  for (size_t a = 0; a < arrays.size(); ++a) {
    // The gradient of what is not learned is zero whatever it does to the loss.
    if (arrays[a].first == "item_scale" && !problem.settings.learn_item_scale) {
      EXPECT_EQ(slopes[a].second->values[0], 0);
      continue;
    }
    for (size_t i = 0; i < arrays[a].second->values.size(); ++i) {
      const double slope = slopes[a].second->values[i];
      double& w = arrays[a].second->values[i];
      const auto difference = [&](double step) {
        const double before = w;
        w = before + step;
        const double up = loss();
        w = before - step;
        const double down = loss();
        w = before;
        return (up - down) / (2 * step);
      };
      // Truncation ~ step^2 (more where a short row is normalized), rounding ~ 1e-16 / step: both
      // near 1e-10 here.
      const double bound = 1e-8 * (1 + std::abs(slope));
      if (std::abs(slope - difference(1e-5)) < bound) {
        flows |= slope != 0;
        continue;
      }
      // A kink of an activation may lie within the step: a shorter one, which rounds more.
      ++*kinks;
      EXPECT_NEAR(slope, difference(1e-8), 100 * bound) << arrays[a].first << " at " << i;
    }
  }
  return flows;
}

const std::vector<NetworkShape>& Shapes() {
  static const std::vector<NetworkShape> shapes = NetworkShapes(kItems, {{3}, {4, 3}}, 2);
  return shapes;
}

TEST(ReferenceNetworkTest, LossesByActivationsByNetworks) {
  std::mt19937_64 random(7);
  size_t all = 0, flowed = 0, kinks = 0;
  for (const NetworkShape& shape : Shapes()) {
    for (const Activation& hidden : HiddenActivations()) {
      for (Recipe recipe : LossRecipes()) {
        SCOPED_TRACE(recipe.name + ", " + Describe(shape) + ", hidden " + Name(hidden));
        recipe.settings.hidden_activation = hidden;
        ++all;
        flowed += ExpectCentralDifferences(Problem(shape, recipe, &random), &kinks);
        if (HasFailure()) return;
      }
    }
  }
  EXPECT_GE(flowed, all * 95 / 100);
  EXPECT_LE(kinks, 100u);  // of half a million slopes
}

TEST(ReferenceNetworkTest, OtherSettingsByNetworks) {
  std::mt19937_64 random(8);
  size_t kinks = 0;
  for (const NetworkShape& shape : Shapes()) {
    for (const Recipe& recipe : OtherRecipes()) {
      SCOPED_TRACE(recipe.name + ", " + Describe(shape));
      ASSERT_TRUE(ExpectCentralDifferences(Problem(shape, recipe, &random), &kinks));
      if (HasFailure()) return;
    }
  }
  EXPECT_LE(kinks, 20u);
}

double Norm(const Weights& weights) {
  double squares = 0;
  for (const auto& [name, array] : weights.Named()) {
    for (const double x : array->values) squares += x * x;
  }
  return std::sqrt(squares);
}

// Items that occur once: the norm is that of the whole gradient. One that occurs twice counts
// twice, not as the sum.
TEST(ReferenceNetworkTest, NormCountsOccurrences) {
  std::mt19937_64 random(9);
  for (const NetworkShape& shape : NetworkShapes(20, {{3}, {4, 3}}, 2)) {
    for (const bool normalize : {false, true}) {
      SCOPED_TRACE(Describe(shape));
      Settings settings;
      settings.normalize_items = normalize;
      settings.loss = Loss::kBpr;  // the columns of a row add up
      settings.final_activation = {ActivationKind::kLinear};
      settings.batch_size = 2;
      const Weights weights = RandomWeights(shape, settings, &random);
      StepInput input;
      input.inputs = {0, 1};
      input.targets = {2, 3};
      input.hidden_from = {-1, -1};
      input.negatives = {4, 5, 6};
      Weights gradient;
      const double norm = Evaluate(settings, weights, {}, input, &gradient).gradient_norm;
      EXPECT_NEAR(norm, Norm(gradient), 1e-14);
      // A negative twice: its row has twice the gradient, but 2 g^2 in the norm, not (2 g)^2.
      input.negatives = {4, 5, 6, 6};
      const double twice = Evaluate(settings, weights, {}, input, &gradient).gradient_norm;
      double row = gradient.item_bias(0, 6) * gradient.item_bias(0, 6);
      for (size_t c = 0; c < gradient.items.cols; ++c) {
        row += gradient.items(6, c) * gradient.items(6, c);
      }
      const double whole = Norm(gradient);
      EXPECT_NEAR(twice * twice, whole * whole - row / 2, 1e-13);
      EXPECT_GT(row, 1e-6);
    }
  }
}

// SGD at rate 1 moves every weight by its gradient times cap / norm.
TEST(ReferenceNetworkTest, ClippedStepsAreShorter) {
  std::mt19937_64 random(10);
  for (const NetworkShape& shape : Shapes()) {
    SCOPED_TRACE(Describe(shape));
    const Recipe recipe = OtherRecipes()[0];
    for (const double cap : {1e9, 0.125}) {
      Problem problem(shape, recipe, &random);
      problem.settings.optimizer = Optimizer::kSgd;
      problem.settings.learning_rate = 1;
      problem.settings.clip_norm = cap;
      problem.input.hidden_from = {-1, -1, -1};
      ReferenceNetwork network(problem.settings, problem.weights);
      const double norm = network.Step(problem.input).gradient_norm;
      ASSERT_GT(norm, 0.125);
      const double factor = cap > norm ? 1 : cap / norm;
      const auto before = problem.weights.Named(), after = network.weights.Named(),
                 gradient = network.gradient.Named();
      for (size_t a = 0; a < before.size(); ++a) {
        for (size_t i = 0; i < before[a].second->values.size(); ++i) {
          ASSERT_NEAR(after[a].second->values[i] - before[a].second->values[i],
                      -factor * gradient[a].second->values[i], 1e-14)
              << before[a].first;
        }
      }
    }
  }
}

// Rows that a step does not use keep weight, velocity and count of steps; one that it uses moves
// by its velocity even where its gradient is zero.
TEST(ReferenceNetworkTest, UnusedRowsRest) {
  std::mt19937_64 random(11);
  for (const NetworkShape& shape : Shapes()) {
    SCOPED_TRACE(Describe(shape));
    Recipe recipe = LossRecipes()[0];
    recipe.settings.optimizer = Optimizer::kAdam;
    recipe.settings.momentum = 0.5;
    Problem problem(shape, recipe, &random);
    ReferenceNetwork network(problem.settings, problem.weights);
    StepInput input;
    input.inputs = {0, 1};
    input.targets = {1, 2};
    input.hidden_from = {-1, -1};
    input.negatives = {3, 3};
    network.Step(input);
    input.inputs = {4};
    input.targets = {3};
    input.hidden_from = {0};
    input.negatives = {5};
    network.Step(input);
    const bool shared = shape.embedding == Embedding::kShared;
    const std::vector<double> bias_steps = {0, 1, 1, 2, 0, 1, 0};
    EXPECT_EQ(network.steps.item_bias.values, bias_steps);
    const std::vector<double> row_steps =
        shared ? std::vector<double>{1, 1, 1, 2, 1, 1, 0} : bias_steps;
    for (size_t i = 0; i < kItems; ++i) {
      EXPECT_EQ(network.steps.items(i, 0), row_steps[i]) << i;
      EXPECT_EQ(network.weights.items(i, 0) != problem.weights.items(i, 0), row_steps[i] > 0);
      if (shared) continue;
      EXPECT_EQ(network.steps.inputs(i, 1), i == 0 || i == 1 || i == 4 ? 1 : 0);
    }
    EXPECT_EQ(network.steps.layers[0].hidden_weights(0, 0), 2);
  }
}

}  // namespace
}  // namespace stint::reference
