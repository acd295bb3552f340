// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

#include "tools/answer_diff.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <span>
#include <vector>

#include "tools/common.h"

namespace stint {
namespace {

using SessionPointer = std::unique_ptr<stint_session, void (*)(stint_session*)>;
using Answer = std::vector<stint_recommendation>;

constexpr uint64_t kProgressEvery = 64;

class Recommender {
 public:
  Recommender(const stint_model* model, uint32_t k)
      : k_(std::min(k, Describe(model).items)), session_(nullptr, stint_session_destroy) {
    stint_session* session = nullptr;
    Check(stint_session_create(model, k_, &session), "session");
    session_.reset(session);
  }

  const Answer& Ask(std::span<const uint32_t> items) {
    Check(stint_session_reset(session_.get()), "session");
    for (const uint32_t item : items) Check(stint_observe(session_.get(), item), "click");
    answer_.resize(k_);
    size_t count = 0;
    Check(stint_recommend(session_.get(), k_, nullptr, answer_.data(), &count), "recommendation");
    answer_.resize(count);
    return answer_;
  }

 private:
  uint32_t k_;
  SessionPointer session_;
  Answer answer_;
};

void Compare(const Answer& a, const Answer& b, const ItemMatch& match, AnswerDiff* diff) {
  std::vector<std::pair<uint32_t, float>> places;  // of b, by item
  for (const stint_recommendation& r : b) places.emplace_back(r.item, r.score);
  std::sort(places.begin(), places.end());
  uint64_t both = 0;
  bool same = a.size() == b.size();
  for (size_t i = 0; i < a.size(); ++i) {
    const uint32_t item = match.b_of_a[a[i].item];
    same &= i < b.size() && item == b[i].item;
    const auto at = std::lower_bound(
        places.begin(), places.end(), item,
        [](const std::pair<uint32_t, float>& place, uint32_t x) { return place.first < x; });
    if (at == places.end() || at->first != item) continue;
    ++both;
    const double difference = std::fabs(double{a[i].score} - double{at->second});
    diff->mean_score_difference += difference;
    diff->largest_score_difference = std::max(diff->largest_score_difference, difference);
  }
  ++diff->sessions;
  diff->scores += both;
  diff->overlap += static_cast<double>(both) / static_cast<double>(std::max(a.size(), b.size()));
  diff->same_top += match.b_of_a[a[0].item] == b[0].item ? 1 : 0;
  diff->same_list += same ? 1 : 0;
}

}  // namespace

AnswerDiff DiffAnswers(const stint_model* a, const stint_model* b, const ItemMatch& match,
                       const Sessions& sessions, uint32_t k,
                       const std::function<void(uint64_t done, uint64_t total)>& progress) {
  AnswerDiff diff;
  Recommender ask_a(a, k);
  Recommender ask_b(b, k);
  std::vector<uint32_t> a_items, b_items;
  for (size_t s = 0; s < sessions.size(); ++s) {
    if (s % kProgressEvery == 0) progress(s, sessions.size());
    a_items.clear();
    b_items.clear();
    for (const uint32_t item : sessions[s]) {
      if (match.b_of_a[item] == ItemMatch::kNone) continue;
      a_items.push_back(item);
      b_items.push_back(match.b_of_a[item]);
    }
    if (a_items.empty()) {
      ++diff.skipped;
      continue;
    }
    Compare(ask_a.Ask(a_items), ask_b.Ask(b_items), match, &diff);
  }
  const double n = static_cast<double>(std::max<uint64_t>(diff.sessions, 1));
  diff.overlap /= n;
  diff.same_top /= n;
  diff.same_list /= n;
  diff.mean_score_difference /= static_cast<double>(std::max<uint64_t>(diff.scores, 1));
  return diff;
}

}  // namespace stint
