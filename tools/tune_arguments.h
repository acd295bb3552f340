// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The command line of `stint tune` -> what a study needs to know.
#ifndef STINT_TOOLS_TUNE_ARGUMENTS_H_
#define STINT_TOOLS_TUNE_ARGUMENTS_H_

#include <CLI/CLI.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tools/train_arguments.h"
#include "tools/tune_search.h"
#include "tools/tune_space.h"

namespace stint {

struct TuneArguments {
  std::vector<std::string> logs;
  std::string space;   // file of JSON lines
  std::string study;   // folder
  std::string params;  // options of all trials
  std::string out;     // model of the best trial, empty: none
  std::string csv;     // empty: none
  ReadOptions read;
  GivenOptions given;  // options of all trials, with `params`
  std::vector<std::string> notes;
  ValidationSplit validate;
  DType dtype = DType::kInt8;
  Scoring scoring = Scoring::kScan;
  Metric metric = Metric::kRecall;
  size_t trials = 50;
  uint64_t search_seed = 1;
  size_t halving = 0;  // 0: all trials are trained to the end
  size_t min_epochs = 1;
  size_t max_epochs = 10;
  size_t workers = 1;
  size_t threads = 0;  // of all workers together
  double timeout = 0;  // seconds of one run, 0: none
  bool resume = false;
  bool quiet = false;
  bool json = false;
};

// Adds all options to the sub-command. `arguments` must outlive the parsing.
void AddTuneOptions(CLI::App* app, TuneArguments* arguments);
// What can be told only when all are known. Throws std::invalid_argument.
void CompleteTuneArguments(TuneArguments* arguments);

// Refuses parameters of the space that the command line has too, or that cannot be searched.
void CheckSpace(const TuneArguments& arguments, const Space& space);

// The options at a point of the space, complete. Throws std::invalid_argument where they do not go
// together. What has no effect there is left in, with a note if `notes` is not null.
GivenOptions OptionsOf(const TuneArguments& arguments, const std::vector<Assignment>& point,
                       std::vector<std::string>* notes);
// What was given, as "layers=100/50,loss=bpr-max": for `stint train --params`.
std::string ParamsOf(const GivenOptions& given);
// The options about the log's columns, as on a command line.
std::vector<std::string> ReadWords(const ReadOptions& read);

}  // namespace stint

#endif  // STINT_TOOLS_TUNE_ARGUMENTS_H_
