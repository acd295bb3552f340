// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// A session's hidden state -> a vector as matrices take it. Where that is a quantized one it is
// made once after each change of the state: the scores of the items, the layer above and the next
// step's product with the hidden weights share it.
#ifndef STINT_RUNTIME_HIDDEN_H_
#define STINT_RUNTIME_HIDDEN_H_

#include <cstdint>

#include "runtime/kernels.h"
#include "runtime/session.h"
#include "runtime/vector.h"

namespace stint {

// `quantized`: whether for matrices of integers; the session has room for that (session.h).
AnyVector HiddenVector(const Kernels& kernels, uint32_t layer, bool quantized,
                       SessionState* session) STINT_NONBLOCKING;

}  // namespace stint

#endif  // STINT_RUNTIME_HIDDEN_H_
