// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Small ONNX files that ask for much memory, and graphs that are nearly a session model -> the
// errors that name what is wrong.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "tests/tools/onnx_file.h"

namespace stint {
namespace {

std::string MessageFor(const std::string& bytes) {
  return MessageOf([&] {
    ParseOnnx({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, "m.onnx");
  });
}

// ---- Memory

TEST(OnnxHostileTest, ShapesWithoutData) {
  struct Large {
    int64_t items, units;
    const char* bytes;
  };
  for (const Large& large :
       {Large{1000000, 1000, "shape [1000000, 1000] is 2 GiB or more"},
        Large{100000, 1000,
              "0 bytes of data, shape [100000, 1000] of F32 has "
              "400000000"},
        Large{1, 16384, "0 bytes of data, shape [1, 16384] of F32 has 65536"}}) {
    SCOPED_TRACE(large.bytes);
    OnnxFile file(SmallModel(GruForm::kResetAfter, {3}));
    const std::vector<std::pair<const char*, std::vector<int64_t>>> shapes = {
        {"item_rows", {large.items, large.units}},
        {"layer0.W", {1, 3 * large.units, large.units}},
        {"layer0.R", {1, 3 * large.units, large.units}},
        {"layer0.B", {1, 6 * large.units}},
        {"item_biases", {large.items}}};
    for (const auto& [name, shape] : shapes) {
      file.Tensor(name).clear_raw_data();
      file.Tensor(name).clear_dims();
      for (const int64_t n : shape) file.Tensor(name).add_dims(n);
    }
    SetInteger(&file.Node("layer0"), "hidden_size", large.units);
    const std::string message = file.Message();
    EXPECT_EQ(message.rfind("tensor 'item_biases': 0 bytes of data", 0), 0u) << message;
    file.Remove("item_biases");
    file.Node("scores").set_op_type("Identity");
    file.Node("scores").mutable_input()->RemoveLast();
    EXPECT_EQ(file.Message(), std::string("tensor 'item_rows': ") + large.bytes);
  }
}

TEST(OnnxHostileTest, ConstantsWithoutData) {
  OnnxFile file;
  onnx::GraphProto old = file.graph();
  file.graph().clear_node();
  NodeProto& node = file.AddNode("Constant", {}, "layer1.R");
  TensorProto& tensor = *SetAttribute(&node, "value", AttributeProto::TENSOR).mutable_t();
  tensor = file.Tensor("layer1.R");
  tensor.clear_raw_data();
  for (const NodeProto& other : old.node()) *file.graph().add_node() = other;
  file.Remove("layer1.R");
  EXPECT_EQ(file.Message(), "tensor 'layer1.R': 0 bytes of data, shape [1, 9, 3] of F32 has 108");
}

TEST(OnnxHostileTest, DataInTheWrongField) {
  for (const bool more : {false, true}) {
    OnnxFile file;
    TensorProto& biases = file.Tensor("item_biases");
    biases.clear_raw_data();
    for (size_t i = 0; i < kItems; ++i) biases.add_double_data(1);  // which FLOAT does not read
    if (more) {
      for (size_t i = 0; i < kItems + 1; ++i) biases.add_float_data(1);
    }
    EXPECT_EQ(file.Message(), std::string("tensor 'item_biases': ") + (more ? "32" : "0") +
                                  " bytes of data, shape [7] of F32 has 28");
  }
}

// Length-delimited field -> its bytes.
std::string Field(uint32_t number, const std::string& content) {
  std::string bytes(1, static_cast<char>(number << 3 | 2));
  size_t size = content.size();
  for (; size >= 128; size >>= 7) bytes += static_cast<char>(size | 128);
  return bytes + static_cast<char>(size) + content;
}
std::string Repeat(size_t count, const std::string& bytes) {
  std::string result;
  for (size_t i = 0; i < count; ++i) result += bytes;
  return result;
}

TEST(OnnxHostileTest, ManyEmptyParts) {
  constexpr uint32_t kGraph = 7, kNode = 1, kInitializer = 5, kInput = 11, kUnknown = 15;
  constexpr uint32_t kMetadata = 14, kNodeInput = 1, kNodeAttribute = 5;
  const std::string refusal =
      "m.onnx: more than 100000 nodes, attributes, names and other parts: no session model";
  const size_t count = 3000000;
  const auto resident = [] {
    rusage usage = {};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;  // KiB, the most so far
  };
  const std::vector<std::string> files = {
      Field(kGraph, Repeat(count, Field(kNode, ""))),
      Field(kGraph, Repeat(count, Field(kInitializer, ""))),
      Field(kGraph, Repeat(count, Field(kInput, ""))),
      Field(kGraph, Field(kNode, Repeat(count, Field(kNodeInput, "")))),
      Field(kGraph, Field(kNode, Repeat(count, Field(kNodeAttribute, "")))),
      Field(kGraph, Repeat(count, Field(kUnknown, ""))),
      Repeat(count, Field(kMetadata, "")),
  };
  const auto before = resident();
  for (const std::string& bytes : files) EXPECT_EQ(MessageFor(bytes), refusal);
  EXPECT_LT(resident() - before, 32 << 10) << "of files of " << files[0].size() << " bytes";
  // Numbers are no parts: as many as there are bytes for.
  OnnxFile many;
  many.Tensor("item_biases").clear_raw_data();
  many.Tensor("item_biases").set_dims(0, 200000);
  for (int i = 0; i < 200000; ++i) many.Tensor("item_biases").add_float_data(0);
  EXPECT_EQ(many.Message(),
            "node 'scores' (Add): 'item_biases' has shape [200000] as biases of 7 items");
}

TEST(OnnxHostileTest, DeepAndDamagedParts) {
  constexpr uint32_t kGraph = 7, kNode = 1, kAttribute = 5, kAttributeGraph = 6;
  std::string nested;
  for (int i = 0; i < 2000; ++i) {
    nested = Field(kNode, Field(kAttribute, Field(kAttributeGraph, nested)));
  }
  const auto damaged = [](const std::string& bytes) {
    return "m.onnx: no ONNX file, or a damaged one (" + std::to_string(bytes.size()) + " bytes)";
  };
  for (const std::string& bytes :
       {Field(kGraph, nested), std::string("\x3a\x7f"), std::string("\x3a\xff\xff\xff\xff\x7f"),
        std::string("\x0b\x0c"), std::string("\x08")}) {
    EXPECT_EQ(MessageFor(bytes), damaged(bytes));
  }
}

// A name of many bytes that many nodes pass on stands in memory as often as in the file.
TEST(OnnxHostileTest, LongNames) {
  OnnxFile file;
  const std::string name(1 << 20, 'n');
  file.Tensor("item_biases").set_name(name);
  onnx::GraphProto old = file.graph();
  file.graph().clear_node();
  std::string last = name;
  for (int i = 0; i < 2000; ++i) {
    const std::string next = "copy" + std::to_string(i);
    file.AddNode("Identity", {last}, next);
    last = next;
  }
  for (NodeProto node : old.node()) {
    if (node.name() == "scores") node.set_input(1, last);
    *file.graph().add_node() = node;
  }
  rusage before = {}, after = {};
  getrusage(RUSAGE_SELF, &before);
  EXPECT_EQ(file.Message(), "");
  getrusage(RUSAGE_SELF, &after);
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 100 << 10);
}

// ---- Graphs that would be another network

using Change = std::function<void(OnnxFile*)>;

TEST(OnnxHostileTest, ALayerOverTheLastStepAlone) {
  const auto slice = [](int64_t begin, int64_t end) {
    return [=](OnnxFile* f) {
      NodeProto& node = f->Insert("Slice", "layer1", 0);
      SetIntegers(&node, "starts", {begin});
      SetIntegers(&node, "ends", {end});
      SetIntegers(&node, "axes", {0});
    };
  };
  const auto gather = [](int64_t at) {
    return [=](OnnxFile* f) {
      f->AddIntegers("place", {at});
      f->Insert("Gather", "layer1", 0).add_input("place");
    };
  };
  const auto five_steps = [](const Change& change) {
    return [=](OnnxFile* f) {
      f->graph()
          .mutable_input(0)
          ->mutable_type()
          ->mutable_tensor_type()
          ->mutable_shape()
          ->mutable_dim(0)
          ->set_dim_value(5);
      change(f);
    };
  };
  constexpr int64_t kEnd = std::numeric_limits<int64_t>::max();
  const std::string refusal =
      "node 'layer1' (GRU): its input is the last step of the layer below alone, not all steps";
  Check({
      {"", slice(0, kEnd)},
      {refusal, slice(-1, kEnd)},
      {refusal, gather(-1)},
      {"", five_steps(slice(0, 5))},
      {refusal, five_steps(slice(4, 5))},
      {refusal, five_steps(slice(-1, kEnd))},
      {refusal, five_steps(gather(4))},
      {refusal, five_steps(gather(-1))},
  });
}

// The tensor_type of the state that layers start from, and the one that is read.
void AddStart(OnnxFile* file, int layers) {
  onnx::ValueInfoProto& start = *file->graph().add_input();
  start.set_name("start");
  start.mutable_type()->mutable_tensor_type()->set_elem_type(TensorProto::FLOAT);
  for (int l = 0; l < layers; ++l) {
    NodeProto& node = file->Node("layer" + std::to_string(l));
    node.add_input("");
    node.add_input("start");
  }
}

TEST(OnnxHostileTest, InputsThatNothingReads) {
  Check({
      {"", [](OnnxFile* f) { AddStart(f, 2); }},
      {"input 'start': no node reads it", [](OnnxFile* f) { AddStart(f, 0); }},
      {"input 'unread': no node reads it",
       [](OnnxFile* f) {
         *f->graph().add_input() = f->graph().input(0);
         f->graph().mutable_input(1)->set_name("unread");
       }},
      // Older files name their weights among the inputs.
      {"", [](OnnxFile* f) { f->graph().add_input()->set_name("layer1.W"); }},
  });
}

TEST(OnnxHostileTest, OneStepAlways) {
  const auto one_step = [](OnnxFile* f) {  // items [batch]
    onnx::TensorShapeProto& shape =
        *f->graph().mutable_input(0)->mutable_type()->mutable_tensor_type()->mutable_shape();
    shape.mutable_dim()->DeleteSubrange(0, 1);
    SetIntegers(&f->Insert("Unsqueeze", "layer0", 0), "axes", {0});
  };
  const auto refusal = [](const char* node) {
    return std::string("node '") + node +
           "' (GRU): its input always has one step, and initial_h is no input of the graph: each "
           "click is a session of its own";
  };
  const auto zeros = [](OnnxFile* f) {
    f->AddIntegers("size", {1, 1, 3});
    f->Node("layer0").add_input("");
    f->Node("layer0").add_input("zeros");
    f->AddNode("ConstantOfShape", {"size"}, "zeros");
    for (int i = f->graph().node_size() - 1; i > 0; --i) {
      f->graph().mutable_node()->SwapElements(i, i - 1);
    }
  };
  Check({
      {refusal("layer0"), one_step},
      {refusal("layer0"),
       [=](OnnxFile* f) {
         one_step(f);
         zeros(f);
       }},
      {refusal("layer1"),
       [=](OnnxFile* f) {
         one_step(f);
         AddStart(f, 1);
       }},
      {"",
       [=](OnnxFile* f) {
         one_step(f);
         AddStart(f, 2);
       }},
  });
}

TEST(OnnxHostileTest, WhatToDoAboutOtherNodes) {
  const auto last = [](const char* op) {
    return [=](OnnxFile* f) {
      f->AddNode(op, {"scores"}, "again");
      f->graph().add_output()->set_name("again");
    };
  };
  const auto none = [](const char* op) {
    return std::string("node 'new' (") + op + "): not part of Gather, GRU, MatMul";
  };
  const std::string scores =
      "; what is wanted are the scores before it: export the network without it";
  Check({
      {none("Softmax") + scores, last("Softmax")},
      {none("Sigmoid") + scores, last("Sigmoid")},
      {none("Tanh") + scores, last("Tanh")},
      {none("Mul") + scores, last("Mul")},
      {none("Unique"), last("Unique")},
      {none("Mul"), [](OnnxFile* f) { f->Insert("Mul", "layer1", 0); }},
  });
}

}  // namespace
}  // namespace stint
