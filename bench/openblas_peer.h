// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Makes OpenBLAS a fair peer: on CPUs newer than itself it falls back to old kernels (0.3.21: a
// third of the rate), and it chooses them before main().
#ifndef STINT_BENCH_OPENBLAS_PEER_H_
#define STINT_BENCH_OPENBLAS_PEER_H_

#include <cblas.h>
#include <unistd.h>

#include <cstdlib>

namespace stint::bench {

// First line of main(): unless OPENBLAS_CORETYPE says otherwise, starts the program again with
// the best kernels of OpenBLAS that this CPU can run.
inline void StartWithBestOpenBlas(char** argv) {
#if defined(__x86_64__)
  if (std::getenv("OPENBLAS_CORETYPE") != nullptr) return;
  const char* kernels = nullptr;
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
    kernels = "SkylakeX";
  } else if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    kernels = "Haswell";
  }
  if (kernels == nullptr) return;
  setenv("OPENBLAS_CORETYPE", kernels, 1);
  execv("/proc/self/exe", argv);  // comes back only where there is no /proc
#else
  (void)argv;
#endif
}

}  // namespace stint::bench

#endif  // STINT_BENCH_OPENBLAS_PEER_H_
