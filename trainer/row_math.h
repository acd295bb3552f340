// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Rows of floats -> inner products and norms, in one order of sums whatever the machine; the norm
// of all gradients -> the scale that clips them.
#ifndef STINT_TRAINER_ROW_MATH_H_
#define STINT_TRAINER_ROW_MATH_H_

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace stint {

// A shorter row is taken as this long where something is divided by its norm.
inline constexpr float kSmallestNorm = 1e-12f;

// <a, b> in double, where every product of two floats is exact: eight sums side by side, added in
// order at the end.
inline double RowProduct(const float* a, const float* b, size_t n) {
  constexpr size_t kLanes = 8;
  double sums[kLanes] = {};
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (size_t l = 0; l < kLanes; ++l) {
      sums[l] += static_cast<double>(a[i + l]) * static_cast<double>(b[i + l]);
    }
  }
  for (size_t l = 0; i < n; ++i, ++l) {
    sums[l] += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  }
  double sum = 0;
  for (const double part : sums) sum += part;
  return sum;
}

inline float RowNorm(const float* row, size_t n) {
  return std::max(static_cast<float>(std::sqrt(RowProduct(row, row, n))), kSmallestNorm);
}

// What gradients with this squared norm, all taken together, are multiplied by so that it is at
// most `cap`: cap / norm where norm >= cap, else 1; 1 also for cap 0 (off). The norm is that of
// every dense gradient and every occurrence of a row by itself, before they are summed (ALGORITHM
// section 8).
inline float ClipScale(double squared_norm, double cap) {
  const double norm = std::sqrt(squared_norm);
  return cap > 0 && norm >= cap ? static_cast<float>(cap / norm) : 1.0f;
}

}  // namespace stint

#endif  // STINT_TRAINER_ROW_MATH_H_
