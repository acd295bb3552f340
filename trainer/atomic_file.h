// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Bytes, part by part -> a file that is either the old one or the whole new one.
#ifndef STINT_TRAINER_ATOMIC_FILE_H_
#define STINT_TRAINER_ATOMIC_FILE_H_

#include <cstddef>
#include <string>

namespace stint {

// Writes to a temporary file beside `path`; Commit() syncs it and renames it. A link is followed;
// the permissions of an existing file stay. What is no regular file (a pipe, a device) is written
// straight to. All functions throw std::runtime_error "path: reason"; until Commit() has returned
// the old file is as it was, unless Commit() fails at the very last, at the sync of the folder.
class AtomicFile {
 public:
  explicit AtomicFile(const std::string& path);
  ~AtomicFile();  // without Commit(): nothing is left
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void Write(const void* data, size_t size);
  void Commit();

 private:
  std::string path_;       // as asked for
  std::string target_;     // where links lead
  std::string temporary_;  // empty: `path_` itself is written
  int file_ = -1;
};

// Whether `name` is what a writer of `target` that was killed may have left.
bool IsLeftOver(const std::string& name, const std::string& target);

}  // namespace stint

#endif  // STINT_TRAINER_ATOMIC_FILE_H_
