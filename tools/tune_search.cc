// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// A space, a number of trials and of epochs -> which trials run for how long.
#include "tools/tune_search.h"

#include <algorithm>
#include <numeric>

namespace stint {
namespace {

using State = TrialResult::State;

// Better first; equal ones by number, so that the order is one alone.
bool Before(const SearchPlan& plan, const TrialResult& a, const TrialResult& b) {
  const bool done = a.state == State::kDone;
  if (done != (b.state == State::kDone)) return done;
  if (done && plan.Value(a) != plan.Value(b)) return plan.Value(a) > plan.Value(b);
  return a.trial < b.trial;
}

}  // namespace

const char* Name(Metric metric) { return metric == Metric::kRecall ? "recall@20" : "mrr@20"; }

std::vector<size_t> Rungs(size_t eta, size_t min_epochs, size_t max_epochs) {
  std::vector<size_t> rungs;
  if (eta > 0) {
    for (size_t epochs = min_epochs; epochs < max_epochs; epochs *= eta) rungs.push_back(epochs);
  }
  rungs.push_back(max_epochs);
  return rungs;
}

std::vector<size_t> TrialsOf(const SearchPlan& plan, const Study& study, size_t rung) {
  std::vector<size_t> trials(plan.trials);
  std::iota(trials.begin(), trials.end(), size_t{0});
  for (size_t r = 0; r < rung; ++r) {
    std::vector<const TrialResult*> results;
    for (const size_t trial : trials) {
      const TrialResult* result = study.Find(trial, plan.rungs[r]);
      if (result != nullptr && result->state == State::kDone) results.push_back(result);
    }
    std::sort(results.begin(), results.end(),
              [&](const TrialResult* a, const TrialResult* b) { return Before(plan, *a, *b); });
    results.resize(std::min(results.size(), std::max<size_t>(1, trials.size() / plan.eta)));
    trials.clear();
    for (const TrialResult* result : results) trials.push_back(result->trial);
    std::sort(trials.begin(), trials.end());
  }
  return trials;
}

std::vector<const TrialResult*> Ranking(const SearchPlan& plan, const Study& study) {
  std::vector<const TrialResult*> last(plan.trials, nullptr);
  for (size_t rung = 0; rung < plan.rungs.size(); ++rung) {
    for (const size_t trial : TrialsOf(plan, study, rung)) {
      const TrialResult* result = study.Find(trial, plan.rungs[rung]);
      if (result != nullptr) last[trial] = result;
    }
  }
  last.erase(std::remove(last.begin(), last.end(), nullptr), last.end());
  std::sort(last.begin(), last.end(),
            [&](const TrialResult* a, const TrialResult* b) { return Before(plan, *a, *b); });
  return last;
}

}  // namespace stint
