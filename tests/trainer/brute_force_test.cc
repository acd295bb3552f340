// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The brute force computes what the runtime computes, for every kind of item rows, and tells a
// wrong answer from a right one.
#include "trainer/brute_force.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "tests/runtime/test_model.h"

namespace stint {
namespace {

struct Written {
  const char* name;
  DType dtype;
  Scoring scoring;
};
constexpr Written kWritten[] = {
    {"int8", DType::kInt8, Scoring::kScan},
    {"f32", DType::kF32, Scoring::kScan},
    {"bf16", DType::kBf16, Scoring::kScan},
    {"int4", DType::kInt4, Scoring::kScan},
    {"int8, cascade", DType::kInt8, Scoring::kInt8},
    {"float rows, int8 layers", DType::kInt8, Scoring::kExact},
    {"float rows, f32 layers", DType::kF32, Scoring::kExact},
};

Sessions RandomSessions(size_t count, size_t items) {
  Sessions sessions;
  sessions.offsets.push_back(0);
  for (size_t s = 0; s < count; ++s) {
    for (size_t e = 0; e < s % 7; ++e) {  // empty ones too
      sessions.items.push_back(static_cast<uint32_t>(MixBits(100 * s + e) % items));
    }
    sessions.offsets.push_back(sessions.items.size());
    sessions.order.push_back(static_cast<uint32_t>(s));
    sessions.session_ids.numbers.push_back(static_cast<int64_t>(s));
  }
  return sessions;
}

class BruteForceTest : public testing::Test {
 protected:
  AlignedBytes Build(const Written& written) const {
    ExportInput input;
    input.parameters = &parameters_;
    input.catalog = &catalog_;
    input.dtype = written.dtype;
    input.scoring = written.scoring;
    input.calibration_sessions = {{1}, {2, 3}, {5, 8, 13}};
    input.self_test_sessions = {{4, 5}, {}, {6}};
    return BuildModel(input);
  }

