// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Model -> a long run of every call that serves a session, folded into one number: for tests that
// compare runs or watch what a run does. The run itself allocates, locks and prints nothing.
#ifndef STINT_TESTS_RUNTIME_HOT_PATH_H_
#define STINT_TESTS_RUNTIME_HOT_PATH_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "tests/runtime/test_model.h"

namespace stint {

class HotPath {
 public:
  static constexpr uint64_t kFailed = 1;  // what Run() returns if a call failed

  // `model` outlives this object; its catalog is NumberCatalog() or NameCatalog().
  explicit HotPath(const stint_model* model)
      : model_(model), session_(NewSession(model, kMaxK)), other_(NewSession(model, kMaxK)) {
    stint_model_info info;
    EXPECT_EQ(stint_model_describe(model, &info), STINT_OK);
    items_ = info.items;
    catalog_ = info.ids_are_names ? NameCatalog(items_) : NumberCatalog(items_);
    uint32_t units = 0;
    for (uint32_t l = 0; l < info.layers; ++l) units += info.units[l];
    scores_.resize(items_);
    state_.resize(64 + 4 * units + 8 * items_);
    bits_.assign((items_ + 63) / 64, 0xF0F0F0F0F0F0F0F1);
    few_ = {7 % items_, items_ - 1, 7 % items_, items_ / 2};
    for (uint32_t i = 0; i < items_; i += 3) many_.push_back(i);
  }

  // `steps` recommendations and events of a user, from an empty session on -> a hash of all
  // answers.
  uint64_t Run(uint32_t steps, uint64_t user) {
    hash_ = 2;
    failures_ = 0;
    Check(stint_session_reset(session_.get()));
    for (uint32_t step = 0; step < steps; ++step) {
      const uint32_t item = static_cast<uint32_t>(MixBits(user * 1000003 + step) % items_);
      Recommend(step);
      if (step % 16 == 15) OtherCalls(item);
      if (step % 100 == 99) Check(stint_session_reset(session_.get()));
      Observe(step, item);
    }
    return failures_ > 0 ? kFailed : hash_;
  }

 private:
  static constexpr uint32_t kMaxK = 20;

  void Check(stint_status status, stint_status expected = STINT_OK) {
    failures_ += status != expected;
  }
  void Fold(uint64_t word) { hash_ = MixBits(hash_ ^ word); }
  void Fold(const stint_recommendation& r) {
    Fold(uint64_t{r.item} << 32 | FloatBits(r.score));
    Fold(static_cast<uint64_t>(r.id));
  }

  void Recommend(uint32_t step) {
    options_ = {};
    options_.exclude_seen = step % 2;
    options_.deny = few_.data();
    options_.deny_count = step % 3;
    if (step % 5 == 1) options_.allow_bits = bits_.data();
    if (step % 7 == 1) {
      const std::vector<uint32_t>& list = step % 2 ? few_ : many_;
      options_.allow = list.data();
      options_.allow_count = list.size();
    }
    Check(stint_recommend(session_.get(), 1 + step % kMaxK, &options_, top_, &count_));
    for (size_t i = 0; i < count_; ++i) Fold(top_[i]);
  }

  void OtherCalls(uint32_t item) {
    stint_session* const s = session_.get();
    uint32_t higher = 0, equal = 0, units = 0;
    const float* hidden = nullptr;
    size_t size = 0;
    Check(stint_top_probabilities(s, top_, count_, scores_.data()));
    for (size_t i = 0; i < count_; ++i) Fold(FloatBits(scores_[i]));
    Check(stint_item_probabilities(s, few_.data(), few_.size(), scores_.data()));
    for (size_t i = 0; i < few_.size(); ++i) Fold(FloatBits(scores_[i]));
    Check(stint_item_scores(s, few_.data(), few_.size(), scores_.data()));
    for (size_t i = 0; i < few_.size(); ++i) Fold(FloatBits(scores_[i]));
    Check(stint_rank(s, item, &higher, &equal));
    Fold(uint64_t{higher} << 32 | equal);
    Check(stint_scores(s, scores_.data()));
    for (const float score : scores_) Fold(FloatBits(score));
    Check(stint_session_hidden(s, 0, &hidden, &units));
    for (uint32_t i = 0; i < units; ++i) {
      Fold(FloatBits(stint_final_activation(model_, hidden[i])));
    }
    Check(stint_session_export(s, state_.data(), state_.size(), &size));
    Check(stint_session_import(other_.get(), state_.data(), size));
    Check(stint_session_import(other_.get(), state_.data(), size - 1), STINT_CORRUPT);
    Check(stint_session_copy(other_.get(), s));
    Check(stint_observe(s, items_), STINT_UNKNOWN_ITEM);
    stint_session* const both[] = {s, other_.get()};
    size_t counts[2] = {};
    Check(stint_recommend_batch(both, 2, kMaxK / 2, &options_, 1, nullptr, nullptr, top_, counts));
    for (size_t i = 0; i < counts[0]; ++i) Fold(top_[i]);
    for (size_t i = 0; i < counts[1]; ++i) Fold(top_[kMaxK / 2 + i]);
    Fold(stint_session_observed(s) << 32 | stint_session_unknown(s));
  }

  void Observe(uint32_t step, uint32_t item) {
    uint32_t found = 0, popularity = 0;
    if (catalog_.ids.are_names) {
      const std::string& own = catalog_.ids.names[item];
      const char* name = nullptr;
      size_t length = 0;
      Check(stint_item_name(model_, item, &name, &length));
      Check(stint_item_from_name(model_, name, length, &found));
      Check(stint_observe_name(session_.get(), own.data(), own.size()));
    } else if (step % 2) {
      int64_t id = 0;
      Check(stint_item_id(model_, item, &id));
      Check(stint_item_from_id(model_, id, &found));
      Check(stint_observe_id(session_.get(), catalog_.ids.numbers[item]));
    } else {
      found = item;
      Check(stint_observe(session_.get(), item));
    }
    Check(stint_item_count(model_, item, &popularity));
    failures_ += found != item || popularity != catalog_.counts[item];
  }

  const stint_model* const model_;
  const SessionPointer session_, other_;
  uint32_t items_ = 0;
  Catalog catalog_;
  std::vector<float> scores_;         // [items]
  std::vector<uint8_t> state_;        // room for a session that has seen all items
  std::vector<uint64_t> bits_;        // [(items + 63) / 64] of an allowed category
  std::vector<uint32_t> few_, many_;  // items of lists
  stint_recommend_options options_ = {};
  stint_recommendation top_[kMaxK];
  size_t count_ = 0;
  uint64_t hash_ = 0, failures_ = 0;
};

}  // namespace stint

#endif  // STINT_TESTS_RUNTIME_HOT_PATH_H_
