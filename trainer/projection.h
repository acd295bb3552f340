// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Item rows and hidden states -> the subspace in which the cascade's first stage sees them.
#ifndef STINT_TRAINER_PROJECTION_H_
#define STINT_TRAINER_PROJECTION_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "trainer/cascade.h"

namespace stint {

// Of more rows every so many-th is looked at.
inline constexpr size_t kMostSampledRows = 1 << 15;

struct Projection {
  size_t columns = 0;       // M, a multiple of 4
  std::vector<float> rows;  // [M, H] orthonormal but for rounding
  std::vector<float> mean;  // [H] of the item rows
  double skew = 0;          // the Frobenius norm of rows rows^T - 1, rounded up
  // What |a - A| / |a| mostly is, for a = rows h and its 8-bit form A: a float's value.
  double kappa = 0;
  std::vector<uint32_t> seeds;  // items that mostly score high, best first
};

// The leading M principal axes of the rows' and the hidden states' covariances together, each
// divided by its trace, turned at random inside of their space: 4 bits a value, and 8 bits of the
// hidden state, are used best where all coordinates are alike. M is input.columns, or the number
// that promises the quickest answers.
Projection FitProjection(const CascadeInput& input);

}  // namespace stint

#endif  // STINT_TRAINER_PROJECTION_H_
