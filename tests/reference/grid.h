// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Everything a training step can be asked for, as a list of named settings and network shapes, and
// random weights and mini-batches for them. Gradients are checked over it, those of the reference
// by central differences and those of the trainer against the reference.
#ifndef STINT_TESTS_REFERENCE_GRID_H_
#define STINT_TESTS_REFERENCE_GRID_H_

#include <cstddef>
#include <random>
#include <string>
#include <vector>

#include "tests/reference/network.h"

namespace stint::reference {

// Settings that Validate() accepts, all but sizes, counts, optimizer and rate.
struct Recipe {
  std::string name;  // "bpr-max elu-0.5"
  Settings settings;
  bool dropout = false;
};

// Every loss with every final activation that goes with it.
std::vector<Recipe> LossRecipes();
// What changes the loss or its gradient besides: smoothing, logQ, which columns count,
// normalized items, dropout.
std::vector<Recipe> OtherRecipes();
// Every hidden activation.
std::vector<Activation> HiddenActivations();
// Every embedding x GRU form x each of `layers`; a separate embedding is `embedding_width` wide.
std::vector<NetworkShape> NetworkShapes(size_t items,
                                        const std::vector<std::vector<size_t>>& layers,
                                        size_t embedding_width);
// "none, reset_after, layers 4/3".
std::string Describe(const NetworkShape& shape);

// Small enough to leave gates open, rounded to float32.
Weights RandomWeights(const NetworkShape& shape, const Settings& settings, std::mt19937_64* random);
// [items] counts from 1 to 50.
std::vector<double> RandomCounts(size_t items, std::mt19937_64* random);
// A mini-batch after one of `previous` rows (0: the first). Items repeat as inputs, targets and
// negatives. The negatives are all items, each once, where the settings say so, else `negatives`.
StepInput RandomStep(const NetworkShape& shape, const Recipe& recipe, size_t rows, size_t previous,
                     size_t negatives, std::mt19937_64* random);

}  // namespace stint::reference

#endif  // STINT_TESTS_REFERENCE_GRID_H_
