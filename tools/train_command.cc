// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The sub-command: its options, and a run with them.
#include <cstdio>
#include <memory>
#include <string>

#include "tools/commands.h"
#include "tools/train_arguments.h"
#include "tools/train_run.h"

namespace stint {

Command AddTrainCommand(CLI::App* cli) {
  auto arguments = std::make_shared<TrainArguments>();
  CLI::App* app = cli->add_subcommand(
      "train",
      "Train a model on a click log and write it, quantized, as one file. Ctrl-C finishes the "
      "mini-batch and writes what there is; while the log is read it ends at once.");
  AddTrainOptions(app, arguments.get());
  return {app, [arguments] {
            CompleteTrainArguments(arguments.get());
            for (const std::string& note : arguments->notes) {
              if (!arguments->quiet) std::fprintf(stderr, "stint train: note: %s\n", note.c_str());
            }
            return TrainRun(*arguments).Run();
          }};
}

}  // namespace stint
