// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Item counts -> negative samples, drawn with replacement by popularity^alpha
// (arXiv 1706.03847, section 3).
#include "trainer/negative_sampler.h"

#include <bit>
#include <cmath>
#include <stdexcept>
#include <string>
#include <utility>

namespace stint {
namespace {

std::vector<double> CumulativeDistribution(std::span<const uint32_t> counts, double alpha) {
  if (counts.empty()) throw std::invalid_argument("negative sampling: no items");
  std::vector<double> cdf(counts.size());
  double sum = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0) {
      throw std::invalid_argument("negative sampling: item " + std::to_string(i) + " has count 0");
    }
    sum += std::pow(static_cast<double>(counts[i]), alpha);
    cdf[i] = sum;
  }
  if (!std::isfinite(sum)) {
    throw std::invalid_argument("negative sampling: alpha " + std::to_string(alpha) +
                                " is out of range");
  }
  for (double& c : cdf) c /= sum;
  cdf.back() = 1;
  return cdf;
}

}  // namespace

NegativeSampler::NegativeSampler(std::span<const uint32_t> counts, double alpha, uint64_t seed)
    : NegativeSampler(CumulativeDistribution(counts, alpha), seed) {}

NegativeSampler::NegativeSampler(std::vector<double> cdf, uint64_t seed)
    : cdf_(std::move(cdf)), random_(seed, static_cast<uint64_t>(RandomStream::kNegatives)) {
  double previous = 0;
  for (const double c : cdf_) {
    if (!(c >= previous)) {
      throw std::invalid_argument("negative sampling: the distribution does not rise");
    }
    previous = c;
  }
  if (previous != 1 || cdf_.size() > UINT32_MAX) {
    throw std::invalid_argument("negative sampling: the distribution does not end at 1");
  }
  // At least one bucket an item, so that a draw looks at two entries on average whatever
  // the distribution. A power of two makes bucket / buckets and u * buckets exact.
  const size_t buckets = std::bit_ceil(cdf_.size());
  guide_.resize(buckets + 1);
  uint32_t item = 0;
  for (size_t b = 0; b < buckets; ++b) {
    const double start = static_cast<double>(b) / static_cast<double>(buckets);
    while (cdf_[item] <= start) ++item;
    guide_[b] = item;
  }
  guide_[buckets] = static_cast<uint32_t>(cdf_.size());
}

uint32_t NegativeSampler::ItemAt(double u) const {
  const size_t buckets = guide_.size() - 1;
  uint32_t item = guide_[static_cast<size_t>(u * static_cast<double>(buckets))];
  while (cdf_[item] <= u) ++item;
  return item;
}

void NegativeSampler::Sample(uint64_t first, std::span<uint32_t> out) const {
  for (size_t i = 0; i < out.size(); ++i) out[i] = ItemAt(random_.Unit(first + i));
}

}  // namespace stint
