// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The input of `stint convert`, of whatever kind -> a network with its catalog.
#ifndef STINT_TOOLS_CONVERT_INPUT_H_
#define STINT_TOOLS_CONVERT_INPUT_H_

#include <functional>
#include <optional>
#include <string>

#include "tools/convert/test_sessions.h"
#include "tools/convert_arguments.h"
#include "trainer/trained_model.h"

namespace stint {

struct ConvertInput {
  FileKind kind = FileKind::kModel;
  TrainedModel model;
  std::optional<TestSessions> tests;
  double largest_difference = 0;  // of the tests' scores from those of the network in float32
};

// Reads and, where there are test sessions, replays them. `say` is told what was read, a line each.
// Throws std::invalid_argument for options that the kind of input lacks or does not take.
ConvertInput ReadConvertInput(const ConvertArguments& arguments,
                              const std::function<void(const std::string&)>& say);

}  // namespace stint

#endif  // STINT_TOOLS_CONVERT_INPUT_H_
