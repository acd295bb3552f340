// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Click log (TSV or CSV with header; plain, .gz, .zst or standard input) -> events
// with dense item and session numbers.
#ifndef STINT_TRAINER_EVENTS_H_
#define STINT_TRAINER_EVENTS_H_

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace stint {

// External ids of a kind of thing (items, sessions): all 64-bit integers, or all
// strings. Ids are integers if every one of the column reads as a canonical int64
// ("7", "-3"; not "007", "+7" or "7.0"); else all are strings.
struct Ids {
  bool are_names = false;
  std::vector<int64_t> numbers;    // [size] if !are_names
  std::vector<std::string> names;  // [size] if are_names

  size_t size() const { return are_names ? names.size() : numbers.size(); }
  std::string ToString(size_t index) const;
};

// A decimal time, exact for integers of any usual unit and up to nine decimals.
struct EventTime {
  int64_t whole = 0;   // floor
  uint32_t nanos = 0;  // [0, 1e9)
  friend auto operator<=>(const EventTime&, const EventTime&) = default;
};

// [sign] digits [. digits] [e exponent], decimals after the ninth cut off; false if that is not
// what `text` is, or beyond +-9.2e18.
bool ParseEventTime(std::string_view text, EventTime* time);

struct Events {
  std::vector<uint32_t> session;  // [events] dense session number, by first appearance
  std::vector<uint32_t> item;     // [events] dense item index, by first appearance
  std::vector<EventTime> time;    // [events]
  Ids session_ids;                // [sessions]
  Ids item_ids;                   // [items]

  size_t size() const { return item.size(); }
};

// How far reading has come.
struct ReadProgress {
  uint64_t events = 0;
  const Ids& session_ids;  // [sessions so far]
  const Ids& item_ids;     // [items so far]
  double share = 0;        // of all files, an estimate; 0 where sizes are not known (a pipe)
};

struct ReadOptions {
  std::string session_column = "SessionId";
  std::string item_column = "ItemId";
  std::string time_column = "Time";
  char separator = 0;                    // 0: tab if the header has one, else comma
  size_t max_line_bytes = 1 << 20;       // a longer line is an error
  uint64_t max_events = UINT32_MAX - 1;  // more are an error: item counts have 32 bits
  // Called after 2^16 events and then at every quarter more; what it throws ends reading.
  std::function<void(const ReadProgress&)> on_progress;
};

// Reads a log of one file or of several, which may have other columns, separators and compression
// each: numbers go by first appearance over the files in their order, and a session that is in
// two files is one session. A path "-" is standard input; no path may come twice. Compression is
// told by the first bytes, not by the name. Holds 24 bytes an event and the ids, never the text.
// Throws std::runtime_error "path:line: ..." on bad input.
Events ReadEvents(const std::vector<std::string>& paths, const ReadOptions& options);
Events ReadEvents(const std::string& path, const ReadOptions& options);

}  // namespace stint

#endif  // STINT_TRAINER_EVENTS_H_
