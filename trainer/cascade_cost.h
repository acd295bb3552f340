// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// A projection -> the time that answers are expected to take with it.
#ifndef STINT_TRAINER_CASCADE_COST_H_
#define STINT_TRAINER_CASCADE_COST_H_

#include "trainer/cascade.h"
#include "trainer/projection.h"

namespace stint {

// Nanoseconds of an answer, k = 20, the mean over some of input.hidden; a model of a machine, good
// for comparing projections. Without hidden states random ones stand in.
double ExpectedCost(const CascadeInput& input, const Projection& projection);

}  // namespace stint

#endif  // STINT_TRAINER_CASCADE_COST_H_
