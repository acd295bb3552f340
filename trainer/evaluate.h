// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Model + test sessions -> recall@k and MRR@k, ranked by the runtime itself: what is
// measured is what users get.
#ifndef STINT_TRAINER_EVALUATE_H_
#define STINT_TRAINER_EVALUATE_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "stint/stint.h"
#include "trainer/metrics.h"
#include "trainer/sessions.h"

namespace stint {

struct EvaluateOptions {
  std::vector<uint32_t> cutoffs = {20};
  RankMode mode = RankMode::kStandard;
  size_t threads = 0;  // 0: all; never changes the result
  // Called now and then from one thread with targets done and in all; may be empty. What this or
  // `stop` throws ends the evaluation and comes out of it.
  std::function<void(uint64_t done, uint64_t total)> progress;
  // Asked between sessions; true ends the evaluation early (Metrics of what was done).
  std::function<bool()> stop;
};

// The rank of every target (second event on) of every session over the whole catalog, session after
// session; infinite for an item of kUnknownItem, kNotRanked for those that came after a stop. Item
// indices of `sessions` are the model's.
inline constexpr double kNotRanked = -1;
std::vector<double> RankTargets(const stint_model* model, const Sessions& sessions,
                                const EvaluateOptions& options);

// What these ranks come to.
Metrics Evaluate(const stint_model* model, const Sessions& sessions,
                 const EvaluateOptions& options);

}  // namespace stint

#endif  // STINT_TRAINER_EVALUATE_H_
