// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// CPU -> the SIMD target that the per-target units run on. Highway keeps the choice, one a process.
#include "runtime/target.h"

#include <hwy/highway.h>
#include <hwy/targets.h>

#include <cstdint>

namespace stint {
namespace {

// Lower bits are better targets; what this build has and this CPU runs.
int64_t Usable() { return hwy::SupportedTargets() & HWY_TARGETS; }

bool SameName(const char* a, const char* b) {
  const auto upper = [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; };
  for (; *a && upper(*a) == upper(*b); ++a, ++b) {
  }
  return upper(*a) == upper(*b);
}

}  // namespace

void ChooseTarget() {
  if (!hwy::GetChosenTarget().IsInitialized()) {
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  }
}

const char* TargetName() {
  const int64_t usable = Usable();
  return hwy::TargetName(usable & -usable);
}

Status SetTarget(const char* name) {
  const int64_t before = hwy::SupportedTargets();
  hwy::SetSupportedTargetsForTest(0);  // all that the CPU has, to choose among
  int64_t cap = 0;
  if (name) {
    const int64_t usable = Usable();
    for (int64_t rest = usable; rest != 0 && cap == 0; rest &= rest - 1) {
      const int64_t target = rest & -rest;
      if (SameName(hwy::TargetName(target), name)) cap = usable & ~(target - 1);
    }
    hwy::SetSupportedTargetsForTest(cap != 0 ? cap : before);
  }
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  return name && cap == 0 ? STINT_UNSUPPORTED : STINT_OK;
}

}  // namespace stint
