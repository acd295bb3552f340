// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Recommendations and ranks against a full sort of all scores, with ties, exclusions, every k and
// every target.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <set>
#include <vector>

#include "tests/runtime/test_model.h"

namespace stint {
namespace {

// Items by score, best first, ties by lower index, without those of `out`.
std::vector<uint32_t> Sorted(const std::vector<float>& scores, const std::set<uint32_t>& out) {
  std::vector<uint32_t> order;
  for (uint32_t i = 0; i < scores.size(); ++i) {
    if (!out.count(i)) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](uint32_t a, uint32_t b) { return scores[a] > scores[b]; });
  return order;
}

class TopK : public testing::Test {
 protected:
  // `levels` > 0: item rows take that many different values only, so that scores tie.
  void Open(size_t items, DType dtype, uint64_t levels, uint32_t max_k) {
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
    session_ = NewSession(model_.get(), max_k);
    scores_.resize(items);
  }

  void Check(uint32_t k, const std::set<uint32_t>& seen, bool exclude_seen,
             const std::vector<uint32_t>& deny) {
    stint_recommend_options options = {};
    options.exclude_seen = exclude_seen;
    options.deny = deny.data();
    options.deny_count = deny.size();
    std::set<uint32_t> out(deny.begin(), deny.end());
    if (exclude_seen) out.insert(seen.begin(), seen.end());
    std::vector<stint_recommendation> top(k, stint_recommendation{-1, 0xFFFFFFFF, -1});
    size_t count = 99;
    ASSERT_EQ(stint_recommend(session_.get(), k, &options, top.data(), &count), STINT_OK);
    ASSERT_EQ(stint_scores(session_.get(), scores_.data()), STINT_OK);
    const std::vector<uint32_t> expected = Sorted(scores_, out);
    ASSERT_EQ(count, std::min<size_t>(k, expected.size()));
    for (size_t i = 0; i < count; ++i) {
      ASSERT_EQ(top[i].item, expected[i]) << "place " << i << " of " << count;
      ASSERT_EQ(top[i].id, catalog_.ids.numbers[expected[i]]);
      // -0 and +0 tie and come back as +0.
      ASSERT_EQ(FloatBits(top[i].score), FloatBits(scores_[expected[i]] + 0.0f));
    }
    for (size_t i = count; i < k; ++i) ASSERT_EQ(top[i].item, 0xFFFFFFFF) << "past the count";
  }

  void CheckRanks() {
    ASSERT_EQ(stint_scores(session_.get(), scores_.data()), STINT_OK);
    for (uint32_t item = 0; item < scores_.size(); item += 1 + scores_.size() / 50) {
      uint32_t higher, equal;
      ASSERT_EQ(stint_rank(session_.get(), item, &higher, &equal), STINT_OK);
      const float own = scores_[item];
      ASSERT_EQ(higher,
                std::count_if(scores_.begin(), scores_.end(), [&](float s) { return s > own; }));
      ASSERT_EQ(equal + 1, std::count(scores_.begin(), scores_.end(), own));
    }
  }

