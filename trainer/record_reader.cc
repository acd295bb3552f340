// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Plain bytes -> records of fields: tab-separated lines, or CSV after RFC 4180.
#include "trainer/record_reader.h"

#include <cstdio>
#include <cstring>
#include <stdexcept>

namespace stint {

std::string Quoted(std::string_view value) {
  constexpr size_t kShown = 60;  // bytes
  size_t shown = value.size();
  if (shown > kShown) {
    shown = kShown;
    while (shown > 0 && (static_cast<uint8_t>(value[shown]) & 0xc0) == 0x80) --shown;
  }
  std::string out = "'";
  for (const char c : value.substr(0, shown)) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte >= 0x20 && byte != 0x7f) {
      out += c;
    } else {
      char escaped[5];
      std::snprintf(escaped, sizeof(escaped), "\\x%02x", byte);
      out += escaped;
    }
  }
  return out + (shown < value.size() ? "...'" : "'");
}

RecordReader::RecordReader(const std::string& path, size_t max_line_bytes)
    : input_(path), max_line_bytes_(max_line_bytes), buffer_(size_t{1} << 18) {
  while (filled_ < 3 && Fill()) {
  }
  if (filled_ >= 3 && std::memcmp(buffer_.data(), "\xef\xbb\xbf", 3) == 0) begin_ = next_ = 3;
}

void RecordReader::Fail(const std::string& reason) const {
  throw std::runtime_error(input_.name() + ":" + std::to_string(line_number_) + ": " + reason);
}

// Reads more behind filled_; moves the record to the front of the buffer first.
bool RecordReader::Fill() {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, filled_ - begin_);
    end_ -= begin_;
    next_ -= begin_;
    filled_ -= begin_;
    begin_ = 0;
  }
  if (filled_ == buffer_.size()) buffer_.resize(2 * buffer_.size());
  const size_t got = input_.Read(buffer_.data() + filled_, buffer_.size() - filled_);
  filled_ += got;
  plain_bytes_ += static_cast<double>(got);
  return got > 0;
}

// Sets *end to the end of the line that starts `from` bytes behind begin_, and next_ behind
// its line feed. False if no byte is left.
bool RecordReader::FindLineEnd(size_t from, size_t* end) {
  size_t searched = from;
  for (;;) {
    const char* start = buffer_.data() + begin_ + searched;
    const size_t left = filled_ - begin_ - searched;
    const void* found = left == 0 ? nullptr : std::memchr(start, '\n', left);
    const size_t length =
        found == nullptr ? filled_ - begin_ : searched + (static_cast<const char*>(found) - start);
    if (length > max_line_bytes_) {
      Fail("line longer than " + std::to_string(max_line_bytes_) + " bytes");
    }
    if (found != nullptr) {
      *end = begin_ + length;
      next_ = *end + 1;
      return true;
    }
    searched = length;
    if (!Fill()) {
      if (length == from) return false;
      *end = next_ = filled_;  // a last line without line feed
      return true;
    }
  }
}

std::string_view RecordReader::Line() const {
  size_t size = end_ - begin_;
  if (size > 0 && buffer_[begin_ + size - 1] == '\r') --size;
  return {buffer_.data() + begin_, size};
}

bool RecordReader::NextLine(std::string_view* line) {
  line_number_ += lines_in_record_;
  lines_in_record_ = 0;
  do {
    begin_ = next_;
    ++line_number_;
    if (!FindLineEnd(0, &end_)) return false;
    *line = Line();
  } while (line->empty());
  const void* nul = std::memchr(line->data(), 0, line->size());
  if (nul != nullptr) {
    Fail("NUL byte in column " + std::to_string(static_cast<const char*>(nul) - line->data() + 1) +
         "; not a text file?");
  }
  return true;
}

void RecordReader::Split(char separator, std::vector<std::string_view>* fields) {
  const std::string_view line = Line();
  if (separator != '\t' && std::memchr(line.data(), '"', line.size()) != nullptr) {
    SplitQuoted(separator, fields);
    return;
  }
  fields->clear();
  const char* field = line.data();
  const char* const end = line.data() + line.size();
  for (;;) {
    const void* found =
        field == end ? nullptr : std::memchr(field, separator, static_cast<size_t>(end - field));
    const char* stop = found == nullptr ? end : static_cast<const char*>(found);
    fields->emplace_back(field, static_cast<size_t>(stop - field));
    if (found == nullptr) return;
    field = stop + 1;
  }
}

// RFC 4180: a field in quotes may hold separators, line breaks and doubled quotes. Copies
// the text of all fields without quotes to `unquoted_`.
void RecordReader::SplitQuoted(char separator, std::vector<std::string_view>* fields) {
  enum { kFieldStart, kPlain, kQuoted, kQuoteInQuoted } state = kFieldStart;
  std::vector<size_t> ends;  // [fields] into unquoted_
  unquoted_.clear();
  for (size_t at = 0;;) {
    const size_t record_size = end_ - begin_;
    for (; at < record_size; ++at) {
      const char c = buffer_[begin_ + at];
      if (state == kQuoted) {
        if (c == '"') {
          state = kQuoteInQuoted;
        } else {
          unquoted_.push_back(c);
        }
      } else if (c == separator) {
        ends.push_back(unquoted_.size());
        state = kFieldStart;
      } else if (c == '\r' && at + 1 == record_size) {
        break;  // of CRLF
      } else if (c == '"' && state != kPlain) {
        if (state == kQuoteInQuoted) unquoted_.push_back('"');
        state = kQuoted;
      } else if (c == '"') {
        Fail("quote inside field " + std::to_string(ends.size() + 1) +
             ", which does not start with one");
      } else if (state == kQuoteInQuoted) {
        Fail("text after the closing quote of field " + std::to_string(ends.size() + 1));
      } else {
        unquoted_.push_back(c);
        state = kPlain;
      }
    }
    if (state != kQuoted) break;
    // The line feed is data, and the record goes on.
    unquoted_.push_back('\n');
    at = record_size + 1;
    if (next_ == end_ || !FindLineEnd(at, &end_)) {
      Fail("quote of field " + std::to_string(ends.size() + 1) + " is never closed");
    }
    ++lines_in_record_;
    const void* nul = std::memchr(buffer_.data() + begin_ + at, 0, end_ - begin_ - at);
    if (nul != nullptr) Fail("NUL byte in a quoted field; not a text file?");
  }
  ends.push_back(unquoted_.size());
  fields->clear();
  size_t begin = 0;
  for (const size_t end : ends) {
    fields->emplace_back(unquoted_.data() + begin, end - begin);
    begin = end;
  }
}

}  // namespace stint
