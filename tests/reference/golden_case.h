// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// A golden training case (README of the golden folder) -> settings, steps and weights in the
// terms of the reference network.
#ifndef STINT_TESTS_REFERENCE_GOLDEN_CASE_H_
#define STINT_TESTS_REFERENCE_GOLDEN_CASE_H_

#include <string>
#include <vector>

#include "tests/reference/network.h"
#include "tests/reference/safetensors.h"

namespace stint::reference {

struct GoldenCase {
  std::string name;  // "torch_constrained_16_xe"
  Safetensors file;
  NetworkShape shape;
  Settings settings;
  std::vector<StepInput> steps;
  double keep_embedding = 1;  // keep probabilities of the masks in `steps`, 1 without
  double keep_hidden = 1;

  bool HasWeights(const std::string& prefix) const;  // "w20"
  // The arrays `prefix`.*, rearranged to gate order reset, update, candidate.
  Weights ReadWeights(const std::string& prefix) const;
  // Whether these arrays were rounded to float32 when the file was written.
  bool IsRounded(const std::string& prefix) const;
};

// Files of `folder` that are training cases, by name.
std::vector<std::string> ListGoldenCases(const std::string& folder);

// "bpr-max" -> Loss::kBprMax. Throws std::runtime_error.
Loss ParseLoss(const std::string& name);
// "elu-0.5" as golden files write it, where the cross-entropies take "softmax_logit" too.
Activation ParseFinalActivation(const std::string& name);

// Reads a case and its mini-batches from data.safetensors beside it. Throws std::runtime_error
// if it lacks something or asks for what stint does not know.
GoldenCase ReadGoldenCase(const std::string& path);

}  // namespace stint::reference

#endif  // STINT_TESTS_REFERENCE_GOLDEN_CASE_H_
