// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// usearch: exact search by inner product, float32 and int8 vectors.
#include <usearch.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "bench/peers/peers.h"

namespace stint::bench {
namespace {

// Values of the library's scalar kind, in its units of storage.
struct Vectors {
  std::vector<uint8_t> bytes;  // [items, stride]
  size_t items = 0, width = 0, stride = 0;
  usearch_scalar_kind_t kind = usearch_scalar_f32_k;
};

// One scale for all items, as vectors of int8 have none of their own.
void Quantize(const float* from, size_t n, float scale, int8_t* to) {
  for (size_t j = 0; j < n; ++j) {
    to[j] = static_cast<int8_t>(std::clamp(std::nearbyint(from[j] / scale), -127.0f, 127.0f));
  }
}

float LargestOf(const float* values, size_t n) {
  float largest = 1e-30f;
  for (size_t j = 0; j < n; ++j) largest = std::max(largest, std::fabs(values[j]));
  return largest;
}

Engine MakeEngine(const Source& source, bool int8) {
  const PlainRows rows = RowsAndBiasOf(source.work->parameters);
  auto vectors = std::make_shared<Vectors>();
  vectors->items = rows.items;
  vectors->width = rows.width;
  vectors->stride = rows.width * (int8 ? 1 : sizeof(float));
  vectors->kind = int8 ? usearch_scalar_i8_k : usearch_scalar_f32_k;
  vectors->bytes.resize(rows.items * vectors->stride);
  if (int8) {
    Quantize(rows.data.data(), rows.data.size(),
             LargestOf(rows.data.data(), rows.data.size()) / 127,
             reinterpret_cast<int8_t*>(vectors->bytes.data()));
  } else {
    std::copy_n(reinterpret_cast<const uint8_t*>(rows.data.data()), vectors->bytes.size(),
                vectors->bytes.data());
  }
  Engine engine;
  engine.bytes = static_cast<double>(vectors->bytes.size());
  engine.data = nullptr;
  engine.call = [source, vectors, int8](uint32_t k) {
    struct Scratch {
      std::vector<float> query;
      std::vector<int8_t> codes;
      std::vector<usearch_key_t> keys;
      std::vector<usearch_distance_t> distances;
    };
    auto scratch = std::make_shared<Scratch>();
    scratch->query.resize(vectors->width);
    scratch->codes.resize(vectors->width);
    scratch->keys.resize(k);
    scratch->distances.resize(k);
    const size_t units = source.work->parameters.width();
    return MakePeerCaller(source, k, [=](const float* hidden, std::vector<uint32_t>* items) {
      const Vectors& v = *vectors;
      FillWithBias(hidden, units, v.width, scratch->query.data());
      const void* query = scratch->query.data();
      if (int8) {  // the 1 of the bias decides the scale as hidden values are below it
        Quantize(scratch->query.data(), v.width, LargestOf(scratch->query.data(), v.width) / 127,
                 scratch->codes.data());
        query = scratch->codes.data();
      }
      usearch_error_t error = nullptr;
      usearch_exact_search(v.bytes.data(), v.items, v.stride, query, 1, v.stride, v.kind, v.width,
                           usearch_metric_ip_k, k, 1, scratch->keys.data(),
                           k * sizeof(usearch_key_t), scratch->distances.data(),
                           k * sizeof(usearch_distance_t), &error);
      if (error != nullptr) throw std::runtime_error(error);
      items->assign(scratch->keys.begin(), scratch->keys.end());
    });
  };
  return engine;
}

}  // namespace

std::vector<EngineKind> UsearchPeers() {
  const std::string note =
      "usearch " + std::string(usearch_version()) + " exact search, bias as a column";
  return {{"usearch_f32", note, [](const Source& source) { return MakeEngine(source, false); }},
          {"usearch_i8", note + ", one scale for all",
           [](const Source& source) { return MakeEngine(source, true); }}};
}

}  // namespace stint::bench
