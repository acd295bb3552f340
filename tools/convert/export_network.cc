// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The network of a model -> tensors with what they mean.
#include "tools/convert/export_network.h"

#include <nlohmann/json.hpp>
#include <vector>

namespace stint {
namespace {

using nlohmann::ordered_json;

void AddMatrix(const std::string& name, const Matrix& matrix, Tensors* tensors) {
  std::vector<float> values;
  values.reserve(matrix.rows * matrix.cols);
  for (size_t r = 0; r < matrix.rows; ++r) {
    values.insert(values.end(), matrix.Row(r), matrix.Row(r) + matrix.cols);
  }
  tensors->Add(name, {matrix.rows, matrix.cols}, values);
}

void AddVector(const std::string& name, const Matrix& row, Tensors* tensors) {
  tensors->Add(name, {row.cols}, std::vector<float>(row.data, row.data + row.cols));
}

}  // namespace

Tensors NetworkTensors(const TrainedModel& model) {
  const Parameters& p = model.parameters;
  Tensors tensors(model.path);
  AddMatrix("item_rows", p.items, &tensors);
  AddVector("item_biases", p.item_bias, &tensors);
  if (p.inputs.rows > 0) AddMatrix("input_rows", p.inputs, &tensors);
  for (size_t l = 0; l < p.layers.size(); ++l) {
    const GruParameters& layer = p.layers[l];
    const std::string name = "layer" + std::to_string(l) + ".";
    if (layer.inputs() > 0) AddMatrix(name + "input_weights", layer.input_weights, &tensors);
    AddMatrix(name + "hidden_weights", layer.hidden_weights, &tensors);
    AddVector(name + "input_biases", layer.input_bias, &tensors);
    if (layer.hidden_bias.rows > 0) AddVector(name + "hidden_biases", layer.hidden_bias, &tensors);
  }
  return tensors;
}

std::string NetworkConfig(const TrainedModel& model) {
  const NetworkShape& shape = model.parameters.shape;
  ordered_json conventions = ordered_json::array();
  for (size_t l = 0; l < shape.layers.size(); ++l) {
    conventions.push_back(
        {{"convention", "stint"}, {"reset_after", shape.FormOf(l) == GruForm::kResetAfter}});
  }
  const ordered_json config = {{"format", "stint-network"},
                               {"version", 1},
                               {"embedding", Name(shape.embedding)},
                               {"layers", shape.layers},
                               {"layer_conventions", conventions},
                               {"hidden_activation", Name(model.hidden_activation)},
                               {"final_activation", Name(model.final_activation)},
                               {"ids", model.catalog.ids.are_names ? "names" : "integers"},
                               {"hyperparameters", ordered_json::parse(model.hyperparameters)},
                               {"training_summary", ordered_json::parse(model.training_summary)}};
  return config.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace stint
