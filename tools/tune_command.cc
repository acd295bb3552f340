// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Click log + space of parameters -> many trainings, their table, and the best one's model.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "stint/stint.h"
#include "tools/arguments.h"
#include "tools/commands.h"
#include "tools/common.h"
#include "tools/tune_arguments.h"
#include "tools/tune_report.h"
#include "tools/tune_runner.h"
#include "tools/tune_search.h"
#include "tools/tune_space.h"
#include "tools/tune_study.h"
#include "trainer/export.h"

namespace stint {
namespace {

using nlohmann::ordered_json;

// All that decides what a trial's figures are. Workers, threads, time limits and the number of
// trials are not in it: a study may go on with others.
ordered_json DescribeStudy(const TuneArguments& arguments, const Space& space) {
  ordered_json json = {{"space", space.json}, {"logs", ordered_json::array()}};
  for (const std::string& log : arguments.logs) {
    json["logs"].push_back({{"file", log}, {"content", FileFingerprint(log)}});
  }
  json["log_options"] = ReadWords(arguments.read);
  json["validation"] = arguments.validate.words;
  json["options"] = ParamsOf(arguments.given);
  json["dtype"] = Name(arguments.dtype);
  json["scoring"] = Name(arguments.scoring);
  json["metric"] = Name(arguments.metric);
  json["search_seed"] = arguments.search_seed;
  json["halving"] = arguments.halving;
  json["min_epochs"] = arguments.min_epochs;
  json["max_epochs"] = arguments.max_epochs;
  return json;
}

void WriteText(const std::string& path, const std::string& text) {
  WriteFileAtomically(path, {reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

ordered_json BestJson(const TuneArguments& arguments, const TrialResult& best) {
  ordered_json json = {{"trial", best.trial},
                       {"epochs", best.best_epoch},
                       {"recall@20", best.recall},
                       {"mrr@20", best.mrr},
                       {"params", ParamsOf(OptionsOf(arguments, best.point, nullptr))}};
  if (!arguments.out.empty()) json["model"] = arguments.out;
  return json;
}

int RunTune(const TuneArguments& arguments) {
  const Space space = ReadSpace(arguments.space);
  const SearchPlan plan = {
      .trials = arguments.trials,
      .rungs = Rungs(arguments.halving, arguments.min_epochs, arguments.max_epochs),
      .eta = arguments.halving,
      .metric = arguments.metric};
  CheckSpace(arguments, space);
  Study study(arguments.study, DescribeStudy(arguments, space), arguments.resume);

  TuneRunner runner(arguments, space, plan, &study);
  const bool finished = runner.Run();

  const std::vector<const TrialResult*> ranking = Ranking(plan, study);
  if (!arguments.csv.empty()) WriteText(arguments.csv, TrialCsv(ranking));
  if (!finished) {
    std::fprintf(stderr,
                 "stint tune: interrupted: %zu runs are done; the same command with --resume goes "
                 "on\n",
                 study.size());
    return kExitInterrupted;
  }
  const bool found = !ranking.empty() && ranking.front()->state == TrialResult::State::kDone;
  if (found && !arguments.out.empty() && !runner.TrainBest(*ranking.front())) {
    return kExitInterrupted;
  }
  if (arguments.json) {
    ordered_json json = {{"study", arguments.study},
                         {"metric", Name(arguments.metric)},
                         {"trials", TrialsJson(ranking)},
                         {"best", nullptr}};
    if (found) json["best"] = BestJson(arguments, *ranking.front());
    WriteJson(json);
  } else {
    WriteOutput(TrialTable(ranking));
  }
  if (!found) {
    std::fprintf(stderr, "stint tune: no trial succeeded; see the table and %s/trials.jsonl\n",
                 arguments.study.c_str());
    return kExitFailure;
  }
  if (!arguments.quiet) {
    const TrialResult& best = *ranking.front();
    std::fprintf(stderr, "best: trial %zu: --params %s --epochs %zu\n", best.trial,
                 ParamsOf(OptionsOf(arguments, best.point, nullptr)).c_str(), best.best_epoch);
  }
  return kExitOk;
}

}  // namespace

Command AddTuneCommand(CLI::App* cli) {
  auto arguments = std::make_shared<TuneArguments>();
  CLI::App* app = cli->add_subcommand(
      "tune",
      "Search a space of training parameters: train many models on a part of the log, measure them "
      "on the rest, and print a table of the trials, best first. Each trial is a process of its "
      "own; one that diverges or crashes is a line in the table. Ctrl-C leaves a study to go on "
      "with.");
  AddTuneOptions(app, arguments.get());
  return {app, [arguments] {
            CompleteTuneArguments(arguments.get());
            for (const std::string& note : arguments->notes) {
              if (!arguments->quiet) std::fprintf(stderr, "stint tune: note: %s\n", note.c_str());
            }
            return RunTune(*arguments);
          }};
}

}  // namespace stint
