// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Microseconds of an event on one thread, median and 99th percentile: the GRU step, the scores of
// the whole catalog, the exact top-k, and both together; OpenBLAS sgemv with a partial sort
// beside them, in the same run.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <utility>
#include <vector>

#include "bench/latency.h"
#include "bench/openblas_peer.h"
#include "bench/random_model.h"
#include "trainer/random.h"

namespace stint::bench {
namespace {

constexpr uint32_t kTop = 20;

// The shape of diginetica with the published number of units; then a wide and a large one.
constexpr int64_t kShapes[][2] = {{43097, 100}, {43097, 224}, {200000, 128}};

const OpenModel& ModelOf(size_t items, size_t units, DType dtype) {
  static auto* models = new std::map<std::pair<std::pair<size_t, size_t>, DType>, OpenModel>();
  const std::pair key{std::pair{items, units}, dtype};
  auto found = models->find(key);
  if (found == models->end()) {
    models->clear();  // one at a time: their sizes are what is measured
    found = models->emplace(key, RandomModel(items, {units}, dtype, 7)).first;
  }
  return found->second;
}

void Check(stint_status status) {
  if (status != STINT_OK && status != STINT_UNKNOWN_ITEM) {
    std::fprintf(stderr, "recommend_bench: %s\n", stint_status_message(status));
    std::exit(1);
  }
}

// A session with some clicks, and an endless row of clicks to come.
class User {
 public:
  explicit User(const stint_model* model) {
    Check(stint_session_create(model, kTop, &session_));
    stint_model_info info;
    Check(stint_model_describe(model, &info));
    items_ = info.items;
    for (int i = 0; i < 5; ++i) Click();
  }
  ~User() { stint_session_destroy(session_); }
  User(const User&) = delete;
  User& operator=(const User&) = delete;

  uint32_t Next() { return static_cast<uint32_t>(random_.Bits(clicks_++) % items_); }
  void Click() { Check(stint_observe(session_, Next())); }
  stint_session* session() { return session_; }

