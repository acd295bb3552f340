// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// An ONNX file as OnnxBytes() writes it, to be changed and read again.
#ifndef STINT_TESTS_TOOLS_ONNX_FILE_H_
#define STINT_TESTS_TOOLS_ONNX_FILE_H_

#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include <cstring>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/message_of.h"
#include "tests/runtime/test_model.h"
#include "tools/convert/onnx_export.h"
#include "tools/convert/onnx_import.h"

namespace stint {

using onnx::AttributeProto;
using onnx::ModelProto;
using onnx::NodeProto;
using onnx::TensorProto;

inline constexpr size_t kItems = 7, kUnits = 3;

inline TrainedModel SmallModel(GruForm form = GruForm::kResetAfter,
                               std::vector<size_t> layers = {3, 3}) {
  TrainedModel model;
  model.path = "small";
  model.parameters = RandomParameters(kItems, layers, form, 3);
  return model;
}

// A graph as OnnxBytes() writes it, to be changed.
struct OnnxFile {
  ModelProto model;

  explicit OnnxFile(const TrainedModel& trained = SmallModel()) {
    EXPECT_TRUE(model.ParseFromString(OnnxBytes(trained, 5)));
  }
  onnx::GraphProto& graph() { return *model.mutable_graph(); }
  NodeProto& Node(const std::string& name) {
    for (NodeProto& node : *graph().mutable_node()) {
      if (node.name() == name) return node;
    }
    throw std::logic_error("no node " + name);
  }
  TensorProto& Tensor(const std::string& name) {
    for (TensorProto& tensor : *graph().mutable_initializer()) {
      if (tensor.name() == name) return tensor;
    }
    throw std::logic_error("no tensor " + name);
  }
  void Remove(const std::string& tensor) {
    for (int i = graph().initializer_size() - 1; i >= 0; --i) {
      if (graph().initializer(i).name() == tensor) {
        graph().mutable_initializer()->DeleteSubrange(i, 1);
      }
    }
  }
  NodeProto& AddNode(const std::string& op, const std::vector<std::string>& inputs,
                     const std::string& output) {
    NodeProto& node = *graph().add_node();
    node.set_op_type(op);
    node.set_name("new");
    for (const std::string& input : inputs) node.add_input(input);
    node.add_output(output);
    return node;
  }
  // A node before the one named, which reads its output in place of input number `input`.
  NodeProto& Insert(const std::string& op, const std::string& before, int input) {
    NodeProto& user = Node(before);
    const std::string from = user.input(input);
    user.set_input(input, "inserted");
    const int end = graph().node_size();
    AddNode(op, {from}, "inserted");
    int place = 0;
    while (graph().node(place).name() != before) ++place;
    for (int i = end; i > place; --i) graph().mutable_node()->SwapElements(i, i - 1);
    return *graph().mutable_node(place);
  }
  void AddIntegers(const std::string& name, const std::vector<int64_t>& values,
                   bool scalar = false) {
    TensorProto& tensor = *graph().add_initializer();
    tensor.set_name(name);
    tensor.set_data_type(TensorProto::INT64);
    if (!scalar) tensor.add_dims(static_cast<int64_t>(values.size()));
    for (const int64_t value : values) tensor.add_int64_data(value);
  }
  std::string Bytes() const { return model.SerializeAsString(); }
  TrainedModel Read(size_t padding_rows = 0, std::string* ids = nullptr) const {
    const std::string bytes = Bytes();
    return ParseOnnx({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, "m.onnx",
                     padding_rows, ids);
  }
  // Without the path; "" if it is taken.
  std::string Message(size_t padding_rows = 0) const {
    const std::string text = MessageOf([&] { Read(padding_rows); });
    if (text.rfind("m.onnx: ", 0) != 0) return text.empty() ? "" : "no path: " + text;
    return text.substr(std::strlen("m.onnx: "));
  }
};

inline AttributeProto& SetAttribute(NodeProto* node, const std::string& name,
                                    AttributeProto::AttributeType type) {
  for (AttributeProto& attribute : *node->mutable_attribute()) {
    if (attribute.name() == name) return attribute;
  }
  AttributeProto& attribute = *node->add_attribute();
  attribute.set_name(name);
  attribute.set_type(type);
  return attribute;
}
inline void SetInteger(NodeProto* node, const std::string& name, int64_t value) {
  SetAttribute(node, name, AttributeProto::INT).set_i(value);
}
inline void SetIntegers(NodeProto* node, const std::string& name,
                        const std::vector<int64_t>& values) {
  AttributeProto& attribute = SetAttribute(node, name, AttributeProto::INTS);
  attribute.clear_ints();
  for (const int64_t value : values) attribute.add_ints(value);
}
inline void SetTexts(NodeProto* node, const std::string& name,
                     const std::vector<std::string>& values) {
  AttributeProto& attribute = SetAttribute(node, name, AttributeProto::STRINGS);
  attribute.clear_strings();
  for (const std::string& value : values) attribute.add_strings(value);
}

inline std::vector<float> FloatsIn(const TensorProto& tensor) {
  std::vector<float> values(tensor.raw_data().size() / sizeof(float));
  std::memcpy(values.data(), tensor.raw_data().data(), tensor.raw_data().size());
  return values;
}
inline void SetFloats(TensorProto* tensor, const std::vector<float>& values) {
  tensor->set_raw_data(values.data(), values.size() * sizeof(float));
}

// Another shape, and as many zeros as that takes where there are too few elements.
inline void Resize(TensorProto* tensor, const std::vector<int64_t>& shape) {
  size_t elements = 1;
  tensor->clear_dims();
  for (const int64_t n : shape) {
    tensor->add_dims(n);
    elements *= static_cast<size_t>(n);
  }
  tensor->mutable_raw_data()->resize(elements * sizeof(float));
}

inline bool SameParameters(const Parameters& a, const Parameters& b) {
  return a.block_floats() == b.block_floats() &&
         std::memcmp(a.block(), b.block(), a.block_floats() * sizeof(float)) == 0;
}

// One change to a file and what is said of it.
struct Case {
  std::string message;
  std::function<void(OnnxFile*)> change;
};

inline void Check(const std::vector<Case>& cases, const TrainedModel& trained = SmallModel()) {
  for (const Case& c : cases) {
    SCOPED_TRACE(c.message);
    OnnxFile file(trained);
    ASSERT_EQ(file.Message(), "");
    c.change(&file);
    EXPECT_EQ(file.Message(), c.message);
  }
}

}  // namespace stint

#endif  // STINT_TESTS_TOOLS_ONNX_FILE_H_
