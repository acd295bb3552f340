// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

#include "trainer/parameters.h"

#include <algorithm>

namespace stint {
namespace {

constexpr size_t kConflictingFloats = 256;

// Hands out consecutive matrices of a block; without one it only counts.
struct Arena {
  float* block;
  size_t used = 0;

  Matrix Take(size_t rows, size_t cols) {
    Matrix m;
    m.rows = rows;
    m.cols = cols;
    m.stride = RoundUp(cols, kRowAlignment);
    // Rows a multiple of 1 KiB apart share few sets of the first-level cache: products that go down
    // a column ran at 90 instead of 150 GFLOP/s.
    if (m.stride % kConflictingFloats == 0) m.stride += kRowAlignment;
    if (block != nullptr) m.data = block + used;
    used += m.size();
    return m;
  }
};

size_t LayOut(const NetworkShape& shape, float* block, Parameters* p) {
  Arena arena{block};
  p->shape = shape;
  p->layers.clear();
  const bool one_hot = shape.embedding == Embedding::kNone;
  size_t inputs =
      shape.embedding == Embedding::kSeparate ? shape.embedding_width : shape.layers.back();
  for (size_t l = 0; l < shape.layers.size(); ++l) {
    const size_t units = shape.layers[l];
    GruParameters layer;
    layer.form = shape.FormOf(l);
    layer.input_weights = l == 0 && one_hot ? arena.Take(0, 0) : arena.Take(3 * units, inputs);
    layer.hidden_weights = arena.Take(3 * units, units);
    layer.input_bias = arena.Take(1, 3 * units);
    layer.hidden_bias = arena.Take(layer.form == GruForm::kResetAfter ? 1 : 0, 3 * units);
    p->layers.push_back(layer);
    inputs = units;
  }
  p->item_bias = arena.Take(1, shape.items);
  p->items = arena.Take(shape.items, shape.layers.back());
  p->inputs = {};
  if (shape.embedding == Embedding::kSeparate) {
    p->inputs = arena.Take(shape.items, shape.embedding_width);
  } else if (one_hot) {
    p->inputs = arena.Take(shape.items, 3 * shape.layers[0]);
  }
  return arena.used;
}

}  // namespace

NetworkShape NetworkShape::Of(const Options& options, size_t items) {
  NetworkShape shape{.items = items,
                     .layers = options.layers,
                     .gru_form = options.gru_form,
                     .embedding = options.embedding};
  if (options.embedding == Embedding::kSeparate) {
    shape.embedding_width =
        options.embedding_width != 0 ? options.embedding_width : options.layers[0];
  }
  return shape;
}

Parameters::Parameters(const NetworkShape& network_shape) {
  block_ = AlignedFloats(LayOut(network_shape, nullptr, this));
  LayOut(network_shape, block_.data(), this);
}

Parameters::Parameters(const Parameters& other) {
  if (other.block() == nullptr) return;
  *this = Parameters(other.shape);
  std::copy_n(other.block(), block_floats(), block());
}

Parameters& Parameters::operator=(const Parameters& other) {
  if (this != &other) *this = Parameters(other);
  return *this;
}

std::vector<Matrix> Parameters::Dense() const {
  std::vector<Matrix> dense;
  for (const GruParameters& layer : layers) {
    dense.push_back(layer.input_weights);
    dense.push_back(layer.hidden_weights);
    dense.push_back(layer.input_bias);
    dense.push_back(layer.hidden_bias);
  }
  return dense;
}

}  // namespace stint
