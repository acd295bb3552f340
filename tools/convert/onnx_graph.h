// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Bytes -> an ONNX graph whose names and order are checked, and the numbers of its tensors. For the
// files of tools/convert/onnx_*.cc alone: others see no protobuf.
#ifndef STINT_TOOLS_CONVERT_ONNX_GRAPH_H_
#define STINT_TOOLS_CONVERT_ONNX_GRAPH_H_

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace stint {

struct OnnxGraph {
  std::string path;
  onnx::ModelProto model;
  std::map<std::string, const onnx::TensorProto*> initializers;

  const onnx::GraphProto& graph() const { return model.graph(); }
  // Throws std::runtime_error "path: reason".
  [[noreturn]] void Fail(const std::string& reason) const;
  // Throws std::runtime_error "path: node 'name' (Op): reason".
  [[noreturn]] void Fail(const onnx::NodeProto& node, const std::string& reason) const;
};

// "node 'name' (Op)"; one without a name is called by what it makes.
std::string NodeText(const onnx::NodeProto& node);

// Throws std::runtime_error. What comes back holds nodes of the operations that a session model is
// made of, each after the nodes that it reads from, every name made once, and nothing that no
// output needs, no input that no node reads, and tensors of as many bytes as their shapes say.
OnnxGraph ParseOnnxGraph(std::span<const uint8_t> bytes, const std::string& path);

// Messages, texts and fields that ONNX does not have in a file: parsing makes an object of each, of
// two bytes some 200. Counting ends behind kMostOnnxParts; nothing comes back of a damaged file.
inline constexpr size_t kMostOnnxParts = 100000;
std::optional<size_t> CountOnnxParts(std::span<const uint8_t> bytes);

// Attributes of a node. Each throws OnnxRefusal (onnx_axes.h) for an attribute of another kind.
const onnx::AttributeProto* FindAttribute(const onnx::NodeProto& node, const char* name,
                                          onnx::AttributeProto::AttributeType type);
int64_t IntegerAttribute(const onnx::NodeProto& node, const char* name, int64_t otherwise);
float FloatAttribute(const onnx::NodeProto& node, const char* name, float otherwise);
std::string TextAttribute(const onnx::NodeProto& node, const char* name, const char* otherwise);
std::vector<int64_t> IntegersAttribute(const onnx::NodeProto& node, const char* name);
// Refuses what is none of `names`, or is there twice.
void CheckAttributes(const onnx::NodeProto& node, std::initializer_list<const char*> names);

// Input number `i`, "" if the node has none.
const std::string& InputOf(const onnx::NodeProto& node, int i);

// Throw std::runtime_error "path: tensor 'name': reason" where sizes are no numbers that fit, or
// the data is in another file, of another kind, or more or less than the shape says.
// The size of the data is checked before anything is made of it.
std::vector<uint64_t> DimsOf(const onnx::TensorProto& tensor, const std::string& name,
                             const std::string& path);
// FLOAT, DOUBLE, FLOAT16 or BFLOAT16, as float32.
std::vector<float> FloatsOf(const onnx::TensorProto& tensor, const std::string& name,
                            const std::string& path);
// INT64 or INT32, at most kMostAxes of them.
std::vector<int64_t> FewIntegersOf(const onnx::TensorProto& tensor, const std::string& name,
                                   const std::string& path);
bool IsInteger(const onnx::TensorProto& tensor);

}  // namespace stint

#endif  // STINT_TOOLS_CONVERT_ONNX_GRAPH_H_
