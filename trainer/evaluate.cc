// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Model + test sessions -> recall@k and MRR@k, ranked by the runtime itself: what is
// measured is what users get.
#include "trainer/evaluate.h"

#include <omp.h>

#include <atomic>
#include <cmath>
#include <exception>
#include <limits>
#include <memory>
#include <stdexcept>

namespace stint {
namespace {

struct SessionDeleter {
  void operator()(stint_session* session) const { stint_session_destroy(session); }
};

// Ranks the targets of one session; ranks has room for items.size() - 1 of them.
stint_status RankSession(std::span<const uint32_t> items, RankMode mode, stint_session* session,
                         double* ranks) {
  stint_status status = stint_session_reset(session);
  for (size_t i = 0; i < items.size() && status == STINT_OK; ++i) {
    if (i > 0 && items[i] == kUnknownItem) {
      ranks[i - 1] = std::numeric_limits<double>::infinity();  // a miss
    } else if (i > 0) {
      uint32_t higher = 0;
      uint32_t equal = 0;
      status = stint_rank(session, items[i], &higher, &equal);
      ranks[i - 1] = Rank(mode, higher, equal);
    }
    if (status == STINT_OK && items[i] != kUnknownItem && i + 1 < items.size()) {
      status = stint_observe(session, items[i]);
    }
  }
  return status;
}

}  // namespace

std::vector<double> RankTargets(const stint_model* model, const Sessions& sessions,
                                const EvaluateOptions& options) {
  const size_t n_sessions = sessions.size();
  std::vector<uint64_t> first(n_sessions + 1, 0);  // first target of each session
  for (size_t s = 0; s < n_sessions; ++s) {
    first[s + 1] = first[s] + (sessions[s].empty() ? 0 : sessions[s].size() - 1);
  }
  // Ranks stand where their targets do, so that no sum depends on which thread was faster.
  std::vector<double> ranks(first[n_sessions], kNotRanked);

  std::atomic<int> failure = STINT_OK;
  std::atomic<bool> stopped = false;
  std::atomic<uint64_t> done = 0;
  std::exception_ptr error;  // of a callback
  const int threads =
      options.threads > 0 ? static_cast<int>(options.threads) : omp_get_max_threads();
#pragma omp parallel num_threads(threads)
  {
    stint_session* raw = nullptr;
    stint_status status = stint_session_create(model, 1, &raw);
    const std::unique_ptr<stint_session, SessionDeleter> session(raw);
    if (status != STINT_OK) failure = status;
      // Eight sessions are a few milliseconds of work: enough to make the scheduling free.
#pragma omp for schedule(dynamic, 8)
    for (size_t s = 0; s < n_sessions; ++s) {
      if (failure != STINT_OK || stopped || first[s] == first[s + 1]) continue;
      status = RankSession(sessions[s], options.mode, session.get(), ranks.data() + first[s]);
      if (status != STINT_OK) failure = status;
      done += first[s + 1] - first[s];
      if (omp_get_thread_num() != 0) continue;
      try {  // no exception may leave a parallel region
        if (options.progress) options.progress(done, first[n_sessions]);
        if (options.stop && options.stop()) stopped = true;
      } catch (...) {
        error = std::current_exception();
        stopped = true;
      }
    }
  }
  if (error) std::rethrow_exception(error);
  if (failure != STINT_OK) {
    throw std::runtime_error(std::string("evaluation: ") +
                             stint_status_message(static_cast<stint_status>(failure.load())));
  }
  return ranks;
}

Metrics Evaluate(const stint_model* model, const Sessions& sessions,
                 const EvaluateOptions& options) {
  std::vector<double> ranks = RankTargets(model, sessions, options);
  std::erase(ranks, kNotRanked);
  return ComputeMetrics(ranks, options.cutoffs);
}

}  // namespace stint
