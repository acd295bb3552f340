// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The bytes of a model file in memory: from a file, or to one that is either the old or the new.
#ifndef STINT_TRAINER_MODEL_BYTES_H_
#define STINT_TRAINER_MODEL_BYTES_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace stint {

// Bytes that start at a multiple of 64, as stint_model_from_buffer() wants them.
class AlignedBytes {
 public:
  AlignedBytes() = default;
  explicit AlignedBytes(size_t size);
  AlignedBytes(AlignedBytes&& other) noexcept;
  AlignedBytes& operator=(AlignedBytes&& other) noexcept;
  ~AlignedBytes();

  uint8_t* data() { return data_; }
  const uint8_t* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  uint8_t* data_ = nullptr;
  size_t size_ = 0;
};

// The whole of a regular file. Throws std::runtime_error "path: reason".
AlignedBytes ReadAligned(const std::string& path);

// The bytes by way of an AtomicFile (trainer/atomic_file.h): `path` is the old file or the new one,
// never a part. Throws std::runtime_error "path: reason".
void WriteFileAtomically(const std::string& path, std::span<const uint8_t> bytes);

}  // namespace stint

#endif  // STINT_TRAINER_MODEL_BYTES_H_
