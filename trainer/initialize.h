// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Options -> start values of all parameters.
#ifndef STINT_TRAINER_INITIALIZE_H_
#define STINT_TRAINER_INITIALIZE_H_

#include "trainer/options.h"
#include "trainer/parameters.h"

namespace stint {

// Gate blocks, item rows and input rows by options.initialization; biases zero.
//   uniform   U(-s, s), s = init_sigma or, where that is 0, sqrt(6 / (fan_in + fan_out)) of the
//             gate block, or of the whole matrix of item or input rows (Glorot and Bengio, AISTATS
//             2010); one-hot input is three gate blocks of [items, units]
//   normal    N(0, s^2) with the same s, as the official Theano code has it
//   compat42  the seed-42 streams of the official code (ALGORITHM section 4): PyTorch's order in
//             the reset_after form, Theano's in the reset_before form; options.seed is not used
// The same bits on every machine. `parameters` are of NetworkShape::Of(options, items).
void Initialize(const Options& options, Parameters* parameters);

}  // namespace stint

#endif  // STINT_TRAINER_INITIALIZE_H_
