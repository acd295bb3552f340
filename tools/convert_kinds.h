// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// A network and the kinds of model it may become -> a table of what they lose, and one of them.
#ifndef STINT_TOOLS_CONVERT_KINDS_H_
#define STINT_TOOLS_CONVERT_KINDS_H_

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tools/convert/compare_kinds.h"
#include "tools/convert/model_kind.h"
#include "tools/convert_arguments.h"
#include "tools/convert_input.h"
#include "trainer/trained_model.h"

namespace stint {

struct KindRow {
  std::string name;
  ModelKind kind;
  AlignedBytes bytes;
  std::optional<Comparison> measured;  // against the first row
};

struct KindTable {
  uint32_t k = 20;
  uint64_t sessions = 0;
  uint64_t targets = 0;
  // With a log, the first is the input as it is.
  std::vector<KindRow> rows;
  bool first_is_input = false;
  size_t chosen = 0;  // of rows
  std::vector<std::string> notes;
};

// The kind that the options say; what is not said is as the input has it, as far as that goes with
// what is said. Throws std::invalid_argument if there is no such kind.
ModelKind KindAskedFor(const ConvertArguments& arguments, const TrainedModel& input);

// `model` is what is left of the input (--keep-top). Throws std::runtime_error if no kind is small
// or good enough, with the table printed before, or if the log shows nothing.
KindTable ChooseKind(const ConvertArguments& arguments, const ConvertInput& input,
                     const TrainedModel& model);

std::string TableText(const KindTable& table);
nlohmann::ordered_json TableJson(const KindTable& table);

}  // namespace stint

#endif  // STINT_TOOLS_CONVERT_KINDS_H_
