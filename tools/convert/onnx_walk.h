// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// What FindNetwork() knows of each array while it goes from node to node.
#ifndef STINT_TOOLS_CONVERT_ONNX_WALK_H_
#define STINT_TOOLS_CONVERT_ONNX_WALK_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tools/convert/onnx_axes.h"
#include "tools/convert/onnx_graph.h"
#include "tools/convert/onnx_network.h"

namespace stint {

enum class OnnxKind {
  kWeights,    // of the file
  kShape,      // integers computed from sizes
  kState,      // a hidden state to start from: zeros or an input of the graph
  kItems,      // item indices
  kRows,       // embedded items
  kHidden,     // hidden states
  kScores,     // of all items
  kTopScores,  // of the best
  kTopItems,
};
const char* Name(OnnxKind kind);
inline constexpr int64_t kNoNumber = INT64_MIN;

struct OnnxValue {
  OnnxKind kind = OnnxKind::kShape;
  Axes axes;                   // of kItems, kRows, kHidden, kScores
  OnnxWeights weights;         // of kWeights
  bool repeated = false;       // ... which Expand or Slice made others of: only zeros may be
  std::vector<size_t> layers;  // of kHidden: one, or one a place of the axis kLayers
  bool biased = false;         // of kScores
  uint64_t first_item = 0;     // ... of which those before are cut off
  bool given = false;          // of kState: an input of the graph
  std::vector<int64_t> sizes;  // of kShape, where all places are known; kNoNumber: not the number
};

class OnnxWalk {
 public:
  explicit OnnxWalk(const OnnxGraph& graph) : graph_(graph) {}
  OnnxNetwork Run();

 private:
  using Node = onnx::NodeProto;

  void AddInputs();
  void Visit(const Node& node);
  void CheckOutputs();
  const OnnxValue& Value(const Node& node, int input) const;  // refuses an input that is not there
  bool Has(const Node& node, int input) const { return !InputOf(node, input).empty(); }
  void Make(const Node& node, int output, OnnxValue value);
  // Integers that a node is told: its input, or the attribute that older opsets have.
  std::vector<int64_t> Integers(const Node& node, int input) const;
  std::vector<int64_t> IntegersOr(const Node& node, int input, const char* attribute) const;
  std::vector<int64_t> SizesOf(const OnnxValue& value) const;
  OnnxValue WeightsOf(const onnx::TensorProto& tensor, const std::string& name) const;

  // onnx_walk_moves.cc: what moves or picks elements.
  void Move(const Node& node);
  void MoveWeights(const Node& node, OnnxValue value);
  void Slice(const Node& node);
  void Pick(const Node& node);  // Gather of one element
  void PickSize(const Node& node, OnnxValue shape);
  void Concat(const Node& node);
  void Cast(const Node& node);
  void Expand(const Node& node);
  void Shape(const Node& node);
  void Constant(const Node& node);
  void ConstantOfShape(const Node& node);

  // onnx_walk_layers.cc: what computes.
  void Gather(const Node& node);
  void OneHot(const Node& node);
  void Gru(const Node& node);
  void CheckStart(const Node& node) const;
  void CheckSteps(const Node& node, const OnnxValue& input) const;
  void MatMul(const Node& node);
  void Gemm(const Node& node);
  void Add(const Node& node);
  void TopK(const Node& node);
  void TakeInput(const Node& node);
  OnnxValue Score(const Node& node, const OnnxValue& hidden, OnnxWeights item_rows);
  void TakeBiases(const OnnxWeights& biases, const OnnxValue& scores);

  const OnnxGraph& graph_;
  std::map<std::string, OnnxValue> values_;
  OnnxNetwork network_;
};

// The tensor of a node's weights; refuses other arrays and such as Expand or Slice made.
const OnnxWeights& WholeWeights(const OnnxValue& value, const char* what);

}  // namespace stint

#endif  // STINT_TOOLS_CONVERT_ONNX_WALK_H_
