// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Click log (TSV or CSV with header; plain, .gz, .zst or standard input) -> events
// with dense item and session numbers.
#include "trainer/events.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "trainer/id_index.h"
#include "trainer/record_reader.h"

namespace stint {
namespace {

// Where the three columns stand in a row.
struct Columns {
  size_t session = 0;
  size_t item = 0;
  size_t time = 0;
  size_t count = 0;  // fields of every row
};

size_t FindColumn(const RecordReader& reader, const std::vector<std::string_view>& header,
                  const std::string& name, char separator) {
  const auto found = std::find(header.begin(), header.end(), name);
  if (found == header.end()) {
    std::string has;
    for (size_t i = 0; i < std::min<size_t>(header.size(), 20); ++i) {
      has += (i == 0 ? "" : ", ") + Quoted(header[i]);
    }
    if (header.size() > 20) has += ", ...";
    reader.Fail("no column " + Quoted(name) + "; the header has " + has + " (separator " +
                (separator == '\t' ? "tab" : Quoted({&separator, 1})) + ")");
  }
  if (std::find(found + 1, header.end(), name) != header.end()) {
    reader.Fail("column " + Quoted(name) + " stands twice in the header");
  }
  return static_cast<size_t>(found - header.begin());
}

// A decimal number split where the point belongs.
struct Decimal {
  bool negative = false;
  std::string digits;
  int64_t point = 0;  // digits before the point; may be negative or beyond the digits
};

// [sign] digits [. digits] [e [sign] digits]; no blanks, no "nan", "inf" or hexadecimals.
bool ParseDecimal(std::string_view text, Decimal* decimal) {
  size_t at = 0;
  const auto at_digit = [&] { return at < text.size() && text[at] >= '0' && text[at] <= '9'; };
  if (at < text.size() && (text[at] == '-' || text[at] == '+'))
    decimal->negative = text[at++] == '-';
  while (at_digit()) decimal->digits += text[at++];
  decimal->point = static_cast<int64_t>(decimal->digits.size());
  if (at < text.size() && text[at] == '.') {
    ++at;
    while (at_digit()) decimal->digits += text[at++];
  }
  if (decimal->digits.empty()) return false;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    const bool down = at < text.size() && text[at] == '-';
    if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
    if (!at_digit()) return false;
    int64_t exponent = 0;
    for (; at_digit(); ++at)
      exponent = std::min<int64_t>(exponent * 10 + (text[at] - '0'), 1 << 30);
    decimal->point += down ? -exponent : exponent;
  }
  return at == text.size();
}

enum class TimeStatus { kOk, kNoNumber, kTooLarge };

// Decimals after the ninth are cut off.
TimeStatus ParseTime(std::string_view text, EventTime* time) {
  // What nearly all logs have: few enough digits for plain arithmetic.
  int64_t whole = 0;
  bool plain = !text.empty() && text.size() <= 18;
  for (const char c : text) {
    plain = plain && c >= '0' && c <= '9';
    if (!plain) break;
    whole = whole * 10 + (c - '0');
  }
  if (plain) {
    *time = {whole, 0};
    return TimeStatus::kOk;
  }
  Decimal decimal;
  if (!ParseDecimal(text, &decimal)) return TimeStatus::kNoNumber;
  const auto digit = [&](int64_t i) -> int64_t {
    return i >= 0 && i < static_cast<int64_t>(decimal.digits.size())
               ? decimal.digits[static_cast<size_t>(i)] - '0'
               : 0;
  };
  const size_t first = decimal.digits.find_first_not_of('0');
  if (first == std::string::npos) {
    *time = {};
    return TimeStatus::kOk;
  }
  if (decimal.point - static_cast<int64_t>(first) > 19) return TimeStatus::kTooLarge;
  uint64_t magnitude = 0;  // 19 digits fit
  for (int64_t i = static_cast<int64_t>(first); i < decimal.point; ++i) {
    magnitude = magnitude * 10 + static_cast<uint64_t>(digit(i));
  }
  if (magnitude >= static_cast<uint64_t>(INT64_MAX)) return TimeStatus::kTooLarge;
  whole = static_cast<int64_t>(magnitude);
  int64_t nanos = 0;
  for (int64_t i = 0; i < 9; ++i) nanos = nanos * 10 + digit(decimal.point + i);
  if (decimal.negative) {
    whole = -whole - (nanos > 0 ? 1 : 0);
    if (nanos > 0) nanos = 1000000000 - nanos;
  }
  *time = {whole, static_cast<uint32_t>(nanos)};
  return TimeStatus::kOk;
}

// What is foretold from fewer is worth nothing.
constexpr size_t kFirstReport = 1 << 16;  // events

// Events of all files, as they come.
class Log {
 public:
  explicit Log(const ReadOptions& options) : options_(options) {}

  // `files_like_this`: size of this file and those to come, in sizes of this file.
  void ReadFile(RecordReader* reader, double files_like_this);
  Events Release() {
    events_.session_ids = sessions_.Release();
    events_.item_ids = items_.Release();
    return std::move(events_);
  }

 private:
  void Add(const RecordReader& reader, std::string_view session, std::string_view item,
           std::string_view time);
  void Grow(const RecordReader& reader);
  void Report(const RecordReader& reader);
  double EventsToExpect(const RecordReader& reader) const;

