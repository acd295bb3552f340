// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Parameters as users of the papers' code write them ("loss=bpr-max,layers=100/100,n_sample=2048")
// -> options of training.
#ifndef STINT_TOOLS_OFFICIAL_NAMES_H_
#define STINT_TOOLS_OFFICIAL_NAMES_H_

#include <string>
#include <vector>

#include "tools/training_options.h"

namespace stint {

struct Assignment {
  std::string name;   // of the papers' code, or ours with - or _
  std::string value;  // lists with / between
};

// "a=1,b=2" -> its parts. Throws std::invalid_argument that starts with `where`.
std::vector<Assignment> SplitAssignments(const std::string& where, const std::string& text);

// False if neither the papers' code nor stint has a parameter of that name.
bool IsKnownName(const std::string& name);
// All of them, with commas between.
std::string KnownNames();

// Sets what the assignments say. Values that mean nothing here or with the others given are said in
// `notes`, for parameter lists of the papers' code are complete ones. Throws std::invalid_argument
// "where: name: ..." for names that nobody knows, bad values, and what was given before.
void Assign(const std::string& where, const std::vector<Assignment>& assignments,
            GivenOptions* given, std::vector<std::string>* notes);

}  // namespace stint

#endif  // STINT_TOOLS_OFFICIAL_NAMES_H_
