// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// OpenBLAS: float32 sgemv, then the k best.
#include <cblas.h>

#include <algorithm>

#include "bench/peers/peers.h"

namespace stint::bench {

EngineKind OpenBlasPeer() {
  const auto make = [](const Source& source) {
    auto rows = std::make_shared<PlainRows>(RowsOf(source.work->parameters));
    Engine engine;
    engine.bytes = static_cast<double>(rows->data.size() * sizeof(float));
    engine.data = reinterpret_cast<const uint8_t*>(rows->data.data());
    engine.call = [source, rows](uint32_t k) {
      struct Scratch {
        std::vector<float> scores;
        Selection selection;
      };
      auto scratch = std::make_shared<Scratch>();
      scratch->scores.resize(rows->items);
      const float* bias = source.work->parameters.item_bias.Row(0);
      return MakePeerCaller(source, k, [=](const float* hidden, std::vector<uint32_t>* items) {
        float* scores = scratch->scores.data();
        const auto n = static_cast<blasint>(rows->items), width = static_cast<blasint>(rows->width);
        std::copy_n(bias, rows->items, scores);
        cblas_sgemv(CblasRowMajor, CblasNoTrans, n, width, 1.0f, rows->data.data(), width, hidden,
                    1, 1.0f, scores, 1);
        scratch->selection.Best(scores, rows->items, k, items);
      });
    };
    return engine;
  };
  return {"openblas_f32",
          std::string("OpenBLAS sgemv (") + openblas_get_corename() + "), partial sort", make};
}

}  // namespace stint::bench
