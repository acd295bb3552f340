// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

#include "bench/peers/onnx_model.h"

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <vector>

#include "trainer/quantize.h"

namespace stint::bench {
namespace {

// ---- Protocol buffers: a field is its number and kind, then a number or length and bytes.

void PutVarint(uint64_t value, std::string* out) {
  for (; value >= 128; value >>= 7) out->push_back(static_cast<char>(value | 128));
  out->push_back(static_cast<char>(value));
}
void PutNumber(uint32_t field, uint64_t value, std::string* out) {
  PutVarint(field << 3, out);
  PutVarint(value, out);
}
void PutBytes(uint32_t field, const void* data, size_t size, std::string* out) {
  PutVarint(field << 3 | 2, out);
  PutVarint(size, out);
  out->append(static_cast<const char*>(data), size);
}
void PutBytes(uint32_t field, const std::string& bytes, std::string* out) {
  PutBytes(field, bytes.data(), bytes.size(), out);
}

// ---- Messages of onnx.proto, fields by their numbers there.

enum ElementType : uint64_t { kFloat = 1, kInt8 = 3, kInt64 = 7 };
constexpr uint32_t kGraphNode = 1, kGraphName = 2, kGraphInitializer = 5, kGraphInput = 11,
                   kGraphOutput = 12;

void PutTensor(const std::string& name, ElementType type, const std::vector<size_t>& shape,
               const void* data, size_t bytes, std::string* graph) {
  std::string tensor;
  tensor.reserve(bytes + 128);
  for (const size_t dimension : shape) PutNumber(1, dimension, &tensor);
  PutNumber(2, type, &tensor);
  PutBytes(8, name, &tensor);
  PutBytes(9, data, bytes, &tensor);
  PutBytes(kGraphInitializer, tensor, graph);
}

// Name, type and shape of an input or output; size 0: not known.
void PutValue(uint32_t field, const std::string& name, ElementType type,
              std::initializer_list<size_t> shape, std::string* graph) {
  std::string dimensions, tensor_type, value_type, value;
  for (const size_t size : shape) {
    std::string dimension;
    if (size > 0) PutNumber(1, size, &dimension);
    PutBytes(1, dimension, &dimensions);
  }
  PutNumber(1, type, &tensor_type);
  PutBytes(2, dimensions, &tensor_type);
  PutBytes(1, tensor_type, &value_type);
  PutBytes(1, name, &value);
  PutBytes(2, value_type, &value);
  PutBytes(field, value, graph);
}

void PutNode(const char* operation, std::initializer_list<const char*> inputs,
             std::initializer_list<const char*> outputs, std::string* graph,
             const std::string& attributes = "") {
  std::string node;
  for (const char* input : inputs) PutBytes(1, input, &node);
  for (const char* output : outputs) PutBytes(2, output, &node);
  PutBytes(3, std::string(operation) + "_" + *outputs.begin(), &node);
  PutBytes(4, operation, &node);
  node += attributes;
  PutBytes(kGraphNode, node, graph);
}

// The attribute of a node that is an integer.
std::string Integer(const char* name, uint64_t value) {
  std::string attribute, field;
  PutBytes(1, name, &attribute);
  PutNumber(3, value, &attribute);
  PutNumber(20, 2, &attribute);  // type: INT
  PutBytes(5, attribute, &field);
  return field;
}

void PutF32Product(const Parameters& parameters, std::string* graph) {
  const size_t items = parameters.items.rows, units = parameters.width();
  std::vector<float> transposed(units * items);  // [units, items]
  for (size_t i = 0; i < items; ++i) {
    for (size_t j = 0; j < units; ++j) transposed[j * items + i] = parameters.items.Row(i)[j];
  }
  PutNode("MatMul", {"hidden", "rows"}, {"products"}, graph);
  PutTensor("rows", kFloat, {units, items}, transposed.data(), transposed.size() * sizeof(float),
            graph);
}

void PutInt8Product(const Parameters& parameters, std::string* graph) {
  const size_t items = parameters.items.rows, units = parameters.width();
  std::vector<int8_t> transposed(units * items), row(units);  // [units, items], [units]
  std::vector<float> scales(items);
  for (size_t i = 0; i < items; ++i) {
    scales[i] = QuantizeRow(parameters.items.Row(i), units, row.data());
    for (size_t j = 0; j < units; ++j) transposed[j * items + i] = row[j];
  }
  const std::vector<int8_t> zeros(items);
  PutNode("DynamicQuantizeLinear", {"hidden"}, {"codes", "scale", "zero"}, graph);
  PutNode("MatMulInteger", {"codes", "rows", "zero", "row_zeros"}, {"sums"}, graph);
  PutNode("Cast", {"sums"}, {"float_sums"}, graph, Integer("to", kFloat));
  PutNode("Mul", {"scale", "row_scales"}, {"scales"}, graph);
  PutNode("Mul", {"float_sums", "scales"}, {"products"}, graph);
  PutTensor("rows", kInt8, {units, items}, transposed.data(), transposed.size(), graph);
  PutTensor("row_zeros", kInt8, {items}, zeros.data(), zeros.size(), graph);
  PutTensor("row_scales", kFloat, {items}, scales.data(), items * sizeof(float), graph);
}

}  // namespace

std::string OnnxModel(const Parameters& parameters, bool int8) {
  std::string graph;
  if (int8) {
    PutInt8Product(parameters, &graph);
  } else {
    PutF32Product(parameters, &graph);
  }
  PutNode("Add", {"products", "bias"}, {"all_scores"}, &graph);
  PutNode("TopK", {"all_scores", "k"}, {"scores", "items"}, &graph);
  PutBytes(kGraphName, "scores", &graph);
  PutTensor("bias", kFloat, {parameters.items.rows}, parameters.item_bias.Row(0),
            parameters.items.rows * sizeof(float), &graph);
  PutValue(kGraphInput, "hidden", kFloat, {1, parameters.width()}, &graph);
  PutValue(kGraphInput, "k", kInt64, {1}, &graph);
  PutValue(kGraphOutput, "scores", kFloat, {1, 0}, &graph);
  PutValue(kGraphOutput, "items", kInt64, {1, 0}, &graph);

  std::string model, operators;
  PutNumber(1, 8, &model);       // version of the format
  PutNumber(2, 17, &operators);  // version of the operators
  PutBytes(8, operators, &model);
  PutBytes(7, graph, &model);
  return model;
}

}  // namespace stint::bench
