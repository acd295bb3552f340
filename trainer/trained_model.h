// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// A model file -> the network in it as the trainer has networks: what another run, another kind of
// file or another engine starts from.
#ifndef STINT_TRAINER_TRAINED_MODEL_H_
#define STINT_TRAINER_TRAINED_MODEL_H_

#include <cstdint>
#include <string>
#include <vector>

#include "stint/stint.h"
#include "trainer/activation.h"
#include "trainer/model_bytes.h"
#include "trainer/options.h"
#include "trainer/parameters.h"
#include "trainer/sessions.h"

namespace stint {

// All that a model file says but for what is made anew of it: panels, cascade, expected answers.
struct TrainedModel {
  std::string path;
  // Of the item rows and of the layers; if others than f32, the weights are those of the rounded
  // codes.
  DType dtype = DType::kF32;
  DType layer_dtype = DType::kF32;
  Scoring scoring = Scoring::kScan;
  Activation hidden_activation = {ActivationKind::kTanh};
  Activation final_activation = {ActivationKind::kSoftmax};
  std::string hyperparameters = "{}";                     // JSON object
  std::string training_summary = "{}";                    // JSON object
  std::vector<std::vector<uint32_t>> self_test_sessions;  // item indices
  uint64_t xxh3 = 0;                                      // of the file
  Catalog catalog;
  Parameters parameters;
};

// Throws std::runtime_error "path: ..." if the runtime refuses the file.
TrainedModel ReadTrainedModel(const std::string& path);
// The same of bytes that start at a multiple of 64; `path` for messages.
TrainedModel ParseTrainedModel(const AlignedBytes& bytes, const std::string& path);

// Items of an opened model in the terms of the log reader.
Catalog ReadCatalog(const stint_model* model);

// Shape of an opened model.
NetworkShape ShapeOf(const stint_model_info& info);

}  // namespace stint

#endif  // STINT_TRAINER_TRAINED_MODEL_H_
