// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Command line and log of `stint train` -> how the log is divided, and whether it can be trained
// on.
#ifndef STINT_TOOLS_TRAIN_DATASET_H_
#define STINT_TOOLS_TRAIN_DATASET_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "tools/train_arguments.h"
#include "trainer/sessions.h"

namespace stint {

// Which of the log's `sessions` --validate-last or --validate-span mean. Throws std::runtime_error
// if none is left to train on.
DatasetOptions HowToDivide(const TrainArguments& arguments, size_t sessions);

// Throws std::runtime_error that says what the log lacks.
void CheckTrainable(const TrainArguments& arguments, const Dataset& dataset);

// Sessions spread over the training data: short and long ones, with frequent and rare items.
std::vector<std::vector<uint32_t>> SelfTestSessions(const Sessions& sessions);

// The newest sessions, some thousand clicks: what a cascade is fitted to.
std::vector<std::vector<uint32_t>> CalibrationSessions(const Sessions& sessions);

}  // namespace stint

#endif  // STINT_TOOLS_TRAIN_DATASET_H_
