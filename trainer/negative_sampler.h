// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Item counts -> negative samples, drawn with replacement by popularity^alpha
// (arXiv 1706.03847, section 3).
#ifndef STINT_TRAINER_NEGATIVE_SAMPLER_H_
#define STINT_TRAINER_NEGATIVE_SAMPLER_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "trainer/random.h"

namespace stint {

// Inverts the cumulative distribution in float64 with a guide table: one draw costs O(1)
// and its item has exactly the probability that the rounded cdf gives it.
class NegativeSampler {
 public:
  // P(item) ~ counts[item]^alpha; alpha 0 is uniform, 1 popularity. `counts` not empty, all > 0.
  NegativeSampler(std::span<const uint32_t> counts, double alpha, uint64_t seed);
  // From a cumulative distribution, non-decreasing, the last entry 1.
  NegativeSampler(std::vector<double> cdf, uint64_t seed);

  // The number of cdf entries <= u, for u in [0, 1).
  uint32_t ItemAt(double u) const;
  // Draws number `first` to `first + out.size() - 1` of the stream.
  void Sample(uint64_t first, std::span<uint32_t> out) const;

  std::span<const double> cdf() const { return cdf_; }

 private:
  std::vector<double> cdf_;      // [items]
  std::vector<uint32_t> guide_;  // [buckets + 1] first item whose cdf exceeds bucket / buckets
  RandomCounter random_;
};

}  // namespace stint

#endif  // STINT_TRAINER_NEGATIVE_SAMPLER_H_
