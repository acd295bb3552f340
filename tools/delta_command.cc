// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Two model files -> the patch that makes the second of the first.
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

struct DeltaArguments {
  std::string old_model;
  std::string new_model;
  std::string patch;
  bool json = false;
};

int RunDelta(const DeltaArguments& arguments) {
  CheckNotInput(arguments.patch, arguments.old_model);
  CheckNotInput(arguments.patch, arguments.new_model);
  const AlignedBytes old_model = ReadAligned(arguments.old_model);
  const AlignedBytes new_model = ReadAligned(arguments.new_model);
  const MadePatch made =
      MakePatch({old_model, arguments.old_model}, {new_model, arguments.new_model});
  WriteFileAtomically(arguments.patch, made.bytes);
  ReportPatch({.old_path = arguments.old_model,
               .new_path = arguments.new_model,
               .patch_path = arguments.patch,
               .old_size = old_model.size(),
               .new_size = new_model.size(),
               .patch_size = made.bytes.size(),
               .rows = made.rows},
              arguments.json);
  return kExitOk;
}

}  // namespace

Command AddDeltaCommand(CLI::App* cli) {
  auto arguments = std::make_shared<DeltaArguments>();
  CLI::App* app = cli->add_subcommand(
      "delta",
      "Write what a device that has one model file needs to get the next one: rows of items that "
      "are the same, found by their ids, are left out, others stand as differences. `stint apply` "
      "makes the new file of it, bit for bit.");
  app->add_option("OLD", arguments->old_model, "Model file that the device has")->required();
  app->add_option("NEW", arguments->new_model, "Model file that it shall have")->required();
  app->add_option("-o,--out", arguments->patch, "Patch to write")->required()->type_name("PATCH");
  app->add_flag("--json", arguments->json, "Print one JSON object instead of text");
  return {app, [arguments] { return RunDelta(*arguments); }};
}

}  // namespace stint
