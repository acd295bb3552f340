// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// ONNX files that say the same in other ways -> the same network.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <string>
#include <vector>

#include "tests/tools/onnx_file.h"
#include "tests/tools/onnx_fixture.h"

namespace stint {
namespace {

void ExpectSame(const OnnxFile& file, const TrainedModel& trained = SmallModel()) {
  ASSERT_EQ(file.Message(), "");
  EXPECT_TRUE(SameParameters(file.Read().parameters, trained.parameters));
}

TEST(OnnxFormsTest, FloatsInTheirOwnField) {
  OnnxFile file;
  for (TensorProto& tensor : *file.graph().mutable_initializer()) {
    if (tensor.data_type() != TensorProto::FLOAT) continue;
    for (const float value : FloatsIn(tensor)) tensor.add_float_data(value);
    tensor.clear_raw_data();
  }
  ExpectSame(file);
}

TEST(OnnxFormsTest, Doubles) {
  OnnxFile raw, typed;
  for (const char* name : {"layer0.W", "layer1.B"}) {
    const std::vector<float> floats = FloatsIn(raw.Tensor(name));
    const std::vector<double> values(floats.begin(), floats.end());
    raw.Tensor(name).set_data_type(TensorProto::DOUBLE);
    raw.Tensor(name).set_raw_data(values.data(), values.size() * sizeof(double));
    typed.Tensor(name).set_data_type(TensorProto::DOUBLE);
    typed.Tensor(name).clear_raw_data();
    for (const double value : values) typed.Tensor(name).add_double_data(value);
  }
  ExpectSame(raw);
  ExpectSame(typed);
  std::vector<double> values(kItems, 1e300);
  raw.Tensor("item_biases").set_data_type(TensorProto::DOUBLE);
  raw.Tensor("item_biases").set_raw_data(values.data(), values.size() * sizeof(double));
  EXPECT_EQ(raw.Message(),
            "tensor 'item_biases': element 0 is 1e+300, weights are finite numbers up to 1e15");
}

// Halves: sign, 5 bits of exponent, 10 of fraction; bfloat16: the upper half of a float.
TEST(OnnxFormsTest, SixteenBits) {
  const std::vector<float> numbers = {0.0f, -0.0f, 1.0f, -2.5f, 0x1p-24f, 65504.0f, 0x1.554p-2f};
  const std::vector<uint16_t> halves = {0x0000, 0x8000, 0x3C00, 0xC100, 0x0001, 0x7BFF, 0x3555};
  std::vector<uint16_t> brains;
  std::vector<float> brain_numbers;
  for (const float x : numbers) {
    brains.push_back(static_cast<uint16_t>(std::bit_cast<uint32_t>(x) >> 16));
    brain_numbers.push_back(std::bit_cast<float>(uint32_t{brains.back()} << 16));
  }
  for (const bool brain : {false, true}) {
    for (const bool raw : {false, true}) {
      SCOPED_TRACE(std::to_string(brain) + std::to_string(raw));
      const std::vector<uint16_t>& words = brain ? brains : halves;
      OnnxFile file;
      TensorProto& tensor = file.Tensor("item_biases");
      tensor.set_data_type(brain ? TensorProto::BFLOAT16 : TensorProto::FLOAT16);
      tensor.clear_raw_data();
      if (raw) {
        tensor.set_raw_data(words.data(), words.size() * 2);
      } else {
        for (const uint16_t word : words) tensor.add_int32_data(word);
      }
      ASSERT_EQ(file.Message(), "");
      const TrainedModel trained = file.Read();
      for (size_t i = 0; i < kItems; ++i) {
        EXPECT_EQ(FloatBits(trained.parameters.item_bias.data[i]),
                  FloatBits((brain ? brain_numbers : numbers)[i]))
            << i;
      }
      if (raw) continue;
      tensor.set_int32_data(3, 70000);
      EXPECT_EQ(file.Message(), "tensor 'item_biases': int32_data of 70000 are no 16 bits");
    }
  }
}

TEST(OnnxFormsTest, ConstantNodesAndOldAttributes) {
  OnnxFile file;
  // Every tensor as a node before all others, but for what Squeeze is told, which is an attribute.
  onnx::GraphProto old = file.graph();
  file.graph().clear_node();
  file.graph().clear_initializer();
  for (const TensorProto& tensor : old.initializer()) {
    if (tensor.name() == "first_axis" || tensor.name() == "directions") continue;
    NodeProto& node = file.AddNode("Constant", {}, tensor.name());
    *SetAttribute(&node, "value", AttributeProto::TENSOR).mutable_t() = tensor;
  }
  for (NodeProto node : old.node()) {
    if (node.op_type() == "Squeeze") {
      SetIntegers(&node, "axes", {node.input(1) == "directions" ? 1 : 0});
      node.mutable_input()->RemoveLast();
    }
    *file.graph().add_node() = node;
  }
  ExpectSame(file);
}

TEST(OnnxFormsTest, GemmWithFactors) {
  for (const bool transposed : {true, false}) {
    SCOPED_TRACE(transposed);
    OnnxFile file;
    NodeProto& product = file.Node("products");
    product.set_op_type("Gemm");
    product.set_input(1, transposed ? "item_rows" : "columns");
    product.add_input("item_biases");
    product.set_output(0, "scores");
    if (transposed) SetInteger(&product, "transB", 1);
    onnx::GraphProto old = file.graph();
    file.graph().clear_node();
    for (const NodeProto& node : old.node()) {
      if (node.name() == "scores" || (transposed && node.name() == "item_columns")) continue;
      *file.graph().add_node() = node;
    }
    ExpectSame(file);
    NodeProto& gemm = file.Node("products");
    SetAttribute(&gemm, "alpha", AttributeProto::FLOAT).set_f(2.0f);
    SetAttribute(&gemm, "beta", AttributeProto::FLOAT).set_f(-0.5f);
    const Parameters scaled = file.Read().parameters;
    const Parameters plain = SmallModel().parameters;
    // Item rows that are not the embedding's numbers.
    EXPECT_EQ(scaled.shape.embedding, Embedding::kSeparate);
    for (size_t i = 0; i < kItems; ++i) {
      EXPECT_EQ(scaled.item_bias.data[i], -0.5f * plain.item_bias.data[i]);
      EXPECT_EQ(scaled.items.Row(i)[1], 2 * plain.items.Row(i)[1]);
      EXPECT_EQ(scaled.inputs.Row(i)[1], plain.items.Row(i)[1]);
    }
    std::vector<float> rows = FloatsIn(file.Tensor("item_rows"));
    rows[5] = 4;
    SetFloats(&file.Tensor("item_rows"), rows);
    SetAttribute(&gemm, "alpha", AttributeProto::FLOAT).set_f(3e38f);
    EXPECT_EQ(file.Message(), "tensor 'item_rows': a number beyond 1e15 comes of it");
    SetAttribute(&gemm, "alpha", AttributeProto::FLOAT).set_f(HUGE_VALF);
    EXPECT_EQ(file.Message(), "node 'products' (Gemm): alpha of inf, beta of -0.500000");
    SetInteger(&gemm, "transA", 1);
    EXPECT_EQ(file.Message(), "node 'products' (Gemm): transA is not read");
  }
}

TEST(OnnxFormsTest, MovesOfAxes) {
  OnnxFile reshaped;  // [steps, 1, batch, 3] -> [steps, batch, 3]
  reshaped.AddIntegers("flat", {0, -1, 3});
  for (NodeProto& node : *reshaped.graph().mutable_node()) {
    if (node.op_type() == "Squeeze" && node.input(1) == "directions") {
      node.set_op_type("Reshape");
      node.set_input(1, "flat");
    }
  }
  reshaped.Remove("directions");
  ExpectSame(reshaped);

  OnnxFile turned;  // there and back again
  SetIntegers(&turned.Insert("Transpose", "layer1", 0), "perm", {1, 2, 0});
  NodeProto& back = turned.Node("new");
  back.set_name("there");
  turned.Node("layer1").set_input(0, "inserted");
  NodeProto& second = turned.Insert("Transpose", "layer1", 0);
  second.set_output(0, "back");
  second.set_input(0, "inserted");
  turned.Node("layer1").set_input(0, "back");
  SetIntegers(&second, "perm", {2, 0, 1});
  ExpectSame(turned);
}

TEST(OnnxFormsTest, BiasesWithMoreAxesAndNone) {
  OnnxFile file;
  file.Tensor("item_biases").clear_dims();
  file.Tensor("item_biases").add_dims(1);
  file.Tensor("item_biases").add_dims(kItems);
  ExpectSame(file);

  OnnxFile none;
  none.Node("scores").set_op_type("Identity");
  none.Node("scores").mutable_input()->RemoveLast();
  none.Remove("item_biases");
  for (const char* layer : {"layer0", "layer1"}) {
    none.Node(layer).mutable_input()->RemoveLast();
    none.Remove(std::string(layer) + ".B");
  }
  ASSERT_EQ(none.Message(), "");
  const Parameters parameters = none.Read().parameters;
  for (size_t i = 0; i < kItems; ++i) EXPECT_EQ(parameters.item_bias.data[i], 0.0f);
  for (size_t i = 0; i < 9; ++i) {
    EXPECT_EQ(parameters.layers[1].input_bias.data[i], 0.0f);
    EXPECT_EQ(parameters.layers[1].hidden_bias.data[i], 0.0f);
  }
}

// linear_before_reset 0 has two biases of which stint has the sum, the update gate's negated.
TEST(OnnxFormsTest, BiasesOfResetBeforeAreAdded) {
  const TrainedModel trained = SmallModel(GruForm::kResetBefore, {3});
  OnnxFile file(trained);
  std::vector<float> biases = FloatsIn(file.Tensor("layer0.B"));
  for (size_t i = 0; i < 9; ++i) biases[9 + i] = static_cast<float>(i) - 4;
  SetFloats(&file.Tensor("layer0.B"), biases);
  const Parameters parameters = file.Read().parameters;
  for (size_t u = 0; u < kUnits; ++u) {  // ONNX: update, reset, candidate
    const float* const was = trained.parameters.layers[0].input_bias.data;
    const float* const is = parameters.layers[0].input_bias.data;
    EXPECT_EQ(is[u], was[u] + biases[9 + 3 + u]) << "reset";
    EXPECT_EQ(is[3 + u], -(-was[3 + u] + biases[9 + u])) << "update";
    EXPECT_EQ(is[6 + u], was[6 + u] + biases[9 + 6 + u]) << "candidate";
  }
  biases[0] = biases[9] = 9e14f;
  SetFloats(&file.Tensor("layer0.B"), biases);
  EXPECT_EQ(file.Message(), "tensor 'layer0.B': a number beyond 1e15 comes of it");
}

// A network of one-hot input -> the file of it with OneHot in place of Gather.
OnnxFile OneHotFile(const TrainedModel& embedded) {
  OnnxFile file(embedded);
  const Parameters& p = embedded.parameters;
  const bool after = p.layers[0].form == GruForm::kResetAfter;
  // W [1, 3 units, items] with the products of input weights and embedding.
  const std::vector<float> weights = FloatsIn(file.Tensor("layer0.W"));
  const size_t inputs = p.layers[0].inputs();
  std::vector<float> wide(3 * kUnits * kItems, 0.0f);
  for (size_t row = 0; row < 3 * kUnits; ++row) {
    for (size_t i = 0; i < kItems; ++i) {
      double sum = 0;
      for (size_t c = 0; c < inputs; ++c) {
        sum += double{weights[row * inputs + c]} * double{p.InputRows().Row(i)[c]};
      }
      wide[row * kItems + i] = static_cast<float>(sum);
    }
  }
  SetFloats(&file.Tensor("layer0.W"), wide);
  file.Tensor("layer0.W").set_dims(2, kItems);
  NodeProto& node = file.Node("embedding");
  node.set_op_type("OneHot");
  node.clear_input();
  for (const char* input : {"items", "depth", "values"}) node.add_input(input);
  file.AddIntegers("depth", {static_cast<int64_t>(kItems)}, after);
  TensorProto& values = *file.graph().add_initializer();
  values.set_name("values");
  values.set_data_type(TensorProto::FLOAT);
  values.add_dims(2);
  values.add_float_data(0);
  values.add_float_data(1);
  return file;
}

TEST(OnnxFormsTest, OneHotInput) {
  for (const GruForm form : {GruForm::kResetAfter, GruForm::kResetBefore}) {
    SCOPED_TRACE(Name(form));
    const TrainedModel embedded = SmallModel(form, {3});
    OnnxFile file = OneHotFile(embedded);
    ASSERT_EQ(file.Message(), "");
    const TrainedModel one_hot = file.Read();
    EXPECT_EQ(one_hot.parameters.shape.embedding,
              form == GruForm::kResetAfter ? Embedding::kSeparate : Embedding::kNone);
    const std::vector<std::vector<uint32_t>> sessions = {{0}, {1, 2}, {6, 5, 4, 3, 3, 0}};
    const Answers there = Answer(BuildF32(embedded), sessions);
    const Answers here = Answer(BuildF32(one_hot), sessions);
    for (size_t s = 0; s < sessions.size(); ++s) {
      EXPECT_EQ(here.best[s], there.best[s]);
      for (size_t i = 0; i < kItems; ++i) {
        EXPECT_NEAR(here.scores[s][i], there.scores[s][i], 1e-5);
      }
    }
    file.Tensor("values").set_float_data(1, 2);
    EXPECT_EQ(file.Message(), "node 'embedding' (OneHot): its values are not 0 and 1");
    file.Tensor("values").set_float_data(1, 1);
    SetInteger(&file.Node("embedding"), "axis", 0);
    EXPECT_EQ(file.Message(), "node 'embedding' (OneHot): its axis is not the last one");
    SetInteger(&file.Node("embedding"), "axis", -1);
    file.Tensor("depth").set_int64_data(0, 8);
    EXPECT_EQ(file.Message(),
              "node 'layer0' (GRU): 'layer0.W' has shape [1, 9, 7]; 'W' has shape [1, 9, 8]");
    file.Tensor("depth").set_int64_data(0, 0);
    EXPECT_EQ(file.Message(), "node 'embedding' (OneHot): depth is no number of items");
  }
}

}  // namespace
}  // namespace stint
