// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Gradients -> updated parameters, dense or on the touched rows of a table alone (ALGORITHM
// section 9). g is the sum of an element's gradients, times gradient_scale; its direction d by
// optimizer (a: `first`, b: `second`, all start at 0):
//
//   sgd       d = g
//   adagrad   a += g^2;  d = g / sqrt(a + epsilon) or, epsilon outside, g / (sqrt(a) + epsilon)
//             (Duchi et al., JMLR 2011)
//   rmsprop   a = rho a + (1 - rho) g^2;  d = g / sqrt(a + epsilon)
//   adadelta  a likewise, k = (b + epsilon) / (a + epsilon), b = rho b + (1 - rho) k g^2;
//             d = g sqrt(k)  (arXiv 1212.5701); the learning rate is used as given, 1 is its own
//   adam      b = beta1 b + (1 - beta1) g, a = beta2 a + (1 - beta2) g^2;  at update t of the row
//             d = b / (1 - beta1^t) / (sqrt(a / (1 - beta2^t)) + epsilon)  (arXiv 1412.6980)
//
// With e = d + l2 w (l2 stays out of the adaptive scale), by momentum form:
//
//   none       w -= rate e
//   classical  v = momentum v - rate e;  w += v
//   mean       v = momentum v + (1 - momentum) e;  w -= rate v
//   nesterov   v = momentum v - rate e;  w += momentum v - rate e
//
// A table row that occurs several times in a mini-batch is updated once, with the sum of its
// gradients; rows that do not occur are left alone, their velocity and means too.
#ifndef STINT_TRAINER_OPTIMIZER_H_
#define STINT_TRAINER_OPTIMIZER_H_

#include <cstddef>
#include <cstdint>

#include "trainer/options.h"
#include "trainer/touched_rows.h"  // IWYU pragma: export

namespace stint {

struct OptimizerConfig {
  Optimizer optimizer = Optimizer::kAdagrad;
  MomentumForm momentum_form = MomentumForm::kClassical;
  EpsilonPlace epsilon_place = EpsilonPlace::kInside;
  float learning_rate = 0.05f;  // of this step: see trainer/schedule.h
  float momentum = 0.0f;
  float epsilon = 1e-6f;
  float rho = 0.9f;
  float beta1 = 0.9f;
  float beta2 = 0.999f;
  float l2 = 0.0f;
  float gradient_scale = 1.0f;  // gradients are multiplied by it first: clipping by norm

  static OptimizerConfig Of(const Options& options);

  // Which slots an update reads and writes.
  bool HasFirst() const { return optimizer != Optimizer::kSgd; }
  bool HasSecond() const {
    return optimizer == Optimizer::kAdadelta || optimizer == Optimizer::kAdam;
  }
  bool HasVelocity() const { return momentum > 0; }
  bool HasSteps() const { return optimizer == Optimizer::kAdam; }
};

// Where parameters and their optimizer slots live; those that the optimizer does not have are not
// touched.
struct OptimizerSlots {
  float* parameter = nullptr;
  float* first = nullptr;     // mean or sum of squared gradients
  float* second = nullptr;    // Adadelta: mean of squared updates; Adam: mean of gradients
  float* velocity = nullptr;  // momentum
  uint32_t* steps = nullptr;  // updates of this row (or element) so far; one more after the update
};

// Updates a row of n elements by the sum of `occurrences` gradients, added in order from the
// first on. Slots and gradients are 64-byte aligned and padded to a multiple of kRowAlignment;
// the slots' padding stays zero.
void UpdateRow(const OptimizerConfig& config, const OptimizerSlots& slots,
               const float* const* gradients, size_t occurrences, size_t n);

// Updates one element (a bias).
void UpdateOne(const OptimizerConfig& config, const OptimizerSlots& slots, float gradient);

}  // namespace stint

#endif  // STINT_TRAINER_OPTIMIZER_H_
