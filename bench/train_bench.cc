// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Mini-batches a second of the whole training loop (negatives drawn, step, update), by threads,
// and which share of the machine's own rate that is: of sgemm (OpenBLAS, same threads, same run)
// and of multiply-adds on registers alone.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "bench/fma_peak.h"
#include "bench/openblas_peer.h"
#include "bench/random_log.h"
#include "trainer/train.h"

namespace stint::bench {
namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

constexpr size_t kItems = 43097;  // diginetica's catalog
constexpr size_t kSessions = 60000;

// Best rate of products of 2048 x 2048 matrices, in GFLOP/s; measured once a number of threads.
double SgemmRate(int threads) {
  static auto* rates = new std::map<int, double>();
  if (const auto found = rates->find(threads); found != rates->end()) return found->second;
  constexpr blasint kSize = 2048;
  std::vector<float> a(size_t{kSize} * kSize, 0.5f), b(a), c(a);
  openblas_set_num_threads(threads);
  double best = 0;
  const Clock::time_point start = Clock::now();
  while (SecondsSince(start) < 2) {
    const Clock::time_point begin = Clock::now();
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, kSize, kSize, kSize, 1.0f, a.data(),
                kSize, b.data(), kSize, 0.0f, c.data(), kSize);
    best = std::max(best, 2.0 * kSize * kSize * kSize / SecondsSince(begin) * 1e-9);
  }
  openblas_set_num_threads(1);
  (*rates)[threads] = best;
  return best;
}

// Best rate of fused multiply-adds on registers; measured once a number of threads.
double PeakRate(int threads) {
  static auto* rates = new std::map<int, double>();
  const auto [found, is_new] = rates->try_emplace(threads, 0.0);
  if (is_new) found->second = FmaPeak(threads);
  return found->second;
}

// Multiplications and additions of a step of one layer: scores 6 M n H, GRU 30 M H^2.
double Flops(const Options& options) {
  const double rows = static_cast<double>(options.batch_size);
  const double columns = static_cast<double>(options.batch_size + options.negatives);
  const double units = static_cast<double>(options.layers[0]);
  return 6 * rows * columns * units + 30 * rows * units * units;
}

void Training(benchmark::State& state, Options options) {
  static const Catalog catalog = ZipfCatalog(kItems, 7);
  static const Sessions sessions = RandomSessions(catalog, kSessions, 5);
  options.threads = static_cast<size_t>(state.range(0));
  options.epochs = 1000;  // ended by time
  const int threads = static_cast<int>(options.threads);
  const double sgemm = SgemmRate(threads);
  const double peak = PeakRate(threads);
  constexpr uint64_t kWarmUp = 30;
  constexpr double kSeconds = 3;
  double rate = 0;
  for (auto _ : state) {
    uint64_t done = 0;
    Clock::time_point start;
    double seconds = 0;  // of mini-batches alone: Train() ends with copying all parameters
    TrainCallbacks callbacks;
    callbacks.stop = [&] {
      if (++done == kWarmUp) start = Clock::now();
      if (done > kWarmUp) seconds = SecondsSince(start);
      return seconds >= kSeconds;
    };
    const TrainResult result = Train(options, catalog, sessions, callbacks);
    if (!result.diverged.empty()) {
      state.SkipWithError(result.diverged.c_str());
      return;
    }
    rate = static_cast<double>(done - kWarmUp) / seconds;
    state.SetIterationTime(seconds);
  }
  const double gflops = rate * Flops(options) * 1e-9;
  state.counters["minibatches/s"] = rate;
  state.counters["events/s"] = rate * static_cast<double>(options.batch_size);
  state.counters["GFLOP/s"] = gflops;
  state.counters["sgemm_GFLOP/s"] = sgemm;
  state.counters["peak_GFLOP/s"] = peak;
  state.counters["share_of_sgemm"] = gflops / sgemm;
  state.counters["share_of_peak"] = gflops / peak;
}

void Register() {
  Options small;  // the four settings in which other implementations were measured
  small.layers = {100};
  small.batch_size = 32;
  small.loss = Loss::kBprMax;
  small.final_activation = {ActivationKind::kElu, 0.5};
  Options large = small;
  large.layers = {224};
  large.batch_size = 80;
  large.dropout_embedding = 0.5;
  large.dropout_hidden = 0.05;
  large.momentum = 0.4;
  Options wide = small;
  wide.layers = {480};
  wide.batch_size = 48;
  wide.loss = Loss::kCrossEntropy;
  wide.final_activation = {ActivationKind::kSoftmax};
  wide.logq = 1;
  wide.dropout_hidden = 0.2;
  Options widest = large;
  widest.layers = {512};
  widest.batch_size = 192;
  widest.dropout_embedding = 0;
  widest.dropout_hidden = 0.35;
  const auto add = [](const char* name, const Options& options) {
    benchmark::RegisterBenchmark(name, Training, options)
        ->ArgName("threads")
        ->Arg(1)
        ->Arg(2)
        ->Iterations(1)
        ->UseManualTime()
        ->Unit(benchmark::kSecond);
  };
  add("bpr-max-elu/units:100/batch:32/negatives:2048", small);
  add("bpr-max-elu/units:224/batch:80/negatives:2048/dropout/momentum", large);
  add("cross-entropy-logq/units:480/batch:48/negatives:2048/dropout", wide);
  add("bpr-max-elu/units:512/batch:192/negatives:2048/dropout/momentum", widest);
  Options softmax = small;
  softmax.loss = Loss::kCrossEntropy;
  softmax.final_activation = {ActivationKind::kSoftmax};
  add("cross-entropy/units:100/batch:32/negatives:2048", softmax);
}

}  // namespace
}  // namespace stint::bench

int main(int argc, char** argv) {
  stint::bench::StartWithBestOpenBlas(argv);
  benchmark::AddCustomContext("openblas", openblas_get_corename());
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  stint::bench::Register();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
