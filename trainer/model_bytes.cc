// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The bytes of a model file in memory -> a file that is either the old one or the new one.
#include "trainer/model_bytes.h"

#include <algorithm>
#include <cstdlib>
#include <new>
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

void WriteFileAtomically(const std::string& path, std::span<const uint8_t> bytes) {
  AtomicFile file(path);
  file.Write(bytes.data(), bytes.size());
  file.Commit();
}

}  // namespace stint
