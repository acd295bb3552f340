// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Many sessions at once against each alone: the same bits, for every kind of session and options,
// on every SIMD target, in any order of tasks.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tests/runtime/twins.h"

namespace stint {
namespace {

TEST(Batch, LikeEachAloneForEveryNumberOfSessions) {
  for (const DType dtype : {DType::kInt8, DType::kF32, DType::kBf16, DType::kInt4}) {
    const Parameters parameters = RandomParameters(1500, {12, 30}, GruForm::kResetAfter, 5);
    const AlignedBytes bytes = BuildTestModel(parameters, NumberCatalog(1500), dtype);
    ForEachTarget([&] {
      for (const size_t sessions : {1, 2, 3, 4, 5, 7, 8, 9, 12, 16, 17, 35}) {
        SCOPED_TRACE(sessions);
        Twins twins(bytes, sessions, 20);
        for (uint64_t round = 0; round < 4; ++round) {  // the first has no seeds
          twins.Compare(20, 0, 0, nullptr);
          twins.Click(round);
          twins.Compare(1 + static_cast<uint32_t>(MixBits(round) % 20), static_cast<int>(round % 3),
                        round * 100, nullptr);
          if (testing::Test::HasFatalFailure()) return;
        }
      }
    });
  }
}

TEST(Batch, LikeEachAloneForEveryShapeAndOption) {
  const struct {
    size_t items, units;
    uint32_t k;
  } shapes[] = {{1, 1, 5},     {63, 3, 10},    {64, 64, 64},      {65, 5, 1000},
                {700, 7, 300}, {5000, 33, 20}, {3000, 100, 1000}, {600, 530, 20}};
  for (const auto& shape : shapes) {
    SCOPED_TRACE(std::to_string(shape.items) + " x " + std::to_string(shape.units));
    for (const DType dtype : {DType::kInt8, DType::kF32}) {
      const Parameters parameters =
          RandomParameters(shape.items, {shape.units}, GruForm::kResetAfter, shape.items);
      const AlignedBytes bytes = BuildTestModel(parameters, NumberCatalog(shape.items), dtype);
      uint64_t seed = shape.items;
      ForEachTarget([&] {
        Twins twins(bytes, 13, shape.k);
        for (uint64_t round = 0; round < 3; ++round) {
          twins.Click(round);
          twins.Compare(shape.k, 2, seed += 100, nullptr);
          const uint32_t k = 1 + static_cast<uint32_t>(MixBits(seed) % shape.k);
          twins.Compare(k, 2, seed += 100, Backwards);
          twins.Compare(shape.k, 1, seed += 100, nullptr);
          if (testing::Test::HasFatalFailure()) return;
        }
      });
      if (testing::Test::HasFatalFailure()) return;
    }
  }
}

// Item rows that take few values, so that scores tie across tiles and with the threshold.
TEST(Batch, TiesGoToTheLowerItem) {
  Parameters parameters = RandomParameters(2000, {16}, GruForm::kResetAfter, 3);
  for (size_t i = 0; i < 2000; ++i) {
    const size_t like = MixBits(i) % 11;
    std::copy_n(parameters.items.Row(like), 16, parameters.items.Row(i));
    parameters.item_bias.Row(0)[i] = parameters.item_bias.Row(0)[like];
  }
  for (const DType dtype : {DType::kInt8, DType::kF32}) {
    const AlignedBytes bytes = BuildTestModel(parameters, NumberCatalog(2000), dtype);
    ForEachTarget([&] {
      Twins twins(bytes, 9, 500);
      for (uint64_t round = 0; round < 4; ++round) {
        twins.Click(round);
        for (const uint32_t k : {1, 20, 500}) twins.Compare(k, 2, round * 100 + k, nullptr);
        if (testing::Test::HasFatalFailure()) return;
      }
    });
  }
}

TEST(Batch, LikeEachAloneForEveryKindOfModel) {
  for (const ModelKind& kind : ModelKinds()) {
    SCOPED_TRACE(kind.name);
    const Parameters parameters = RandomParameters(kind, 900, {20, 33}, 4);
    const AlignedBytes bytes = BuildTestModel(kind, parameters, NameCatalog(900));
    ForEachTarget([&] {
      Twins twins(bytes, 10, 20);
      for (uint64_t round = 0; round < 3; ++round) {
        twins.Click(round);
        twins.Compare(20, 2, round * 100, Backwards);
        if (testing::Test::HasFatalFailure()) return;
      }
    });
  }
}

// As stint.h says: groups of 4, from 64 sessions on of 8, from 128 on of 16; no call for one group.
TEST(Batch, TasksAreGroups) {
  const Parameters parameters = RandomParameters(100, {8}, GruForm::kResetAfter, 6);
  const AlignedBytes bytes = BuildTestModel(parameters, NumberCatalog(100), DType::kInt8);
  const struct {
    size_t sessions, tasks;
  } cases[] = {{1, 0},   {4, 0},  {5, 2},    {8, 2},   {9, 3},
               {63, 16}, {64, 8}, {127, 16}, {128, 8}, {129, 9}};
  for (const auto& c : cases) {
    Twins twins(bytes, c.sessions, 20);
    twins.Click(1);
    size_t calls = 0, tasks = 0;
    twins.Compare(20, 0, 0, [&](size_t count, const std::function<void(size_t)>& task) {
      ++calls;
      tasks = count;
      Backwards(count, task);
    });
    EXPECT_EQ(tasks, c.tasks) << c.sessions;
    EXPECT_EQ(calls, c.tasks > 0 ? 1u : 0u);
  }
}

TEST(Batch, BadArgumentsChangeNothing) {
  const Parameters parameters = RandomParameters(300, {8}, GruForm::kResetAfter, 6);
  const AlignedBytes bytes = BuildTestModel(parameters, NumberCatalog(300), DType::kInt8);
  Twins twins(bytes, 5, 20);  // max_k: 20, 21, 22, 20, 21
  twins.Click(0);
  const ModelPointer other = OpenModel(bytes);
  const SessionPointer stranger = NewSession(other.get(), 20);
  const stint_recommendation untouched = {-7, 0xFFFFFFFF, -7.0f};
  std::vector<stint_recommendation> top(5 * 30, untouched);
  std::vector<size_t> counts(5);
  std::vector<stint_session*> sessions;
  const auto fresh = [&] {
    sessions.clear();
    for (const SessionPointer& s : twins.together()) sessions.push_back(s.get());
    counts.assign(5, 99);
  };
  const auto call = [&](uint32_t k, const stint_recommend_options* options, size_t options_count) {
    return stint_recommend_batch(sessions.data(), 5, k, options, options_count, nullptr, nullptr,
                                 top.data(), counts.data());
  };
  const auto refused = [&](stint_status status, stint_status expected, const char* what) {
    EXPECT_EQ(status, expected) << what;
    for (const size_t count : counts) EXPECT_EQ(count, 0u) << what;
    for (const auto& t : top) EXPECT_EQ(t.item, 0xFFFFFFFFu) << what;
    fresh();
  };
  fresh();
  refused(call(0, nullptr, 0), STINT_INVALID_ARGUMENT, "k = 0");
  refused(call(21, nullptr, 0), STINT_INVALID_ARGUMENT, "k above the max_k of some");
  refused(call(20, nullptr, 1), STINT_INVALID_ARGUMENT, "no options");
  stint_recommend_options options[5] = {};
  refused(call(20, options, 4), STINT_INVALID_ARGUMENT, "neither one nor one each");
  const uint32_t items[] = {299, 300};
  options[4].deny = items;
  options[4].deny_count = 2;
  refused(call(20, options, 5), STINT_INVALID_ARGUMENT, "an item past the catalog");
  options[4] = {};
  options[2].allow_count = 1;
  refused(call(20, options, 5), STINT_INVALID_ARGUMENT, "a list that is missing");
  options[2] = {};
  sessions[3] = nullptr;
  refused(call(20, nullptr, 0), STINT_INVALID_ARGUMENT, "a null session");
  sessions[4] = sessions[0];
  refused(call(20, nullptr, 0), STINT_INVALID_ARGUMENT, "a session twice");
  sessions[1] = sessions[2];
  refused(call(20, nullptr, 0), STINT_INVALID_ARGUMENT, "neighbors that are the same");
  sessions[2] = stranger.get();
  refused(call(20, nullptr, 0), STINT_OTHER_MODEL, "another model object");
  refused(stint_recommend_batch(nullptr, 5, 20, nullptr, 0, nullptr, nullptr, top.data(),
                                counts.data()),
          STINT_INVALID_ARGUMENT, "no sessions");
  refused(stint_recommend_batch(sessions.data(), 5, 20, nullptr, 0, nullptr, nullptr, nullptr,
                                counts.data()),
          STINT_INVALID_ARGUMENT, "no room for answers");
  EXPECT_EQ(stint_recommend_batch(sessions.data(), 5, 20, nullptr, 0, nullptr, nullptr, top.data(),
                                  nullptr),
            STINT_INVALID_ARGUMENT);
  EXPECT_EQ(stint_recommend_batch(nullptr, 0, 20, nullptr, 0, nullptr, nullptr, nullptr, nullptr),
            STINT_OK);
  twins.Compare(20, 0, 0, nullptr);  // all sessions as before
}

}  // namespace
}  // namespace stint
