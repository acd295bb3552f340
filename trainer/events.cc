// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Click log (TSV or CSV with header; plain, .gz, .zst or standard input) -> events
// with dense item and session numbers.
#include "trainer/events.h"

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

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

}  // namespace

Events ReadEvents(const std::string& path, const ReadOptions& options) {
  if (options.session_column == options.item_column ||
      options.session_column == options.time_column || options.item_column == options.time_column) {
    throw std::invalid_argument("session, item and time must be three different columns");
  }
  RecordReader reader(path, options.max_line_bytes);
  std::string_view line;
  if (!reader.NextLine(&line)) reader.Fail("no header: the file is empty");

  const char separator = options.separator != 0                      ? options.separator
                         : line.find('\t') != std::string_view::npos ? '\t'
                                                                     : ',';
  std::vector<std::string_view> fields;
  reader.Split(separator, &fields);
  Columns columns;
  columns.session = FindColumn(reader, fields, options.session_column, separator);
  columns.item = FindColumn(reader, fields, options.item_column, separator);
  columns.time = FindColumn(reader, fields, options.time_column, separator);
  columns.count = fields.size();

  Events events;
  IdIndex sessions;
  IdIndex items;
  while (reader.NextLine(&line)) {
    reader.Split(separator, &fields);
    if (fields.size() != columns.count) {
      reader.Fail(std::to_string(fields.size()) + (fields.size() == 1 ? " field" : " fields") +
                  " where the header has " + std::to_string(columns.count));
    }
    if (events.size() == options.max_events) {
      reader.Fail("more than " + std::to_string(options.max_events) + " events");
    }
    if (fields[columns.session].empty()) reader.Fail("empty session id");
    if (fields[columns.item].empty()) reader.Fail("empty item id");
    EventTime time;
    switch (ParseTime(fields[columns.time], &time)) {
      case TimeStatus::kOk:
        break;
      case TimeStatus::kNoNumber:
        reader.Fail("time " + Quoted(fields[columns.time]) + " is not a number");
      case TimeStatus::kTooLarge:
        reader.Fail("time " + Quoted(fields[columns.time]) + " is out of range (+-9.2e18)");
    }
    events.session.push_back(sessions.Insert(fields[columns.session]));
    events.item.push_back(items.Insert(fields[columns.item]));
    events.time.push_back(time);
  }
  if (events.size() == 0) reader.Fail("no events after the header");
  events.session_ids = sessions.Release();
  events.item_ids = items.Release();
  return events;
}

}  // namespace stint
