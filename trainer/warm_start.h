// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// An older model, and perhaps the checkpoint beside it -> start values of a run on a newer log.
#ifndef STINT_TRAINER_WARM_START_H_
#define STINT_TRAINER_WARM_START_H_

#include <cstdint>
#include <string>
#include <vector>

#include "trainer/checkpoint.h"
#include "trainer/network.h"
#include "trainer/options.h"
#include "trainer/parameters.h"
#include "trainer/sessions.h"
#include "trainer/trained_model.h"

namespace stint {

// Reads a model file, verified by the runtime first. Throws std::runtime_error "path: ..." if it
// is no good model, or names every difference if it is another network than `options` ask for. No
// item's count is 0: the sampler wants them all.
TrainedModel ReadWarmStart(const std::string& path, const Options& options);

// Gives the dataset the old model's items first, in their order, then those that are new, in the
// order of first appearance. Counts are those of both; items without new events stay.
void ExtendCatalog(const Catalog& old, Dataset* dataset);

// Start values: Initialize() for a network of all items, then the old weights over it.
void FillFromModel(const TrainedModel& old, const Options& options, Parameters* parameters);

// The length of all item rows of a model that was trained with normalized items, where the scale is
// folded into them: the scale to go on from. 0 if rows differ by more than 2 %, which int8 rounding
// does not make them.
double CommonRowNorm(const Parameters& parameters);

// The seed of the run's random numbers. With that of the first run it would drop and sample, at
// every step, just what that one did.
uint64_t SeedAfter(const TrainedModel& old, uint64_t seed);

// What FillFromCheckpoint() did, in words: {"weights", "optimizer state"}.
struct TakenOver {
  std::vector<std::string> taken;
  std::vector<std::string> fresh;  // the run has it, the checkpoint had not
  std::vector<std::string> left;   // the checkpoint has it, the run has not
};

// Puts a checkpoint's weights and optimizer state in; of new items the start values and empty slots
// stay. Momentum that the checkpoint has not starts at zero, a running mean at its weights. Throws
// std::runtime_error "path: ..." if it is not of the model `old`, or if it is of another optimizer.
TakenOver FillFromCheckpoint(const Checkpoint& checkpoint, const TrainedModel& old,
                             const Options& options, Network* network);

}  // namespace stint

#endif  // STINT_TRAINER_WARM_START_H_
