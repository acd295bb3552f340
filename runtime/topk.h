// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Hidden state -> the k best items, the rank of one, or all scores. A session without events
// takes the items' counts for scores.
#ifndef STINT_RUNTIME_TOPK_H_
#define STINT_RUNTIME_TOPK_H_

#include <cstddef>
#include <cstdint>

#include "runtime/session.h"

namespace stint {

// Fills session->keys with the best min(k, items left) keys, best first, and returns their number.
// Leaves out the items of session->deny, and of session->seen if asked to. k <= session->max_k.
size_t TopK(uint32_t k, bool exclude_seen, SessionState* session) STINT_NONBLOCKING;

// Items whose score is above that of `item` (< items), and other items whose score is the same.
void Rank(uint32_t item, SessionState* session, uint32_t* higher,
          uint32_t* equal) STINT_NONBLOCKING;

// Scores of all items, [items].
void Scores(SessionState* session, float* scores) STINT_NONBLOCKING;

}  // namespace stint

#endif  // STINT_RUNTIME_TOPK_H_
