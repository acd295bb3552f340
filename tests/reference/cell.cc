// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

#include "tests/reference/cell.h"

#include <utility>

#include "tests/reference/activation.h"

namespace stint::reference {

Cell CellForward(const LayerWeights& layer, const Activation& activation,
                 const std::vector<double>& product, std::vector<double> old_state) {
  const size_t units = layer.units();
  Cell cell;
  cell.old_state = std::move(old_state);
  for (auto* v : {&cell.reset, &cell.update, &cell.raw_candidate, &cell.candidate, &cell.gated,
                  &cell.state}) {
    v->resize(units);
  }
  const bool after = layer.form == GruForm::kResetAfter;
  const auto from_input = [&](size_t row) { return product[row] + layer.input_bias(0, row); };
  const auto from_state = [&](size_t row, const std::vector<double>& state) {
    double sum = after ? layer.hidden_bias(0, row) : 0.0;
    for (size_t c = 0; c < units; ++c) sum += layer.hidden_weights(row, c) * state[c];
    return sum;
  };
  for (size_t u = 0; u < units; ++u) {
    cell.reset[u] = Sigmoid(from_input(u) + from_state(u, cell.old_state));
    cell.update[u] = Sigmoid(from_input(units + u) + from_state(units + u, cell.old_state));
    cell.gated[u] =
        after ? from_state(2 * units + u, cell.old_state) : cell.reset[u] * cell.old_state[u];
  }
  for (size_t u = 0; u < units; ++u) {
    const double recurrent =
        after ? cell.reset[u] * cell.gated[u] : from_state(2 * units + u, cell.gated);
    cell.raw_candidate[u] = from_input(2 * units + u) + recurrent;
    const double n = Activate(activation, cell.raw_candidate[u]);
    const double z = cell.update[u];
    cell.candidate[u] = n;
    // The two published forms disagree on what the update gate weighs.
    cell.state[u] =
        after ? (1 - z) * n + z * cell.old_state[u] : (1 - z) * cell.old_state[u] + z * n;
  }
  return cell;
}

std::vector<double> CellBackward(const LayerWeights& layer, const Activation& activation,
                                 const Cell& cell, const std::vector<double>& d_state,
                                 LayerWeights* gradient) {
  const size_t units = layer.units();
  const bool after = layer.form == GruForm::kResetAfter;
  std::vector<double> d_product(3 * units);  // reset, update, candidate
  for (size_t u = 0; u < units; ++u) {
    const double r = cell.reset[u], z = cell.update[u], n = cell.candidate[u],
                 h = cell.old_state[u];
    const double d_z = d_state[u] * (after ? h - n : n - h);
    const double d_n = d_state[u] * (after ? 1 - z : z);
    d_product[units + u] = d_z * z * (1 - z);
    d_product[2 * units + u] = d_n * Slope(activation, cell.raw_candidate[u]);
    if (after) d_product[u] = d_product[2 * units + u] * cell.gated[u] * r * (1 - r);
  }
  if (!after) {  // through Wh_n (r * h)
    for (size_t u = 0; u < units; ++u) {
      double d_gated = 0;
      for (size_t v = 0; v < units; ++v) {
        d_gated += layer.hidden_weights(2 * units + v, u) * d_product[2 * units + v];
      }
      const double r = cell.reset[u];
      d_product[u] = d_gated * cell.old_state[u] * r * (1 - r);
    }
  }
  for (size_t row = 0; row < 3 * units; ++row) {
    // The candidate's recurrent product is gated after it (its gradient then too), or before.
    const bool of_candidate = row >= 2 * units;
    double d_recurrent = d_product[row];
    if (after && of_candidate) d_recurrent *= cell.reset[row - 2 * units];
    const std::vector<double>& state = !after && of_candidate ? cell.gated : cell.old_state;
    for (size_t c = 0; c < units; ++c) {
      gradient->hidden_weights(row, c) += d_recurrent * state[c];
    }
    gradient->input_bias(0, row) += d_product[row];
    if (after) gradient->hidden_bias(0, row) += d_recurrent;
  }
  return d_product;
}

}  // namespace stint::reference