  Catalog catalog_;
  AlignedBytes bytes_;
  ModelPointer model_{nullptr, stint_model_destroy};
  SessionPointer session_{nullptr, stint_session_destroy};
  std::vector<float> scores_;
};

TEST_F(TopK, AgainstFullSortOnEveryTarget) {
  ForEachTarget([&] {
    for (const DType dtype : {DType::kInt8, DType::kF32}) {
      for (const uint64_t levels : {0, 1, 5}) {
        for (const size_t items : {1, 2, 63, 64, 65, 129, 700, 3000}) {
          if (levels > items) continue;
          Open(items, dtype, levels, 130);
          std::set<uint32_t> seen;
          for (uint64_t step = 0; step < 6; ++step) {
            SCOPED_TRACE(std::to_string(items) + " items, step " + std::to_string(step));
            for (const uint32_t k : {1, 2, 20, 64, 130}) {
              Check(k, seen, false, {});
              Check(k, seen, true, {});
              const uint32_t last = static_cast<uint32_t>(items) - 1;
              Check(k, seen, true, {last, 0, last / 2, last, 0});
              if (HasFatalFailure()) return;
            }
            CheckRanks();
            if (HasFatalFailure()) return;
            const uint32_t item = static_cast<uint32_t>(MixBits(step) % items);
            ASSERT_EQ(stint_observe(session_.get(), item), STINT_OK);
            seen.insert(item);
          }
        }
      }
    }
  });
}

TEST_F(TopK, WarmStartsStayExact) {
  // The last answer seeds the next one's threshold; every kind of call in between.
  Open(2000, DType::kInt8, 40, 100);
  std::set<uint32_t> seen;
  for (uint64_t step = 0; step < 300; ++step) {
    SCOPED_TRACE(step);
    const uint64_t draw = MixBits(step);
    if (draw % 17 == 0) {
      ASSERT_EQ(stint_session_reset(session_.get()), STINT_OK);
      seen.clear();
    }
    const uint32_t item = static_cast<uint32_t>(draw % 2000);
    ASSERT_EQ(stint_observe(session_.get(), item), STINT_OK);
    seen.insert(item);
    std::vector<uint32_t> deny;
    if (draw % 3 == 0) {  // what was just recommended
      std::vector<stint_recommendation> top(50);
      size_t count;
      ASSERT_EQ(stint_recommend(session_.get(), 50, nullptr, top.data(), &count), STINT_OK);
      for (const stint_recommendation& r : top) deny.push_back(r.item);
    }
    Check(static_cast<uint32_t>(1 + draw % 100), seen, draw % 2 == 0, deny);
    if (HasFatalFailure()) return;
  }
}

TEST_F(TopK, AllExcluded) {
  Open(70, DType::kInt8, 0, 20);
  std::vector<uint32_t> all(70);
  std::iota(all.begin(), all.end(), 0u);
  Check(20, {}, false, all);
  ASSERT_EQ(stint_observe(session_.get(), 3), STINT_OK);
  Check(20, {3}, false, all);
  Check(20, {3}, false, {});  // the deny list is gone again
  all.erase(all.begin() + 69);
  Check(20, {3}, true, all);  // one left
  for (uint32_t item = 0; item < 70; ++item) {
    ASSERT_EQ(stint_observe(session_.get(), item), STINT_OK);
  }
  std::set<uint32_t> seen(all.begin(), all.end());
  seen.insert(69);
  Check(20, seen, true, {});
}

TEST_F(TopK, ZeroScoresOfBothSignsTie) {
  // All-zero rows score their bias: -0 and +0 in turn, between a few that are above and below.
  Parameters parameters(300, {4}, GruForm::kResetAfter);
  for (size_t i = 0; i < 300; ++i) {
    parameters.item_bias.Row(0)[i] = i % 50 == 7   ? 1.0f
                                     : i % 50 == 9 ? -1.0f
                                     : i % 2       ? -0.0f
                                                   : 0.0f;
  }
  for (const DType dtype : {DType::kInt8, DType::kF32}) {
    catalog_ = NumberCatalog(300);
    bytes_ = BuildTestModel(parameters, catalog_, dtype);
    session_.reset();
    model_ = OpenModel(bytes_);
    session_ = NewSession(model_.get(), 300);
    scores_.resize(300);
    ASSERT_EQ(stint_observe(session_.get(), 0), STINT_OK);
    for (const uint32_t k : {1, 6, 7, 20, 200, 296, 300}) {
      Check(k, {0}, false, {});
      Check(k, {0}, false, {});  // warm
      Check(k, {0}, true, {1, 2, 3});
      if (HasFatalFailure()) return;
    }
    CheckRanks();
  }
}

TEST_F(TopK, PopularityIsExactAboveFloatPrecision) {
  // 2^24 and 2^24 + 1 are the same float, not the same count.
  Parameters parameters(5, {4}, GruForm::kResetAfter);
  catalog_ = NumberCatalog(5);
  catalog_.counts = {16777216, 16777217, 16777216, 16777218, 1};
  bytes_ = BuildTestModel(parameters, catalog_, DType::kInt8);
  model_ = OpenModel(bytes_);
  session_ = NewSession(model_.get(), 5);
  stint_recommendation top[5];
  size_t count;
  ASSERT_EQ(stint_recommend(session_.get(), 5, nullptr, top, &count), STINT_OK);
  ASSERT_EQ(count, 5u);
  const uint32_t expected[] = {3, 1, 0, 2, 4};
  for (size_t i = 0; i < 5; ++i) EXPECT_EQ(top[i].item, expected[i]);
  EXPECT_EQ(top[0].score, 16777218.0f);
  uint32_t higher, equal;
  ASSERT_EQ(stint_rank(session_.get(), 0, &higher, &equal), STINT_OK);
  EXPECT_EQ(higher, 2u);
  EXPECT_EQ(equal, 1u);
}

}  // namespace
}  // namespace stint
