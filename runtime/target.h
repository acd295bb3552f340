// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// CPU -> the SIMD target that the per-target units run on.
#ifndef STINT_RUNTIME_TARGET_H_
#define STINT_RUNTIME_TARGET_H_

#include <atomic>

#include "runtime/status.h"

namespace stint {

// Chooses the best target unless one is chosen. Any thread.
void ChooseTarget();
// Name of the target in use; chooses one first if need be.
const char* TargetName();
// See stint_set_target().
[[nodiscard]] Status SetTarget(const char* name);

// Whether the second build of the per-target units (second_build.h) is the one to call.
#if STINT_HAS_SECOND_BUILD
extern std::atomic<bool> second_build_in_use;
inline bool UsesSecondBuild() { return second_build_in_use.load(std::memory_order_relaxed); }
#else
constexpr bool UsesSecondBuild() { return false; }
#endif

}  // namespace stint

#endif  // STINT_RUNTIME_TARGET_H_
