// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

#include "trainer/initialize.h"

#include <cmath>

#include "trainer/random.h"

namespace stint {

void Initialize(const Options& options, Parameters* parameters) {
  const RandomCounter random(options.seed, uint64_t(RandomStream::kInitialize));
  uint64_t drawn = 0;
  // `fan_out` rows of a gate block at a time; every element takes the next draw.
  auto fill = [&](const Matrix& m, size_t fan_out) {
    const double s = std::sqrt(6.0 / double(m.cols + fan_out));
    for (size_t r = 0; r < m.rows; ++r) {
      for (size_t c = 0; c < m.cols; ++c) {
        m.Row(r)[c] = float((2.0 * random.Unit(drawn++) - 1.0) * s);
      }
    }
  };
  for (const GruParameters& layer : parameters->layers) {
    fill(layer.input_weights, layer.units());
    fill(layer.hidden_weights, layer.units());
  }
  fill(parameters->items, parameters->items.rows);
  fill(parameters->inputs, parameters->inputs.rows);
}

}  // namespace stint
