// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// A run of Train() while it goes on: train.cc is its loop, train_resume.cc how it is saved and goes
// on from what was saved.
#ifndef STINT_TRAINER_TRAINING_H_
#define STINT_TRAINER_TRAINING_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "trainer/minibatch.h"
#include "trainer/negative_sampler.h"
#include "trainer/network.h"
#include "trainer/train.h"

namespace stint {

class Training {
 public:
  Training(const Options& options, const Catalog& catalog, const Sessions& sessions,
           const TrainCallbacks& callbacks, const TrainStart& start);
  TrainResult Run();

 private:
  // Whether a model file can hold all of them.
  static bool AllGood(const Parameters& parameters);
  Parameters StartValues() const;
  void StartEpoch();
  void TrainEpoch();
  bool Step(const MiniBatch& batch);
  Network::Beside DrawNegatives(uint64_t step);
  bool FinishEpoch();
  void KeepLastGood(Parameters exported);
  void Diverge(const std::string& what);
  bool Done() const;
  void Save(SaveReason reason);
  void Load(const Checkpoint& checkpoint);
  void CheckKept() const;
  void LoadCursors(const Checkpoint& checkpoint, const nlohmann::ordered_json& saved);

  const Options options_;
  const Catalog& catalog_;
  const Sessions& sessions_;
  const TrainCallbacks& callbacks_;
  const TrainStart& start_;
  const uint64_t seed_;  // of all random numbers
  const uint64_t epoch_targets_;
  Network network_;
  const NegativeSampler sampler_;
  MiniBatchIterator batches_;
  std::vector<uint32_t> order_;      // [sessions] of this epoch
  std::vector<uint32_t> negatives_;  // of a mini-batch; of all of them for NegativeSource::kAll
  std::vector<uint32_t> next_negatives_;  // of mini-batch `next_step_` of the run
  uint64_t next_step_ = ~uint64_t{0};     // none yet
  nlohmann::ordered_json fingerprint_;    // of the data, made when it is first needed

  // The position: `progress_.minibatch` mini-batches of epoch `progress_.epoch` are done. Between
  // epochs it is 0 of the next one, and the network's hidden states are still the old ones.
  TrainProgress progress_;
  double loss_sum_ = 0;
  double seconds_before_ = 0;  // of this epoch, in the run that was broken off
  std::chrono::steady_clock::time_point epoch_start_;

  // The best epoch by validation, or without one the last that has ended with finite weights
  // (there only where epochs are to come that may not).
  Parameters kept_;
  size_t kept_epoch_ = 0;  // 0: none
  double best_recall_ = -1;
  size_t epochs_since_best_ = 0;
  TrainResult result_;
};

}  // namespace stint

#endif  // STINT_TRAINER_TRAINING_H_