  static constexpr size_t kItems = 333, kWidth = 37;
  Parameters parameters_ = RandomParameters(kItems, {20, kWidth}, GruForm::kResetAfter, 11);
  const Catalog catalog_ = NumberCatalog(kItems);
};

TEST_F(BruteForceTest, ScoresOfAllItemsHaveTheBitsOfTheRuntime) {
  for (const Written& written : kWritten) {
    SCOPED_TRACE(written.name);
    const AlignedBytes bytes = Build(written);
    const ModelPointer model = OpenModel(bytes);
    const BruteForce brute_force(model.get(), bytes.data());
    EXPECT_EQ(brute_force.items(), kItems);
    ASSERT_EQ(brute_force.width(), kWidth);
    const SessionPointer session = NewSession(model.get(), 1);
    constexpr size_t kStates = 9;
    std::vector<float> hidden;  // [kStates, kWidth]
    std::vector<std::vector<float>> scores(kStates, std::vector<float>(kItems));
    for (size_t e = 0; e < kStates; ++e) {
      ASSERT_EQ(stint_observe(session.get(), static_cast<uint32_t>(MixBits(e) % kItems)), STINT_OK);
      const float* state = nullptr;
      uint32_t units = 0;
      ASSERT_EQ(stint_session_hidden(session.get(), 1, &state, &units), STINT_OK);
      hidden.insert(hidden.end(), state, state + units);
      ASSERT_EQ(stint_scores(session.get(), scores[e].data()), STINT_OK);
    }
    std::vector<ScoredItem> best[kStates];
    brute_force.TopK(hidden.data(), kStates, 2 * kItems, best);
    for (size_t e = 0; e < kStates; ++e) {
      ASSERT_EQ(best[e].size(), kItems);
      std::vector<bool> met(kItems);
      for (size_t i = 0; i < kItems; ++i) {
        const uint32_t item = best[e][i].item;
        ASSERT_FALSE(met[item]);
        met[item] = true;
        ASSERT_EQ(FloatBits(best[e][i].score), FloatBits(scores[e][item])) << "item " << item;
        ASSERT_GE(best[e][i > 0 ? i - 1 : 0].score, best[e][i].score);
        // Rounding of sums of 38 numbers that add up to less than 20.
        ASSERT_NEAR(brute_force.TrueScore(hidden.data() + e * kWidth, item), scores[e][item], 1e-5);
      }
      // Fewer are the first of these.
      std::vector<ScoredItem> few;
      brute_force.TopK(hidden.data() + e * kWidth, 1, 5, &few);
      ASSERT_EQ(few.size(), 5u);
      for (size_t i = 0; i < 5; ++i) ASSERT_EQ(few[i].item, best[e][i].item);
    }
  }
}

// Only the item rows lie in another way.
TEST_F(BruteForceTest, ExactScoringKeepsTheHiddenStatesOfF32) {
  const AlignedBytes plain_bytes = Build({"", DType::kF32, Scoring::kScan});
  const AlignedBytes exact_bytes = Build({"", DType::kF32, Scoring::kExact});
  const ModelPointer plain = OpenModel(plain_bytes), exact = OpenModel(exact_bytes);
  const SessionPointer a = NewSession(plain.get(), 1), b = NewSession(exact.get(), 1);
  for (uint64_t e = 0; e < 50; ++e) {
    const uint32_t item = static_cast<uint32_t>(MixBits(e) % kItems);
    ASSERT_EQ(stint_observe(a.get(), item), STINT_OK);
    ASSERT_EQ(stint_observe(b.get(), item), STINT_OK);
    for (const uint32_t layer : {0, 1}) {
      const float *x = nullptr, *y = nullptr;
      uint32_t units = 0;
      ASSERT_EQ(stint_session_hidden(a.get(), layer, &x, &units), STINT_OK);
      ASSERT_EQ(stint_session_hidden(b.get(), layer, &y, &units), STINT_OK);
      ASSERT_EQ(std::memcmp(x, y, units * sizeof(float)), 0) << "event " << e;
    }
  }
}

TEST_F(BruteForceTest, TiesGoToTheLowerIndex) {
  for (size_t i = 0; i < kItems; ++i) {
    for (size_t j = 0; j < kWidth; ++j) parameters_.items.Row(i)[j] = 0.0f;
    parameters_.item_bias.Row(0)[i] = static_cast<float>(i % 2);
  }
  for (const Written& written : kWritten) {
    SCOPED_TRACE(written.name);
    const AlignedBytes bytes = Build(written);
    const ModelPointer model = OpenModel(bytes);
    const BruteForce brute_force(model.get(), bytes.data());
    const std::vector<float> hidden(kWidth, 0.25f);
    std::vector<ScoredItem> best;
    brute_force.TopK(hidden.data(), 1, 4, &best);
    ASSERT_EQ(best.size(), 4u);
    for (uint32_t i = 0; i < 4; ++i) EXPECT_EQ(best[i].item, 2 * i + 1);
  }
}

TEST_F(BruteForceTest, RightAnswersAreFoundRight) {
  const Sessions sessions = RandomSessions(60, kItems);
  for (const Written& written : kWritten) {
    SCOPED_TRACE(written.name);
    const AlignedBytes bytes = Build(written);
    const ModelPointer model = OpenModel(bytes);
    const BruteForce brute_force(model.get(), bytes.data());
    for (const uint32_t k : {1u, 20u, 1000u}) {
      AnswerCheckOptions options;
      options.k = k;
      uint64_t reported = 0;
      options.progress = [&](uint64_t done, uint64_t total) {
        EXPECT_EQ(total, sessions.items.size());
        reported = std::max(reported, done);
      };
      const AnswerCheck check = CheckAnswers(model.get(), brute_force, sessions, options);
      EXPECT_EQ(check.recommendations, sessions.items.size());
      EXPECT_EQ(check.wrong, 0u);
      EXPECT_TRUE(check.first_wrong.empty());
      EXPECT_LT(check.largest_gap, 1e-5);
      EXPECT_GT(check.largest_gap, 0);
      EXPECT_EQ(reported, sessions.items.size());
      options.progress = nullptr;
      options.most = 11;
      EXPECT_EQ(CheckAnswers(model.get(), brute_force, sessions, options).recommendations, 11u);
    }
  }
}

// A runtime that answers by other rows than those of the file.
TEST_F(BruteForceTest, WrongAnswersAreFoundAndNamed) {
  const Sessions sessions = RandomSessions(60, kItems);
  for (const Written& written : kWritten) {
    SCOPED_TRACE(written.name);
    const AlignedBytes bytes = Build(written);
    const ModelPointer model = OpenModel(bytes);
    const BruteForce right(model.get(), bytes.data());
    const float bias = parameters_.item_bias.Row(0)[77];
    parameters_.item_bias.Row(0)[77] = 1e4f;  // the best item by far
    const AlignedBytes other_bytes = Build(written);
    parameters_.item_bias.Row(0)[77] = bias;
    const ModelPointer other = OpenModel(other_bytes);
    for (const size_t threads : {1, 3}) {
      AnswerCheckOptions options;
      options.k = 3;
      options.threads = threads;
      const AnswerCheck check = CheckAnswers(other.get(), right, sessions, options);
      EXPECT_EQ(check.recommendations, sessions.items.size());
      EXPECT_EQ(check.wrong, sessions.items.size());
      EXPECT_GT(check.largest_gap, 9000);
      ASSERT_FALSE(check.first_wrong.empty());
      EXPECT_LE(check.first_wrong.size(), 100u);
      const WrongAnswer& first = check.first_wrong[0];
      EXPECT_EQ(first.session, 1u);  // session 0 has no event
      EXPECT_EQ(first.events, 1u);
      EXPECT_EQ(first.place, 0u);
      EXPECT_EQ(first.got.item, 77u);
      EXPECT_GT(first.got.score, 9000);
      EXPECT_NE(first.wanted.item, 77u);
      EXPECT_LT(first.wanted.score, 100);
    }
  }
}

TEST_F(BruteForceTest, SelfTestsComeFirstAndThenMadeUpSessions) {
  const AlignedBytes bytes = Build(kWritten[0]);
  const Sessions sessions = SelfTestsAndMadeUp(bytes.data(), kItems);
  ASSERT_GT(sessions.size(), 50u);
  const std::vector<std::vector<uint32_t>> expected = {{4, 5}, {}, {6}};
  for (size_t s = 0; s < expected.size(); ++s) {
    EXPECT_EQ(std::vector<uint32_t>(sessions[s].begin(), sessions[s].end()), expected[s]);
    EXPECT_EQ(sessions.session_ids.ToString(s), "self-test " + std::to_string(s));
  }
  EXPECT_EQ(sessions.session_ids.ToString(3), "made-up 0");
  EXPECT_EQ(sessions.session_ids.size(), sessions.size());
  for (size_t s = 3; s < sessions.size(); ++s) EXPECT_FALSE(sessions[s].empty());
  EXPECT_LT(*std::max_element(sessions.items.begin(), sessions.items.end()), kItems);
  EXPECT_EQ(SelfTestsAndMadeUp(bytes.data(), kItems).items, sessions.items);
}

}  // namespace
}  // namespace stint
