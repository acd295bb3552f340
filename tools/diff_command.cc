// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Two model files -> what changed from the first to the second: network, training, sections, items,
// and how the recommendations moved.
#include <algorithm>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "stint/stint.hpp"
#include "tools/answer_diff.h"
#include "tools/arguments.h"
#include "tools/commands.h"
#include "tools/common.h"
#include "tools/model_diff.h"
#include "tools/progress.h"
#include "trainer/brute_force.h"
#include "trainer/events.h"
#include "trainer/model_bytes.h"
#include "trainer/sessions.h"
#include "trainer/trained_model.h"

namespace stint {
namespace {

using nlohmann::ordered_json;

constexpr int kExitDiffer = 1;  // with --exit-code
constexpr size_t kShownIds = 10;
constexpr size_t kShownBytes = 60;  // of a value

struct DiffArguments {
  std::string a;
  std::string b;
  std::string sessions;  // log; empty: self-tests of `a` and made-up sessions
  ReadOptions read;
  uint32_t k = 20;
  bool exit_code = false;
  bool json = false;
};

struct Opened {
  explicit Opened(const std::string& path) : bytes(ReadAligned(path)) {
    stint_error error = {};
    if (Model::FromBuffer(bytes.data(), bytes.size(), &model, &error) != STINT_OK) {
      throw std::runtime_error(path + ": " + error.message);
    }
  }
  AlignedBytes bytes;  // outlives the model
  Model model;
};

Sessions SessionsOf(const DiffArguments& arguments, const Opened& a) {
  if (arguments.sessions.empty()) {
    return SelfTestsAndMadeUp(a.bytes.data(), Describe(a.model.get()).items);
  }
  uint64_t unknown = 0;
  Sessions sessions = MapSessions(ReadEvents(arguments.sessions, arguments.read),
                                  ReadCatalog(a.model.get()), &unknown);
  if (sessions.items.empty()) {
    throw std::runtime_error(arguments.sessions + ": no item of it is known to " + arguments.a);
  }
  return sessions;
}

ordered_json AnswersJson(const DiffArguments& arguments, const Opened& a, const Opened& b,
                         const ItemMatch& match) {
  ProgressLine progress(/*quiet=*/false);
  const AnswerDiff diff = DiffAnswers(
      a.model.get(), b.model.get(), match, SessionsOf(arguments, a), arguments.k,
      [&](uint64_t done, uint64_t total) { progress.Show("comparing", done, total, "sessions"); });
  progress.Clear();
  const auto of = [](uint64_t count, double value) {  // of nothing there is no mean
    return count > 0 ? ordered_json(value) : ordered_json();
  };
  return {{"k", arguments.k},
          {"sessions", diff.sessions},
          {"skipped", diff.skipped},
          {"overlap", of(diff.sessions, diff.overlap)},
          {"same_top", of(diff.sessions, diff.same_top)},
          {"same_list", of(diff.sessions, diff.same_list)},
          {"compared_scores", diff.scores},
          {"mean_score_difference", of(diff.scores, diff.mean_score_difference)},
          {"largest_score_difference", of(diff.scores, diff.largest_score_difference)}};
}

// On its line: --json has all of it.
std::string ShownText(std::string_view text) { return Escaped(Shortened(text, kShownBytes)); }

std::string Shown(const ordered_json& value) {
  if (value.is_null()) return "-";
  if (value.is_string()) return ShownText(value.get_ref<const std::string&>());
  return ShownText(value.dump(-1, ' ', false, ordered_json::error_handler_t::replace));
}

void AppendDifferences(const char* title, const ordered_json& object, std::string* text) {
  if (object.empty()) return;
  *text += std::string("\n") + title + "\n";
  for (const auto& [key, value] : object.items()) {
    *text += Format("  %-26s  ", ShownText(key).c_str()) + Shown(value.at("a")) + "  ->  " +
             Shown(value.at("b")) + "\n";
  }
}

void AppendSections(const ordered_json& sections, std::string* text) {
  if (sections.empty()) return;
  *text += "\nsections\n";
  const auto shown = [](const ordered_json& section) {
    if (section.is_null()) return std::string("-");
    return Grouped(section.at("size").get<uint64_t>()) + " bytes " +
           section.at("xxh3").get<std::string>();
  };
  for (const auto& [name, value] : sections.items()) {
    *text += Format("  %-26s  ", name.c_str()) + shown(value.at("a")) + "  ->  " +
             shown(value.at("b")) + "\n";
  }
}

std::string FirstIds(const ordered_json& ids, uint64_t count) {
  std::string text;
  for (size_t i = 0; i < std::min(ids.size(), kShownIds); ++i) {
    text += (i == 0 ? ": " : ", ") + Shown(ids[i]);
  }
  return text + (count > kShownIds ? ", ...\n" : "\n");
}

std::string Number(const ordered_json& object, const char* key) {
  return Grouped(object.at(key).get<uint64_t>());
}

void AppendItems(const ordered_json& items, std::string* text) {
  *text += "\nitems\n";
  *text += "  in both    " + Number(items, "both") + ", of which " + Number(items, "moved") +
           " have another index and " + Number(items, "counts_changed") + " another count\n";
  *text += "  added      " + Number(items, "added") +
           FirstIds(items.at("added_ids"), items.at("added").get<uint64_t>());
  *text += "  gone       " + Number(items, "gone") +
           FirstIds(items.at("gone_ids"), items.at("gone").get<uint64_t>());
}

void AppendAnswers(const ordered_json& answers, std::string* text) {
  const std::string skipped = "(" + Number(answers, "skipped") + " skipped)\n";
  if (answers.at("sessions") == 0) {
    *text += "\nno session has an item that both know " + skipped;
    return;
  }
  const auto percent = [&](const char* key) {
    return Format("%.2f %%", 100 * answers.at(key).get<double>());
  };
  *text += "\nthe " + Number(answers, "k") + " best after " + Number(answers, "sessions") +
           " sessions " + skipped;
  *text += "  in both lists      " + percent("overlap") + " of them, on average\n";
  *text += "  the same best      " + percent("same_top") + " of the sessions\n";
  *text += "  the same list      " + percent("same_list") + " of the sessions\n";
  if (answers.at("compared_scores") == 0) return;  // no item is in both lists
  *text += Format("  scores differ      by %.4g on average, by %.4g at most\n",
                  answers.at("mean_score_difference").get<double>(),
                  answers.at("largest_score_difference").get<double>());
}

std::string ToText(const ordered_json& json) {
  std::string text;
  if (json.at("same").get<bool>()) {
    text = "the two files are the same, byte for byte\n";
  } else {
    AppendDifferences("header", json.at("header"), &text);
    AppendDifferences("hyperparameters", json.at("hyperparameters"), &text);
    AppendDifferences("training", json.at("training_summary"), &text);
    AppendSections(json.at("sections"), &text);
    AppendItems(json.at("items"), &text);
  }
  if (json.contains("answers")) AppendAnswers(json.at("answers"), &text);
  return text.substr(text.front() == '\n' ? 1 : 0);
}

int RunDiff(const DiffArguments& arguments) {
  const Opened a(arguments.a);
  const Opened b(arguments.b);
  const stint_model_info a_info = Describe(a.model.get());
  const stint_model_info b_info = Describe(b.model.get());
  const bool same = a.bytes.size() == b.bytes.size() &&
                    std::memcmp(a.bytes.data(), b.bytes.data(), a.bytes.size()) == 0;
  const ItemMatch match = MatchItems(a.model.get(), b.model.get());
  ordered_json json;
  json["a"] = arguments.a;
  json["b"] = arguments.b;
  json["same"] = same;
  json["header"] = DiffHeaders(a.model.get(), b.model.get());
  json["hyperparameters"] = DiffObjects(a_info.hyperparameters, b_info.hyperparameters);
  json["training_summary"] = DiffObjects(a_info.training_summary, b_info.training_summary);
  json["sections"] = DiffSections(a.model.get(), b.model.get());
  json["items"] = DiffItems(a.model.get(), b.model.get(), match);
  // Files that are the same answer the same; a log that was given is read all the same.
  if (!same || arguments.json || !arguments.sessions.empty()) {
    json["answers"] = AnswersJson(arguments, a, b, match);
  }
  if (arguments.json) {
    WriteJson(json);
  } else {
    WriteOutput(ToText(json));
  }
  return arguments.exit_code && !same ? kExitDiffer : kExitOk;
}

}  // namespace

Command AddDiffCommand(CLI::App* cli) {
  auto arguments = std::make_shared<DiffArguments>();
  CLI::App* app = cli->add_subcommand(
      "diff",
      "Show what changed from one model file to another: network, options, training, sections by "
      "their checksums, items that were added and that are gone, and how far the recommendations "
      "moved.");
  app->add_option("A", arguments->a, "Model file")->required();
  app->add_option("B", arguments->b, "Model file that it is compared with")->required();
  app->add_option("--sessions", arguments->sessions,
                  "Click log as for `stint train` whose sessions are recommended for; without it "
                  "the test sessions in A and 100 made-up ones. Items that not both models know "
                  "are left out")
      ->type_name("LOG");
  AddInteger(app, "-k", &arguments->k, 1, 1000000,
             "Items of a recommendation that is compared, 1 to 1000000");
  AddReadOptions(app, &arguments->read);
  app->add_flag("--exit-code", arguments->exit_code,
                "Exit with status 1 if a byte of the files differs; without it with 0");
  app->add_flag("--json", arguments->json,
                "Print one JSON object instead of text; of the ids that were added and that are "
                "gone it has the first 1000 each");
  return {app, [arguments] { return RunDiff(*arguments); }};
}

}  // namespace stint
