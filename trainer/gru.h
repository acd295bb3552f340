// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Gate inputs -> next hidden state, and the gradient of the next hidden state -> gradients
// of the gate inputs, for a mini-batch. The products with the weights are matmul's; the gate
// arithmetic of the forward pass is the runtime's (runtime/gru-inl.h).
//
// Equations and gate order: parameters.h. The old hidden state is a constant: there is no
// back-propagation through time (arXiv 1511.06939, section 3.1; ALGORITHM 3.2).
#ifndef STINT_TRAINER_GRU_H_
#define STINT_TRAINER_GRU_H_

#include <cstddef>

#include "runtime/activation.h"

namespace stint {

// One layer's activations, features x batch: row u of an array is a unit, `batch` floats of
// sessions side by side (a multiple of kRowAlignment). All 64-byte aligned.
struct GruActivations {
  size_t units = 0;
  size_t batch = 0;              // floats in a row
  float* input_gates = nullptr;  // a  [3 units, batch]: Wi x + bi
  float* hidden_gates =
      nullptr;  // b  [3 units, batch]: Wh h + bh; reset_before: candidate Wh_n (r h)
  float* old_hidden = nullptr;                            // h  [units, batch]
  float* reset = nullptr;                                 // r  [units, batch]
  float* update = nullptr;                                // z  [units, batch]
  float* candidate = nullptr;                             // n  [units, batch]
  float* reset_hidden = nullptr;                          // r h  [units, batch], reset_before alone
  float* hidden = nullptr;                                // h' [units, batch]
  ActivationParams activation = {ActivationKind::kTanh};  // of the candidate
};

// Units [begin, end). The reset_before form needs the candidate's product in between.
void GruResetAfterForward(const GruActivations& a, size_t begin, size_t end);
void GruResetBeforeForwardOpen(const GruActivations& a, size_t begin, size_t end);
void GruResetBeforeForwardClose(const GruActivations& a, size_t begin, size_t end);

// d_hidden [units, batch] is the gradient of h'. d_input_gates and d_hidden_gates
// [3 units, batch] are those of a and b.
void GruResetAfterBackward(const GruActivations& a, size_t begin, size_t end, const float* d_hidden,
                           float* d_input_gates, float* d_hidden_gates);

// reset_before, where a and b always stand as a sum, so that their gradients are the same:
// first candidate and update gate; the caller then forms d_reset_hidden = Wh_n^T d_gates_n
// [units, batch]; then the reset gate.
void GruResetBeforeBackwardOpen(const GruActivations& a, size_t begin, size_t end,
                                const float* d_hidden, float* d_gates);
void GruResetBeforeBackwardClose(const GruActivations& a, size_t begin, size_t end,
                                 const float* d_reset_hidden, float* d_gates);

}  // namespace stint

#endif  // STINT_TRAINER_GRU_H_
