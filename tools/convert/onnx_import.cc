// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The parts of a network in an ONNX graph -> parameters.
#include "tools/convert/onnx_import.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>
#include <vector>

#include "schema/panel.h"
#include "tools/convert/onnx_graph.h"
#include "tools/convert/onnx_metadata.h"
#include "tools/convert/onnx_network.h"

namespace stint {
namespace {

// ONNX has gates update, reset, candidate; stint has reset, update, candidate.
constexpr size_t kOnnxGate[] = {1, 0, 2};
constexpr size_t kUpdate = 1;  // stint's place of it

// Rows of items; those before the first belong to none.
struct ItemRows {
  size_t items = 0;
  size_t first_embedded = 0;
  size_t first_scored = 0;
};

struct Reader {
  const OnnxGraph& graph;
  const OnnxNetwork& network;
  const ItemRows rows;

  std::vector<float> Floats(const OnnxWeights& weights) const {
    return FloatsOf(*weights.tensor, *weights.name, graph.path);
  }
  float Finite(float x, const OnnxWeights& weights) const {
    if (!(std::fabs(x) <= kLargestWeight)) {
      graph.Fail("tensor '" + *weights.name + "': a number beyond 1e15 comes of it");
    }
    return x;
  }
};

// values -> rows of `to`, which are those from `first` on of the weights.
void CopyRows(const std::vector<float>& values, bool transposed, size_t first, const Matrix& to) {
  const size_t rows = values.size() / to.cols;
  for (size_t r = 0; r < to.rows; ++r) {
    for (size_t c = 0; c < to.cols; ++c) {
      to.Row(r)[c] = values[transposed ? c * rows + first + r : (first + r) * to.cols + c];
    }
  }
}

// The rows [0, units) of a gate, of W or R. In the reset_before form ONNX's update gate weighs the
// old state and ours the candidate: 1 - sigmoid(x) = sigmoid(-x).
void CopyGates(const std::vector<float>& values, bool negate_update, const Matrix& to) {
  const size_t units = to.rows / 3;
  for (size_t gate = 0; gate < 3; ++gate) {
    for (size_t u = 0; u < units; ++u) {
      const float* const from = values.data() + (kOnnxGate[gate] * units + u) * to.cols;
      float* const row = to.Row(gate * units + u);
      for (size_t c = 0; c < to.cols; ++c) {
        row[c] = negate_update && gate == kUpdate ? -from[c] : from[c];
      }
    }
  }
}

void CopyBiases(const Reader& reader, const OnnxLayer& from, const GruParameters& to) {
  if (from.biases.tensor == nullptr) return;
  const std::vector<float> values = reader.Floats(from.biases);
  const size_t units = from.units;
  for (size_t gate = 0; gate < 3; ++gate) {
    for (size_t u = 0; u < units; ++u) {
      const float input = values[kOnnxGate[gate] * units + u];
      const float hidden = values[(3 + kOnnxGate[gate]) * units + u];
      const size_t at = gate * units + u;
      if (to.form == GruForm::kResetAfter) {
        to.input_bias.data[at] = input;
        to.hidden_bias.data[at] = hidden;
        continue;
      }
      // A sum with 0 would lose the sign of a zero.
      const float sum = hidden == 0 ? input : reader.Finite(input + hidden, from.biases);
      to.input_bias.data[at] = gate == kUpdate ? -sum : sum;
    }
  }
}

// Whether the input weights of the first layer do nothing: rows of the embedding are gate inputs.
bool IsIdentity(const Reader& reader, const OnnxLayer& layer) {
  const uint64_t rows = layer.input_weights.shape[1];
  if (layer.input_weights.shape[2] != rows) return false;
  const std::vector<float> values = reader.Floats(layer.input_weights);
  for (uint64_t i = 0; i < rows * rows; ++i) {
    if (values[i] != (i / rows == i % rows ? 1.0f : 0.0f)) return false;
  }
  return true;
}

bool SameBits(const Matrix& a, const float* b) {
  for (size_t r = 0; r < a.rows; ++r) {
    if (std::memcmp(a.Row(r), b + r * a.cols, a.cols * sizeof(float)) != 0) return false;
  }
  return true;
}

ItemRows FindItemRows(const OnnxGraph& graph, const OnnxNetwork& network, uint64_t padding) {
  const uint64_t entering =
      network.embedding.tensor != nullptr ? network.embedding.shape[0] : network.one_hot_items;
  const uint64_t scored = network.item_rows.shape[0] - network.first_item;
  const size_t first = network.first_item;
  if (entering >= scored && entering - scored == padding) return {scored, padding, first};
  if (entering == scored && padding < scored) return {scored - padding, padding, first + padding};
  std::string text = "embeds " + std::to_string(entering) + " items, " +
                     NodeText(*network.scoring_node) + " scores " + std::to_string(scored);
  if (padding > 0) text += ", --padding-rows " + std::to_string(padding);
  if (entering > scored) {
    text += "; if the first rows of the embedding are padding: --padding-rows " +
            std::to_string(entering - scored);
  }
  graph.Fail(*network.input_node, text);
}

// One form and one activation for all layers, but for the form of the first under one-hot input.
GruForm FormOf(const Reader& reader, bool one_hot) {
  const std::vector<OnnxLayer>& layers = reader.network.layers;
  const OnnxLayer& model = layers[one_hot && layers.size() > 1 ? 1 : 0];
  for (size_t l = 0; l < layers.size(); ++l) {
    if (layers[l].hidden_activation != model.hidden_activation) {
      reader.graph.Fail(*layers[l].node, "activation " + Name(layers[l].hidden_activation) +
                                             ", that of other layers is " +
                                             Name(model.hidden_activation));
    }
    if (layers[l].reset_after != model.reset_after && !(one_hot && l == 0)) {
      reader.graph.Fail(*layers[l].node, "linear_before_reset is not that of the other layers");
    }
  }
  return model.reset_after ? GruForm::kResetAfter : GruForm::kResetBefore;
}

// How items enter, of the layouts that stint has.
struct Input {
  Embedding embedding = Embedding::kSeparate;
  std::vector<float> rows;  // of an embedding in the file, [rows, width]
  size_t width = 0;
  bool identity = false;  // one-hot input into reset_after: rows of gate inputs, weights 1
};

Input EmbeddedInput(const Reader& reader, const Matrix& items) {
  const OnnxNetwork& network = reader.network;
  const OnnxLayer& first = network.layers[0];
  Input input;
  if (network.embedding.tensor == nullptr) {
    input.identity = first.reset_after;
    input.embedding = first.reset_after ? Embedding::kSeparate : Embedding::kNone;
    input.width = 3 * first.units;
  } else {
    input.rows = reader.Floats(network.embedding);
    input.width = network.embedding.shape[1];
    const float* const begin = input.rows.data() + reader.rows.first_embedded * input.width;
    if (input.width == items.cols && SameBits(items, begin)) {
      input.embedding = Embedding::kShared;
    } else if (!first.reset_after && IsIdentity(reader, first)) {
      input.embedding = Embedding::kNone;
    }
  }
  if (input.embedding == Embedding::kSeparate && (input.width < 1 || input.width > kMaxUnits)) {
    reader.graph.Fail(*network.input_node,
                      "rows of " + std::to_string(input.width) + " numbers, not 1 to 16384");
  }
  return input;
}

// W of one-hot input, [1, 3 units, items] -> a row of gate inputs an item.
void CopyOneHot(const Reader& reader, const Parameters& parameters) {
  const OnnxLayer& first = reader.network.layers[0];
  const std::vector<float> values = reader.Floats(first.input_weights);
  const size_t items = first.input_weights.shape[2], units = first.units;
  for (size_t gate = 0; gate < 3; ++gate) {
    const bool negate = !first.reset_after && gate == kUpdate;
    for (size_t u = 0; u < units; ++u) {
      const float* const from =
          values.data() + (kOnnxGate[gate] * units + u) * items + reader.rows.first_embedded;
      for (size_t i = 0; i < parameters.inputs.rows; ++i) {
        parameters.inputs.Row(i)[gate * units + u] = negate ? -from[i] : from[i];
      }
    }
  }
}

void CopyInput(const Reader& reader, const Input& input, const Parameters& parameters) {
  const size_t units = reader.network.layers[0].units;
  if (input.embedding == Embedding::kShared) return;
  if (input.rows.empty()) {
    CopyOneHot(reader, parameters);
  } else if (input.embedding == Embedding::kSeparate) {
    CopyRows(input.rows, false, reader.rows.first_embedded, parameters.inputs);
  } else {
    for (size_t i = 0; i < parameters.inputs.rows; ++i) {
      const float* const from = input.rows.data() + (reader.rows.first_embedded + i) * input.width;
      const Matrix row = {parameters.inputs.Row(i), 3 * units, 1, 1};
      CopyGates({from, from + input.width}, true, row);
    }
  }
}

void CopyScoring(const Reader& reader, const Matrix& items, const Matrix& item_bias) {
  const OnnxNetwork& network = reader.network;
  CopyRows(reader.Floats(network.item_rows), network.item_rows.transposed, reader.rows.first_scored,
           items);
  if (network.item_scale != 1.0f) {
    for (size_t r = 0; r < items.rows; ++r) {
      for (size_t c = 0; c < items.cols; ++c) {
        float& x = items.Row(r)[c];
        x = reader.Finite(x * network.item_scale, network.item_rows);
      }
    }
  }
  if (network.item_biases.tensor == nullptr) return;
  const std::vector<float> biases = reader.Floats(network.item_biases);
  const size_t first = reader.rows.first_scored - network.first_biased;
  for (size_t i = 0; i < items.rows; ++i) {
    item_bias.data[i] = reader.Finite(biases[first + i] * network.bias_scale, network.item_biases);
  }
}

Parameters ParametersOf(const Reader& reader) {
  const OnnxNetwork& network = reader.network;
  // Whether the embedding is shared is seen by the numbers, so the item rows are read first.
  NetworkShape shape;
  shape.items = reader.rows.items;
  for (const OnnxLayer& layer : network.layers) shape.layers.push_back(layer.units);
  const Parameters scoring(shape.items, {shape.layers.back()}, GruForm::kResetAfter);
  CopyScoring(reader, scoring.items, scoring.item_bias);
  const Input input = EmbeddedInput(reader, scoring.items);
  shape.embedding = input.embedding;
  shape.gru_form = FormOf(reader, input.embedding == Embedding::kNone);
  if (input.embedding == Embedding::kSeparate) shape.embedding_width = input.width;

  Parameters parameters(shape);
  std::copy_n(scoring.items.data, scoring.items.size(), parameters.items.data);
  std::copy_n(scoring.item_bias.data, scoring.item_bias.size(), parameters.item_bias.data);
  CopyInput(reader, input, parameters);
  for (size_t l = 0; l < shape.layers.size(); ++l) {
    const OnnxLayer& from = network.layers[l];
    const GruParameters& to = parameters.layers[l];
    const bool before = to.form == GruForm::kResetBefore;
    if (l == 0 && input.identity) {
      for (size_t i = 0; i < to.input_weights.rows; ++i) to.input_weights.Row(i)[i] = 1.0f;
    } else if (to.input_weights.rows > 0) {
      CopyGates(reader.Floats(from.input_weights), before, to.input_weights);
    }
    CopyGates(reader.Floats(from.hidden_weights), before, to.hidden_weights);
    CopyBiases(reader, from, to);
  }
  return parameters;
}

}  // namespace

TrainedModel ParseOnnx(std::span<const uint8_t> bytes, const std::string& path, size_t padding_rows,
                       std::string* ids) {
  const OnnxGraph graph = ParseOnnxGraph(bytes, path);
  const OnnxNetwork network = FindNetwork(graph);
  TrainedModel model;
  model.path = path;
  model.hidden_activation = network.layers[0].hidden_activation;
  model.final_activation = {ActivationKind::kLinear};
  std::string ids_said;
  ReadOnnxMetadata(graph, &model, &ids_said);
  if (ids != nullptr) *ids = ids_said;
  model.parameters = ParametersOf({graph, network, FindItemRows(graph, network, padding_rows)});
  return model;
}

TrainedModel ReadOnnx(const std::string& path, size_t padding_rows, std::string* ids) {
  const AlignedBytes bytes = ReadAligned(path);
  return ParseOnnx({bytes.data(), bytes.size()}, path, padding_rows, ids);
}

}  // namespace stint
