// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Weights of many mini-batches -> their exponential running mean (Polyak and Juditsky, SIAM J.
// Control and Optimization 1992), which often recommends better than the last weights.
#ifndef STINT_TRAINER_EMA_H_
#define STINT_TRAINER_EMA_H_

#include <cstddef>

#include "trainer/parameters.h"
#include "trainer/team.h"

namespace stint {

class WeightMean {
 public:
  // Mini-batches from one Update() to the next: a pass over all tables costs as much as several
  // mini-batches touch, and over these few the weights hardly move.
  static constexpr size_t kInterval = 32;

  // `decay` is options.ema_decay, of one mini-batch, in [0, 1). Starts as a copy of `start`: the
  // first weights, so that no start at zero has to be corrected for, or a mean that was saved.
  WeightMean(const Parameters& start, double decay);

  // To be called after every kInterval-th mini-batch:
  // mean += (1 - decay^kInterval) (parameters - mean).
  // The same bits for any team. `parameters` have the shape of the start.
  void Update(const Parameters& parameters, Team* team);

  const Parameters& mean() const { return mean_; }

 private:
  Parameters mean_;
  float rate_;  // 1 - decay^kInterval
};

}  // namespace stint

#endif  // STINT_TRAINER_EMA_H_
