// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// An ONNX graph -> the parts of a network: the walk over inputs, nodes and outputs.
#include "tools/convert/onnx_network.h"

#include <algorithm>
#include <utility>

#include "tools/convert/onnx_walk.h"

namespace stint {
namespace {

using onnx::TensorProto;

Axes AxesOf(const onnx::TensorShapeProto& shape, const OnnxGraph& graph, const std::string& name) {
  if (static_cast<size_t>(shape.dim_size()) > kMostAxes) {
    graph.Fail("input '" + name + "': " + std::to_string(shape.dim_size()) + " axes, " +
               std::to_string(kMostAxes) + " are the most");
  }
  Axes axes;
  for (const onnx::TensorShapeProto::Dimension& dim : shape.dim()) {
    const bool known = dim.value_case() == onnx::TensorShapeProto::Dimension::kDimValue;
    if (known && (dim.dim_value() < 1 || dim.dim_value() > INT32_MAX)) {
      graph.Fail("input '" + name + "': an axis of " + std::to_string(dim.dim_value()));
    }
    axes.push_back({AxisRole::kFree, known ? dim.dim_value() : kUnknownSize});
  }
  return axes;
}

}  // namespace

const char* Name(OnnxKind kind) {
  static constexpr const char* kNames[] = {
      "weights",      "sizes of arrays", "a state to start from",
      "item indices", "embedded items",  "hidden states",
      "scores",       "the best scores", "the best items"};
  return kNames[static_cast<size_t>(kind)];
}

const OnnxWeights& WholeWeights(const OnnxValue& value, const char* what) {
  if (value.kind != OnnxKind::kWeights) {
    throw OnnxRefusal(std::string(what) + " are " + Name(value.kind) + ", not weights of the file");
  }
  if (value.repeated) {
    throw OnnxRefusal(std::string(what) + " are computed of '" + *value.weights.name +
                      "'; export with constant folding");
  }
  return value.weights;
}

OnnxNetwork OnnxWalk::Run() {
  for (const auto& [name, tensor] : graph_.initializers) values_[name] = WeightsOf(*tensor, name);
  AddInputs();
  for (const Node& node : graph_.graph().node()) {
    try {
      Visit(node);
    } catch (const OnnxRefusal& e) {
      graph_.Fail(node, e.what());
    }
  }
  CheckOutputs();
  return std::move(network_);
}

OnnxValue OnnxWalk::WeightsOf(const TensorProto& tensor, const std::string& name) const {
  OnnxValue value;
  value.kind = OnnxKind::kWeights;
  value.weights = {&tensor, &name, DimsOf(tensor, name, graph_.path), false};
  return value;
}

// Integers are items, floats a state.
void OnnxWalk::AddInputs() {
  for (const onnx::ValueInfoProto& input : graph_.graph().input()) {
    const std::string& name = input.name();
    if (values_.count(name) != 0) continue;  // the default of it is weights
    const onnx::TypeProto::Tensor& type = input.type().tensor_type();
    OnnxValue value;
    if (type.elem_type() == TensorProto::INT64 || type.elem_type() == TensorProto::INT32) {
      if (!type.has_shape()) graph_.Fail("input '" + name + "': its axes are not said");
      value.kind = OnnxKind::kItems;
      value.axes = AxesOf(type.shape(), graph_, name);
    } else if (type.elem_type() == TensorProto::FLOAT || type.elem_type() == TensorProto::DOUBLE) {
      value.kind = OnnxKind::kState;
      value.given = true;
    } else {
      graph_.Fail("input '" + name + "': neither item indices nor a hidden state (element type " +
                  std::to_string(type.elem_type()) + ")");
    }
    values_[name] = std::move(value);
  }
}

void OnnxWalk::Visit(const Node& node) {
  using Method = void (OnnxWalk::*)(const Node&);
  static const std::map<std::string, Method> methods = {
      {"Gather", &OnnxWalk::Gather},
      {"OneHot", &OnnxWalk::OneHot},
      {"GRU", &OnnxWalk::Gru},
      {"MatMul", &OnnxWalk::MatMul},
      {"Gemm", &OnnxWalk::Gemm},
      {"Add", &OnnxWalk::Add},
      {"TopK", &OnnxWalk::TopK},
      {"Transpose", &OnnxWalk::Move},
      {"Squeeze", &OnnxWalk::Move},
      {"Unsqueeze", &OnnxWalk::Move},
      {"Reshape", &OnnxWalk::Move},
      {"Identity", &OnnxWalk::Move},
      {"Slice", &OnnxWalk::Slice},
      {"Concat", &OnnxWalk::Concat},
      {"Cast", &OnnxWalk::Cast},
      {"Expand", &OnnxWalk::Expand},
      {"Shape", &OnnxWalk::Shape},
      {"Constant", &OnnxWalk::Constant},
      {"ConstantOfShape", &OnnxWalk::ConstantOfShape}};
  (this->*methods.at(node.op_type()))(node);
}

const OnnxValue& OnnxWalk::Value(const Node& node, int input) const {
  const auto found = values_.find(InputOf(node, input));
  // Outputs that a node does not make (GRU's third) have a name and no value.
  if (found == values_.end()) throw OnnxRefusal("input " + std::to_string(input) + " is missing");
  return found->second;
}

void OnnxWalk::Make(const Node& node, int output, OnnxValue value) {
  if (output < node.output_size() && !node.output(output).empty()) {
    values_[node.output(output)] = std::move(value);
  }
}

std::vector<int64_t> OnnxWalk::Integers(const Node& node, int input) const {
  const OnnxValue& value = Value(node, input);
  if (value.kind == OnnxKind::kShape) {
    const auto& sizes = value.sizes;
    if (sizes.empty() || std::find(sizes.begin(), sizes.end(), kNoNumber) != sizes.end()) {
      throw OnnxRefusal("its numbers depend on the sizes of its input");
    }
    return sizes;
  }
  const OnnxWeights& weights = WholeWeights(Value(node, input), "its numbers");
  return FewIntegersOf(*weights.tensor, *weights.name, graph_.path);
}

std::vector<int64_t> OnnxWalk::IntegersOr(const Node& node, int input,
                                          const char* attribute) const {
  return Has(node, input) ? Integers(node, input) : IntegersAttribute(node, attribute);
}

// Numbers of a shape as far as they are known.
std::vector<int64_t> OnnxWalk::SizesOf(const OnnxValue& value) const {
  if (value.kind == OnnxKind::kShape) return value.sizes;
  const OnnxWeights& weights = value.weights;
  if (value.repeated || weights.shape.size() > 1) return {};
  if (!weights.shape.empty() && weights.shape[0] > kMostAxes) return {};
  return FewIntegersOf(*weights.tensor, *weights.name, graph_.path);
}

void OnnxWalk::CheckOutputs() {
  bool scored = false;
  for (const onnx::ValueInfoProto& output : graph_.graph().output()) {
    const auto found = values_.find(output.name());
    if (found == values_.end()) graph_.Fail("output '" + output.name() + "': no node makes it");
    const OnnxValue& value = found->second;
    switch (value.kind) {
      case OnnxKind::kScores:
      case OnnxKind::kTopScores:
      case OnnxKind::kTopItems:
        if (value.biased != (network_.item_biases.tensor != nullptr)) {
          graph_.Fail("output '" + output.name() + "': scores without the biases of others");
        }
        if (scored && value.first_item != network_.first_item) {
          graph_.Fail("output '" + output.name() + "': scores of other items than other outputs");
        }
        network_.first_item = value.first_item;
        scored = true;
        break;
      case OnnxKind::kHidden:
        break;
      default:
        graph_.Fail("output '" + output.name() + "': is " + Name(value.kind) +
                    ", neither scores nor hidden states");
    }
  }
  if (!scored) graph_.Fail("no output has scores of items (MatMul or Gemm after a GRU)");
}

OnnxNetwork FindNetwork(const OnnxGraph& graph) { return OnnxWalk(graph).Run(); }

}  // namespace stint
