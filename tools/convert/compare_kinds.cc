// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// A model, others made of it and test sessions -> what these others lose, with intervals.
#include "tools/convert/compare_kinds.h"

#include <omp.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>
#include <limits>
#include <memory>
#include <new>
#include <stdexcept>

#include "trainer/random.h"

namespace stint {
namespace {

struct SessionDeleter {
  void operator()(stint_session* session) const { stint_session_destroy(session); }
};

// Items of a model -> those of the reference.
std::vector<uint32_t> Inverse(const std::vector<uint32_t>& place, uint32_t items) {
  std::vector<uint32_t> inverse(items, kUnknownItem);
  for (size_t i = 0; i < place.size(); ++i) {
    if (place[i] != kUnknownItem) inverse[place[i]] = static_cast<uint32_t>(i);
  }
  return inverse;
}

// Answers of one session, written to where its targets stand.
class Answerer {
 public:
  Answerer(const stint_model* model, const std::vector<uint32_t>& place,
           const std::vector<uint32_t>& inverse, uint32_t k)
      : place_(place), inverse_(inverse), k_(k), best_(k) {
    stint_session* session = nullptr;
    status_ = stint_session_create(model, k, &session);
    session_.reset(session);
  }
  stint_status status() const { return status_; }

  void Session(std::span<const uint32_t> items, double* ranks, uint32_t* top) {
    Keep(stint_session_reset(session_.get()));
    for (size_t i = 0; i < items.size() && status_ == STINT_OK; ++i) {
      const uint32_t item = place_[items[i]];
      if (i > 0) Target(item, ranks + (i - 1), top + (i - 1) * k_);
      if (item != kUnknownItem) Keep(stint_observe(session_.get(), item));
    }
  }

 private:
  void Keep(stint_status status) {
    if (status_ == STINT_OK) status_ = status;
  }
  // The place among the k best is the rank: what users get. Ties are no gift: a model of which all
  // items score the same would have every target first otherwise.
  void Target(uint32_t item, double* rank, uint32_t* top) {
    size_t count = 0;
    Keep(stint_recommend(session_.get(), k_, nullptr, best_.data(), &count));
    *rank = std::numeric_limits<double>::infinity();
    for (size_t i = 0; i < count; ++i) {
      top[i] = inverse_[best_[i].item];
      if (best_[i].item == item) *rank = static_cast<double>(i + 1);
    }
  }

  const std::vector<uint32_t>& place_;
  const std::vector<uint32_t>& inverse_;
  uint32_t k_;
  std::vector<stint_recommendation> best_;
  std::unique_ptr<stint_session, SessionDeleter> session_;
  stint_status status_ = STINT_OK;
};

// What the targets of a session add up to. A session without a target is none here.
struct Sums {
  double targets = 0;
  double hits = 0;
  double reciprocal = 0;

