// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// What the fuzz targets share. A target is a file NAME_fuzz.cc with Seeds() and
// LLVMFuzzerTestOneInput(), which feeds bytes to a reader and checks whatever must hold of the
// answer. With STINT_FUZZ it is a libFuzzer program (./dev fuzz), else a test that runs its seeds
// and some thousand changes of them (standalone.cc).
#ifndef STINT_TESTS_FUZZ_FUZZ_H_
#define STINT_TESTS_FUZZ_FUZZ_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace stint::fuzz {

// Inputs to start from, made anew by each program: none are stored.
std::vector<std::string> Seeds();

// Prints and aborts, as a sanitizer does, unless `holds`.
void Require(bool holds, const char* what, std::string_view detail = {});

// A file without a place on a disk.
class MemoryFile {
 public:
  explicit MemoryFile(std::string_view bytes);
  ~MemoryFile();
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  // Opens it from its first byte, as long as the object lives.
  const std::string& path() const { return path_; }

 private:
  int fd_;
  std::string path_;
};

// The first byte of an input says how to feed the others; 0 if there is none.
struct Input {
  uint8_t mode = 0;
  std::string_view bytes;
};
Input Split(const uint8_t* data, size_t size);

}  // namespace stint::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

#endif  // STINT_TESTS_FUZZ_FUZZ_H_
