// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// A session's hidden state -> a vector as matrices take it.
#include "runtime/hidden.h"

namespace stint {

AnyVector HiddenVector(const Kernels& kernels, uint32_t layer, bool quantized,
                       SessionState* session) {
  AnyVector out = {{}, {session->hidden[layer]}};
  if (!quantized) return out;
  QuantizedHidden* const made = &session->quantized_hidden[layer];
  // The form is the target's, which a program may change between two calls.
  if (!made->fresh || (made->vector.pairs == nullptr) != kernels.byte_planes) {
    kernels.quantize(out.floats.values, session->model->units[layer], made->room, &made->vector);
    made->fresh = true;
  }
  out.quantized = made->vector;
  return out;
}

}  // namespace stint
