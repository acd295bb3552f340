// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Microseconds of a recommendation by stint and by peers, over random and trained models, beside
// the time that reading the same bytes takes: the JSON that table.py makes a table of.
#include <benchmark/benchmark.h>
#include <cblas.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bench/catalogs.h"
#include "bench/engine.h"
#include "bench/exact.h"
#include "bench/openblas_peer.h"
#include "bench/peers/peers.h"
#include "bench/series.h"
#include "bench/stint_engines.h"
#include "stint/stint.h"

namespace stint::bench {
namespace {

struct Shape {
  size_t items, units;
};
constexpr Shape kShapes[] = {{37483, 100}, {50000, 224}, {200000, 128}, {1000000, 128}};

struct Settings {
  double seconds = 0.5;                     // of answers in a series
  std::string cache = "build/bench-cache";  // of trained models
};
Settings settings;

// The workload in use, and what is known of it. One at a time: their sizes are what is measured.
struct Stage {
  Data data;
  Shape shape;
  Workload work;
  std::vector<float> hidden;  // [clicks, units]
  std::optional<ExactAnswers> exact;
  std::string engine_name;  // of `engine`, "" if there is none
  Engine engine;
};

Stage& StageFor(Data data, Shape shape) {
  static std::unique_ptr<Stage> stage;
  if (stage == nullptr || stage->data != data || stage->shape.items != shape.items ||
      stage->shape.units != shape.units) {
    stage.reset();
    stage = std::make_unique<Stage>();
    stage->data = data;
    stage->shape = shape;
    LogFiles logs;
    if (data == Data::kTrained) logs = FindLogs(settings.cache);
    stage->work = MakeWorkload(data, shape.items, shape.units, logs);
    stage->hidden = HiddenStates(stage->work);
    stage->exact.emplace(&stage->work.parameters);
  }
  return *stage;
}

const Engine& EngineOn(Stage* stage, const EngineKind& kind) {
  if (stage->engine_name != kind.name) {
    stage->engine = {};
    stage->engine_name.clear();
    stage->engine = kind.make({.work = &stage->work, .hidden = stage->hidden.data()});
    stage->engine_name = kind.name;
  }
  return stage->engine;
}

// One iteration is one series, whose time is the median of its answers.
void Serve(benchmark::State& state, Data data, Shape shape, Asking asking, const EngineKind* kind) {
  for (auto _ : state) {
    try {
      Stage& stage = StageFor(data, shape);
      const Engine& engine = EngineOn(&stage, *kind);
      asking.seconds = settings.seconds;
      const Series series = Measure(engine, asking, stage.work, &*stage.exact);
      state.SetIterationTime(series.At(0.5) * 1e-6);
      state.counters["p50_us"] = series.At(0.5);
      state.counters["p95_us"] = series.At(0.95);
      state.counters["p99_us"] = series.At(0.99);
      state.counters["answers"] = static_cast<double>(series.microseconds.size());
      state.counters["answers_per_s"] = series.answers_per_second;
      state.counters["bytes"] = engine.bytes;
      state.counters["floor_us"] = series.floor_microseconds;
      state.counters["checked"] = static_cast<double>(series.checked);
      state.counters["wrong"] = static_cast<double>(series.wrong);
      state.counters["overlap"] = series.overlap;
      if (engine.wrong_by_own_rows) {
        constexpr size_t kClicks = 50;
        state.counters["own_checked"] = kClicks;
        state.counters["own_wrong"] =
            static_cast<double>(engine.wrong_by_own_rows(asking.k, kClicks));
      }
      state.SetLabel(stage.work.recipe + (kind->note.empty() ? "" : "; " + kind->note));
    } catch (const std::exception& error) {
      state.SkipWithError(error.what());
    }
  }
}

// Small shapes first; peers beside stint on the same rows; the engines of a workload one after the
// other, so that each is made once.
void Register(const std::vector<EngineKind>& kinds) {
  for (const Shape shape : kShapes) {
    for (const Data data : {Data::kTrained, Data::kRandom}) {
      std::vector<Asking> askings = {{.k = 20, .callers = 1}, {.k = 20, .callers = 2}};
      if (data == Data::kTrained) {
        askings.push_back({.k = 100, .callers = 1});
        askings.push_back({.k = 20, .callers = 1, .cold = true});
      }
      for (const EngineKind& kind : kinds) {
        for (const Asking& asking : askings) {
          const std::string name =
              std::string(data == Data::kTrained ? "trained" : "random") +
              "/items:" + std::to_string(shape.items) + "/units:" + std::to_string(shape.units) +
              "/k:" + std::to_string(asking.k) + "/callers:" + std::to_string(asking.callers) +
              (asking.cold ? "/cold/" : "/hot/") + kind.name;
          benchmark::RegisterBenchmark(name.c_str(), Serve, data, shape, asking, &kind)
              ->Iterations(1)
              ->UseManualTime()
              ->Unit(benchmark::kMicrosecond);
        }
      }
    }
  }
}

// Takes --serve_seconds= and --serve_cache= out of the arguments.
void ReadSettings(int* argc, char** argv) {
  int kept = 1;
  for (int i = 1; i < *argc; ++i) {
    const std::string argument = argv[i];
    if (argument.rfind("--serve_seconds=", 0) == 0) {
      settings.seconds = std::strtod(argument.c_str() + std::strlen("--serve_seconds="), nullptr);
    } else if (argument.rfind("--serve_cache=", 0) == 0) {
      settings.cache = argument.substr(std::strlen("--serve_cache="));
    } else {
      argv[kept++] = argv[i];
    }
  }
  *argc = kept;
}

}  // namespace
}  // namespace stint::bench

int main(int argc, char** argv) {
  using namespace stint::bench;
  StartWithBestOpenBlas(argv);
  const char* target = std::getenv("STINT_TARGET");
  if (target != nullptr && stint_set_target(target) != STINT_OK) {
    std::fprintf(stderr, "serve_bench: STINT_TARGET=%s: not a target of this CPU and build\n",
                 target);
    return 2;
  }
  ReadSettings(&argc, argv);
  openblas_set_num_threads(1);
  std::vector<EngineKind> kinds = StintEngines();
  for (EngineKind& peer : Peers()) kinds.push_back(std::move(peer));
  benchmark::AddCustomContext("simd_target", stint_target());
  benchmark::AddCustomContext("absent_peers", AbsentPeers());
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  Register(kinds);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
