// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The command line of `stint train` -> what the run needs to know.
#ifndef STINT_TOOLS_TRAIN_ARGUMENTS_H_
#define STINT_TOOLS_TRAIN_ARGUMENTS_H_

#include <CLI/CLI.hpp>
#include <cstddef>
#include <string>

#include "trainer/events.h"
#include "trainer/options.h"

namespace stint {

struct TrainArguments {
  std::string log;
  std::string out;
  ReadOptions read;
  Options options;
  DType dtype = DType::kInt8;
  bool final_activation_given = false;  // else it follows from the loss
  bool bpreg_given = false;
  // Part of the sessions, the last by start, that is kept for validation: so many, or so
  // many percent; none if both are zero.
  size_t validation_sessions = 0;
  double validation_percent = 0;
  bool refit = false;
  bool quiet = false;
  bool json = false;
  bool no_progress = false;

  bool Validates() const { return validation_sessions > 0 || validation_percent > 0; }
};

// Adds all options to the sub-command. `arguments` must outlive the parsing.
void AddTrainOptions(CLI::App* app, TrainArguments* arguments);

// What can be told only when all options are known: the activation that goes with the loss,
// and options that need each other. Throws std::invalid_argument.
void CompleteTrainArguments(TrainArguments* arguments);

}  // namespace stint

#endif  // STINT_TOOLS_TRAIN_ARGUMENTS_H_
