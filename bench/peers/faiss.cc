// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// FAISS: flat inner products of float32, and 8-bit scalar quantization. Debian's package is built
// for the baseline of the architecture: on x86 it runs SSE2, not AVX.
#include <faiss/IndexFlat.h>
#include <faiss/IndexScalarQuantizer.h>

#include <utility>

#include "bench/peers/peers.h"

namespace stint::bench {
namespace {

#if defined(__x86_64__)
constexpr char kBuild[] = "Debian's SSE2 build";
#else
constexpr char kBuild[] = "Debian's build";
#endif

Engine MakeEngine(const Source& source, const PlainRows& rows, std::shared_ptr<faiss::Index> index,
                  size_t bytes_per_value) {
  const auto n = static_cast<faiss::Index::idx_t>(rows.items);
  index->train(n, rows.data.data());
  index->add(n, rows.data.data());
  Engine engine;
  engine.bytes = static_cast<double>(rows.items * rows.width * bytes_per_value);
  engine.call = [source, index = std::move(index), width = rows.width](uint32_t k) {
    struct Scratch {
      std::vector<float> query, scores;
      std::vector<faiss::Index::idx_t> labels;
    };
    auto scratch = std::make_shared<Scratch>();
    scratch->query.resize(width);
    scratch->scores.resize(k);
    scratch->labels.resize(k);
    const size_t units = source.work->parameters.width();
    return MakePeerCaller(source, k, [=](const float* hidden, std::vector<uint32_t>* items) {
      FillWithBias(hidden, units, width, scratch->query.data());
      index->search(1, scratch->query.data(), k, scratch->scores.data(), scratch->labels.data());
      items->assign(scratch->labels.begin(), scratch->labels.end());
    });
  };
  return engine;
}

}  // namespace

std::vector<EngineKind> FaissPeers() {
  const std::string note = std::string(kBuild) + " of FAISS, bias as a column";
  return {{"faiss_flat_f32", note + ", IndexFlatIP",
           [](const Source& source) {
             const PlainRows rows = RowsAndBiasOf(source.work->parameters);
             const auto width = static_cast<faiss::Index::idx_t>(rows.width);
             return MakeEngine(source, rows, std::make_shared<faiss::IndexFlatIP>(width),
                               sizeof(float));
           }},
          {"faiss_sq8", note + ", IndexScalarQuantizer QT_8bit", [](const Source& source) {
             const PlainRows rows = RowsAndBiasOf(source.work->parameters);
             return MakeEngine(source, rows,
                               std::make_shared<faiss::IndexScalarQuantizer>(
                                   static_cast<int>(rows.width), faiss::ScalarQuantizer::QT_8bit,
                                   faiss::METRIC_INNER_PRODUCT),
                               1);
           }}};
}

}  // namespace stint::bench
