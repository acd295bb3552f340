// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

#include "tools/train_run.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "stint/stint.hpp"
#include "tools/common.h"
#include "tools/interrupts.h"
#include "tools/train_dataset.h"
#include "trainer/cascade.h"
#include "trainer/evaluate.h"

namespace stint {
int TrainRun::Run() {
  CheckWritable(arguments_.out);
  OpenWarmStart();

  // Log -> dataset.
  Events events = ReadEvents(arguments_.logs, HowToRead());
  RefuseAboveLimit(Estimate(MemoryInput::Of(events)));  // making sessions takes the most
  Dataset dataset = Divide(events, HowToDivide(arguments_, events.session_ids.size()));
  CheckTrainable(arguments_, dataset);
  Print("options: " + ToJson(arguments_.options));
  Print(EventsLine(events, Seconds()));
  if (arguments_.Validates()) Print(ValidationSplitLine(dataset));
  CheckMemory(events, dataset);
  OpenCheckpoints(events);
  if (!arguments_.refit) events = {};  // training needs the memory

  // Dataset -> parameters.
  CatchInterrupts();
  Print(TrainingLine("train", arguments_.options, dataset));
  TrainResult result = TrainOrResume(dataset);
  const Validation validation = Compare(result, dataset);
  const bool refitted = arguments_.refit && Refit(events, &dataset, &result);

  // Parameters -> model file.
  const nlohmann::ordered_json summary =
      SummaryJson(arguments_, dataset, result, validation, refitted);
  ExportInput input = MakeExportInput(result.parameters, dataset);
  input.dtype = arguments_.dtype;
  input.scoring = arguments_.scoring;
  if (input.scoring != Scoring::kScan) {
    input.calibration_sessions = CalibrationSessions(dataset.train);
  }
  input.training_summary = JsonText(summary);
  input.self_test_sessions = SelfTestSessions(dataset.train);
  const AlignedBytes model = BuildModel(input);
  const std::string out = OutputPath(result);
  WriteFileAtomically(out, {model.data(), model.size()});

  if (validation.measured()) {
    for (const std::string& line : ValidationLines(validation)) Print(line);
  }
  std::string kind = Name(arguments_.dtype);
  if (input.scoring != Scoring::kScan) kind += Format(", scoring %s", Name(input.scoring));
  Print(Format("wrote %s: %s, %s bytes, %s, %s", out.c_str(), kind.c_str(),
               Grouped(model.size()).c_str(), KeptText(result).c_str(),
               Duration(Seconds()).c_str()));
  if (arguments_.json) {
    WriteJson(RunJson(arguments_, result, summary, out, model.size(), Seconds()));
  }
  if (!result.diverged.empty()) {
    std::fprintf(stderr,
                 "stint train: training diverged: %s; the last good state is in %s; a lower "
                 "--learning-rate may help\n",
                 result.diverged.c_str(), out.c_str());
    return kExitFailure;
  }
  return Interrupted() ? kExitInterrupted : kExitOk;
}

// Before the log is read: a model that does not fit is soon found out.
void TrainRun::OpenWarmStart() {
  const std::string& path = arguments_.warm_start;
  if (path.empty()) return;
  warm_start_ = ReadWarmStart(path, arguments_.options);
  const std::string& checkpoint = arguments_.warm_start_checkpoint;
  if (!checkpoint.empty()) warm_start_checkpoint_.emplace(checkpoint);
  std::string rounded;
  if (warm_start_->dtype != DType::kF32) {
    rounded = Format("its weights are rounded to %s", Name(warm_start_->dtype));
  } else if (warm_start_->layer_dtype != DType::kF32) {
    rounded = Format("its layers are rounded to %s", Name(warm_start_->layer_dtype));
  }
  if (!rounded.empty()) {
    rounded =
        "; " + rounded + ": a model of --dtype f32, or --warm-start-checkpoint, is more exact";
  }
  Print(Format("warm start: %s: %s items%s%s", path.c_str(),
               Grouped(warm_start_->catalog.size()).c_str(), StartItemScale().c_str(),
               checkpoint.empty() ? rounded.c_str() : ""));
}

// The model's rows hold the scale: the run goes on from their length, so that scores start as the
// model has them. Returns what to tell.
std::string TrainRun::StartItemScale() {
  Options& options = arguments_.options;
  if (!options.normalize_items) return "";
  const double length = CommonRowNorm(warm_start_->parameters);
  const std::string rows =
      length == 0 ? "its rows differ in length" : Format("its rows have length %g", length);
  if (length == 0 || arguments_.given.Has("item-scale")) {
    return Format("; %s, now all have --item-scale %g", rows.c_str(), options.item_scale);
  }
  options.item_scale = length;
  Validate(options);
  return "; " + rows + ", --item-scale goes on from there";
}

void TrainRun::FillFromWarmStartCheckpoint(const Options& options, bool tell, Network* network) {
  const auto list = [](const char* before, const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? before : ", ") + word;
    return text;
  };
  const TakenOver over =
      FillFromCheckpoint(*warm_start_checkpoint_, *warm_start_, options, network);
  if (!tell) return;
  Print("warm start: " + warm_start_checkpoint_->path() + list(": goes on: ", over.taken) +
        list("; starts anew: ", over.fresh) + list("; not used: ", over.left));
}

