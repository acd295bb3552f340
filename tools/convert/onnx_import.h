// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// An ONNX graph of Gather, GRU and MatMul, as PyTorch's exporter writes it -> a network.
#ifndef STINT_TOOLS_CONVERT_ONNX_IMPORT_H_
#define STINT_TOOLS_CONVERT_ONNX_IMPORT_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "trainer/trained_model.h"

namespace stint {

// Reads  items -> Gather (or OneHot) -> GRU, 1 to 16 of them -> MatMul or Gemm -> Add -> TopK
// with nodes between that only move axes. Which axis is a session's steps and which the batch is
// followed through these: a graph that scores after another step than the last is refused, and so
// is every node that is not understood, by its name. The hidden state must start at zero or be an
// input.
//   linear_before_reset 1 -> kResetAfter, 0 -> kResetBefore
//   the same numbers as embedding and as item rows -> a shared embedding
//   one-hot input, or an embedding before identity weights, with linear_before_reset 0 -> none
// `padding_rows` at the start of the embedding belong to no item: these many rows more than scores,
// or of both; scores[..., n:] are those of the item rows from n on.
// The catalog stays empty, the weights are float32. Of a file that stint wrote come back what it
// has in metadata_props, and in `ids`, if given, "names" or "integers", the kind of the items' ids
// ("": not said); of others the final activation is linear.
// Throws std::runtime_error "path: reason" that names the node or the tensor.
TrainedModel ReadOnnx(const std::string& path, size_t padding_rows = 0, std::string* ids = nullptr);
// The same of a file's bytes; `path` is for messages.
TrainedModel ParseOnnx(std::span<const uint8_t> bytes, const std::string& path,
                       size_t padding_rows = 0, std::string* ids = nullptr);

}  // namespace stint

#endif  // STINT_TOOLS_CONVERT_ONNX_IMPORT_H_
