// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Kinds of stint's own models -> engines: the whole step, GRU, scores and top-k, through the C API.
#ifndef STINT_BENCH_STINT_ENGINES_H_
#define STINT_BENCH_STINT_ENGINES_H_

#include <vector>

#include "bench/engine.h"

namespace stint::bench {

// Their names begin with "stint_".
std::vector<EngineKind> StintEngines();

// The hidden states of the float32 model after each click, [clicks, units].
std::vector<float> HiddenStates(const Workload& work);

}  // namespace stint::bench

#endif  // STINT_BENCH_STINT_ENGINES_H_
