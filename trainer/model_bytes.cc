// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The bytes of a model file in memory, from a file or on the way to one.
#include "trainer/model_bytes.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <new>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "trainer/atomic_file.h"

namespace stint {

AlignedBytes::AlignedBytes(size_t size) : size_(size) {
  if (size > SIZE_MAX - 64) throw std::bad_alloc();
  data_ =
      static_cast<uint8_t*>(std::aligned_alloc(64, std::max<size_t>((size + 63) / 64 * 64, 64)));
  if (!data_) throw std::bad_alloc();
}

AlignedBytes::AlignedBytes(AlignedBytes&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

AlignedBytes& AlignedBytes::operator=(AlignedBytes&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

AlignedBytes::~AlignedBytes() { std::free(data_); }

AlignedBytes ReadAligned(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored) && !std::filesystem::is_regular_file(path, ignored)) {
    throw std::runtime_error(path + ": not a regular file");  // a folder has a size of 2^63 - 1
  }
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  const std::streamoff size = in ? static_cast<std::streamoff>(in.tellg()) : -1;
  if (size < 0) throw std::runtime_error(path + ": cannot be read: " + std::strerror(errno));
  AlignedBytes bytes(static_cast<size_t>(size));
  in.seekg(0);
  in.read(reinterpret_cast<char*>(bytes.data()), size);
  if (!in) throw std::runtime_error(path + ": reading failed");
  return bytes;
}

void WriteFileAtomically(const std::string& path, std::span<const uint8_t> bytes) {
  AtomicFile file(path);
  file.Write(bytes.data(), bytes.size());
  file.Commit();
}

}  // namespace stint
