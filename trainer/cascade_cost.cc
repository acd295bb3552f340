// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// A projection and some hidden states -> how many rows pass the bounds, and what that costs.
#include "trainer/cascade_cost.h"

#include <omp.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "schema/panel.h"
#include "trainer/cascade_codes.h"
#include "trainer/random.h"

namespace stint {
namespace {

constexpr size_t kTop = 20;
constexpr size_t kMostVectors = 64;
constexpr size_t kMostRows = 1 << 13;  // whose bounds are looked at
constexpr uint64_t kRandomStream = 2002;

// Measured on a server core with 2 MB of cache beside it (Sapphire Rapids, bench/README.md): codes
// that fit are bound by arithmetic, others by what memory gives; a row that is scored by itself
// comes from afar.
constexpr double kTileTime = 14.0;              // ns a tile of 64 rows, without its codes
constexpr double kStepTime = 1.15;              // ns a step of four columns of a tile
constexpr double kNearBytes = 1.5 * (1 << 20);  // that stay close
constexpr double kFarByteTime = 1.0 / 30.0;     // ns
constexpr double kRowTime = 10.0;               // ns a candidate
constexpr double kProductTime = 0.1;            // ns a number of the projection
// The threshold is reached on the way: more rows pass than would if it were known from the start.
constexpr double kThresholdLoss = 1.3;

// What a bound needs of a vector x.
struct Query {
  std::vector<double> a;  // U x
  double mean = 0;        // <m, x>
  double norm = 0;        // |a|
  double rest = 0;        // |p|
  double threshold = 0;   // the k-th best score
};

double Dot(const float* a, const float* b, size_t count) {
  float sums[8] = {};
  size_t j = 0;
  for (; j + 8 <= count; j += 8) {
    for (size_t k = 0; k < 8; ++k) sums[k] += a[j + k] * b[j + k];
  }
  for (; j < count; ++j) sums[0] += a[j] * b[j];
  return double{((sums[0] + sums[1]) + (sums[2] + sums[3])) +
                ((sums[4] + sums[5]) + (sums[6] + sums[7]))};
}

double Bias(const CascadeInput& input, size_t item) {
  return input.biases ? double{input.biases[item]} : 0.0;
}

// At most kMostVectors, from all over the list, of those that the axes were not fitted to.
std::vector<std::vector<float>> SomeVectors(const CascadeInput& input) {
  std::vector<std::vector<float>> vectors;
  const size_t count = input.hidden.size() / 2;
  for (size_t i = 0; i < std::min(count, kMostVectors); ++i) {
    vectors.push_back(input.hidden[2 * (i * count / std::min(count, kMostVectors)) + 1]);
  }
  if (!vectors.empty()) return vectors;
  const RandomCounter random(0, kRandomStream);
  const size_t width = input.rows.cols;
  for (size_t i = 0; i < kMostVectors; ++i) {
    vectors.emplace_back();
    for (size_t j = 0; j < width; ++j) {
      vectors.back().push_back(static_cast<float>(random.Unit(i * width + j) - 0.5));
    }
  }
  return vectors;
}

Query Prepare(const CascadeInput& input, const Projection& projection, const float* x) {
  const size_t width = input.rows.cols;
  Query query;
  query.mean = Dot(projection.mean.data(), x, width);
  double norm = 0;
  for (size_t r = 0; r < projection.columns; ++r) {
    query.a.push_back(Dot(projection.rows.data() + r * width, x, width));
    norm += query.a.back() * query.a.back();
  }
  query.norm = std::sqrt(norm);
  query.rest = std::sqrt(std::max(0.0, Dot(x, x, width) - norm));
  std::vector<double> scores(input.rows.rows);
  for (size_t i = 0; i < scores.size(); ++i) {
    scores[i] = Dot(input.rows.Row(i), x, width) + Bias(input, i);
  }
  const size_t place = std::min(kTop, scores.size()) - 1;
  std::nth_element(scores.begin(), scores.begin() + static_cast<ptrdiff_t>(place), scores.end(),
                   [](double a, double b) { return a > b; });
  query.threshold = scores[place];
  return query;
}

}  // namespace

double ExpectedCost(const CascadeInput& input, const Projection& projection) {
  const size_t items = input.rows.rows;
  const int threads = input.threads > 0 ? static_cast<int>(input.threads) : omp_get_max_threads();
  const std::vector<std::vector<float>> vectors = SomeVectors(input);
  std::vector<Query> queries(vectors.size());
#pragma omp parallel for num_threads(threads) schedule(static)
  for (ptrdiff_t i = 0; i < static_cast<ptrdiff_t>(vectors.size()); ++i) {
    const size_t q = static_cast<size_t>(i);
    queries[q] = Prepare(input, projection, vectors[q].data());
  }
  const size_t stride = (items + kMostRows - 1) / kMostRows;
  const size_t count = (items + stride - 1) / stride;
  std::vector<double> passed(queries.size());  // of the rows that are looked at
  RowCoder coder(input, projection);
  for (size_t i = 0; i < count; ++i) {
    const CodedRow& row = coder.Code(i * stride);
    const double step = double{FromBf16(row.step)};
    for (size_t q = 0; q < queries.size(); ++q) {
      const Query& query = queries[q];
      double sum = 0;
      for (size_t j = 0; j < projection.columns; ++j) sum += query.a[j] * (row.codes[j] - 7.5);
      passed[q] += query.mean + Bias(input, i * stride) + step * sum + row.rho * query.norm +
                       row.tau * query.rest >=
                   query.threshold;
    }
  }
  // Between the mean and the root of the mean square: slow answers are felt more than quick ones.
  double sum = 0;
  double squares = 0;
  for (const double rows : passed) {
    sum += rows;
    squares += rows * rows;
  }
  const double vectors_asked = static_cast<double>(queries.size());
  const double candidates = kThresholdLoss * static_cast<double>(stride) * 0.5 *
                            (sum / vectors_asked + std::sqrt(squares / vectors_asked));
  const double tiles = static_cast<double>(PanelTiles(items));
  const double bytes = tiles * static_cast<double>(ScanTileBytes(projection.columns));
  const double arithmetic =
      tiles * (kTileTime + kStepTime * static_cast<double>(projection.columns / kStepColumns));
  const double far = std::max(0.0, bytes - kNearBytes) * kFarByteTime;
  const double product =
      kProductTime * static_cast<double>(projection.columns) * static_cast<double>(input.rows.cols);
  return std::max(arithmetic, far) + kRowTime * candidates + product;
}

}  // namespace stint
