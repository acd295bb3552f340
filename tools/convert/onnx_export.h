// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// A network -> the bytes of an ONNX file.
#ifndef STINT_TOOLS_CONVERT_ONNX_EXPORT_H_
#define STINT_TOOLS_CONVERT_ONNX_EXPORT_H_

#include <cstdint>
#include <string>

#include "trainer/trained_model.h"

namespace stint {

// Opset 13, float32; Gather, GRU, MatMul, Add, TopK:
//   input   items       int64 [session_length, batch]  item indices, sessions of one length
//   output  top_items   int64 [batch, min(k, items)]   best first
//           top_scores  float [batch, min(k, items)]
//           scores      float [batch, items]           before the final activation
// Under a shared embedding the item rows stand in the file once. What a graph has no place for
// (activations, hyperparameters, the kind of the ids) is in metadata_props. Throws
// std::invalid_argument for k = 0, std::runtime_error "path: reason" if the hidden activation is
// SELU, which ONNX's GRU lacks, or the file would be 2 GiB or more.
std::string OnnxBytes(const TrainedModel& model, uint32_t k);

}  // namespace stint

#endif  // STINT_TOOLS_CONVERT_ONNX_EXPORT_H_
