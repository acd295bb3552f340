// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Bytes -> log, plain or compressed -> events and sessions. Whatever is read is consistent, comes
// out the same when it is compressed, and when it is written as a plain log and read again.
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cstdio>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>

#include "tests/fuzz/fuzz.h"
#include "trainer/events.h"
#include "trainer/sessions.h"

namespace stint::fuzz {
namespace {

// Of the mode.
constexpr uint8_t kSeparator = 3;  // tab or comma by the header, tab, comma, semicolon
constexpr uint8_t kShortLines = 4;
constexpr uint8_t kValidation = 8;
constexpr uint8_t kGzip = 16;  // compared with the same bytes compressed
constexpr uint8_t kZstd = 32;

ReadOptions OptionsOf(uint8_t mode) {
  constexpr char kSeparators[] = {0, '\t', ',', ';'};
  ReadOptions options;
  options.session_column = "s";
  options.item_column = "i";
  options.time_column = "t";
  options.separator = kSeparators[mode & kSeparator];
  if ((mode & kShortLines) != 0) options.max_line_bytes = 24;
  options.max_events = 1000;
  return options;
}

// What ReadEvents() says about the bytes: events, or a reason without the path in front.
struct Answer {
  std::optional<Events> events;
  std::string reason;
};

Answer Read(std::string_view bytes, const ReadOptions& options) {
  const MemoryFile file(bytes);
  try {
    return {ReadEvents(file.path(), options), ""};
  } catch (const std::runtime_error& e) {
    const std::string message = e.what();
    Require(message.rfind(file.path() + ":", 0) == 0, "the reason starts with the path", message);
    return {std::nullopt, message.substr(file.path().size())};
  }
}

bool SameIds(const Ids& a, const Ids& b) {
  return a.are_names == b.are_names && a.numbers == b.numbers && a.names == b.names;
}

bool SameEvents(const Events& a, const Events& b) {
  return a.session == b.session && a.item == b.item && a.time == b.time &&
         SameIds(a.session_ids, b.session_ids) && SameIds(a.item_ids, b.item_ids);
}

// Numbers in [0, ids.size()), new ones in the order of first appearance; ids distinct.
void CheckColumn(const std::vector<uint32_t>& column, const Ids& ids) {
  size_t next = 0;
  for (const uint32_t number : column) {
    Require(number <= next, "numbers go by first appearance");
    next += number == next;
  }
  Require(next == ids.size(), "every id occurs");
  Require(ids.are_names ? ids.numbers.empty() : ids.names.empty(), "ids are of one kind");
  std::set<std::string> texts;
  for (size_t i = 0; i < ids.size(); ++i) {
    const std::string text = ids.ToString(i);
    Require(!text.empty(), "no id is empty");
    Require(texts.insert(text).second, "ids are distinct", text);
  }
}

void CheckEvents(const Events& events) {
  Require(events.size() > 0, "there is an event");
  Require(events.session.size() == events.size() && events.time.size() == events.size(),
          "columns are of one length");
  CheckColumn(events.session, events.session_ids);
  CheckColumn(events.item, events.item_ids);
  for (const EventTime& time : events.time) Require(time.nanos < 1000000000, "nanos are below 1e9");
}

std::string TimeText(const EventTime& time) {
  char text[48];
  const bool negative = time.whole < 0 && time.nanos > 0;  // floor and a fraction above it
  const int64_t whole = negative ? -(time.whole + 1) : time.whole;
  const uint32_t nanos = negative ? 1000000000 - time.nanos : time.nanos;
  std::snprintf(text, sizeof(text), "%s%lld.%09u", negative ? "-" : "",
                static_cast<long long>(whole), nanos);
  return text;
}

// As a plain log, quotes or not; nothing if an id has a character that tabs cannot divide.
std::optional<std::string> Written(const Events& events) {
  std::string text = "t\ts\ti\n";
  for (size_t e = 0; e < events.size(); ++e) {
    const std::string session = events.session_ids.ToString(events.session[e]);
    const std::string item = events.item_ids.ToString(events.item[e]);
    for (const std::string* id : {&session, &item}) {
      if (id->find_first_of("\t\r\n") != std::string::npos) return std::nullopt;
    }
    text += TimeText(events.time[e]) + "\t" + session + "\t" + item + "\n";
  }
  return text;
}

// No compressed file, and nothing that is refused as another kind of file.
bool IsPlain(std::string_view bytes) {
  if (bytes.size() < 6 || bytes.substr(0, 3) == "BZh") return false;
  return std::all_of(bytes.begin(), bytes.begin() + 6,
                     [](char c) { return c == '\t' || (c >= 0x20 && c < 0x7f); });
}

// In two members, or frames.
std::string Gzip(std::string_view bytes) {
  std::string out;
  for (const std::string_view part :
       {bytes.substr(0, bytes.size() / 2), bytes.substr(bytes.size() / 2)}) {
    z_stream z = {};
    Require(deflateInit2(&z, 1, Z_DEFLATED, 9 + 16, 1, Z_DEFAULT_STRATEGY) == Z_OK, "zlib");
    std::string member(deflateBound(&z, part.size()) + 32, '\0');
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(part.data()));
    z.avail_in = static_cast<uInt>(part.size());
    z.next_out = reinterpret_cast<Bytef*>(member.data());
    z.avail_out = static_cast<uInt>(member.size());
    Require(deflate(&z, Z_FINISH) == Z_STREAM_END, "zlib");
    out.append(member, 0, z.total_out);
    deflateEnd(&z);
  }
  return out;
}

std::string Zstd(std::string_view bytes) {
  std::string out;
  for (const std::string_view part :
       {bytes.substr(0, bytes.size() / 2), bytes.substr(bytes.size() / 2)}) {
    std::string frame(ZSTD_compressBound(part.size()), '\0');
    const size_t size = ZSTD_compress(frame.data(), frame.size(), part.data(), part.size(), 1);
    Require(ZSTD_isError(size) == 0, "zstd");
    out.append(frame, 0, size);
  }
  return out;
}

void CheckSessions(const Sessions& sessions, size_t items) {
  Require(sessions.offsets.back() == sessions.items.size(), "offsets end with the items");
  Require(sessions.order.size() == sessions.size(), "every session has a place");
  for (const uint32_t item : sessions.items) Require(item < items, "items are of the catalog");
}

void MakeSessionsOf(const Events& events, uint8_t mode) {
  DatasetOptions options;
  if ((mode & kValidation) != 0) options.validation_sessions = 1;
  try {
    const Dataset dataset = MakeDataset(events, options);
    CheckSessions(dataset.train, dataset.catalog.size());
    if (dataset.validation.size() > 0) CheckSessions(dataset.validation, dataset.catalog.size());
    uint64_t unknown = 0;
    const Sessions mapped = MapSessions(events, dataset.catalog, &unknown);
    Require(mapped.items.size() + unknown == events.size(), "events are known or unknown");
  } catch (const std::runtime_error&) {
    Require((mode & kValidation) != 0, "a split alone can fail");
  }
}

}  // namespace

