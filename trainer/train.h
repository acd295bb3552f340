// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Sessions -> trained parameters: the epoch loop (stages 3 to 7 of the data flow), with
// validation, early stopping and the best epoch kept.
#ifndef STINT_TRAINER_TRAIN_H_
#define STINT_TRAINER_TRAIN_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "trainer/metrics.h"
#include "trainer/options.h"
#include "trainer/parameters.h"
#include "trainer/sessions.h"

namespace stint {

// Where a run stands, for a progress display.
struct TrainProgress {
  size_t epoch = 0;  // from 1
  size_t epochs = 0;
  uint64_t minibatch = 0;      // done in this epoch
  uint64_t targets = 0;        // (input, target) pairs trained in this epoch
  uint64_t epoch_targets = 0;  // of a whole epoch
  double loss = 0;             // mean over this epoch so far, weighted by rows
  double seconds = 0;          // since this epoch began
};

struct EpochResult {
  size_t epoch = 0;
  double loss = 0;
  uint64_t minibatches = 0;
  uint64_t targets = 0;
  double seconds = 0;  // training alone
  bool validated = false;
  Metrics validation;  // at 20, if validated
  double validation_seconds = 0;
};

// What the caller wants to know or to decide while training runs; all optional, all
// called from the calling thread.
struct TrainCallbacks {
  std::function<void(const TrainProgress&)> on_minibatch;
  std::function<void(const EpochResult&)> on_epoch;
  // Recall and MRR of the parameters after an epoch; without it there is no validation.
  std::function<Metrics(const Parameters&)> validate;
  // Asked after every mini-batch; true ends training there.
  std::function<bool()> stop;
};

struct TrainResult {
  Parameters parameters;  // of the best epoch if validated, else of the last
  std::vector<EpochResult> epochs;
  size_t best_epoch = 0;  // 0: none was finished
  // Mini-batches of the epoch after `best_epoch` that `parameters` hold too: not zero only if
  // training ended in the middle of an epoch and no validation says which epoch to keep.
  uint64_t partial_minibatches = 0;
  bool interrupted = false;  // `stop` said so
  // Not empty: training met a loss that is not finite; says step and items. `parameters`
  // are the last good ones.
  std::string diverged;
};

TrainResult Train(const Options& asked, const Catalog& catalog, const Sessions& sessions,
                  const TrainCallbacks& callbacks);

}  // namespace stint

#endif  // STINT_TRAINER_TRAIN_H_
