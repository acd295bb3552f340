// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Microseconds a session of stint_recommend_batch(), beside the same sessions one by one: the two
// in turn, every time after another click, so that what else the machine does meets both.
#include <benchmark/benchmark.h>
#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

#include "bench/random_model.h"
#include "trainer/random.h"

namespace stint::bench {
namespace {

constexpr uint32_t kTop = 20;
constexpr int64_t kShapes[][2] = {{43097, 100}, {200000, 128}};

void Check(stint_status status) {
  if (status == STINT_OK) return;
  std::fprintf(stderr, "batch_bench: %s\n", stint_status_message(status));
  std::exit(1);
}

// The parallel_for of an OpenMP program.
void ParallelFor(void* context, size_t tasks, void (*task)(void*, size_t), void* task_context) {
  const int threads = *static_cast<const int*>(context);
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads)
  for (size_t i = 0; i < tasks; ++i) task(task_context, i);
}

class Users {
 public:
  Users(const stint_model* model, size_t count) : top_(count * kTop), counts_(count) {
    stint_model_info info;
    Check(stint_model_describe(model, &info));
    items_ = info.items;
    sessions_.resize(count);
    for (stint_session*& s : sessions_) Check(stint_session_create(model, kTop, &s));
    for (int i = 0; i < 5; ++i) Click();
  }
  ~Users() {
    for (stint_session* s : sessions_) stint_session_destroy(s);
  }
  Users(const Users&) = delete;
  Users& operator=(const Users&) = delete;

  void Click() {
    for (stint_session* s : sessions_) {
      Check(stint_observe(s, static_cast<uint32_t>(random_.Bits(clicks_++) % items_)));
    }
  }
  void OneByOne(size_t first, size_t last) {
    for (size_t i = first; i < last; ++i) {
      Check(stint_recommend(sessions_[i], kTop, nullptr, top_.data() + i * kTop, &counts_[i]));
    }
  }
  void OneByOne(int threads) {
    const size_t count = sessions_.size();
#pragma omp parallel for schedule(static) num_threads(threads)
    for (size_t i = 0; i < count; ++i) OneByOne(i, i + 1);
  }
  void Together(int threads) {
    Check(stint_recommend_batch(sessions_.data(), sessions_.size(), kTop, nullptr, 0,
                                threads > 1 ? ParallelFor : nullptr, &threads, top_.data(),
                                counts_.data()));
  }

 private:
  size_t items_ = 0;
  uint64_t clicks_ = 0;
  RandomCounter random_{11, 1003};
  std::vector<stint_session*> sessions_;
  std::vector<stint_recommendation> top_;  // [sessions, kTop]
  std::vector<size_t> counts_;             // [sessions]
};

// The lower quartile of times: neighbors on the machine only ever add to them.
double LowerQuartile(std::vector<double>* times) {
  const size_t at = times->size() / 4;
  std::nth_element(times->begin(), times->begin() + static_cast<ptrdiff_t>(at), times->end());
  return (*times)[at];
}

void Batch(benchmark::State& state, DType dtype) {
  static std::pair<std::vector<int64_t>, std::unique_ptr<OpenModel>> held;  // one at a time
  const std::vector<int64_t> key = {state.range(0), state.range(1), static_cast<int64_t>(dtype)};
  if (held.first != key) {
    held = {key, nullptr};
    held.second = std::make_unique<OpenModel>(
        RandomModel(static_cast<size_t>(key[0]), {static_cast<size_t>(key[1])}, dtype, 7));
  }
  const size_t sessions = static_cast<size_t>(state.range(2));
  const int threads = static_cast<int>(state.range(3));
  Users alone(held.second->model.get(), sessions), together(held.second->model.get(), sessions);
  std::vector<double> alone_us, together_us;
  const auto measure = [&](std::vector<double>* times, const auto& call) {
    const auto begin = std::chrono::steady_clock::now();
    call();
    const auto end = std::chrono::steady_clock::now();
    times->push_back(std::chrono::duration<double, std::micro>(end - begin).count() /
                     static_cast<double>(sessions));
  };
  for (auto _ : state) {
    alone.Click();
    measure(&alone_us,
            [&] { threads > 1 ? alone.OneByOne(threads) : alone.OneByOne(0, sessions); });
    together.Click();
    measure(&together_us, [&] { together.Together(threads); });
  }
  if (alone_us.empty()) return;
  const double one_by_one = LowerQuartile(&alone_us), batch = LowerQuartile(&together_us);
  state.counters["one_by_one_us"] = one_by_one;
  state.counters["batch_us"] = batch;
  state.counters["ratio"] = one_by_one / batch;
}

void Register() {
  for (const auto& shape : kShapes) {
    for (const auto& [name, dtype] :
         {std::pair{"batch/int8", DType::kInt8}, std::pair{"batch/f32", DType::kF32}}) {
      auto* bench = benchmark::RegisterBenchmark(name, Batch, dtype)
                        ->ArgNames({"items", "units", "sessions", "threads"})
                        ->Unit(benchmark::kMicrosecond);
      for (const int64_t sessions : {1, 2, 4, 8, 16, 64}) {
        bench->Args({shape[0], shape[1], sessions, 1});
      }
      for (const int64_t sessions : {8, 64}) bench->Args({shape[0], shape[1], sessions, 2});
    }
  }
}

}  // namespace
}  // namespace stint::bench

int main(int argc, char** argv) {
  const char* target = std::getenv("STINT_TARGET");
  if (target != nullptr && stint_set_target(target) != STINT_OK) {
    std::fprintf(stderr, "batch_bench: STINT_TARGET=%s: not a target of this CPU and build\n",
                 target);
    return 2;
  }
  benchmark::AddCustomContext("simd_target", stint_target());
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  stint::bench::Register();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
