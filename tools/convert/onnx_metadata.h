// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// What an ONNX file of stint says beside its graph. For the files of tools/convert/onnx_*.cc alone.
#ifndef STINT_TOOLS_CONVERT_ONNX_METADATA_H_
#define STINT_TOOLS_CONVERT_ONNX_METADATA_H_

#include <string>

#include "tools/convert/onnx_graph.h"
#include "trainer/trained_model.h"

namespace stint {

inline constexpr char kOnnxProducer[] = "stint";
// Keys of metadata_props.
inline constexpr char kOnnxHyperparameters[] = "stint.hyperparameters";
inline constexpr char kOnnxTrainingSummary[] = "stint.training_summary";
inline constexpr char kOnnxHiddenActivation[] = "stint.hidden_activation";
inline constexpr char kOnnxFinalActivation[] = "stint.final_activation";
inline constexpr char kOnnxIds[] = "stint.ids";  // "names" or "integers"

// The metadata of a file that stint wrote -> the model, whose hidden activation is known by the
// graph, and the kind of its ids, "" if it is not said. Nothing of a file from elsewhere. Throws
// std::runtime_error "path: metadata 'key': reason".
void ReadOnnxMetadata(const OnnxGraph& file, TrainedModel* model, std::string* ids);

}  // namespace stint

#endif  // STINT_TOOLS_CONVERT_ONNX_METADATA_H_
