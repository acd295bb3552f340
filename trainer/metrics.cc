// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Ranks of the targets -> recall@k and MRR@k.
#include "trainer/metrics.h"

#include <stdexcept>

namespace stint {
namespace {

size_t IndexOf(const std::vector<uint32_t>& cutoffs, uint32_t k) {
  for (size_t i = 0; i < cutoffs.size(); ++i) {
    if (cutoffs[i] == k) return i;
  }
  throw std::out_of_range("no metric at " + std::to_string(k));
}

}  // namespace

const char* Name(RankMode mode) {
  switch (mode) {
    case RankMode::kStandard:
      return "standard";
    case RankMode::kConservative:
      return "conservative";
    case RankMode::kMedian:
      return "median";
  }
  return "";
}

double Rank(RankMode mode, uint32_t higher, uint32_t equal) {
  const double above = 1.0 + higher;
  switch (mode) {
    case RankMode::kStandard:
      return above;
    case RankMode::kConservative:
      return above + equal;
    case RankMode::kMedian:
      return above + 0.5 * equal;
  }
  return above;
}

double Metrics::RecallAt(uint32_t k) const { return recall[IndexOf(cutoffs, k)]; }

double Metrics::MrrAt(uint32_t k) const { return mrr[IndexOf(cutoffs, k)]; }

Metrics ComputeMetrics(const std::vector<double>& ranks, const std::vector<uint32_t>& cutoffs) {
  Metrics metrics;
  metrics.cutoffs = cutoffs;
  metrics.targets = ranks.size();
  for (const uint32_t k : cutoffs) {
    uint64_t hits = 0;
    double reciprocal = 0;
    for (const double rank : ranks) {
      if (rank <= k) {
        ++hits;
        reciprocal += 1 / rank;
      }
    }
    const double targets = ranks.empty() ? 1 : static_cast<double>(ranks.size());
    metrics.recall.push_back(static_cast<double>(hits) / targets);
    metrics.mrr.push_back(reciprocal / targets);
  }
  return metrics;
}

}  // namespace stint
