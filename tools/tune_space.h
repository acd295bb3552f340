// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// JSON lines -> a space of training parameters; number of a trial -> a point in it.
#ifndef STINT_TOOLS_TUNE_SPACE_H_
#define STINT_TOOLS_TUNE_SPACE_H_

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tools/official_names.h"

namespace stint {

struct SpaceParameter {
  enum class Kind { kInt, kFloat, kCategorical };
  std::string name;  // of the papers' code, or ours
  Kind kind = Kind::kFloat;
  std::vector<std::string> choices;  // kCategorical: as text
  double low = 0;                    // the others: both ends are possible
  double high = 0;
  double step = 0;   // 0: any number between
  bool log = false;  // uniform in the logarithm
};

struct Space {
  std::vector<SpaceParameter> parameters;
  nlohmann::ordered_json json;  // as read, an array of objects
};

// One object a line: {"name": ..., "dtype": "int" | "float" | "categorical", "values": [low, high]
// or the list of choices, "step": optional, "log": optional}, as the papers' code has them; empty
// lines are skipped. Throws std::runtime_error "path:line: ..." for what is no such object, names
// that are no parameters, and values that these cannot have.
Space ReadSpace(const std::string& path);

// The point of trial number `trial`, from 0: a pure function of space, seed and number.
std::vector<Assignment> DrawPoint(const Space& space, uint64_t seed, uint64_t trial);

}  // namespace stint

#endif  // STINT_TOOLS_TUNE_SPACE_H_
