// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Float arrays -> their dot products and norms, and from the norm of all gradients the scale that
// clips them.
#ifndef STINT_TRAINER_NORM_H_
#define STINT_TRAINER_NORM_H_

#include <cstddef>

namespace stint {

// The sum of a[i] * b[i] for any n and alignment. Every product is exact in double; product i goes
// into partial sum i % 16 and these are added in order, so that the bits depend on nothing else.
double DotProduct(const float* a, const float* b, size_t n);

// The square of the Euclidean norm, in the same way.
inline double SquaredNorm(const float* x, size_t n) { return DotProduct(x, x, n); }

// What gradients with this squared norm, all taken together, are multiplied by so that it is at
// most `cap`: cap / norm where norm >= cap, else 1; 1 also for cap 0 (off). The norm is that of
// every dense gradient and every occurrence of a row by itself, before they are summed (ALGORITHM
// section 8).
float ClipScale(double squared_norm, double cap);

}  // namespace stint

#endif  // STINT_TRAINER_NORM_H_
