// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The two forms in which a vector is multiplied with panels; arithmetic in dot-inl.h.
#ifndef STINT_RUNTIME_VECTOR_H_
#define STINT_RUNTIME_VECTOR_H_

#include <cstdint>

namespace stint {

// A vector as int8 matrices take it: x_j ~ step * (256 high_j + low_j).
struct QuantizedVector {
  const int8_t* high;  // [columns, up to a multiple of 4 with zeros], null: one plane, low alone
  const int8_t* low;   // the same
  int32_t sum;         // of all 256 high_j + low_j
  float step;          // 0 for the zero vector
};

// A vector as f32 matrices take it.
struct FloatVector {
  const float* values;  // [columns]
};

}  // namespace stint

#endif  // STINT_RUNTIME_VECTOR_H_
