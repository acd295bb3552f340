// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Events -> sessions: the items of each session in time order, and the order in
// which training visits the sessions.
#ifndef STINT_TRAINER_SESSIONS_H_
#define STINT_TRAINER_SESSIONS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "trainer/events.h"
#include "trainer/options.h"

namespace stint {

// Sessions over a catalog. Sorted by session id (numbers as numbers, names as bytes);
// inside a session by time, rows of equal time in file order.
struct Sessions {
  std::vector<uint32_t> items;    // [events] item indices, session after session
  std::vector<uint64_t> offsets;  // [sessions + 1] into items
  std::vector<uint32_t> order;    // [sessions] by time of the first event, ties by position
  Ids session_ids;                // [sessions]

  size_t size() const { return offsets.empty() ? 0 : offsets.size() - 1; }
  std::span<const uint32_t> operator[](size_t s) const {
    return {items.data() + offsets[s], items.data() + offsets[s + 1]};
  }
  // Number of (input, target) pairs: the sum over sessions of length - 1.
  uint64_t Targets() const;
};

// The catalog: external ids and training counts, item index = order of first
// appearance in the log.
struct Catalog {
  Ids ids;                       // [items]
  std::vector<uint32_t> counts;  // [items] events of each item

  size_t size() const { return counts.size(); }
};

// Sessions of all events; item indices are those of `events`.
Sessions MakeSessions(const Events& events);

// The order in which epoch number `epoch` visits the sessions, [sessions]: by the time of their
// first event (`sessions.order`), by id (0, 1, 2, ...), or at random, which is a permutation that
// depends on seed, epoch and the number of sessions alone.
std::vector<uint32_t> EpochOrder(const Sessions& sessions, SessionOrder order, uint64_t seed,
                                 uint64_t epoch);

// What training starts from.
struct Dataset {
  Catalog catalog;  // of the training part alone
  Sessions train;
  Sessions validation;              // empty without a split; items unknown to `train` are dropped
  uint64_t validation_unknown = 0;  // events dropped for that reason
};

// How a log is divided; at most one of the two splits.
struct DatasetOptions {
  size_t validation_sessions = 0;  // validates the last so many sessions by start time
  EventTime validation_span = {};  // validates the sessions whose last event is at most this much
                                   // older than the newest event of the log (86400 s is
                                   // the split of RSC15, arXiv 1511.06939); 0: none
  // Items that validation may keep beside those of the training part, for ExtendCatalog() to come
  // (trainer/warm_start.h): they stand behind these with a count of 0. nullptr: none.
  const Catalog* known = nullptr;
};

// Splits off a validation part; at least one session stays on either side, or std::runtime_error.
// Item indices are made anew from the training part in the order of first appearance in the file.
Dataset MakeDataset(const Events& events, const DatasetOptions& options);
Dataset MakeDataset(const Events& events, size_t validation_sessions);

// The item index of an event whose item the catalog does not know.
inline constexpr uint32_t kUnknownItem = UINT32_MAX;

// Test events in the terms of a catalog: items it does not know are dropped, sessions
// shrink (and may become empty or single). With `keep_unknown` they stay, as kUnknownItem.
// `unknown` counts these events. Ids are compared as text where the catalog has integers
// and the log has names, or the other way round.
Sessions MapSessions(const Events& events, const Catalog& catalog, uint64_t* unknown,
                     bool keep_unknown = false);

}  // namespace stint

#endif  // STINT_TRAINER_SESSIONS_H_