 private:
  stint_session* session_ = nullptr;
  uint32_t items_ = 0;
  uint64_t clicks_ = 0;
  RandomCounter random_{11, 1003};
};

const stint_model* Model(const benchmark::State& state, DType dtype) {
  return ModelOf(static_cast<size_t>(state.range(0)), static_cast<size_t>(state.range(1)), dtype)
      .model.get();
}

// One click: embedding row and GRU.
void Step(benchmark::State& state, DType dtype) {
  User user(Model(state, dtype));
  Latency latency;
  for (auto _ : state) {
    const uint32_t item = user.Next();
    latency.Measure([&] { Check(stint_observe(user.session(), item)); });
  }
  latency.Report(0, &state);
}

// Scores of all items, written out.
void Scores(benchmark::State& state, DType dtype) {
  const stint_model* model = Model(state, dtype);
  User user(model);
  std::vector<float> scores(static_cast<size_t>(state.range(0)));
  Latency latency;
  for (auto _ : state) {
    user.Click();
    latency.Measure([&] { Check(stint_scores(user.session(), scores.data())); });
  }
  latency.Report(static_cast<double>(SectionBytes(model, "item_rows")), &state);
}

// A plain loop that reads the bytes of the item matrix and sums them, no more.
void Read(benchmark::State& state, DType dtype) {
  const OpenModel& open =
      ModelOf(static_cast<size_t>(state.range(0)), static_cast<size_t>(state.range(1)), dtype);
  const uint64_t bytes = SectionBytes(open.model.get(), "item_rows");
  Latency latency;
  for (auto _ : state) {
    latency.Measure([&] {
      uint64_t sums[8] = {};
      const uint8_t* p = open.bytes.data();  // the matrix is most of the file
      for (uint64_t i = 0; i + sizeof(sums) <= bytes; i += sizeof(sums)) {
        for (size_t j = 0; j < 8; ++j) {
          uint64_t word;
          std::memcpy(&word, p + i + j * sizeof(word), sizeof(word));
          sums[j] += word;
        }
      }
      benchmark::DoNotOptimize(sums);
    });
  }
  latency.Report(static_cast<double>(bytes), &state);
}

// The exact top 20; every call has a new hidden state.
void Recommend(benchmark::State& state, DType dtype) {
  const stint_model* model = Model(state, dtype);
  User user(model);
  stint_recommendation top[kTop];
  size_t count;
  Latency latency;
  for (auto _ : state) {
    user.Click();
    latency.Measure([&] { Check(stint_recommend(user.session(), kTop, nullptr, top, &count)); });
  }
  latency.Report(static_cast<double>(SectionBytes(model, "item_rows")), &state);
}

// What an app waits for: a click and the recommendations after it.
void Event(benchmark::State& state, DType dtype) {
  const stint_model* model = Model(state, dtype);
  User user(model);
  stint_recommendation top[kTop];
  size_t count;
  Latency latency;
  for (auto _ : state) {
    const uint32_t item = user.Next();
    latency.Measure([&] {
      Check(stint_observe(user.session(), item));
      Check(stint_recommend(user.session(), kTop, nullptr, top, &count));
    });
  }
  latency.Report(0, &state);
}

// The peer: float32 product by OpenBLAS, then a heap of the 20 best (what partial_sort does).
void OpenBlas(benchmark::State& state) {
  const OpenModel& open = ModelOf(static_cast<size_t>(state.range(0)),
                                  static_cast<size_t>(state.range(1)), DType::kF32);
  const size_t items = open.parameters.items.rows;
  const size_t width = open.parameters.width();
  std::vector<float> rows(items * width);  // [items, width] without padding, as others store it
  for (size_t i = 0; i < items; ++i) {
    std::copy_n(open.parameters.items.Row(i), width, rows.data() + i * width);
  }
  User user(open.model.get());
  std::vector<float> scores(items);
  std::vector<std::pair<float, uint32_t>> best;
  const auto better = [](const auto& a, const auto& b) {
    return a.first > b.first || (a.first == b.first && a.second < b.second);
  };
  openblas_set_num_threads(1);
  Latency latency;
  for (auto _ : state) {
    user.Click();
    const float* hidden;
    uint32_t units;
    Check(stint_session_hidden(user.session(), 0, &hidden, &units));
    latency.Measure([&] {
      std::copy_n(open.parameters.item_bias.Row(0), items, scores.data());
      cblas_sgemv(CblasRowMajor, CblasNoTrans, static_cast<blasint>(items),
                  static_cast<blasint>(width), 1.0f, rows.data(), static_cast<blasint>(width),
                  hidden, 1, 1.0f, scores.data(), 1);
      best.clear();
      for (uint32_t i = 0; i < items; ++i) {
        if (best.size() == kTop && scores[i] <= best.front().first) continue;
        if (best.size() == kTop) {
          std::pop_heap(best.begin(), best.end(), better);
          best.pop_back();
        }
        best.emplace_back(scores[i], i);
        std::push_heap(best.begin(), best.end(), better);
      }
      std::sort_heap(best.begin(), best.end(), better);
      benchmark::DoNotOptimize(best.data());
    });
  }
  latency.Report(static_cast<double>(rows.size() * sizeof(float)), &state);
}

void Register() {
  for (const auto& shape : kShapes) {
    const auto add = [&](const char* name, auto* function, auto... args) {
      benchmark::RegisterBenchmark(name, function, args...)
          ->Args({shape[0], shape[1]})
          ->ArgNames({"items", "units"})
          ->Unit(benchmark::kMicrosecond);
    };
    add("read/int8", Read, DType::kInt8);
    add("step/int8", Step, DType::kInt8);
    add("scores/int8", Scores, DType::kInt8);
    add("recommend/int8", Recommend, DType::kInt8);
    add("event/int8", Event, DType::kInt8);
    add("read/f32", Read, DType::kF32);
    add("step/f32", Step, DType::kF32);
    add("scores/f32", Scores, DType::kF32);
    add("recommend/f32", Recommend, DType::kF32);
    add("event/f32", Event, DType::kF32);
    add("openblas_sgemv_heap/f32", OpenBlas);
  }
}

}  // namespace
}  // namespace stint::bench

int main(int argc, char** argv) {
  stint::bench::StartWithBestOpenBlas(argv);
  const char* target = std::getenv("STINT_TARGET");
  if (target != nullptr && stint_set_target(target) != STINT_OK) {
    std::fprintf(stderr, "recommend_bench: STINT_TARGET=%s: not a target of this CPU and build\n",
                 target);
    return 2;
  }
  benchmark::AddCustomContext("simd_target", stint_target());
  benchmark::AddCustomContext("openblas", openblas_get_corename());
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  stint::bench::Register();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
