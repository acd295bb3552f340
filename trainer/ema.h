// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Weights of many mini-batches -> their exponential running mean (Polyak and Juditsky, SIAM J.
// Control and Optimization 1992), which often recommends better than the last weights.
#ifndef STINT_TRAINER_EMA_H_
#define STINT_TRAINER_EMA_H_

#include <cstddef>
#include <cstdint>

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
  // `scale` is the length of normalized items, a weight that lies outside of Parameters.
  WeightMean(const Parameters& start, float scale, double decay);

  // To be called after every kInterval-th mini-batch:
  // mean += (1 - decay^kInterval) (parameters - mean), and so for the scale.
  // The same bits for any team. `parameters` have the shape of the start.
  void Update(const Parameters& parameters, float scale, Team* team);

  // The mean where `steps` < kInterval mini-batches have gone by since the last Update() (or the
  // start): these are taken up at once, with the weights that they led to. The mean itself stays
  // as it is, so that asking for it changes nothing that follows.
  Parameters After(const Parameters& parameters, uint64_t steps) const;
  float ScaleAfter(float scale, uint64_t steps) const;

  // As of the last Update().
  const Parameters& mean() const { return mean_; }
  float& scale() { return scale_; }

 private:
  // 1 - decay^steps
  float Rate(uint64_t steps) const;

  Parameters mean_;
  float scale_;
  double decay_;
};

}  // namespace stint

#endif  // STINT_TRAINER_EMA_H_
