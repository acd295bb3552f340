// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Sessions of a few clicks -> their exported bytes, and all that a caller can see of them.
#ifndef STINT_TESTS_RUNTIME_STATE_BYTES_H_
#define STINT_TESTS_RUNTIME_STATE_BYTES_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "tests/runtime/test_model.h"

namespace stint {

// The item of a step of the tests' sessions.
inline uint32_t Click(uint32_t step, uint32_t items) {
  return static_cast<uint32_t>(MixBits(step) % items);
}

// A session of its first `clicks`, every fourth of which is followed by an unknown one.
inline SessionPointer Clicked(const stint_model* model, uint32_t items, uint32_t clicks) {
  SessionPointer session = NewSession(model, items);
  for (uint32_t step = 0; step < clicks; ++step) {
    EXPECT_EQ(stint_observe(session.get(), Click(step, items)), STINT_OK);
    if (step % 4 != 0) continue;
    EXPECT_EQ(stint_observe(session.get(), UINT32_MAX), STINT_UNKNOWN_ITEM);
  }
  return session;
}

inline AlignedBytes CopyOf(const AlignedBytes& bytes) {
  AlignedBytes copy(bytes.size());
  std::memcpy(copy.data(), bytes.data(), bytes.size());
  return copy;
}

using StateBytes = std::vector<uint8_t>;

inline StateBytes Export(const stint_session* session) {
  StateBytes bytes(stint_session_state_size(session));
  size_t size = 0;
  EXPECT_EQ(stint_session_export(session, bytes.data(), bytes.size(), &size), STINT_OK);
  EXPECT_EQ(size, bytes.size());
  return bytes;
}

// From a block of exactly its size, at an odd address: sanitizers see any step past it.
inline stint_status Import(const StateBytes& bytes, stint_session* session) {
  std::vector<uint8_t> block(bytes.size() + 1);
  std::copy(bytes.begin(), bytes.end(), block.begin() + 1);
  return stint_session_import(session, block.data() + 1, bytes.size());
}

// The items that may be recommended beside those seen, by index.
inline std::vector<uint32_t> NotSeen(stint_session* session, uint32_t items) {
  std::vector<stint_recommendation> top(items);
  size_t count = 0;
  stint_recommend_options options = {};
  options.exclude_seen = 1;
  EXPECT_EQ(stint_recommend(session, items, &options, top.data(), &count), STINT_OK);
  std::vector<uint32_t> result;
  for (size_t i = 0; i < count; ++i) result.push_back(top[i].item);
  std::sort(result.begin(), result.end());
  return result;
}

// Counters, hidden states, scores and recommendations, with and without the items seen, as bits.
// The session was made for max_k = items.
inline std::vector<uint64_t> Everything(stint_session* session, const stint_model* model) {
  stint_model_info info;
  EXPECT_EQ(stint_model_describe(model, &info), STINT_OK);
  std::vector<uint64_t> words = {stint_session_observed(session), stint_session_unknown(session)};
  for (uint32_t layer = 0; layer < info.layers; ++layer) {
    const float* hidden = nullptr;
    uint32_t units = 0;
    EXPECT_EQ(stint_session_hidden(session, layer, &hidden, &units), STINT_OK);
    for (uint32_t j = 0; j < units; ++j) words.push_back(FloatBits(hidden[j]));
  }
  std::vector<float> scores(info.items);
  EXPECT_EQ(stint_scores(session, scores.data()), STINT_OK);
  for (const float score : scores) words.push_back(FloatBits(score));
  for (const int32_t exclude_seen : {0, 1}) {
    std::vector<stint_recommendation> top(info.items);
    size_t count = 0;
    stint_recommend_options options = {};
    options.exclude_seen = exclude_seen;
    EXPECT_EQ(stint_recommend(session, info.items, &options, top.data(), &count), STINT_OK);
    words.push_back(count);
    for (size_t i = 0; i < count; ++i) {
      words.push_back(top[i].item);
      words.push_back(static_cast<uint64_t>(top[i].id));
      words.push_back(FloatBits(top[i].score));
    }
  }
  return words;
}

}  // namespace stint

#endif  // STINT_TESTS_RUNTIME_STATE_BYTES_H_
