// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Weights, a mini-batch, its negatives and dropout masks -> loss, gradient and the updated
// weights: the whole training step once more, in plain float64 loops and written apart from
// trainer/, so that the trainer has something to be wrong against.
#ifndef STINT_TESTS_REFERENCE_NETWORK_H_
#define STINT_TESTS_REFERENCE_NETWORK_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "tests/reference/loss.h"
#include "tests/reference/optimizer.h"
#include "tests/reference/settings.h"
#include "tests/reference/weights.h"

namespace stint::reference {

struct StepInput {
  std::vector<uint32_t> inputs;      // [rows]
  std::vector<uint32_t> targets;     // [rows]
  std::vector<int32_t> hidden_from;  // [rows] row of the previous step, -1: zero state
  std::vector<uint32_t> negatives;   // [negatives]
  // Multipliers, 0 or 1 / keep probability; an empty one is no dropout.
  Array embedding_mask;             // [>= rows, width of what enters the first layer]
  std::vector<Array> hidden_masks;  // [layers] of [>= rows, units]

  size_t rows() const { return inputs.size(); }
  std::vector<uint32_t> Columns() const;  // targets, then negatives
};

struct StepOutput {
  double loss = 0;
  Array scores;               // [rows, rows + negatives] before logq and activation
  std::vector<Array> hidden;  // [layers] of [rows, units], after dropout: the state carried on
  // Where a gradient was asked for: Euclidean norm of all dense gradients and of those of the
  // item and input rows, occurrence by occurrence (ALGORITHM section 8).
  double gradient_norm = 0;
};

// Which columns count for a row besides its target, from the corrected scores: [rows, columns] of
// 0 and 1. Other targets count unless the negatives are samples alone or all items; columns of
// the row's own target item do not where hits are removed or all items are columns; and with
// `hardest`, only that many of the highest scores that are left (more where they tie).
Array CountedColumns(const Settings& settings, const StepInput& input, const Array& corrected);

// Loss of a step from the states `hidden` [layers] of [previous rows, units]; neither the
// weights nor the states change. `gradient` (dense, zero where nothing flows) may be null.
StepOutput Evaluate(const Settings& settings, const Weights& weights,
                    const std::vector<Array>& hidden, const StepInput& input, Weights* gradient);

// A network in training.
struct ReferenceNetwork {
  Settings settings;
  Weights weights;
  Weights gradient;           // of the last step, before clipping
  Weights accumulators;       // Slots::first
  Weights second;             // Slots::second
  Weights velocities;         // Slots::velocity
  Weights steps;              // Slots::steps
  std::vector<Array> hidden;  // [layers] of [rows of the last step, units]

  ReferenceNetwork(Settings s, Weights initial);
  StepOutput Step(const StepInput& input);
};

// Next hidden states (no dropout) after `item`, from `hidden` [layers] of [1, units].
std::vector<Array> Observe(const Weights& weights, uint32_t item, const std::vector<Array>& hidden,
                           const Settings& settings = {});
// Scores of all items from the last layer's state, before the final activation: [1, items].
Array ScoreAll(const Weights& weights, const Array& last_hidden, const Settings& settings = {});

}  // namespace stint::reference

#endif  // STINT_TESTS_REFERENCE_NETWORK_H_
