// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// One GRU layer for one row, forward and backward, in float64. The equations of both published
// forms stand in trainer/parameters.h.
#ifndef STINT_TESTS_REFERENCE_CELL_H_
#define STINT_TESTS_REFERENCE_CELL_H_

#include <vector>

#include "tests/reference/weights.h"
#include "trainer/activation.h"

namespace stint::reference {

// What a layer computed for one row and its backward pass needs again.
struct Cell {
  std::vector<double> old_state;      // [units]
  std::vector<double> reset, update;  // [units]
  std::vector<double> raw_candidate;  // [units] before its activation
  std::vector<double> candidate;      // [units]
  std::vector<double> gated;          // [units] reset_after: (Wh h + bh)_n; reset_before: r * h
  std::vector<double> state;          // [units] before dropout
};

// `product` [3 units]: Wi x, without the bias.
Cell CellForward(const LayerWeights& layer, const Activation& activation,
                 const std::vector<double>& product, std::vector<double> old_state);

// d loss / d state -> d loss / d product [3 units]; adds to the layer's gradient, but for the
// input weights. The old state is a constant: no back-propagation through time.
std::vector<double> CellBackward(const LayerWeights& layer, const Activation& activation,
                                 const Cell& cell, const std::vector<double>& d_state,
                                 LayerWeights* gradient);

}  // namespace stint::reference

#endif  // STINT_TESTS_REFERENCE_CELL_H_