  const ReadOptions& options_;
  Events events_;
  size_t file_start_ = 0;  // events of the files before
  double files_like_this_ = 1;
  size_t next_report_ = kFirstReport;
  IdIndex sessions_;
  IdIndex items_;
};

// Events of this file and those to come if it goes on as up to now; 0: not known.
double Log::EventsToExpect(const RecordReader& reader) const {
  const double share = reader.ShareRead();
  const auto of_file = static_cast<double>(events_.size() - file_start_);
  return share > 0 ? of_file / share * files_like_this_ : 0;
}

void Log::Report(const RecordReader& reader) {
  const size_t size = events_.size();
  next_report_ = size + std::max(kFirstReport, size / 4);
  if (!options_.on_progress) return;
  const double rest = EventsToExpect(reader);
  const double share = static_cast<double>(size) / (static_cast<double>(file_start_) + rest);
  options_.on_progress({.events = size,
                        .session_ids = sessions_.ids(),
                        .item_ids = items_.ids(),
                        .share = rest > 0 ? std::min(1.0, share) : 0});
}

// Makes room for what the file and those after it will give if they go on as up to now, so that
// the columns seldom move: while one moves it is there twice. A quarter more for lines that get
// shorter; room that is not used is never touched, and no memory.
void Log::Grow(const RecordReader& reader) {
  constexpr size_t kLeast = 1 << 16;  // events; the estimate is worth something after half of it
  const size_t size = events_.size();
  const size_t of_file = size - file_start_;
  size_t wanted = 2 * size;
  if (of_file < kLeast / 2) {
    wanted = size + std::max(kLeast, size / 8);
  } else if (const double rest = EventsToExpect(reader); rest > 0) {
    if (rest < 4e9) wanted = file_start_ + static_cast<size_t>(1.25 * rest) + kLeast;
    wanted = std::max(wanted, size + size / 8);
  }
  events_.session.reserve(wanted);
  events_.item.reserve(wanted);
  events_.time.reserve(wanted);
}

void Log::Add(const RecordReader& reader, std::string_view session, std::string_view item,
              std::string_view time_text) {
  if (events_.size() == options_.max_events) {
    reader.Fail("more than " + std::to_string(options_.max_events) + " events");
  }
  if (session.empty()) reader.Fail("empty session id");
  if (item.empty()) reader.Fail("empty item id");
  EventTime time;
  switch (ParseTime(time_text, &time)) {
    case TimeStatus::kOk:
      break;
    case TimeStatus::kNoNumber:
      reader.Fail("time " + Quoted(time_text) + " is not a number");
    case TimeStatus::kTooLarge:
      reader.Fail("time " + Quoted(time_text) + " is out of range (+-9.2e18)");
  }
  if (events_.size() == events_.time.capacity()) Grow(reader);
  events_.session.push_back(sessions_.Insert(session));
  events_.item.push_back(items_.Insert(item));
  events_.time.push_back(time);
  if (events_.size() == next_report_) Report(reader);
}

void Log::ReadFile(RecordReader* reader, double files_like_this) {
  files_like_this_ = files_like_this;
  file_start_ = events_.size();
  std::string_view line;
  if (!reader->NextLine(&line)) reader->Fail("no header: the file is empty");
  const char separator = options_.separator != 0                     ? options_.separator
                         : line.find('\t') != std::string_view::npos ? '\t'
                                                                     : ',';
  std::vector<std::string_view> fields;
  reader->Split(separator, &fields);
  Columns columns;
  columns.session = FindColumn(*reader, fields, options_.session_column, separator);
  columns.item = FindColumn(*reader, fields, options_.item_column, separator);
  columns.time = FindColumn(*reader, fields, options_.time_column, separator);
  columns.count = fields.size();

  while (reader->NextLine(&line)) {
    reader->Split(separator, &fields);
    if (fields.size() != columns.count) {
      reader->Fail(std::to_string(fields.size()) + (fields.size() == 1 ? " field" : " fields") +
                   " where the header has " + std::to_string(columns.count));
    }
    Add(*reader, fields[columns.session], fields[columns.item], fields[columns.time]);
  }
  if (events_.size() == file_start_) reader->Fail("no events after the header");
}

// Sizes of file `first` and of the later ones whose names end alike (others may be compressed in
// another way and tell nothing), over the size of `first`.
double FilesLikeThis(const std::vector<std::string>& paths, size_t first) {
  const auto bytes = [&](size_t i) {
    std::error_code error;
    const std::uintmax_t size = std::filesystem::file_size(paths[i], error);
    return error ? 0.0 : static_cast<double>(size);
  };
  double sum = bytes(first);
  if (!(sum > 0)) return 1;
  const std::filesystem::path ending = std::filesystem::path(paths[first]).extension();
  for (size_t i = first + 1; i < paths.size(); ++i) {
    if (std::filesystem::path(paths[i]).extension() == ending) sum += bytes(i);
  }
  return sum / bytes(first);
}

}  // namespace

bool ParseEventTime(std::string_view text, EventTime* time) {
  return ParseTime(text, time) == TimeStatus::kOk;
}

Events ReadEvents(const std::vector<std::string>& paths, const ReadOptions& options) {
  if (options.session_column == options.item_column ||
      options.session_column == options.time_column || options.item_column == options.time_column) {
    throw std::invalid_argument("session, item and time must be three different columns");
  }
  if (paths.empty()) throw std::invalid_argument("no log to read");
  for (size_t i = 0; i < paths.size(); ++i) {
    if (std::find(paths.begin(), paths.begin() + static_cast<ptrdiff_t>(i), paths[i]) !=
        paths.begin() + static_cast<ptrdiff_t>(i)) {
      throw std::invalid_argument(
          (paths[i] == "-" ? std::string("standard input") : "log " + Quoted(paths[i])) +
          " is given twice");
    }
  }
  Log log(options);
  for (size_t i = 0; i < paths.size(); ++i) {
    RecordReader reader(paths[i], options.max_line_bytes);
    log.ReadFile(&reader, FilesLikeThis(paths, i));
  }
  return log.Release();
}

Events ReadEvents(const std::string& path, const ReadOptions& options) {
  return ReadEvents(std::vector<std::string>{path}, options);
}

}  // namespace stint
