// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Recommendations under every combination of filters, and scores of given items, against the scalar
// model's scores sorted in full: every kind of weights, every target, every k up to 1,000.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <set>
#include <vector>

#include "tests/runtime/scalar_model.h"
#include "tests/runtime/test_model.h"

namespace stint {
namespace {

constexpr uint32_t kMaxK = 1000;

// What a call may ask for, and the lists behind it.
struct Question {
  uint32_t k = 20;
  bool exclude_seen = false;
  std::vector<uint32_t> deny;
  bool has_allow = false;
  std::vector<uint32_t> allow;
  std::vector<uint64_t> bits;  // empty: none

  // Those of `items` that pass, in their order.
  std::vector<uint32_t> Passing(uint32_t items, const std::set<uint32_t>& seen) const {
    std::vector<bool> passes(items, !has_allow);
    for (const uint32_t item : allow) passes[item] = true;
    for (const uint32_t item : deny) passes[item] = false;
    std::vector<uint32_t> out;
    for (uint32_t item = 0; item < items; ++item) {
      if (exclude_seen && seen.count(item)) continue;
      if (!bits.empty() && !(bits[item / 64] >> item % 64 & 1)) continue;
      if (passes[item]) out.push_back(item);
    }
    return out;
  }
};

class Filters : public testing::Test {
 protected:
  // `levels` > 0: item rows take that many different values only, so that scores tie.
  void Open(size_t items, DType dtype, uint64_t levels) {
    Parameters parameters = RandomParameters(items, {8}, GruForm::kResetAfter, items);
    for (size_t i = 0; levels > 0 && i < items; ++i) {
      const size_t like = MixBits(i) % levels;
      std::copy_n(parameters.items.Row(like), 8, parameters.items.Row(i));
      parameters.item_bias.Row(0)[i] = parameters.item_bias.Row(0)[like];
    }
    catalog_ = NumberCatalog(items);
    bytes_ = BuildTestModel(parameters, catalog_, dtype);
    session_.reset();
    model_ = OpenModel(bytes_);
    session_ = NewSession(model_.get(), kMaxK);
    scalar_ = std::make_unique<ScalarModel>(parameters, dtype);
    seen_.clear();
    items_ = static_cast<uint32_t>(items);
    Score();
  }

  void Observe(uint32_t item) {
    ASSERT_EQ(stint_observe(session_.get(), item), STINT_OK);
    scalar_->Step(item);
    seen_.insert(item);
    Score();
  }

  void Score() {
    scores_.assign(catalog_.counts.begin(), catalog_.counts.end());
    if (!seen_.empty()) scores_ = scalar_->Scores();
  }

  void Check(const Question& q) {
    stint_recommend_options options = {};
    options.exclude_seen = q.exclude_seen;
    options.deny = q.deny.data();
    options.deny_count = q.deny.size();
    const uint32_t none = 0;
    options.allow = !q.has_allow ? nullptr : q.allow.empty() ? &none : q.allow.data();
    options.allow_count = q.has_allow ? q.allow.size() : 0;
    options.allow_bits = q.bits.empty() ? nullptr : q.bits.data();
    std::vector<uint32_t> expected = q.Passing(items_, seen_);
    std::stable_sort(expected.begin(), expected.end(),
                     [&](uint32_t a, uint32_t b) { return scores_[a] > scores_[b]; });
    std::vector<stint_recommendation> top(q.k, stint_recommendation{-1, 0xFFFFFFFF, -1});
    size_t count = 99;
    ASSERT_EQ(stint_recommend(session_.get(), q.k, &options, top.data(), &count), STINT_OK);
    ASSERT_EQ(count, std::min<size_t>(q.k, expected.size()));
    for (size_t i = 0; i < count; ++i) {
      ASSERT_EQ(top[i].item, expected[i]) << "place " << i << " of " << count;
      ASSERT_EQ(top[i].id, catalog_.ids.numbers[expected[i]]);
      ASSERT_EQ(FloatBits(top[i].score), FloatBits(scores_[expected[i]] + 0.0f));
    }
    for (size_t i = count; i < q.k; ++i) ASSERT_EQ(top[i].item, 0xFFFFFFFF) << "past the count";
  }

  // Each item with probability 1 / `one_in`, drawn by `seed`; bits past the items are all 1.
  std::vector<uint64_t> Bits(uint64_t seed, uint64_t one_in) const {
    std::vector<uint64_t> bits((items_ + 63) / 64, 0);
    for (uint32_t i = 0; i < bits.size() * 64; ++i) {
      const bool in = i >= items_ || MixBits(seed * 1000003 + i) % one_in == 0;
      bits[i / 64] |= uint64_t{in} << i % 64;
    }
    return bits;
  }
  // `count` draws: repeats happen.
  std::vector<uint32_t> List(uint64_t seed, size_t count) const {
    std::vector<uint32_t> list(count);
    for (size_t i = 0; i < count; ++i) {
      list[i] = static_cast<uint32_t>(MixBits(seed * 999983 + i) % items_);
    }
    return list;
  }

