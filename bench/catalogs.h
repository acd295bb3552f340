// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// A kind of data, a catalog's size, units -> the float32 model and the clicks that a serving
// benchmark answers.
#ifndef STINT_BENCH_CATALOGS_H_
#define STINT_BENCH_CATALOGS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "trainer/parameters.h"
#include "trainer/sessions.h"

namespace stint::bench {

// Logs that are trained on, and where what was trained is kept.
struct LogFiles {
  std::string name;   // for the table: "diginetica", "synthetic"
  std::string train;  // path
  std::string test;   // path, later sessions of the same shop
  std::string cache;  // folder, made if it is absent
};

// STINT_DATA_DIR/diginetica, or ../shared/data/diginetica, else the log that `stint synth` wrote
// into the cache folder. Throws std::runtime_error that says how to make one if there is none.
LogFiles FindLogs(const std::string& cache);

struct Click {
  uint32_t item = 0;
  bool first = false;  // of its session
};

struct Workload {
  Parameters parameters;      // float32: the model whose top-k is the right answer
  Catalog catalog;            // ids are the item indices
  std::vector<Click> clicks;  // of held-out sessions, one after the other
  // Other sessions of the same kind, which a model may be fitted to.
  std::vector<std::vector<uint32_t>> calibration;
  std::string recipe;  // where the rows come from, in words
};

enum class Data { kRandom, kTrained };

// kRandom: Gaussian rows whose norms fall with the popularity rank r as (r + 1)^-0.05 (about 1.7
// for the most popular one to 1), a GRU of random start values, clicks drawn by popularity.
//
// kTrained: a network of `units` trained for kTrainEpochs on the log; clicks of its test sessions.
// A catalog smaller than the log's keeps the items with the most clicks. A larger one is grown:
// item i past the trained ones comes of the trained row p = i mod trained,
//   row = |w_p| (w_p + 0.35 n) / |w_p + 0.35 n|,   n = sum of 8 (+-(w_j - mean)) / sqrt(8)
// with j and signs drawn at random: n has the covariance of the trained rows, so grown rows crowd
// where trained ones do. Bias and count are those of p.
//
// The same arguments give the same model.
Workload MakeWorkload(Data data, size_t items, size_t units, const LogFiles& logs);

inline constexpr size_t kTrainEpochs = 3;

}  // namespace stint::bench

#endif  // STINT_BENCH_CATALOGS_H_
