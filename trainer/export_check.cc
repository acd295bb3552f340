// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// What is to become a model file -> an error where its parts contradict each other or the format.
#include "trainer/export_check.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "schema/panel.h"
#include "trainer/quantize.h"

namespace stint {
namespace {

void CheckJson(const char* name, const std::string& text) {
  constexpr int kDeepest = 100;  // what reads a model takes no more (tools/common.h)
  bool deep = false;
  const nlohmann::json::parser_callback_t check = [&](int depth, auto, const auto&) {
    deep |= depth > kDeepest;
    return !deep;
  };
  const auto json = nlohmann::json::parse(text, check, /*allow_exceptions=*/false);
  if (deep) FailExport(std::string(name) + " is JSON nested more than 100 deep");
  if (!json.is_object()) FailExport(std::string(name) + " is not a JSON object: " + text);
}

// The file has floats: what is checked are those.
void CheckActivation(const char* name, const Activation& activation) {
  const ActivationParams f = activation.Params();
  const bool selu = f.kind == ActivationKind::kSelu;
  const bool has_alpha =
      selu || f.kind == ActivationKind::kElu || f.kind == ActivationKind::kLeakyRelu;
  const auto good = [](float x) { return x > 0 && x <= kLargestActivationParameter; };
  if ((has_alpha ? good(f.alpha) : f.alpha == 0) && (selu ? good(f.scale) : f.scale == 1)) return;
  FailExport(std::string(name) + " activation " + Name(activation) + ": alpha " +
             std::to_string(f.alpha) + ", scale " + std::to_string(f.scale) +
             "; each is in (0, 1e6] where the activation has it, else alpha is 0 and scale 1");
}

// Where the parameters of the first layer's input and its form contradict the shape.
void CheckFirstInput(const Parameters& parameters) {
  const Embedding embedding = parameters.shape.embedding;
  const Matrix& inputs = parameters.inputs;
  const size_t units = parameters.layers[0].units();
  const size_t expected = embedding == Embedding::kNone       ? 3 * units
                          : embedding == Embedding::kSeparate ? parameters.layers[0].inputs()
                                                              : 0;
  const size_t rows = embedding == Embedding::kShared ? 0 : parameters.items.rows;
  if (inputs.rows != rows || (rows > 0 && inputs.cols != expected)) {
    FailExport("input rows of " + std::to_string(inputs.rows) + " x " +
               std::to_string(inputs.cols) + ", not " + std::to_string(rows) + " x " +
               std::to_string(expected));
  }
  if (embedding == Embedding::kSeparate && (expected == 0 || expected > kMaxUnits)) {
    FailExport("an embedding of width " + std::to_string(expected) + ", not 1 to 16384");
  }
  if (embedding == Embedding::kNone && parameters.layers[0].inputs() != 0) {
    FailExport("a matrix of input weights under one-hot input");
  }
}

void CheckParts(const ExportInput& input) {
  const Parameters& parameters = *input.parameters;
  const Catalog& catalog = *input.catalog;
  const size_t items = parameters.items.rows;
  if (items == 0 || items > kMaxItems)
    FailExport(std::to_string(items) + " items, not 1 to 2^31 - 1");
  if (catalog.size() != items || catalog.ids.size() != items) {
    FailExport("catalog of " + std::to_string(catalog.size()) + " items for " +
               std::to_string(items) + " item rows");
  }
  if (parameters.layers.empty() || parameters.layers.size() > kMaxLayers) {
    FailExport(std::to_string(parameters.layers.size()) + " layers, not 1 to 16");
  }
  CheckFirstInput(parameters);
  size_t inputs = parameters.shape.embedding == Embedding::kShared ? parameters.width()
                                                                   : parameters.layers[0].inputs();
  for (size_t l = 0; l < parameters.layers.size(); ++l) {
    const GruParameters& layer = parameters.layers[l];
    if (layer.form != parameters.shape.FormOf(l))
      FailExport("a layer's GRU form is not the network's");
    if (layer.units() == 0 || layer.units() > kMaxUnits) {
      FailExport(std::to_string(layer.units()) + " units, not 1 to 16384");
    }
    if (layer.inputs() != inputs) {
      FailExport("a layer of " + std::to_string(layer.inputs()) + " inputs over one of " +
                 std::to_string(inputs) + " units");
    }
    inputs = layer.units();
  }
  if (inputs != parameters.width()) FailExport("last layer and item rows differ in width");
  CheckActivation("final", input.final_activation);
  CheckActivation("hidden", input.hidden_activation);
  if (input.hidden_activation.kind == ActivationKind::kSoftmax)
    FailExport("hidden activation softmax");
  if (input.scoring == Scoring::kInt8 && input.dtype != DType::kInt8) {
    FailExport("scoring int8 with item rows of another kind");
  }
  if (input.scoring == Scoring::kExact && input.dtype != DType::kInt8 &&
      input.dtype != DType::kF32) {
    FailExport("scoring exact with item rows of less than 32 bits");
  }
  for (const std::vector<uint32_t>& session : input.calibration_sessions) {
    for (const uint32_t item : session) {
      if (item >= items) FailExport("calibration with item " + std::to_string(item));
    }
  }
  if (input.f32_layers && input.dtype == DType::kInt8)
    FailExport("item rows of int8 over layers of f32");
  if (input.self_test_sessions.size() > kMaxSelfTests) FailExport("more than 1024 self-tests");
  for (const std::vector<uint32_t>& session : input.self_test_sessions) {
    for (const uint32_t item : session) {
      if (item >= items) FailExport("self-test with item " + std::to_string(item));
    }
  }
  if (!input.self_test_sessions.empty() && input.self_test_k == 0)
    FailExport("self-tests with k = 0");
  CheckJson("hyperparameters", input.hyperparameters);
  CheckJson("training summary", input.training_summary);
}

// Refuses what would leave the format's 2 GiB before any of it is packed: above 2^31 - 1 bytes
// FlatBuffers silently writes a broken file.
void CheckSize(const ExportInput& input) {
  const Parameters& parameters = *input.parameters;
  const bool int8 = LayersOf(input) == DType::kInt8;
  uint64_t bytes = 1 << 20;  // tables, padding
  for (const GruParameters& layer : parameters.layers) {
    bytes += PanelBytes(int8, 3 * layer.units(), layer.inputs());
    bytes += PanelBytes(int8, layer.hidden_weights.rows, layer.units());
  }
  if (input.scoring == Scoring::kExact) {
    bytes += parameters.items.rows * uint64_t{parameters.width() + 1} * sizeof(float);
  } else {
    bytes += PackedSize(input.dtype, parameters.items.rows, parameters.width());
  }
  if (input.scoring != Scoring::kScan) {
    bytes += parameters.items.rows * CandidateRowBytes(parameters.width()) +
             PanelTiles(parameters.items.rows) *
                 ScanTileBytes(std::min<size_t>(parameters.width(), kMaxCascadeColumns));
  }
  const size_t parts = InputParts(parameters);
  bytes += RowsBytes(int8, parameters.inputs.rows * parts, parameters.inputs.cols / parts);
  bytes += parameters.items.rows * uint64_t{16};  // ids or name offsets, order, counts
  for (const std::string& name : input.catalog->ids.names) bytes += name.size();
  bytes += input.hyperparameters.size() + input.training_summary.size();
  for (const std::vector<uint32_t>& session : input.self_test_sessions) {
    bytes += 4 * session.size() + 8 * std::min<uint64_t>(input.self_test_k, parameters.items.rows);
  }
  if (bytes > kMaxFileBytes) {
    FailExport("about " + std::to_string(bytes >> 20) + " MiB, the format holds less than 2048");
  }
}

}  // namespace

void FailExport(const std::string& message) { throw std::runtime_error("model: " + message); }

DType LayersOf(const ExportInput& input) {
  return input.f32_layers ? DType::kF32 : LayerDType(input.dtype);
}

size_t InputParts(const Parameters& parameters) {
  return parameters.shape.embedding == Embedding::kNone ? 3 : 1;
}

void CheckExport(const ExportInput& input) {
  CheckParts(input);
  CheckSize(input);
}

}  // namespace stint
