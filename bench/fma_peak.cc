// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

#include "bench/fma_peak.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "bench/fma_peak.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

#include <algorithm>
#include <chrono>
#include <cstddef>

HWY_BEFORE_NAMESPACE();
namespace stint::bench::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Runs `rounds` of 12 chains (twice the latency times two units need 8) and leaves their sum in
// `out`, so that none is left out. Returns the floating-point operations.
double MultiplyAdd(size_t rounds, float* out) {
  const hn::CappedTag<float, 16> d;
  using V = hn::Vec<decltype(d)>;
  const V factor = hn::Set(d, 0.999f), term = hn::Set(d, 0.001f);
  // Different starts: of equal chains the compiler would keep one.
  const auto start = [&](int k) HWY_ATTR { return hn::Set(d, *out + static_cast<float>(k)); };
  V a0 = start(0), a1 = start(1), a2 = start(2), a3 = start(3), a4 = start(4), a5 = start(5);
  V a6 = start(6), a7 = start(7), a8 = start(8), a9 = start(9), a10 = start(10), a11 = start(11);
  for (size_t i = 0; i < rounds; ++i) {
    a0 = hn::MulAdd(a0, factor, term);
    a1 = hn::MulAdd(a1, factor, term);
    a2 = hn::MulAdd(a2, factor, term);
    a3 = hn::MulAdd(a3, factor, term);
    a4 = hn::MulAdd(a4, factor, term);
    a5 = hn::MulAdd(a5, factor, term);
    a6 = hn::MulAdd(a6, factor, term);
    a7 = hn::MulAdd(a7, factor, term);
    a8 = hn::MulAdd(a8, factor, term);
    a9 = hn::MulAdd(a9, factor, term);
    a10 = hn::MulAdd(a10, factor, term);
    a11 = hn::MulAdd(a11, factor, term);
  }
  const V sum = hn::Add(hn::Add(hn::Add(a0, a1), hn::Add(a2, a3)),
                        hn::Add(hn::Add(hn::Add(a4, a5), hn::Add(a6, a7)),
                                hn::Add(hn::Add(a8, a9), hn::Add(a10, a11))));
  *out = hn::ReduceSum(d, sum);
  return 24.0 * static_cast<double>(hn::Lanes(d)) * static_cast<double>(rounds);
}

}  // namespace stint::bench::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace stint::bench {

HWY_EXPORT(MultiplyAdd);

double FmaPeak(int threads) {
  using Clock = std::chrono::steady_clock;
  constexpr size_t kRounds = 2'000'000;
  double best = 0;
  const Clock::time_point start = Clock::now();
  while (Clock::now() - start < std::chrono::seconds(1)) {
    const Clock::time_point begin = Clock::now();
    double operations = 0;
#pragma omp parallel num_threads(threads) reduction(+ : operations)
    {
      float value = 1.0f;
      operations += HWY_DYNAMIC_DISPATCH(MultiplyAdd)(kRounds, &value);
      if (value < 0) operations += 1;  // never: keeps the value
    }
    const std::chrono::duration<double> seconds = Clock::now() - begin;
    best = std::max(best, operations / seconds.count() * 1e-9);
  }
  return best;
}

}  // namespace stint::bench
#endif  // HWY_ONCE
