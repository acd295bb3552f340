// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Hidden state -> the k best items, the rank of one, scores, or probabilities. A session without
// events takes the items' counts for scores.
#ifndef STINT_RUNTIME_TOPK_H_
#define STINT_RUNTIME_TOPK_H_

#include <cstddef>
#include <cstdint>

#include "runtime/filter.h"
#include "runtime/session.h"

namespace stint {

// Fills session->keys with the best min(k, items left) keys, best first, and returns their number.
// k <= session->max_k. An item of a list is marked in session->deny.
size_t TopK(uint32_t k, const Candidates& candidates, SessionState* session) STINT_NONBLOCKING;

// Items whose score is above that of `item` (< items), and other items whose score is the same.
void Rank(uint32_t item, SessionState* session, uint32_t* higher,
          uint32_t* equal) STINT_NONBLOCKING;

// Scores of all items, [items].
void Scores(SessionState* session, float* scores) STINT_NONBLOCKING;

// Scores of the given items (each < items), [count], with the bits of Scores().
void ItemScores(const uint32_t* items, size_t count, SessionState* session,
                float* scores) STINT_NONBLOCKING;

// What makes a score a probability: exp(score - base) / sum. In a session without events `sum` is
// that of the counts, and a probability is count / sum.
struct Softmax {
  float base;
  double sum;  // over the catalog
};

// One pass over the item rows.
Softmax GetSoftmax(SessionState* session) STINT_NONBLOCKING;

// Probabilities of the given items (each < items), [count].
void Probabilities(const Softmax& softmax, const uint32_t* items, size_t count,
                   SessionState* session, float* probabilities) STINT_NONBLOCKING;

}  // namespace stint

#endif  // STINT_RUNTIME_TOPK_H_
