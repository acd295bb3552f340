// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Catalog size and units -> a model with random weights: as fast as a trained one, made at once.
#ifndef STINT_BENCH_RANDOM_MODEL_H_
#define STINT_BENCH_RANDOM_MODEL_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "stint/stint.h"
#include "trainer/export.h"
#include "trainer/options.h"
#include "trainer/parameters.h"

namespace stint::bench {

struct OpenModel {
  Parameters parameters;
  AlignedBytes bytes;
  std::unique_ptr<stint_model, void (*)(stint_model*)> model{nullptr, stint_model_destroy};
};

// Item rows and scores have the spread of a trained model's: scores of about standard deviation 3.
OpenModel RandomModel(size_t items, const std::vector<size_t>& layers, DType dtype, uint64_t seed,
                      GruForm form = GruForm::kResetAfter);

// Bytes of a section of the model file whose name contains `name`.
uint64_t SectionBytes(const stint_model* model, const char* name);

}  // namespace stint::bench

#endif  // STINT_BENCH_RANDOM_MODEL_H_
