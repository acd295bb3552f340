// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

#include "trainer/schedule.h"

#include <algorithm>
#include <cmath>

#include "trainer/exact_math.h"

namespace stint {
namespace {

double ScheduleFactor(const Options& options, double epochs_done) {
  switch (options.schedule) {
    case Schedule::kConstant:
      return 1;
    case Schedule::kStep:
      return Pow(options.schedule_factor,
                 std::floor(epochs_done / static_cast<double>(options.schedule_epochs)));
    case Schedule::kCosine:
      return (1 + CosPi(std::min(1.0, epochs_done / static_cast<double>(options.epochs)))) / 2;
  }
  return 1;
}

}  // namespace

double LearningRateAt(const Options& options, double epochs_done) {
  double rate = options.learning_rate * ScheduleFactor(options, epochs_done);
  if (epochs_done < options.warmup_epochs) rate *= epochs_done / options.warmup_epochs;
  return rate;
}

}  // namespace stint
