// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Model file + clicks -> the k items that come next, best first. Of stint it needs the runtime
// alone: this is what an embedding program does.
#include <cstdint>
#include <cstdio>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "stint/stint.hpp"
#include "tools/arguments.h"
#include "tools/commands.h"
#include "tools/common.h"

namespace stint {
namespace {

using nlohmann::ordered_json;

struct RecommendArguments {
  std::string model;
  std::vector<std::string> session;
  std::vector<std::string> deny;
  std::vector<std::string> allow;
  uint32_t k = 20;
  bool exclude_seen = false;
  bool probabilities = false;
  bool json = false;
};

// Item ids of all values of an option; "-" stands for standard input, one id a line. Throws
// std::invalid_argument for what is no list of ids.
std::vector<std::string> ReadIds(const char* option, const std::vector<std::string>& values) {
  std::vector<std::string> ids;
  for (const std::string& value : values) {
    if (value != "-") {
      std::vector<std::string> parts;
      const bool closed = SplitList(value, &parts);
      for (std::string& id : parts) {
        if (id.empty() || !closed) {
          throw std::invalid_argument(std::string(option) + ": '" + Escaped(value) + "' has " +
                                      (closed ? "an empty id" : "a quote that is not closed"));
        }
        ids.push_back(std::move(id));
      }
      continue;
    }
    for (std::string line; std::getline(std::cin, line);) {
      if (!line.empty() && line.back() == '\r') line.pop_back();
      if (!line.empty()) ids.push_back(line);
    }
    if (std::cin.bad()) throw std::runtime_error("<stdin>: cannot be read");
  }
  return ids;
}

// Indices of the ids that the model knows; each other one gets a warning and goes to `unknown`.
std::vector<uint32_t> FindItems(const stint_model* model, const std::vector<std::string>& ids,
                                const char* role, std::vector<std::string>* unknown) {
  std::vector<uint32_t> items;
  for (const std::string& id : ids) {
    if (const std::optional<uint32_t> item = FindItem(model, id)) {
      items.push_back(*item);
    } else {
      unknown->push_back(id);
      std::fprintf(stderr, "stint recommend: warning: the model does not know %s '%s'\n", role,
                   Escaped(id).c_str());
    }
  }
  return items;
}

int RunRecommend(const RecommendArguments& arguments) {
  const std::vector<std::string> session_ids = ReadIds("--session", arguments.session);
  const std::vector<std::string> deny_ids = ReadIds("--deny", arguments.deny);
  const std::vector<std::string> allow_ids = ReadIds("--allow", arguments.allow);
  const Model model = OpenModel(arguments.model);
  std::vector<std::string> unknown;
  std::vector<std::string> unknown_deny;
  std::vector<std::string> unknown_allow;
  const std::vector<uint32_t> clicks = FindItems(model.get(), session_ids, "item", &unknown);
  const std::vector<uint32_t> deny = FindItems(model.get(), deny_ids, "denied item", &unknown_deny);
  std::vector<uint32_t> allow = FindItems(model.get(), allow_ids, "allowed item", &unknown_allow);

  // More than all items cannot come back; memory is asked for no more than these.
  const uint32_t k = std::min(arguments.k, Describe(model.get()).items);
  Session session;
  Check(session.Create(model, k), "session");
  for (const uint32_t item : clicks) Check(session.Observe(item), "observe");

  stint_recommend_options options = {};
  options.exclude_seen = arguments.exclude_seen ? 1 : 0;
  options.deny = deny.data();
  options.deny_count = deny.size();
  options.allow_count = allow.size();
  allow.push_back(0);  // an empty list is a list too: its address is not null
  if (!arguments.allow.empty()) options.allow = allow.data();
  std::vector<stint_recommendation> top(k);
  size_t count = 0;
  Check(session.Recommend(k, &options, top.data(), &count), "recommend");
  std::vector<float> probabilities(arguments.probabilities ? count : 0);
  if (arguments.probabilities) {
    Check(session.TopProbabilities(top.data(), count, probabilities.data()), "probabilities");
  }

  if (arguments.json) {
    ordered_json json = {{"model", arguments.model},
                         {"observed", clicks.size()},
                         {"unknown", unknown},
                         {"unknown_deny", unknown_deny},
                         {"unknown_allow", unknown_allow},
                         {"items", ordered_json::array()}};
    for (size_t i = 0; i < count; ++i) {
      json["items"].push_back(
          {{"rank", i + 1}, {"id", ItemJson(model.get(), top[i].item)}, {"score", top[i].score}});
      if (arguments.probabilities) json["items"].back()["probability"] = probabilities[i];
    }
    WriteJson(json);
    return kExitOk;
  }
  std::string text;
  for (size_t i = 0; i < count; ++i) {
    text += Format("%zu\t", i + 1) + Escaped(ItemText(model.get(), top[i].item)) +
            Format("\t%.9g", static_cast<double>(top[i].score));
    if (arguments.probabilities) text += Format("\t%.9g", static_cast<double>(probabilities[i]));
    text += '\n';
  }
  WriteOutput(text);
  return kExitOk;
}

}  // namespace

Command AddRecommendCommand(CLI::App* cli) {
  auto arguments = std::make_shared<RecommendArguments>();
  CLI::App* app = cli->add_subcommand(
      "recommend",
      "Print what comes next in a session: one line an item with rank, id and score, best first, "
      "separated by tabs; control bytes in an id are shown as \\xNN (--json has them as they are). "
      "Ids that the model does not know are skipped with a warning.");
  app->add_option("MODEL", arguments->model, "Model file")->required();
  app->add_option("--session", arguments->session,
                  "Item ids of the session, oldest first, with commas between; an id that has a "
                  "comma goes in double quotes. May be given several times, one after another. - "
                  "reads standard input, one id a line. Without any, an empty session: the most "
                  "popular items, scored by their clicks")
      ->type_name("ID,...")
      ->allow_extra_args(false);
  AddInteger(app, "-k,--count", &arguments->k, 1, 1000000, "How many items, 1 to 1000000");
  app->add_flag("--exclude-seen", arguments->exclude_seen,
                "Leave out the items of the session itself");
  app->add_option("--deny", arguments->deny,
                  "Item ids never to be recommended, written as for --session")
      ->type_name("ID,...")
      ->allow_extra_args(false);
  app->add_option("--allow", arguments->allow,
                  "Item ids of which alone to recommend, written as for --session")
      ->type_name("ID,...")
      ->allow_extra_args(false);
  app->add_flag("--probabilities", arguments->probabilities,
                "Add a column: the softmax of the scores over the whole catalog (in an empty "
                "session the share of the training events). Not calibrated");
  app->add_flag("--json", arguments->json,
                "Print one JSON object: observed, unknown, items [rank, id, score]");
  return {app, [arguments] { return RunRecommend(*arguments); }};
}

}  // namespace stint
