// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

#include "bench/catalogs.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <numbers>
#include <numeric>
#include <stdexcept>
#include <utility>

#include "bench/random_log.h"
#include "trainer/events.h"
#include "trainer/export.h"
#include "trainer/initialize.h"
#include "trainer/random.h"
#include "trainer/train.h"
#include "trainer/warm_start.h"

namespace stint::bench {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kSeed = 7;
constexpr size_t kClicks = 4000;  // of sessions that follow each other: more than a series asks for
constexpr size_t kCalibrationSessions = 300;

// What a minute or two on two cores makes useful: recall@20 on diginetica 0.48 after one epoch with
// 224 units, 0.54 being the best of long training.
Options TrainOptions(size_t units) {
  Options options;
  options.layers = {units};
  options.logq = 1;
  options.learning_rate = 0.1;
  options.negatives = 1024;
  options.batch_size = 128;
  options.dropout_embedding = 0.1;
  options.epochs = kTrainEpochs;
  return options;
}

struct Base {
  Parameters parameters;
  Catalog catalog;
};

// The model of the cache, or a new one.
Base TrainedBase(size_t units, const LogFiles& logs) {
  const Options options = TrainOptions(units);
  const std::string path = logs.cache + "/" + logs.name + "_" + std::to_string(units) + "units_" +
                           std::to_string(std::hash<std::string>()(ToJson(options))) + ".model";
  if (fs::exists(path)) {
    TrainedModel cached = ReadWarmStart(path, options);
    return {std::move(cached.parameters), std::move(cached.catalog)};
  }
  std::fprintf(stderr, "serve_bench: trains %zu units on %s for %zu epochs, once\n", units,
               logs.train.c_str(), kTrainEpochs);
  const Events events = ReadEvents(logs.train, ReadOptions{});
  const Dataset dataset = MakeDataset(events, 0);
  TrainResult result = Train(options, dataset.catalog, dataset.train, TrainCallbacks{});
  if (!result.diverged.empty()) throw std::runtime_error(path + ": " + result.diverged);
  fs::create_directories(logs.cache);
  ExportInput input;
  input.parameters = &result.parameters;
  input.catalog = &dataset.catalog;
  input.dtype = DType::kF32;
  input.hyperparameters = ToJson(options);
  const AlignedBytes bytes = BuildModel(input);
  WriteFileAtomically(path, {bytes.data(), bytes.size()});
  return {std::move(result.parameters), dataset.catalog};
}

// The first sessions for kClicks, the next ones for calibration.
void AddClicks(const Sessions& sessions, Workload* work) {
  size_t s = 0;
  for (; s < sessions.size() && work->clicks.size() < kClicks; ++s) {
    bool first = true;
    for (const uint32_t item : sessions[s]) {
      work->clicks.push_back({.item = item, .first = first});
      first = false;
    }
  }
  for (; s < sessions.size() && work->calibration.size() < kCalibrationSessions; ++s) {
    work->calibration.emplace_back(sessions[s].begin(), sessions[s].end());
  }
}

// Item indices of the `items` most frequent ones, in their old order.
std::vector<uint32_t> MostFrequent(const Catalog& catalog, size_t items) {
  std::vector<uint32_t> order(catalog.size());
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(),
                   [&](uint32_t a, uint32_t b) { return catalog.counts[a] > catalog.counts[b]; });
  order.resize(items);
  std::sort(order.begin(), order.end());
  return order;
}

// Mean of the rows, [cols].
std::vector<double> MeanRow(const Matrix& rows) {
  std::vector<double> mean(rows.cols);
  for (size_t i = 0; i < rows.rows; ++i) {
    for (size_t j = 0; j < rows.cols; ++j) mean[j] += rows.Row(i)[j];
  }
  for (double& value : mean) value /= static_cast<double>(rows.rows);
  return mean;
}

double Norm(const float* row, size_t cols) {
  double sum = 0;
  for (size_t j = 0; j < cols; ++j) sum += static_cast<double>(row[j]) * row[j];
  return std::sqrt(sum);
}

// Writes a grown row of `parent` (see catalogs.h).
void GrowRow(const Matrix& trained, const std::vector<double>& mean, size_t parent, size_t item,
             float* out) {
  constexpr int kTerms = 8;
  constexpr double kNoise = 0.35;
  const RandomCounter random(kSeed, 2000 + item);
  const size_t cols = trained.cols;
  std::vector<double> noise(cols);
  for (int t = 0; t < kTerms; ++t) {
    const uint64_t bits = random.Bits(static_cast<uint64_t>(t));
    const float* row = trained.Row((bits >> 1) % trained.rows);
    const double sign = (bits & 1) != 0 ? 1 : -1;
    for (size_t j = 0; j < cols; ++j) noise[j] += sign * (row[j] - mean[j]);
  }
  const float* from = trained.Row(parent);
  for (size_t j = 0; j < cols; ++j) {
    out[j] = static_cast<float>(from[j] + kNoise / std::sqrt(double{kTerms}) * noise[j]);
  }
  const double norm = Norm(out, cols);
  const double scale = norm > 0 ? Norm(from, cols) / norm : 0;
  for (size_t j = 0; j < cols; ++j) out[j] = static_cast<float>(scale * out[j]);
}

