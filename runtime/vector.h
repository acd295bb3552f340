// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The two forms in which a vector is multiplied with panels; arithmetic in dot-inl.h.
#ifndef STINT_RUNTIME_VECTOR_H_
#define STINT_RUNTIME_VECTOR_H_

#include <cstdint>

namespace stint {

// A vector as int8 matrices take it, x_j ~ step * q_j, in the form that the target multiplies best.
// Columns are rounded up to a multiple of 4 with zeros.
struct QuantizedVector {
  // Targets that multiply bytes: q = 256 high + low. `high` is null where it would be all zero.
  const int8_t* high;  // [columns]
  const int8_t* low;   // [columns]
  // Other targets: each four of q in the order 0, 2, 1, 3.
  const int16_t* pairs;  // [columns]
  int32_t sum;           // of all q
  float step;            // 0 for the zero vector
};

// Bytes of scratch in which a quantized vector is made: room for whole vectors at its end.
constexpr uint64_t QuantizedBytes(uint64_t columns) { return 2 * ((columns + 63) / 64 * 64); }

// A vector as f32 matrices take it.
struct FloatVector {
  const float* values;  // [columns]
};

// What a screen (screen-inl.h) takes of a quantized vector.
struct ScreenVector {
  const int8_t* high;  // [columns]
  int32_t sum;         // of all high
  int32_t slack;       // 256 slack is no less than what `low` adds to a sum
  float step;
};
constexpr uint32_t kScreenVectors = 4;  // that a screen compares at a time

// A vector in the form that a model's matrices take: the one or the other.
struct AnyVector {
  QuantizedVector quantized;  // of int8 models
  FloatVector floats;         // of f32 models
};

}  // namespace stint

#endif  // STINT_RUNTIME_VECTOR_H_
