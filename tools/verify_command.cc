// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Model file -> proof that it is whole and answers here as it did where it was made.
#include <exception>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <string>

#include "runtime/target_names.h"
#include "stint/stint.h"
#include "tools/arguments.h"
#include "tools/commands.h"
#include "tools/common.h"
#include "tools/progress.h"
#include "trainer/brute_force.h"
#include "trainer/events.h"
#include "trainer/model_bytes.h"
#include "trainer/sessions.h"
#include "trainer/trained_model.h"

namespace stint {
namespace {

using nlohmann::ordered_json;

struct VerifyArguments {
  std::string model;
  bool all_targets = false;
  std::vector<std::string> targets;  // names; empty: the best one
  bool json = false;
  bool brute_force = false;
  std::string sessions;  // log; empty: self-tests and made-up sessions
  ReadOptions read;
  AnswerCheckOptions answers;
};

// Opens the file anew, so that all checks run on the target too, and runs its self-tests.
std::string VerifyOnce(const std::string& path, uint32_t* self_tests) {
  const Model model = OpenModel(path);
  *self_tests = Describe(model.get()).self_tests;
  stint_error error = {};
  return stint_model_self_test(model.get(), &error) == STINT_OK ? "" : error.message;
}

// Throws what is wrong with the file; `json` has "targets" if it could be opened at all.
void VerifyTargets(const VerifyArguments& arguments, ordered_json* json, std::string* text) {
  std::set<std::string> done;
  ordered_json targets = ordered_json::array();
  std::string failure;
  uint32_t self_tests = 0;
  *text = Format("%-18s", "file") + "ok: checksums, structure, shapes and values\n";
  const auto verify = [&] {
    const std::string name = stint_target();
    if (!done.insert(name).second) return;
    const std::string problem = VerifyOnce(arguments.model, &self_tests);
    targets.push_back({{"target", name}, {"ok", problem.empty()}, {"message", problem}});
    *text += Format("%-18s", name.c_str()) + (problem.empty() ? "ok" : problem) + "\n";
    if (failure.empty() && !problem.empty()) failure = name + ": " + problem;
  };
  for (const std::string& target : arguments.targets) {
    if (stint_set_target(target.c_str()) != STINT_OK) {
      throw std::invalid_argument("--target: this CPU or build has no target '" + target + "'");
    }
    verify();
  }
  if (!arguments.targets.empty()) Check(stint_set_target(nullptr), "SIMD target");
  // On the best one, by whatever name: the list below may not have it.
  if (arguments.targets.empty()) verify();
  if (arguments.all_targets) {
    for (const char* target : kTargetNames) {
      if (stint_set_target(target) == STINT_OK) verify();
    }
    Check(stint_set_target(nullptr), "SIMD target");
  }
  (*json)["self_tests"] = self_tests;
  (*json)["targets"] = targets;
  *text += Format("%-18s%u", "self-tests", self_tests) +
           (self_tests == 0 ? ": the file brings none, so no answer was compared\n" : "\n");
  if (!failure.empty()) throw std::runtime_error(arguments.model + ": " + failure);
}

// "1234: 0.51234567", or that there is none.
std::string ShowItem(const stint_model* model, const ScoredItem& scored) {
  if (scored.item >= Describe(model).items) return "nothing";
  return "item " + ItemText(model, scored.item) + " (" + Format("%.9g", double{scored.score}) + ")";
}

ordered_json WrongJson(const stint_model* model, const Sessions& sessions,
                       const WrongAnswer& wrong) {
  const auto item = [&](const ScoredItem& scored) {
    return scored.item < Describe(model).items
               ? ordered_json{{"id", ItemJson(model, scored.item)}, {"score", scored.score}}
               : ordered_json();
  };
  return {{"session", sessions.session_ids.ToString(wrong.session)},
          {"events", wrong.events},
          {"place", wrong.place + 1},
          {"recommended", item(wrong.got)},
          {"brute_force", item(wrong.wanted)}};
}

// Throws if an answer is wrong. On the SIMD target in use.
void CompareAnswers(const VerifyArguments& arguments, ordered_json* json, std::string* text) {
  const AlignedBytes bytes = ReadAligned(arguments.model);
  Model model;
  stint_error error = {};
  if (Model::FromBuffer(bytes.data(), bytes.size(), &model, &error) != STINT_OK) {
    throw std::runtime_error(arguments.model + ": " + error.message);
  }
  Sessions sessions;
  if (arguments.sessions.empty()) {
    sessions = SelfTestsAndMadeUp(bytes.data(), Describe(model.get()).items);
  } else {
    uint64_t unknown = 0;
    sessions = MapSessions(ReadEvents(arguments.sessions, arguments.read), ReadCatalog(model.get()),
                           &unknown);
    if (sessions.items.empty()) {
      throw std::runtime_error(arguments.sessions + ": no item of it is known to the model");
    }
  }
  const BruteForce brute_force(model.get(), bytes.data());
  ProgressLine progress(/*quiet=*/false);
  AnswerCheckOptions options = arguments.answers;
  options.progress = [&](uint64_t done, uint64_t total) {
    progress.Show("comparing", done, total, "recommendations");
  };
  const AnswerCheck check = CheckAnswers(model.get(), brute_force, sessions, options);
  progress.Clear();

  const std::string scoring = Describe(model.get()).scoring;
  ordered_json& answers = (*json)["answers"];
  answers = {{"scoring", scoring},
             {"target", stint_target()},
             {"k", options.k},
             {"recommendations", check.recommendations},
             {"wrong", check.wrong},
             {"largest_gap", check.largest_gap},
             {"first_wrong", ordered_json::array()}};
  *text +=
      Format("%-18s", "brute force") + Format("%s recommendations of %u, scoring %s: %s wrong\n",
                                              Grouped(check.recommendations).c_str(), options.k,
                                              scoring.c_str(), Grouped(check.wrong).c_str());
  *text +=
      Format("%-18s%.3g: of a score and the same in double\n", "largest gap", check.largest_gap);
  std::string first;
  for (const WrongAnswer& wrong : check.first_wrong) {
    const std::string line = "session " + sessions.session_ids.ToString(wrong.session) + " after " +
                             Grouped(wrong.events) + " events, place " + Grouped(wrong.place + 1) +
                             ": " + ShowItem(model.get(), wrong.got) + " instead of " +
                             ShowItem(model.get(), wrong.wanted);
    if (first.empty()) first = line;
    *text += "wrong             " + line + "\n";
    answers["first_wrong"].push_back(WrongJson(model.get(), sessions, wrong));
  }
  if (check.wrong > 0) {
    throw std::runtime_error(arguments.model + ": " + Grouped(check.wrong) + " of " +
                             Grouped(check.recommendations) +
                             " recommendations are not those of brute force: " + first);
  }
}

int RunVerify(const VerifyArguments& arguments) {
  ordered_json json = {{"model", arguments.model}, {"ok", true}, {"message", ""}};
  std::string text;
  std::exception_ptr failure;
  try {
    VerifyTargets(arguments, &json, &text);
    if (arguments.brute_force) CompareAnswers(arguments, &json, &text);
  } catch (const std::runtime_error& e) {
    json["ok"] = false;
    json["message"] = e.what();
    failure = std::current_exception();
  }
  if (arguments.json) {
    WriteJson(json);
  } else if (json.contains("targets")) {  // else the message is all that there is to say
    WriteOutput(text);
  }
  if (failure) std::rethrow_exception(failure);
  return kExitOk;
}

}  // namespace

Command AddVerifyCommand(CLI::App* cli) {
  auto arguments = std::make_shared<VerifyArguments>();
  CLI::App* app = cli->add_subcommand(
      "verify",
      "Check a model file: checksums, structure, shapes, values, and the test sessions in it, "
      "whose recommendations must come out bit for bit as where the model was made.");
  app->add_option("MODEL", arguments->model, "Model file")->required();
  const std::string group = "Brute force";
  app->add_flag("--brute-force", arguments->brute_force,
                "Also compare recommendations, on the SIMD target in use, with the scores of all "
                "items, computed anew from the file in plain code: in whole numbers, floats or "
                "doubles, as the model's kind defines them. Items and scores must be the same, bit "
                "for bit. After each event of the file's test sessions and of 100 made-up ones, or "
                "of those of --sessions")
      ->group(group);
  app->add_option("--sessions", arguments->sessions,
                  "Click log as for `stint train`; events with items unknown to the model are left "
                  "out. Implies --brute-force")
      ->type_name("LOG")
      ->group(group);
  AddInteger(app, "-k", &arguments->answers.k, 1, 1000000,
             "Items of a recommendation that is compared, 1 to 1000000")
      ->group(group);
  AddInteger(app, "--max", &arguments->answers.most, 1, UINT64_MAX,
             "Compare no more than so many recommendations, the first of the sessions by id")
      ->default_str("all")
      ->group(group);
  AddThreadsOption(app, &arguments->answers.threads);
  AddReadOptions(app, &arguments->read);
  app->add_flag("--all-targets", arguments->all_targets,
                "Run the test sessions on every SIMD target that this CPU and build have, not "
                "only on the best");
  app->add_option("--target", arguments->targets,
                  "Run them on these SIMD targets, by the names of `stint inspect`, with commas "
                  "between. Brute force is on one: STINT_TARGET caps it")
      ->delimiter(',')
      ->type_name("NAME,...")
      ->excludes("--all-targets");
  app->add_flag(
      "--json", arguments->json,
      "Print one JSON object instead of text: ok, message, self_tests, targets; with --brute-force "
      "answers: recommendations, wrong, largest_gap, first_wrong, ...; of a file that cannot be "
      "opened too");
  return {app, [app, arguments] {
            arguments->brute_force |= !arguments->sessions.empty();
            if (!arguments->targets.empty() && arguments->brute_force) {
              throw std::invalid_argument("--target: not with --brute-force or --sessions");
            }
            for (const char* option : {"-k", "--max", "--threads"}) {
              if (app->count(option) > 0 && !arguments->brute_force) {
                throw std::invalid_argument(std::string(option) +
                                            ": needs --brute-force or --sessions");
              }
            }
            return RunVerify(*arguments);
          }};
}

}  // namespace stint