Dataset TrainRun::Divide(const Events& events, const DatasetOptions& options) const {
  DatasetOptions with_known = options;
  if (warm_start_) with_known.known = &warm_start_->catalog;
  Dataset dataset = MakeDataset(events, with_known);
  if (warm_start_) ExtendCatalog(warm_start_->catalog, &dataset);
  return dataset;
}

// A log that is too large for --memory-limit is not read to its end.
ReadOptions TrainRun::HowToRead() const {
  ReadOptions options = arguments_.read;
  if (arguments_.memory_limit == 0) return options;
  options.on_progress = [this](const ReadProgress& progress) {
    // The start of a log by time tells little of the rest: nearly every event there is of a new
    // session. Until an eighth is read, what is there counts; then what is clear is told.
    constexpr double kEnough = 0.125;
    constexpr double kClear = 1.2;
    const MemoryEstimate estimate = Estimate(
        MemoryInput::Of(ReadProgress{.events = progress.events,
                                     .session_ids = progress.session_ids,
                                     .item_ids = progress.item_ids,
                                     .share = progress.share < kEnough ? 0 : progress.share}));
    if (static_cast<double>(estimate.Bytes()) >
        kClear * static_cast<double>(arguments_.memory_limit)) {
      RefuseAboveLimit(estimate);
    }
  };
  return options;
}

MemoryEstimate TrainRun::Estimate(MemoryInput input) const {
  input.validates = arguments_.Validates();
  input.refits = arguments_.refit;
  input.dtype = arguments_.dtype;
  input.scoring = arguments_.scoring;
  if (warm_start_) {
    input.items = std::max<uint64_t>(input.items, warm_start_->catalog.size());
    input.warm_start_bytes = ParameterBytes(warm_start_->parameters.shape);
  }
  return EstimateMemory(arguments_.options, input);
}

// Throws if it is above --memory-limit.
void TrainRun::RefuseAboveLimit(const MemoryEstimate& estimate) const {
  if (arguments_.memory_limit == 0 || estimate.Bytes() <= arguments_.memory_limit) return;
  throw std::runtime_error("--memory-limit: " + Grouped(arguments_.memory_limit) +
                           " bytes, but training would take about " + Grouped(estimate.Bytes()) +
                           ": " + estimate.ToString());
}

void TrainRun::CheckMemory(const Events& events, const Dataset& dataset) {
  MemoryInput input = MemoryInput::Of(events);
  input.items = std::max<uint64_t>(input.items, dataset.catalog.size());
  const MemoryEstimate estimate = Estimate(input);
  Print("memory: about " + estimate.ToString());
  RefuseAboveLimit(estimate);
}

void TrainRun::OpenCheckpoints(const Events& events) {
  const CheckpointArguments& asked = arguments_.checkpoint;
  if (asked.folder.empty()) return;
  checkpoints_ = std::make_unique<CheckpointFolder>(asked, [&](const std::string& line) {
    progress_.Clear();
    std::fprintf(stderr, "stint train: %s\n", line.c_str());
  });
  description_ = RunDescription(arguments_, events);
  if (warm_start_) description_["options"]["warm-start"] = HexOf(warm_start_->xxh3);
  if (warm_start_checkpoint_) {
    description_["options"]["warm-start-checkpoint"] = warm_start_checkpoint_->Fingerprint();
  }
  if (asked.resume) resume_ = checkpoints_->Newest(description_);
  if (resume_) Print("resume: from " + resume_->path());
  if (asked.resume && !resume_)
    Print("resume: no checkpoint in " + asked.folder + ": from the start");
}

// The first phase, unless the checkpoint is beyond it.
TrainResult TrainRun::TrainOrResume(const Dataset& dataset) {
  if (!resume_ || !resume_->header().contains(kRefitKey)) {
    TrainResult result = TrainOn(dataset, arguments_.options);
    resume_.reset();
    return result;
  }
  return ResultBeforeRefit(*resume_, NetworkShape::Of(arguments_.options, dataset.catalog.size()));
}

