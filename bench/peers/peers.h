// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Which other libraries this build can ask for the same answers.
#ifndef STINT_BENCH_PEERS_PEERS_H_
#define STINT_BENCH_PEERS_PEERS_H_

#include <string>
#include <vector>

#include "bench/engine.h"
#include "trainer/aligned_floats.h"

namespace stint::bench {

// Those that were found when this was configured. Peers score hidden states that the float32 model
// gives: scores and top-k alone, no GRU step, one thread a caller.
std::vector<EngineKind> Peers();

// The others, with the packages they come in; "none".
std::string AbsentPeers();

// One file each; whether a file is part of the build, CMake says.
EngineKind OpenBlasPeer();
std::vector<EngineKind> FaissPeers();
std::vector<EngineKind> OneDnnPeers();
std::vector<EngineKind> OnnxRuntimePeers();
std::vector<EngineKind> UsearchPeers();

// A caller that only turns a hidden state [units] into items.
std::unique_ptr<Caller> MakePeerCaller(
    const Source& source, uint32_t k,
    std::function<void(const float* hidden, std::vector<uint32_t>* items)> answer);

// The item rows without padding, as others store them: [items, width], width = units, or more: then
// the bias follows and zeros fill up (a hidden state is [h, 1, 0 ...] there).
struct PlainRows {
  AlignedFloats data;
  size_t items = 0, width = 0;
};
PlainRows RowsOf(const Parameters& parameters);
PlainRows RowsAndBiasOf(const Parameters& parameters);
void FillWithBias(const float* hidden, size_t units, size_t width, float* out);

}  // namespace stint::bench

#endif  // STINT_BENCH_PEERS_PEERS_H_
