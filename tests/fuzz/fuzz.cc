// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

#include "tests/fuzz/fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>

namespace stint::fuzz {

void Require(bool holds, const char* what, std::string_view detail) {
  if (holds) return;
  std::fprintf(stderr, "fuzz: does not hold: %s: %.*s\n", what, static_cast<int>(detail.size()),
               detail.data());
  std::abort();
}

MemoryFile::MemoryFile(std::string_view bytes) : fd_(memfd_create("fuzz", MFD_CLOEXEC)) {
  Require(fd_ >= 0, "memfd_create()", std::strerror(errno));
  while (!bytes.empty()) {
    const ssize_t written = write(fd_, bytes.data(), bytes.size());
    Require(written > 0, "write()", std::strerror(errno));
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  path_ = "/proc/self/fd/" + std::to_string(fd_);
}

MemoryFile::~MemoryFile() { close(fd_); }

Input Split(const uint8_t* data, size_t size) {
  if (size == 0) return {};
  return {.mode = data[0], .bytes = {reinterpret_cast<const char*>(data) + 1, size - 1}};
}

}  // namespace stint::fuzz

// Called by libFuzzer first: "PROGRAM --seeds=FOLDER" writes the seeds as files and ends.
extern "C" int LLVMFuzzerInitialize(int* count, char*** arguments) {
  constexpr char kSeeds[] = "--seeds=";
  if (*count < 2 || std::strncmp((*arguments)[1], kSeeds, std::strlen(kSeeds)) != 0) return 0;
  const std::string folder = (*arguments)[1] + std::strlen(kSeeds);
  size_t number = 0;
  for (const std::string& seed : stint::fuzz::Seeds()) {
    const std::string path = folder + "/seed-" + std::to_string(number++);
    std::ofstream file(path, std::ios::binary);
    file << seed;
    file.close();
    stint::fuzz::Require(file.good(), "written", path);
  }
  std::exit(0);
}