// `before_refit`: the result of the first phase, in the second.
TrainResult TrainRun::TrainOn(const Dataset& dataset, const Options& options,
                              const TrainResult* before_refit) {
  TrainCallbacks callbacks;
  callbacks.stop = [] { return Interrupted(); };
  callbacks.on_minibatch = [&](const TrainProgress& progress) {
    epoch_ = progress.epoch;
    progress_.Show(progress);
  };
  callbacks.on_epoch = [&](const EpochResult& epoch) { Print(EpochLine(epoch)); };
  if (dataset.validation.size() > 0) {
    callbacks.validate = [&](const Parameters& parameters) {
      return Measure(parameters, dataset, arguments_.dtype, arguments_.scoring);
    };
  }
  if (checkpoints_ != nullptr) {
    callbacks.save_due = [&](const TrainProgress&, bool ended) { return checkpoints_->Due(ended); };
    callbacks.save = [&](CheckpointContent content, uint64_t step, SaveReason reason) {
      content.header[kRunKey] = description_;
      if (before_refit != nullptr) AddToContent(*before_refit, &content);
      checkpoints_->Save(content, step + (before_refit ? before_refit->steps : 0), reason);
    };
  }
  TrainStart start;
  start.resume = resume_ ? &*resume_ : nullptr;
  if (warm_start_) {
    start.seed = SeedAfter(*warm_start_, options.seed);
    start.initialize = [&](Parameters* parameters) {
      Options with_seed = options;
      with_seed.seed = *start.seed;
      FillFromModel(*warm_start_, with_seed, parameters);
    };
  }
  if (warm_start_checkpoint_) {
    start.prepare = [&](Network* network) {
      FillFromWarmStartCheckpoint(options, before_refit == nullptr, network);
    };
  }
  TrainResult result = Train(options, dataset.catalog, dataset.train, callbacks, start);
  progress_.Clear();
  return result;
}

// Trains anew on all sessions, for as many epochs as were best. False if that came to nothing,
// which leaves dataset and result of the validated run, to be written as they are.
bool TrainRun::Refit(const Events& events, Dataset* dataset, TrainResult* result) {
  if (Interrupted() || !result->diverged.empty()) return false;
  Options options = arguments_.options;
  options.epochs = result->best_epoch;
  Dataset whole = Divide(events, DatasetOptions{});
  Print(TrainingLine("refit on all sessions", options, whole));
  TrainResult refitted = TrainOn(whole, options, result);
  if (refitted.interrupted || !refitted.diverged.empty()) {
    Print("refit did not finish: the model before it is written instead");
    result->interrupted = refitted.interrupted;
    result->diverged = refitted.diverged;
    return false;
  }
  *result = std::move(refitted);
  *dataset = std::move(whole);
  return true;
}

ExportInput TrainRun::MakeExportInput(const Parameters& parameters, const Dataset& dataset) const {
  ExportInput input;
  input.parameters = &parameters;
  input.catalog = &dataset.catalog;
  input.final_activation = arguments_.options.final_activation;
  input.hidden_activation = arguments_.options.hidden_activation;
  input.hyperparameters = ToJson(arguments_.options);
  return input;
}

// Recall and MRR of the parameters as a file of `dtype` would have them, ranked by the runtime.
// No targets if interrupted: a part of the sessions would be another measure.
Metrics TrainRun::Measure(const Parameters& parameters, const Dataset& dataset, DType dtype,
                          Scoring scoring) {
  ExportInput input = MakeExportInput(parameters, dataset);
  input.dtype = dtype;
  // Ranks are found by a scan in any case. Exact: the rows are others than those of `dtype`; the
  // cascade beside them is the smallest.
  if (scoring == Scoring::kExact) {
    input.scoring = scoring;
    input.cascade_columns = kMinCascadeWidth;
  }
  const AlignedBytes bytes = BuildModel(input);
  Model model;
  stint_error error = {};
  if (Model::FromBuffer(bytes.data(), bytes.size(), &model, &error) != STINT_OK) {
    throw std::logic_error(std::string("the model just made: ") + error.message);
  }
  EvaluateOptions options;
  options.threads = arguments_.options.threads;
  options.stop = [] { return Interrupted(); };
  options.progress = [&](uint64_t done, uint64_t total) {
    progress_.Show(Format("epoch %zu, validation", epoch_), done, total, "targets");
  };
  Metrics metrics = Evaluate(model.get(), dataset.validation, options);
  progress_.Clear();
  return Interrupted() ? Metrics() : metrics;
}

// The kept epoch before and after quantization; nothing measured without validation.
Validation TrainRun::Compare(const TrainResult& result, const Dataset& dataset) {
  Validation validation;
  validation.sessions = dataset.validation.size();
  validation.unknown_events = dataset.validation_unknown;
  validation.dtype = arguments_.dtype;
  for (const EpochResult& epoch : result.epochs) {
    if (epoch.epoch == result.best_epoch) validation.written = epoch.validation;
  }
  if (validation.written.targets > 0 && !Interrupted()) {
    epoch_ = result.best_epoch;
    validation.f32 = Measure(result.parameters, dataset, DType::kF32, Scoring::kScan);
  }
  return validation;
}

// A model of an earlier run is not given up for the few steps before a divergence.
std::string TrainRun::OutputPath(const TrainResult& result) const {
  const bool useless = !result.diverged.empty() && result.best_epoch == 0;
  struct stat old = {};
  const bool keep = useless && stat(arguments_.out.c_str(), &old) == 0 && S_ISREG(old.st_mode);
  return keep ? arguments_.out + ".diverged" : arguments_.out;
}

void TrainRun::Print(const std::string& line) {
  if (arguments_.quiet) return;
  progress_.Clear();
  std::fprintf(stderr, "%s\n", line.c_str());
}

}  // namespace stint
