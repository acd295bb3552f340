// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The command line of `stint train` -> what the run needs to know.
#include "tools/train_arguments.h"

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <system_error>

#include "tools/arguments.h"
#include "tools/official_names.h"

namespace stint {
namespace {

// "5%" or "9000".
void ParseLast(const std::string& text, ValidationSplit* split) {
  const bool percent = !text.empty() && text.back() == '%';
  const char* end = text.data() + text.size() - (percent ? 1 : 0);
  std::from_chars_result result = {};
  split->sessions = 0;
  split->percent = 0;
  split->words = {"--validate-last", text};
  if (percent) {
    result = std::from_chars(text.data(), end, split->percent);
  } else {
    result = std::from_chars(text.data(), end, split->sessions);
  }
  const bool in_range = percent ? split->percent > 0 && split->percent < 100 : split->sessions >= 1;
  if (result.ec != std::errc() || result.ptr != end || !in_range) {
    throw CLI::ValidationError("--validate-last",
                               "'" + text +
                                   "' is neither a number of sessions from 1 on nor a share "
                                   "between 0% and 100%, such as 5%");
  }
}

void ParseSpan(const std::string& text, ValidationSplit* split) {
  split->words = {"--validate-span", text};
  if (!ParseEventTime(text, &split->span) || split->span <= EventTime()) {
    throw CLI::ValidationError("--validate-span",
                               "'" + text + "' is not a time above 0, in the range of a log's");
  }
}

void AddTrainingOption(CLI::App* app, const TrainingOption& option, GivenOptions* given) {
  const std::string flag = std::string("--") + option.name;
  if (*option.type != '\0') {
    app->add_option_function<std::string>(
           flag,
           [&option, flag, given](const std::string& text) { given->Set(option, flag, text); },
           option.help)
        ->type_name(option.type)
        ->default_str(option.default_text != nullptr ? option.default_text : option.show(Options()))
        ->group(option.group);
    return;
  }
  app->add_flag_callback(
         flag, [&option, flag, given] { given->Set(option, flag, "true"); }, option.help)
      ->group(option.group);
  if (option.opposite == nullptr) return;
  const std::string opposite = option.opposite;
  app->add_flag_callback(
         opposite, [&option, opposite, given] { given->Set(option, opposite, "false"); },
         "The opposite of " + flag)
      ->group(option.group);
}

void AddRunOptions(CLI::App* app, TrainArguments* arguments) {
  app->add_flag("--refit", arguments->refit,
                "When validation has found the best number of epochs, train anew on all sessions "
                "for that many. Needs --validate-last or --validate-span");
  AddThreadsOption(app, &arguments->given.options.threads);
  AddNamed(app, "--dtype", {DType::kInt8, DType::kF32, DType::kBf16, DType::kInt4},
           &arguments->dtype,
           "int8, f32, bf16 or int4: the weights in the model file. int8 is a quarter of the size, "
           "faster, and gives the same bits on every device; f32 is as trained. bf16 and int4 are "
           "those of the item rows, over layers of int8: twice the size of int8 and scores within "
           "0.4 % of f32's, or half the size of int8 and a little less recall");
  AddScoringOption(app, &arguments->scoring);
  app->add_flag("--quiet", arguments->quiet, "Print warnings and errors alone on standard error");
  app->add_flag("--json", arguments->json,
                "Print a JSON object about the run on standard output when it is done");
  app->add_flag("--no-progress", arguments->no_progress,
                "No progress bar or lines, only one line an epoch");
}

// "10m", "30s", "2e" or "500b".
void ParseInterval(const std::string& text, CheckpointArguments* arguments) {
  const std::string option = "--checkpoint-every";
  const char unit = text.empty() ? ' ' : text.back();
  if (unit != 'm' && unit != 's' && unit != 'e' && unit != 'b') {
    throw CLI::ValidationError(
        option, "'" + text +
                    "' is not a number with m (minutes), s (seconds), e (epochs) or b "
                    "(mini-batches) behind it, such as 10m");
  }
  const uint64_t n = ParseInteger(option, text.substr(0, text.size() - 1), 1, 1000000000);
  arguments->every = {.seconds = unit == 'm'   ? 60 * n
                                 : unit == 's' ? n
                                               : 0,
                      .epochs = unit == 'e' ? n : 0,
                      .minibatches = unit == 'b' ? n : 0};
  arguments->every_given = true;
}

void AddCheckpointOptions(CLI::App* app, CheckpointArguments* arguments) {
  app->add_option("--checkpoint", arguments->folder,
                  "Folder, made if there is none, for checkpoints: files from which a run that was "
                  "ended at any moment goes on, to the same model, bit for bit. The newest two are "
                  "kept, and that of the best validated epoch. Ctrl-C and SIGTERM write one too")
      ->type_name("FOLDER")
      ->group("Checkpoints");
  app->add_option_function<std::string>(
         "--checkpoint-every",
         [arguments](const std::string& text) { ParseInterval(text, arguments); },
         "How often, in minutes, seconds, epochs or mini-batches; and at the end of training")
      ->type_name("Nm|Ns|Ne|Nb")
      ->default_str("10m")
      ->group("Checkpoints");
  app->add_flag("--resume", arguments->resume,
                "Go on from the newest good checkpoint in the folder; where there is none, start "
                "anew. Log and options must be those of the checkpoint; threads may differ, and "
                "epochs while no more of them are done, unless the schedule is cosine")
      ->group("Checkpoints");
}

void AddStartOptions(CLI::App* app, TrainArguments* arguments) {
  app->add_option("--warm-start", arguments->warm_start,
                  "Start from the weights of this model, of the same layers, GRU form, embedding "
                  "and activations. Its items keep their index and stay in the catalog; new ones "
                  "come behind them. Best from --dtype f32: other weights are rounded. With "
                  "--normalize-items the length of its rows is kept, unless --item-scale is given. "
                  "The random numbers are others than those of its training")
      ->type_name("MODEL")
      ->group("Start");
  app->add_option(
         "--warm-start-checkpoint", arguments->warm_start_checkpoint,
         "Beside --warm-start, a checkpoint of the run that wrote the model: its exact "
         "weights, and the optimizer goes on where it was; momentum or a running mean that "
         "it did not have start anew")
      ->type_name("FILE")
      ->group("Start");
  app->add_option_function<std::string>(
         "--memory-limit",
         [arguments](const std::string& text) {
           arguments->memory_limit = ParseSize("--memory-limit", text);
         },
         "Refuse to train, before it starts, if that would take more memory than so many bytes; "
         "K, M, G or T behind the number multiply by powers of 1024")
      ->type_name("SIZE");
}

}  // namespace

std::string TrainArguments::LogNames() const {
  std::string names;
  for (const std::string& log : logs) names += (names.empty() ? "" : ", ") + log;
  return names;
}

void AddLogs(CLI::App* app, std::vector<std::string>* logs) {
  app->add_option("LOG", *logs,
                  "Click logs, one or more, read as if they were one: TSV or CSV with a header, "
                  "rows in any order; plain, gzip or zstd (told by the content); - is standard "
                  "input")
      ->required()
      ->type_name("");
}

void AddValidationOptions(CLI::App* app, ValidationSplit* split, const std::string& what_for) {
  app->add_option_function<std::string>(
         "--validate-last", [split](const std::string& text) { ParseLast(text, split); },
         "Keep the last sessions by start out of training, a number of them or a share such as "
         "5%, " +
             what_for)
      ->type_name("N|P%");
  app->add_option_function<std::string>(
         "--validate-span", [split](const std::string& text) { ParseSpan(text, split); },
         "Instead of --validate-last: keep the sessions whose last event lies within the last X of "
         "the log, in the units of its times")
      ->type_name("X");
}

void AddTrainingOptions(CLI::App* app, const std::vector<std::string>& without,
                        GivenOptions* given) {
  for (const TrainingOption& option : TrainingOptions()) {
    if (std::find(without.begin(), without.end(), option.name) != without.end()) continue;
    AddTrainingOption(app, option, given);
  }
}

void AddScoringOption(CLI::App* app, Scoring* scoring) {
  AddNamed(
      app, "--scoring", {Scoring::kScan, Scoring::kInt8, Scoring::kExact}, scoring,
      "scan, int8 or exact: how the top-k is found, which is exact in every case. scan reads "
      "all item rows. int8, with --dtype int8, reads short codes of them, and then the rows of "
      "the few items that can win: the answers of scan, bit for bit, in less time. For H units "
      "in the last layer and M codes an item, chosen for speed, the file is larger by H + 16, up "
      "to a multiple of 64, and M / 2 + 6 bytes an item. exact does the same with item rows that "
      "stay float32, 4 H + 4 bytes an "
      "item, whose scores are summed in double: the top-k of these, proven. Its layers are int8 by "
      "--dtype int8; by --dtype f32 they are float32 too, and hidden states have the bits of "
      "--scoring scan --dtype f32");
}

void CheckValidation(const ValidationSplit& split) {
  if (split.ByCount() && split.span > EventTime()) {
    throw std::invalid_argument("--validate-span: --validate-last is given too; one of them");
  }
}

void AddTrainOptions(CLI::App* app, TrainArguments* arguments) {
  AddLogs(app, &arguments->logs);
  app->add_option("--out", arguments->out,
                  "Model file to write; it is put in place when it is complete, so that an older "
                  "one stays as it is until then. If training diverges in its first epoch an older "
                  "one is kept, and the last good state goes to MODEL.diverged")
      ->required()
      ->type_name("MODEL");
  AddValidationOptions(app, &arguments->validate,
                       "and measure recall@20 and MRR@20 on them after each epoch, with the "
                       "weights as they would be written. The epoch with the best recall is kept; "
                       "without this the last one");
  AddRunOptions(app, arguments);
  AddCheckpointOptions(app, &arguments->checkpoint);
  AddStartOptions(app, arguments);
  app->add_option("--params", arguments->params,
                  "Options as one list, also by the names that the papers' code has for them: "
                  "loss=bpr-max,layers=100/100,n_sample=2048,final_act=elu-0.5. What is not named "
                  "has its default here. An option that is "
                  "given beside it too is refused; one without effect is noted")
      ->type_name("NAME=VALUE,...");
  AddTrainingOptions(app, {}, &arguments->given);
  AddReadOptions(app, &arguments->read);
}

void CompleteTrainArguments(TrainArguments* arguments) {
  GivenOptions& given = arguments->given;
  const std::string params = "--params";
  Assign(params, SplitAssignments(params, arguments->params), &given, &arguments->notes);
  for (const Ineffective& option : Complete(&given)) {
    if (given.given[option.name].rfind(params, 0) != 0) throw std::invalid_argument(option.message);
    arguments->notes.push_back(option.message + "; it has no effect");
  }
  arguments->options = given.options;
  ValidateScoring(arguments->scoring, arguments->dtype, arguments->options);
  CheckValidation(arguments->validate);
  if (!arguments->Validates() && arguments->options.patience > 0) {
    throw std::invalid_argument("--patience: needs --validate-last or --validate-span");
  }
  if (!arguments->Validates() && arguments->refit) {
    throw std::invalid_argument("--refit: needs --validate-last or --validate-span");
  }
  if (arguments->refit && arguments->options.schedule == Schedule::kCosine) {
    throw std::invalid_argument(
        "--refit: trains for the epochs that were best, and --schedule cosine would be another one "
        "over fewer of them");
  }
  if (arguments->checkpoint.folder.empty() && arguments->checkpoint.resume) {
    throw std::invalid_argument("--resume: needs --checkpoint");
  }
  if (arguments->checkpoint.folder.empty() && arguments->checkpoint.every_given) {
    throw std::invalid_argument("--checkpoint-every: needs --checkpoint");
  }
  if (arguments->warm_start.empty() && !arguments->warm_start_checkpoint.empty()) {
    throw std::invalid_argument("--warm-start-checkpoint: needs --warm-start");
  }
  if (!arguments->warm_start_checkpoint.empty() && given.Has("item-scale")) {
    throw std::invalid_argument(given.given["item-scale"] +
                                ": the length goes on from --warm-start-checkpoint");
  }
  if (arguments->out.empty()) throw std::invalid_argument("--out: the name is empty");
}

}  // namespace stint
