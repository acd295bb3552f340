// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// A space, a number of trials and of epochs -> which trials run for how long, and their order by
// what they reached. Everything is a pure function of the results, whatever order they came in.
#ifndef STINT_TOOLS_TUNE_SEARCH_H_
#define STINT_TOOLS_TUNE_SEARCH_H_

#include <cstddef>
#include <vector>

#include "tools/tune_study.h"

namespace stint {

enum class Metric { kRecall, kMrr };
const char* Name(Metric metric);  // recall@20, mrr@20

struct SearchPlan {
  size_t trials = 0;
  std::vector<size_t> rungs;  // epochs of each rung, rising; random search has one
  size_t eta = 1;             // successive halving: the best 1/eta of a rung go on
  Metric metric = Metric::kRecall;

  double Value(const TrialResult& result) const {
    return metric == Metric::kRecall ? result.recall : result.mrr;
  }
};

// min, min * eta, min * eta^2, ... and max (Jamieson and Talwalkar, arXiv 1502.07943, with a rung
// at the end that has `max_epochs`); only max_epochs if eta is 0.
std::vector<size_t> Rungs(size_t eta, size_t min_epochs, size_t max_epochs);

// The trials of rung number `rung`, ascending, once all runs of the rungs before are in the study:
// of each rung the best 1/eta, rounded down, at least one; none if none succeeded.
std::vector<size_t> TrialsOf(const SearchPlan& plan, const Study& study, size_t rung);

// The last run of each trial that has one, best first; those that failed come last.
std::vector<const TrialResult*> Ranking(const SearchPlan& plan, const Study& study);

}  // namespace stint

#endif  // STINT_TOOLS_TUNE_SEARCH_H_
