// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Hidden state -> the exact top-k: bounds of all items from 4-bit codes, scores of the few that can
// win. The bound and its rounding are derived in cascade.h.
#include "runtime/cascade.h"

#include <cmath>
#include <cstring>

#include "runtime/cascade_kernels.h"
#include "runtime/kernels.h"
#include "runtime/select.h"

namespace stint {
namespace {

constexpr double kUnit = 0x1p-24;  // u

// Tests compile this file with 0 as well, and see that answers go wrong: what is multiplied by it
// is needed.
#ifndef STINT_BOUND_SLACK
#define STINT_BOUND_SLACK 1.0
#endif
constexpr double kFactor = STINT_BOUND_SLACK;

double Gamma(double operations) {
  return kFactor * operations * kUnit / (1.0 - operations * kUnit);
}

// Enlarges what was computed in double, sums of up to 2^15 terms, so that it is not too small.
constexpr double kOutward = 1.0 + 0x1p-30;
// Of the magnitudes of a bound's terms: covers the rounding of bound and score.
constexpr double kSlack = kFactor * 0x1p-19;
constexpr double kThresholdSlack = kFactor * 0x1p-21;
// What is lost in numbers below the normal floats, for 1 + |x|.
constexpr double kTiny = kFactor * 1e-28;
// Longer vectors are left to the plain scan: with weights up to 1e15 scores could leave the floats.
constexpr double kLongest = 1e18;

// A float that is not below x >= 0.
float Up(double x) { return static_cast<float>(x * (1.0 + 0x1p-22)); }

double SquaredNorm(const float* x, size_t count) {
  double sum0 = 0, sum1 = 0, sum2 = 0, sum3 = 0;  // four chains of additions
  size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    sum0 += double{x[i]} * double{x[i]};
    sum1 += double{x[i + 1]} * double{x[i + 1]};
    sum2 += double{x[i + 2]} * double{x[i + 2]};
    sum3 += double{x[i + 3]} * double{x[i + 3]};
  }
  for (; i < count; ++i) sum0 += double{x[i]} * double{x[i]};
  return (sum0 + sum1) + (sum2 + sum3);
}

// The k best lower bounds so far as a heap, the least of them at the root.
class Heap {
 public:
  Heap(uint64_t* keys, size_t keep) : keys_(keys), keep_(keep) {}

  size_t size() const { return count_; }
  bool full() const { return count_ == keep_; }
  uint64_t worst() const { return keys_[0]; }

  // While the heap is full only for key > worst().
  void Push(uint64_t key) {
    size_t i = 0;
    if (count_ < keep_) {  // up from the end
      i = count_++;
      for (; i > 0 && keys_[(i - 1) / 2] > key; i = (i - 1) / 2) keys_[i] = keys_[(i - 1) / 2];
    } else {  // down from the root
      for (size_t child = 1; child < keep_; child = 2 * i + 1) {
        if (child + 1 < keep_ && keys_[child + 1] < keys_[child]) ++child;
        if (keys_[child] >= key) break;
        keys_[i] = keys_[child];
        i = child;
      }
    }
    keys_[i] = key;
  }

 private:
  uint64_t* keys_;  // [keep]
  size_t keep_;
  size_t count_ = 0;
};

class Search {
 public:
  Search(const Filter& filter, size_t keep, SessionState* s)
      : kernels_(GetCascadeKernels()),
        s_(s),
        cascade_(s->model->cascade),
        filter_(filter),
        keep_(keep),
        best_(s->keys, keep) {}

  // False where the vector is too long for it.
  bool Prepare() {
    exact_ = s_->model->item_kind == ItemRowKind::kF32Rows;
    // A row by itself costs some four of a scan of int8 rows, one of a scan of floats.
    affordable_ = exact_ ? s_->model->items : s_->model->items / 4;
    root_width_ = std::sqrt(static_cast<double>(s_->model->width)) * kOutward;
    PrepareCandidates();
    return PrepareScan();
  }
  const BoundScan& scan() const { return scan_; }

