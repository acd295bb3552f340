// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Times of single calls -> median, 99th percentile and rate as counters of a benchmark.
#ifndef STINT_BENCH_LATENCY_H_
#define STINT_BENCH_LATENCY_H_

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <vector>

namespace stint::bench {

class Latency {
 public:
  Latency() { microseconds_.reserve(1 << 20); }

  template <class F>
  void Measure(F&& call) {
    const auto begin = std::chrono::steady_clock::now();
    call();
    const auto end = std::chrono::steady_clock::now();
    microseconds_.push_back(std::chrono::duration<double, std::micro>(end - begin).count());
  }

  // `bytes` that one call reads, for GB/s at the median; 0: not said.
  void Report(double bytes, benchmark::State* state) {
    if (microseconds_.empty()) return;
    std::sort(microseconds_.begin(), microseconds_.end());
    const double p50 = At(0.50);
    state->counters["p50_us"] = p50;
    state->counters["p99_us"] = At(0.99);
    if (bytes > 0) state->counters["GB/s"] = bytes / p50 * 1e-3;
  }

 private:
  double At(double quantile) const {
    return microseconds_[static_cast<size_t>(quantile *
                                             static_cast<double>(microseconds_.size() - 1))];
  }
  std::vector<double> microseconds_;  // [calls]
};

}  // namespace stint::bench

#endif  // STINT_BENCH_LATENCY_H_