// The GRU of `from`, and zeroed rows for `items` items.
Parameters WithItems(const Parameters& from, size_t items) {
  NetworkShape shape = from.shape;
  shape.items = items;
  Parameters to(shape);
  const std::vector<Matrix> old_dense = from.Dense(), dense = to.Dense();
  for (size_t i = 0; i < dense.size(); ++i) {
    std::copy_n(old_dense[i].data, dense[i].size(), dense[i].data);
  }
  return to;
}

Workload TrainedWorkload(size_t items, size_t units, const LogFiles& logs) {
  const Base base = TrainedBase(units, logs);
  const size_t trained = base.catalog.size();
  Workload work;
  work.recipe = logs.name + ", " + std::to_string(kTrainEpochs) + " epochs";
  Catalog known = base.catalog;  // what the clicks may name
  std::vector<uint32_t> from(items);
  std::iota(from.begin(), from.end(), 0u);
  if (items < trained) {
    work.recipe += ", the most frequent of " + std::to_string(trained) + " items";
    from = MostFrequent(base.catalog, items);
    known = {};
    known.ids.are_names = base.catalog.ids.are_names;
    for (const uint32_t i : from) {
      if (known.ids.are_names) {
        known.ids.names.push_back(base.catalog.ids.names[i]);
      } else {
        known.ids.numbers.push_back(base.catalog.ids.numbers[i]);
      }
      known.counts.push_back(base.catalog.counts[i]);
    }
  } else if (items > trained) {
    work.recipe += ", grown from " + std::to_string(trained) + " items";
  }
  uint64_t unknown = 0;
  AddClicks(MapSessions(ReadEvents(logs.test, ReadOptions{}), known, &unknown), &work);

  work.parameters = WithItems(base.parameters, items);
  const std::vector<double> mean = MeanRow(base.parameters.items);
  const float* bias = base.parameters.item_bias.Row(0);
  work.catalog.ids.numbers.resize(items);
  work.catalog.counts.resize(items);
#pragma omp parallel for
  for (size_t i = 0; i < items; ++i) {
    const size_t parent = from[i] % trained;
    float* row = work.parameters.items.Row(i);
    if (i < trained) {
      std::copy_n(base.parameters.items.Row(parent), units, row);
    } else {
      GrowRow(base.parameters.items, mean, parent, i, row);
    }
    work.parameters.item_bias.Row(0)[i] = bias[parent];
    work.catalog.ids.numbers[i] = static_cast<int64_t>(i);
    work.catalog.counts[i] = base.catalog.counts[parent];
  }
  return work;
}

Workload RandomWorkload(size_t items, size_t units) {
  Workload work;
  work.recipe = "Gaussian rows, random GRU";
  work.catalog = ZipfCatalog(items, kSeed);
  work.parameters = Parameters(items, {units}, GruForm::kResetAfter);
  Initialize(Options{.layers = {units}, .seed = kSeed}, &work.parameters);
  std::vector<uint32_t> order(items);  // [items] popularity rank -> item
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    return work.catalog.counts[a] > work.catalog.counts[b];
  });
  // Rows of the norm 6 give scores of about +-3, as a trained model has them.
#pragma omp parallel for
  for (size_t rank = 0; rank < items; ++rank) {
    const RandomCounter random(kSeed, 3000 + rank);
    const double spread = 6.0 * std::pow(static_cast<double>(rank + 1), -0.05) *
                          std::pow(static_cast<double>(items), 0.05) /
                          std::sqrt(static_cast<double>(units));
    float* row = work.parameters.items.Row(order[rank]);
    for (size_t j = 0; j < units; ++j) {  // Box and Muller
      const double radius = std::sqrt(-2 * std::log(1 - random.Unit(2 * j)));
      row[j] = static_cast<float>(spread * radius *
                                  std::cos(2 * std::numbers::pi * random.Unit(2 * j + 1)));
    }
  }
  AddClicks(RandomSessions(work.catalog, kClicks / 2 + kCalibrationSessions, kSeed), &work);
  return work;
}

}  // namespace

LogFiles FindLogs(const std::string& cache) {
  const char* folder = std::getenv("STINT_DATA_DIR");
  const std::string data = folder != nullptr && *folder != '\0' ? folder : "../shared/data";
  LogFiles logs = {.name = "diginetica",
                   .train = data + "/diginetica/train.tsv.gz",
                   .test = data + "/diginetica/test.tsv.gz",
                   .cache = cache};
  if (fs::exists(logs.train) && fs::exists(logs.test)) return logs;
  logs = {.name = "synthetic",
          .train = cache + "/synthetic_train.tsv.gz",
          .test = cache + "/synthetic_test.tsv.gz",
          .cache = cache};
  if (fs::exists(logs.train) && fs::exists(logs.test)) return logs;
  throw std::runtime_error(
      data + "/diginetica is absent, and " + logs.train +
      " too: ./dev bench makes it, or\n  stint synth --items 43000 --sessions 180000 --out " +
      logs.train + "\n  stint synth --items 43000 --sessions 3000 --first-session 180000 --out " +
      logs.test);
}

Workload MakeWorkload(Data data, size_t items, size_t units, const LogFiles& logs) {
  return data == Data::kRandom ? RandomWorkload(items, units) : TrainedWorkload(items, units, logs);
}

}  // namespace stint::bench
