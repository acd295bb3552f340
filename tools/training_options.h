// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Name and text of an option of training -> field of trainer/options.h. The one table behind the
// command line of `stint train`, its --params, and the parameter spaces of `stint tune`.
#ifndef STINT_TOOLS_TRAINING_OPTIONS_H_
#define STINT_TOOLS_TRAINING_OPTIONS_H_

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "trainer/options.h"

namespace stint {

struct TrainingOption {
  const char* name;          // as in ToJson(), without dashes in front
  const char* group;         // heading in --help
  const char* type;          // "N", "X", "NAME", "N,..."; "" for a flag
  const char* default_text;  // shown where it differs from what `show` gives; else nullptr
  std::string help;
  // Flags alone: the opposite on the command line, "--fixed-item-scale"; else nullptr.
  const char* opposite;
  // Throws std::invalid_argument or CLI::ParseError that starts with `label`.
  std::function<void(const std::string& label, const std::string& text, Options* options)> set;
  std::function<std::string(const Options&)> show;
};

// In the order of --help.
const std::vector<TrainingOption>& TrainingOptions();
// nullptr if there is none of that name.
const TrainingOption* FindTrainingOption(const std::string& name);

// Options, and which of them were given rather than left alone.
struct GivenOptions {
  Options options;
  // Name -> how it was given: "--layers", or "layers in --params". All names are in the table.
  std::map<std::string, std::string> given;

  bool Has(const std::string& name) const { return given.count(name) > 0; }
  // Sets an option. Throws std::invalid_argument "label: ..." for a bad value, or if it was given
  // already; the label says how it is given.
  void Set(const TrainingOption& option, const std::string& label, const std::string& text);
};

// What can be told only when all are known: fills in the activation that goes with the loss and
// refuses what Validate() refuses, std::invalid_argument. Then says which given options have no
// effect: "--rho: only rmsprop and adadelta have a decay", each with the name of the option.
struct Ineffective {
  std::string name;
  std::string message;
};
std::vector<Ineffective> Complete(GivenOptions* given);

}  // namespace stint

#endif  // STINT_TOOLS_TRAINING_OPTIONS_H_
