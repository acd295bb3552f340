// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// One model, many threads: every session gets the answers it gets alone.
#include <gtest/gtest.h>

#include <cstdint>
#include <thread>
#include <vector>

#include "tests/runtime/test_model.h"

namespace stint {
namespace {

// What a session answers after each of its events, folded into words.
std::vector<uint64_t> Follow(const stint_model* model, uint64_t user) {
  stint_session* session = nullptr;
  if (stint_session_create(model, 10, &session) != STINT_OK) return {};
  std::vector<uint64_t> answers;
  stint_recommendation top[10];
  for (uint64_t step = 0; step < 30; ++step) {
    size_t count = 0;
    stint_recommend_options options = {};
    options.exclude_seen = step % 2;
    if (stint_recommend(session, 10, &options, top, &count) != STINT_OK) return {};
    for (size_t i = 0; i < count; ++i) {
      answers.push_back(uint64_t{top[i].item} << 32 | FloatBits(top[i].score));
    }
    stint_observe(session, static_cast<uint32_t>(MixBits(user * 1000 + step) % 1000));
  }
  stint_session_destroy(session);
  return answers;
}

TEST(Threads, SameAnswersAsAlone) {
  const Parameters parameters = RandomParameters(990, {20, 24}, GruForm::kResetAfter, 4);
  const AlignedBytes bytes = BuildTestModel(parameters, NumberCatalog(990), DType::kInt8);
  constexpr uint64_t kUsers = 24, kThreads = 6;
  std::vector<std::vector<uint64_t>> alone(kUsers), together(kUsers);
  {
    const ModelPointer model = OpenModel(bytes);
    for (uint64_t user = 0; user < kUsers; ++user) alone[user] = Follow(model.get(), user);
  }
  ASSERT_FALSE(alone[0].empty());
  EXPECT_NE(alone[0], alone[1]);
  const ModelPointer model = OpenModel(bytes);
  std::vector<std::thread> threads;
  for (uint64_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (uint64_t user = t; user < kUsers; user += kThreads) {
        together[user] = Follow(model.get(), user);
        // Opening and testing at the same time disturbs nobody either.
        stint_model* second = nullptr;
        if (stint_model_from_buffer(bytes.data(), bytes.size(), &second, nullptr) != STINT_OK ||
            stint_model_self_test(second, nullptr) != STINT_OK) {
          together[user].clear();
        }
        stint_model_destroy(second);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (uint64_t user = 0; user < kUsers; ++user) EXPECT_EQ(together[user], alone[user]) << user;
}

}  // namespace
}  // namespace stint
