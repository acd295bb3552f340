// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

#include "trainer/parameters.h"

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include <algorithm>
#include <cmath>
#include <cstring>
#include <new>

#include "trainer/random.h"

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

size_t LayOut(size_t n_items, const std::vector<size_t>& layer_units, GruForm form, float* block,
              Parameters* p) {
  Arena arena{block};
  p->form = form;
  p->layers.clear();
  size_t inputs = layer_units.back();  // the shared embedding's width
  for (size_t units : layer_units) {
    GruParameters layer;
    layer.input_weights = arena.Take(3 * units, inputs);
    layer.hidden_weights = arena.Take(3 * units, units);
    layer.input_bias = arena.Take(1, 3 * units);
    layer.hidden_bias = arena.Take(form == GruForm::kResetAfter ? 1 : 0, 3 * units);
    p->layers.push_back(layer);
    inputs = units;
  }
  p->item_bias = arena.Take(1, n_items);
  p->items = arena.Take(n_items, layer_units.back());
  return arena.used;
}

}  // namespace

void Parameters::Free::operator()(float* p) const {
  ::operator delete(p, std::align_val_t(kBlockAlignment));
}

Parameters::Parameters(size_t n_items, const std::vector<size_t>& layer_units, GruForm gru_form) {
  block_floats_ = LayOut(n_items, layer_units, gru_form, nullptr, this);
  block_.reset(AllocateZeroed(block_floats_));
  LayOut(n_items, layer_units, gru_form, block_.get(), this);
}

Parameters::Parameters(const Parameters& other) {
  if (other.block_ == nullptr) return;
  *this = Parameters(other.items.rows, other.LayerUnits(), other.form);
  std::copy_n(other.block_.get(), block_floats_, block_.get());
}

Parameters& Parameters::operator=(const Parameters& other) {
  if (this != &other) *this = Parameters(other);
  return *this;
}

std::vector<size_t> Parameters::LayerUnits() const {
  std::vector<size_t> units;
  for (const GruParameters& layer : layers) units.push_back(layer.units());
  return units;
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

void Initialize(uint64_t seed, Parameters* parameters) {
  const RandomCounter random(seed, uint64_t(RandomStream::kInitialize));
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
}

}  // namespace stint
