// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Parameters and catalog -> the bytes of a model file.
#ifndef STINT_TRAINER_EXPORT_H_
#define STINT_TRAINER_EXPORT_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "trainer/options.h"
#include "trainer/parameters.h"
#include "trainer/sessions.h"

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

struct ExportInput {
  const Parameters* parameters = nullptr;
  const Catalog* catalog = nullptr;
  DType dtype = DType::kInt8;
  FinalActivation final_activation = FinalActivation::kSoftmax;
  std::string hyperparameters = "{}";   // JSON object
  std::string training_summary = "{}";  // JSON object
  // Item sequences whose top-k is computed by the runtime and stored as self-tests.
  std::vector<std::vector<uint32_t>> self_test_sessions;
  uint32_t self_test_k = 20;
};

// Builds a model. Throws std::runtime_error if the file would not fit the format
// (2 GiB) or a weight is not finite.
AlignedBytes BuildModel(const ExportInput& input);

// Writes `bytes` to a temporary file beside `path`, syncs and renames it: `path` is the old
// file or the new one, never a part. Throws std::runtime_error "path: reason".
void WriteFileAtomically(const std::string& path, std::span<const uint8_t> bytes);

}  // namespace stint

#endif  // STINT_TRAINER_EXPORT_H_
