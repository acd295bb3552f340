// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The command line of `stint tune` -> what a study needs to know.
#include "tools/tune_arguments.h"

#include <algorithm>
#include <stdexcept>

#include "tools/arguments.h"
#include "tools/official_names.h"

namespace stint {
namespace {

void AddSearchOptions(CLI::App* app, TuneArguments* arguments) {
  app->add_option("--space", arguments->space,
                  "File with one JSON object a line: {\"name\": \"learning_rate\", \"dtype\": "
                  "\"float\", \"values\": [0.01, 0.25], \"step\": 0.005}. dtype is int, float "
                  "(values are the lowest and the highest; step, or \"log\": true) or categorical "
                  "(values are the choices, such as \"100/100\" for layers). Names are those of "
                  "the papers' code, or the options below without dashes in front")
      ->required()
      ->type_name("FILE")
      ->group("Search");
  AddInteger(app, "--trials", &arguments->trials, 1, 1000000,
             "Points of the space to try, 1 to 1000000. Trial number I is always the same point of "
             "a space, so a study can go on with more of them")
      ->group("Search");
  AddInteger(app, "--search-seed", &arguments->search_seed, 0, UINT64_MAX,
             "Seed of the points, any 64-bit number. --seed is that of all trainings")
      ->group("Search");
  AddNamed(app, "--metric", {Metric::kRecall, Metric::kMrr}, &arguments->metric,
           "recall@20 or mrr@20: what is to be high; of each trial its best epoch counts, with "
           "--schedule cosine its last one, where the rate has fallen to zero")
      ->group("Search");
  AddInteger(app, "--max-epochs", &arguments->max_epochs, 1, 1000000,
             "Epochs of a trial that is trained to the end, 1 to 1000000")
      ->group("Search");
  AddInteger(app, "--halving", &arguments->halving, 0, 1000,
             "Successive halving: train all trials for --min-epochs, go on with the best of N for "
             "N times as many epochs, and so on up to --max-epochs; 2 to 1000, 0 is off. A trial "
             "that goes on does so from its checkpoint; with --schedule cosine it is trained anew")
      ->group("Search");
  AddInteger(app, "--min-epochs", &arguments->min_epochs, 1, 1000000,
             "Epochs of the first round of --halving, 1 to 1000000")
      ->group("Search");
  AddValidationOptions(app, &arguments->validate,
                       "and measure each trial on them. Needed, or the next one");
}

void AddStudyOptions(CLI::App* app, TuneArguments* arguments) {
  app->add_option("--study", arguments->study,
                  "Folder of the study: trials.jsonl there gets a line when a run ends")
      ->required()
      ->type_name("FOLDER");
  app->add_flag("--resume", arguments->resume,
                "Go on with the study in the folder, if there is one: what it has is not run "
                "again. Refused if log, space or options are others");
  app->add_option("--out", arguments->out,
                  "At the end train the best trial on all sessions, up to the epoch that counted, "
                  "and write its model")
      ->type_name("MODEL");
  app->add_option("--csv", arguments->csv, "Write the table of trials, with times, to a CSV file")
      ->type_name("FILE");
  AddInteger(app, "--workers", &arguments->workers, 1, 1024,
             "Trainings at the same time, 1 to 1024. Never changes the result");
  AddInteger(app, "--threads", &arguments->threads, 0, 1024,
             "Threads of all workers together, 0 to 1024, at least one each; 0 is one a core. "
             "Never changes the result");
  AddReal(app, "--timeout", &arguments->timeout,
          "A run that takes longer than so many seconds fails; 0 is no limit");
  AddNamed(app, "--dtype", {DType::kInt8, DType::kF32, DType::kBf16, DType::kInt4},
           &arguments->dtype,
           "int8, f32, bf16 or int4: the weights that are measured, and those of --out");
  AddScoringOption(app, &arguments->scoring);
  app->add_flag("--quiet", arguments->quiet, "Print warnings and errors alone on standard error");
  app->add_flag("--json", arguments->json, "Print a JSON object instead of the table");
}

}  // namespace

void AddTuneOptions(CLI::App* app, TuneArguments* arguments) {
  AddLogs(app, &arguments->logs);
  app->get_option("LOG")->description(
      "Click logs, one or more, as stint train reads them, but no standard input: each trial reads "
      "them anew");
  AddStudyOptions(app, arguments);
  AddSearchOptions(app, arguments);
  app->add_option("--params", arguments->params,
                  "Options of all trials as one list, as stint train has it. The options below are "
                  "of all trials too; none of them may be in the space")
      ->type_name("NAME=VALUE,...");
  AddTrainingOptions(app, {"epochs", "patience"}, &arguments->given);
  AddReadOptions(app, &arguments->read);
}

void CompleteTuneArguments(TuneArguments* arguments) {
  if (!arguments->validate.Any()) {
    throw std::invalid_argument("--validate-last: this or --validate-span is required");
  }
  CheckValidation(arguments->validate);
  if (arguments->halving == 1) {
    throw std::invalid_argument("--halving: '1' would keep all trials; 2 or more, or 0 for none");
  }
  if (arguments->halving > 0 && arguments->min_epochs >= arguments->max_epochs) {
    throw std::invalid_argument("--min-epochs: must be below --max-epochs for --halving");
  }
  if (arguments->halving == 0 && arguments->min_epochs != 1) {
    throw std::invalid_argument("--min-epochs: needs --halving");
  }
  if (!(arguments->timeout >= 0 && arguments->timeout <= 1e9)) {
    throw std::invalid_argument("--timeout: is not in [0, 1e9]");
  }
  if (arguments->study.empty()) throw std::invalid_argument("--study: the name is empty");
  if (std::find(arguments->logs.begin(), arguments->logs.end(), "-") != arguments->logs.end()) {
    throw std::invalid_argument("LOG: each trial reads the log anew; standard input cannot be");
  }
  const std::string params = "--params";
  Assign(params, SplitAssignments(params, arguments->params), &arguments->given, &arguments->notes);
  // Layers of the space are judged where they are trained.
  ValidateScoring(arguments->scoring, arguments->dtype, arguments->given.options);
  for (const char* name : {"epochs", "patience"}) {
    if (arguments->given.Has(name)) {
      throw std::invalid_argument(arguments->given.given[name] +
                                  ": --max-epochs says how long trials are trained");
    }
  }
}

void CheckSpace(const TuneArguments& arguments, const Space& space) {
  GivenOptions given = arguments.given;
  try {
    std::vector<std::string> notes;
    Assign(arguments.space, DrawPoint(space, arguments.search_seed, 0), &given, &notes);
  } catch (const std::invalid_argument& e) {
    // Set twice, or at odds with what is given: alike at every point.
    if (std::string(e.what()).find("given twice") != std::string::npos) throw;
  }
  for (const char* name : {"epochs", "patience", "seed"}) {
    if (given.Has(name) && !arguments.given.Has(name)) {
      throw std::invalid_argument(given.given[name] + ": cannot be searched");
    }
  }
}

GivenOptions OptionsOf(const TuneArguments& arguments, const std::vector<Assignment>& point,
                       std::vector<std::string>* notes) {
  GivenOptions given = arguments.given;
  std::vector<std::string> ignored;
  Assign(arguments.space, point, &given, notes != nullptr ? notes : &ignored);
  for (const Ineffective& option : Complete(&given)) {
    if (notes != nullptr) notes->push_back(option.message + "; it has no effect");
  }
  return given;
}

std::string ParamsOf(const GivenOptions& given) {
  std::string text;
  for (const auto& [name, label] : given.given) {
    text += (text.empty() ? "" : ",") + name + "=" + FindTrainingOption(name)->show(given.options);
  }
  return text;
}

std::vector<std::string> ReadWords(const ReadOptions& read) {
  std::vector<std::string> words = {"--session-column", read.session_column, "--item-column",
                                    read.item_column,   "--time-column",     read.time_column};
  if (read.separator != 0) {
    words.push_back("--separator");
    words.push_back(read.separator == '\t' ? "tab" : std::string(1, read.separator));
  }
  return words;
}

}  // namespace stint
