// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Session, or many sessions of one model -> recommendations. Many are answered in groups, each by
// one pass over the item rows that compares a tile with all of the group's hidden states while it
// is in the cache.
#ifndef STINT_RUNTIME_BATCH_H_
#define STINT_RUNTIME_BATCH_H_

#include <cstddef>
#include <cstdint>

#include "runtime/session.h"
#include "runtime/vector.h"
#include "stint/stint.h"

namespace stint {

// The best k of a session into top[k]; returns their number. Arguments are checked.
size_t Recommend(SessionState* session, uint32_t k, const stint_recommend_options& options,
                 stint_recommendation* top) STINT_NONBLOCKING;

// x has two planes of `columns`.
ScreenVector PrepareScreen(const QuantizedVector& x, size_t columns) STINT_NONBLOCKING;

// The arguments of stint_recommend_batch(), checked.
struct Batch {
  SessionState* (*state)(stint_session* session);
  stint_session* const* sessions;  // [count], of one model, no two the same
  size_t count;
  uint32_t k;
  const stint_recommend_options* options;  // [options_count]
  size_t options_count;                    // 1: for all, or `count`
  stint_recommendation* top;               // [count, k]
  size_t* counts;                          // [count]
};

// Answers all sessions, in tasks through `parallel_for`, or one after the other where it is null.
void RecommendBatch(const Batch& batch, stint_parallel_for parallel_for, void* parallel_context);

}  // namespace stint

#endif  // STINT_RUNTIME_BATCH_H_
