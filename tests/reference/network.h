// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Weights, a mini-batch, its negatives and dropout masks -> loss, gradient and the updated
// weights: the whole training step once more, in plain float64 loops and written apart from
// trainer/, so that the trainer has something to be wrong against.
#ifndef STINT_TESTS_REFERENCE_NETWORK_H_
#define STINT_TESTS_REFERENCE_NETWORK_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "trainer/options.h"

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
  Array input_weights;   // [3 * units, inputs]
  Array hidden_weights;  // [3 * units, units]
  Array input_bias;      // [1, 3 * units]
  Array hidden_bias;     // [1, 3 * units]; empty in the reset_before form

  size_t units() const { return hidden_weights.cols; }
  size_t inputs() const { return input_weights.cols; }
};

// All weights; gradients, accumulators and velocities have the same shape.
struct Weights {
  GruForm form = GruForm::kResetAfter;
  std::vector<LayerWeights> layers;
  Array items;      // [items, width of the last layer]: input rows and output rows
  Array item_bias;  // [1, items]

  Weights() = default;
  Weights(size_t n_items, const std::vector<size_t>& units, GruForm gru_form);  // zeros
  // Every array with its name ("layers.0.input_weights", "items"), the empty ones left out.
  std::vector<std::pair<std::string, Array*>> Named();
  std::vector<std::pair<std::string, const Array*>> Named() const;
};

// Units of every layer.
std::vector<size_t> UnitsOf(const Weights& weights);

struct Settings {
  Loss loss = Loss::kCrossEntropy;
  Activation final_activation = {ActivationKind::kSoftmax};
  double bpreg = 1.0;
  double logq = 0.0;
  double sample_alpha = 0.5;
  size_t batch_size = 0;  // nominal: every loss is divided by it
  double learning_rate = 0.05;
  double momentum = 0.0;
  double epsilon = 1e-6;
  std::vector<double> counts;  // [items] training events of each item, for logq
};

struct StepInput {
  std::vector<uint32_t> inputs;      // [rows]
  std::vector<uint32_t> targets;     // [rows]
  std::vector<int32_t> hidden_from;  // [rows] row of the previous step, -1: zero state
  std::vector<uint32_t> negatives;   // [negatives]
  // Multipliers, 0 or 1 / keep probability; an empty one is no dropout.
  Array embedding_mask;             // [>= rows, width]
  std::vector<Array> hidden_masks;  // [layers] of [>= rows, units]

  size_t rows() const { return inputs.size(); }
  std::vector<uint32_t> Columns() const;  // targets, then negatives
};

struct StepOutput {
  double loss = 0;
  Array scores;               // [rows, rows + negatives] before logq and activation
  std::vector<Array> hidden;  // [layers] of [rows, units], after dropout: the state carried on
};

// A loss on given scores: what it is worth and its gradient by the scores, both summed over
// rows and not yet divided by the batch size. `scores` [rows, columns] with the target of row
// i in column i; logq has been subtracted already.
double LossOfScores(const Settings& settings, const Array& scores, Array* gradient);

// Loss of a step from the states `hidden` [layers] of [previous rows, units]; neither the
// weights nor the states change. `gradient` (dense, zero where nothing flows) may be null.
StepOutput Evaluate(const Settings& settings, const Weights& weights,
                    const std::vector<Array>& hidden, const StepInput& input, Weights* gradient);

// One Adagrad step with momentum for one weight: accumulator, velocity and weight change.
void AdagradUpdate(const Settings& settings, double gradient, double* accumulator, double* velocity,
                   double* weight);

// A network in training.
struct ReferenceNetwork {
  Settings settings;
  Weights weights;
  Weights gradient;      // of the last step
  Weights accumulators;  // sums of squared gradients
  Weights velocities;
  std::vector<Array> hidden;  // [layers] of [rows of the last step, units]

  ReferenceNetwork(Settings s, Weights initial);
  StepOutput Step(const StepInput& input);
};

// Next hidden states (no dropout) after `item`, from `hidden` [layers] of [1, units].
std::vector<Array> Observe(const Weights& weights, uint32_t item, const std::vector<Array>& hidden);
// Scores of all items from the last layer's state: [1, items].
Array ScoreAll(const Weights& weights, const Array& last_hidden);

}  // namespace stint::reference

#endif  // STINT_TESTS_REFERENCE_NETWORK_H_
