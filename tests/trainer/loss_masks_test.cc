// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Losses over a part of the columns against the float64 reference; the thresholds that leave the
// hardest negatives. On every SIMD target.
#include <algorithm>
#include <cmath>
#include <limits>

#include "tests/trainer/loss_stages.h"

namespace stint {
namespace {

using reference::ForEachTarget;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Few items, so that many columns are hits.
LossCase MaskedCase(const LossKind& kind, size_t rows, size_t columns, unsigned rules,
                    uint64_t seed) {
  LossCase c;
  c.settings = kind.settings;
  c.scores = RandomScores(rows, columns, 3.0, seed);
  std::mt19937_64 random(seed + 1);
  for (size_t j = 0; j < columns; ++j) {
    c.items.push_back(static_cast<int32_t>(random() % 6));
    if (rules & 8) c.correction.push_back(static_cast<float>(random() % 100) * 0.02f);
  }
  c.exclude_batch = rules & 1;
  c.exclude_hits = rules & 2;
  for (size_t m = 0; m < rows; ++m) {
    if (rules & 4) c.thresholds.push_back(static_cast<float>(random() % 500) * 0.01f - 2.5f);
  }
  c.weight = 0.25f;
  return c;
}

TEST(LossMasksTest, AgreeWithFloat64) {
  ForEachTarget([](int64_t) {
    for (const LossKind& kind : LossKinds()) {
      for (unsigned rules = 0; rules < 16; ++rules) {
        for (const size_t rows : {1, 6, 17}) {
          for (const size_t negatives : {0, 3, 60}) {
            SCOPED_TRACE(kind.name + " rules " + std::to_string(rules) + " rows " +
                         std::to_string(rows) + " negatives " + std::to_string(negatives));
            const LossCase c = MaskedCase(kind, rows, rows + negatives, rules, rules * 7 + rows);
            ExpectClose(c, RunLoss(c), 4e-6);
            if (::testing::Test::HasFatalFailure()) return;
          }
        }
      }
    }
  });
}

// The softmax over a whole catalogue: columns are the targets, then every item once. It must equal
// the reference on the items alone.
TEST(LossMasksTest, FullSoftmax) {
  ForEachTarget([](int64_t) {
    for (const LossKind& kind : LossKinds()) {
      SCOPED_TRACE(kind.name);
      constexpr size_t kRows = 5, kItems = 40;
      const Array of_items = RandomScores(kRows, kItems, 3.0, 31);
      const int32_t targets[kRows] = {7, 0, 39, 7, 12};
      LossCase c;
      c.settings = kind.settings;
      c.exclude_batch = c.exclude_hits = true;
      c.scores = Array(kRows, kRows + kItems);
      c.items.assign(targets, targets + kRows);
      for (size_t j = 0; j < kItems; ++j) c.items.push_back(static_cast<int32_t>(j));
      for (size_t m = 0; m < kRows; ++m) {
        for (size_t j = 0; j < kRows + kItems; ++j) c.scores(m, j) = of_items(m, c.items[j]);
      }
      const LossResult result = RunLoss(c);
      ExpectClose(c, result, 4e-6);
      // One row at a time, the target's column first, every other item after it.
      double loss = 0;
      for (size_t m = 0; m < kRows; ++m) {
        Array row(1, kItems), gradient;
        row(0, 0) = static_cast<float>(of_items(m, targets[m]));
        for (size_t j = 0, at = 1; j < kItems; ++j) {
          if (j != static_cast<size_t>(targets[m])) {
            row(0, at++) = static_cast<float>(of_items(m, j));
          }
        }
        loss += reference::LossOfScores(c.settings, row, &gradient);
        EXPECT_NEAR(result.gradient(m, m), gradient(0, 0),
                    4e-6 * std::max(kind.settings.loss == Loss::kBpr ? kItems : 1.0,
                                    std::abs(gradient(0, 0))));
      }
      EXPECT_NEAR(result.loss, loss, 4e-6 * loss);
    }
  });
}

// A row that is left with its target alone: a defined loss, no gradient, and the other rows as if
// nothing were.
TEST(LossMasksTest, NothingLeftToCompareWith) {
  ForEachTarget([](int64_t) {
    for (const LossKind& kind : LossKinds()) {
      for (const double scale : {1.0, 300.0}) {
        SCOPED_TRACE(kind.name + " scale " + std::to_string(scale));
        LossCase c;
        c.settings = kind.settings;
        c.scores = RandomScores(3, 30, scale, 3);
        c.thresholds = {-kInfinity, kInfinity, -kInfinity};
        c.block = 8;
        const LossResult result = RunLoss(c);
        ASSERT_TRUE(std::isfinite(result.loss));
        for (size_t j = 0; j < 30; ++j) ASSERT_EQ(result.gradient(1, j), 0.0) << j;
        for (const double g : result.gradient.values) ASSERT_TRUE(std::isfinite(g));
        c.thresholds = {kInfinity, kInfinity, kInfinity};
        const double alone = kind.settings.loss == Loss::kBpr    ? 3 * std::log(2.0)
                             : kind.settings.loss == Loss::kTop1 ? 1.5
                                                                 : 0.0;
        EXPECT_NEAR(RunLoss(c).loss, alone, 1e-6);
      }
    }
  });
}

// What is left out does not reach a bit of the result, be it infinite or huge.
TEST(LossMasksTest, WhatIsLeftOutReachesNothing) {
  ForEachTarget([](int64_t) {
    for (const LossKind& kind : LossKinds()) {
      LossCase c;
      c.settings = kind.settings;
      c.scores = RandomScores(3, 30, 2.0, 3);
      c.exclude_hits = true;
      for (int32_t j = 0; j < 30; ++j) c.items.push_back(j == 11 || j == 29 ? 1 : j);
      const LossResult expected = RunLoss(c);
      for (const double hidden : {-1e30, -500.0, 90.0, 1e4, 1e30}) {
        c.scores(1, 11) = c.scores(1, 29) = hidden;
        const LossResult result = RunLoss(c);
        EXPECT_EQ(result.loss, expected.loss) << kind.name << " " << hidden;
        EXPECT_EQ(result.bits, expected.bits) << kind.name << " " << hidden;
      }
    }
  });
}

TEST(LossMasksTest, NanInNanOut) {
  ForEachTarget([](int64_t) {
    for (const LossKind& kind : LossKinds()) {
      LossCase c = MaskedCase(kind, 5, 40, 2, 9);
      c.items[30] = 77;
      c.scores(2, 30) = std::nan("");
      EXPECT_TRUE(std::isnan(RunLoss(c).loss)) << kind.name;
    }
  });
}

// The k-th largest by sorting.
float SortedThreshold(const LossCase& c, size_t row, size_t k) {
  std::vector<float> candidates;
  for (size_t j = 0; j < c.scores.cols; ++j) {
    if (j != row && c.Counts(row, j)) candidates.push_back(c.Corrected(row, j));
  }
  if (candidates.size() < k) return -kInfinity;
  std::sort(candidates.begin(), candidates.end(), std::greater<float>());
  return candidates[k - 1];
}

TEST(HardestThresholdsTest, AreTheKthLargest) {
  ForEachTarget([](int64_t) {
    for (const unsigned rules : {0u, 1u, 2u, 3u, 8u, 11u}) {
      for (const size_t rows : {1, 5, 16, 33}) {
        for (const size_t negatives : {1, 40, 300}) {
          for (const double scale : {1.0, 1e-30, 1e30}) {
            LossCase c = MaskedCase(LossKinds()[0], rows, rows + negatives, rules, rows);
            for (double& s : c.scores.values) s *= scale;
            for (const size_t k : {1, 2, 10, 299, 1000}) {
              LossMemory memory(c);
              Floats thresholds(memory.lanes, reference::kNan);
              HardestThresholds(memory.batch, k, 0, 16, thresholds.data());
              HardestThresholds(memory.batch, k, 16, memory.lanes, thresholds.data());
              for (size_t m = 0; m < rows; ++m) {
                ASSERT_EQ(thresholds[m], SortedThreshold(c, m, k))
                    << "rules " << rules << " rows " << rows << " negatives " << negatives << " k "
                    << k << " row " << m;
              }
            }
          }
        }
      }
    }
  });
}

TEST(HardestThresholdsTest, TiesAndSigns) {
  ForEachTarget([](int64_t) {
    LossCase c;
    c.scores = Array(2, 42);
    for (size_t j = 0; j < 42; ++j) {
      c.scores(0, j) = static_cast<double>(j % 4) - 2;  // ten of each of -2, -1, 0, 1
      c.scores(1, j) = j % 2 == 0 ? -3e38 : 3e38;
    }
    for (const size_t k : {1, 5, 10, 11, 20, 25, 35, 40, 41, 42}) {
      LossMemory memory(c);
      Floats thresholds(memory.lanes, reference::kNan);
      HardestThresholds(memory.batch, k, 0, memory.lanes, thresholds.data());
      for (size_t m = 0; m < 2; ++m) {
        ASSERT_EQ(thresholds[m], SortedThreshold(c, m, k)) << "k " << k << " row " << m;
      }
    }
  });
}

// As a mask they leave k negatives, and what equals the last of them.
TEST(HardestThresholdsTest, LeaveTheHardest) {
  ForEachTarget([](int64_t) {
    for (const LossKind& kind : LossKinds()) {
      SCOPED_TRACE(kind.name);
      LossCase c = MaskedCase(kind, 9, 80, 2, 4);
      LossMemory memory(c);
      Floats thresholds(memory.lanes, reference::kNan);
      HardestThresholds(memory.batch, 12, 0, memory.lanes, thresholds.data());
      c.thresholds.assign(thresholds.data(), thresholds.data() + 9);
      for (size_t m = 0; m < 9; ++m) {
        size_t left = 0;
        for (size_t j = 0; j < 80; ++j) left += j != m && c.Counts(m, j);
        ASSERT_EQ(left, 12u);
      }
      ExpectClose(c, RunLoss(c), 4e-6);
      if (::testing::Test::HasFatalFailure()) return;
    }
  });
}

}  // namespace
}  // namespace stint
