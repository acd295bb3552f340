// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// What a training run is told, and the counts of its data.
#ifndef STINT_TESTS_REFERENCE_SETTINGS_H_
#define STINT_TESTS_REFERENCE_SETTINGS_H_

#include <vector>

#include "trainer/options.h"

namespace stint::reference {

// The sizes in Options are not read: those of the Weights are.
struct Settings : Options {
  std::vector<double> counts;  // [items] training events of each item, for logQ
};

}  // namespace stint::reference

#endif  // STINT_TESTS_REFERENCE_SETTINGS_H_
