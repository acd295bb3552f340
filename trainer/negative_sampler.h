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

// Inverts the cumulative distribution with a guide table: one draw costs O(1). The distribution is
// in fixed point of 63 bits, summed in 106, and the weights have relative errors of 1e-15: the
// probability of an item is off by 2^-64 at most, and so by 1e-9 of itself even where it is 1e-10.
// In float64, whose steps below 1 are 2^-53, rare items late in a catalog of millions would be
// off by 1e-8 and more. Plain IEEE arithmetic: the same draws on every machine.
class NegativeSampler {
 public:
  // P(item) ~ counts[item]^alpha; alpha 0 is uniform, 1 popularity. `counts` not empty, all > 0.
  NegativeSampler(std::span<const uint32_t> counts, double alpha, uint64_t seed);
  // From a cumulative distribution, non-decreasing, the last entry 1; used without rounding as
  // far as draws of 63 bits can tell.
  NegativeSampler(const std::vector<double>& cdf, uint64_t seed);

  // The number of cdf entries <= u, for u in [0, 1), of which the bits below 2^-63 are cut off.
  uint32_t ItemAt(double u) const;
  // Draws number `first` to `first + out.size() - 1` of the stream.
  void Sample(uint64_t first, std::span<uint32_t> out) const;

  size_t size() const { return ends_.size(); }
  // That a draw is `item`, exact but for the rounding of the result.
  double Probability(uint32_t item) const;
  // That a draw is `item` or one before it, rounded to double.
  double Cumulative(uint32_t item) const;

 private:
  explicit NegativeSampler(std::vector<uint64_t> ends, uint64_t seed);
  uint32_t ItemOf(uint64_t draw) const;

  std::vector<uint64_t> ends_;   // [items] cdf in units of 2^-63; the last is 2^63
  std::vector<uint32_t> guide_;  // [buckets] first item whose end exceeds the bucket's start
  int guide_shift_ = 0;          // draw >> guide_shift_ is its bucket
  RandomCounter random_;
};

}  // namespace stint

#endif  // STINT_TRAINER_NEGATIVE_SAMPLER_H_
