// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Events -> sessions: the items of each session in time order, and the order in
// which training visits the sessions.
#include "trainer/sessions.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>

#include "trainer/id_index.h"
#include "trainer/random.h"

namespace stint {
namespace {

// Sessions as rows of the log: what the steps below share.
struct Grouped {
  std::vector<uint32_t> by_id;    // [sessions] session numbers of `events`, sorted by id
  std::vector<uint64_t> offsets;  // [sessions + 1] into rows
  std::vector<uint32_t> rows;     // [events] row numbers, session after session, in time order
};

std::vector<uint32_t> Ascending(size_t size) {
  std::vector<uint32_t> numbers(size);
  std::iota(numbers.begin(), numbers.end(), 0u);
  return numbers;
}

Grouped Group(const Events& events) {
  const Ids& ids = events.session_ids;
  Grouped grouped;
  grouped.by_id = Ascending(ids.size());
  std::sort(grouped.by_id.begin(), grouped.by_id.end(), [&](uint32_t a, uint32_t b) {
    return ids.are_names ? ids.names[a] < ids.names[b] : ids.numbers[a] < ids.numbers[b];
  });
  std::vector<uint32_t> position(ids.size());  // [sessions] inverse of by_id
  for (size_t s = 0; s < grouped.by_id.size(); ++s) {
    position[grouped.by_id[s]] = static_cast<uint32_t>(s);
  }

  // A counting sort keeps rows of one session in file order.
  grouped.offsets.assign(ids.size() + 1, 0);
  for (const uint32_t session : events.session) ++grouped.offsets[position[session] + 1];
  std::partial_sum(grouped.offsets.begin(), grouped.offsets.end(), grouped.offsets.begin());
  std::vector<uint64_t> next(grouped.offsets.begin(), grouped.offsets.end() - 1);
  grouped.rows.resize(events.size());
  for (size_t row = 0; row < events.size(); ++row) {
    grouped.rows[next[position[events.session[row]]]++] = static_cast<uint32_t>(row);
  }

  const auto earlier = [&](uint32_t a, uint32_t b) { return events.time[a] < events.time[b]; };
  for (size_t s = 0; s < ids.size(); ++s) {
    const auto begin = grouped.rows.begin() + static_cast<ptrdiff_t>(grouped.offsets[s]);
    const auto end = grouped.rows.begin() + static_cast<ptrdiff_t>(grouped.offsets[s + 1]);
    if (!std::is_sorted(begin, end, earlier)) std::stable_sort(begin, end, earlier);
  }
  return grouped;
}

// Positions of sessions by the time of their first row, ties by position.
std::vector<uint32_t> ByStart(const std::vector<EventTime>& starts) {
  std::vector<uint32_t> order = Ascending(starts.size());
  std::stable_sort(order.begin(), order.end(),
                   [&](uint32_t a, uint32_t b) { return starts[a] < starts[b]; });
  return order;
}

// later - earlier >= 0. Differences that 63 bits cannot hold are cut there: no span is longer.
EventTime Difference(const EventTime& later, const EventTime& earlier) {
  const uint64_t borrow = later.nanos < earlier.nanos ? 1 : 0;
  const uint64_t whole =
      static_cast<uint64_t>(later.whole) - static_cast<uint64_t>(earlier.whole) - borrow;
  if (whole > static_cast<uint64_t>(INT64_MAX)) return {INT64_MAX, 999999999};
  return {static_cast<int64_t>(whole),
          static_cast<uint32_t>(later.nanos + borrow * 1000000000 - earlier.nanos)};
}

void AppendId(const Ids& from, size_t index, Ids* to) {
  to->are_names = from.are_names;
  if (from.are_names) {
    to->names.push_back(from.names[index]);
  } else {
    to->numbers.push_back(from.numbers[index]);
  }
}

// The sessions that are `wanted`, items renamed by `item_map`; items that map to kNoIndex
// are dropped and counted, or kept as kUnknownItem if `keep_unknown`.
Sessions Build(const Events& events, const Grouped& grouped, const std::vector<bool>& wanted,
               const std::vector<uint32_t>& item_map, bool keep_unknown, uint64_t* unknown) {
  Sessions sessions;
  sessions.session_ids.are_names = events.session_ids.are_names;
  std::vector<EventTime> starts;
  *unknown = 0;
  size_t n_sessions = 0;
  uint64_t n_events = 0;
  for (size_t s = 0; s < grouped.by_id.size(); ++s) {
    if (!wanted[s]) continue;
    ++n_sessions;
    n_events += grouped.offsets[s + 1] - grouped.offsets[s];
  }
  sessions.items.reserve(n_events);
  sessions.offsets.reserve(n_sessions + 1);
  (events.session_ids.are_names ? sessions.session_ids.names.reserve(n_sessions)
                                : sessions.session_ids.numbers.reserve(n_sessions));
  starts.reserve(n_sessions);
  sessions.offsets.push_back(0);
  for (size_t s = 0; s < grouped.by_id.size(); ++s) {
    if (!wanted[s] || grouped.offsets[s] == grouped.offsets[s + 1]) continue;
    EventTime start = events.time[grouped.rows[grouped.offsets[s]]];
    bool started = false;
    for (uint64_t i = grouped.offsets[s]; i < grouped.offsets[s + 1]; ++i) {
      const uint32_t row = grouped.rows[i];
      const uint32_t item = item_map[events.item[row]];
      *unknown += item == kNoIndex;
      if (item == kNoIndex && !keep_unknown) continue;
      if (!started) start = events.time[row];
      started = true;
      sessions.items.push_back(item);
    }
    sessions.offsets.push_back(sessions.items.size());
    AppendId(events.session_ids, grouped.by_id[s], &sessions.session_ids);
    starts.push_back(start);
  }
  sessions.order = ByStart(starts);
  return sessions;
}

// Which sessions train, [sessions]; the others validate.
std::vector<bool> TrainingSessions(const Events& events, const Grouped& grouped,
                                   const DatasetOptions& options) {
  const size_t n_sessions = grouped.by_id.size();
  std::vector<bool> trains(n_sessions, true);
  const bool by_span = options.validation_span != EventTime{};
  if (options.validation_sessions == 0 && !by_span) return trains;
  if (options.validation_sessions > 0 && by_span) {
    throw std::invalid_argument("validation sessions are told by number or by span, not both");
  }
  if (options.validation_span < EventTime{}) {
    throw std::invalid_argument("the span of validation is negative");
  }
  if (n_sessions < 2) throw std::runtime_error("a single session cannot be split for validation");

  if (!by_span) {
    const size_t validates = std::min(options.validation_sessions, n_sessions - 1);
    std::vector<EventTime> starts(n_sessions);
    for (size_t s = 0; s < n_sessions; ++s) {
      starts[s] = events.time[grouped.rows[grouped.offsets[s]]];
    }
    const std::vector<uint32_t> order = ByStart(starts);
    for (size_t i = n_sessions - validates; i < n_sessions; ++i) trains[order[i]] = false;
    return trains;
  }
  const EventTime newest = *std::max_element(events.time.begin(), events.time.end());
  size_t n_trains = n_sessions;
  for (size_t s = 0; s < n_sessions; ++s) {
    const EventTime end = events.time[grouped.rows[grouped.offsets[s + 1] - 1]];
    trains[s] = options.validation_span < Difference(newest, end);
    n_trains -= !trains[s];
  }
  if (n_trains == 0) {
    throw std::runtime_error("all " + std::to_string(n_sessions) +
                             " sessions end within the span of validation (" +
                             std::to_string(options.validation_span.whole) +
                             " before the newest event): none is left to train on");
  }
  return trains;
}

}  // namespace

static_assert(kUnknownItem == kNoIndex);

uint64_t Sessions::Targets() const {
  uint64_t targets = 0;
  for (size_t s = 0; s < size(); ++s) {
    const uint64_t length = offsets[s + 1] - offsets[s];
    targets += length > 0 ? length - 1 : 0;
  }
  return targets;
}

Sessions MakeSessions(const Events& events) {
  const Grouped grouped = Group(events);
  uint64_t unknown = 0;
  return Build(events, grouped, std::vector<bool>(grouped.by_id.size(), true),
               Ascending(events.item_ids.size()), false, &unknown);
}

std::vector<uint32_t> EpochOrder(const Sessions& sessions, SessionOrder order, uint64_t seed,
                                 uint64_t epoch) {
  if (order == SessionOrder::kTime) return sessions.order;
  std::vector<uint32_t> shuffled = Ascending(sessions.size());
  if (order == SessionOrder::kId) return shuffled;
  // D. E. Knuth, The Art of Computer Programming 2, 3.4.2, algorithm P. The bias of taking a draw
  // times the bound is below 2^-32.
  const RandomCounter random(seed, static_cast<uint64_t>(RandomStream::kSessionOrder));
  for (size_t left = shuffled.size(); left > 1; --left) {
    const uint64_t draw = random.Bits(epoch * shuffled.size() + left - 1) >> 32;
    std::swap(shuffled[left - 1], shuffled[draw * left >> 32]);
  }
  return shuffled;
}

Dataset MakeDataset(const Events& events, size_t validation_sessions) {
  return MakeDataset(events, DatasetOptions{.validation_sessions = validation_sessions});
}

Dataset MakeDataset(const Events& events, const DatasetOptions& options) {
  const Grouped grouped = Group(events);
  const size_t n_sessions = grouped.by_id.size();
  const std::vector<bool> trains = TrainingSessions(events, grouped, options);
  std::vector<bool> validates = trains;
  validates.flip();

  std::vector<bool> row_trains(events.size());
  for (size_t s = 0; s < n_sessions; ++s) {
    for (uint64_t i = grouped.offsets[s]; i < grouped.offsets[s + 1]; ++i) {
      row_trains[grouped.rows[i]] = trains[s];
    }
  }
  Dataset dataset;
  dataset.catalog.ids.are_names = events.item_ids.are_names;
  std::vector<uint32_t> item_map(events.item_ids.size(), kNoIndex);
  for (size_t row = 0; row < events.size(); ++row) {
    if (!row_trains[row]) continue;
    uint32_t& item = item_map[events.item[row]];
    if (item == kNoIndex) {
      item = static_cast<uint32_t>(dataset.catalog.counts.size());
      dataset.catalog.counts.push_back(0);
      AppendId(events.item_ids, events.item[row], &dataset.catalog.ids);
    }
    ++dataset.catalog.counts[item];
  }
  if (options.known != nullptr) {
    const IdIndex known(options.known->ids);
    const Ids& ids = events.item_ids;
    for (size_t i = 0; i < ids.size(); ++i) {
      const uint32_t found = ids.are_names ? known.Find(ids.names[i]) : known.Find(ids.numbers[i]);
      if (item_map[i] != kNoIndex || found == kNoIndex) continue;
      item_map[i] = static_cast<uint32_t>(dataset.catalog.counts.size());
      dataset.catalog.counts.push_back(0);
      AppendId(ids, i, &dataset.catalog.ids);
    }
  }
  uint64_t none = 0;
  dataset.train = Build(events, grouped, trains, item_map, false, &none);
  if (dataset.train.size() < n_sessions) {
    dataset.validation =
        Build(events, grouped, validates, item_map, false, &dataset.validation_unknown);
  }
  return dataset;
}

Sessions MapSessions(const Events& events, const Catalog& catalog, uint64_t* unknown,
                     bool keep_unknown) {
  const IdIndex index(catalog.ids);
  std::vector<uint32_t> item_map(events.item_ids.size());  // [items of the log]
  for (size_t i = 0; i < item_map.size(); ++i) {
    item_map[i] = events.item_ids.are_names ? index.Find(events.item_ids.names[i])
                                            : index.Find(events.item_ids.numbers[i]);
  }
  const Grouped grouped = Group(events);
  return Build(events, grouped, std::vector<bool>(grouped.by_id.size(), true), item_map,
               keep_unknown, unknown);
}

}  // namespace stint
