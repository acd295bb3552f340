// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Item rows and some hidden states -> the cascade of a model file: what lets the runtime find an
// exact top-k without reading the rows (runtime/cascade.h has the mathematics, schema/panel.h the
// layouts).
#ifndef STINT_TRAINER_CASCADE_H_
#define STINT_TRAINER_CASCADE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "trainer/parameters.h"

namespace stint {

struct CascadeInput {
  Matrix rows;                    // [items, H] as trained
  const float* biases = nullptr;  // [items], or null for zeros
  bool int8 = true;  // the model is the int8 codes of the rows; else it is the rows themselves
  // Hidden states of the last layer as they come in use, to fit the cascade to them. May be empty.
  std::vector<std::vector<float>> hidden;  // [n][H]
  // M; 0: the one that promises the quickest answers.
  uint32_t columns = 0;
  uint32_t threads = 0;  // 0: one a core. The result does not depend on it
};

struct CascadeSections {
  uint32_t columns = 0;
  float skew = 0;
  float rho_unit = 0;
  float tau_unit = 0;
  float kappa = 0;
  float omega = 0;
  float largest_bias = 0;
  float mean_rho = 0;
  float mean_tau = 0;
  std::vector<uint8_t> projection;
  std::vector<uint8_t> codes;
  std::vector<uint8_t> rows;
  std::vector<uint32_t> seeds;
};

// Widths that have a cascade: a code takes four columns, and beyond the largest width the
// projection costs more than it saves.
inline constexpr size_t kMinCascadeWidth = 4;
inline constexpr size_t kMaxCascadeWidth = 2048;

// Throws std::runtime_error for rows of another width.
CascadeSections BuildCascade(const CascadeInput& input);

}  // namespace stint

#endif  // STINT_TRAINER_CASCADE_H_
