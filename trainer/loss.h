// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Scores of a mini-batch -> loss and its gradient (arXiv 1706.03847; ALGORITHM section 6).
//
// Scores lie columns x batch: row c holds the scores of column c (a target or a negative
// sample) for all sessions side by side; the target of session i is column i. So a session
// is a vector lane, and every reduction runs down the columns in order. It is done in four
// stages over fixed blocks of columns, which can run on any number of threads:
//   LossTargets   the target's value of every session
//   LossPartial   per block: final activation (in place), maximum and sums
//   LossCombine   blocks in order -> statistics and loss of every session
//   LossGradient  per block: gradient of the raw scores (in place)
#ifndef STINT_TRAINER_LOSS_H_
#define STINT_TRAINER_LOSS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "trainer/options.h"

namespace stint {

struct LossConfig {
  Loss loss = Loss::kCrossEntropy;
  // Of the scores. The cross-entropies take the softmax, whatever stands here.
  ActivationParams activation = {ActivationKind::kSoftmax};
  float bpreg = 1.0f;
  float label_smoothing = 0.0f;

  static LossConfig Of(const Options& options);
};

// One mini-batch of scores.
struct LossBatch {
  float* scores = nullptr;  // [columns, batch] raw scores; overwritten stage by stage
  const float* correction =
      nullptr;          // [columns] subtracted from the column's scores (logQ); null: 0
  size_t columns = 0;   // targets, then negatives; >= rows
  size_t rows = 0;      // sessions; lanes [rows, batch) are padding
  size_t batch = 0;     // multiple of kRowAlignment
  float weight = 1.0f;  // of a session's loss: 1 / nominal batch size
  // Which columns count for a session besides its target: those that no rule below leaves out, in
  // all sums, maxima and means; the others have no gradient. A session that is left with its target
  // alone has no gradient and a loss of 0 (bpr: log 2, top1: 1/2).
  // [columns] items of the columns, [batch] the sessions' target items: for exclude_hits alone.
  const int32_t* items = nullptr;
  const int32_t* targets = nullptr;
  bool exclude_batch = false;  // the other sessions' targets (columns < rows)
  bool exclude_hits = false;   // columns whose item is the session's target
  // [batch] scores (corrected, before the activation) below it are left out; null: none is.
  const float* thresholds = nullptr;
};

// Rows of statistics and of a block's partial sums, [kLossStatistics, batch] floats. What each
// loss keeps in them is said at its Partial and Combine kernels (loss_*-inl.h).
enum LossStatistic : size_t {
  kMaximum,   // largest value (BPR-max, TOP1-max: of the negatives alone)
  kSum,       // sum of e = exp(value - maximum)
  kPairwise,  // BPR-max: sum of e q, q = sigmoid(target - value)
  kSquares,   // BPR-max: sum of e value^2
  kSlope,     // BPR-max: sum of e q (1 - q)
  kTarget,    // the target's value
  kCount,     // columns that count
  kNorm,      // statistics alone
  kMean,      // statistics alone
  kLossStatistics
};

// statistics[kTarget].
void LossTargets(const LossConfig& config, const LossBatch& batch, float* statistics);
// Columns [begin, end); `targets` = statistics[kTarget] of the above; `partial`
// [kLossStatistics, batch] of this block.
void LossPartial(const LossConfig& config, const LossBatch& batch, size_t begin, size_t end,
                 const float* targets, float* partial);
// `partials`: `blocks` of them one after another. Fills `statistics` with what LossGradient
// needs and returns the loss: the sum over sessions of weight * loss.
double LossCombine(const LossConfig& config, const LossBatch& batch, const float* partials,
                   size_t blocks, float* statistics);
// Columns [begin, end), cut as for LossPartial; `partial` of this block as that left it. Scores
// become d loss / d raw score; zero in the padding lanes and where a column does not count.
void LossGradient(const LossConfig& config, const LossBatch& batch, size_t begin, size_t end,
                  const float* partial, const float* statistics);

// The k-th largest score (corrected, k >= 1) of sessions [lane_begin, lane_end) among the columns
// that are not their target and count by the rules for items; -infinity where there are fewer than
// k. As LossBatch::thresholds they leave the k hardest negatives, and those equal to the last of
// them. Before LossPartial; batch.thresholds is not read. `thresholds` [batch]; lane_begin and
// lane_end are multiples of kRowAlignment.
void HardestThresholds(const LossBatch& batch, size_t k, size_t lane_begin, size_t lane_end,
                       float* thresholds);

}  // namespace stint

#endif  // STINT_TRAINER_LOSS_H_
