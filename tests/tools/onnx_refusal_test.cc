// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// ONNX files with one thing wrong -> the error that names it.
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "tests/message_of.h"
#include "tests/temporary_folder.h"
#include "tests/tools/onnx_file.h"

namespace stint {
namespace {

TEST(OnnxRefusalTest, FilesThatAreNone) {
  const auto message = [](const std::string& bytes) {
    return MessageOf([&] {
      ParseOnnx({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, "m.onnx");
    });
  };
  EXPECT_EQ(message(""), "m.onnx: no graph: is this an ONNX model?");
  EXPECT_EQ(message("PK\3\4 is a zip file"), "m.onnx: no ONNX file, or a damaged one (18 bytes)");
  const std::string whole = OnnxFile().Bytes();
  EXPECT_EQ(
      message(whole.substr(0, whole.size() - 1)),
      "m.onnx: no ONNX file, or a damaged one (" + std::to_string(whole.size() - 1) + " bytes)");
  // Cut anywhere, it is refused or, between two fields, lacks what the rest says.
  for (size_t size = 0; size < whole.size(); size += 13) {
    EXPECT_NE(message(whole.substr(0, size)), "") << size;
  }
  const TemporaryFolder folder;
  EXPECT_EQ(MessageOf([&] { ReadOnnx(folder / "none.onnx"); }).rfind(folder / "none.onnx", 0), 0u);
  EXPECT_TRUE(
      SameParameters(ReadOnnx(folder.Write("m.onnx", whole)).parameters, SmallModel().parameters));
}

TEST(OnnxRefusalTest, PartsOfTheFile) {
  Check({
      {"no opset of ONNX's own operations", [](OnnxFile* f) { f->model.clear_opset_import(); }},
      {"opset 6, 7 to 23 are known",
       [](OnnxFile* f) { f->model.mutable_opset_import(0)->set_version(6); }},
      {"opset 99, 7 to 23 are known",
       [](OnnxFile* f) { f->model.mutable_opset_import(0)->set_version(99); }},
      {"function 'f': functions are not read",
       [](OnnxFile* f) { f->model.add_functions()->set_name("f"); }},
      {"tensor 's': sparse tensors are not read",
       [](OnnxFile* f) { f->graph().add_sparse_initializer()->mutable_values()->set_name("s"); }},
      {"the graph has no output", [](OnnxFile* f) { f->graph().clear_output(); }},
  });
}

TEST(OnnxRefusalTest, NamesAndOrder) {
  Check({
      {"tensor 'layer0.W': is there twice",
       [](OnnxFile* f) { *f->graph().add_initializer() = f->Tensor("layer0.W"); }},
      {"a tensor without a name", [](OnnxFile* f) { f->Tensor("layer0.W").clear_name(); }},
      {"tensor 'extra': no node uses it", [](OnnxFile* f) { f->AddIntegers("extra", {1}); }},
      {"input 'items': twice", [](OnnxFile* f) { *f->graph().add_input() = f->graph().input(0); }},
      {"node 'embedding' (Gather): reads 'missing', which no tensor, input or earlier node makes",
       [](OnnxFile* f) { f->Node("embedding").set_input(1, "missing"); }},
      // A circle.
      {"node 'embedding' (Gather): reads 'rows', which no tensor, input or earlier node makes",
       [](OnnxFile* f) { f->Node("embedding").set_input(1, "rows"); }},
      // Later nodes first.
      {"node 'layer0' (GRU): reads 'rows', which no tensor, input or earlier node makes",
       [](OnnxFile* f) { f->graph().mutable_node()->SwapElements(0, 1); }},
      {"node 'scores' (Add): makes 'rows', which is there already",
       [](OnnxFile* f) { f->Node("scores").set_output(0, "rows"); }},
      {"node 'new' (Identity): no output of the graph needs it",
       [](OnnxFile* f) { f->AddNode("Identity", {"scores"}, "unused"); }},
      {"output 'scores!': no node makes it",
       [](OnnxFile* f) { f->graph().mutable_output(2)->set_name("scores!"); }},
      {"output 'columns': is weights, neither scores nor hidden states",
       [](OnnxFile* f) { f->graph().add_output()->set_name("columns"); }},
      {"output 'products': scores without the biases of others",
       [](OnnxFile* f) { f->graph().add_output()->set_name("products"); }},
      {"node 'layer0' (LSTM): not part of Gather, GRU, MatMul",
       [](OnnxFile* f) { f->Node("layer0").set_op_type("LSTM"); }},
      {"node 'layer0' (GRU): not part of Gather, GRU, MatMul, domain 'com.microsoft'",
       [](OnnxFile* f) { f->Node("layer0").set_domain("com.microsoft"); }},
      {"node of 'rows' (Unique): not part of Gather, GRU, MatMul",
       [](OnnxFile* f) {
         f->Node("embedding").set_op_type("Unique");
         f->Node("embedding").clear_name();
       }},
      {"input 'items': neither item indices nor a hidden state (element type 8)",
       [](OnnxFile* f) {
         f->graph().mutable_input(0)->mutable_type()->mutable_tensor_type()->set_elem_type(
             TensorProto::STRING);
       }},
      {"input 'items': its axes are not said",
       [](OnnxFile* f) {
         f->graph().mutable_input(0)->mutable_type()->mutable_tensor_type()->clear_shape();
       }},
      {"input 'items': an axis of -4",
       [](OnnxFile* f) {
         f->graph()
             .mutable_input(0)
             ->mutable_type()
             ->mutable_tensor_type()
             ->mutable_shape()
             ->mutable_dim(0)
             ->set_dim_value(-4);
       }},
  });
}

TEST(OnnxRefusalTest, HiddenStatesAloneAreNoScores) {
  OnnxFile file;
  while (file.graph().output_size() > 0) file.graph().mutable_output()->RemoveLast();
  file.graph().add_output()->set_name("hidden");
  while (file.graph().node(file.graph().node_size() - 1).name() != "last_hidden") {
    file.graph().mutable_node()->RemoveLast();
  }
  file.Remove("item_biases");
  file.Remove("k");
  EXPECT_EQ(file.Message(), "no output has scores of items (MatMul or Gemm after a GRU)");
}

TEST(OnnxRefusalTest, Tensors) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  const auto with = [](const char* name, size_t at, float value) {
    return [=](OnnxFile* f) {
      std::vector<float> values = FloatsIn(f->Tensor(name));
      values[at] = value;
      SetFloats(&f->Tensor(name), values);
    };
  };
  Check({
      {"tensor 'layer0.W': element 4 is nan, weights are finite numbers up to 1e15",
       with("layer0.W", 4, nan)},
      {"tensor 'item_biases': element 6 is inf, weights are finite numbers up to 1e15",
       with("item_biases", 6, infinity)},
      {"tensor 'layer1.R': element 0 is -inf, weights are finite numbers up to 1e15",
       with("layer1.R", 0, -infinity)},
      {"tensor 'item_rows': its data is in another file; save the model with all its data in one",
       [](OnnxFile* f) { f->Tensor("item_rows").set_data_location(TensorProto::EXTERNAL); }},
      {"tensor 'item_rows': is stored in segments",
       [](OnnxFile* f) { f->Tensor("item_rows").mutable_segment()->set_begin(0); }},
      {"tensor 'item_rows': elements are INT8; FLOAT, DOUBLE, FLOAT16, BFLOAT16, INT64 and INT32 "
       "are read",
       [](OnnxFile* f) { f->Tensor("item_rows").set_data_type(TensorProto::INT8); }},
      {"tensor 'item_rows': elements are of kind 77; FLOAT, DOUBLE, FLOAT16, BFLOAT16, INT64 and "
       "INT32 are read",
       [](OnnxFile* f) { f->Tensor("item_rows").set_data_type(77); }},
      {"tensor 'layer0.W': 105 bytes of data, shape [1, 9, 3] of F32 has 108",
       [](OnnxFile* f) { f->Tensor("layer0.W").mutable_raw_data()->resize(105); }},
      {"tensor 'layer0.W': 0 bytes of data, shape [1, 9, 3] of F32 has 108",
       [](OnnxFile* f) { f->Tensor("layer0.W").clear_raw_data(); }},
      {"tensor 'item_biases': dims of -7",
       [](OnnxFile* f) { f->Tensor("item_biases").set_dims(0, -7); }},
      {"tensor 'item_biases': 9 dims, 8 are the most",
       [](OnnxFile* f) {
         for (int i = 0; i < 8; ++i) f->Tensor("item_biases").add_dims(1);
       }},
      // The product wraps round to 0.
      {"tensor 'first_axis': shape [4611686018427387904, 4] is 2 GiB or more",
       [](OnnxFile* f) {
         f->Tensor("first_axis").set_dims(0, int64_t{1} << 62);
         f->Tensor("first_axis").add_dims(4);
         f->Tensor("first_axis").clear_raw_data();
       }},
      {"tensor 'h0': shape [4611686018427387904, 9, 3] is 2 GiB or more",
       [](OnnxFile* f) {
         f->Tensor("layer0.W").set_dims(0, int64_t{1} << 62);
         TensorProto& tensor = *f->graph().add_initializer();
         tensor = f->Tensor("layer0.W");
         tensor.set_name("h0");
         tensor.clear_raw_data();
         f->Tensor("layer0.W").set_dims(0, 1);
         f->Node("layer0").add_input("");
         f->Node("layer0").add_input("h0");
       }},
      {"tensor 'first_axis': elements are F32, not integers",
       [](OnnxFile* f) {
         f->Tensor("first_axis").set_data_type(TensorProto::FLOAT);
         f->Tensor("first_axis").mutable_raw_data()->resize(sizeof(float));
       }},
  });
}

TEST(OnnxRefusalTest, SizesThatDoNotFit) {
  Check({
      {"node 'layer0' (GRU): 'layer0.W' has shape [9, 3]; 'W' has shape [1, 9, 3]",
       [](OnnxFile* f) {
         f->Tensor("layer0.W").clear_dims();
         f->Tensor("layer0.W").add_dims(9);
         f->Tensor("layer0.W").add_dims(3);
       }},
      {"node 'layer0' (GRU): 'layer0.B' has shape [1, 9]; 'B' has shape [1, 18]",
       [](OnnxFile* f) {
         Resize(&f->Tensor("layer0.B"), {1, 9});
       }},
      {"node 'layer1' (GRU): 'layer1.R' has shape [1, 9, 4]; 'R' has shape [1, 12, 4]",
       [](OnnxFile* f) {
         Resize(&f->Tensor("layer1.R"), {1, 9, 4});
         SetInteger(&f->Node("layer1"), "hidden_size", 4);
       }},
      {"node 'layer1' (GRU): 'layer1.R' has shape [1, 9, 20000]; R is [1, 3 units, units], 1 to "
       "16384 units",
       [](OnnxFile* f) {
         Resize(&f->Tensor("layer1.R"), {1, 9, 20000});
       }},
      {"node 'layer1' (GRU): hidden_size of 5, 'layer1.R' has shape [1, 9, 3]",
       [](OnnxFile* f) { SetInteger(&f->Node("layer1"), "hidden_size", 5); }},
      {"node 'scores' (Add): 'item_biases' has shape [6] as biases of 7 items",
       [](OnnxFile* f) { Resize(&f->Tensor("item_biases"), {6}); }},
      {"node 'embedding' (Gather): 'item_rows' has shape [21], and items are taken along axis 0; "
       "an embedding is [items, width], along axis 0",
       [](OnnxFile* f) {
         f->Tensor("item_rows").clear_dims();
         f->Tensor("item_rows").add_dims(21);
       }},
      {"node 'embedding' (Gather): 'item_rows' has shape [7, 3], and items are taken along axis 1; "
       "an embedding is [items, width], along axis 0",
       [](OnnxFile* f) { SetInteger(&f->Node("embedding"), "axis", 1); }},
      {"node 'embedding' (Gather): embeds 6 items, node 'products' (MatMul) scores 7",
       [](OnnxFile* f) {
         TensorProto& other = *f->graph().add_initializer();
         other = f->Tensor("item_rows");
         other.set_name("others");
         other.set_dims(0, 6);
         other.mutable_raw_data()->resize(6 * kUnits * sizeof(float));
         f->Node("embedding").set_input(0, "others");
       }},
  });
}

TEST(OnnxRefusalTest, WhatAGruMayNotBe) {
  const auto start = [](float value) {
    return [=](OnnxFile* f) {
      TensorProto& tensor = *f->graph().add_initializer();
      tensor.set_name("h0");
      tensor.set_data_type(TensorProto::FLOAT);
      for (const int64_t n : {1, 1, 3}) tensor.add_dims(n);
      for (int i = 0; i < 3; ++i) tensor.add_float_data(i == 2 ? value : 0.0f);
      f->Node("layer0").add_input("");
      f->Node("layer0").add_input("h0");
    };
  };
  Check({
      {"node 'layer0' (GRU): direction reverse, not forward",
       [](OnnxFile* f) {
         SetAttribute(&f->Node("layer0"), "direction", AttributeProto::STRING).set_s("reverse");
       }},
      {"node 'layer0' (GRU): layout 1 (batch first) is not read",
       [](OnnxFile* f) { SetInteger(&f->Node("layer0"), "layout", 1); }},
      {"node 'layer0' (GRU): linear_before_reset of 2",
       [](OnnxFile* f) { SetInteger(&f->Node("layer0"), "linear_before_reset", 2); }},
      {"node 'layer1' (GRU): linear_before_reset is not that of the other layers",
       [](OnnxFile* f) { SetInteger(&f->Node("layer1"), "linear_before_reset", 0); }},
      {"node 'layer0' (GRU): attribute clip is not taken here",
       [](OnnxFile* f) {
         SetAttribute(&f->Node("layer0"), "clip", AttributeProto::FLOAT).set_f(1);
       }},
      {"node 'layer0' (GRU): attribute hidden_size is there twice",
       [](OnnxFile* f) { *f->Node("layer0").add_attribute() = f->Node("layer0").attribute(0); }},
      {"node 'layer0' (GRU): attribute hidden_size is no INT",
       [](OnnxFile* f) {
         f->Node("layer0").mutable_attribute(0)->set_type(AttributeProto::FLOAT);
       }},
      {"node 'layer0' (GRU): activation HardSigmoid of gates, not Sigmoid",
       [](OnnxFile* f) {
         SetTexts(&f->Node("layer0"), "activations", {"HardSigmoid", "Tanh"});
       }},
      {"node 'layer0' (GRU): activation Softsign; Tanh, Relu, LeakyRelu, Elu, Affine are known",
       [](OnnxFile* f) {
         SetTexts(&f->Node("layer0"), "activations", {"Sigmoid", "Softsign"});
       }},
      {"node 'layer0' (GRU): 4 activations, GRU has two",
       [](OnnxFile* f) {
         SetTexts(&f->Node("layer0"), "activations", {"Sigmoid", "Tanh", "Sigmoid", "Tanh"});
       }},
      {"node 'layer1' (GRU): activation relu, that of other layers is tanh",
       [](OnnxFile* f) {
         SetTexts(&f->Node("layer1"), "activations", {"Sigmoid", "Relu"});
       }},
      {"node 'layer0' (GRU): sequence_lens is not read: sessions of one length alone",
       [](OnnxFile* f) {
         f->AddIntegers("lengths", {3});
         f->Node("layer0").add_input("lengths");
       }},
      {"", start(0)},
      {"node 'layer0' (GRU): initial_h, 'h0', has 0.500000: sessions start at zero here",
       start(0.5f)},
      {"node 'layer1' (GRU): W are hidden states, not weights of the file",
       [](OnnxFile* f) {
         f->Node("layer1").set_input(1, "layer0.output");
         f->Remove("layer1.W");
       }},
      {"node 'layer0' (GRU): input 1 is missing",
       [](OnnxFile* f) {
         f->Node("layer0").set_input(1, "");
         f->Remove("layer0.W");
       }},
      {"node 'layer1' (GRU): the axes of its input are not steps, batch, width",
       [](OnnxFile* f) {
         SetIntegers(&f->Insert("Transpose", "layer1", 0), "perm", {1, 0, 2});
       }},
      {"node 'layer0' (GRU): the axes of its input are not steps, batch, width",
       [](OnnxFile* f) {
         SetIntegers(&f->Insert("Transpose", "layer0", 0), "perm", {0, 2, 1});
       }},
      {"node 'layer1' (GRU): its input is embedded items, neither embedded items nor the states of "
       "the GRU before",
       [](OnnxFile* f) {
         f->Node("layer1").set_input(0, "rows");
         // The first layer's states are an output, so that it is used.
         f->graph().add_output()->set_name("layer0.output");
       }},
  });
}

TEST(OnnxRefusalTest, ScoresOfAnotherKind) {
  Check({
      {"node 'last_hidden' (Squeeze): removes axis 1, the batch, which may have more than one "
       "element",
       [](OnnxFile* f) {
         f->AddIntegers("axis", {1});
         f->Node("last_hidden").set_input(1, "axis");
         f->Remove("first_axis");
       }},
      {"node 'products' (MatMul): multiplies embedded items, not the units of hidden states",
       [](OnnxFile* f) {
         f->Node("products").set_input(0, "rows");
         f->graph().add_output()->set_name("hidden");
       }},
      {"node 'new' (MatMul): a second product with weights beside node 'products' (MatMul)",
       [](OnnxFile* f) {
         f->AddNode("MatMul", {"hidden", "columns"}, "again");
         f->graph().add_output()->set_name("again");
       }},
      {"node 'new' (Add): adds biases a second time",
       [](OnnxFile* f) {
         f->AddNode("Add", {"scores", "item_biases"}, "again");
         f->graph().add_output()->set_name("again");
       }},
      {"node 'new' (Add): adds hidden states and hidden states, not scores and item biases",
       [](OnnxFile* f) {
         f->AddNode("Add", {"hidden", "hidden"}, "again");
         f->graph().add_output()->set_name("again");
       }},
      {"node 'new' (Gather): a second embedding beside node 'embedding' (Gather)",
       [](OnnxFile* f) {
         f->AddNode("Gather", {"item_rows", "items"}, "again");
         f->graph().add_output()->set_name("again");
       }},
      {"output 'again': is embedded items, neither scores nor hidden states",
       [](OnnxFile* f) {
         f->AddNode("Identity", {"rows"}, "again");
         f->graph().add_output()->set_name("again");
       }},
      {"node 'top' (TopK): takes the smallest scores",
       [](OnnxFile* f) { SetInteger(&f->Node("top"), "largest", 0); }},
      {"node 'top' (TopK): the best along the axis of the batch",
       [](OnnxFile* f) { SetInteger(&f->Node("top"), "axis", 0); }},
      {"node 'top' (TopK): axis 2 of an array of 2",
       [](OnnxFile* f) { SetInteger(&f->Node("top"), "axis", 2); }},
      {"node 'new' (Slice): takes [0, 5) of the items (7), neither all nor all but the first",
       [](OnnxFile* f) {
         NodeProto& slice = f->AddNode("Slice", {"scores"}, "again");
         SetIntegers(&slice, "starts", {0});
         SetIntegers(&slice, "ends", {5});
         SetIntegers(&slice, "axes", {1});
         f->graph().add_output()->set_name("again");
       }},
      {"node 'new' (Transpose): perm [0, 0] names an axis twice",
       [](OnnxFile* f) {
         SetIntegers(&f->AddNode("Transpose", {"scores"}, "again"), "perm", {0, 0});
         f->graph().add_output()->set_name("again");
       }},
      {"node 'new' (Reshape): shape [-1] does more than move axes of one element",
       [](OnnxFile* f) {
         f->AddIntegers("flat", {-1});
         f->AddNode("Reshape", {"scores", "flat"}, "again");
         f->graph().add_output()->set_name("again");
       }},
      {"node 'new' (Cast): of scores to element type 7",
       [](OnnxFile* f) {
         SetInteger(&f->AddNode("Cast", {"scores"}, "again"), "to", TensorProto::INT64);
         f->graph().add_output()->set_name("again");
       }},
      {"node 'new' (Concat): of scores is not read",
       [](OnnxFile* f) {
         f->AddNode("Concat", {"scores", "scores"}, "again");
         f->graph().add_output()->set_name("again");
       }},
      {"node 'new' (Unsqueeze): 9 axes, 8 are the most",
       [](OnnxFile* f) {
         SetIntegers(&f->AddNode("Unsqueeze", {"scores"}, "again"), "axes", {0, 1, 2, 3, 4, 5, 6});
         f->graph().add_output()->set_name("again");
       }},
  });
}

}  // namespace
}  // namespace stint
