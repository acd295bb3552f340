// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// A model, others made of it and test sessions -> what these others lose, with intervals.
#ifndef STINT_TOOLS_CONVERT_COMPARE_KINDS_H_
#define STINT_TOOLS_CONVERT_COMPARE_KINDS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "stint/stint.h"
#include "trainer/sessions.h"

namespace stint {

// What a model answers to test sessions: for every target, session after session, its rank and the
// k best items before it.
struct Answers {
  std::vector<double> ranks;           // [targets] place among the k best, or infinite
  std::vector<uint32_t> top;           // [targets, k] items of the reference; kUnknownItem beyond
  std::vector<uint64_t> first_target;  // [sessions + 1]
};

struct AnswerOptions {
  uint32_t k = 20;
  size_t threads = 0;                                           // 0: all; never changes the result
  std::function<void(uint64_t done, uint64_t total)> progress;  // of sessions, from one thread
};

// `sessions` are those of a reference model's items; `place` [items of the reference] is where they
// stand in `model`, kUnknownItem for those that it has not: they are not observed, and missed as
// targets.
Answers AnswersOf(const stint_model* model, const Sessions& sessions,
                  const std::vector<uint32_t>& place, const AnswerOptions& options);

// A figure with its 95 % interval.
struct Measured {
  double value = 0;
  double low = 0;
  double high = 0;
};

struct Comparison {
  Measured recall;       // @k
  Measured mrr;          // @k
  Measured recall_loss;  // share of the reference's that is lost; below 0: gained
  Measured mrr_loss;
  double overlap = 0;  // mean share of the reference's k best items that are among these
};

// Each of `others` against the reference. Intervals are percentiles of a bootstrap: kResamples
// times as many sessions as there are, drawn with replacement, the same for all models; targets of
// one session stand or fall together. The draws depend on `seed` and the number of sessions alone.
inline constexpr size_t kResamples = 1000;
std::vector<Comparison> Compare(const Answers& reference, const std::vector<Answers>& others,
                                uint32_t k, uint64_t seed);

}  // namespace stint

#endif  // STINT_TOOLS_CONVERT_COMPARE_KINDS_H_
