// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Plain bytes -> records of fields: tab-separated lines, or CSV after RFC 4180.
#ifndef STINT_TRAINER_RECORD_READER_H_
#define STINT_TRAINER_RECORD_READER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "trainer/input_stream.h"

namespace stint {

// Reads one record at a time and keeps no more text than that. Lines may end in LF or
// CRLF, the last one in neither; blank lines are skipped; a UTF-8 byte-order mark is too.
// Double quotes are special with a separator other than tab: tab-separated text has no
// quoting (IANA text/tab-separated-values), its quotes are data.
class RecordReader {
 public:
  RecordReader(const std::string& path, size_t max_line_bytes);

  // The next record as it stands, to be looked at before the separator is known; false at
  // the end of the input. The view is good until the next call of Next...().
  bool NextLine(std::string_view* line);
  // Splits what NextLine() gave, which a quoted line break may prolong.
  void Split(char separator, std::vector<std::string_view>* fields);

  // The line that the record starts on, from 1.
  uint64_t line_number() const { return line_number_; }
  // The share of the file up to the end of the record, an estimate if it is compressed; 0: not
  // known.
  double ShareRead() const {
    return input_.ShareRead() * (1 - static_cast<double>(filled_ - next_) / plain_bytes_);
  }
  // Throws std::runtime_error "path:line: reason".
  [[noreturn]] void Fail(const std::string& reason) const;

 private:
  bool FindLineEnd(size_t from, size_t* end);
  bool Fill();
  std::string_view Line() const;
  void SplitQuoted(char separator, std::vector<std::string_view>* fields);

  InputStream input_;
  size_t max_line_bytes_;
  std::vector<char> buffer_;
  size_t begin_ = 0;  // buffer_[begin_, end_) is the record; then a line end
  size_t end_ = 0;
  size_t next_ = 0;  // buffer_[next_, filled_) comes after it
  size_t filled_ = 0;
  double plain_bytes_ = 1;  // that came from input_
  uint64_t line_number_ = 0;
  uint64_t lines_in_record_ = 0;
  std::vector<char> unquoted_;  // fields of the record that had quotes, without them
};

// The value as a message shows it: in single quotes, other than printable ASCII and
// UTF-8 escaped, shortened.
std::string Quoted(std::string_view value);

}  // namespace stint

#endif  // STINT_TRAINER_RECORD_READER_H_
