// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// CPU -> the SIMD target that the per-target units run on. Highway keeps the choice among its own,
// one a process; whether the second build (second_build.h) stands before them is kept here.
#include "runtime/target.h"

#include <hwy/highway.h>
#include <hwy/targets.h>

#include <cstdint>

#if STINT_HAS_SECOND_BUILD
#if HWY_ARCH_X86
#include <cpuid.h>
#elif HWY_OS_APPLE
#include <sys/sysctl.h>
#else
#include <sys/auxv.h>
#endif
#endif

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

// Of the targets, those up to `best`.
int64_t UpTo(int64_t best, int64_t targets) { return targets & ~(best - 1); }

#if STINT_HAS_SECOND_BUILD

// The second build goes beyond kSecondBase (one of them must be usable) and stands below what is
// better than kSecondBest.
#if HWY_ARCH_X86
constexpr const char* kSecondName = "AVX2_VNNI";
constexpr int64_t kSecondBase = HWY_AVX2;
constexpr int64_t kSecondBest = HWY_AVX2;

bool CpuHasSecond() {
  // AVX-VNNI: leaf 7, subleaf 1, EAX bit 4. That the system saves the registers goes with AVX2.
  unsigned subleaves = 0, eax = 0, ebx, ecx, edx;
  return __get_cpuid_count(7, 0, &subleaves, &ebx, &ecx, &edx) && subleaves >= 1 &&
         __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) && (eax >> 4 & 1) != 0;
}
#else
constexpr const char* kSecondName = "NEON_DOTPROD";
constexpr int64_t kSecondBase = HWY_NEON_WITHOUT_AES | HWY_NEON;
constexpr int64_t kSecondBest = HWY_NEON;

bool CpuHasSecond() {
#if HWY_OS_APPLE
  int value = 0;
  size_t size = sizeof(value);
  return sysctlbyname("hw.optional.arm.FEAT_DotProd", &value, &size, nullptr, 0) == 0 && value != 0;
#else
  constexpr unsigned long kAsimdDp = 1ul << 20;  // HWCAP_ASIMDDP, not in all headers
  return (getauxval(AT_HWCAP) & kAsimdDp) != 0;
#endif
}
#endif

bool SecondIsUsable(int64_t usable) { return (usable & kSecondBase) != 0 && CpuHasSecond(); }
bool SecondIsBest(int64_t usable) {
  return UpTo(kSecondBest, usable) == usable && SecondIsUsable(usable);
}
void UseSecond(bool use) { second_build_in_use.store(use, std::memory_order_relaxed); }

#else

constexpr const char* kSecondName = "";
constexpr int64_t kSecondBest = 0;
constexpr bool SecondIsUsable(int64_t) { return false; }
constexpr bool SecondIsBest(int64_t) { return false; }
void UseSecond(bool) {}

#endif

}  // namespace

#if STINT_HAS_SECOND_BUILD
std::atomic<bool> second_build_in_use{false};
#endif

void ChooseTarget() {
  if (hwy::GetChosenTarget().IsInitialized()) return;
  UseSecond(SecondIsBest(Usable()));
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

const char* TargetName() {
  ChooseTarget();
  if (UsesSecondBuild()) return kSecondName;
  const int64_t usable = Usable();
  return hwy::TargetName(usable & -usable);
}

Status SetTarget(const char* name) {
  const int64_t before = hwy::SupportedTargets();
  hwy::SetSupportedTargetsForTest(0);  // all that the CPU has, to choose among
  const int64_t usable = Usable();
  bool second = SecondIsBest(usable);
  if (name) {
    int64_t cap = 0;
    second = SameName(kSecondName, name) && SecondIsUsable(usable);
    if (second) cap = UpTo(kSecondBest, usable);
    for (int64_t rest = usable; rest != 0 && cap == 0; rest &= rest - 1) {
      const int64_t target = rest & -rest;
      if (SameName(hwy::TargetName(target), name)) cap = UpTo(target, usable);
    }
    hwy::SetSupportedTargetsForTest(cap != 0 ? cap : before);
    if (cap == 0) {
      hwy::GetChosenTarget().Update(before);
      return STINT_UNSUPPORTED;
    }
  }
  UseSecond(second);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  return STINT_OK;
}

}  // namespace stint
