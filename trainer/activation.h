// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// "elu-0.5" <-> an activation function with its parameters.
#ifndef STINT_TRAINER_ACTIVATION_H_
#define STINT_TRAINER_ACTIVATION_H_

#include <string>

#include "runtime/activation.h"

namespace stint {

struct Activation {
  ActivationKind kind = ActivationKind::kTanh;
  double alpha = 0.0;  // of elu, leaky and selu
  double scale = 1.0;  // of selu

  ActivationParams Params() const {
    return {kind, static_cast<float>(alpha), static_cast<float>(scale)};
  }
  friend bool operator==(const Activation&, const Activation&) = default;
};

// softmax, linear, relu, tanh, leaky-ALPHA, elu-ALPHA, selu-SCALE-ALPHA (names and order of the
// parameters as users of the papers' code know them). Without parameters: leaky is leaky-0.01, elu
// is elu-1, selu is selu-1.0507-1.67326. Throws std::invalid_argument that starts with `option`.
Activation ParseActivation(const std::string& option, const std::string& text);
// The shortest text that parses to the same activation, parameters always given.
std::string Name(const Activation& activation);

}  // namespace stint

#endif  // STINT_TRAINER_ACTIVATION_H_
