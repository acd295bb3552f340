// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// What a training run found -> lines for people, JSON for the model file and for programs.
#include "tools/train_report.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "stint/stint.h"
#include "tools/common.h"
#include "tools/progress.h"
#include "trainer/parameters.h"

namespace stint {
namespace {

using nlohmann::ordered_json;

// Share of `before` that is lost.
double RelativeLoss(double before, double after) {
  return before == 0 ? 0 : (before - after) / before;
}

ordered_json MetricsJson(const Metrics& metrics) {
  return {{"recall@20", metrics.RecallAt(20)}, {"mrr@20", metrics.MrrAt(20)}};
}

ordered_json ValidationJson(const Validation& validation) {
  ordered_json json = {{"sessions", validation.sessions},
                       {"targets", validation.f32.targets},
                       {"unknown_events", validation.unknown_events},
                       {"f32", MetricsJson(validation.f32)}};
  if (validation.dtype != DType::kF32) {
    json[Name(validation.dtype)] = MetricsJson(validation.written);
    json["relative_loss"] = {
        {"recall@20", RelativeLoss(validation.f32.RecallAt(20), validation.written.RecallAt(20))},
        {"mrr@20", RelativeLoss(validation.f32.MrrAt(20), validation.written.MrrAt(20))}};
  }
  return json;
}

}  // namespace

std::string EventsLine(const Events& events, double seconds) {
  return Format("read: %s events, %s sessions, %s items (ids are %s), %.2f s",
                Grouped(events.size()).c_str(), Grouped(events.session_ids.size()).c_str(),
                Grouped(events.item_ids.size()).c_str(),
                events.item_ids.are_names ? "names" : "integers", seconds);
}

std::string ValidationSplitLine(const Dataset& dataset) {
  return Format(
      "validation: %s sessions, %s targets; %s events with items that only they have "
      "are left out",
      Grouped(dataset.validation.size()).c_str(), Grouped(dataset.validation.Targets()).c_str(),
      Grouped(dataset.validation_unknown).c_str());
}

std::string TrainingLine(const char* title, const Options& options, const Dataset& dataset) {
  const NetworkShape shape = NetworkShape::Of(options, dataset.catalog.size());
  const uint64_t parameters =
      CountParameters({.units = std::vector<uint64_t>(shape.layers.begin(), shape.layers.end()),
                       .reset_after = shape.gru_form == GruForm::kResetAfter,
                       .embedding = Name(shape.embedding),
                       .embedding_width = shape.embedding_width,
                       .items = shape.items});
  return Format("%s: %s sessions, %s targets, %s items; %s parameters", title,
                Grouped(dataset.train.size()).c_str(), Grouped(dataset.train.Targets()).c_str(),
                Grouped(dataset.catalog.size()).c_str(), Grouped(parameters).c_str());
}

std::string EpochLine(const EpochResult& epoch) {
  const double speed = static_cast<double>(epoch.targets) / std::max(epoch.seconds, 1e-9);
  std::string line =
      Format("epoch %2zu: loss %.6f, %s mini-batches, %s events/s, %s", epoch.epoch, epoch.loss,
             Grouped(epoch.minibatches).c_str(), Grouped(static_cast<uint64_t>(speed)).c_str(),
             Duration(epoch.seconds).c_str());
  if (epoch.validated) {
    line += Format("; recall@20 %.4f, MRR@20 %.4f, %s", epoch.validation.RecallAt(20),
                   epoch.validation.MrrAt(20), Duration(epoch.validation_seconds).c_str());
  }
  return line;
}

std::string KeptText(const TrainResult& result) {
  const size_t epoch = result.best_epoch;
  const std::string whole = epoch == 0 ? "" : "epoch " + std::to_string(epoch);
  if (epoch > 0 && result.partial_minibatches == 0) return whole;
  return whole + (epoch == 0 ? "" : " and ") +
         Format("%s mini-batches of epoch %zu", Grouped(result.partial_minibatches).c_str(),
                epoch + 1);
}

std::vector<std::string> ValidationLines(const Validation& validation) {
  const auto line = [](const char* name, const Metrics& metrics) {
    return Format("%-14s recall@20 %.6f  MRR@20 %.6f", name, metrics.RecallAt(20),
                  metrics.MrrAt(20));
  };
  std::vector<std::string> lines = {line("f32", validation.f32)};
  if (validation.dtype != DType::kF32) {
    lines.push_back(line(Name(validation.dtype), validation.written));
    lines.push_back(
        Format("%-14s recall@20 %+.3f %%  MRR@20 %+.3f %%", "relative loss",
               100 * RelativeLoss(validation.f32.RecallAt(20), validation.written.RecallAt(20)),
               100 * RelativeLoss(validation.f32.MrrAt(20), validation.written.MrrAt(20))));
  }
  return lines;
}

ordered_json SummaryJson(const TrainArguments& arguments, const Dataset& dataset,
                         const TrainResult& result, const Validation& validation, bool refitted) {
  ordered_json json;
  json["stint"] = stint_version();
  std::vector<std::string> logs;
  for (const std::string& log : arguments.logs) {
    logs.push_back(log == "-" ? "<stdin>" : std::filesystem::path(log).filename().string());
  }
  json["log"] = logs.size() == 1 ? ordered_json(logs[0]) : ordered_json(logs);
  if (!arguments.warm_start.empty()) {
    json["warm_start"] = std::filesystem::path(arguments.warm_start).filename().string();
  }
  json["sessions"] = dataset.train.size();
  json["events"] = dataset.train.items.size();
  json["targets"] = dataset.train.Targets();
  json["items"] = dataset.catalog.size();
  json["epochs"] = result.epochs.size();                     // finished
  json["epoch"] = result.best_epoch;                         // kept
  json["partial_minibatches"] = result.partial_minibatches;  // of the one after, kept too
  for (const EpochResult& epoch : result.epochs) {
    if (epoch.epoch == result.best_epoch) json["loss"] = epoch.loss;
  }
  json["refit"] = refitted;
  json["interrupted"] = result.interrupted;
  if (!result.diverged.empty()) json["diverged"] = result.diverged;
  if (validation.measured()) json["validation"] = ValidationJson(validation);
  return json;
}

ordered_json RunJson(const TrainArguments& arguments, const TrainResult& result,
                     const ordered_json& summary, const std::string& out, size_t bytes,
                     double seconds) {
  ordered_json json = {{"model", out},
                       {"bytes", bytes},
                       {"dtype", Name(arguments.dtype)},
                       {"scoring", Name(arguments.scoring)},
                       {"seconds", seconds},
                       {"hyperparameters", ordered_json::parse(ToJson(arguments.options))}};
  json.update(summary);
  json["epoch_results"] = ordered_json::array();
  for (const EpochResult& epoch : result.epochs) {
    ordered_json entry = {{"epoch", epoch.epoch},
                          {"loss", epoch.loss},
                          {"minibatches", epoch.minibatches},
                          {"targets", epoch.targets},
                          {"seconds", epoch.seconds}};
    if (epoch.validated) entry.update(MetricsJson(epoch.validation));
    json["epoch_results"].push_back(entry);
  }
  return json;
}

}  // namespace stint
