// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Hidden state -> the k best items, the rank of one, scores, or probabilities: one pass over the
// item rows, or single rows. Plain code around the kernels of the SIMD target in use.
#include "runtime/topk.h"

#include <hwy/base.h>

#include <cfloat>

#include "runtime/cascade.h"
#include "runtime/kernels.h"
#include "runtime/scan.h"
#include "runtime/score.h"
#include "runtime/seeds.h"

namespace stint {
namespace {

template <class Scores>
size_t TopKOf(const Scores& scores, const Filter& filter, size_t keep, SessionState* s) {
  const auto start = StartFromSeeds(scores, filter, keep, s);
  const size_t count = SelectBest(scores, filter, start, keep, s->keys, s->key_capacity);
  KeepSeeds(count, s);
  return count;
}

// The same of the items of a list, scored one by one.
template <class Scores>
size_t TopKOfList(const Scores& scores, const Filter& filter, const Candidates& candidates,
                  size_t keep, SessionState* s) {
  size_t count = 0;
  uint64_t worst = 0;  // a key of the best `keep` so far is not below it
  for (size_t i = 0; i < candidates.list_size; ++i) {
    const uint32_t item = candidates.list[i];
    const uint64_t bit = uint64_t{1} << item % kTileRows;
    if (!(filter.Allowed(item / kTileRows) & bit)) continue;
    s->deny[item / kTileRows] |= bit;  // so that a repeat does not come in
    const uint64_t key = MakeKey(scores.Row(item), item);
    if (key < worst) continue;
    s->keys[count++] = key;
    if (count == s->key_capacity) {
      KeepBest(s->keys, count, keep);
      count = keep;
      worst = s->keys[keep - 1];
    }
  }
  if (count > keep) {
    KeepBest(s->keys, count, keep);
    count = keep;
  }
  SortBest(s->keys, count);
  return count;
}

// Calls use(scores) with what scores the session's items.
template <class Use>
auto WithScores(SessionState* s, const Use& use) {
  if (s->observed == 0) return use(CountScores(s));
  return use(RowScores(s));
}

template <class Scores, typename T = typename Scores::Value>
void RankOf(const Scores& scores, uint32_t item, const Filter& filter, uint32_t* higher,
            uint32_t* equal) {
  alignas(64) T values[kTileRows];
  scores.Tile(item / kTileRows, values);
  const T own = values[item % kTileRows];
  size_t above = 0;
  size_t same = 0;
  const size_t tiles = PanelTiles(filter.items);
  for (size_t t = 0; t < tiles; ++t) {
    scores.Tile(t, values);
    const uint64_t inside = filter.Allowed(t);
    const TileBits bits = scores.Compare(values, own);
    if (bits.above & inside) above += hwy::PopCount(bits.above & inside);
    if (bits.equal & inside) same += hwy::PopCount(bits.equal & inside);
  }
  *higher = static_cast<uint32_t>(above);
  *equal = static_cast<uint32_t>(same - 1);  // without the item itself
}

template <class Scores, typename T = typename Scores::Value>
void ScoresOf(const Scores& scores, size_t items, float* out) {
  alignas(64) T values[kTileRows];
  for (size_t first = 0; first < items; first += kTileRows) {
    scores.Tile(first / kTileRows, values);
    const size_t rows = items - first < kTileRows ? items - first : kTileRows;
    for (size_t i = 0; i < rows; ++i) out[first + i] = static_cast<float>(values[i]);
  }
}

// The base follows the largest score so far only when it falls behind by more than this: a change
// of base costs the sum a rounding, and exp(16) * 64 is far inside the floats.
constexpr float kBaseWindow = 16.0f;

}  // namespace

size_t TopK(uint32_t k, const Candidates& candidates, SessionState* s) {
  const uint32_t items = s->model->items;
  const Filter filter = MakeFilter(candidates, *s);
  const size_t keep = k < items ? k : items;
  size_t count;
  if (s->model->cascade.columns > 0 && s->observed > 0 && !candidates.list &&
      CascadeTopK(filter, keep, s, &count)) {
    KeepSeeds(count, s);
    return count;
  }
  return WithScores(s, [&](const auto& scores) {
    return candidates.list ? TopKOfList(scores, filter, candidates, keep, s)
                           : TopKOf(scores, filter, keep, s);
  });
}

void Rank(uint32_t item, SessionState* s, uint32_t* higher, uint32_t* equal) {
  const Filter filter = {s->model->items, s->deny, nullptr, nullptr,
                         false};  // deny is empty between calls
  WithScores(s, [&](const auto& scores) { RankOf(scores, item, filter, higher, equal); });
}

void Scores(SessionState* s, float* scores) {
  const size_t items = s->model->items;
  WithScores(s, [&](const auto& source) { ScoresOf(source, items, scores); });
}

void ItemScores(const uint32_t* items, size_t count, SessionState* s, float* scores) {
  WithScores(s, [&](const auto& source) {
    for (size_t i = 0; i < count; ++i) scores[i] = static_cast<float>(source.Row(items[i]));
  });
}

Softmax GetSoftmax(SessionState* s) {
  const size_t items = s->model->items;
  if (s->observed == 0) return {0.0f, static_cast<double>(TrainingEvents(*s->model))};
  const RowScores scores(s);
  const Kernels& kernels = scores.kernels();
  alignas(64) float values[kTileRows];
  Softmax out = {0.0f, 0.0};
  for (size_t first = 0; first < items; first += kTileRows) {
    scores.Tile(first / kTileRows, values);
    for (size_t i = items - first; i < kTileRows; ++i) values[i] = -FLT_MAX;  // its term is 0
    const float top = kernels.largest(values);
    if (first == 0) out.base = top;
    if (top - out.base > kBaseWindow) {
      float factor = out.base;
      kernels.exp_minus(1, top, &factor);
      out.sum *= static_cast<double>(factor);
      out.base = top;
    }
    kernels.exp_minus(kTileRows, out.base, values);
    // A fixed tree over the tile, then double: the order of the sums is that of the items.
    for (size_t half = kTileRows / 2; half > 0; half /= 2) {
      for (size_t i = 0; i < half; ++i) values[i] += values[i + half];
    }
    out.sum += static_cast<double>(values[0]);
  }
  return out;
}

void Probabilities(const Softmax& softmax, const uint32_t* items, size_t count, SessionState* s,
                   float* probabilities) {
  if (s->observed > 0) {
    ItemScores(items, count, s, probabilities);
    GetKernels().exp_minus(count, softmax.base, probabilities);
    for (size_t i = 0; i < count; ++i) {
      const double term = static_cast<double>(probabilities[i]);
      probabilities[i] = static_cast<float>(term / softmax.sum);  // <= 1 but for rounding
    }
    return;
  }
  for (size_t i = 0; i < count; ++i) {
    // Nothing was counted: all are equal.
    const double share = softmax.sum > 0 ? s->model->counts[items[i]] / softmax.sum
                                         : 1.0 / static_cast<double>(s->model->items);
    probabilities[i] = static_cast<float>(share);
  }
}

}  // namespace stint
