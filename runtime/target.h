// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// CPU -> the SIMD target that the per-target units run on.
#ifndef STINT_RUNTIME_TARGET_H_
#define STINT_RUNTIME_TARGET_H_

#include "runtime/status.h"

namespace stint {

// Chooses the best target unless one is chosen. Any thread.
void ChooseTarget();
// Name of the target in use; chooses one first if need be.
const char* TargetName();
// See stint_set_target().
[[nodiscard]] Status SetTarget(const char* name);

}  // namespace stint

#endif  // STINT_RUNTIME_TARGET_H_
