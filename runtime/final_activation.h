// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// A score -> its final activation; an activation -> its name.
#ifndef STINT_RUNTIME_FINAL_ACTIVATION_H_
#define STINT_RUNTIME_FINAL_ACTIVATION_H_

#include <cstddef>

#include "runtime/activation.h"
#include "runtime/status.h"

namespace stint {

// f(score), computed as the trainer computes it; for softmax the score itself.
float FinalActivation(const ActivationParams& f, float score) STINT_NONBLOCKING;

// "elu-0.5", as the trainer's options have it: parameters in the shortest form that reads back as
// the same float. `text` has `size` >= 48 bytes and is terminated.
void WriteActivationName(const ActivationParams& f, char* text, size_t size);

}  // namespace stint

#endif  // STINT_RUNTIME_FINAL_ACTIVATION_H_
