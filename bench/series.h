// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// An engine and a way of asking it -> times of single answers, the floor of the same minute, and
// how many answers are right.
#ifndef STINT_BENCH_SERIES_H_
#define STINT_BENCH_SERIES_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bench/engine.h"
#include "bench/exact.h"

namespace stint::bench {

struct Asking {
  uint32_t k = 20;
  int callers = 1;       // side by side, each on a thread of its own and with its own sessions
  bool cold = false;     // what the caches hold is evicted before each answer
  double seconds = 0.5;  // of answers, about
};

struct Series {
  std::vector<double> microseconds;  // of each call of all callers, for a session of it; sorted
  double answers_per_second = 0;     // of all callers together
  double floor_microseconds = 0;     // median of reading the engine's bytes, as often at a time
  size_t checked = 0;                // answers compared with the right ones
  size_t wrong = 0;                  // not the same items in the same order
  double overlap = 0;                // items in common with the right answer, of k, mean

  double At(double quantile) const {
    return microseconds[static_cast<size_t>(quantile *
                                            static_cast<double>(microseconds.size() - 1))];
  }
};

Series Measure(const Engine& engine, const Asking& asking, const Workload& work,
               ExactAnswers* exact);

}  // namespace stint::bench

#endif  // STINT_BENCH_SERIES_H_