  bool Run(size_t* count) {
    if (keep_ > kMostCandidates) return false;
    if (!Prepare()) return false;
    StartFromSeeds();
    if (!ScanAll()) return false;
    if (exact_) ScoreFinalists();
    SortBest(s_->keys, best_.size());
    *count = best_.size();
    return true;
  }

 private:
  // The vector in 16 bits, for candidate rows; and the floats that it stands for.
  void PrepareCandidates() {
    const size_t width = s_->model->width;
    const float* const hidden = s_->hidden[s_->model->layers - 1];
    const Kernels kernels = GetKernels();
    CascadeScratch& room = s_->cascade;
    QuantizedVector q;
    kernels.quantize(hidden, width, room.quantized, &q);
    candidate_ = {q.high, q.low, nullptr, nullptr, q.sum, q.step};
    const size_t columns = static_cast<size_t>(PanelSteps(width)) * kStepColumns;
    if (!q.pairs) {  // rows are read in whole vectors, and another target may have been here
      const size_t plane = static_cast<size_t>(QuantizedBytes(width)) / 2;
      std::memset(room.quantized + columns, 0, plane - columns);
      std::memset(room.quantized + plane + columns, 0, plane - columns);
    } else {
      for (size_t j = 0; j < columns; j += kStepColumns) {
        std::memcpy(&room.even[j / kStepColumns], q.pairs + j, sizeof(int32_t));
        std::memcpy(&room.odd[j / kStepColumns], q.pairs + j + 2, sizeof(int32_t));
      }
      candidate_.even = room.even;
      candidate_.odd = room.odd;
    }
    const auto value = [&](size_t j) {
      const int32_t integer = q.pairs ? q.pairs[(j & ~size_t{3}) + ((j & 3) >> 1 | (j & 1) << 1)]
                                      : 256 * q.high[j] + q.low[j];
      return q.step * static_cast<float>(integer);
    };
    double missed = 0;
    for (size_t j = 0; j < width; ++j) {
      const float quantized = value(j);
      // The product is rounded: by less than u |X_j|, which the norm of x covers below.
      const double miss = double{hidden[j]} - double{quantized};
      missed += miss * miss;
      room.x[j] = exact_ ? hidden[j] : quantized;
    }
    // Of an int8 model the vector is step * q, which room.x has rounded.
    norm_x_ = std::sqrt(SquaredNorm(room.x, width)) * (1.0 + 2.0 * kUnit);
    tiny_ = kTiny * (1.0 + norm_x_);
    missed_ = (std::sqrt(missed) + 2.0 * kUnit * norm_x_) * kOutward;
    rows_ = {cascade_.rows, cascade_.row_bytes, columns};
  }

