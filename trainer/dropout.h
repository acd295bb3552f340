// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// (seed, step) -> dropout multipliers: 0 with probability p, else 1 / (1 - p) (inverted
// dropout; Srivastava et al., JMLR 2014).
#ifndef STINT_TRAINER_DROPOUT_H_
#define STINT_TRAINER_DROPOUT_H_

#include <cstddef>
#include <cstdint>

#include "trainer/random.h"

namespace stint {

// Fills mask[begin, end) of a mask of `size` elements for mini-batch `step`. Element i of
// step t takes 32 bits of draw (t * size + i) / 2, whoever draws it; begin and size are even.
void DrawDropout(const RandomCounter& random, double p, uint64_t step, size_t size, size_t begin,
                 size_t end, float* mask);

// values[i] *= mask[i] for i in [begin, end): forward and backward are the same.
void ApplyDropout(const float* mask, size_t begin, size_t end, float* values);

}  // namespace stint

#endif  // STINT_TRAINER_DROPOUT_H_
