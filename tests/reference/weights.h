// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The arrays that a network learns, in float64.
#ifndef STINT_TESTS_REFERENCE_WEIGHTS_H_
#define STINT_TESTS_REFERENCE_WEIGHTS_H_

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "trainer/parameters.h"

namespace stint::reference {

// A dense row-major array.
struct Array {
  size_t rows = 0;
  size_t cols = 0;
  std::vector<double> values;  // [rows, cols]

  Array() = default;
  Array(size_t n_rows, size_t n_cols) : rows(n_rows), cols(n_cols), values(n_rows * n_cols) {}
  double& operator()(size_t r, size_t c) { return values[r * cols + c]; }
  double operator()(size_t r, size_t c) const { return values[r * cols + c]; }
};

// One GRU layer; gate rows in the order reset, update, candidate.
struct LayerWeights {
  GruForm form = GruForm::kResetAfter;
  Array input_weights;   // [3 * units, inputs]; empty in the first layer of one-hot input
  Array hidden_weights;  // [3 * units, units]
  Array input_bias;      // [1, 3 * units]
  Array hidden_bias;     // [1, 3 * units]; empty in the reset_before form

  size_t units() const { return hidden_weights.cols; }
  size_t inputs() const { return input_weights.cols; }
};

// All weights; gradients and the optimizer's slots have the same shape.
struct Weights {
  NetworkShape shape;
  std::vector<LayerWeights> layers;
  // Embedding::kSeparate: [items, embedding width]; kNone: [items, 3 * units of the first layer],
  // gates in order; kShared: empty, the rows of `items` are the input.
  Array inputs;
  Array items;       // [items, width of the last layer]
  Array item_bias;   // [1, items]
  Array item_scale;  // [1, 1] where items are normalized, else empty

  Weights() = default;
  explicit Weights(const NetworkShape& network_shape);  // zeros
  // Shared embedding.
  Weights(size_t n_items, const std::vector<size_t>& units, GruForm form)
      : Weights(NetworkShape{.items = n_items, .layers = units, .gru_form = form}) {}
  // Every array with its name ("layers.0.input_weights", "items"), the empty ones left out.
  std::vector<std::pair<std::string, Array*>> Named();
  std::vector<std::pair<std::string, const Array*>> Named() const;
};

// The same shape, all zero.
Weights ZerosLike(const Weights& weights);
// Units of every layer.
inline std::vector<size_t> UnitsOf(const Weights& weights) { return weights.shape.layers; }

}  // namespace stint::reference

#endif  // STINT_TESTS_REFERENCE_WEIGHTS_H_
