// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// A network -> model files of the kinds that the runtime has, and networks of fewer items.
#ifndef STINT_TOOLS_CONVERT_MODEL_KIND_H_
#define STINT_TOOLS_CONVERT_MODEL_KIND_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "trainer/model_bytes.h"
#include "trainer/options.h"
#include "trainer/trained_model.h"

namespace stint {

// How a model file holds its weights and finds a top-k.
struct ModelKind {
  DType dtype = DType::kF32;        // of the item rows
  DType layer_dtype = DType::kF32;  // int8 under rows of int8, f32 under f32; either under others
  Scoring scoring = Scoring::kScan;

  friend bool operator==(const ModelKind&, const ModelKind&) = default;
};
// "int4", "int4 over f32 layers", "f32, scoring exact".
std::string Name(const ModelKind& kind);

// All that differ in their weights: the two of f32 and int8, and either layers under bf16 and int4.
std::vector<ModelKind> ScanKinds();

// A model file of that kind; `calibration` as in ExportInput. Throws std::runtime_error if there is
// none: other layers than the item rows go with, or a scoring.
AlignedBytes BuildKind(const TrainedModel& model, const ModelKind& kind,
                       const std::vector<std::vector<uint32_t>>& calibration);

// The network of the `items` that stood most often in the training events, in the order that they
// had; of equal counts the first. Items are left out of the test sessions too. Throws
// std::runtime_error if the counts do not tell items apart.
TrainedModel KeepTop(const TrainedModel& model, size_t items);

// Sessions to test a file with that brings none: made up, the same for the same number of items.
std::vector<std::vector<uint32_t>> MadeUpSessions(size_t items);

}  // namespace stint

#endif  // STINT_TOOLS_CONVERT_MODEL_KIND_H_
