// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// What tests of the losses share: a mini-batch of scores in float64 -> the four stages of
// trainer/loss.h, and the same by the reference.
#ifndef STINT_TESTS_TRAINER_LOSS_STAGES_H_
#define STINT_TESTS_TRAINER_LOSS_STAGES_H_

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "tests/reference/kernels.h"
#include "tests/reference/loss.h"
#include "trainer/loss.h"
#include "trainer/parameters.h"

namespace stint {

using reference::Array;
using reference::Floats;
using reference::Settings;

struct LossCase {
  Settings settings;
  Array scores;                   // [rows, columns], the target of row i in column i
  std::vector<float> correction;  // [columns] or empty
  std::vector<int32_t> items;     // [columns], for exclude_hits
  bool exclude_batch = false;
  bool exclude_hits = false;
  std::vector<float> thresholds;  // [rows] or empty
  float weight = 1.0f;
  size_t block = 24;     // columns
  float padding = 0.5f;  // of the scores in padding lanes

  // A score as the kernels correct it.
  float Corrected(size_t row, size_t column) const {
    const float c = correction.empty() ? 0.0f : correction[column];
    return static_cast<float>(scores(row, column)) - c;
  }
  bool Counts(size_t row, size_t column) const {
    if (row == column) return true;
    if (exclude_batch && column < scores.rows) return false;
    if (exclude_hits && items[column] == items[row]) return false;
    return thresholds.empty() || Corrected(row, column) >= thresholds[row];
  }
};

struct LossResult {
  double loss = 0;
  Array gradient;           // [rows, columns]
  std::vector<float> bits;  // gradient as stored, [columns, batch]
};

// Memory of a case's mini-batch, laid out as the kernels want it.
struct LossMemory {
  explicit LossMemory(const LossCase& c)
      : lanes(RoundUp(c.scores.rows, kRowAlignment)),
        scores(c.scores.cols * lanes, c.padding),
        thresholds(lanes, 3.0f),
        targets(lanes, -7) {
    for (size_t j = 0; j < c.scores.cols; ++j) {
      for (size_t m = 0; m < c.scores.rows; ++m) {
        scores[j * lanes + m] = static_cast<float>(c.scores(m, j));
      }
    }
    for (size_t m = 0; m < c.thresholds.size(); ++m) thresholds[m] = c.thresholds[m];
    for (size_t m = 0; m < c.scores.rows && !c.items.empty(); ++m) targets[m] = c.items[m];
    batch = {.scores = scores.data(),
             .correction = c.correction.empty() ? nullptr : c.correction.data(),
             .columns = c.scores.cols,
             .rows = c.scores.rows,
             .batch = lanes,
             .weight = c.weight,
             .items = c.items.empty() ? nullptr : c.items.data(),
             .targets = c.items.empty() ? nullptr : targets.data(),
             .exclude_batch = c.exclude_batch,
             .exclude_hits = c.exclude_hits,
             .thresholds = c.thresholds.empty() ? nullptr : thresholds.data()};
  }
  size_t lanes;
  Floats scores;  // [columns, lanes]
  Floats thresholds;
  std::vector<int32_t> targets;
  LossBatch batch;
};

inline LossConfig ConfigOf(const Settings& settings) { return LossConfig::Of(settings); }

// The four stages over blocks of `block` columns.
inline LossResult RunLoss(const LossCase& c) {
  LossMemory memory(c);
  const LossConfig config = ConfigOf(c.settings);
  const LossBatch& batch = memory.batch;
  const size_t blocks = (batch.columns + c.block - 1) / c.block;
  const size_t partial = kLossStatistics * batch.batch;
  Floats statistics(partial, reference::kNan);
  Floats partials(blocks * partial, reference::kNan);
  LossTargets(config, batch, statistics.data());
  const auto end = [&](size_t b) { return std::min(batch.columns, (b + 1) * c.block); };
  for (size_t b = 0; b < blocks; ++b) {
    LossPartial(config, batch, b * c.block, end(b), statistics.data() + kTarget * batch.batch,
                partials.data() + b * partial);
  }
  LossResult result;
  result.loss = LossCombine(config, batch, partials.data(), blocks, statistics.data());
  for (size_t b = 0; b < blocks; ++b) {
    LossGradient(config, batch, b * c.block, end(b), partials.data() + b * partial,
                 statistics.data());
  }
  result.gradient = Array(batch.rows, batch.columns);
  for (size_t j = 0; j < batch.columns; ++j) {
    const float* row = memory.scores.data() + j * batch.batch;
    for (size_t m = 0; m < batch.rows; ++m) result.gradient(m, j) = row[m];
    for (size_t lane = batch.rows; lane < batch.batch; ++lane) {
      EXPECT_EQ(row[lane], 0.0f) << "padding lane " << lane << " column " << j;
    }
  }
  result.bits.assign(memory.scores.data(), memory.scores.data() + memory.scores.size());
  return result;
}

// Loss and gradient in float64 of what the float32 code is given: scores rounded, then corrected.
inline double ReferenceLoss(const LossCase& c, Array* gradient) {
  Array rounded = c.scores, counted = c.scores;
  for (size_t m = 0; m < c.scores.rows; ++m) {
    for (size_t j = 0; j < c.scores.cols; ++j) {
      rounded(m, j) = static_cast<float>(c.scores(m, j));
      if (!c.correction.empty()) rounded(m, j) -= c.correction[j];
      counted(m, j) = c.Counts(m, j);
    }
  }
  const double loss = reference::LossOfScores(c.settings, rounded, gradient, counted);
  for (double& g : gradient->values) g *= c.weight;
  return c.weight * loss;
}

// `relative` is in units of the largest gradient of a row (its sums cancel), at least `weight`; for
// bpr `weight` times the columns, as large as a target's gradient is before the slope of the
// activation, which is right to 1e-6 of 1 and not of itself.
inline void ExpectClose(const LossCase& c, const LossResult& actual, double relative) {
  Array gradient;
  const double loss = ReferenceLoss(c, &gradient);
  ASSERT_NEAR(actual.loss, loss, relative * std::max<double>(c.weight, std::abs(loss)));
  for (size_t m = 0; m < c.scores.rows; ++m) {
    double largest = c.weight * (c.settings.loss == Loss::kBpr ? c.scores.cols : 1);
    for (size_t j = 0; j < c.scores.cols; ++j) {
      largest = std::max(largest, std::abs(gradient(m, j)));
    }
    for (size_t j = 0; j < c.scores.cols; ++j) {
      ASSERT_NEAR(actual.gradient(m, j), gradient(m, j), relative * largest)
          << "row " << m << " column " << j;
      if (!c.Counts(m, j)) {
        ASSERT_EQ(actual.gradient(m, j), 0.0);
      }
    }
  }
}

inline Array RandomScores(size_t rows, size_t columns, double scale, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> uniform(-scale, scale);
  Array scores(rows, columns);
  for (double& s : scores.values) s = uniform(random);
  return scores;
}

struct LossKind {
  std::string name;
  Settings settings;
};

// Every loss with every activation it goes with, with and without smoothing and bpreg.
inline std::vector<LossKind> LossKinds() {
  std::vector<LossKind> kinds;
  for (const Loss loss : {Loss::kCrossEntropy, Loss::kXeLogit}) {
    for (const double smoothing : {0.0, 0.1}) {
      LossKind kind;
      kind.settings.loss = loss;
      kind.settings.label_smoothing = smoothing;
      kind.name = std::string(Name(loss)) + " smoothing " + std::to_string(smoothing);
      kinds.push_back(kind);
    }
  }
  for (const Loss loss : {Loss::kBpr, Loss::kTop1, Loss::kTop1Max, Loss::kBprMax}) {
    for (const char* activation :
         {"linear", "relu", "tanh", "leaky-0.1", "elu-0.5", "elu-1", "selu-1.0507-1.67326"}) {
      LossKind kind;
      kind.settings.loss = loss;
      kind.settings.final_activation = ParseActivation("--final-activation", activation);
      kind.settings.bpreg = loss == Loss::kBprMax ? 0.7 : 1.0;
      kind.name = std::string(Name(loss)) + " " + activation;
      kinds.push_back(kind);
    }
  }
  return kinds;
}

}  // namespace stint

#endif  // STINT_TESTS_TRAINER_LOSS_STAGES_H_
