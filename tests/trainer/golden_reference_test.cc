// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The reference network proves itself before anything is judged by it: against the golden
// tensors (made by automatic differentiation in float64). Against central differences:
// reference/network_test.cc.
#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "tests/reference/activation.h"
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
    RunCase(ReadGoldenCase(path));
    if (HasFatalFailure()) return;
    ++ran;
  }
  EXPECT_GE(ran, 37u);  // all of the golden folder
}

// "loss.bpr-max.elu-0.5.s0.r0.7.m8" -> its parts; the activation's name has dots of its own.
struct LossKey {
  Settings settings;
  std::string rest;  // what follows "loss."

  explicit LossKey(const std::string& key) : rest(key.substr(key.find('.') + 1)) {
    const size_t m = rest.rfind(".m"), r = rest.rfind(".r", m), s = rest.rfind(".s", r);
    const size_t dot = rest.find('.');
    settings.loss = ParseLoss(rest.substr(0, dot));
    settings.final_activation = ParseFinalActivation(rest.substr(dot + 1, s - dot - 1));
    settings.label_smoothing = std::stod(rest.substr(s + 2, r - s - 2));
    settings.bpreg = std::stod(rest.substr(r + 2, m - r - 2));
  }
  std::string scores() const { return "scores" + rest.substr(rest.rfind(".m")); }
};

Array ToArray(const Tensor& tensor) {
  Array array(tensor.dim(0), tensor.dim(1));
  array.values = tensor.AsDouble();
  return array;
}

TEST(GoldenReferenceTest, UnitLosses) {
  STINT_REQUIRE_PATH(GoldenDir());
  const Safetensors file = ReadSafetensors(GoldenDir() + "/unit_losses.safetensors");
  std::set<Loss> losses;
  std::set<ActivationKind> activations;
  for (const auto& [name, tensor] : file.tensors) {
    if (!name.starts_with("loss.")) continue;
    const LossKey key(name);
    losses.insert(key.settings.loss);
    activations.insert(key.settings.final_activation.kind);
    Array gradient;
    const double loss = LossOfScores(key.settings, ToArray(file[key.scores()]), &gradient);
    ExpectNear({loss}, tensor.AsDouble(), false, name);
    ExpectNear(gradient.values, file["grad." + key.rest].AsDouble(), false, "grad." + key.rest);
  }
  EXPECT_EQ(losses.size(), 6u);
  EXPECT_EQ(activations.size(), 7u);
}

TEST(GoldenReferenceTest, UnitActivations) {
  STINT_REQUIRE_PATH(GoldenDir());
  const Safetensors file = ReadSafetensors(GoldenDir() + "/unit_losses.safetensors");
  size_t ran = 0;
  for (const auto& [name, tensor] : file.tensors) {
    if (!name.starts_with("act.") || name.starts_with("act.softmax")) continue;
    const Activation activation = ParseFinalActivation(name.substr(4));
    std::vector<double> values = file["scores.m8"].AsDouble();
    for (double& x : values) x = Activate(activation, x);
    ExpectNear(values, tensor.AsDouble(), false, name);
    ++ran;
  }
  EXPECT_EQ(ran, 7u);
}

// Tables of 6 x 3 over 6 steps: every element has a gradient, or five rows (some twice) do.
struct UnitOptimizer {
  Safetensors file = ReadSafetensors(GoldenDir() + "/unit_optim.safetensors");

  Settings SettingsOf(const std::string& algorithm, double momentum, double l2) const {
    Settings settings;
    settings.optimizer = algorithm == "sgd"        ? Optimizer::kSgd
                         : algorithm == "adagrad"  ? Optimizer::kAdagrad
                         : algorithm == "rmsprop"  ? Optimizer::kRmsprop
                         : algorithm == "adadelta" ? Optimizer::kAdadelta
                                                   : Optimizer::kAdam;
    const bool adadelta = settings.optimizer == Optimizer::kAdadelta;
    settings.learning_rate = file.Number(adadelta ? "lr_adadelta" : "lr");
    settings.rho = file.Number(adadelta ? "rho_adadelta" : "rho_rmsprop");
    settings.epsilon = file.Number("eps");
    settings.beta1 = file.Number("beta1");
    settings.beta2 = file.Number("beta2");
    settings.momentum = momentum;
    settings.l2 = l2;
    return settings;
  }

