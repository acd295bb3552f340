// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// What models lose against another: figures by hand, intervals, ties, items that are left out.
#include "tools/convert/compare_kinds.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "tests/runtime/test_model.h"

namespace stint {
namespace {

constexpr double kMiss = std::numeric_limits<double>::infinity();
constexpr uint32_t kNone = kUnknownItem;

// Two sessions of two targets and one of none; the 2 best of each.
Answers Make(std::vector<double> ranks, std::vector<uint32_t> top) {
  return {std::move(ranks), std::move(top), {0, 2, 2, 4}};
}

TEST(CompareKindsTest, FiguresByHand) {
  const Answers reference = Make({1, 2, kMiss, 1}, {0, 1, 2, 3, 4, 5, 6, 7});
  const Answers other = Make({2, kMiss, 2, 1}, {1, 0, 2, 9, 8, 9, 6, kNone});
  const std::vector<Comparison> all = Compare(reference, {reference, other}, 2, 42);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].recall.value, 0.75);
  EXPECT_EQ(all[0].mrr.value, 2.5 / 4);
  EXPECT_EQ(all[0].overlap, 1);
  for (const Measured& loss : {all[0].recall_loss, all[0].mrr_loss}) {
    EXPECT_EQ(loss.value, 0);
    EXPECT_EQ(loss.low, 0);
    EXPECT_EQ(loss.high, 0);
  }
  EXPECT_EQ(all[1].recall.value, 0.75);
  EXPECT_EQ(all[1].mrr.value, 2.0 / 4);
  EXPECT_EQ(all[1].recall_loss.value, 0);
  EXPECT_EQ(all[1].mrr_loss.value, 1 - 2.0 / 2.5);
  EXPECT_EQ(all[1].overlap, 4.0 / 8);
  // Resamples are of whole sessions: all of the first, all of the last, or both.
  EXPECT_EQ(all[1].recall.low, 0.5);
  EXPECT_EQ(all[1].recall.high, 1);
  EXPECT_EQ(all[1].mrr_loss.low, 1 - 1.5 / 1.0);
  EXPECT_EQ(all[1].mrr_loss.high, 1 - 0.5 / 1.5);
}

TEST(CompareKindsTest, NothingFoundIsNoLoss) {
  const Answers none = Make({kMiss, kMiss, kMiss, kMiss}, std::vector<uint32_t>(8, kNone));
  const Comparison comparison = Compare(none, {none}, 2, 42)[0];
  EXPECT_EQ(comparison.recall.value, 0);
  EXPECT_EQ(comparison.recall_loss.value, 0);
  EXPECT_EQ(comparison.overlap, 1);
}

// The interval of a share is about two standard errors wide on either side.
TEST(CompareKindsTest, IntervalsAreAsWideAsTheSampleSays) {
  constexpr size_t kSessions = 400;
  Answers answers;
  answers.first_target.push_back(0);
  for (size_t s = 0; s < kSessions; ++s) {
    answers.ranks.push_back(s % 4 == 0 ? 1 : kMiss);
    answers.top.push_back(0);
    answers.first_target.push_back(s + 1);
  }
  const Measured recall = Compare(answers, {answers}, 1, 42)[0].recall;
  EXPECT_EQ(recall.value, 0.25);
  EXPECT_NEAR(recall.low, 0.25 - 1.96 * 0.02165, 0.006);
  EXPECT_NEAR(recall.high, 0.25 + 1.96 * 0.02165, 0.006);
}

// A model whose items all score the same has its targets where its answer has them, not first.
TEST(CompareKindsTest, TiesAreNoGift) {
  Parameters parameters = RandomParameters(50, {4}, GruForm::kResetAfter, 3);
  for (size_t i = 0; i < 50; ++i) {
    for (size_t c = 0; c < 4; ++c) parameters.items.Row(i)[c] = 0;
    parameters.item_bias.data[i] = 1;
  }
  const AlignedBytes bytes = BuildTestModel(parameters, NumberCatalog(50), DType::kF32);
  const ModelPointer model = OpenModel(bytes);
  Sessions sessions;
  sessions.items = {0, 40, 3, 7};
  sessions.offsets = {0, 4};
  sessions.session_ids.numbers = {1};
  std::vector<uint32_t> place(50);
  for (uint32_t i = 0; i < 50; ++i) place[i] = i;
  AnswerOptions options;
  options.k = 5;
  const Answers answers = AnswersOf(model.get(), sessions, place, options);
  EXPECT_EQ(answers.ranks, (std::vector<double>{kMiss, 4, kMiss}));
  EXPECT_EQ(std::vector<uint32_t>(answers.top.begin(), answers.top.begin() + 5),
            (std::vector<uint32_t>{0, 1, 2, 3, 4}));
}

// Items that the model has not are missed as targets and not observed; its own come back as those
// of the reference.
TEST(CompareKindsTest, ItemsLeftOut) {
  const Parameters parameters = RandomParameters(30, {4}, GruForm::kResetAfter, 3);
  const AlignedBytes bytes = BuildTestModel(parameters, NumberCatalog(30), DType::kF32);
  const ModelPointer model = OpenModel(bytes);
  std::vector<uint32_t> place(60, kUnknownItem);  // the reference has twice as many
  for (uint32_t i = 0; i < 30; ++i) place[2 * i] = i;
  Sessions sessions;
  sessions.items = {0, 1, 2, 3};
  sessions.offsets = {0, 4};
  sessions.session_ids.numbers = {1};
  AnswerOptions options;
  options.k = 40;
  const Answers answers = AnswersOf(model.get(), sessions, place, options);
  EXPECT_EQ(answers.ranks[0], kMiss);
  EXPECT_LE(answers.ranks[1], 30);
  EXPECT_EQ(answers.ranks[2], kMiss);
  for (size_t i = 0; i < 40; ++i) {
    EXPECT_EQ(answers.top[i] == kUnknownItem, i >= 30) << i;
    if (i < 30) {
      EXPECT_EQ(answers.top[i] % 2, 0u);
    }
  }
}

}  // namespace
}  // namespace stint
