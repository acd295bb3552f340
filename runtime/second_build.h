// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Per-target unit -> the same unit compiled a second time (STINT_SECOND_BUILD = 1) for byte
// products that Highway has no target for, in a namespace of its own. To be included before all
// else.
//
//   x86  AVX2_VNNI      vpdpbusd in its VEX form: laptops that have AVX2 but no AVX-512
//   Arm  NEON_DOTPROD   sdot: phones that have no SVE, from Cortex-A55 and A76 on
//
// All but byte_dot-inl.h is Highway's AVX2 or NEON. CMake says which compilers can do it
// (STINT_HAS_SECOND_BUILD); target.cc which CPUs, and when it is used. By attributes, as Highway
// does it, not by flags of the source file: inline functions of headers, of which the linker keeps
// any copy, stay what every CPU runs.
#ifndef STINT_RUNTIME_SECOND_BUILD_H_
#define STINT_RUNTIME_SECOND_BUILD_H_

#if STINT_SECOND_BUILD

#define HWY_COMPILE_ONLY_STATIC
#if defined(__x86_64__) || defined(__i386__)
#define HWY_BASELINE_TARGETS HWY_AVX2
#else
#define HWY_BASELINE_TARGETS HWY_NEON_WITHOUT_AES
#endif

#include <hwy/foreach_target.h>  // before highway.h, which the unit's own would include anew
#include <hwy/highway.h>

// Highway's functions under a second name, so that ours, which are not all inlined, have one too.
namespace hwy {
#if HWY_ARCH_X86
namespace N_AVX2_VNNI = N_AVX2;
#undef HWY_NAMESPACE
#define HWY_NAMESPACE N_AVX2_VNNI
#undef HWY_TARGET_STR
#define HWY_TARGET_STR HWY_TARGET_STR_AVX2 ",avxvnni"
#else
namespace N_NEON_DOTPROD = N_NEON_WITHOUT_AES;
#undef HWY_NAMESPACE
#define HWY_NAMESPACE N_NEON_DOTPROD
#undef HWY_TARGET_STR
#define HWY_TARGET_STR "arch=armv8.2-a+dotprod"
#endif
}  // namespace hwy

#undef HWY_BEFORE_NAMESPACE
#define HWY_BEFORE_NAMESPACE()        \
  HWY_PUSH_ATTRIBUTES(HWY_TARGET_STR) \
  static_assert(true, "For requiring trailing semicolon")
#undef HWY_AFTER_NAMESPACE
#define HWY_AFTER_NAMESPACE() \
  HWY_POP_ATTRIBUTES          \
  static_assert(true, "For requiring trailing semicolon")
#undef HWY_ATTR
#define HWY_ATTR __attribute__((target(HWY_TARGET_STR)))

#endif  // STINT_SECOND_BUILD

#endif  // STINT_RUNTIME_SECOND_BUILD_H_
