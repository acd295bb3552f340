# Copyright 2026 The stint authors.
# SPDX-License-Identifier: Apache-2.0

# Whether the per-target units are compiled a second time (runtime/second_build.h) -> the variable
# STINT_SECOND_BUILD. Not where there is one target alone, where the compiler lacks the
# instructions, or where its flags have them everywhere: then the first build uses them.
include(CheckCXXSourceCompiles)

set(STINT_SECOND_BUILD OFF)
if(NOT STINT_PORTABLE)
  check_cxx_source_compiles([[
    #if defined(__x86_64__) && !defined(__AVXVNNI__)
    #include <immintrin.h>
    __attribute__((target("avx2,avxvnni"))) __m256i Dot(__m256i sum, __m256i a, __m256i b) {
      return _mm256_dpbusd_avx_epi32(sum, a, b);
    }
    #elif defined(__aarch64__) && !defined(__ARM_FEATURE_DOTPROD)
    #include <arm_neon.h>
    __attribute__((target("arch=armv8.2-a+dotprod"))) int32x4_t Dot(int32x4_t sum, int8x16_t a,
                                                                    int8x16_t b) {
      return vdotq_s32(sum, a, b);
    }
    #else
    #error "no second build"
    #endif
    int main() { return 0; }
    ]] STINT_COMPILES_SECOND_BUILD)
  set(STINT_SECOND_BUILD ${STINT_COMPILES_SECOND_BUILD})
endif()
