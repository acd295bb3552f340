// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Whole training steps of the trainer against the float64 reference at sizes the golden cases do
// not have: odd widths, one to three layers, more columns than a block, batches that shrink,
// items that are input, target and negative at once.
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <set>
#include <string>

#include "tests/reference/kernels.h"
#include "tests/reference/trainer_bridge.h"

namespace stint::reference {
namespace {

struct Shape {
  std::vector<size_t> units;
  size_t items, batch, negatives;
};

std::ostream& operator<<(std::ostream& out, const Shape& shape) {
  out << "units";
  for (const size_t u : shape.units) out << " " << u;
  return out << ", items " << shape.items << ", batch " << shape.batch << ", negatives "
             << shape.negatives;
}

std::vector<Settings> LossSettings() {
  Settings xe;
  Settings logq = xe;
  logq.logq = 0.8;
  logq.sample_alpha = 0.3;
  Settings linear = xe;
  linear.loss = Loss::kBprMax;
  linear.final_activation = {ActivationKind::kLinear};
  linear.bpreg = 0.7;
  Settings elu = linear;
  elu.final_activation = {ActivationKind::kElu, 0.5};
  return {xe, logq, linear, elu};
}

class Problem {
 public:
  Problem(const Shape& shape, GruForm form, Settings settings, bool dropout, uint64_t seed)
      : shape_(shape), random_(seed), dropout_(dropout) {
    settings.batch_size = shape.batch;
    settings.learning_rate = 0.1f;
    settings.momentum = 0.25;
    for (size_t i = 0; i < shape.items; ++i) {
      settings.counts.push_back(1.0 + static_cast<double>(random_() % 50));
    }
    settings_ = settings;
    weights_ = Weights(shape.items, shape.units, form);
    for (auto& [name, array] : weights_.Named()) {
      const double scale = 1.2 / std::sqrt(static_cast<double>(array->cols));
      std::uniform_real_distribution<double> uniform(-scale, scale);
      for (double& w : array->values) w = static_cast<float>(uniform(random_));
    }
  }

  // `previous`: rows of the step before, 0 for the first.
  StepInput NextStep(size_t previous, size_t rows) {
    StepInput input;
    const auto item = [&] {  // a few items come up very often
      return static_cast<uint32_t>(random_() % 3 == 0 ? random_() % 3 % shape_.items
                                                      : random_() % shape_.items);
    };
    for (size_t m = 0; m < rows; ++m) {
      input.inputs.push_back(item());
      input.targets.push_back(item());
      input.hidden_from.push_back(
          previous == 0 || random_() % 4 == 0 ? -1 : static_cast<int32_t>(random_() % previous));
    }
    for (size_t n = 0; n < shape_.negatives; ++n) input.negatives.push_back(item());
    if (!dropout_) return input;
    const auto mask = [&](size_t width) {
      Array m(shape_.batch, width);
      for (double& x : m.values) x = random_() % 4 == 0 ? 0.0 : 4.0 / 3.0;
      return m;
    };
    input.embedding_mask = mask(shape_.units.back());
    for (const size_t units : shape_.units) input.hidden_masks.push_back(mask(units));
    return input;
  }

  Options ToTrainerOptions() const {
    return ToOptions(settings_, weights_, shape_.negatives, dropout_ ? 0.75 : 1.0,
                     dropout_ ? 0.75 : 1.0);
  }
  const Settings& settings() const { return settings_; }
  const Weights& weights() const { return weights_; }