std::vector<std::string> Seeds() {
  const std::string tabs = "s\ti\tt\n1\t10\t5\n1\t11\t6.5\n2\t10\t-7e1\n2\t-12\t8\n";
  const std::string commas =
      "\xef\xbb\xbft,\"i\",s,x\r\n1.000000001,\"a,\"\"b\"\"\",007,\r\n-0.5,c,u\xc3\xa4,\"two\n"
      "lines\"\r\n\r\n1e3,c,007,z";
  const std::string semicolons = "i;s;t\n5;1;9223372036854775806.5\n6;1;-9223372036854775806.25\n";
  std::vector<std::string> seeds;
  const auto add = [&](uint8_t mode, const std::string& bytes) {
    seeds.push_back(std::string(1, static_cast<char>(mode)) + bytes);
  };
  add(0, tabs);
  add(kValidation, tabs);
  add(kShortLines, tabs);
  add(kGzip, tabs);
  add(kZstd | kShortLines, tabs);
  add(kGzip | kZstd, commas);
  add(0, commas);
  add(2, commas);
  add(3, semicolons);
  add(1, "s\ti\tt\nx\ty\tz\n");
  for (const std::string& log : {tabs, commas}) {
    add(0, Gzip(log));
    add(0, Zstd(log));
    add(0, std::string("\x50\x2a\x4d\x18\x02\x00\x00\x00xy", 10) + Zstd(log));  // a skippable frame
    add(0, Gzip(log) + std::string(9, '\0'));
    add(0, Gzip(log) + "more");
  }
  for (const char* start : {"\xfd"
                            "7zXZ",
                            "BZh91AY", "PK\3\4", "\xff\xfes", "\xfe\xff"}) {
    add(0, start + std::string(10, '\0'));
  }
  return seeds;
}

}  // namespace stint::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace stint;
  using namespace stint::fuzz;
  const Input input = Split(data, size);
  const ReadOptions options = OptionsOf(input.mode);
  const Answer answer = Read(input.bytes, options);
  for (const uint8_t kind : {kGzip, kZstd}) {
    if ((input.mode & kind) == 0 || !IsPlain(input.bytes)) continue;
    const Answer other = Read(kind == kGzip ? Gzip(input.bytes) : Zstd(input.bytes), options);
    Require(other.reason == answer.reason, "compressed: the same reason", other.reason);
    Require(!answer.events || SameEvents(*answer.events, *other.events),
            "compressed: the same events");
  }
  if (!answer.events) return 0;
  CheckEvents(*answer.events);
  ReadOptions plain = OptionsOf(0);
  if (const std::optional<std::string> text = Written(*answer.events)) {
    const Answer again = Read(*text, plain);
    Require(again.events && SameEvents(*answer.events, *again.events),
            "written and read: the same events", again.reason);
  }
  MakeSessionsOf(*answer.events, input.mode);
  return 0;
}