  bool PrepareScan() {
    CascadeScratch& room = s_->cascade;
    const size_t width = s_->model->width;
    const size_t columns = cascade_.columns;
    const double norm_x = norm_x_;
    const Panels& projection = cascade_.projection;
    GetKernels().f32_product(projection, 0, projection.tiles, {room.x}, room.projected);
    const float* const a = room.projected;  // [columns], then <m, x>
    const double norm_a = std::sqrt(SquaredNorm(a, columns));
    if (!(norm_x < kLongest && norm_a < kLongest && cascade_.kappa > 0)) return false;  // NaN too

    // a ~ A = s q. Values below 1e-20 count as zero: what is left out is part of |a - A|.
    float most = 1e-20f;
    for (size_t j = 0; j < columns; ++j) most = most < std::fabs(a[j]) ? std::fabs(a[j]) : most;
    const float scale = most > 1e-20f ? most / 127.0f : 1.0f;
    const float inverse = most > 1e-20f ? 127.0f / most : 0.0f;
    int32_t sum = 0;
    for (size_t j = 0; j < columns; ++j) {
      const float v = a[j] * inverse;
      const int32_t q = static_cast<int32_t>(v < 0 ? v - 0.5f : v + 0.5f);  // |q| <= 127
      room.q[j] = static_cast<int8_t>(q);
      sum += q;
    }
    // 7.5 sum q is to be whole.
    if (sum & 1) {
      const int toward_zero = room.q[0] > 0 ? -1 : 1;
      room.q[0] = static_cast<int8_t>(room.q[0] + toward_zero);
      sum += toward_zero;
    }
    double squared_off = 0;
    double squared_q = 0;
    for (size_t j = 0; j < columns; ++j) {
      const double value = double{scale} * room.q[j];
      const double rest = double{a[j]} - value;
      squared_off += rest * rest;
      squared_q += value * value;
    }

    const double gamma = Gamma(static_cast<double>(width) + 2.0);
    const double skewed = 1.0 + double{cascade_.skew};
    const double lost = 0x1p-126 * static_cast<double>(width);  // by products near zero
    const double a_off = (gamma * norm_x + lost) * std::sqrt(static_cast<double>(columns) * skewed);
    const double off = (std::sqrt(squared_off) + a_off) * kOutward;
    const double least_a = norm_a / kOutward - a_off;
    double squared_rest = norm_x * norm_x * (1.0 + 0x1p-40);  // what is left of 1 - 1 in double
    if (least_a > 0) squared_rest -= (2.0 - skewed) * least_a * least_a;

    // rho has kappa |C_i| in it: enough for |a - A| up to kappa |a|, and more of it raises |a|.
    double norm = (norm_a + a_off) * kOutward;
    if (off > cascade_.kappa * norm) norm = off / cascade_.kappa;
    const double rho_unit = norm * cascade_.rho_unit;
    const double tau_unit =
        squared_rest > 0 ? std::sqrt(squared_rest) * kOutward * cascade_.tau_unit : 0.0;
    const double mean = a[columns];
    const double mean_off = gamma * room.mean_norm * norm_x;
    const double magnitude = std::fabs(mean) + cascade_.largest_bias +
                             cascade_.omega * std::sqrt(squared_q) + 255.0 * (rho_unit + tau_unit);
    double base = mean + mean_off + kSlack * magnitude + tiny_;
    if (!((magnitude + std::fabs(base)) / scale < 1e37)) return false;  // nor NaN

    // Both units as small whole numbers of one; a tau that hardly matters goes into the base.
    const double larger = rho_unit > tau_unit ? rho_unit : tau_unit;
    const float unit = Up(larger / kRadiusLevels / scale);
    const auto levels = [&](double x) {
      const double ratio = x * kOutward / (double{unit} * double{scale});
      const int level = static_cast<int>(ratio) + 1;  // not below the ratio
      return static_cast<int8_t>(level < kRadiusLevels ? level : kRadiusLevels);
    };
    usual_radius_ = static_cast<float>(
        (cascade_.mean_rho * rho_unit + cascade_.mean_tau * tau_unit) / double{scale});
    const bool small_tau = tau_unit < 0x1p-9 * rho_unit;
    if (small_tau) base += 255.0 * tau_unit;
    scan_.radius[0] = unit > 0 ? levels(rho_unit) : int8_t{0};
    scan_.radius[1] = unit > 0 && !small_tau ? levels(tau_unit) : int8_t{0};
    scan_.radius[2] = scan_.radius[3] = 0;

    scan_.tiles = cascade_.tiles;
    scan_.tile_bytes = cascade_.tile_bytes;
    scan_.steps = columns / kStepColumns;
    scan_.q = room.q;
    scan_.zero = 15 * (sum / 2);
    scan_.radius_unit = unit;
    scan_.bias_unit = 1.0f / scale;
    scan_.base = static_cast<float>(base / scale);
    return true;
  }

  // A threshold in the units of the scan, rounded down.
  float Scaled(float threshold) const {
    const double scaled = double{threshold} * double{scan_.bias_unit};
    return static_cast<float>(scaled - std::fabs(scaled) * kThresholdSlack);
  }

  static uint64_t BitOf(uint32_t item) { return uint64_t{1} << item % kTileRows; }
  bool Allowed(uint32_t item) const {
    return (filter_.Allowed(item / kTileRows) & BitOf(item)) != 0;
  }

  // The k-th best score of the last answer's items, which are mostly good again, or of those that
  // are good in most sessions: the true k-th best is not below either.
  void StartFromSeeds() {
    Raise(s_->seeds, s_->seed_count);
    // Three for each place: a few are left out by filters, and each costs as much as a candidate.
    const size_t enough = 3 * keep_ + 4;
    Raise(cascade_.seeds, enough < cascade_.seed_count ? enough : cascade_.seed_count);
  }

