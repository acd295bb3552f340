// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The sub-commands of `stint`, one file each.
#ifndef STINT_TOOLS_COMMANDS_H_
#define STINT_TOOLS_COMMANDS_H_

#include <CLI/CLI.hpp>
#include <functional>

namespace stint {

// A sub-command: where its options were parsed to, and what to do with them.
struct Command {
  const CLI::App* app = nullptr;
  std::function<int()> run;  // returns an exit status of common.h; may throw as main.cc says
};

Command AddTrainCommand(CLI::App* cli);
Command AddTuneCommand(CLI::App* cli);
Command AddEvaluateCommand(CLI::App* cli);
Command AddRecommendCommand(CLI::App* cli);
Command AddInspectCommand(CLI::App* cli);
Command AddVerifyCommand(CLI::App* cli);
Command AddDiffCommand(CLI::App* cli);
Command AddDeltaCommand(CLI::App* cli);
Command AddApplyCommand(CLI::App* cli);
Command AddConvertCommand(CLI::App* cli);
Command AddSynthCommand(CLI::App* cli);

}  // namespace stint

#endif  // STINT_TOOLS_COMMANDS_H_
