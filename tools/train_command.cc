// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Click log -> model file: read, split, train with validation, quantize, measure, write.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "stint/stint.h"
#include "tools/commands.h"
#include "tools/common.h"
#include "tools/progress.h"
#include "tools/train_arguments.h"
#include "trainer/evaluate.h"
#include "trainer/events.h"
#include "trainer/export.h"
#include "trainer/sessions.h"
#include "trainer/train.h"

namespace stint {
namespace {

using nlohmann::ordered_json;

volatile std::sig_atomic_t interrupted = 0;

extern "C" void OnInterrupt(int) {
  interrupted = 1;
  constexpr char kMessage[] =
      "\nstint train: interrupted: writing what there is; once more to stop at once\n";
  const ssize_t ignored = write(STDERR_FILENO, kMessage, sizeof(kMessage) - 1);
  (void)ignored;
}

// From here on the first Ctrl-C or SIGTERM asks, the second one kills.
void CatchInterrupts() {
  struct sigaction action = {};
  action.sa_handler = OnInterrupt;
  action.sa_flags = SA_RESETHAND | SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

// Fails before an hour of training, not after it, if `path` could not be written.
void CheckWritable(const std::string& path) {
  struct stat old = {};
  const bool exists = stat(path.c_str(), &old) == 0;
  int error = 0;
  if (exists && S_ISDIR(old.st_mode)) {
    error = EISDIR;
  } else if (exists && !S_ISREG(old.st_mode)) {  // a pipe or a device is written to as it is
    error = access(path.c_str(), W_OK) == 0 ? 0 : errno;
  } else {
    std::string probe = path + ".probeXXXXXX";
    const int file = mkstemp(probe.data());
    error = file < 0 ? errno : 0;
    if (file >= 0) {
      close(file);
      unlink(probe.c_str());
    }
  }
  if (error != 0) throw std::runtime_error(path + ": cannot be written: " + std::strerror(error));
}

// One run of the command: its settings, and what it prints.
class TrainRun {
 public:
  explicit TrainRun(const TrainArguments& arguments)
      : arguments_(arguments), progress_(arguments.quiet || arguments.no_progress) {}

  int Run();

 private:
  size_t ValidationSessions(const Events& events) const;
  TrainResult RunTraining(const Options& options, const Dataset& dataset, const char* title);
  Metrics Measure(const Parameters& parameters, const Dataset& dataset, DType dtype);
  AlignedBytes Build(const Parameters& parameters, const Dataset& dataset, DType dtype,
                     const std::string& summary) const;
  void PrintEpoch(const EpochResult& epoch);
  void Print(const std::string& line);

  const TrainArguments& arguments_;
  ProgressLine progress_;
  size_t epoch_ = 0;  // in training, for the display
};

void TrainRun::Print(const std::string& line) {
  if (arguments_.quiet) return;
  progress_.Clear();
  std::fprintf(stderr, "%s\n", line.c_str());
}

size_t TrainRun::ValidationSessions(const Events& events) const {
  const size_t sessions = events.session_ids.size();
  if (arguments_.validation_sessions > 0) {
    if (arguments_.validation_sessions >= sessions) {
      throw std::runtime_error(
          arguments_.log + ": --validate-last " + std::to_string(arguments_.validation_sessions) +
          " leaves nothing to train on: the log has " + std::to_string(sessions) + " sessions");
    }
    return arguments_.validation_sessions;
  }
  if (arguments_.validation_percent == 0) return 0;
  const double share = arguments_.validation_percent / 100 * static_cast<double>(sessions);
  return std::max<size_t>(1, static_cast<size_t>(share));
}

void CheckTrainable(const std::string& log, const Options& options, const Dataset& dataset,
                    bool validates) {
  size_t sessions = 0;  // with at least one pair of input and target
  for (size_t s = 0; s < dataset.train.size(); ++s) sessions += dataset.train[s].size() > 1;
  if (sessions == 0) {
    throw std::runtime_error(log + ": nothing to train on: no session has two events");
  }
  if (options.negatives == 0 && sessions < 2) {
    throw std::runtime_error(log + ": one session gives no negatives; set --negatives");
  }
  if (validates && dataset.validation.Targets() == 0) {
    throw std::runtime_error(log +
                             ": nothing to validate on: no session kept for validation has two "
                             "events with items of the training part; raise --validate-last");
  }
}

// Sessions spread over the training data: short and long ones, with frequent and rare items.
std::vector<std::vector<uint32_t>> SelfTestSessions(const Sessions& sessions) {
  constexpr size_t kTests = 8;
  constexpr size_t kLongest = 20;
  std::vector<std::vector<uint32_t>> tests;
  const size_t count = std::min(kTests, sessions.size());
  for (size_t t = 0; t < count; ++t) {
    const auto items = sessions[t * sessions.size() / count];
    tests.emplace_back(items.begin(), items.begin() + std::min(items.size(), kLongest));
  }
  return tests;
}

AlignedBytes TrainRun::Build(const Parameters& parameters, const Dataset& dataset, DType dtype,
                             const std::string& summary) const {
  ExportInput input;
  input.parameters = &parameters;
  input.catalog = &dataset.catalog;
  input.dtype = dtype;
  input.final_activation = arguments_.options.final_activation;
  input.elu_alpha = arguments_.options.elu_alpha;
  input.hyperparameters = ToJson(arguments_.options);
  input.training_summary = summary;
  // Models that are only measured need none.
  if (!summary.empty()) input.self_test_sessions = SelfTestSessions(dataset.train);
  if (summary.empty()) input.training_summary = "{}";
  return BuildModel(input);
}

// Recall and MRR of what would be written now, ranked by the runtime. Without targets if
// interrupted: a part of the sessions would be another measure.
Metrics TrainRun::Measure(const Parameters& parameters, const Dataset& dataset, DType dtype) {
  const AlignedBytes bytes = Build(parameters, dataset, dtype, "");
  stint_model* raw = nullptr;
  stint_error error = {};
  if (stint_model_from_buffer(bytes.data(), bytes.size(), &raw, &error) != STINT_OK) {
    throw std::logic_error(std::string("the model just made: ") + error.message);
  }
  const ModelPointer model(raw);
  EvaluateOptions options;
  options.threads = arguments_.options.threads;
  options.stop = [] { return interrupted != 0; };
  options.progress = [&](uint64_t done, uint64_t total) {
    progress_.Show(Format("epoch %zu, validation", epoch_), done, total, "targets");
  };
  const Metrics metrics = Evaluate(model.get(), dataset.validation, options);
  return interrupted != 0 ? Metrics() : metrics;
}

void TrainRun::PrintEpoch(const EpochResult& epoch) {
  std::string line = Format("epoch %2zu  loss %.6f  %s mini-batches, %s events/s, %s", epoch.epoch,
                            epoch.loss, Grouped(epoch.minibatches).c_str(),
                            Grouped(static_cast<uint64_t>(static_cast<double>(epoch.targets) /
                                                          std::max(epoch.seconds, 1e-9)))
                                .c_str(),
                            Duration(epoch.seconds).c_str());
  if (epoch.validated) {
    line += Format("  recall@20 %.4f  MRR@20 %.4f (%s)", epoch.validation.RecallAt(20),
                   epoch.validation.MrrAt(20), Duration(epoch.validation_seconds).c_str());
  }
  Print(line);
}

TrainResult TrainRun::RunTraining(const Options& options, const Dataset& dataset,
                                  const char* title) {
  Print(Format("%s: %s sessions, %s targets, %s items", title,
               Grouped(dataset.train.size()).c_str(), Grouped(dataset.train.Targets()).c_str(),
               Grouped(dataset.catalog.size()).c_str()));
  TrainCallbacks callbacks;
  callbacks.stop = [] { return interrupted != 0; };
  callbacks.on_minibatch = [&](const TrainProgress& progress) {
    epoch_ = progress.epoch;
    progress_.Show(progress);
  };
  callbacks.on_epoch = [&](const EpochResult& epoch) { PrintEpoch(epoch); };
  if (dataset.validation.size() > 0) {
    callbacks.validate = [&](const Parameters& parameters) {
      return Measure(parameters, dataset, arguments_.dtype);
    };
  }
  TrainResult result = Train(options, dataset.catalog, dataset.train, callbacks);
  progress_.Clear();
  return result;
}

// Share of `before` that is lost.
double RelativeLoss(double before, double after) {
  return before == 0 ? 0 : (before - after) / before;
}

ordered_json ValidationJson(const Dataset& dataset, const Metrics& f32, const Metrics& exported,
                            DType dtype) {
  const auto pair = [](const Metrics& m) {
    return ordered_json{{"recall@20", m.RecallAt(20)}, {"mrr@20", m.MrrAt(20)}};
  };
  ordered_json json = {{"sessions", dataset.validation.size()},
                       {"targets", dataset.validation.Targets()},
                       {"unknown_events", dataset.validation_unknown},
                       {"f32", pair(f32)}};
  if (dtype == DType::kInt8) {
    json["int8"] = pair(exported);
    json["relative_loss"] = {{"recall@20", RelativeLoss(f32.RecallAt(20), exported.RecallAt(20))},
                             {"mrr@20", RelativeLoss(f32.MrrAt(20), exported.MrrAt(20))}};
  }
  return json;
}

// What goes into the model file: nothing that differs from run to run, so that the same seed
// gives the same file.
ordered_json SummaryJson(const TrainArguments& arguments, const Dataset& dataset,
                         const TrainResult& result) {
  ordered_json json;
  json["stint"] = stint_version();
  json["log"] =
      arguments.log == "-" ? "<stdin>" : std::filesystem::path(arguments.log).filename().string();
  json["sessions"] = dataset.train.size();
  json["events"] = dataset.train.items.size();
  json["targets"] = dataset.train.Targets();
  json["items"] = dataset.catalog.size();
  json["epochs"] = result.epochs.size();
  json["epoch"] = result.best_epoch;
  json["interrupted"] = result.interrupted;
  json["diverged"] = result.diverged;
  for (const EpochResult& epoch : result.epochs) {
    if (epoch.epoch == result.best_epoch) json["loss"] = epoch.loss;
  }
  return json;
}

int TrainRun::Run() {
  const auto start = std::chrono::steady_clock::now();
  const auto seconds = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  CheckWritable(arguments_.out);
  Print("options: " + ToJson(arguments_.options));

  // Log -> dataset.
  Dataset dataset;
  Events events = ReadEvents(arguments_.log, arguments_.read);
  dataset = MakeDataset(events, ValidationSessions(events));
  Print(Format("read: %s events, %s sessions, %s items (ids are %s), %s",
               Grouped(events.size()).c_str(), Grouped(events.session_ids.size()).c_str(),
               Grouped(events.item_ids.size()).c_str(),
               events.item_ids.are_names ? "names" : "integers", Duration(seconds()).c_str()));
  CheckTrainable(arguments_.log, arguments_.options, dataset, arguments_.Validates());
  if (!arguments_.refit) events = {};  // free them: training needs the memory
  if (arguments_.Validates()) {
    Print(Format(
        "validation: %s sessions, %s targets; %s events left out, their items are not "
        "in the training part",
        Grouped(dataset.validation.size()).c_str(), Grouped(dataset.validation.Targets()).c_str(),
        Grouped(dataset.validation_unknown).c_str()));
  }

  // Dataset -> parameters.
  CatchInterrupts();
  TrainResult result = RunTraining(arguments_.options, dataset, "train");
  ordered_json validation;
  if (arguments_.Validates() && !result.interrupted && result.diverged.empty()) {
    epoch_ = result.best_epoch;
    const Metrics exported = result.epochs[result.best_epoch - 1].validation;
    const Metrics f32 = Measure(result.parameters, dataset, DType::kF32);
    if (exported.targets > 0 && f32.targets > 0) {
      validation = ValidationJson(dataset, f32, exported, arguments_.dtype);
    }
  }
  if (arguments_.refit && !interrupted && result.diverged.empty()) {
    Options options = arguments_.options;
    options.epochs = result.best_epoch;
    options.patience = 0;
    Dataset whole = MakeDataset(events, 0);
    TrainResult refitted = RunTraining(options, whole, "refit on all sessions");
    if (refitted.interrupted || !refitted.diverged.empty()) {
      Print("refit did not finish: the model of the validated epoch is written instead");
      result.interrupted = refitted.interrupted;
      result.diverged = refitted.diverged;
    } else {
      result = std::move(refitted);
      dataset = std::move(whole);
    }
  }

  // Parameters -> model file.
  ordered_json summary = SummaryJson(arguments_, dataset, result);
  if (!validation.is_null()) summary["validation"] = validation;
  summary["refit"] = arguments_.refit && dataset.validation.size() == 0;
  const AlignedBytes model =
      Build(result.parameters, dataset, arguments_.dtype,
            summary.dump(-1, ' ', false, ordered_json::error_handler_t::replace));
  WriteFileAtomically(arguments_.out, {model.data(), model.size()});

  progress_.Clear();
  if (!validation.is_null()) {
    const auto line = [&](const char* name, const ordered_json& m) {
      Print(Format("%-14s recall@20 %.6f  MRR@20 %.6f", name, m.at("recall@20").get<double>(),
                   m.at("mrr@20").get<double>()));
    };
    line("f32", validation.at("f32"));
    if (validation.contains("int8")) {
      line("int8", validation.at("int8"));
      const ordered_json& loss = validation.at("relative_loss");
      Print(Format("%-14s recall@20 %+.3f %%  MRR@20 %+.3f %%", "relative loss",
                   100 * loss.at("recall@20").get<double>(),
                   100 * loss.at("mrr@20").get<double>()));
    }
  }
  Print(Format("wrote %s: %s, %s bytes, epoch %zu, %s", arguments_.out.c_str(),
               Name(arguments_.dtype), Grouped(model.size()).c_str(), result.best_epoch,
               Duration(seconds()).c_str()));
  if (arguments_.json) {
    ordered_json json = {{"model", arguments_.out},
                         {"bytes", model.size()},
                         {"dtype", Name(arguments_.dtype)},
                         {"seconds", seconds()},
                         {"hyperparameters", ordered_json::parse(ToJson(arguments_.options))}};
    json.update(summary);
    json["epoch_results"] = ordered_json::array();
    for (const EpochResult& epoch : result.epochs) {
      ordered_json entry = {{"epoch", epoch.epoch},
                            {"loss", epoch.loss},
                            {"minibatches", epoch.minibatches},
                            {"targets", epoch.targets},
                            {"seconds", epoch.seconds}};
      if (epoch.validated) {
        entry["recall@20"] = epoch.validation.RecallAt(20);
        entry["mrr@20"] = epoch.validation.MrrAt(20);
      }
      json["epoch_results"].push_back(entry);
    }
    WriteJson(json);
  }
  if (!result.diverged.empty()) {
    std::fprintf(stderr,
                 "stint train: training diverged: %s; wrote the last good state; try a lower "
                 "--learning-rate\n",
                 result.diverged.c_str());
    return kExitFailure;
  }
  return result.interrupted || interrupted ? kExitInterrupted : kExitOk;
}

}  // namespace

Command AddTrainCommand(CLI::App* cli) {
  auto arguments = std::make_shared<TrainArguments>();
  CLI::App* app = cli->add_subcommand(
      "train",
      "Train a model on a click log and write it, quantized, as one file. Ctrl-C finishes the "
      "mini-batch and writes what there is.");
  AddTrainOptions(app, arguments.get());
  return {app, [arguments] {
            CompleteTrainArguments(arguments.get());
            return TrainRun(*arguments).Run();
          }};
}

}  // namespace stint