  Catalog catalog_;
  AlignedBytes bytes_;
  ModelPointer model_{nullptr, stint_model_destroy};
  SessionPointer session_{nullptr, stint_session_destroy};
  std::unique_ptr<ScalarModel> scalar_;
  std::set<uint32_t> seen_;
  uint32_t items_ = 0;
  std::vector<float> scores_;  // [items] by the scalar model; counts in an empty session
};

TEST_F(Filters, CombinedOnEveryTarget) {
  ForEachTarget([&] {
    for (const DType dtype : kDTypes) {
      for (const uint64_t levels : {0, 3}) {
        for (const size_t items : {1, 5, 64, 129, 1500}) {
          if (levels > items) continue;
          Open(items, dtype, levels);
          for (uint64_t step = 0; step < 5; ++step) {
            for (uint64_t kind = 0; kind < 64; ++kind) {
              SCOPED_TRACE(std::to_string(items) + " items, step " + std::to_string(step) +
                           ", kind " + std::to_string(kind));
              const uint64_t seed = step * 64 + kind;
              Question q;
              const uint32_t ks[] = {1, 3, 20, kMaxK};
              q.k = ks[MixBits(seed) % 4];
              q.exclude_seen = kind & 1;
              if (kind & 2) q.deny = List(seed, 1 + items / 10);
              const size_t allowed[] = {0, 1 + items / 40, 2 * items, 7};  // by rows; by a scan
              q.has_allow = kind & 12;
              if (q.has_allow) q.allow = List(seed + 7, allowed[kind >> 2 & 3]);
              const uint64_t one_in[] = {0, 1, 3, 70};
              if (kind & 48) q.bits = Bits(seed + 9, one_in[kind >> 4 & 3]);
              Check(q);
              if (HasFatalFailure()) return;
            }
            Check({});  // nothing stays behind
            Observe(static_cast<uint32_t>(MixBits(step) % items));
            if (HasFatalFailure()) return;
          }
        }
      }
    }
  });
}

TEST_F(Filters, LargestK) {
  ForEachTarget([&] {
    for (const DType dtype : kDTypes) {
      for (const size_t items : {999, 1000, 1001, 5000}) {
        for (const uint64_t levels : {0, 2}) {
          SCOPED_TRACE(std::to_string(items) + " items, levels " + std::to_string(levels));
          Open(items, dtype, levels);
          for (uint64_t step = 0; step < 3; ++step) {
            for (const uint32_t k : {kMaxK, kMaxK - 1}) {
              Question q;
              q.k = k;
              Check(q);
              Check(q);  // from the last answer
              q.exclude_seen = true;
              q.bits = Bits(step, 2);
              Check(q);
              q.has_allow = true;
              q.allow = List(step, 4 * items);  // nearly all, by a scan
              Check(q);
              q.bits.clear();
              Check(q);
            }
            Observe(static_cast<uint32_t>(step * 17));
            if (HasFatalFailure()) return;
          }
        }
      }
    }
  });
}

TEST_F(Filters, LongListsByRows) {
  // More candidates than there are keys, so that the list is shrunk on its way; in rising and in
  // falling order, each twice.
  Open(70000, DType::kInt8, 300);
  Observe(3);
  Question q;
  q.has_allow = true;
  q.allow.resize(2000);
  std::iota(q.allow.begin(), q.allow.end(), 500u);
  q.allow.insert(q.allow.end(), q.allow.rbegin(), q.allow.rend());
  for (const uint32_t k : {1u, 20u, kMaxK}) {
    q.k = k;
    Check(q);
    std::reverse(q.allow.begin(), q.allow.begin() + 2000);
    Check(q);
    if (HasFatalFailure()) return;
  }
}

TEST_F(Filters, NothingLeft) {
  Open(200, DType::kInt8, 0);
  Observe(7);
  Question q;
  q.k = kMaxK;
  q.has_allow = true;
  Check(q);  // an empty list
  q.allow = {7, 7};
  q.exclude_seen = true;
  Check(q);
  q.exclude_seen = false;
  q.deny = {7};
  Check(q);
  q.deny.clear();
  q.bits.assign(4, ~uint64_t{0});
  q.bits[0] ^= 1 << 7;
  Check(q);
  q.has_allow = false;
  q.allow.clear();
  q.bits.assign(4, 0);
  Check(q);
  q.bits[3] = ~uint64_t{0} << 8;  // only past the items
  Check(q);
  q.bits[3] |= 1 << 7;  // the last item
  Check(q);
}

TEST_F(Filters, ScoresOfGivenItems) {
  ForEachTarget([&] {
    for (const DType dtype : kDTypes) {
      for (const size_t units : {1, 3, 4, 17, 100, 131}) {
        const size_t items = 150;
        const Parameters parameters =
            RandomParameters(items, {units}, GruForm::kResetBefore, units);
        const AlignedBytes bytes = BuildTestModel(parameters, NumberCatalog(items), dtype);
        const ModelPointer model = OpenModel(bytes);
        const SessionPointer session = NewSession(model.get(), 1);
        ScalarModel scalar(parameters, dtype);
        std::vector<uint32_t> asked;
        for (uint64_t i = 0; i < 333; ++i) {
          asked.push_back(static_cast<uint32_t>(MixBits(i) % items));
        }
        for (uint32_t step = 0; step < 4; ++step) {
          std::vector<float> all(items), some(asked.size() + 1, -7.0f);
          ASSERT_EQ(stint_scores(session.get(), all.data()), STINT_OK);
          ASSERT_EQ(stint_item_scores(session.get(), asked.data(), asked.size(), some.data()),
                    STINT_OK);
          const std::vector<float> expected = step > 0 ? scalar.Scores() : all;
          for (size_t i = 0; i < asked.size(); ++i) {
            ASSERT_EQ(FloatBits(some[i]), FloatBits(all[asked[i]])) << units << ", " << asked[i];
            ASSERT_EQ(FloatBits(some[i]), FloatBits(expected[asked[i]]));
          }
          ASSERT_EQ(some.back(), -7.0f);
          ASSERT_EQ(stint_observe(session.get(), step), STINT_OK);
          scalar.Step(step);
        }
      }
    }
  });
}

TEST_F(Filters, BadArgumentsChangeNothing) {
  Open(100, DType::kInt8, 0);
  Observe(1);
  const uint32_t good[] = {5, 99, 5};
  const uint32_t bad[] = {5, 100, 5};
  stint_recommendation top[kMaxK];
  size_t count;
  float numbers[3] = {-1, -2, -3};
  const auto refused = [&](const stint_recommend_options& options) {
    top[0].item = 12345;
    count = 9;
    EXPECT_EQ(stint_recommend(session_.get(), 3, &options, top, &count), STINT_INVALID_ARGUMENT);
    EXPECT_EQ(count, 0u);
    EXPECT_EQ(top[0].item, 12345u);
    Check({});  // no list was left behind
  };
  stint_recommend_options options = {};
  options.allow_count = 1;
  refused(options);  // no list
  options.allow = bad;
  options.allow_count = 2;
  refused(options);
  options.allow_count = 1;
  EXPECT_EQ(stint_recommend(session_.get(), 3, &options, top, &count), STINT_OK);
  EXPECT_EQ(count, 1u);
  options.allow = nullptr;
  options.allow_count = 0;
  options.deny_count = 1;
  refused(options);
  options.deny = bad;
  options.deny_count = 3;
  options.allow = good;
  options.allow_count = 3;
  refused(options);
  EXPECT_EQ(stint_recommend(session_.get(), kMaxK + 1, nullptr, top, &count),
            STINT_INVALID_ARGUMENT);
  EXPECT_EQ(stint_recommend(session_.get(), 0, nullptr, top, &count), STINT_INVALID_ARGUMENT);

  for (const auto call : {stint_item_scores, stint_item_probabilities}) {
    EXPECT_EQ(call(nullptr, good, 3, numbers), STINT_INVALID_ARGUMENT);
    EXPECT_EQ(call(session_.get(), nullptr, 3, numbers), STINT_INVALID_ARGUMENT);
    EXPECT_EQ(call(session_.get(), good, 3, nullptr), STINT_INVALID_ARGUMENT);
    EXPECT_EQ(call(session_.get(), bad, 3, numbers), STINT_INVALID_ARGUMENT);
    EXPECT_EQ(call(session_.get(), nullptr, 0, nullptr), STINT_OK);
  }
  stint_recommendation given[3] = {{0, 5, 0.0f}, {0, 100, 0.0f}, {0, 6, 0.0f}};
  EXPECT_EQ(stint_top_probabilities(nullptr, given, 1, numbers), STINT_INVALID_ARGUMENT);
  EXPECT_EQ(stint_top_probabilities(session_.get(), nullptr, 1, numbers), STINT_INVALID_ARGUMENT);
  EXPECT_EQ(stint_top_probabilities(session_.get(), given, 1, nullptr), STINT_INVALID_ARGUMENT);
  EXPECT_EQ(stint_top_probabilities(session_.get(), given, 3, numbers), STINT_INVALID_ARGUMENT);
  EXPECT_EQ(stint_top_probabilities(session_.get(), nullptr, 0, nullptr), STINT_OK);
  EXPECT_EQ(numbers[0], -1.0f);
  EXPECT_EQ(numbers[1], -2.0f);
  EXPECT_EQ(numbers[2], -3.0f);
}

}  // namespace
}  // namespace stint
