// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// A network -> the bytes of an ONNX file.
#include "tools/convert/onnx_export.h"

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <stdexcept>
#include <utility>
#include <vector>

#include "tools/convert/onnx_metadata.h"
#include "trainer/activation.h"

namespace stint {
namespace {

using onnx::GraphProto;
using onnx::NodeProto;
using onnx::TensorProto;

constexpr int64_t kOpset = 13, kIrVersion = 7;
// ONNX has gates update, reset, candidate; stint has reset, update, candidate.
constexpr size_t kStintGate[] = {1, 0, 2};
constexpr size_t kUpdate = 1;  // stint's place of it
constexpr uint64_t kMostBytes = INT32_MAX;
constexpr uint64_t kNamesAndNodes = 1 << 16;  // more than all that is no number

TensorProto* AddFloats(GraphProto* graph, const std::string& name,
                       const std::vector<int64_t>& shape, const std::vector<float>& values) {
  TensorProto* tensor = graph->add_initializer();
  tensor->set_name(name);
  tensor->set_data_type(TensorProto::FLOAT);
  for (const int64_t n : shape) tensor->add_dims(n);
  tensor->set_raw_data(values.data(), values.size() * sizeof(float));
  return tensor;
}

void AddInteger(GraphProto* graph, const std::string& name, int64_t value) {
  TensorProto* tensor = graph->add_initializer();
  tensor->set_name(name);
  tensor->set_data_type(TensorProto::INT64);
  tensor->add_dims(1);
  tensor->set_raw_data(&value, sizeof(value));
}

NodeProto* AddNode(GraphProto* graph, const char* op, const std::string& name,
                   const std::vector<std::string>& inputs,
                   const std::vector<std::string>& outputs) {
  NodeProto* node = graph->add_node();
  node->set_op_type(op);
  node->set_name(name);
  for (const std::string& input : inputs) node->add_input(input);
  for (const std::string& output : outputs) node->add_output(output);
  return node;
}

onnx::AttributeProto* AddAttribute(NodeProto* node, const char* name,
                                   onnx::AttributeProto::AttributeType type) {
  onnx::AttributeProto* attribute = node->add_attribute();
  attribute->set_name(name);
  attribute->set_type(type);
  return attribute;
}

void AddInteger(NodeProto* node, const char* name, int64_t value) {
  AddAttribute(node, name, onnx::AttributeProto::INT)->set_i(value);
}

// A size that is known, or the name of one that is not.
struct Size {
  int64_t known = 0;
  const char* name = nullptr;
};

void Describe(onnx::ValueInfoProto* value, const char* name, TensorProto::DataType type,
              const std::vector<Size>& sizes, const char* text) {
  value->set_name(name);
  value->set_doc_string(text);
  onnx::TypeProto::Tensor* tensor = value->mutable_type()->mutable_tensor_type();
  tensor->set_elem_type(type);
  for (const Size& size : sizes) {
    onnx::TensorShapeProto::Dimension* dim = tensor->mutable_shape()->add_dim();
    if (size.name != nullptr) {
      dim->set_dim_param(size.name);
    } else {
      dim->set_dim_value(size.known);
    }
  }
}

std::vector<float> FloatsOf(const Matrix& matrix) {
  std::vector<float> values;
  values.reserve(matrix.rows * matrix.cols);
  for (size_t r = 0; r < matrix.rows; ++r) {
    values.insert(values.end(), matrix.Row(r), matrix.Row(r) + matrix.cols);
  }
  return values;
}

// Rows of gates in ONNX's order. In the reset_before form its update gate weighs the old state and
// ours the candidate: 1 - sigmoid(x) = sigmoid(-x).
std::vector<float> GatesOf(const Matrix& matrix, GruForm form) {
  const size_t units = matrix.rows / 3;
  std::vector<float> values;
  values.reserve(matrix.rows * matrix.cols);
  for (const size_t gate : kStintGate) {
    const bool negate = form == GruForm::kResetBefore && gate == kUpdate;
    for (size_t u = 0; u < units; ++u) {
      const float* const row = matrix.Row(gate * units + u);
      for (size_t c = 0; c < matrix.cols; ++c) values.push_back(negate ? -row[c] : row[c]);
    }
  }
  return values;
}

// The same of one row that has all gates, [3 units].
void AppendGates(const float* row, size_t units, GruForm form, std::vector<float>* values) {
  for (const size_t gate : kStintGate) {
    const bool negate = form == GruForm::kResetBefore && gate == kUpdate;
    for (size_t u = 0; u < units; ++u) {
      const float x = row[gate * units + u];
      values->push_back(negate ? -x : x);
    }
  }
}

std::vector<float> BiasesOf(const GruParameters& layer) {
  std::vector<float> values;
  AppendGates(layer.input_bias.data, layer.units(), layer.form, &values);
  if (layer.form == GruForm::kResetAfter) {
    AppendGates(layer.hidden_bias.data, layer.units(), layer.form, &values);
  } else {
    values.resize(6 * layer.units(), 0.0f);
  }
  return values;
}

std::vector<float> Identity(size_t n) {
  std::vector<float> values(n * n, 0.0f);
  for (size_t i = 0; i < n; ++i) values[i * n + i] = 1.0f;
  return values;
}

void AddActivation(NodeProto* node, const TrainedModel& model) {
  const Activation& activation = model.hidden_activation;
  const char* name = nullptr;
  switch (activation.kind) {
    case ActivationKind::kTanh:
      return;  // the default
    case ActivationKind::kRelu:
      name = "Relu";
      break;
    case ActivationKind::kLinear:
      name = "Affine";
      break;
    case ActivationKind::kLeakyRelu:
      name = "LeakyRelu";
      break;
    case ActivationKind::kElu:
      name = "Elu";
      break;
    default:
      throw std::runtime_error(model.path + ": hidden activation " + Name(activation) +
                               ": a GRU of ONNX has tanh, relu, linear, leaky and elu alone");
  }
  onnx::AttributeProto* names = AddAttribute(node, "activations", onnx::AttributeProto::STRINGS);
  names->add_strings("Sigmoid");
  names->add_strings(name);
  if (activation.kind == ActivationKind::kRelu) return;
  const bool linear = activation.kind == ActivationKind::kLinear;
  AddAttribute(node, "activation_alpha", onnx::AttributeProto::FLOATS)
      ->add_floats(linear ? 1.0f : static_cast<float>(activation.alpha));
  if (linear) AddAttribute(node, "activation_beta", onnx::AttributeProto::FLOATS)->add_floats(0);
}

// What enters the first layer; returns the name of its rows. One-hot input is a row of gate inputs
// of the item, which identity weights leave as they are.
std::string AddEmbedding(GraphProto* graph, const Parameters& parameters) {
  std::string table = "item_rows";
  if (parameters.shape.embedding == Embedding::kSeparate) {
    table = "input_rows";
    const Matrix& inputs = parameters.inputs;
    AddFloats(graph, table, {int64_t(inputs.rows), int64_t(inputs.cols)}, FloatsOf(inputs));
  } else if (parameters.shape.embedding == Embedding::kNone) {
    table = "input_rows";
    const Matrix& inputs = parameters.inputs;
    std::vector<float> values;
    values.reserve(inputs.rows * inputs.cols);
    for (size_t i = 0; i < inputs.rows; ++i) {
      AppendGates(inputs.Row(i), inputs.cols / 3, parameters.layers[0].form, &values);
    }
    AddFloats(graph, table, {int64_t(inputs.rows), int64_t(inputs.cols)}, values);
  }
  AddNode(graph, "Gather", "embedding", {table, "items"}, {"rows"});
  return "rows";
}

// Returns the name of the last hidden states, [1, batch, units].
std::string AddLayer(GraphProto* graph, const TrainedModel& model, size_t number,
                     const std::string& input, std::string* states) {
  const GruParameters& layer = model.parameters.layers[number];
  const std::string name = "layer" + std::to_string(number);
  const bool last = number + 1 == model.parameters.layers.size();
  const int64_t units = int64_t(layer.units());
  const bool one_hot = layer.input_weights.rows == 0;
  const int64_t width = one_hot ? 3 * units : int64_t(layer.inputs());
  AddFloats(graph, name + ".W", {1, 3 * units, width},
            one_hot ? Identity(size_t(width)) : GatesOf(layer.input_weights, layer.form));
  AddFloats(graph, name + ".R", {1, 3 * units, units}, GatesOf(layer.hidden_weights, layer.form));
  AddFloats(graph, name + ".B", {1, 6 * units}, BiasesOf(layer));
  *states = name + ".states";
  // The states of all steps are read by the next layer alone.
  const std::vector<std::string> outputs =
      last ? std::vector<std::string>{"", name + ".last"} : std::vector<std::string>{*states};
  NodeProto* node =
      AddNode(graph, "GRU", name, {input, name + ".W", name + ".R", name + ".B"}, outputs);
  AddInteger(node, "hidden_size", units);
  AddInteger(node, "linear_before_reset", layer.form == GruForm::kResetAfter ? 1 : 0);
  AddActivation(node, model);
  return name + ".last";
}

void AddScores(GraphProto* graph, const Parameters& parameters, const std::string& hidden,
               int64_t k) {
  const int64_t items = int64_t(parameters.items.rows), width = int64_t(parameters.width());
  AddFloats(graph, "item_rows", {items, width}, FloatsOf(parameters.items));
  AddFloats(graph, "item_biases", {items}, FloatsOf(parameters.item_bias));
  AddInteger(graph, "k", k);
  AddNode(graph, "Squeeze", "last_hidden", {hidden, "first_axis"}, {"hidden"});
  onnx::AttributeProto* order =
      AddAttribute(AddNode(graph, "Transpose", "item_columns", {"item_rows"}, {"columns"}), "perm",
                   onnx::AttributeProto::INTS);
  order->add_ints(1);
  order->add_ints(0);
  AddNode(graph, "MatMul", "products", {"hidden", "columns"}, {"products"});
  AddNode(graph, "Add", "scores", {"products", "item_biases"}, {"scores"});
  NodeProto* best = AddNode(graph, "TopK", "top", {"scores", "k"}, {"top_scores", "top_items"});
  AddInteger(best, "axis", -1);
}

void DescribeArrays(GraphProto* graph, int64_t items, int64_t k) {
  const Size batch = {0, "batch"};
  Describe(graph->add_input(), "items", TensorProto::INT64, {{0, "session_length"}, batch},
           "Item indices: one session a column, its clicks one a row. Sessions of one length.");
  Describe(graph->add_output(), "top_items", TensorProto::INT64, {batch, {k}},
           "Indices of the best items after the last click, best first.");
  Describe(graph->add_output(), "top_scores", TensorProto::FLOAT, {batch, {k}}, "Their scores.");
  Describe(graph->add_output(), "scores", TensorProto::FLOAT, {batch, {items}},
           "Scores of all items, before the final activation of training.");
}

void AddProperty(onnx::ModelProto* proto, const char* key, const std::string& value) {
  onnx::StringStringEntryProto* entry = proto->add_metadata_props();
  entry->set_key(key);
  entry->set_value(value);
}

// Bytes of all numbers, by what AddFloats() will be given.
uint64_t BytesOf(const TrainedModel& model) {
  const Parameters& parameters = model.parameters;
  uint64_t floats = uint64_t(parameters.items.rows) * (parameters.width() + 1);
  floats += uint64_t(parameters.inputs.rows) * parameters.inputs.cols;
  for (const GruParameters& layer : parameters.layers) {
    const uint64_t units = layer.units();
    const uint64_t inputs = layer.input_weights.rows == 0 ? 3 * units : layer.inputs();
    floats += 3 * units * (inputs + units + 2);
  }
  return floats * sizeof(float) + model.hyperparameters.size() + model.training_summary.size() +
         kNamesAndNodes;
}

}  // namespace

std::string OnnxBytes(const TrainedModel& model, uint32_t k) {
  if (k == 0) throw std::invalid_argument("an ONNX file of the best 0 items");
  const uint64_t bytes = BytesOf(model);
  if (bytes >= kMostBytes) {
    throw std::runtime_error(model.path + ": " + std::to_string(bytes) +
                             " bytes as ONNX, such a file has less than 2 GiB");
  }
  const Parameters& parameters = model.parameters;
  const int64_t items = int64_t(parameters.items.rows);
  const int64_t best = std::min<int64_t>(k, items);

  onnx::ModelProto proto;
  proto.set_ir_version(kIrVersion);
  proto.set_producer_name(kOnnxProducer);
  proto.set_doc_string("Session-based recommendation: clicks of a session -> the best next items.");
  proto.add_opset_import()->set_version(kOpset);
  GraphProto* graph = proto.mutable_graph();
  graph->set_name("stint");
  DescribeArrays(graph, items, best);
  std::string input = AddEmbedding(graph, parameters), hidden;
  AddInteger(graph, "first_axis", 0);
  if (parameters.layers.size() > 1) AddInteger(graph, "directions", 1);
  for (size_t l = 0; l < parameters.layers.size(); ++l) {
    std::string states;
    hidden = AddLayer(graph, model, l, input, &states);
    if (l + 1 == parameters.layers.size()) break;
    input = "layer" + std::to_string(l) + ".output";
    AddNode(graph, "Squeeze", input, {states, "directions"}, {input});
  }
  AddScores(graph, parameters, hidden, best);
  AddProperty(&proto, kOnnxHyperparameters, model.hyperparameters);
  AddProperty(&proto, kOnnxTrainingSummary, model.training_summary);
  AddProperty(&proto, kOnnxHiddenActivation, Name(model.hidden_activation));
  AddProperty(&proto, kOnnxFinalActivation, Name(model.final_activation));
  if (model.catalog.size() > 0) {
    AddProperty(&proto, kOnnxIds, model.catalog.ids.are_names ? "names" : "integers");
  }
  std::string result;
  if (!proto.SerializeToString(&result)) {
    throw std::runtime_error(model.path + ": cannot be written as ONNX");
  }
  return result;
}

}  // namespace stint