  Array Run(const Settings& settings, bool sparse) const {
    Array w = ToArray(file["w0"]);
    const size_t n = w.values.size();
    const std::vector<double> dense = file["g_dense"].AsDouble();      // [steps, 6, 3]
    const std::vector<double> occurrences = file["g_occ"].AsDouble();  // [steps, 5, 3]
    const std::vector<int32_t> index = file["idx"].AsInt32();          // [steps, 5]
    const size_t steps = file["idx"].dim(0), per_step = file["idx"].dim(1);
    std::vector<double> first(n), second(n), velocity(n), count(n);
    for (size_t t = 0; t < steps; ++t) {
      std::vector<double> gradient(n);
      std::set<size_t> touched;
      for (size_t i = 0; sparse && i < per_step; ++i) {
        const auto row = static_cast<size_t>(index[t * per_step + i]);
        touched.insert(row);
        for (size_t c = 0; c < w.cols; ++c) {
          gradient[row * w.cols + c] += occurrences[(t * per_step + i) * w.cols + c];
        }
      }
      for (size_t i = 0; i < n; ++i) {
        if (sparse && touched.count(i / w.cols) == 0) continue;
        UpdateWeight(settings, sparse ? gradient[i] : dense[t * n + i],
                     {&first[i], &second[i], &velocity[i], &count[i]}, &w.values[i]);
      }
    }
    return w;
  }
};

TEST(GoldenReferenceTest, UnitOptimizers) {
  STINT_REQUIRE_PATH(GoldenDir());
  const UnitOptimizer unit;
  for (const std::string algorithm : {"sgd", "adagrad", "rmsprop", "adadelta", "adam"}) {
    for (const std::string momentum : {"0.0", "0.4"}) {
      for (const std::string l2 : {"0.0", "0.01"}) {
        const Settings settings = unit.SettingsOf(algorithm, std::stod(momentum), std::stod(l2));
        for (const bool sparse : {false, true}) {
          const std::string key = std::string(sparse ? "sparse." : "dense.") + algorithm + ".mom" +
                                  momentum + ".l2" + l2;
          ExpectNear(unit.Run(settings, sparse).values, unit.file[key].AsDouble(), false, key);
        }
      }
    }
  }
}

// What has no golden vector, at the sums by hand.
TEST(GoldenReferenceTest, OtherMomentumAndEpsilon) {
  const auto two_steps = [](const Settings& settings) {
    double first = 0, second = 0, velocity = 0, steps = 0, w = 1;
    for (const double g : {3.0, -4.0}) {
      UpdateWeight(settings, g, {&first, &second, &velocity, &steps}, &w);
    }
    return w;
  };
  Settings settings;
  settings.optimizer = Optimizer::kSgd;
  settings.learning_rate = 0.1;
  settings.momentum = 0.25;
  settings.momentum_form = MomentumForm::kMean;
  EXPECT_NEAR(two_steps(settings), 1 - 0.225 + (-0.225 * 0.25 + 0.3), 1e-15);
  settings.momentum_form = MomentumForm::kNesterov;
  EXPECT_NEAR(two_steps(settings), 1 - (0.075 + 0.3) + (0.25 * (-0.075 + 0.4) + 0.4), 1e-15);
  settings.momentum = 0;
  settings.momentum_form = MomentumForm::kClassical;
  settings.optimizer = Optimizer::kAdagrad;
  settings.epsilon = 0.5;
  settings.epsilon_place = EpsilonPlace::kOutside;
  EXPECT_NEAR(two_steps(settings), 1 - 0.1 * 3 / 3.5 + 0.1 * 4 / 5.5, 1e-15);
}

// Every gradient times cap / norm, the norm over dense gradients and over each occurrence of a
// row on its own. (That a step's norm is such a one: reference/network_test.cc.)
TEST(GoldenReferenceTest, UnitClipping) {
  STINT_REQUIRE_PATH(GoldenDir());
  const Safetensors file = ReadSafetensors(GoldenDir() + "/unit_optim.safetensors");
  Settings settings;
  settings.clip_norm = file.Number("cap");
  const double norm = file["cap.norm"].AsDouble()[0];
  double squares = 0;
  for (const std::string name : {"g_dense", "g_occ"}) {
    const std::vector<double> clipped = file["cap." + name].AsDouble();
    std::vector<double> gradient = file[name].AsDouble();  // the first step's come first
    gradient.resize(clipped.size());
    for (double& g : gradient) {
      squares += g * g;
      g *= ClipFactor(settings, norm);
    }
    ExpectNear(gradient, clipped, false, name);
  }
  EXPECT_NEAR(std::sqrt(squares), norm, 1e-12);
  EXPECT_EQ(ClipFactor(settings, 0.999), 1.0);
  EXPECT_EQ(ClipFactor(settings, 2.0), 0.5);
  settings.clip_norm = 0;
  EXPECT_EQ(ClipFactor(settings, 2.0), 1.0);
}

}  // namespace
}  // namespace stint::reference
