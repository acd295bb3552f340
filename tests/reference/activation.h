// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The activation functions of one value and their slopes, in float64.
#ifndef STINT_TESTS_REFERENCE_ACTIVATION_H_
#define STINT_TESTS_REFERENCE_ACTIVATION_H_

#include <cmath>
#include <stdexcept>

#include "trainer/activation.h"

namespace stint::reference {

inline double Sigmoid(double x) {
  // The exponent is never positive, so neither branch overflows.
  if (x >= 0) return 1 / (1 + std::exp(-x));
  const double e = std::exp(x);
  return e / (1 + e);
}

// f(x); softmax is not a function of one value.
inline double Activate(const Activation& f, double x) {
  switch (f.kind) {
    case ActivationKind::kLinear:
      return x;
    case ActivationKind::kTanh:
      return std::tanh(x);
    case ActivationKind::kRelu:
      return x >= 0 ? x : 0;
    case ActivationKind::kLeakyRelu:
      return x >= 0 ? x : f.alpha * x;
    case ActivationKind::kElu:
      return x >= 0 ? x : f.alpha * std::expm1(x);
    case ActivationKind::kSelu:
      return f.scale * (x >= 0 ? x : f.alpha * std::expm1(x));
    case ActivationKind::kSoftmax:
      break;
  }
  throw std::invalid_argument("softmax is not a function of one value");
}

// f'(x); at a kink the slope from the right.
inline double Slope(const Activation& f, double x) {
  switch (f.kind) {
    case ActivationKind::kLinear:
      return 1;
    case ActivationKind::kTanh:
      return 1 - std::tanh(x) * std::tanh(x);
    case ActivationKind::kRelu:
      return x >= 0 ? 1 : 0;
    case ActivationKind::kLeakyRelu:
      return x >= 0 ? 1 : f.alpha;
    case ActivationKind::kElu:
      return x >= 0 ? 1 : f.alpha * std::exp(x);
    case ActivationKind::kSelu:
      return f.scale * (x >= 0 ? 1 : f.alpha * std::exp(x));
    case ActivationKind::kSoftmax:
      break;
  }
  throw std::invalid_argument("softmax is not a function of one value");
}

}  // namespace stint::reference

#endif  // STINT_TESTS_REFERENCE_ACTIVATION_H_
