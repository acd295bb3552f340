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
#include "tools/commands.h"
#include "tools/common.h"

namespace stint {
namespace {

using nlohmann::ordered_json;

struct VerifyArguments {
  std::string model;
  bool all_targets = false;
  bool json = false;
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
  verify();  // on the best one, by whatever name: the list below may not have it
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

int RunVerify(const VerifyArguments& arguments) {
  ordered_json json = {{"model", arguments.model}, {"ok", true}, {"message", ""}};
  std::string text;
  std::exception_ptr failure;
  try {
    VerifyTargets(arguments, &json, &text);
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
  app->add_flag("--all-targets", arguments->all_targets,
                "Run the test sessions on every SIMD target that this CPU and build have, not "
                "only on the best");
  app->add_flag(
      "--json", arguments->json,
      "Print one JSON object instead of text: ok, message, self_tests, targets; of a file that "
      "cannot be opened too");
  return {app, [arguments] { return RunVerify(*arguments); }};
}

}  // namespace stint
