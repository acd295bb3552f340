// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Model file + test log -> recall@k and MRR@k over the whole catalog, ranked by the runtime.
#include "trainer/evaluate.h"

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "tools/arguments.h"
#include "tools/commands.h"
#include "tools/common.h"
#include "tools/progress.h"
#include "trainer/events.h"
#include "trainer/sessions.h"
#include "trainer/trained_model.h"

namespace stint {
namespace {

using nlohmann::ordered_json;

struct EvaluateArguments {
  std::string model;
  std::string log;
  ReadOptions read;
  EvaluateOptions evaluate;
  bool unknown_as_miss = false;
  bool json = false;
};

int RunEvaluate(EvaluateArguments arguments) {
  const Model model = OpenModel(arguments.model);
  const Events events = ReadEvents(arguments.log, arguments.read);
  uint64_t unknown = 0;
  const Sessions sessions =
      MapSessions(events, ReadCatalog(model.get()), &unknown, arguments.unknown_as_miss);
  if (sessions.Targets() == 0) {
    throw std::runtime_error(arguments.log +
                             ": nothing to rank: no session has two events with items that the "
                             "model knows");
  }
  ProgressLine progress(/*quiet=*/false);
  arguments.evaluate.progress = [&](uint64_t done, uint64_t total) {
    progress.Show("evaluating", done, total, "targets");
  };
  const Metrics metrics = Evaluate(model.get(), sessions, arguments.evaluate);
  progress.Clear();

  const stint_model_info info = Describe(model.get());
  if (arguments.json) {
    ordered_json json = {{"model", arguments.model},
                         {"log", arguments.log},
                         {"dtype", info.dtype},
                         {"items", info.items},
                         {"mode", Name(arguments.evaluate.mode)},
                         {"sessions", sessions.size()},
                         {"events", events.size()},
                         {"unknown_events", unknown},
                         {"unknown_as_miss", arguments.unknown_as_miss},
                         {"targets", metrics.targets}};
    for (size_t i = 0; i < metrics.cutoffs.size(); ++i) {
      json["recall@" + std::to_string(metrics.cutoffs[i])] = metrics.recall[i];
      json["mrr@" + std::to_string(metrics.cutoffs[i])] = metrics.mrr[i];
    }
    WriteJson(json);
    return kExitOk;
  }
  std::string text =
      "model    " + arguments.model + ": " + info.dtype + ", " + Grouped(info.items) + " items\n";
  text += "log      " + arguments.log + ": " + Grouped(sessions.size()) + " sessions, " +
          Grouped(events.size()) + " events, " + Grouped(unknown) + " of them with items unknown " +
          "to the model (" + (arguments.unknown_as_miss ? "a miss each" : "left out") + ")\n";
  text += "targets  " + Grouped(metrics.targets) + ", " + Name(arguments.evaluate.mode) +
          " ranks among all items\n\n       k      recall         MRR\n";
  for (size_t i = 0; i < metrics.cutoffs.size(); ++i) {
    text += Format("%8u  %10.6f  %10.6f\n", metrics.cutoffs[i], metrics.recall[i], metrics.mrr[i]);
  }
  WriteOutput(text);
  return kExitOk;
}

}  // namespace

Command AddEvaluateCommand(CLI::App* cli) {
  auto arguments = std::make_shared<EvaluateArguments>();
  CLI::App* app = cli->add_subcommand(
      "evaluate",
      "Measure a model on a test log: every event from the second of a session on is a target, "
      "ranked among all items after the events before it. recall@k is the share of targets within "
      "the first k, MRR@k the mean of 1 / rank, 0 beyond k.");
  app->add_option("MODEL", arguments->model, "Model file")->required();
  app->add_option("LOG", arguments->log,
                  "Click log as for `stint train`: TSV or CSV with header, plain, gzip or zstd; - "
                  "is standard input")
      ->required();
  app->add_option_function<std::string>(
         "-k,--cutoffs",
         [arguments](const std::string& text) {
           std::vector<uint32_t>& cutoffs = arguments->evaluate.cutoffs;
           cutoffs.clear();
           for (const uint64_t k : ParseIntegers("-k", text, 1, 1000000)) {
             if (std::find(cutoffs.begin(), cutoffs.end(), k) == cutoffs.end()) {
               cutoffs.push_back(static_cast<uint32_t>(k));
             }
           }
         },
         "Values of k, each 1 to 1000000, with commas between")
      ->type_name("N,...")
      ->default_str("20");
  AddNamed(app, "--mode", {RankMode::kStandard, RankMode::kConservative, RankMode::kMedian},
           &arguments->evaluate.mode,
           "standard, conservative or median: the rank of a target whose score other items have "
           "too is before them, after them or in their middle");
  app->add_flag("--unknown-as-miss", arguments->unknown_as_miss,
                "Count a target that the model does not know as a miss. Otherwise events with "
                "unknown items are left out first, as most publications do");
  AddThreadsOption(app, &arguments->evaluate.threads);
  app->add_flag("--json", arguments->json,
                "Print one JSON object with the keys recall@K, mrr@K, targets, unknown_events, "
                "model, ...");
  AddReadOptions(app, &arguments->read);
  return {app, [arguments] { return RunEvaluate(*arguments); }};
}

}  // namespace stint
