// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Sizes -> zeroed arrays of floats that kernels can stream: at a cache line's boundary, and on huge
// pages where they are large.
#ifndef STINT_TRAINER_ALIGNED_FLOATS_H_
#define STINT_TRAINER_ALIGNED_FLOATS_H_

#include <cstddef>
#include <memory>

namespace stint {

class AlignedFloats {
 public:
  AlignedFloats() = default;
  // Throws std::bad_alloc.
  explicit AlignedFloats(size_t size);

  float* data() const { return data_.get(); }
  size_t size() const { return size_; }

 private:
  struct Free {
    bool huge;  // unique_ptr() makes it false
    void operator()(float* p) const;
  };
  std::unique_ptr<float[], Free> data_;
  size_t size_ = 0;
};

}  // namespace stint

#endif  // STINT_TRAINER_ALIGNED_FLOATS_H_
