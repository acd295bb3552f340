// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Click log -> model file: read, split, train with validation, quantize, measure, write.
#ifndef STINT_TOOLS_TRAIN_RUN_H_
#define STINT_TOOLS_TRAIN_RUN_H_

#include <chrono>
#include <cstddef>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "tools/progress.h"
#include "tools/train_arguments.h"
#include "tools/train_checkpoint.h"
#include "tools/train_report.h"
#include "trainer/events.h"
#include "trainer/export.h"
#include "trainer/memory.h"
#include "trainer/sessions.h"
#include "trainer/train.h"
#include "trainer/warm_start.h"

namespace stint {

// One run of `stint train`.
class TrainRun {
 public:
  explicit TrainRun(const TrainArguments& arguments)
      : arguments_(arguments),
        progress_(arguments.quiet || arguments.no_progress),
        start_(Clock::now()) {}

  int Run();

 private:
  using Clock = std::chrono::steady_clock;

  void OpenWarmStart();
  std::string StartItemScale();
  void FillFromWarmStartCheckpoint(const Options& options, bool tell, Network* network);
  ReadOptions HowToRead() const;
  MemoryEstimate Estimate(MemoryInput input) const;
  void RefuseAboveLimit(const MemoryEstimate& estimate) const;
  void CheckMemory(const Events& events, const Dataset& dataset);
  void OpenCheckpoints(const Events& events);
  Dataset Divide(const Events& events, const DatasetOptions& options) const;
  TrainResult TrainOn(const Dataset& dataset, const Options& options,
                      const TrainResult* before_refit = nullptr);
  TrainResult TrainOrResume(const Dataset& dataset);
  bool Refit(const Events& events, Dataset* dataset, TrainResult* result);
  Metrics Measure(const Parameters& parameters, const Dataset& dataset, DType dtype,
                  Scoring scoring);
  Validation Compare(const TrainResult& result, const Dataset& dataset);
  ExportInput MakeExportInput(const Parameters& parameters, const Dataset& dataset) const;
  std::string OutputPath(const TrainResult& result) const;
  void Print(const std::string& line);
  double Seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

  TrainArguments arguments_;  // the item scale may come from the model of --warm-start
  ProgressLine progress_;
  Clock::time_point start_;
  size_t epoch_ = 0;  // under way, for the display
  std::unique_ptr<CheckpointFolder> checkpoints_;
  nlohmann::ordered_json description_;  // of this run, for its checkpoints
  std::optional<Checkpoint> resume_;    // where to go on
  std::optional<TrainedModel> warm_start_;
  std::optional<Checkpoint> warm_start_checkpoint_;
};

}  // namespace stint

#endif  // STINT_TOOLS_TRAIN_RUN_H_
