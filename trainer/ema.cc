// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

#include "trainer/ema.h"

#include <algorithm>

#include "trainer/exact_math.h"

namespace stint {
namespace {

// Floats a task: 64 KiB of either array.
constexpr size_t kBlock = 16384;

void Approach(float rate, const float* weights, size_t n, float* mean) {
  for (size_t i = 0; i < n; ++i) mean[i] += rate * (weights[i] - mean[i]);
}

}  // namespace

WeightMean::WeightMean(const Parameters& start, float scale, double decay)
    : mean_(start), scale_(scale), decay_(decay) {}

float WeightMean::Rate(uint64_t steps) const {
  return static_cast<float>(1 - Pow(decay_, static_cast<double>(steps)));
}

void WeightMean::Update(const Parameters& parameters, float scale, Team* team) {
  const float rate = Rate(kInterval);
  const size_t floats = mean_.block_floats();
  team->Run((floats + kBlock - 1) / kBlock, [&](size_t t) {
    const size_t begin = t * kBlock;
    Approach(rate, parameters.block() + begin, std::min(kBlock, floats - begin),
             mean_.block() + begin);
  });
  Approach(rate, &scale, 1, &scale_);
}

Parameters WeightMean::After(const Parameters& parameters, uint64_t steps) const {
  Parameters mean = mean_;
  if (steps > 0) Approach(Rate(steps), parameters.block(), mean.block_floats(), mean.block());
  return mean;
}

float WeightMean::ScaleAfter(float scale, uint64_t steps) const {
  float mean = scale_;
  if (steps > 0) Approach(Rate(steps), &scale, 1, &mean);
  return mean;
}

}  // namespace stint
