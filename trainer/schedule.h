// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Progress of training -> learning rate.
#ifndef STINT_TRAINER_SCHEDULE_H_
#define STINT_TRAINER_SCHEDULE_H_

#include "trainer/options.h"

namespace stint {

// The learning rate of a mini-batch before which `epochs_done` epochs were trained, in [0,
// options.epochs] with the share of the present one; the same bits on every machine:
//
//   constant  learning_rate
//   step      learning_rate * schedule_factor^floor(epochs_done / schedule_epochs)
//   cosine    learning_rate * (1 + cos(pi * epochs_done / epochs)) / 2  (arXiv 1608.03983, once)
//
// times epochs_done / warmup_epochs as long as that is below 1.
double LearningRateAt(const Options& options, double epochs_done);

}  // namespace stint

#endif  // STINT_TRAINER_SCHEDULE_H_
