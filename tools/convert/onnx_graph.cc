// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Bytes -> an ONNX graph whose names and order are checked.
#include "tools/convert/onnx_graph.h"

#include <algorithm>
#include <set>
#include <stdexcept>

#include "tools/convert/onnx_axes.h"

namespace stint {
namespace {

using onnx::AttributeProto;
using onnx::NodeProto;

// GRU has linear_before_reset since 7 in the form that is read here.
constexpr int64_t kOldestOpset = 7, kNewestOpset = 23;

const std::set<std::string>& Operations() {
  static const std::set<std::string> operations = {
      "Gather",    "OneHot",  "GRU",      "MatMul",    "Gemm",           "Add",    "TopK",
      "Transpose", "Squeeze", "Slice",    "Reshape",   "Concat",         "Expand", "Shape",
      "Identity",  "Cast",    "Constant", "Unsqueeze", "ConstantOfShape"};
  return operations;
}

bool IsOnnx(const std::string& domain) { return domain.empty() || domain == "ai.onnx"; }

void CheckOpset(const OnnxGraph& file) {
  bool found = false;
  for (const onnx::OperatorSetIdProto& opset : file.model.opset_import()) {
    if (!IsOnnx(opset.domain())) continue;
    if (opset.version() < kOldestOpset || opset.version() > kNewestOpset) {
      file.Fail("opset " + std::to_string(opset.version()) + ", " + std::to_string(kOldestOpset) +
                " to " + std::to_string(kNewestOpset) + " are known");
    }
    found = true;
  }
  if (!found) file.Fail("no opset of ONNX's own operations");
}

void CheckParts(const OnnxGraph& file) {
  if (!file.model.has_graph()) file.Fail("no graph: is this an ONNX model?");
  CheckOpset(file);
  if (file.model.functions_size() > 0) {
    file.Fail("function '" + file.model.functions(0).name() + "': functions are not read");
  }
  if (file.graph().sparse_initializer_size() > 0) {
    file.Fail("tensor '" + file.graph().sparse_initializer(0).values().name() +
              "': sparse tensors are not read");
  }
}

// Names that there are before the first node.
std::set<std::string> GivenNames(OnnxGraph* file) {
  std::set<std::string> names;
  for (const onnx::TensorProto& tensor : file->graph().initializer()) {
    if (tensor.name().empty()) file->Fail("a tensor without a name");
    if (!names.insert(tensor.name()).second) {
      file->Fail("tensor '" + tensor.name() + "': is there twice");
    }
    file->initializers[tensor.name()] = &tensor;
  }
  std::set<std::string> inputs;
  for (const onnx::ValueInfoProto& input : file->graph().input()) {
    if (input.name().empty()) file->Fail("an input without a name");
    // Older files name their weights among the inputs.
    if (!inputs.insert(input.name()).second) file->Fail("input '" + input.name() + "': twice");
    names.insert(input.name());
  }
  return names;
}

// What to do about a node that is not read, where that is known.
std::string AdviceOn(const OnnxGraph& file, const NodeProto& node) {
  static const std::set<std::string> after_scores = {
      "Softmax", "LogSoftmax", "Sigmoid", "Tanh", "Relu", "Elu", "LeakyRelu", "Selu", "Mul", "Div"};
  static const std::set<std::string> of_cells = {"Split", "Sigmoid", "Tanh", "Sub",
                                                 "Mul",   "Loop",    "Scan"};
  const auto& nodes = file.graph().node();
  const auto is_gru = [](const NodeProto& other) { return other.op_type() == "GRU"; };
  if (std::none_of(nodes.begin(), nodes.end(), is_gru)) {
    return of_cells.count(node.op_type()) == 0
               ? ""
               : "; and there is no GRU: export nn.GRU (not its pieces, as nn.GRUCell is), or the "
                 "state_dict by tools/python/export_state_dict.py";
  }
  const auto place =
      std::find_if(nodes.begin(), nodes.end(), [&](const NodeProto& n) { return &n == &node; });
  if (std::any_of(place, nodes.end(), is_gru) || after_scores.count(node.op_type()) == 0) return "";
  return "; what is wanted are the scores before it: export the network without it";
}

void CheckOperation(const OnnxGraph& file, const NodeProto& node) {
  if (!IsOnnx(node.domain())) {
    file.Fail(node, "not part of Gather, GRU, MatMul, domain '" + node.domain() + "'");
  }
  if (Operations().count(node.op_type()) == 0) {
    file.Fail(node, "not part of Gather, GRU, MatMul" + AdviceOn(file, node));
  }
}

void CheckNodes(const OnnxGraph& file, std::set<std::string> names) {
  for (const NodeProto& node : file.graph().node()) {
    CheckOperation(file, node);
    for (const std::string& input : node.input()) {
      if (!input.empty() && names.count(input) == 0) {
        file.Fail(node, "reads '" + input + "', which no tensor, input or earlier node makes");
      }
    }
    for (const std::string& output : node.output()) {
      if (!output.empty() && !names.insert(output).second) {
        file.Fail(node, "makes '" + output + "', which is there already");
      }
    }
  }
  if (file.graph().output_size() == 0) file.Fail("the graph has no output");
  for (const onnx::ValueInfoProto& output : file.graph().output()) {
    if (names.count(output.name()) == 0) {
      file.Fail("output '" + output.name() + "': no node makes it");
    }
  }
}

// Nothing may be there that is not used.
void CheckNeeded(const OnnxGraph& file) {
  std::set<std::string> needed;
  for (const onnx::ValueInfoProto& output : file.graph().output()) needed.insert(output.name());
  for (int i = file.graph().node_size() - 1; i >= 0; --i) {
    const NodeProto& node = file.graph().node(i);
    const auto is_needed = [&](const std::string& name) { return needed.count(name) != 0; };
    if (std::none_of(node.output().begin(), node.output().end(), is_needed)) {
      file.Fail(node, "no output of the graph needs it");
    }
    needed.insert(node.input().begin(), node.input().end());
    needed.erase("");  // an input that a node does without
  }
  for (const onnx::ValueInfoProto& input : file.graph().input()) {
    if (needed.count(input.name()) == 0)
      file.Fail("input '" + input.name() + "': no node reads it");
  }
  for (const auto& [name, tensor] : file.initializers) {
    if (needed.count(name) == 0) file.Fail("tensor '" + name + "': no node uses it");
  }
}

}  // namespace

void OnnxGraph::Fail(const std::string& reason) const {
  throw std::runtime_error(path + ": " + reason);
}

void OnnxGraph::Fail(const NodeProto& node, const std::string& reason) const {
  Fail(NodeText(node) + ": " + reason);
}

std::string NodeText(const NodeProto& node) {
  const std::string name = !node.name().empty()      ? "'" + node.name() + "'"
                           : node.output_size() == 0 ? "without a name"
                                                     : "of '" + node.output(0) + "'";
  return "node " + name + " (" + node.op_type() + ")";
}

OnnxGraph ParseOnnxGraph(std::span<const uint8_t> bytes, const std::string& path) {
  OnnxGraph file;
  file.path = path;
  if (bytes.size() >= INT32_MAX) {
    file.Fail(std::to_string(bytes.size()) + " bytes, an ONNX file has less than 2 GiB");
  }
  const std::optional<size_t> parts = CountOnnxParts(bytes);
  if (parts > kMostOnnxParts) {
    file.Fail("more than " + std::to_string(kMostOnnxParts) +
              " nodes, attributes, names and other parts: no session model");
  }
  if (!parts || !file.model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    file.Fail("no ONNX file, or a damaged one (" + std::to_string(bytes.size()) + " bytes)");
  }
  CheckParts(file);
  CheckNodes(file, GivenNames(&file));
  CheckNeeded(file);
  return file;
}

const AttributeProto* FindAttribute(const NodeProto& node, const char* name,
                                    AttributeProto::AttributeType type) {
  for (const AttributeProto& attribute : node.attribute()) {
    if (attribute.name() != name) continue;
    if (attribute.type() != type) {
      throw OnnxRefusal(std::string("attribute ") + name + " is no " +
                        AttributeProto::AttributeType_Name(type));
    }
    return &attribute;
  }
  return nullptr;
}

int64_t IntegerAttribute(const NodeProto& node, const char* name, int64_t otherwise) {
  const AttributeProto* attribute = FindAttribute(node, name, AttributeProto::INT);
  return attribute != nullptr ? attribute->i() : otherwise;
}

float FloatAttribute(const NodeProto& node, const char* name, float otherwise) {
  const AttributeProto* attribute = FindAttribute(node, name, AttributeProto::FLOAT);
  return attribute != nullptr ? attribute->f() : otherwise;
}

std::string TextAttribute(const NodeProto& node, const char* name, const char* otherwise) {
  const AttributeProto* attribute = FindAttribute(node, name, AttributeProto::STRING);
  return attribute != nullptr ? attribute->s() : otherwise;
}

std::vector<int64_t> IntegersAttribute(const NodeProto& node, const char* name) {
  const AttributeProto* attribute = FindAttribute(node, name, AttributeProto::INTS);
  if (attribute == nullptr) return {};
  if (static_cast<size_t>(attribute->ints_size()) > kMostAxes) {
    throw OnnxRefusal(std::string("attribute ") + name + " has " +
                      std::to_string(attribute->ints_size()) + " numbers");
  }
  return {attribute->ints().begin(), attribute->ints().end()};
}

void CheckAttributes(const NodeProto& node, std::initializer_list<const char*> names) {
  std::set<std::string> seen;
  for (const AttributeProto& attribute : node.attribute()) {
    const auto is_it = [&](const char* name) { return attribute.name() == name; };
    if (std::none_of(names.begin(), names.end(), is_it)) {
      throw OnnxRefusal("attribute " + attribute.name() + " is not taken here");
    }
    if (!seen.insert(attribute.name()).second) {
      throw OnnxRefusal("attribute " + attribute.name() + " is there twice");
    }
  }
}

const std::string& InputOf(const NodeProto& node, int i) {
  static const std::string none;
  return i < node.input_size() ? node.input(i) : none;
}

}  // namespace stint
