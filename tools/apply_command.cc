// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// A model file and a patch -> the new model file, or nothing at all.
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "tools/commands.h"
#include "tools/common.h"
#include "tools/convert/patch.h"
#include "tools/patch_report.h"
#include "trainer/model_bytes.h"

namespace stint {
namespace {

struct ApplyArguments {
  std::string old_model;
  std::string patch;
  std::string new_model;
  bool json = false;
};

int RunApply(const ApplyArguments& arguments) {
  CheckNotInput(arguments.new_model, arguments.patch);
  const AlignedBytes old_model = ReadAligned(arguments.old_model);
  const AlignedBytes patch = ReadAligned(arguments.patch);
  const PatchedModel made =
      ApplyPatch({old_model, arguments.old_model}, {patch.data(), patch.size()}, arguments.patch);
  WriteFileAtomically(arguments.new_model, {made.bytes.data(), made.bytes.size()});
  ReportPatch({.old_path = arguments.old_model,
               .new_path = arguments.new_model,
               .patch_path = arguments.patch,
               .old_size = old_model.size(),
               .new_size = made.bytes.size(),
               .patch_size = patch.size(),
               .rows = made.rows},
              arguments.json);
  return kExitOk;
}

}  // namespace

Command AddApplyCommand(CLI::App* cli) {
  auto arguments = std::make_shared<ApplyArguments>();
  CLI::App* app = cli->add_subcommand(
      "apply",
      "Make the new model file of an old one and a patch of `stint delta`. It is written when all "
      "of it is verified, and put in place whole: OLD may be replaced by it.");
  app->add_option("OLD", arguments->old_model, "Model file that the patch was made for")
      ->required();
  app->add_option("PATCH", arguments->patch, "Patch")->required();
  app->add_option("-o,--out", arguments->new_model, "Model file to write; may be OLD")
      ->required()
      ->type_name("NEW");
  app->add_flag("--json", arguments->json, "Print one JSON object instead of text");
  return {app, [arguments] { return RunApply(*arguments); }};
}

}  // namespace stint
