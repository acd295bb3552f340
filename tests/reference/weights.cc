// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

#include "tests/reference/weights.h"

namespace stint::reference {

Weights::Weights(const NetworkShape& network_shape)
    : shape(network_shape), items(shape.items, shape.layers.back()), item_bias(1, shape.items) {
  const bool one_hot = shape.embedding == Embedding::kNone;
  size_t width = shape.layers.back();  // of what enters the layer
  if (shape.embedding == Embedding::kSeparate) width = shape.embedding_width;
  for (size_t l = 0; l < shape.layers.size(); ++l) {
    const size_t units = shape.layers[l];
    LayerWeights layer;
    layer.form = shape.FormOf(l);
    if (l > 0 || !one_hot) layer.input_weights = Array(3 * units, width);
    layer.hidden_weights = Array(3 * units, units);
    layer.input_bias = Array(1, 3 * units);
    if (layer.form == GruForm::kResetAfter) layer.hidden_bias = Array(1, 3 * units);
    layers.push_back(std::move(layer));
    width = units;
  }
  if (one_hot) inputs = Array(shape.items, 3 * shape.layers[0]);
  if (shape.embedding == Embedding::kSeparate) inputs = Array(shape.items, shape.embedding_width);
}

std::vector<std::pair<std::string, Array*>> Weights::Named() {
  std::vector<std::pair<std::string, Array*>> named;
  const auto add = [&](const std::string& name, Array* array) {
    if (!array->values.empty()) named.emplace_back(name, array);
  };
  for (size_t l = 0; l < layers.size(); ++l) {
    const std::string prefix = "layers." + std::to_string(l) + ".";
    add(prefix + "input_weights", &layers[l].input_weights);
    add(prefix + "hidden_weights", &layers[l].hidden_weights);
    add(prefix + "input_bias", &layers[l].input_bias);
    add(prefix + "hidden_bias", &layers[l].hidden_bias);
  }
  add("inputs", &inputs);
  add("items", &items);
  add("item_bias", &item_bias);
  add("item_scale", &item_scale);
  return named;
}

std::vector<std::pair<std::string, const Array*>> Weights::Named() const {
  std::vector<std::pair<std::string, const Array*>> named;
  for (const auto& [name, array] : const_cast<Weights*>(this)->Named()) {
    named.emplace_back(name, array);
  }
  return named;
}

Weights ZerosLike(const Weights& weights) {
  Weights zeros(weights.shape);
  zeros.item_scale = Array(weights.item_scale.rows, weights.item_scale.cols);
  return zeros;
}

}  // namespace stint::reference
