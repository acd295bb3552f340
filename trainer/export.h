// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Parameters and catalog -> the bytes of a model file.
#ifndef STINT_TRAINER_EXPORT_H_
#define STINT_TRAINER_EXPORT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "trainer/model_bytes.h"
#include "trainer/options.h"
#include "trainer/parameters.h"
#include "trainer/sessions.h"

namespace stint {

struct ExportInput {
  const Parameters* parameters = nullptr;
  const Catalog* catalog = nullptr;
  DType dtype = DType::kInt8;
  bool f32_layers = false;  // floats under item rows of bf16 or int4, whose layers are int8 else
  Activation final_activation = {ActivationKind::kSoftmax};
  Activation hidden_activation = {ActivationKind::kTanh};  // not softmax
  std::string hyperparameters = "{}";                      // JSON object
  std::string training_summary = "{}";                     // JSON object
  // Item sequences whose top-k is computed by the runtime and stored as self-tests.
  std::vector<std::vector<uint32_t>> self_test_sessions;
  uint32_t self_test_k = 20;
  // How the runtime finds a top-k. Int8, Exact: by a cascade, fitted to the hidden states of
  // the clicks of `calibration_sessions` (item sequences as they come in use): some thousand
  // clicks, more than a layer has units, or the fit flatters itself.
  Scoring scoring = Scoring::kScan;
  std::vector<std::vector<uint32_t>> calibration_sessions;
  uint32_t cascade_columns = 0;  // M; 0: the one that promises the quickest answers
};

// Builds a model. Throws std::runtime_error if the file would not fit the format
// (2 GiB), a weight is not finite or beyond 1e15, an item id stands twice, or the parts of the
// input contradict each other.
AlignedBytes BuildModel(const ExportInput& input);

// The activations in the bytes of a model, which the runtime has verified. Their parameters are
// floats there; these are the doubles of the shortest decimals that give these floats.
void ReadActivations(const uint8_t* bytes, Activation* hidden, Activation* final);

// The item sequences of the self-tests in the bytes of a model, which the runtime has verified.
std::vector<std::vector<uint32_t>> ReadSelfTests(const uint8_t* bytes);

}  // namespace stint

#endif  // STINT_TRAINER_EXPORT_H_
