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
};

// `input` is what came in, `model` what is left of it (--keep-top); `bytes` the input's own file,
// if it is a model. Throws std::runtime_error if no kind is small or good enough, with the table in
// words.
KindTable ChooseKind(const ConvertArguments& arguments, const TrainedModel& input,
                     const TrainedModel& model, bool input_is_model);

std::string TableText(const KindTable& table);
nlohmann::ordered_json TableJson(const KindTable& table);

}  // namespace stint

#endif  // STINT_TOOLS_CONVERT_KINDS_H_
