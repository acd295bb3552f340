// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

#include "trainer/dropout.h"

namespace stint {

void DrawDropout(const RandomCounter& random, double p, uint64_t step, size_t size, size_t begin,
                 size_t end, float* mask) {
  const uint64_t first = step * (size / 2);
  const auto threshold = static_cast<uint32_t>(p * 0x1p32);  // p < 1
  const auto keep = static_cast<float>(1.0 / (1.0 - p));
  for (size_t i = begin; i < end; i += 2) {
    const uint64_t bits = random.Bits(first + i / 2);
    mask[i] = static_cast<uint32_t>(bits) >= threshold ? keep : 0.0f;
    mask[i + 1] = static_cast<uint32_t>(bits >> 32) >= threshold ? keep : 0.0f;
  }
}

void ApplyDropout(const float* mask, size_t begin, size_t end, float* values) {
  for (size_t i = begin; i < end; ++i) values[i] *= mask[i];
}

}  // namespace stint
