// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Sessions -> trained parameters: the epoch loop (stages 3 to 7 of the data flow), with
// validation, early stopping, the best epoch kept, and checkpoints to go on from.
#ifndef STINT_TRAINER_TRAIN_H_
#define STINT_TRAINER_TRAIN_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "trainer/checkpoint.h"
#include "trainer/metrics.h"
#include "trainer/options.h"
#include "trainer/parameters.h"
#include "trainer/sessions.h"

namespace stint {

class Network;

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

// Why a checkpoint is to be written.
enum class SaveReason {
  kDue,   // `save_due` said so
  kBest,  // the epoch that has just ended is the best one so far
  kEnd,   // training ends here: it is done, or `stop` said so
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
  // Asked after every mini-batch, and after every epoch (`epoch_ended`): save now?
  std::function<bool(const TrainProgress&, bool epoch_ended)> save_due;
  // Gets all that a later Train() needs to go on from here, under the key "training" of the header
  // and in arrays that start with "training/". The caller may add to it and writes it; `step`
  // counts the mini-batches so far. Without it nothing is saved.
  std::function<void(CheckpointContent content, uint64_t step, SaveReason reason)> save;
};

// Where training starts; nothing given: from Initialize(options), at the first epoch.
struct TrainStart {
  // Goes on from what `save` was given: the parameters at the end have the same bits as without
  // the break.
  const Checkpoint* resume = nullptr;
  // Fills the start values, zeroed before. Not asked when resuming, but where nothing better is
  // left after a divergence.
  std::function<void(Parameters*)> initialize;
  // Fills more of the network's state than the parameters: see warm_start.h.
  std::function<void(Network*)> prepare;
  // Of all random numbers, where it is not options.seed; a resumed run needs the same one.
  std::optional<uint64_t> seed;
};

struct TrainResult {
  Parameters parameters;  // of the best epoch if validated, else of the last
  std::vector<EpochResult> epochs;
  size_t best_epoch = 0;  // 0: none was finished
  // Mini-batches of the epoch after `best_epoch` that `parameters` hold too: not zero only if
  // training ended in the middle of an epoch and no validation says which epoch to keep.
  uint64_t partial_minibatches = 0;
  uint64_t steps = 0;        // mini-batches in all
  bool interrupted = false;  // `stop` said so
  // Not empty: training met a loss, or at the end of an epoch a weight, that is not finite; says
  // step and items. `parameters` are the last good ones, finite in any case.
  std::string diverged;
};

// Throws std::runtime_error if `start.resume` is of other data or options, or makes no sense. Of
// the options only the threads may differ, and the epochs as long as no more of them are done
// (with a cosine schedule, which looks ahead to the last one, they may not).
TrainResult Train(const Options& asked, const Catalog& catalog, const Sessions& sessions,
                  const TrainCallbacks& callbacks, const TrainStart& start = {});

// Throws std::runtime_error that names the differences, if a run with the options `saved` (both as
// ToJson() has them) cannot go on with the options `now`.
void CheckOptions(const nlohmann::ordered_json& saved, const nlohmann::ordered_json& now);

}  // namespace stint

#endif  // STINT_TRAINER_TRAIN_H_
