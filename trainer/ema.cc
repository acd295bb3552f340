// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

#include "trainer/ema.h"

#include <algorithm>

#include "trainer/exact_math.h"

namespace stint {
namespace {

// Floats a task: 64 KiB of either array.
constexpr size_t kBlock = 16384;

}  // namespace

WeightMean::WeightMean(const Parameters& start, double decay)
    : mean_(start), rate_(static_cast<float>(1 - Pow(decay, double{kInterval}))) {}

void WeightMean::Update(const Parameters& parameters, Team* team) {
  const size_t floats = mean_.block_floats();
  float* mean = mean_.block();
  const float* weights = parameters.block();
  team->Run((floats + kBlock - 1) / kBlock, [&](size_t t) {
    const size_t end = std::min(floats, (t + 1) * kBlock);
    for (size_t i = t * kBlock; i < end; ++i) mean[i] += rate_ * (weights[i] - mean[i]);
  });
}

}  // namespace stint
