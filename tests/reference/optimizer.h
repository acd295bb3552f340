// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Gradient of one weight -> its update, in float64 (ALGORITHM sections 8 and 9).
#ifndef STINT_TESTS_REFERENCE_OPTIMIZER_H_
#define STINT_TESTS_REFERENCE_OPTIMIZER_H_

#include "tests/reference/settings.h"

namespace stint::reference {

// What an optimizer keeps for a weight; zero at the start.
struct Slots {
  double* first;     // Adagrad: sum of squared gradients; RMSprop, Adadelta, Adam: their mean
  double* second;    // Adadelta: mean of squared directions; Adam: mean of gradients
  double* velocity;  // momentum
  double* steps;     // updates so far
};

// What all gradients are multiplied by when their norm is `norm`.
double ClipFactor(const Settings& settings, double norm);

// One update: slots and weight change.
//   direction d   sgd       g
//                 adagrad   g / sqrt(sum g^2 + eps), or g / (sqrt(sum g^2) + eps)
//                 rmsprop   a = rho a + (1 - rho) g^2; g / sqrt(a + eps)
//                 adadelta  a as above; k = (u + eps) / (a + eps); g sqrt(k);
//                           u = rho u + (1 - rho) k g^2
//                 adam      m, a: means of g, g^2; (m / (1 - beta1^t)) /
//                           (sqrt(a / (1 - beta2^t)) + eps)
//   step          d' = d + l2 w
//                 classical  v = mu v - rate d';               w += v (mu = 0: no momentum)
//                 mean       v = mu v + (1 - mu) d';           w -= rate v
//                 nesterov   v = mu v - rate d';               w += mu v - rate d'
void UpdateWeight(const Settings& settings, double gradient, const Slots& slots, double* weight);

}  // namespace stint::reference

#endif  // STINT_TESTS_REFERENCE_OPTIMIZER_H_
