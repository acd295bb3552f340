// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

#include "tests/reference/optimizer.h"

#include <cmath>

namespace stint::reference {
namespace {

double Direction(const Settings& settings, double g, const Slots& slots) {
  const double eps = settings.epsilon;
  double& a = *slots.first;
  const auto mean = [](double decay, double old, double x) {
    return decay * old + (1 - decay) * x;
  };
  switch (settings.optimizer) {
    case Optimizer::kSgd:
      return g;
    case Optimizer::kAdagrad:
      a += g * g;
      return settings.epsilon_place == EpsilonPlace::kInside ? g / std::sqrt(a + eps)
                                                             : g / (std::sqrt(a) + eps);
    case Optimizer::kRmsprop:
      a = mean(settings.rho, a, g * g);
      return g / std::sqrt(a + eps);
    case Optimizer::kAdadelta: {
      a = mean(settings.rho, a, g * g);
      const double k = (*slots.second + eps) / (a + eps);
      *slots.second = mean(settings.rho, *slots.second, k * g * g);
      return g * std::sqrt(k);
    }
    case Optimizer::kAdam: {
      const double t = *slots.steps + 1;
      a = mean(settings.beta2, a, g * g);
      *slots.second = mean(settings.beta1, *slots.second, g);
      return *slots.second / (1 - std::pow(settings.beta1, t)) /
             (std::sqrt(a / (1 - std::pow(settings.beta2, t))) + eps);
    }
  }
  return NAN;
}

}  // namespace

double ClipFactor(const Settings& settings, double norm) {
  return settings.clip_norm > 0 && norm >= settings.clip_norm ? settings.clip_norm / norm : 1.0;
}

void UpdateWeight(const Settings& settings, double gradient, const Slots& slots, double* weight) {
  const double direction = Direction(settings, gradient, slots) + settings.l2 * *weight;
  *slots.steps += 1;
  const double step = -settings.learning_rate * direction, mu = settings.momentum;
  double& v = *slots.velocity;
  switch (settings.momentum_form) {
    case MomentumForm::kClassical:
      v = mu * v + step;
      *weight += v;
      break;
    case MomentumForm::kMean:
      v = mu * v + (1 - mu) * direction;
      *weight -= settings.learning_rate * v;
      break;
    case MomentumForm::kNesterov:
      v = mu * v + step;
      *weight += mu * v + step;
      break;
  }
}

}  // namespace stint::reference
