// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

#include "bench/peers/peers.h"

#include <algorithm>
#include <utility>

namespace stint::bench {

std::vector<EngineKind> Peers() {
  std::vector<EngineKind> peers;
  [[maybe_unused]] const auto add = [&](std::vector<EngineKind> more) {
    for (EngineKind& peer : more) peers.push_back(std::move(peer));
  };
  add({OpenBlasPeer()});
#if STINT_BENCH_FAISS
  add(FaissPeers());
#endif
#if STINT_BENCH_ONEDNN
  add(OneDnnPeers());
#endif
#if STINT_BENCH_ONNXRUNTIME
  add(OnnxRuntimePeers());
#endif
#if STINT_BENCH_USEARCH
  add(UsearchPeers());
#endif
  return peers;
}

std::string AbsentPeers() {
  std::string absent;
  [[maybe_unused]] const auto add = [&](const char* name) {
    absent += (absent.empty() ? "" : ", ") + std::string(name);
  };
#if !STINT_BENCH_FAISS
  add("FAISS (Debian libfaiss-dev)");
#endif
#if !STINT_BENCH_ONEDNN
  add("oneDNN (Debian libdnnl-dev)");
#endif
#if !STINT_BENCH_ONNXRUNTIME
  add("ONNX Runtime (npm onnxruntime-node, headers of Debian libonnxruntime-dev)");
#endif
#if !STINT_BENCH_USEARCH
  add("usearch (npm usearch)");
#endif
  return absent.empty() ? "none" : absent;
}

std::unique_ptr<Caller> MakePeerCaller(
    const Source& source, uint32_t k,
    std::function<void(const float* hidden, std::vector<uint32_t>* items)> answer) {
  const size_t units = source.work->parameters.width();
  auto last = std::make_shared<const float*>();
  auto caller = std::make_unique<Caller>();
  Caller* self = caller.get();
  caller->items.reserve(k);
  caller->prepare = [](size_t) {};
  caller->answer = [=, states = source.hidden, ask = std::move(answer)](size_t click) {
    *last = states + click * units;
    ask(*last, &self->items);
  };
  caller->hidden = [=](float* hidden) { std::copy_n(*last, units, hidden); };
  return caller;
}

PlainRows RowsOf(const Parameters& parameters) {
  PlainRows rows;
  rows.items = parameters.items.rows;
  rows.width = parameters.width();
  rows.data = AlignedFloats(rows.items * rows.width);
  for (size_t i = 0; i < rows.items; ++i) {
    std::copy_n(parameters.items.Row(i), rows.width, rows.data.data() + i * rows.width);
  }
  return rows;
}

PlainRows RowsAndBiasOf(const Parameters& parameters) {
  PlainRows rows;
  rows.items = parameters.items.rows;
  rows.width = RoundUp(parameters.width() + 1, 4);
  rows.data = AlignedFloats(rows.items * rows.width);
  for (size_t i = 0; i < rows.items; ++i) {
    float* row = rows.data.data() + i * rows.width;
    std::copy_n(parameters.items.Row(i), parameters.width(), row);
    row[parameters.width()] = parameters.item_bias.Row(0)[i];
  }
  return rows;
}

void FillWithBias(const float* hidden, size_t units, size_t width, float* out) {
  std::fill_n(std::copy_n(hidden, units, out), width - units, 0.0f);
  out[units] = 1;
}

}  // namespace stint::bench
