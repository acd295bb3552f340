// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The activation functions of hidden states and scores, as kernels take them.
#ifndef STINT_RUNTIME_ACTIVATION_H_
#define STINT_RUNTIME_ACTIVATION_H_

#include <cstdint>

namespace stint {

// Numbers as in schema/model.fbs.
enum class ActivationKind : uint8_t {
  kSoftmax = 0,    // of scores alone: exp(x_j) / sum over j
  kLinear = 1,     // x
  kElu = 2,        // x >= 0 ? x : alpha (exp(x) - 1)
  kTanh = 3,       // tanh(x)
  kRelu = 4,       // x >= 0 ? x : 0
  kLeakyRelu = 5,  // x >= 0 ? x : alpha x
  kSelu = 6        // scale (x >= 0 ? x : alpha (exp(x) - 1))
};

struct ActivationParams {
  ActivationKind kind = ActivationKind::kTanh;
  float alpha = 0.0f;  // of elu, leaky ReLU and SELU
  float scale = 1.0f;  // of SELU
};

}  // namespace stint

#endif  // STINT_RUNTIME_ACTIVATION_H_
