// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Nothing -> small models of everything that a model file may hold, as today's exporter writes
// them. Those in this folder were made so once and never change again (README.md).
#ifndef STINT_TESTS_GOLDEN_GOLDEN_MODELS_H_
#define STINT_TESTS_GOLDEN_GOLDEN_MODELS_H_

#include <string>
#include <vector>

#include "trainer/model_bytes.h"

namespace stint {

struct GoldenModel {
  std::string name;  // of the file, without ".stint": what is in it (golden_answers.h)
  AlignedBytes bytes;
};
std::vector<GoldenModel> GoldenModels();

}  // namespace stint

#endif  // STINT_TESTS_GOLDEN_GOLDEN_MODELS_H_