  void Raise(const uint32_t* seeds, size_t seed_count) {
    CascadeScratch& room = s_->cascade;
    size_t count = 0;
    for (size_t i = 0; i < seed_count && count < kMostCandidates; ++i) {
      if (!Allowed(seeds[i])) continue;
      room.good[count++] = seeds[i];
      s_->deny[seeds[i] / kTileRows] ^= BitOf(seeds[i]);  // so that a repeat does not come in
    }
    for (size_t i = 0; i < count; ++i) s_->deny[room.good[i] / kTileRows] ^= BitOf(room.good[i]);
    if (count < keep_) return;
    kernels_.row_scores(rows_, candidate_, room.good, count, room.scores);
    Heap heap(s_->keys, keep_);
    for (size_t i = 0; i < count; ++i) {
      const float radius = exact_ ? Radius(room.good[i], room.scores[i]) : 0.0f;
      const uint64_t key = MakeKey(room.scores[i] - radius, room.good[i]);
      if (!heap.full() || key > heap.worst()) heap.Push(key);
    }
    float score;
    KeyScore(heap.worst(), &score);
    if (score > threshold_) threshold_ = score;
  }

  // Of the items that a chunk of tiles leaves over, those that would pass without their radius are
  // scored at once and raise the threshold; the others wait, and few of them are still in question
  // at the end: 579 of 3,450 at the 95th percentile of 43,097 x 100, M = 56. Every second scan
  // backward, from what the cache still holds: no gain (3.9 MB 195 us and 198, 6 MB 281 and 276).
  bool ScanAll() {
    CascadeScratch& room = s_->cascade;
    const size_t tiles = static_cast<size_t>(PanelTiles(s_->model->items));
    size_t waiting = 0;
    for (size_t t = 0; t < tiles; t += kChunkTiles) {
      const size_t end = tiles - t < kChunkTiles ? tiles : t + kChunkTiles;
      const size_t found = kernels_.bound_scan(scan_, t, end, filter_, Scaled(threshold_),
                                               room.items + waiting, room.bounds + waiting);
      const float eager = Scaled(threshold_) + usual_radius_;
      size_t good = 0;
      size_t kept = waiting;
      for (size_t i = waiting; i < waiting + found; ++i) {
        const uint32_t item = room.items[i];
        const float bound = room.bounds[i];
        room.good[good] = item;
        room.items[kept] = item;
        room.bounds[kept] = bound;
        const bool is_good = bound >= eager;
        good += is_good;
        kept += !is_good;
      }
      waiting = kept;
      if (!Score(room.good, good)) return false;
      if (waiting > room.waiting_room - kCandidateRoom) {
        waiting = StillWaiting(waiting);
        if (waiting > room.waiting_room / 2) {
          if (!ScoreWaiting(waiting)) return false;
          waiting = 0;
        }
      }
    }
    return ScoreWaiting(StillWaiting(waiting));
  }

  bool ScoreWaiting(size_t count) {
    const CascadeScratch& room = s_->cascade;
    for (size_t i = 0; i < count; i += kMostCandidates) {
      const size_t rest = count - i < kMostCandidates ? count - i : kMostCandidates;
      if (!Score(room.items + i, rest)) return false;
    }
    return true;
  }

  // Those of the first `count` that wait that the threshold has not passed yet.
  size_t StillWaiting(size_t count) {
    CascadeScratch& room = s_->cascade;
    const float least = Scaled(threshold_);
    size_t kept = 0;
    for (size_t i = 0; i < count; ++i) {
      const float bound = room.bounds[i];
      room.items[kept] = room.items[i];
      room.bounds[kept] = bound;
      kept += bound >= least;
    }
    return kept;
  }

