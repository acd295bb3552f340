// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Ranks of the targets -> recall@k and MRR@k.
#ifndef STINT_TRAINER_METRICS_H_
#define STINT_TRAINER_METRICS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace stint {

// How a target that ties with other items is ranked (`higher` items have a larger score,
// `equal` others the same): standard 1 + higher, conservative 1 + higher + equal,
// median 1 + higher + equal / 2.
enum class RankMode { kStandard, kConservative, kMedian };
const char* Name(RankMode mode);  // "standard", "conservative", "median"

double Rank(RankMode mode, uint32_t higher, uint32_t equal);

struct Metrics {
  std::vector<uint32_t> cutoffs;  // k, as asked for
  std::vector<double> recall;     // [cutoffs] share of targets with rank <= k
  std::vector<double> mrr;        // [cutoffs] mean of 1 / rank over all targets, 0 beyond k
  uint64_t targets = 0;

  double RecallAt(uint32_t k) const;  // throws std::out_of_range for a k not asked for
  double MrrAt(uint32_t k) const;
};

// Sums in the order of `ranks`, so that the result does not depend on threads.
Metrics ComputeMetrics(const std::vector<double>& ranks, const std::vector<uint32_t>& cutoffs);

}  // namespace stint

#endif  // STINT_TRAINER_METRICS_H_
