// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Nodes of ONNX that move, pick or make elements -> what is taken of them, and the errors that name
// the rest.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "tests/tools/onnx_file.h"

namespace stint {
namespace {

using Change = std::function<void(OnnxFile*)>;
using Integers = std::vector<int64_t>;

// A new last node whose output is one of the graph.
Change Append(const std::string& op, const std::vector<std::string>& inputs,
              const std::function<void(NodeProto*)>& more = {}) {
  return [=](OnnxFile* f) {
    NodeProto& node = f->AddNode(op, inputs, "again");
    if (more) more(&node);
    f->graph().add_output()->set_name("again");
  };
}

// A new first node on the way to the state that the first layer starts from.
Change Start(const std::vector<Change>& changes) {
  return [=](OnnxFile* f) {
    for (const Change& change : changes) change(f);
    f->Node("layer0").add_input("");
    f->Node("layer0").add_input("h0");
    // What was appended goes before all else, the last one first.
    onnx::GraphProto& graph = f->graph();
    while (graph.node(graph.node_size() - 1).name() == "new") {
      for (int i = graph.node_size() - 1; i > 0; --i) graph.mutable_node()->SwapElements(i, i - 1);
      graph.mutable_node(0)->set_name("start");
    }
  };
}

Change Slices(const Integers& starts, const Integers& ends, const Integers& axes,
              const std::string& of = "scores") {
  return Append("Slice", {of}, [=](NodeProto* node) {
    SetIntegers(node, "starts", starts);
    SetIntegers(node, "ends", ends);
    SetIntegers(node, "axes", axes);
  });
}

Change Both(const Change& first, const Change& second) {
  return [=](OnnxFile* f) {
    first(f);
    second(f);
  };
}
Change With(const std::string& name, const Integers& values, const Change& then) {
  return Both([=](OnnxFile* f) { f->AddIntegers(name, values); }, then);
}

TEST(OnnxMovesTest, Slices) {
  constexpr int64_t kEnd = std::numeric_limits<int64_t>::max();
  Check({
      {"", Slices({0, 0}, {kEnd, 7}, {0, 1})},
      {"", Slices({0}, {kEnd}, {-1})},
      {"", Slices({-1}, {kEnd}, {0}, "layer0.states")},
      {"node 'new' (Slice): takes [0, 1) of the steps, neither all nor the last step",
       Slices({0}, {1}, {0}, "layer0.states")},
      {"node 'new' (Slice): takes [-2, 9223372036854775807) of the steps, neither all nor the last "
       "step",
       Slices({-2}, {kEnd}, {0}, "layer0.states")},
      {"node 'new' (Slice): takes [-1, 9223372036854775807) of the batch, neither all nor the last "
       "step",
       Slices({-1}, {kEnd}, {0})},
      {"node 'new' (Slice): takes [5, 2) of the items, which is nothing", Slices({5}, {2}, {1})},
      {"node 'new' (Slice): numbers of starts, ends and axes differ", Slices({0}, {7, 8}, {1})},
      {"node 'new' (Slice): axis 2 of an array of 2", Slices({0}, {7}, {2})},
      {"node 'new' (Slice): steps of 2",
       With("n", {0},
            With("e", {7},
                 With("a", {1}, With("s", {2}, Append("Slice", {"scores", "n", "e", "a", "s"})))))},
      {"node 'new' (Slice): attribute starts has 9 numbers", Slices(Integers(9, 0), {7}, {1})},
      {"node 'new' (Slice): of the best scores is not read", Slices({0}, {1}, {0}, "top_scores")},
  });
}

TEST(OnnxMovesTest, PickedElements) {
  Check({
      {"", With("i", {-1}, Append("Gather", {"layer0.states", "i"}))},
      {"node 'new' (Gather): takes [1, 2) of the steps, neither all nor the last step",
       With("i", {1}, Append("Gather", {"layer0.states", "i"}))},
      {"node 'new' (Gather): takes 2 elements, not one",
       With("i", {0, 1}, Append("Gather", {"layer0.states", "i"}))},
      {"node 'new' (Gather): takes one of the items, number 7",
       With("i", {7},
            Append("Gather", {"scores", "i"},
                   [](NodeProto* node) { SetInteger(node, "axis", 1); }))},
      {"node 'new' (Gather): takes one of the items, number -1",
       With("i", {-1},
            Append("Gather", {"scores", "i"},
                   [](NodeProto* node) { SetInteger(node, "axis", 1); }))},
      {"node 'new' (Gather): takes element 2^63 - 1",
       With("i", {std::numeric_limits<int64_t>::max()}, Append("Gather", {"scores", "i"}))},
      {"node 'new' (Gather): its indices are item indices, not weights of the file",
       Append("Gather", {"scores", "items"})},
      {"node 'new' (Gather): of weights is not read; export with constant folding",
       With("i", {0}, Append("Gather", {"item_biases", "i"}))},
  });
}

TEST(OnnxMovesTest, StatesOfLayersSideBySide) {
  const auto both = [](OnnxFile* f) {  // [2, batch, 3]; both layers give their last states
    f->Node("layer0").add_output("layer0.last");
    f->AddNode("Concat", {"layer0.last", "layer1.last"}, "all");
  };
  const auto score = [](const char* hidden) {
    return [=](OnnxFile* f) {
      f->AddNode("Gather", {"all", hidden}, "picked");
      // The scores of what was picked: the nodes of scores again, behind the others.
      for (const char* name : {"last_hidden", "item_columns", "products", "scores", "top"}) {
        NodeProto node = f->Node(name);
        f->Node(name).set_name("old");
        for (int i = 0; i < f->graph().node_size(); ++i) {
          if (f->graph().node(i).name() == "old") {
            f->graph().mutable_node()->DeleteSubrange(i, 1);
            break;
          }
        }
        if (node.name() == "last_hidden") continue;
        if (node.name() == "products") node.set_input(0, "picked");
        *f->graph().add_node() = node;
      }
      f->Remove("first_axis");
    };
  };
  const auto scalar = [](int64_t place) {
    return [=](OnnxFile* f) { f->AddIntegers("place", {place}, true); };
  };
  Check({
      {"", Both(scalar(-1), Both(both, score("place")))},
      {"", Both(scalar(1), Both(both, score("place")))},
      {"node 'products' (MatMul): scores after another layer than the last",
       Both(scalar(0), Both(both, score("place")))},
      {"node 'new' (Gather): takes element 2 of the layers (2)",
       Both(scalar(2), Both(both, score("place")))},
      {"node 'new' (Concat): of hidden states along another axis than that of the layers",
       Append("Concat", {"layer1.last", "layer1.last"},
              [](NodeProto* node) { SetInteger(node, "axis", 2); })},
      {"node 'new' (Concat): of hidden states and scores",
       Append("Concat", {"layer1.last", "scores"})},
      {"node 'new' (Concat): of more than 16 layers",
       Append("Concat", std::vector<std::string>(17, "layer1.last"))},
  });
}

TEST(OnnxMovesTest, StatesToStartFrom) {
  const auto node = [](const char* op, const std::vector<std::string>& inputs, const char* output,
                       const std::function<void(NodeProto*)>& more = {}) {
    return [=](OnnxFile* f) {
      NodeProto& made = f->AddNode(op, inputs, output);
      if (more) more(&made);
    };
  };
  const auto value = [](float x) {
    return [=](NodeProto* made) {
      TensorProto& tensor = *SetAttribute(made, "value", AttributeProto::TENSOR).mutable_t();
      tensor.set_data_type(TensorProto::FLOAT);
      tensor.add_dims(1);
      tensor.add_float_data(x);
    };
  };
  const auto size = [](OnnxFile* f) { f->AddIntegers("size", {1, 1, 3}); };
  Check({
      {"", Start({size, node("ConstantOfShape", {"size"}, "h0")})},
      {"", Start({size, node("ConstantOfShape", {"size"}, "h0", value(0))})},
      {"node 'start' (ConstantOfShape): a state to start from of 0.250000, not 0",
       Start({size, node("ConstantOfShape", {"size"}, "h0", value(0.25f))})},
      {"", Start({size, node("Constant", {}, "zero", value(0)),
                  node("Expand", {"zero", "size"}, "h0")})},
      {"node 'layer0' (GRU): initial_h, 'one', has 1.000000: sessions start at zero here",
       Start({size, node("Constant", {}, "one", value(1)), node("Expand", {"one", "size"}, "h0")})},
      {"node 'layer0' (GRU): initial_h is sizes of arrays",
       Start({node("Shape", {"items"}, "h0")})},
      {"node 'start' (Constant): attribute value_float is not taken here",
       Start({node("Constant", {}, "h0",
                   [](NodeProto* made) {
                     SetAttribute(made, "value_float", AttributeProto::FLOAT).set_f(0);
                   })})},
      {"node 'start' (Constant): has no tensor", Start({node("Constant", {}, "h0")})},
  });
  // The states of a layer below are no start.
  Check({{"node 'layer1' (GRU): initial_h is hidden states", [](OnnxFile* f) {
            f->Node("layer0").add_output("layer0.last");
            f->Node("layer1").add_input("");
            f->Node("layer1").add_input("layer0.last");
          }}});
}

TEST(OnnxMovesTest, WeightsAndShapes) {
  const auto perm = [](const Integers& order) {
    return [=](NodeProto* node) { SetIntegers(node, "perm", order); };
  };
  Check({
      {"node 'new' (Transpose): of weights of 3 axes",
       Append("Transpose", {"layer0.W"}, perm({2, 1, 0}))},
      {"node 'new' (Transpose): perm [0] leaves axes out",
       Append("Transpose", {"item_rows"}, perm({0}))},
      {"node 'new' (Unsqueeze): of transposed weights is not read",
       Append("Unsqueeze", {"columns"})},
      {"node 'new' (Reshape): merges axes of weights",
       With("n", {-1}, Append("Reshape", {"item_rows", "n"}))},
      {"node 'new' (Unsqueeze): axes [0, 0] name an axis twice",
       Append("Unsqueeze", {"scores"},
              [](NodeProto* node) {
                SetIntegers(node, "axes", {0, 0});
              })},
      {"node 'new' (Squeeze): does not say which axes it removes", Append("Squeeze", {"scores"})},
      {"node 'new' (Reshape): allowzero is not read",
       With("n", {0, 7},
            Append("Reshape", {"scores", "n"},
                   [](NodeProto* node) { SetInteger(node, "allowzero", 1); }))},
      {"", With("n", {-1, 7}, Append("Reshape", {"scores", "n"}))},
      {"", With("n", {0, 1, 7}, Append("Reshape", {"scores", "n"}))},
  });
  // [batch, 7] asked for as [7, batch], and of sizes that are not known.
  Check({
      {"node 'new' (Reshape): shape [7, -1] does more than move axes of one element",
       With("n", {7, -1}, Append("Reshape", {"scores", "n"}))},
      {"node 'new' (Reshape): shape [-1, -1] does more than move axes of one element",
       With("n", {-1, -1}, Append("Reshape", {"scores", "n"}))},
      {"node 'new' (Reshape): shape [-2, 7] does more than move axes of one element",
       With("n", {-2, 7}, Append("Reshape", {"scores", "n"}))},
      {"tensor 'n': more than 8 integers where an array's axes are meant",
       With("n", Integers(9, 1), Append("Reshape", {"scores", "n"}))},
      {"node 'new' (Reshape): its numbers depend on the sizes of its input",
       Both([](OnnxFile* f) { f->AddNode("Shape", {"scores"}, "n").set_name("sizes"); },
            Append("Reshape", {"scores", "n"}))},
      {"node 'new' (Expand): of scores is not read",
       With("n", {1, 7}, Append("Expand", {"scores", "n"}))},
      {"node 'new' (TopK): the best of hidden states", Append("TopK", {"hidden", "k"})},
  });
}

TEST(OnnxMovesTest, ActivationsAndTheirNumbers) {
  const auto layer = [](const std::string& name, const std::vector<float>& alphas, float beta) {
    return [=](OnnxFile* f) {
      f->model.clear_metadata_props();  // which say that it is tanh
      NodeProto* const node = &f->Node("layer0");
      SetTexts(node, "activations", {"Sigmoid", name});
      for (const float alpha : alphas) {
        SetAttribute(node, "activation_alpha", AttributeProto::FLOATS).add_floats(alpha);
      }
      if (beta != 0) {
        SetAttribute(node, "activation_beta", AttributeProto::FLOATS).add_floats(beta);
      }
    };
  };
  const TrainedModel one = SmallModel(GruForm::kResetAfter, {3});
  Check(
      {
          {"", layer("Relu", {}, 0)},
          {"", layer("Elu", {}, 0)},
          {"", layer("LeakyRelu", {0.5f}, 0)},
          {"node 'layer0' (GRU): activation_alpha of -0.500000", layer("LeakyRelu", {-0.5f}, 0)},
          {"node 'layer0' (GRU): activation_alpha of nan", layer("Elu", {NAN}, 0)},
          {"node 'layer0' (GRU): activation_alpha of 2 numbers for Sigmoid and Elu",
           layer("Elu", {1, 2}, 0)},
          {"node 'layer0' (GRU): activation Affine of alpha not 1", layer("Affine", {2}, 0)},
          {"node 'layer0' (GRU): activation_beta other than 0", layer("Affine", {1}, 0.5f)},
      },
      one);
}

TEST(OnnxMovesTest, SeventeenLayers) {
  const std::vector<size_t> layers(16, 2);
  OnnxFile file(SmallModel(GruForm::kResetAfter, layers));
  ASSERT_EQ(file.Message(), "");
  file.Node("layer15").set_output(0, "layer15.states");
  NodeProto squeeze = file.Node("layer0.output");
  squeeze.set_name("new");
  squeeze.set_input(0, "layer15.states");
  squeeze.set_output(0, "layer15.output");
  NodeProto gru = file.Node("layer15");
  gru.set_name("layer16");
  gru.set_input(0, "layer15.output");
  gru.set_output(0, "more");
  gru.set_output(1, "most");
  onnx::GraphProto old = file.graph();
  file.graph().clear_node();
  for (const NodeProto& node : old.node()) {
    *file.graph().add_node() = node;
    if (node.name() != "layer15") continue;
    *file.graph().add_node() = squeeze;
    *file.graph().add_node() = gru;
  }
  file.graph().add_output()->set_name("most");
  EXPECT_EQ(file.Message(), "node 'layer16' (GRU): more than 16 layers");
}

}  // namespace
}  // namespace stint