 private:
  Shape shape_;
  std::mt19937_64 random_;
  bool dropout_;
  Settings settings_;
  Weights weights_;
};

void ExpectNear(const Array& actual, const Array& expected, double tolerance,
                const std::string& what) {
  ASSERT_EQ(actual.values.size(), expected.values.size()) << what;
  for (size_t i = 0; i < actual.values.size(); ++i) {
    ASSERT_NEAR(actual.values[i], expected.values[i],
                tolerance * (1 + std::abs(expected.values[i])))
        << what << " at row " << i / actual.cols << " column " << i % actual.cols;
  }
}

// After a step from zero, accumulators are squares of gradients.
void ExpectSquares(const Weights& accumulators, const Weights& gradient, double tolerance) {
  const auto names = accumulators.Named(), others = gradient.Named();
  for (size_t a = 0; a < names.size(); ++a) {
    Array actual = *names[a].second, expected = *others[a].second;
    for (double& x : actual.values) x = std::sqrt(x);
    for (double& x : expected.values) x = std::abs(x);
    ExpectNear(actual, expected, tolerance, "|gradient| of " + names[a].first);
    if (::testing::Test::HasFatalFailure()) return;
  }
}

// Rows that do not occur in a step are not updated: biases of inputs alone neither.
void ExpectUntouched(const Network& network, const Weights& before, const StepInput& input) {
  const std::vector<uint32_t> columns = input.Columns();
  const std::set<uint32_t> scored(columns.begin(), columns.end());
  std::set<uint32_t> used = scored;
  used.insert(input.inputs.begin(), input.inputs.end());
  const Weights after = FromParameters(network.parameters());
  for (uint32_t i = 0; i < before.items.rows; ++i) {
    if (scored.count(i) == 0) {
      ASSERT_EQ(after.item_bias(0, i), before.item_bias(0, i)) << "item " << i;
    }
    for (size_t c = 0; used.count(i) == 0 && c < before.items.cols; ++c) {
      ASSERT_EQ(after.items(i, c), before.items(i, c)) << "item " << i;
    }
  }
}

void RunProblem(Problem* problem, const Shape& shape) {
  const std::vector<uint32_t> counts = ToCounts(problem->settings());
  Network network(problem->ToTrainerOptions(), counts, ToParameters(problem->weights()));
  ReferenceNetwork reference(problem->settings(), problem->weights());
  size_t previous = 0;
  for (size_t step = 0; step < 4; ++step) {
    SCOPED_TRACE("step " + std::to_string(step));
    // Full, full, smaller, one row (two where there are no negatives else).
    const size_t least = shape.negatives == 0 ? 2 : 1;
    const size_t rows =
        step < 2 ? shape.batch : std::max(least, step == 2 ? shape.batch * 2 / 3 : size_t{1});
    const StepInput input = problem->NextStep(previous, rows);
    previous = rows;
    const Weights before = FromParameters(network.parameters());
    const StepOutput actual = StepByStages(input, step, &network);
    const StepOutput expected = reference.Step(input);
    // One step rounds to 1e-6; every further step starts from what the one before left. Adagrad
    // turns a gradient of any size into a step of the learning rate, so differences grow.
    const double tolerance = step == 0 ? 3e-6 : 1e-4;
    ExpectNear(actual.scores, expected.scores, tolerance, "scores");
    for (size_t l = 0; l < actual.hidden.size(); ++l) {
      ExpectNear(actual.hidden[l], expected.hidden[l], tolerance, "hidden");
    }
    ASSERT_NEAR(actual.loss, expected.loss, tolerance * (1 + expected.loss));
    if (step == 0) {
      const Weights accumulators = FromParameters(network.accumulators());
      ExpectSquares(accumulators, reference.gradient, tolerance);
    }
    ExpectUntouched(network, before, input);
    if (::testing::Test::HasFatalFailure()) return;
  }
}

TEST(GradientTest, StepsAgreeWithFloat64) {
  const Shape shapes[] = {
      {{1}, 2, 1, 1},
      {{5}, 9, 3, 0},
      {{16}, 40, 16, 7},
      {{17}, 40, 17, 64},
      {{33, 7}, 50, 5, 200},
      {{7, 33}, 300, 32, 130},
      {{8, 3, 12}, 100, 20, 45},
      {{100}, 500, 32, 1100},
  };
  for (const Shape& shape : shapes) {
    for (const GruForm form : {GruForm::kResetAfter, GruForm::kResetBefore}) {
      size_t kind = 0;
      for (const Settings& settings : LossSettings()) {
        ++kind;
        for (const bool dropout : {false, true}) {
          SCOPED_TRACE(::testing::Message() << shape << ", " << Name(form) << ", loss kind " << kind
                                            << (dropout ? ", dropout" : ""));
          Problem problem(shape, form, settings, dropout, 100 * shape.items + kind);
          RunProblem(&problem, shape);
          if (HasFatalFailure()) return;
        }
      }
    }
  }
}

TEST(GradientTest, OnEverySimdTarget) {
  const Shape shape = {{19, 23}, 90, 18, 90};
  ForEachTarget([&](int64_t) {
    for (const GruForm form : {GruForm::kResetAfter, GruForm::kResetBefore}) {
      for (const Settings& settings : LossSettings()) {
        Problem problem(shape, form, settings, true, 5);
        RunProblem(&problem, shape);
        if (::testing::Test::HasFatalFailure()) return;
      }
    }
  });
}

}  // namespace
}  // namespace stint::reference
