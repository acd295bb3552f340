// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// gru4rec.json -> what the tensors of a network mean (README.md of this folder has every key).
#ifndef STINT_TOOLS_CONVERT_IMPORT_CONFIG_H_
#define STINT_TOOLS_CONVERT_IMPORT_CONFIG_H_

#include <cstddef>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "trainer/activation.h"
#include "trainer/options.h"

namespace stint {

enum class Gate { kReset = 0, kUpdate = 1, kCandidate = 2 };  // the order of model files

// How an engine lays out the tensors of a GRU layer.
struct GruConvention {
  std::string name;  // "keras with reset_after false": for messages
  Gate gates[3];     // in the order of the tensors' blocks
  bool update_weighs_old = true;
  GruForm form = GruForm::kResetAfter;
  bool gates_are_columns = false;  // [I, 3 H] in place of [3 H, I]
  // Hidden weights as one tensor of the gates reset and update, and one of the candidate.
  bool split_hidden = false;
  bool leading_axis = false;  // [1, ...] is taken too
  // Both biases in one tensor, [2, 3 H] or [6 H]: must, may or cannot be.
  enum class Joined { kNo, kMay, kMust } joined_biases = Joined::kNo;
};

struct ImportConfig {
  std::string path;
  Embedding embedding = Embedding::kShared;
  std::vector<size_t> layers;              // units
  std::vector<GruConvention> conventions;  // [layers]
  bool gru_biases = true;
  bool item_biases = true;
  Activation hidden_activation = {ActivationKind::kTanh};
  Activation final_activation = {ActivationKind::kLinear};
  size_t padding_rows = 0;
  std::string ids;                             // "names" or "integers"; "": as the items' ids read
  std::map<std::string, std::string> tensors;  // our name -> that in the file, where they differ
  std::set<std::string> transposed;            // our names
  std::set<std::string> ignored;               // names in the file
  std::string hyperparameters = "{}";
  std::string training_summary = "{}";
};

// Throw std::runtime_error "path: key 'layers': reason".
ImportConfig ReadImportConfig(const std::string& path);
ImportConfig ParseImportConfig(const std::string& text, const std::string& path);

// "pytorch", "keras", "theano", "onnx" or "stint". `reset_after` for those of either form. Throws
// std::runtime_error that starts with `path`.
GruConvention ConventionOf(const std::string& path, const std::string& word,
                           const bool* reset_after);

}  // namespace stint

#endif  // STINT_TOOLS_CONVERT_IMPORT_CONFIG_H_
