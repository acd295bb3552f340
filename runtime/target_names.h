// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Every name that stint_target() may give, Highway's and the runtime's own, the better ones of a
// CPU first. stint_set_target() refuses those that this CPU or build lacks.
#ifndef STINT_RUNTIME_TARGET_NAMES_H_
#define STINT_RUNTIME_TARGET_NAMES_H_

namespace stint {

constexpr const char* kTargetNames[] = {
    "AVX10_2", "AVX3_SPR", "AVX3_ZEN4",   "AVX3_DL",      "AVX3",     "AVX2_VNNI",
    "AVX2",    "SSE4",     "SSSE3",       "SSE2",         "SVE2_128", "SVE_256",
    "SVE2",    "SVE",      "NEON_BF16",   "NEON_DOTPROD", "NEON",     "NEON_WITHOUT_AES",
    "RVV",     "PPC10",    "PPC9",        "PPC8",         "Z15",      "Z14",
    "LASX",    "LSX",      "WASM_EMU256", "WASM",         "EMU128",   "SCALAR"};

}  // namespace stint

#endif  // STINT_RUNTIME_TARGET_NAMES_H_
