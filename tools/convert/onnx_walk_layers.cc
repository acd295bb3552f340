// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Nodes of an ONNX graph that compute: embedding, GRU layers, scores, the best of them.
#include <algorithm>
#include <cmath>
#include <utility>

#include "schema/panel.h"
#include "tools/convert/onnx_walk.h"
#include "tools/convert/tensors.h"
#include "trainer/activation.h"

namespace stint {
namespace {

using onnx::AttributeProto;

std::string ShapeOfText(const std::string& name, const std::vector<uint64_t>& shape) {
  return "'" + name + "' has shape " + ShapeText(shape);
}
std::string ShapeOfText(const OnnxWeights& weights) {
  return ShapeOfText(*weights.name, weights.shape);
}

void CheckShape(const OnnxWeights& weights, const std::vector<uint64_t>& expected,
                const char* what) {
  if (weights.shape == expected && !weights.transposed) return;
  throw OnnxRefusal(ShapeOfText(weights) + (weights.transposed ? ", transposed; " : "; ") +
                    ShapeOfText(what, expected));
}

// Parameters that ONNX lets a node leave out: its own defaults.
double AlphaOf(const onnx::NodeProto& node, const char* activation, double otherwise) {
  const AttributeProto* alphas = FindAttribute(node, "activation_alpha", AttributeProto::FLOATS);
  if (alphas == nullptr || alphas->floats_size() == 0) return otherwise;
  if (alphas->floats_size() != 1) {
    throw OnnxRefusal(std::string("activation_alpha of ") + std::to_string(alphas->floats_size()) +
                      " numbers for Sigmoid and " + activation);
  }
  return double{alphas->floats(0)};
}

// f is Sigmoid, g what the runtime has.
Activation HiddenActivationOf(const onnx::NodeProto& node) {
  const AttributeProto* names = FindAttribute(node, "activations", AttributeProto::STRINGS);
  if (names == nullptr || names->strings_size() == 0) return {ActivationKind::kTanh};
  if (names->strings_size() != 2) {
    throw OnnxRefusal(std::to_string(names->strings_size()) + " activations, GRU has two");
  }
  const std::string &gates = names->strings(0), &hidden = names->strings(1);
  if (gates != "Sigmoid") throw OnnxRefusal("activation " + gates + " of gates, not Sigmoid");
  if (hidden == "Tanh") return {ActivationKind::kTanh};
  if (hidden == "Relu") return {ActivationKind::kRelu};
  Activation activation = {ActivationKind::kLinear};
  if (hidden == "Affine") {
    const AttributeProto* betas = FindAttribute(node, "activation_beta", AttributeProto::FLOATS);
    for (int i = 0; betas != nullptr && i < betas->floats_size(); ++i) {
      if (betas->floats(i) != 0) throw OnnxRefusal("activation_beta other than 0");
    }
    if (AlphaOf(node, "Affine", 1.0) != 1.0) throw OnnxRefusal("activation Affine of alpha not 1");
    return activation;
  }
  activation.kind = hidden == "LeakyRelu" ? ActivationKind::kLeakyRelu : ActivationKind::kElu;
  if (hidden != "LeakyRelu" && hidden != "Elu") {
    throw OnnxRefusal("activation " + hidden + "; Tanh, Relu, LeakyRelu, Elu, Affine are known");
  }
  activation.alpha = AlphaOf(node, hidden.c_str(), hidden == "Elu" ? 1.0 : 0.01);
  if (!(activation.alpha > 0 && activation.alpha <= double{kLargestActivationParameter})) {
    throw OnnxRefusal("activation_alpha of " + std::to_string(activation.alpha));
  }
  return activation;
}

void CheckGruAttributes(const onnx::NodeProto& node) {
  CheckAttributes(node, {"hidden_size", "linear_before_reset", "direction", "activations",
                         "activation_alpha", "activation_beta", "layout"});
  const std::string direction = TextAttribute(node, "direction", "forward");
  if (direction != "forward") throw OnnxRefusal("direction " + direction + ", not forward");
  if (IntegerAttribute(node, "layout", 0) != 0) {
    throw OnnxRefusal("layout 1 (batch first) is not read");
  }
  const int64_t form = IntegerAttribute(node, "linear_before_reset", 0);
  if (form != 0 && form != 1) {
    throw OnnxRefusal("linear_before_reset of " + std::to_string(form));
  }
}

}  // namespace

void OnnxWalk::TakeInput(const Node& node) {
  if (network_.input_node != nullptr) {
    throw OnnxRefusal("a second embedding beside " + NodeText(*network_.input_node));
  }
  network_.input_node = &node;
}

void OnnxWalk::Gather(const Node& node) {
  CheckAttributes(node, {"axis"});
  const OnnxValue& of = Value(node, 0);
  const OnnxValue& index = Value(node, 1);
  if (of.kind != OnnxKind::kWeights || index.kind != OnnxKind::kItems) return Pick(node);
  const OnnxWeights& table = WholeWeights(of, "the rows");
  if (table.shape.size() != 2 || table.transposed || IntegerAttribute(node, "axis", 0) != 0) {
    throw OnnxRefusal(ShapeOfText(table) + ", and items are taken along axis " +
                      std::to_string(IntegerAttribute(node, "axis", 0)) +
                      "; an embedding is [items, width], along axis 0");
  }
  TakeInput(node);
  network_.embedding = table;
  OnnxValue rows;
  rows.kind = OnnxKind::kRows;
  rows.axes = index.axes;
  rows.axes.push_back({AxisRole::kFeatures, static_cast<int64_t>(table.shape[1])});
  Make(node, 0, std::move(rows));
}

void OnnxWalk::OneHot(const Node& node) {
  CheckAttributes(node, {"axis"});
  OnnxValue rows = Value(node, 0);
  if (rows.kind != OnnxKind::kItems) throw OnnxRefusal(std::string("of ") + Name(rows.kind));
  const std::vector<int64_t> depth = Integers(node, 1);
  if (depth.size() != 1 || depth[0] < 1 || depth[0] > int64_t{kMaxItems}) {
    throw OnnxRefusal("depth is no number of items");
  }
  const OnnxWeights& values = WholeWeights(Value(node, 2), "its two values");
  if (values.shape != std::vector<uint64_t>{2} ||
      FloatsOf(*values.tensor, *values.name, graph_.path) != std::vector<float>{0, 1}) {
    throw OnnxRefusal("its values are not 0 and 1");
  }
  if (AxisAt(IntegerAttribute(node, "axis", -1), rows.axes.size() + 1) != rows.axes.size()) {
    throw OnnxRefusal("its axis is not the last one");
  }
  TakeInput(node);
  network_.one_hot_items = static_cast<uint64_t>(depth[0]);
  rows.kind = OnnxKind::kRows;
  rows.axes.push_back({AxisRole::kFeatures, depth[0]});
  Make(node, 0, std::move(rows));
}

// Zeros, or whatever a caller gives.
void OnnxWalk::CheckStart(const Node& node) const {
  if (!Has(node, 5)) return;
  const OnnxValue& start = Value(node, 5);
  if (start.kind == OnnxKind::kState) return;
  if (start.kind != OnnxKind::kWeights) {
    throw OnnxRefusal(std::string("initial_h is ") + Name(start.kind));
  }
  const OnnxWeights& weights = start.weights;
  for (const float x : FloatsOf(*weights.tensor, *weights.name, graph_.path)) {
    if (x != 0) {
      throw OnnxRefusal("initial_h, '" + *weights.name + "', has " + std::to_string(x) +
                        ": sessions start at zero here");
    }
  }
}

// All clicks of a session, and not each as the only one.
void OnnxWalk::CheckSteps(const Node& node, const OnnxValue& input) const {
  const bool first = input.kind == OnnxKind::kRows;
  const Axes& axes = input.axes;
  const auto is = [&](size_t at, AxisRole role) {
    return axes[at].role == role || (first && axes[at].role == AxisRole::kFree);
  };
  if (axes.size() == 3 && axes[0].role == AxisRole::kLastStep) {
    throw OnnxRefusal("its input is the last step of the layer below alone, not all steps");
  }
  if (axes.size() != 3 || !is(0, AxisRole::kSteps) || !is(1, AxisRole::kBatch) ||
      axes[2].role != AxisRole::kFeatures) {
    throw OnnxRefusal("the axes of its input are not steps, batch, width");
  }
  const bool given = Has(node, 5) && Value(node, 5).given;
  if (axes[0].size == 1 && !given) {
    throw OnnxRefusal(
        "its input always has one step, and initial_h is no input of the graph: each click is a "
        "session of its own");
  }
}

void OnnxWalk::Gru(const Node& node) {
  CheckGruAttributes(node);
  const OnnxValue& input = Value(node, 0);
  const size_t number = network_.layers.size();
  const bool first = number == 0 && input.kind == OnnxKind::kRows;
  const bool next =
      input.kind == OnnxKind::kHidden && input.layers.size() == 1 && input.layers[0] + 1 == number;
  if (!first && !next) {
    throw OnnxRefusal(std::string("its input is ") + Name(input.kind) +
                      ", neither embedded items nor the states of the GRU before");
  }
  CheckSteps(node, input);
  const Axes& axes = input.axes;
  if (Has(node, 4)) throw OnnxRefusal("sequence_lens is not read: sessions of one length alone");
  if (network_.scoring_node != nullptr) throw OnnxRefusal("a GRU after the scores");
  if (number == kMaxLayers) throw OnnxRefusal("more than 16 layers");
  CheckStart(node);

  OnnxLayer layer;
  layer.node = &node;
  layer.input_weights = WholeWeights(Value(node, 1), "W");
  layer.hidden_weights = WholeWeights(Value(node, 2), "R");
  const std::vector<uint64_t>& shape = layer.hidden_weights.shape;
  if (shape.size() != 3 || shape[2] < 1 || shape[2] > kMaxUnits) {
    throw OnnxRefusal(ShapeOfText(layer.hidden_weights) +
                      "; R is [1, 3 units, units], 1 to 16384 units");
  }
  layer.units = shape[2];
  const uint64_t units = shape[2], inputs = static_cast<uint64_t>(axes[2].size);
  const int64_t said = IntegerAttribute(node, "hidden_size", static_cast<int64_t>(units));
  if (said != static_cast<int64_t>(units)) {
    throw OnnxRefusal("hidden_size of " + std::to_string(said) + ", " +
                      ShapeOfText(layer.hidden_weights));
  }
  CheckShape(layer.hidden_weights, {1, 3 * units, units}, "R");
  CheckShape(layer.input_weights, {1, 3 * units, inputs}, "W");
  if (Has(node, 3)) {
    layer.biases = WholeWeights(Value(node, 3), "B");
    CheckShape(layer.biases, {1, 6 * units}, "B");
  }
  layer.reset_after = IntegerAttribute(node, "linear_before_reset", 0) == 1;
  layer.hidden_activation = HiddenActivationOf(node);
  network_.layers.push_back(std::move(layer));

  OnnxValue states;
  states.kind = OnnxKind::kHidden;
  states.layers = {number};
  const Axis width = {AxisRole::kFeatures, static_cast<int64_t>(units)};
  const Axis batch = {AxisRole::kBatch, axes[1].size};
  states.axes = {{AxisRole::kSteps, axes[0].size}, {AxisRole::kFree, 1}, batch, width};
  OnnxValue last = states;
  last.axes = {{AxisRole::kLayers, 1}, batch, width};
  Make(node, 0, std::move(states));
  Make(node, 1, std::move(last));
}

// `item_rows` are [items, units]; returns the scores.
OnnxValue OnnxWalk::Score(const Node& node, const OnnxValue& hidden, OnnxWeights item_rows) {
  if (hidden.kind != OnnxKind::kHidden || hidden.axes.empty() ||
      hidden.axes.back().role != AxisRole::kFeatures) {
    throw OnnxRefusal(std::string("multiplies ") + Name(hidden.kind) +
                      ", not the units of hidden states");
  }
  // The states of lower layers alone would be other scores.
  const size_t layers = network_.layers.size();
  if (hidden.layers != std::vector<size_t>{layers - 1}) {
    throw OnnxRefusal("scores after another layer than the last");
  }
  if (network_.scoring_node != nullptr) {
    throw OnnxRefusal("a second product with weights beside " + NodeText(*network_.scoring_node));
  }
  const uint64_t units = network_.layers.back().units;
  if (item_rows.shape.size() != 2 || item_rows.shape[1] != units || item_rows.shape[0] < 1 ||
      item_rows.shape[0] > kMaxItems) {
    throw OnnxRefusal(ShapeOfText(item_rows) + " as item rows, the last layer has " +
                      std::to_string(units) + " units");
  }
  network_.scoring_node = &node;
  OnnxValue scores;
  scores.kind = OnnxKind::kScores;
  scores.axes = hidden.axes;
  scores.axes.back() = {AxisRole::kItems, static_cast<int64_t>(item_rows.shape[0])};
  network_.item_rows = std::move(item_rows);
  return scores;
}

void OnnxWalk::TakeBiases(const OnnxWeights& biases, const OnnxValue& scores) {
  const auto items = static_cast<uint64_t>(scores.axes.back().size);
  uint64_t size = 1;
  for (const uint64_t n : biases.shape) size = n == 0 || size > kMaxItems ? 0 : size * n;
  if (biases.transposed || biases.shape.empty() || biases.shape.back() != items || size != items) {
    throw OnnxRefusal(ShapeOfText(biases) + " as biases of " + std::to_string(items) + " items");
  }
  network_.item_biases = biases;
  network_.first_biased = scores.first_item;
}

void OnnxWalk::MatMul(const Node& node) {
  OnnxWeights rows = WholeWeights(Value(node, 1), "its second factors");
  if (rows.shape.size() != 2) throw OnnxRefusal(ShapeOfText(rows) + ", not [units, items]");
  std::swap(rows.shape[0], rows.shape[1]);
  rows.transposed = !rows.transposed;
  Make(node, 0, Score(node, Value(node, 0), std::move(rows)));
}

void OnnxWalk::Gemm(const Node& node) {
  CheckAttributes(node, {"alpha", "beta", "transA", "transB"});
  if (IntegerAttribute(node, "transA", 0) != 0) throw OnnxRefusal("transA is not read");
  const float alpha = FloatAttribute(node, "alpha", 1.0f);
  const float beta = FloatAttribute(node, "beta", 1.0f);
  if (!std::isfinite(alpha) || !std::isfinite(beta)) {
    throw OnnxRefusal("alpha of " + std::to_string(alpha) + ", beta of " + std::to_string(beta));
  }
  OnnxWeights rows = WholeWeights(Value(node, 1), "its second factors");
  const OnnxValue& hidden = Value(node, 0);
  if (rows.shape.size() != 2 || (!hidden.axes.empty() && hidden.axes.size() != 2)) {
    throw OnnxRefusal(ShapeOfText(rows) + ", its factors have two axes");
  }
  if (IntegerAttribute(node, "transB", 0) == 0) {
    std::swap(rows.shape[0], rows.shape[1]);
    rows.transposed = !rows.transposed;
  }
  OnnxValue scores = Score(node, hidden, std::move(rows));
  network_.item_scale = alpha;
  if (Has(node, 2)) {
    TakeBiases(WholeWeights(Value(node, 2), "its summands"), scores);
    network_.bias_scale = beta;
    scores.biased = true;
  }
  Make(node, 0, std::move(scores));
}

void OnnxWalk::Add(const Node& node) {
  const bool turned = Value(node, 0).kind == OnnxKind::kWeights;
  OnnxValue scores = Value(node, turned ? 1 : 0);
  const OnnxValue& biases = Value(node, turned ? 0 : 1);
  if (scores.kind != OnnxKind::kScores || scores.axes.empty() ||
      scores.axes.back().role != AxisRole::kItems || biases.kind != OnnxKind::kWeights) {
    throw OnnxRefusal(std::string("adds ") + Name(scores.kind) + " and " + Name(biases.kind) +
                      ", not scores and item biases");
  }
  if (network_.item_biases.tensor != nullptr) throw OnnxRefusal("adds biases a second time");
  const OnnxWeights& whole = WholeWeights(biases, "the biases");
  if (whole.shape.size() > scores.axes.size()) {
    throw OnnxRefusal(ShapeOfText(whole) + " as biases of scores of " +
                      std::to_string(scores.axes.size()) + " axes");
  }
  TakeBiases(whole, scores);
  scores.biased = true;
  Make(node, 0, std::move(scores));
}

void OnnxWalk::TopK(const Node& node) {
  const OnnxValue& scores = Value(node, 0);
  if (scores.kind != OnnxKind::kScores) {
    throw OnnxRefusal(std::string("the best of ") + Name(scores.kind));
  }
  CheckAttributes(node, {"axis", "largest", "sorted", "k"});
  const size_t axis = AxisAt(IntegerAttribute(node, "axis", -1), scores.axes.size());
  if (scores.axes[axis].role != AxisRole::kItems) {
    throw OnnxRefusal(std::string("the best along the axis of ") + Name(scores.axes[axis].role));
  }
  if (IntegerAttribute(node, "largest", 1) != 1) throw OnnxRefusal("takes the smallest scores");
  OnnxValue best = scores;
  best.kind = OnnxKind::kTopScores;
  Make(node, 0, best);
  best.kind = OnnxKind::kTopItems;
  Make(node, 1, std::move(best));
}

}  // namespace stint
