// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The options of one recommendation -> what a scan asks about an item: bits in the session's
// scratch, which are all zero again after the call.
#ifndef STINT_RUNTIME_FILTER_H_
#define STINT_RUNTIME_FILTER_H_

#include <cstddef>
#include <cstdint>

#include "runtime/session.h"
#include "stint/stint.h"

namespace stint {

// Items that may stand in an answer: those that are not in session->deny, and of these
struct Candidates {
  bool exclude_seen;     // those not in session->seen
  const uint64_t* bits;  // [words] those of these bits; null: all
  const uint32_t* list;  // [list_size] those listed, to be scored one by one; null: all, by a scan
  size_t list_size;
  bool narrow;  // many items may be left out: ask before a tile is scored
};

// STINT_INVALID_ARGUMENT for a list that is missing or has an index that is not below `items`.
[[nodiscard]] stint_status CheckOptions(const stint_recommend_options& options,
                                        uint32_t items) STINT_NONBLOCKING;

// Writes the lists of `options` into session->deny.
Candidates SetFilter(const stint_recommend_options& options,
                     SessionState* session) STINT_NONBLOCKING;

// Makes session->deny all zero again.
void ClearFilter(const stint_recommend_options& options, const Candidates& candidates,
                 SessionState* session) STINT_NONBLOCKING;

}  // namespace stint

#endif  // STINT_RUNTIME_FILTER_H_
