// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Catalog size and units -> a model with random weights.
#include "bench/random_model.h"

#include <cmath>
#include <stdexcept>
#include <string>

#include "bench/random_log.h"
#include "trainer/initialize.h"
#include "trainer/random.h"

namespace stint::bench {

OpenModel RandomModel(size_t items, const std::vector<size_t>& layers, DType dtype, uint64_t seed,
                      GruForm form) {
  OpenModel result;
  result.parameters = Parameters(items, layers, form);
  Parameters& p = result.parameters;
  Initialize(Options{.seed = seed}, &p);
  // Hidden values are about +-0.5 in a trained model; rows of the norm 6 give scores of about 3.
  const RandomCounter random(seed, 1002);
  const double spread = 6.0 * std::sqrt(3.0 / static_cast<double>(p.width()));
  for (size_t i = 0; i < items; ++i) {
    for (size_t j = 0; j < p.width(); ++j) {
      p.items.Row(i)[j] = static_cast<float>(spread * (2.0 * random.Unit(i * p.width() + j) - 1.0));
    }
  }
  const Catalog catalog = ZipfCatalog(items, seed);
  ExportInput input;
  input.parameters = &p;
  input.catalog = &catalog;
  input.dtype = dtype;
  result.bytes = BuildModel(input);
  stint_model* model = nullptr;
  stint_error error;
  if (stint_model_from_buffer(result.bytes.data(), result.bytes.size(), &model, &error) !=
      STINT_OK) {
    throw std::runtime_error(std::string("random model: ") + error.message);
  }
  result.model.reset(model);
  return result;
}

uint64_t SectionBytes(const stint_model* model, const char* name) {
  stint_section_info section;
  for (uint32_t i = 0; stint_model_section(model, i, &section) == STINT_OK; ++i) {
    if (std::string(section.name).find(name) != std::string::npos) return section.size;
  }
  throw std::runtime_error(std::string("the model has no section '") + name + "'");
}

}  // namespace stint::bench
