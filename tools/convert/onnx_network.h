// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// An ONNX graph -> the parts of a network in it, found by following what each node makes. For the
// files of tools/convert/onnx_*.cc alone.
#ifndef STINT_TOOLS_CONVERT_ONNX_NETWORK_H_
#define STINT_TOOLS_CONVERT_ONNX_NETWORK_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tools/convert/onnx_graph.h"
#include "trainer/activation.h"

namespace stint {

// A tensor of the file, in an orientation.
struct OnnxWeights {
  const onnx::TensorProto* tensor = nullptr;
  const std::string* name = nullptr;  // of the graph: many nodes may have the same tensor
  std::vector<uint64_t> shape;        // as the graph uses it
  bool transposed = false;            // ... which is the tensor's two axes changed
};

struct OnnxLayer {
  const onnx::NodeProto* node = nullptr;
  size_t units = 0;
  OnnxWeights input_weights;   // [1, 3 units, inputs], gates z r h
  OnnxWeights hidden_weights;  // [1, 3 units, units]
  OnnxWeights biases;          // [1, 6 units], input's first; no tensor: none
  bool reset_after = false;    // linear_before_reset
  Activation hidden_activation = {ActivationKind::kTanh};
};

struct OnnxNetwork {
  const onnx::NodeProto* input_node = nullptr;  // Gather or OneHot
  OnnxWeights embedding;                        // [items, inputs]; no tensor: one-hot
  uint64_t one_hot_items = 0;
  std::vector<OnnxLayer> layers;
  const onnx::NodeProto* scoring_node = nullptr;  // MatMul or Gemm
  OnnxWeights item_rows;                          // [items, units of the last layer]
  float item_scale = 1.0f;                        // Gemm's alpha
  OnnxWeights item_biases;                        // [items], axes of one element before; or none
  uint64_t first_item = 0;                        // scores of the rows before it are cut off
  uint64_t first_biased = 0;  // ... and were before the biases came, which have no numbers of them
  float bias_scale = 1.0f;    // Gemm's beta
};

// Throws std::runtime_error "path: node 'name' (Op): reason". The parts point into `graph`.
OnnxNetwork FindNetwork(const OnnxGraph& graph);

}  // namespace stint

#endif  // STINT_TOOLS_CONVERT_ONNX_NETWORK_H_
