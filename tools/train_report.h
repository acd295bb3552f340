// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// What a training run found -> lines for people, JSON for the model file and for programs.
#ifndef STINT_TOOLS_TRAIN_REPORT_H_
#define STINT_TOOLS_TRAIN_REPORT_H_

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "tools/train_arguments.h"
#include "trainer/events.h"
#include "trainer/metrics.h"
#include "trainer/sessions.h"
#include "trainer/train.h"

namespace stint {

// Quality on the validation sessions at 20: as trained, and with the weights as written.
struct Validation {
  uint64_t sessions = 0;
  uint64_t unknown_events = 0;  // left out, their items are not in the training part
  DType dtype = DType::kInt8;
  Metrics f32;
  Metrics written;

  bool measured() const { return f32.targets > 0 && written.targets > 0; }
};

std::string EventsLine(const Events& events, double seconds);
std::string ValidationSplitLine(const Dataset& dataset);
std::string TrainingLine(const char* title, const Options& options, const Dataset& dataset);
std::string EpochLine(const EpochResult& epoch);
// Which part of the training the model holds: "epoch 3", "epoch 3 and 12 mini-batches of epoch 4".
std::string KeptText(const TrainResult& result);
// Before and after quantization, and what it lost.
std::vector<std::string> ValidationLines(const Validation& validation);

// Goes into the model file: nothing in it differs from run to run (no times, no folders), so
// that the same seed gives the same file.
nlohmann::ordered_json SummaryJson(const TrainArguments& arguments, const Dataset& dataset,
                                   const TrainResult& result, const Validation& validation,
                                   bool refitted);
// Goes to standard output with --json.
nlohmann::ordered_json RunJson(const TrainArguments& arguments, const TrainResult& result,
                               const nlohmann::ordered_json& summary, const std::string& out,
                               size_t bytes, double seconds);

}  // namespace stint

#endif  // STINT_TOOLS_TRAIN_REPORT_H_
