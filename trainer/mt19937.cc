// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

#include "trainer/mt19937.h"

#include <cmath>

namespace stint {

std::vector<float> NumpyRandom::Block(size_t rows, size_t cols, BlockRounding rounding) {
  const double s = std::sqrt(6.0 / static_cast<double>(rows + cols));
  const auto s32 = static_cast<float>(s);
  std::vector<float> block(rows * cols);
  for (float& value : block) {
    const double u = Unit();
    value = rounding == BlockRounding::kFirst ? static_cast<float>(u) * 2.0f * s32 - s32
                                              : static_cast<float>(u * 2.0 * s - s);
  }
  return block;
}

}  // namespace stint
