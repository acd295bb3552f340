// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Models with a cascade whose item rows are made to mislead it, their weights and vectors in long
// double, and sessions with a given hidden state.
#ifndef STINT_TESTS_RUNTIME_CASCADE_MODEL_H_
#define STINT_TESTS_RUNTIME_CASCADE_MODEL_H_

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <utility>
#include <vector>

#include "runtime/session.h"
#include "tests/runtime/test_model.h"

namespace stint {

// Item rows of some kind, in place of random ones.
struct RowKind {
  const char* name;
  double largest_weight;  // of any row
  double most_above;      // mean of what bounds are above scores, as a share of the scores' spread
  std::function<void(const RandomCounter& random, Parameters* p)> fill;
};

inline double Normal(const RandomCounter& random, uint64_t* draw) {
  double sum = -6;
  for (int i = 0; i < 12; ++i) sum += random.Unit((*draw)++);
  return sum;
}

inline const std::vector<RowKind>& RowKinds() {
  static const std::vector<RowKind> kinds = {
      {"uniform", 1, 7, [](const RandomCounter&, Parameters*) {}},
      // A few directions carry most of what differs, as in trained models.
      {"low rank", 10, 1.5,
       [](const RandomCounter& random, Parameters* p) {
         uint64_t draw = 0;
         const size_t width = p->width();
         for (size_t i = 0; i < p->items.rows; ++i) {
           double factor[4];
           for (double& f : factor) f = Normal(random, &draw);
           for (size_t j = 0; j < width; ++j) {
             double sum = 0.1 * Normal(random, &draw);
             for (size_t f = 0; f < 4; ++f)
               sum += factor[f] * (2 * random.Unit(~(f * width + j)) - 1);
             p->items.Row(i)[j] = static_cast<float>(sum);
           }
         }
       }},
      {"copies and zeros", 1, 1.5,
       [](const RandomCounter& random, Parameters* p) {
         for (size_t i = 0; i < p->items.rows; ++i) {
           const size_t from = random.Bits(i) % 7;
           for (size_t j = 0; j < p->width(); ++j) {
             p->items.Row(i)[j] = from == 0 ? 0.0f : p->items.Row(from % p->items.rows)[j];
           }
           p->item_bias.Row(0)[i] = static_cast<float>(random.Bits(~i) % 3);
         }
       }},
      {"huge and tiny norms", 0x1p29, 1,
       [](const RandomCounter& random, Parameters* p) {
         for (size_t i = 0; i < p->items.rows; ++i) {
           const float scale = std::ldexp(1.0f, static_cast<int>(random.Bits(i) % 60) - 30);
           for (size_t j = 0; j < p->width(); ++j) p->items.Row(i)[j] *= scale;
         }
       }},
      {"a few outliers", 1e6, 3000,
       [](const RandomCounter& random, Parameters* p) {
         for (size_t i = 0; i < 5; ++i) {
           const size_t item = random.Bits(i) % p->items.rows;
           for (size_t j = 0; j < p->width(); ++j) {
             const float w = p->items.Row(item)[j];
             if (std::fabs(w) <= 1) p->items.Row(item)[j] = 1e6f * w;
           }
         }
       }},
      {"biases alone", 0, 0.01,
       [](const RandomCounter&, Parameters* p) {
         for (size_t i = 0; i < p->items.rows; ++i) {
           for (size_t j = 0; j < p->width(); ++j) p->items.Row(i)[j] = 0.0f;
         }
       }},
      // Rows that differ from the mean are so few that they have no bounds; the others have no
      // spread.
      {"pairs among zeros", 30, INFINITY,
       [](const RandomCounter& random, Parameters* p) {
         for (size_t i = 0; i < p->items.rows; ++i) {
           const bool is_pair = i / 2 % 200 == 70 && i % 2 < 2 && (i | 1) < p->items.rows;
           for (size_t j = 0; j < p->width(); ++j) {
             const float w = static_cast<float>(1 + random.Bits(i / 2 * 1000 + j) % 16);
             p->items.Row(i)[j] = !is_pair ? 0.0f : i % 2 == 0 ? w : -w;
           }
           p->item_bias.Row(0)[i] = 0.0f;
         }
       }},
      // Products of such numbers are no normal floats.
      {"near the smallest floats", 1, 1e15,
       [](const RandomCounter&, Parameters* p) {
         for (size_t i = 0; i < p->items.rows; ++i) {
           for (size_t j = 0; j < p->width(); ++j) p->items.Row(i)[j] *= 3e-36f;
           p->item_bias.Row(0)[i] *= 1e-38f;
         }
       }},
      {"at the limit of the format", 1e15, 7,
       [](const RandomCounter&, Parameters* p) {
         for (size_t i = 0; i < p->items.rows; ++i) {
           for (size_t j = 0; j < p->width(); ++j) p->items.Row(i)[j] *= 1e15f;
           p->item_bias.Row(0)[i] *= 1e15f;
         }
       }},
  };
  return kinds;
}

inline ExportInput CascadeExport(const Parameters& p, const Catalog& catalog, Scoring scoring,
                                 uint32_t columns) {
  ExportInput input;
  input.parameters = &p;
  input.catalog = &catalog;
  input.scoring = scoring;
  input.cascade_columns = columns;
  for (uint32_t s = 0; s < 12; ++s) {
    std::vector<uint32_t> session;
    for (uint32_t e = 0; e <= s % 4; ++e) {
      session.push_back(static_cast<uint32_t>(MixBits(50 * s + e) % p.items.rows));
    }
    input.calibration_sessions.push_back(std::move(session));
  }
  return input;
}

// A session's block starts with its state.
inline SessionState* StateOf(stint_session* session) {
  return reinterpret_cast<SessionState*>(session);
}

// The last layer's hidden state becomes `x`, as if something had been observed.
inline void SetHidden(const std::vector<double>& x, SessionState* s) {
  float* const hidden = s->hidden[s->model->layers - 1];
  for (size_t j = 0; j < x.size(); ++j) hidden[j] = static_cast<float>(x[j]);
  for (uint32_t l = 0; s->quantized_hidden && l < s->model->layers; ++l) {
    s->quantized_hidden[l].fresh = false;
  }
  s->observed = 1;
}

// Scale, bias and residual of a candidate row.
struct RowTail {
  float scale, bias, residual, zero;
};
inline RowTail TailOf(const Cascade& c, uint32_t item) {
  RowTail tail;
  std::memcpy(&tail, c.rows + (item + size_t{1}) * c.row_bytes - sizeof(tail), sizeof(tail));
  return tail;
}

// A weight of the rows that scores are defined by; of int8 models from the candidate rows, which
// have the same codes.
inline double TrueWeight(const BoundModel& model, uint32_t item, size_t column) {
  if (model.item_kind == ItemRowKind::kF32Rows) {
    return double{
        reinterpret_cast<const float*>(model.item_rows.data)[size_t{item} * model.width + column]};
  }
  const int code = model.cascade.rows[item * model.cascade.row_bytes + column] - 128;
  return double{TailOf(model.cascade, item).scale} * code;
}

// What a row's 4-bit code stands for.
inline double ScanValue(const Cascade& c, uint32_t item, size_t column) {
  const uint8_t* const tile = c.tiles + item / kTileRows * c.tile_bytes;
  const uint32_t lane = item % kTileRows;
  const bool is_high = lane % 32 >= 16;
  uint16_t step;
  std::memcpy(&step, tile + kScanBoundBytes + (lane / 32 * 16 + lane % 16) * 4 + (is_high ? 0 : 2),
              2);
  const uint32_t bits = uint32_t{step} << 16;
  float value;
  std::memcpy(&value, &bits, 4);
  const uint8_t byte = tile[kScanHeaderBytes + column / 4 * kScanStepBytes + lane / 32 * 64 +
                            lane % 16 * 4 + column % 4];
  const int code = is_high ? byte >> 4 : byte & 15;
  return double{value} * (is_high ? 16.0 : 1.0) * (code - 7.5);
}

// A hidden state as the model takes it (runtime/dot-inl.h), without rounding from there on.
class TrueVector {
 public:
  TrueVector(const BoundModel& model, const float* hidden) : x_(hidden, hidden + model.width) {
    if (model.item_kind == ItemRowKind::kF32Rows) return;
    float max = 0;
    for (size_t j = 0; j < model.width; ++j) max = std::max(max, std::fabs(hidden[j]));
    const uint32_t columns = (model.width + 3) / 4 * 4;
    const float levels = static_cast<float>(std::min(32512u, 0x7FFFFFFFu / (127 * columns)));
    const float step = max / levels;
    for (size_t j = 0; j < model.width; ++j) {
      x_[j] = max >= 1e-30f
                  ? static_cast<long double>(step) * std::nearbyint(hidden[j] * (levels / max))
                  : 0.0L;
    }
  }

  long double Score(const BoundModel& model, uint32_t item) const {
    long double sum = static_cast<long double>(TailOf(model.cascade, item).bias);
    for (size_t j = 0; j < x_.size(); ++j) {
      sum += static_cast<long double>(TrueWeight(model, item, j)) * x_[j];
    }
    return sum;
  }

 private:
  std::vector<long double> x_;  // [width]
};

}  // namespace stint

#endif  // STINT_TESTS_RUNTIME_CASCADE_MODEL_H_
