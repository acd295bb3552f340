// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

#include "trainer/parameters.h"

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include <algorithm>
#include <cstring>
#include <new>

namespace stint {
namespace {

// Rows are gathered at random from tens of megabytes: on 4 KiB pages every row would
// miss the TLB, so the block starts on a 2 MiB boundary and asks for huge pages.
constexpr size_t kBlockAlignment = size_t{2} << 20;

float* AllocateZeroed(size_t floats) {
  const size_t bytes = RoundUp(floats * sizeof(float), kBlockAlignment);
  void* block = ::operator new(bytes, std::align_val_t(kBlockAlignment));
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  (void)madvise(block, bytes, MADV_HUGEPAGE);  // advice only: nothing to do if refused
#endif
  std::memset(block, 0, bytes);
  return static_cast<float*>(block);
}

// Hands out consecutive matrices of a block; without one it only counts.
struct Arena {
  float* block;
  size_t used = 0;

  Matrix Take(size_t rows, size_t cols) {
    Matrix m;
    m.rows = rows;
    m.cols = cols;
    m.stride = RoundUp(cols, kRowAlignment);
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

void Parameters::Free::operator()(float* p) const {
  ::operator delete(p, std::align_val_t(kBlockAlignment));
}

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
  block_floats_ = LayOut(network_shape, nullptr, this);
  block_.reset(AllocateZeroed(block_floats_));
  LayOut(network_shape, block_.get(), this);
}

Parameters::Parameters(const Parameters& other) {
  if (other.block_ == nullptr) return;
  *this = Parameters(other.shape);
  std::copy_n(other.block_.get(), block_floats_, block_.get());
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
