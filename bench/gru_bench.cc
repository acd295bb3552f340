// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Microseconds of one click (stint_observe: item row, GRU, bookkeeping) for several widths, both
// GRU forms and both kinds of weights: hot, click after click; and after 1 or 8 MB of other memory
// have been read, as a scan of the catalog does: the weights then come from farther away.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "bench/latency.h"
#include "bench/random_model.h"
#include "trainer/random.h"

namespace stint::bench {
namespace {

constexpr size_t kItems = 2000;  // rows of 1 MB at 512 units: few, so that weights are what counts
constexpr size_t kClicks = 16;   // timed together: the clock itself takes 0.03 us

struct Case {
  const char* name;
  DType dtype;
  GruForm form;
};
constexpr Case kCases[] = {{"int8/reset_after", DType::kInt8, GruForm::kResetAfter},
                           {"int8/reset_before", DType::kInt8, GruForm::kResetBefore},
                           {"f32/reset_after", DType::kF32, GruForm::kResetAfter},
                           {"f32/reset_before", DType::kF32, GruForm::kResetBefore}};

// A model and a session of it; clicks on random items.
class User {
 public:
  User(size_t units, const Case& c) : open_(RandomModel(kItems, {units}, c.dtype, 7, c.form)) {
    stint_session* session = nullptr;
    if (stint_session_create(open_.model.get(), 1, &session) != STINT_OK) std::exit(1);
    session_.reset(session);
    const RandomCounter random(11, 1003);
    for (size_t i = 0; i < 4096; ++i) {
      items_.push_back(static_cast<uint32_t>(random.Bits(i) % kItems));
    }
    Clicks(20);
  }
  void Clicks(size_t count) {
    for (size_t i = 0; i < count; ++i) {
      const uint32_t item = items_[clicks_++ % items_.size()];
      if (stint_observe(session_.get(), item) != STINT_OK) std::exit(1);
    }
  }

 private:
  OpenModel open_;
  std::unique_ptr<stint_session, void (*)(stint_session*)> session_{nullptr, stint_session_destroy};
  std::vector<uint32_t> items_;
  size_t clicks_ = 0;
};

void Hot(benchmark::State& state, Case c) {
  User user(static_cast<size_t>(state.range(0)), c);
  Latency latency;
  for (auto _ : state) latency.Measure([&] { user.Clicks(kClicks); });
  latency.Report(0, &state);
  for (const char* counter : {"p50_us", "p99_us"}) state.counters[counter].value /= kClicks;
}

// One click after reading `range(1)` KB of other memory.
void AfterScan(benchmark::State& state, Case c) {
  User user(static_cast<size_t>(state.range(0)), c);
  std::vector<uint64_t> other(static_cast<size_t>(state.range(1)) * 1024 / sizeof(uint64_t), 1);
  Latency latency;
  for (auto _ : state) {
    uint64_t sum = 0;
    for (size_t i = 0; i < other.size(); i += 8) sum += other[i];
    benchmark::DoNotOptimize(sum);
    latency.Measure([&] { user.Clicks(1); });
  }
  latency.Report(0, &state);
}

void Register() {
  for (const Case& c : kCases) {
    for (const int64_t units : {100, 224, 512}) {
      benchmark::RegisterBenchmark((std::string("hot/") + c.name).c_str(), Hot, c)
          ->Args({units})
          ->ArgNames({"units"})
          ->Unit(benchmark::kMicrosecond);
      benchmark::RegisterBenchmark((std::string("after_scan/") + c.name).c_str(), AfterScan, c)
          ->Args({units, 1024})
          ->Args({units, 8192})
          ->ArgNames({"units", "KB"})
          ->Unit(benchmark::kMicrosecond);
    }
  }
}

}  // namespace
}  // namespace stint::bench

int main(int argc, char** argv) {
  const char* target = std::getenv("STINT_TARGET");
  if (target != nullptr && stint_set_target(target) != STINT_OK) {
    std::fprintf(stderr, "gru_bench: STINT_TARGET=%s: not a target of this CPU and build\n",
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
