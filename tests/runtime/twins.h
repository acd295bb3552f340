// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Pairs of sessions with the same clicks: one answers alone, the other in a batch, and both must
// give the same.
#ifndef STINT_TESTS_RUNTIME_TWINS_H_
#define STINT_TESTS_RUNTIME_TWINS_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <functional>
#include <vector>

#include "runtime/session.h"
#include "stint/stint.hpp"
#include "tests/runtime/test_model.h"

namespace stint {

using ParallelFor = std::function<void(size_t tasks, const std::function<void(size_t)>& task)>;

inline void Backwards(size_t tasks, const std::function<void(size_t)>& task) {
  for (size_t i = tasks; i > 0; --i) task(i - 1);
}

// Lists and bits of one session's options, of every kind, drawn from a seed.
struct AnyOptions {
  stint_recommend_options options = {};
  std::vector<uint32_t> deny;
  std::vector<uint32_t> allow;
  std::vector<uint64_t> bits;

  AnyOptions(size_t items, uint64_t seed) {
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
  AnyOptions(const AnyOptions& o) : options(o.options), deny(o.deny), allow(o.allow), bits(o.bits) {
    Point();
  }
  AnyOptions& operator=(const AnyOptions&) = delete;

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
  Twins(const AlignedBytes& bytes, size_t sessions, uint32_t max_k) : model_(OpenModel(bytes)) {
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
    std::vector<AnyOptions> drawn;
    std::vector<stint_recommend_options> options;
    for (size_t i = 0; i < (how == 0 ? 0 : how == 1 ? 1 : count); ++i) {
      drawn.emplace_back(items_, seed + i);
    }
    for (const AnyOptions& o : drawn) options.push_back(o.options);
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
  size_t items_ = 0;
  std::vector<SessionPointer> alone_;
  std::vector<SessionPointer> together_;
};

}  // namespace stint

#endif  // STINT_TESTS_RUNTIME_TWINS_H_