  // count <= kMostCandidates. False where there is no room for what can still win.
  bool Score(const uint32_t* items, size_t count) {
    CascadeScratch& room = s_->cascade;
    if (count == 0) return true;
    if (count > affordable_) return false;
    affordable_ -= count;
    kernels_.row_scores(rows_, candidate_, items, count, room.scores);
    for (size_t i = 0; i < count; ++i) {
      float score = room.scores[i];
      if (exact_) {
        const float radius = Radius(items[i], score);
        if (score + radius < threshold_) continue;
        if (!AddFinalist(items[i], score + radius)) return false;
        score -= radius;
      }
      if (score >= threshold_) Add(score, items[i]);
    }
    return true;
  }

  // A score, or a lower bound of one, that is not below the threshold.
  void Add(float score, uint32_t item) {
    const uint64_t key = MakeKey(score, item);
    if (best_.full() && key <= best_.worst()) return;
    best_.Push(key);
    if (!best_.full()) return;
    KeyScore(best_.worst(), &score);
    if (score > threshold_) threshold_ = score;
  }

  // How far the score of a float row may lie from that of its candidate row (cascade.h).
  float Radius(uint32_t item, float score) const {
    float tail[4];  // scale, bias, residual, 0
    std::memcpy(tail, cascade_.rows + (item + size_t{1}) * cascade_.row_bytes - sizeof(tail),
                sizeof(tail));
    const double scale = double{tail[0]};
    const double norm = 127.0 * scale * root_width_;  // at least that of the codes' row
    const double radius = norm * missed_ + double{tail[2]} * norm_x_;
    const double magnitude = std::fabs(double{score}) + 2.0 * std::fabs(double{tail[1]}) + radius;
    return Up(radius + kSlack * magnitude + tiny_);
  }

  // Room is made by what the threshold has passed since; false if that is not enough.
  bool AddFinalist(uint32_t item, float bound) {
    CascadeScratch& room = s_->cascade;
    if (finalists_ == room.finalist_room) {
      DropFinalists();
      if (finalists_ > room.finalist_room / 2) return false;
    }
    room.finalists[finalists_] = item;
    room.finalist_bounds[finalists_++] = bound;
    return true;
  }

  void DropFinalists() {
    CascadeScratch& room = s_->cascade;
    size_t count = 0;
    for (size_t i = 0; i < finalists_; ++i) {
      room.finalists[count] = room.finalists[i];
      room.finalist_bounds[count] = room.finalist_bounds[i];
      count += room.finalist_bounds[i] >= threshold_;
    }
    finalists_ = count;
  }

  // The heap's lower bounds have done their work: now the scores themselves.
  void ScoreFinalists() {
    CascadeScratch& room = s_->cascade;
    DropFinalists();
    const Panels& panels = s_->model->item_rows;
    const FloatRows rows = {reinterpret_cast<const float*>(panels.data), panels.biases,
                            panels.cols};
    kernels_.float_scores(rows, room.x, room.finalists, 0, finalists_, room.finalist_bounds);
    best_ = Heap(s_->keys, keep_);
    for (size_t i = 0; i < finalists_; ++i) {
      const uint64_t key = MakeKey(room.finalist_bounds[i], room.finalists[i]);
      if (!best_.full() || key > best_.worst()) best_.Push(key);
    }
  }

  const CascadeKernels kernels_;
  SessionState* const s_;
  const Cascade& cascade_;
  const Filter& filter_;
  const size_t keep_;
  Heap best_;
  CandidateVector candidate_;
  CandidateRows rows_;
  BoundScan scan_ = {};
  float threshold_ = -INFINITY;  // the k-th best score is not below it
  float usual_radius_ = 0;       // of a row, in units of the scan
  bool exact_ = false;           // the model is its float rows
  double norm_x_ = 0;            // >= |x|
  double missed_ = 0;            // >= |x - X|
  double root_width_ = 0;
  double tiny_ = 0;
  size_t finalists_ = 0;
  size_t affordable_ = 0;  // candidates, before a plain scan is the quicker way
};

}  // namespace

bool PrepareBounds(SessionState* s, BoundScan* scan) {
  const Filter none = {};
  Search search(none, 1, s);
  const bool is_good = search.Prepare();
  *scan = search.scan();
  return is_good;
}

bool CascadeTopK(const Filter& filter, size_t keep, SessionState* s, size_t* count) {
  return Search(filter, keep, s).Run(count);
}

}  // namespace stint
