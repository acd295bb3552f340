// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The command line of `stint train` -> what the run needs to know.
#ifndef STINT_TOOLS_TRAIN_ARGUMENTS_H_
#define STINT_TOOLS_TRAIN_ARGUMENTS_H_

#include <CLI/CLI.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tools/training_options.h"
#include "trainer/events.h"
#include "trainer/options.h"

namespace stint {

// Part of the sessions that is kept out of training to measure on; none if all are zero.
struct ValidationSplit {
  size_t sessions = 0;  // the last by start, so many
  double percent = 0;   // or so many percent
  EventTime span = {};  // or those that end within the last so many units of the log's time

  std::vector<std::string> words;  // as on the command line, for a child process

  bool ByCount() const { return sessions > 0 || percent > 0; }
  bool Any() const { return ByCount() || span > EventTime(); }
};

// How often; one of them is above 0.
struct CheckpointInterval {
  uint64_t seconds = 600;
  uint64_t epochs = 0;
  uint64_t minibatches = 0;
};

struct CheckpointArguments {
  std::string folder;  // empty: no checkpoints
  CheckpointInterval every;
  bool every_given = false;
  bool resume = false;
};

struct TrainArguments {
  std::vector<std::string> logs;
  std::string out;
  std::string params;  // "loss=bpr-max,n_sample=2048"
  ReadOptions read;
  GivenOptions given;              // as parsed
  Options options;                 // complete and checked, from CompleteTrainArguments()
  std::vector<std::string> notes;  // for people: given without effect
  DType dtype = DType::kInt8;
  Scoring scoring = Scoring::kScan;
  ValidationSplit validate;
  CheckpointArguments checkpoint;
  std::string warm_start;             // model file; empty: from random start values
  std::string warm_start_checkpoint;  // beside it, for exact weights and the optimizer's state
  uint64_t memory_limit = 0;          // bytes; 0: none
  bool refit = false;
  bool quiet = false;
  bool json = false;
  bool no_progress = false;

  bool Validates() const { return validate.Any(); }
  std::string LogNames() const;  // for messages
};

// Adds all options to the sub-command. `arguments` must outlive the parsing.
void AddTrainOptions(CLI::App* app, TrainArguments* arguments);

// What can be told only when all options are known: --params, the activation that goes with the
// loss, options that need each other. Throws std::invalid_argument.
void CompleteTrainArguments(TrainArguments* arguments);

// Parts that `stint tune` has too. `what_for` goes on after "keep the last sessions out of ...,".
void AddLogs(CLI::App* app, std::vector<std::string>* logs);
void AddValidationOptions(CLI::App* app, ValidationSplit* split, const std::string& what_for);
// --layers, --loss and all others of training_options.h but those of `without`.
void AddTrainingOptions(CLI::App* app, const std::vector<std::string>& without,
                        GivenOptions* given);
void CheckValidation(const ValidationSplit& split);
void AddScoringOption(CLI::App* app, Scoring* scoring);

}  // namespace stint

#endif  // STINT_TOOLS_TRAIN_ARGUMENTS_H_
