// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Session, or many sessions of one model -> recommendations.
#include "runtime/batch.h"

#include <hwy/base.h>

#include <cfloat>
#include <optional>

#include "runtime/filter.h"
#include "runtime/kernels.h"
#include "runtime/scan.h"
#include "runtime/score.h"
#include "runtime/seeds.h"
#include "runtime/select.h"
#include "runtime/topk.h"

namespace stint {
namespace {

// Sessions that share a pass: rounds of the screen over a tile that is in the first-level cache,
// while the memory delivers the next one. 8 take 10 % more time at 43,097 x 100, more where the
// rows come from farther away.
constexpr size_t kGroup = 4 * kScreenVectors;

// Tasks that groups are halved for, down to a round: more threads have work, for no more
// arithmetic.
constexpr size_t kManyTasks = 8;

// Less than a session's capacity for keys (select.h): here a threshold that rises early saves
// products with tiles. 5 % at k = 20.
constexpr size_t BatchCapacity(size_t keep) { return keep + kTileRows + keep / 2 + 16; }

void WriteAnswer(const SessionState& s, size_t count, stint_recommendation* top) {
  for (size_t i = 0; i < count; ++i) {
    const uint32_t item = KeyItem(s.keys[i]);
    top[i].item = item;
    top[i].id = s.model->id_numbers ? s.model->id_numbers[item] : 0;
    if (s.observed > 0) {
      KeyScore(s.keys[i], &top[i].score);
    } else {
      uint32_t popularity;
      KeyScore(s.keys[i], &popularity);
      top[i].score = static_cast<float>(popularity);
    }
  }
}

// A session in a pass.
struct Member {
  size_t index;  // in the batch
  SessionState* session;
  Candidates candidates;
  Filter filter;
  RowScores scores;
  Selection<float> best;
};

// One pass over the item rows for members[count], 1 <= count <= kGroup.
void Scan(std::optional<Member>* members, size_t count) {
  alignas(64) float values[kTileRows];
  const BoundModel& model = *members[0]->session->model;
  const Kernels& kernels = members[0]->scores.kernels();
  const auto screen = model.item_kind == ItemRowKind::kInt8 ? kernels.int8_screen : nullptr;
  ScreenVector vectors[kGroup];
  float thresholds[kGroup];
  uint32_t cold = 0;    // members without a threshold: all values are theirs
  uint32_t narrow = 0;  // members to be asked before a tile is scored
  for (size_t i = 0; i < kGroup; ++i) {
    thresholds[i] = FLT_MAX;  // which no value is above
    const Member& m = *members[i < count ? i : count - 1];
    if (screen) vectors[i] = PrepareScreen(m.scores.vector().quantized, model.width);
    if (i >= count) continue;
    if (m.best.start.has_threshold) {
      thresholds[i] = m.best.start.threshold;
    } else {
      cold |= 1u << i;
    }
    if (m.filter.narrow) narrow |= 1u << i;
  }
  const uint32_t all = (1u << count) - 1;
  constexpr uint32_t kRound = (1u << kScreenVectors) - 1;
  for (size_t t = 0; t < model.item_rows.tiles; ++t) {
    uint32_t sparse = 0;
    for (uint32_t rest = narrow; rest != 0; rest &= rest - 1) {
      const size_t i = hwy::Num0BitsBelowLS1Bit_Nonzero32(rest);
      if (IsSparse(members[i]->filter, t)) sparse |= 1u << i;
    }
    uint32_t hits = screen ? cold | sparse : all;
    for (size_t first = 0; first < count; first += kScreenVectors) {
      if ((all & ~hits & kRound << first) == 0) continue;
      hits |= screen(model.item_rows, t, vectors + first, thresholds + first) << first;
    }
    for (; hits != 0; hits &= hits - 1) {
      const size_t i = hwy::Num0BitsBelowLS1Bit_Nonzero32(hits);
      const uint32_t bit = 1u << i;
      Member& m = *members[i];
      uint64_t bits = ~uint64_t{0};
      if (sparse & bit) {
        AddRows(m.scores, m.filter, t, &m.best);
      } else {
        if (cold & bit) {
          m.scores.Tile(t, values);
        } else if (m.scores.NextAbove(t, t + 1, thresholds[i], values, &bits) != t) {
          continue;
        }
        m.best.Add(values, bits & m.filter.Allowed(t), t);
      }
      if (m.best.start.has_threshold) {
        thresholds[i] = m.best.start.threshold;
        cold &= ~bit;
      }
    }
  }
}

const stint_recommend_options& OptionsOf(const Batch& b, size_t index) {
  return b.options[b.options_count == 1 ? 0 : index];
}

// Sessions [first, last) of the batch, at most kGroup.
void RecommendGroup(const Batch& b, size_t first, size_t last) {
  std::optional<Member> members[kGroup];
  size_t count = 0;
  for (size_t index = first; index < last; ++index) {
    SessionState* const s = b.state(b.sessions[index]);
    const stint_recommend_options& o = OptionsOf(b, index);
    const size_t keep = b.k < s->model->items ? b.k : s->model->items;
    const Candidates candidates = SetFilter(o, s);
    // No pass, one of its own, or a cascade, which reads less than its share of one.
    if (s->observed == 0 || candidates.list || last - first == 1 || s->model->cascade.columns > 0) {
      const size_t found = TopK(b.k, candidates, s);
      ClearFilter(o, candidates, s);
      WriteAnswer(*s, found, b.top + index * b.k);
      b.counts[index] = found;
      continue;
    }
    const RowScores scores(s);
    const Filter filter = MakeFilter(candidates, *s);
    const auto start = StartFromSeeds(scores, filter, keep, s);
    members[count++].emplace(Member{
        index, s, candidates, filter, scores, {start, keep, s->keys, BatchCapacity(keep), 0}});
  }
  if (count == 0) return;
  Scan(members, count);
  for (size_t i = 0; i < count; ++i) {
    Member& m = *members[i];
    const size_t found = m.best.Finish();
    KeepSeeds(found, m.session);
    ClearFilter(OptionsOf(b, m.index), m.candidates, m.session);
    WriteAnswer(*m.session, found, b.top + m.index * b.k);
    b.counts[m.index] = found;
  }
}

struct Tasks {
  const Batch* batch;
  size_t group;
};

void RunTask(void* context, size_t index) {
  const Tasks& tasks = *static_cast<const Tasks*>(context);
  const size_t first = index * tasks.group;
  const size_t left = tasks.batch->count - first;
  RecommendGroup(*tasks.batch, first, first + (left < tasks.group ? left : tasks.group));
}

}  // namespace

ScreenVector PrepareScreen(const QuantizedVector& x, size_t columns) {
  int32_t high = 0;
  int32_t low = 0;
  for (size_t j = 0; j < PanelSteps(columns) * kStepColumns; ++j) {
    high += x.high[j];
    low += x.low[j] < 0 ? -x.low[j] : x.low[j];
  }
  return {x.high, high, (127 * low + 255) / 256, x.step};
}

size_t Recommend(SessionState* session, uint32_t k, const stint_recommend_options& options,
                 stint_recommendation* top) {
  const Candidates candidates = SetFilter(options, session);
  const size_t found = TopK(k, candidates, session);
  ClearFilter(options, candidates, session);
  WriteAnswer(*session, found, top);
  return found;
}

void RecommendBatch(const Batch& batch, stint_parallel_for parallel_for, void* parallel_context) {
  Tasks tasks = {&batch, kGroup};
  while (parallel_for && tasks.group > kScreenVectors && batch.count < kManyTasks * tasks.group) {
    tasks.group /= 2;
  }
  const size_t count = (batch.count + tasks.group - 1) / tasks.group;
  if (parallel_for && count > 1) {
    parallel_for(parallel_context, count, RunTask, &tasks);
  } else {
    for (size_t i = 0; i < count; ++i) RunTask(&tasks, i);
  }
}

}  // namespace stint