  void Add(const Sums& other) {
    targets += other.targets;
    hits += other.hits;
    reciprocal += other.reciprocal;
  }
};

std::vector<Sums> SumsOf(const Answers& answers, uint32_t k) {
  std::vector<Sums> sums;
  for (size_t s = 0; s + 1 < answers.first_target.size(); ++s) {
    Sums session;
    for (uint64_t t = answers.first_target[s]; t < answers.first_target[s + 1]; ++t) {
      session.targets += 1;
      if (answers.ranks[t] > k) continue;
      session.hits += 1;
      session.reciprocal += 1 / answers.ranks[t];
    }
    if (session.targets > 0) sums.push_back(session);
  }
  return sums;
}

double Loss(double reference, double other) { return reference > 0 ? 1 - other / reference : 0; }

// The four figures of a comparison.
struct Figures {
  double value[4];
};
Figures FiguresOf(const Sums& reference, const Sums& other) {
  const double n = std::max(reference.targets, 1.0);
  return {{other.hits / n, other.reciprocal / n, Loss(reference.hits, other.hits),
           Loss(reference.reciprocal, other.reciprocal)}};
}

// `values` of the resamples, in any order.
Measured Interval(double value, std::vector<double> values) {
  constexpr double kTail = 0.025;
  std::sort(values.begin(), values.end());
  const double last = static_cast<double>(values.size() - 1);
  const auto at = [&](double share) {
    return values[static_cast<size_t>(std::lround(share * last))];
  };
  return {value, at(kTail), at(1 - kTail)};
}

double Overlap(const Answers& reference, const Answers& other, uint32_t k) {
  uint64_t both = 0, all = 0;
  for (size_t t = 0; t < reference.ranks.size(); ++t) {
    const uint32_t *const a = reference.top.data() + t * k, *const b = other.top.data() + t * k;
    for (uint32_t i = 0; i < k && a[i] != kUnknownItem; ++i) {
      ++all;
      both += std::find(b, b + k, a[i]) != b + k;
    }
  }
  return all == 0 ? 1 : static_cast<double>(both) / static_cast<double>(all);
}

}  // namespace

Answers AnswersOf(const stint_model* model, const Sessions& sessions,
                  const std::vector<uint32_t>& place, const AnswerOptions& options) {
  stint_model_info info = {};
  if (stint_model_describe(model, &info) != STINT_OK) throw std::logic_error("no description");
  const std::vector<uint32_t> inverse = Inverse(place, info.items);
  Answers answers;
  answers.first_target.assign(sessions.size() + 1, 0);
  for (size_t s = 0; s < sessions.size(); ++s) {
    const size_t length = sessions[s].size();
    answers.first_target[s + 1] = answers.first_target[s] + (length > 0 ? length - 1 : 0);
  }
  answers.ranks.resize(answers.first_target.back());
  answers.top.assign(answers.ranks.size() * options.k, kUnknownItem);
  std::atomic<int> failure = STINT_OK;
  std::atomic<uint64_t> done = 0;
  std::exception_ptr error;
  const int threads =
      options.threads > 0 ? static_cast<int>(options.threads) : omp_get_max_threads();
#pragma omp parallel num_threads(threads)
  {
    std::unique_ptr<Answerer> answerer;
    try {  // no exception may leave a parallel region
      answerer = std::make_unique<Answerer>(model, place, inverse, options.k);
      if (answerer->status() != STINT_OK) failure = answerer->status();
    } catch (const std::bad_alloc&) {
      failure = STINT_OUT_OF_MEMORY;
    }
#pragma omp for schedule(dynamic, 8)
    for (size_t s = 0; s < sessions.size(); ++s) {
      if (failure != STINT_OK) continue;
      const uint64_t first = answers.first_target[s];
      answerer->Session(sessions[s], answers.ranks.data() + first,
                        answers.top.data() + first * options.k);
      if (answerer->status() != STINT_OK) failure = answerer->status();
      ++done;
      if (omp_get_thread_num() != 0 || !options.progress) continue;
      try {
        options.progress(done, sessions.size());
      } catch (...) {
        error = std::current_exception();
        failure = STINT_UNSUPPORTED;
      }
    }
  }
  if (error) std::rethrow_exception(error);
  if (failure != STINT_OK) {
    throw std::runtime_error(std::string("answering test sessions: ") +
                             stint_status_message(static_cast<stint_status>(failure.load())));
  }
  return answers;
}

std::vector<Comparison> Compare(const Answers& reference, const std::vector<Answers>& others,
                                uint32_t k, uint64_t seed) {
  const std::vector<Sums> of_reference = SumsOf(reference, k);
  const size_t sessions = of_reference.size();
  std::vector<std::vector<Sums>> of_others;
  for (const Answers& answers : others) of_others.push_back(SumsOf(answers, k));
  // [others][4][resamples]
  std::vector<std::vector<std::vector<double>>> resampled(
      others.size(), std::vector<std::vector<double>>(4, std::vector<double>(kResamples)));
  std::vector<uint32_t> times(sessions);  // that a session was drawn
  for (size_t n = 0; n < kResamples; ++n) {
    const RandomCounter random(seed, n);
    std::fill(times.begin(), times.end(), 0);
    for (size_t s = 0; s < sessions; ++s) {
      const double drawn = random.Unit(s) * static_cast<double>(sessions);
      ++times[std::min(static_cast<size_t>(drawn), sessions - 1)];
    }
    const auto sum = [&](const std::vector<Sums>& all) {
      Sums total;
      for (size_t s = 0; s < sessions; ++s) {
        const double weight = times[s];
        total.Add({weight * all[s].targets, weight * all[s].hits, weight * all[s].reciprocal});
      }
      return total;
    };
    const Sums total = sum(of_reference);
    for (size_t o = 0; o < others.size(); ++o) {
      const Figures figures = FiguresOf(total, sum(of_others[o]));
      for (size_t f = 0; f < 4; ++f) resampled[o][f][n] = figures.value[f];
    }
  }
  const auto all_of = [&](const std::vector<Sums>& sums) {
    Sums total;
    for (const Sums& one : sums) total.Add(one);
    return total;
  };
  std::vector<Comparison> comparisons;
  for (size_t o = 0; o < others.size(); ++o) {
    const Figures figures = FiguresOf(all_of(of_reference), all_of(of_others[o]));
    Measured measured[4];
    for (size_t f = 0; f < 4; ++f) {
      measured[f] = Interval(figures.value[f], std::move(resampled[o][f]));
    }
    comparisons.push_back(
        {measured[0], measured[1], measured[2], measured[3], Overlap(reference, others[o], k)});
  }
  return comparisons;
}

}  // namespace stint
