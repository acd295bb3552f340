// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The bound of every item is not below its score, on every SIMD target, for hidden states that are
// made to reach it; nor is it far above.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

#include "runtime/cascade.h"
#include "tests/runtime/cascade_model.h"

namespace stint {
namespace {

// A vector by its kind; `random` numbers it.
enum class Hidden { kRandom, kUnit, kRow, kInside, kOutside, kResidual, kCount };

// The projection's row r as floats.
std::vector<double> ProjectionRow(const Cascade& c, size_t r) {
  const size_t width = c.projection.cols;
  const float* const tile =
      reinterpret_cast<const float*>(c.projection.data + r / kTileRows * c.projection.tile_bytes);
  std::vector<double> row(width);
  for (size_t j = 0; j < width; ++j) row[j] = double{tile[(j + 1) * kTileRows + r % kTileRows]};
  return row;
}

std::vector<double> MakeHidden(const BoundModel& model, Hidden kind, uint64_t seed) {
  const Cascade& c = model.cascade;
  const size_t width = model.width;
  const RandomCounter random(seed, 4711);
  const uint32_t item = static_cast<uint32_t>(random.Bits(width) % model.items);
  std::vector<double> x(width);
  for (size_t j = 0; j < width; ++j) x[j] = 2 * random.Unit(j) - 1;
  if (kind == Hidden::kUnit) {
    std::fill(x.begin(), x.end(), 0.0);
    x[seed % width] = seed % 2 ? -1 : 1;
  }
  if (kind == Hidden::kRow || kind == Hidden::kResidual) {
    const std::vector<double> mean = ProjectionRow(c, c.columns);
    for (size_t j = 0; j < width; ++j) x[j] = TrueWeight(model, item, j) - mean[j];
  }
  if (kind == Hidden::kRandom || kind == Hidden::kUnit || kind == Hidden::kRow) return x;
  // U^T U x, or the rest of it, or what the codes of a row miss, which makes both products of the
  // bound, (c - C) with a and t with p, as large as they can be.
  for (size_t r = 0; r < c.columns; ++r) {
    const std::vector<double> u = ProjectionRow(c, r);
    double dot = 0;
    for (size_t j = 0; j < width; ++j) dot += u[j] * x[j];
    const double missed = dot - ScanValue(c, item, r);
    for (size_t j = 0; j < width; ++j) {
      if (kind == Hidden::kInside) x[j] = (r == 0 ? 0.0 : x[j]) + u[j] * random.Unit(r);
      if (kind == Hidden::kOutside) x[j] -= u[j] * dot;
      if (kind == Hidden::kResidual) x[j] += u[j] * (missed - dot);
    }
  }
  return x;
}

struct Looseness {
  bool has_bounds = false;
  double above = 0;   // of bounds above scores
  double spread = 0;  // of scores around their mean
};

// Checks all bounds of a hidden state, if it has any. How far they are above the scores, on
// average, and by how much these differ.
void CheckBounds(SessionState* s, Looseness* out) {
  const BoundModel& model = *s->model;
  BoundScan scan;
  out->has_bounds = PrepareBounds(s, &scan);
  if (!out->has_bounds) return;
  const std::vector<uint64_t> deny(s->words);
  const Filter all = {model.items, deny.data(), nullptr, nullptr, false};
  const size_t tiles = static_cast<size_t>(PanelTiles(model.items));
  std::vector<uint32_t> items(tiles * kTileRows + 64);
  std::vector<float> bounds(items.size());
  const size_t count =
      GetCascadeKernels().bound_scan(scan, 0, tiles, all, -INFINITY, items.data(), bounds.data());
  ASSERT_EQ(count, model.items);
  std::vector<float> scores(model.items);
  ASSERT_EQ(stint_scores(reinterpret_cast<stint_session*>(s), scores.data()), STINT_OK);
  const TrueVector x(model, s->hidden[model.layers - 1]);
  double sum = 0, squares = 0, above = 0;
  size_t bounded = 0;
  for (uint32_t i = 0; i < model.items; ++i) {
    ASSERT_EQ(items[i], i);
    const long double exact = x.Score(model, i);
    for (const long double score : {exact, static_cast<long double>(scores[i])}) {
      const long double scaled = score * scan.bias_unit;
      ASSERT_GE(bounds[i], static_cast<float>(scaled - std::fabs(scaled) * 0x1p-21L))
          << "item " << i << ", score " << static_cast<double>(score) << ", bound "
          << double{bounds[i]} / double{scan.bias_unit} << ", unit " << scan.bias_unit;
    }
    if (bounds[i] > 1e37f) continue;  // has none
    const double score = static_cast<double>(exact);
    ++bounded;
    sum += score;
    squares += score * score;
    above += double{bounds[i]} / double{scan.bias_unit} - score;
  }
  if (bounded == 0) return;
  const double n = static_cast<double>(bounded);
  out->above = above / n;
  out->spread = std::sqrt(std::max(0.0, squares / n - sum / n * (sum / n)));
}

struct Shape {
  size_t items;
  std::vector<size_t> layers;
  uint32_t columns;
};
const Shape kShapes[] = {{1, {4}, 4},        {63, {7}, 4},     {64, {16}, 8},
                         {65, {20, 33}, 16}, {200, {100}, 48}, {130, {70}, 68}};
// Powers of ten by which hidden states are multiplied.
const int kPowers[] = {0, -37, -28, -19, -8, 8, 14};

// As a host may set them.
void TreatSubnormalsAsZero(bool is_on) {
#if defined(__x86_64__)
  constexpr unsigned kFlags = 0x8040;  // FTZ, DAZ
  _mm_setcsr(is_on ? _mm_getcsr() | kFlags : _mm_getcsr() & ~kFlags);
#else
  (void)is_on;
#endif
}

TEST(CascadeBound, NeverBelowTheScore) {
  size_t checked = 0;
  size_t without = 0;
  for (const Scoring scoring : {Scoring::kInt8, Scoring::kExact}) {
    for (const Shape& shape : kShapes) {
      for (const RowKind& rows : RowKinds()) {
        Parameters p = RandomParameters(shape.items, shape.layers, GruForm::kResetAfter, 5);
        rows.fill(RandomCounter(6, 7), &p);
        const AlignedBytes bytes =
            BuildModel(CascadeExport(p, NumberCatalog(shape.items), scoring, shape.columns));
        const ModelPointer model = OpenModel(bytes);
        ForEachTarget([&] {
          const SessionPointer session = NewSession(model.get(), 20);
          SessionState* const s = StateOf(session.get());
          for (int kind = 0; kind < static_cast<int>(Hidden::kCount); ++kind) {
            for (const int power : kPowers) {
              for (const bool flush : {false, true}) {
                SCOPED_TRACE(std::to_string(shape.items) + " items, " + rows.name + ", hidden " +
                             std::to_string(kind) + " * 1e" + std::to_string(power) +
                             (flush ? ", flushed" : "") +
                             (scoring == Scoring::kInt8 ? ", int8" : ", exact"));
                std::vector<double> x = MakeHidden(*s->model, static_cast<Hidden>(kind), 3);
                double largest = 1e-250;
                for (const double v : x) largest = std::max(largest, std::fabs(v));
                for (double& v : x) v *= std::pow(10.0, power) / largest;
                SetHidden(x, s);
                Looseness loose;
                TreatSubnormalsAsZero(flush);
                CheckBounds(s, &loose);
                TreatSubnormalsAsZero(false);
                if (HasFatalFailure()) return;
                ++checked;
                if (loose.has_bounds) continue;
                // Numbers that could leave the floats: of the largest weights alone.
                ++without;
                ASSERT_GT(rows.largest_weight, 1e5);
              }
            }
          }
        });
        if (HasFatalFailure()) return;
      }
    }
  }
  EXPECT_GT(checked, 1000u);
  EXPECT_LT(without, checked / 20);
}

// Where the columns hold the rows, a bound is above its score by a share of what scores differ by.
TEST(CascadeBound, NotFarAboveTheScore) {
  for (const RowKind& rows : RowKinds()) {
    Parameters p = RandomParameters(1000, {100}, GruForm::kResetAfter, 5);
    rows.fill(RandomCounter(6, 7), &p);
    const AlignedBytes bytes =
        BuildModel(CascadeExport(p, NumberCatalog(1000), Scoring::kInt8, 48));
    const ModelPointer model = OpenModel(bytes);
    const SessionPointer session = NewSession(model.get(), 20);
    Looseness loose;
    double shares = 0;
    constexpr uint64_t kVectors = 20;
    for (uint64_t i = 0; i < kVectors; ++i) {
      SetHidden(MakeHidden(*StateOf(session.get())->model, Hidden::kRandom, i),
                StateOf(session.get()));
      CheckBounds(StateOf(session.get()), &loose);
      ASSERT_FALSE(HasFatalFailure());
      shares += loose.above / loose.spread / kVectors;
    }
    std::printf("%-28s bounds above scores: %.3f of their spread\n", rows.name, shares);
    RecordProperty(rows.name, std::to_string(shares));
    EXPECT_GT(shares, 0.0) << rows.name;
    EXPECT_LE(shares, rows.most_above) << rows.name;
  }
}

}  // namespace
}  // namespace stint
