// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Many sessions at once against each alone: the same bits, for every kind of session and options,
// on every SIMD target, in any order of tasks.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "runtime/session.h"
#include "stint/stint.hpp"
#include "tests/runtime/test_model.h"

namespace stint {
namespace {

using ParallelFor = std::function<void(size_t tasks, const std::function<void(size_t)>& task)>;

void Backwards(size_t tasks, const std::function<void(size_t)>& task) {
  for (size_t i = tasks; i > 0; --i) task(i - 1);
}

void WithThreads(size_t tasks, const std::function<void(size_t)>& task) {
  std::atomic<size_t> next{0};
  std::vector<std::thread> threads;
  for (size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (size_t i; (i = next++) < tasks;) task(i);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// Lists and bits of one session's options, of every kind, drawn from a seed.
struct Options {
  stint_recommend_options options = {};
  std::vector<uint32_t> deny;
  std::vector<uint32_t> allow;
  std::vector<uint64_t> bits;

  Options(size_t items, uint64_t seed) {
    const auto draw = [&](uint64_t i) { return MixBits(seed * 1000003 + i); };
    options.exclude_seen = draw(0) % 2;
    if (draw(1) % 3 == 0) {
      for (uint64_t i = 0; i < draw(2) % 40; ++i) {
        deny.push_back(static_cast<uint32_t>(draw(100 + i) % items));
      }
    }
    const uint64_t kind = draw(3) % 8;
    if (kind < 2) {  // an allow list, short or long
      const uint64_t count = kind == 0 ? draw(4) % (items / 16 + 1) : items / 2 + 1;
      for (uint64_t i = 0; i < count; ++i) {
        allow.push_back(static_cast<uint32_t>(draw(1000 + i) % items));
      }
      allow.push_back(0);
    }
    if (kind >= 1 && kind < 4) {  // dense, a few in a tile, or few tiles
      for (uint64_t i = 0; i < (items + 63) / 64; ++i) {
        const uint64_t word = draw(500000 + i);
        bits.push_back(kind == 1 ? word : kind == 2 ? word % 3 << word % 61 : -(word % 5 / 4));
      }
    }
    Point();
  }
  Options(const Options& o) : options(o.options), deny(o.deny), allow(o.allow), bits(o.bits) {
    Point();
  }
  Options& operator=(const Options&) = delete;

  void Point() {
    options.deny = deny.data();
    options.deny_count = deny.size();
    options.allow = allow.empty() ? nullptr : allow.data();
    options.allow_count = allow.size();
    options.allow_bits = bits.empty() ? nullptr : bits.data();
  }
};

// Two of each session, with the same clicks: `alone` answers one by one, `together` as a batch.
class Twins {
 public:
  Twins(const AlignedBytes& bytes, size_t sessions, uint32_t max_k)
      : model_(OpenModel(bytes)), max_k_(max_k) {
    stint_model_info info;
    EXPECT_EQ(stint_model_describe(model_.get(), &info), STINT_OK);
    items_ = info.items;
    for (size_t i = 0; i < sessions; ++i) {
      alone_.push_back(NewSession(model_.get(), max_k + i % 3));
      together_.push_back(NewSession(model_.get(), max_k + i % 3));
    }
  }

  // One click in most of the sessions; every seventh stays empty.
  void Click(uint64_t round) {
    for (size_t i = 0; i < alone_.size(); ++i) {
      if (i % 7 == 3) continue;
      const uint32_t item = static_cast<uint32_t>(MixBits(round * 7919 + i) % items_);
      ASSERT_EQ(stint_observe(alone_[i].get(), item), STINT_OK);
      ASSERT_EQ(stint_observe(together_[i].get(), item), STINT_OK);
    }
  }

  // `how` 0: no options, 1: one for all, 2: one each.
  void Compare(uint32_t k, int how, uint64_t seed, ParallelFor parallel_for) {
    const size_t count = alone_.size();
    const stint_recommendation untouched = {-7, 0xFFFFFFFF, -7.0f};
    std::vector<stint_recommendation> expected(count * k, untouched), top(count * k, untouched);
    std::vector<size_t> expected_counts(count), counts(count, 99);
    std::vector<Options> drawn;
    std::vector<stint_recommend_options> options;
    for (size_t i = 0; i < (how == 0 ? 0 : how == 1 ? 1 : count); ++i) {
      drawn.emplace_back(items_, seed + i);
    }
    for (const Options& o : drawn) options.push_back(o.options);
    for (size_t i = 0; i < count; ++i) {
      const stint_recommend_options* o = how == 0 ? nullptr : &options[how == 1 ? 0 : i];
      ASSERT_EQ(
          stint_recommend(alone_[i].get(), k, o, expected.data() + i * k, &expected_counts[i]),
          STINT_OK);
    }
    std::vector<stint_session*> sessions;
    for (const SessionPointer& s : together_) sessions.push_back(s.get());
    if (parallel_for) {
      ASSERT_EQ(RecommendBatch(sessions.data(), count, k, options.data(), options.size(),
                               top.data(), counts.data(), parallel_for),
                STINT_OK);
    } else {
      ASSERT_EQ(RecommendBatch(sessions.data(), count, k, options.data(), options.size(),
                               top.data(), counts.data()),
                STINT_OK);
    }
    EXPECT_EQ(counts, expected_counts);
    for (size_t i = 0; i < count * k; ++i) {
      ASSERT_EQ(top[i].item, expected[i].item) << "session " << i / k << ", place " << i % k;
      ASSERT_EQ(top[i].id, expected[i].id);
      ASSERT_EQ(FloatBits(top[i].score), FloatBits(expected[i].score));
    }
    for (size_t i = 0; i < count; ++i) CompareStates(i);
  }

  size_t items() const { return items_; }
  std::vector<SessionPointer>& together() { return together_; }
  const stint_model* model() const { return model_.get(); }

 private:
  // What a recommendation leaves behind.
  void CompareStates(size_t i) {
    const auto* a = reinterpret_cast<const SessionState*>(alone_[i].get());
    const auto* b = reinterpret_cast<const SessionState*>(together_[i].get());
    ASSERT_EQ(a->seed_count, b->seed_count) << i;
    ASSERT_EQ(std::memcmp(a->seeds, b->seeds, a->seed_count * sizeof(uint32_t)), 0) << i;
    for (size_t w = 0; w < b->words; ++w) ASSERT_EQ(b->deny[w], 0u) << i;
    ASSERT_EQ(std::memcmp(a->seen, b->seen, a->words * sizeof(uint64_t)), 0) << i;
  }

  ModelPointer model_;
  uint32_t max_k_;
  size_t items_ = 0;
  std::vector<SessionPointer> alone_;
  std::vector<SessionPointer> together_;
};

TEST(Batch, LikeEachAloneForEveryNumberOfSessions) {
  for (const DType dtype : {DType::kInt8, DType::kF32}) {
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
    const AlignedBytes bytes =
        BuildTestModel(parameters, NameCatalog(900), kind.dtype, {}, kind.hidden);
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

TEST(Batch, TasksInThreads) {
  const Parameters parameters = RandomParameters(2500, {24}, GruForm::kResetAfter, 6);
  const AlignedBytes bytes = BuildTestModel(parameters, NumberCatalog(2500), DType::kInt8);
  for (const size_t sessions : {1, 4, 5, 30, 63, 64, 100, 150}) {
    Twins twins(bytes, sessions, 20);
    for (uint64_t round = 0; round < 3; ++round) {
      twins.Click(round);
      twins.Compare(20, 2, round * 1000, WithThreads);
      if (HasFatalFailure()) return;
    }
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
