// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Sessions -> what the runtime recommends after each of their events, beside the brute force.
#include <omp.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <utility>

#include "trainer/brute_force.h"

namespace stint {
namespace {

constexpr size_t kVectors = 16;      // that the brute force takes at a time
constexpr size_t kShownWrong = 100;  // answers

struct SessionDeleter {
  void operator()(stint_session* session) const { stint_session_destroy(session); }
};

void CheckCall(stint_status status) {
  if (status != STINT_OK) {
    throw std::runtime_error(std::string("recommending: ") + stint_status_message(status));
  }
}

// Of one thread.
class Comparer {
 public:
  Comparer(const stint_model* model, const BruteForce& brute_force, uint32_t k)
      : brute_force_(brute_force), k_(k), hidden_(kVectors * brute_force.width()) {
    stint_model_info info = {};
    CheckCall(stint_model_describe(model, &info));
    last_layer_ = info.layers - 1;
    stint_session* session = nullptr;
    CheckCall(stint_session_create(model, k, &session));
    session_.reset(session);
  }

  // The first `events` of a session.
  void Session(size_t number, std::span<const uint32_t> items, size_t events) {
    CheckCall(stint_session_reset(session_.get()));
    for (size_t e = 0; e < events; ++e) {
      CheckCall(stint_observe(session_.get(), items[e]));
      Recommend(number, e + 1);
      if (asked_.size() == kVectors) Compare();
    }
  }

  // What is left over. Returns what was found since the last time.
  AnswerCheck Take() {
    if (!asked_.empty()) Compare();
    return std::exchange(result_, {});
  }

 private:
  struct Asked {
    size_t session;
    size_t events;
    std::vector<stint_recommendation> top;  // [count]
  };

  void Recommend(size_t session, size_t events) {
    const float* hidden = nullptr;
    uint32_t units = 0;
    CheckCall(stint_session_hidden(session_.get(), last_layer_, &hidden, &units));
    std::copy_n(hidden, units, hidden_.data() + asked_.size() * units);
    Asked asked = {session, events, std::vector<stint_recommendation>(k_)};
    size_t count = 0;
    CheckCall(stint_recommend(session_.get(), k_, nullptr, asked.top.data(), &count));
    asked.top.resize(count);
    asked_.push_back(std::move(asked));
  }

  void Compare() {
    std::vector<ScoredItem> best[kVectors];
    brute_force_.TopK(hidden_.data(), asked_.size(), k_, best);
    for (size_t v = 0; v < asked_.size(); ++v) {
      CompareOne(asked_[v], best[v], hidden_.data() + v * brute_force_.width());
    }
    asked_.clear();
  }

  void CompareOne(const Asked& asked, const std::vector<ScoredItem>& best, const float* hidden) {
    const std::vector<stint_recommendation>& top = asked.top;
    ++result_.recommendations;
    for (const stint_recommendation& r : top) {
      const double gap = std::fabs(double{r.score} - brute_force_.TrueScore(hidden, r.item));
      result_.largest_gap = std::max(result_.largest_gap, gap);
    }
    for (size_t i = 0; i < std::max(top.size(), best.size()); ++i) {
      const ScoredItem got = i < top.size() ? ScoredItem{top[i].item, top[i].score} : kNothing;
      const ScoredItem wanted = i < best.size() ? best[i] : kNothing;
      // Not `!=`: a NaN is wrong.
      if (got.item == wanted.item && got.score == wanted.score) continue;
      ++result_.wrong;
      result_.first_wrong.push_back({asked.session, asked.events, i, got, wanted});
      return;
    }
  }

  static constexpr ScoredItem kNothing = {UINT32_MAX, 0};
  const BruteForce& brute_force_;
  const uint32_t k_;
  uint32_t last_layer_ = 0;
  std::unique_ptr<stint_session, SessionDeleter> session_;
  std::vector<float> hidden_;  // [kVectors, width]
  std::vector<Asked> asked_;   // up to kVectors
  AnswerCheck result_;
};

void Add(AnswerCheck part, AnswerCheck* sum) {
  sum->recommendations += part.recommendations;
  sum->wrong += part.wrong;
  sum->largest_gap = std::max(sum->largest_gap, part.largest_gap);
  std::vector<WrongAnswer>& all = sum->first_wrong;
  all.insert(all.end(), part.first_wrong.begin(), part.first_wrong.end());
  std::sort(all.begin(), all.end(), [](const WrongAnswer& a, const WrongAnswer& b) {
    return a.session < b.session || (a.session == b.session && a.events < b.events);
  });
  if (all.size() > kShownWrong) all.resize(kShownWrong);
}

// Sessions of which a thread compares some together, so that the brute force has vectors enough.
struct Work {
  std::vector<size_t> first;   // [parts + 1] sessions
  std::vector<size_t> events;  // [sessions] to look at
  uint64_t total = 0;
};

Work Divide(const Sessions& sessions, uint64_t most) {
  Work work;
  uint64_t in_part = kVectors;
  for (size_t s = 0; s < sessions.size() && work.total < most; ++s) {
    if (in_part >= kVectors) {
      work.first.push_back(s);
      in_part = 0;
    }
    const uint64_t events = std::min<uint64_t>(sessions[s].size(), most - work.total);
    work.events.push_back(static_cast<size_t>(events));
    work.total += events;
    in_part += events;
  }
  work.first.push_back(work.events.size());
  return work;
}

}  // namespace

AnswerCheck CheckAnswers(const stint_model* model, const BruteForce& brute_force,
                         const Sessions& sessions, const AnswerCheckOptions& options) {
  const Work work = Divide(sessions, options.most);
  const size_t parts = work.first.size() - 1;
  AnswerCheck result;
  std::atomic<bool> stopped = false;
  std::mutex mutex;  // of the result, the callbacks and the error
  std::exception_ptr error;
  const int threads =
      options.threads > 0 ? static_cast<int>(options.threads) : omp_get_max_threads();
#pragma omp parallel num_threads(threads)
  {
    std::unique_ptr<Comparer> comparer;
#pragma omp for schedule(dynamic, 1)
    for (size_t p = 0; p < parts; ++p) {
      if (stopped) continue;
      try {  // no exception may leave a parallel region
        if (!comparer) comparer = std::make_unique<Comparer>(model, brute_force, options.k);
        for (size_t s = work.first[p]; s < work.first[p + 1]; ++s) {
          comparer->Session(s, sessions[s], work.events[s]);
        }
        AnswerCheck part = comparer->Take();
        const std::lock_guard<std::mutex> lock(mutex);
        Add(std::move(part), &result);
        if (options.progress) options.progress(result.recommendations, work.total);
        if (options.stop && options.stop()) stopped = true;
      } catch (...) {
        const std::lock_guard<std::mutex> lock(mutex);
        error = std::current_exception();
        stopped = true;
      }
    }
  }
  if (error) std::rethrow_exception(error);
  return result;
}

}  // namespace stint
