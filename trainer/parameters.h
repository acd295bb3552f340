// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// All trainable weights of a network in one block, with named views into it.
#ifndef STINT_TRAINER_PARAMETERS_H_
#define STINT_TRAINER_PARAMETERS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "trainer/aligned_floats.h"
#include "trainer/options.h"

namespace stint {

// Floats from one cache line to the next; every matrix row starts on one.
inline constexpr size_t kRowAlignment = 16;
inline constexpr size_t RoundUp(size_t n, size_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

// A row-major view. Elements [cols, stride) of a row are zero and stay zero.
struct Matrix {
  float* data = nullptr;
  size_t rows = 0;
  size_t cols = 0;
  size_t stride = 0;  // floats from row to row, a multiple of kRowAlignment

  float* Row(size_t r) const { return data + r * stride; }
  size_t size() const { return rows * stride; }
};

// One GRU layer; gate rows in the order reset, update, candidate.
struct GruParameters {
  Matrix input_weights;   // [3 * units, inputs]
  Matrix hidden_weights;  // [3 * units, units]
  Matrix input_bias;      // [1, 3 * units]
  Matrix hidden_bias;     // [1, 3 * units]; rows == 0 in the reset_before form
  GruForm form = GruForm::kResetAfter;

  size_t units() const { return hidden_weights.cols; }
  size_t inputs() const { return input_weights.cols; }  // 0 where rows of `inputs` stand for it
};

// What fixes the sizes of all parameters.
struct NetworkShape {
  size_t items = 0;
  std::vector<size_t> layers;  // units
  GruForm gru_form = GruForm::kResetAfter;
  Embedding embedding = Embedding::kShared;
  size_t embedding_width = 0;  // of Embedding::kSeparate

  static NetworkShape Of(const Options& options, size_t items);
  // One-hot input goes with the reset_before form (ALGORITHM section 18).
  GruForm FormOf(size_t layer) const {
    return layer == 0 && embedding == Embedding::kNone ? GruForm::kResetBefore : gru_form;
  }
  friend bool operator==(const NetworkShape&, const NetworkShape&) = default;
};

// kResetAfter:  a = Wi x + bi, b = Wh h + bh, r = sigmoid(a_r + b_r), z = sigmoid(a_z + b_z),
//               n = tanh(a_n + r * b_n), h' = (1 - z) n + z h      (z weighs the old state)
// kResetBefore: a = Wi x + bi, r = sigmoid(a_r + (Wh h)_r), z = sigmoid(a_z + (Wh h)_z),
//               n = tanh(a_n + Wh_n (r * h)), h' = (1 - z) h + z n  (z weighs the candidate)
// Scores: s = items h + item_bias, with the hidden state of the last layer. The first layer's Wi x
// by embedding (arXiv 1706.03847, section 4.2):
//   shared    x is a row of `items`;
//   separate  x is a row of `inputs` [items, embedding width];
//   none      Wi x is a row of `inputs` [items, 3 * units], gates in order; input_weights is empty.
struct Parameters {
  NetworkShape shape;
  std::vector<GruParameters> layers;
  Matrix inputs;     // rows == 0 if shared
  Matrix items;      // [items, width], width = units of the last layer
  Matrix item_bias;  // [1, items]

  // All of the above, zeroed. Copies are deep.
  Parameters() = default;
  explicit Parameters(const NetworkShape& network_shape);
  // Shared embedding.
  Parameters(size_t n_items, const std::vector<size_t>& layer_units, GruForm gru_form)
      : Parameters(NetworkShape{.items = n_items, .layers = layer_units, .gru_form = gru_form}) {}
  Parameters(const Parameters& other);
  Parameters& operator=(const Parameters& other);
  Parameters(Parameters&&) noexcept = default;
  Parameters& operator=(Parameters&&) noexcept = default;

  size_t width() const { return items.cols; }
  // The views of all layers, in the order input_weights, hidden_weights, input_bias,
  // hidden_bias per layer: what is updated densely.
  std::vector<Matrix> Dense() const;
  // The matrix whose rows items enter by.
  const Matrix& InputRows() const { return inputs.rows > 0 ? inputs : items; }

  // All floats, padding too; blocks of the same shape are laid out alike.
  float* block() const { return block_.data(); }
  size_t block_floats() const { return block_.size(); }

 private:
  AlignedFloats block_;
};

}  // namespace stint

#endif  // STINT_TRAINER_PARAMETERS_H_
