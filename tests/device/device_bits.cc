// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// A model -> a hash of all that the runtime computes with it in fixed sessions.
#include "tests/device/device_bits.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstring>
#include <memory>
#include <vector>

namespace stint {
namespace {

using SessionPointer = std::unique_ptr<stint_session, void (*)(stint_session*)>;

constexpr uint32_t kMaxK = 50;

// Any number -> an item, the same everywhere.
uint32_t Item(uint32_t number, uint32_t items) {
  uint64_t x = (number + 1) * 0x9E3779B97F4A7C15u;
  x ^= x >> 29;
  return static_cast<uint32_t>(x % items);
}

// Calls that fail end up in failed(): the first one stays.
class Recorder {
 public:
  explicit Recorder(const stint_model* model) : model_(model) {
    Check(stint_model_describe(model, &info_), "stint_model_describe");
    scores_.resize(info_.items);
    allow_bits_.resize((info_.items + 63) / 64);
    for (uint32_t i = 0; i < info_.items; i += 3) allow_bits_[i / 64] |= uint64_t{1} << i % 64;
  }

  // 20 steps, back to an empty session every nine.
  void Run() {
    const SessionPointer session = NewSession();
    const SessionPointer other = NewSession();
    if (failed_) return;
    for (uint32_t step = 0; step < 20 && !failed_; ++step) {
      if (step % 9 == 0) Check(stint_session_reset(session.get()), "stint_session_reset");
      const uint32_t item = Item(step, info_.items);
      Recommendations(session.get(), step);
      Check(stint_observe(session.get(), item), "stint_observe");
      Hidden(session.get());
      Scores(session.get(), item);
      if (step % 7 == 3) State(session.get(), other.get());
    }
    Recommendations(other.get(), 0);
    Hidden(other.get());
    Batch();
  }

  const char* failed() const { return failed_; }
  uint64_t Hash() const { return XXH3_64bits(words_.data(), words_.size() * sizeof(words_[0])); }

 private:
  void Check(stint_status status, const char* call) {
    if (status != STINT_OK && !failed_) failed_ = call;
  }
  SessionPointer NewSession() {
    stint_session* session = nullptr;
    Check(stint_session_create(model_, kMaxK, &session), "stint_session_create");
    return {session, stint_session_destroy};
  }

  void Add(uint32_t word) { words_.push_back(word); }
  void Add(float value) {
    uint32_t word;
    std::memcpy(&word, &value, sizeof(word));
    words_.push_back(word);
  }

  void Recommend(stint_session* session, uint32_t k, const stint_recommend_options& options) {
    stint_recommendation top[kMaxK];
    float probabilities[kMaxK] = {};
    size_t count = 0;
    Check(stint_recommend(session, k, &options, top, &count), "stint_recommend");
    Add(static_cast<uint32_t>(count));
    for (size_t i = 0; i < count && !failed_; ++i) {
      Add(top[i].item);
      Add(top[i].score);
      Add(stint_final_activation(model_, top[i].score));
    }
    if (k != kMaxK) return;
    Check(stint_top_probabilities(session, top, count, probabilities), "stint_top_probabilities");
    for (size_t i = 0; i < count; ++i) Add(probabilities[i]);
  }

  // With no filter but what was seen; with a list of what is allowed and not; with a bitmap.
  void Recommendations(stint_session* session, uint32_t step) {
    stint_recommend_options options = {};
    options.exclude_seen = 1;
    Recommend(session, kMaxK, options);
    Recommend(session, 1, stint_recommend_options());

    uint32_t deny[30];
    uint32_t allow[100];
    for (uint32_t i = 0; i < 30; ++i) deny[i] = Item(1000 + 31 * step + i, info_.items);
    for (uint32_t i = 0; i < 100; ++i) allow[i] = Item(5000 + 17 * step + i, info_.items);
    options.deny = deny;
    options.deny_count = 30;
    options.allow_bits = allow_bits_.data();
    Recommend(session, 20, options);
    options.allow = allow;
    options.allow_count = 100;
    Recommend(session, 20, options);
  }

  void Hidden(const stint_session* session) {
    for (uint32_t layer = 0; layer < info_.layers && !failed_; ++layer) {
      const float* hidden = nullptr;
      uint32_t units = 0;
      Check(stint_session_hidden(session, layer, &hidden, &units), "stint_session_hidden");
      for (uint32_t j = 0; j < units; ++j) Add(hidden[j]);
    }
  }

  void Scores(stint_session* session, uint32_t item) {
    Check(stint_scores(session, scores_.data()), "stint_scores");
    for (const float score : scores_) Add(score);
    uint32_t higher = 0, equal = 0;
    Check(stint_rank(session, item, &higher, &equal), "stint_rank");
    Add(higher);
    Add(equal);
    const uint32_t items[] = {item, 0, info_.items - 1};
    float values[3] = {};
    Check(stint_item_scores(session, items, 3, values), "stint_item_scores");
    for (const float value : values) Add(value);
    Check(stint_item_probabilities(session, items, 3, values), "stint_item_probabilities");
    for (const float value : values) Add(value);
  }

  // From one session into another, which goes on with it. The bytes' first 64 name the model and
  // are its own.
  void State(const stint_session* from, stint_session* to) {
    std::vector<uint8_t> state(stint_session_state_size(from));
    size_t size = 0;
    Check(stint_session_export(from, state.data(), state.size(), &size), "stint_session_export");
    Add(static_cast<uint32_t>(size));
    for (size_t i = 64; i < size; ++i) Add(uint32_t{state[i]});
    Check(stint_session_import(to, state.data(), size), "stint_session_import");
    Check(stint_observe(to, Item(static_cast<uint32_t>(size), info_.items)), "stint_observe");
  }

  // Sessions of 0 to 8 clicks at once.
  void Batch() {
    constexpr size_t kSessions = 9;
    constexpr uint32_t kTop = 10;
    std::vector<SessionPointer> owners;
    stint_session* sessions[kSessions];
    for (uint32_t s = 0; s < kSessions && !failed_; ++s) {
      owners.push_back(NewSession());
      sessions[s] = owners.back().get();
      for (uint32_t click = 0; click < s; ++click) {
        Check(stint_observe(sessions[s], Item(100 * s + click, info_.items)), "stint_observe");
      }
    }
    if (failed_) return;
    stint_recommendation top[kSessions * kTop] = {};
    size_t counts[kSessions] = {};
    Check(
        stint_recommend_batch(sessions, kSessions, kTop, nullptr, 0, nullptr, nullptr, top, counts),
        "stint_recommend_batch");
    for (const stint_recommendation& r : top) {
      Add(r.item);
      Add(r.score);
    }
    for (const size_t count : counts) Add(static_cast<uint32_t>(count));
  }

  const stint_model* const model_;
  stint_model_info info_ = {};
  const char* failed_ = nullptr;
  std::vector<float> scores_;         // [items]
  std::vector<uint64_t> allow_bits_;  // [(items + 63) / 64] every third item
  std::vector<uint32_t> words_;
};

}  // namespace

uint64_t DeviceBits(const stint_model* model, const char** failed) {
  Recorder recorder(model);
  if (!recorder.failed()) recorder.Run();
  *failed = recorder.failed();
  return *failed ? 0 : recorder.Hash();
}

uint64_t HashOf(const uint64_t* numbers, size_t count) {
  return XXH3_64bits(numbers, count * sizeof(numbers[0]));
}

}  // namespace stint
