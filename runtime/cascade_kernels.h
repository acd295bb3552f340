// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The inner loops of the cascade (cascade.h) as functions of the SIMD target in use.
#ifndef STINT_RUNTIME_CASCADE_KERNELS_H_
#define STINT_RUNTIME_CASCADE_KERNELS_H_

#include <cstddef>
#include <cstdint>

#include "runtime/scan.h"
#include "runtime/status.h"
#include "runtime/vector.h"

namespace stint {

// Numbers by which the bytes rho and tau are multiplied go up to this: pairs fit 16 bits.
constexpr int kRadiusLevels = 64;

// What a scan of the 4-bit codes needs of the model and of the vector. Bounds and threshold are in
// units of the scale s of the 8-bit vector (cascade.h).
struct BoundScan {
  const uint8_t* tiles;  // [tiles, tile_bytes]
  size_t tile_bytes;
  size_t steps;      // of four columns
  const int8_t* q;   // [4 steps]
  int32_t zero;      // 7.5 sum q, whole
  int8_t radius[4];  // of rho and tau, then zeros
  float radius_unit;
  float bias_unit;  // 1 / s
  float base;       // what all rows have in common
};

// A vector as candidate rows take it; bytes past the columns are 0 up to a multiple of 64.
struct CandidateVector {
  const int8_t* high;   // byte planes as in QuantizedVector, or null
  const int8_t* low;    // byte planes or null
  const int32_t* even;  // other targets: q 0 and q 2 of each four columns, as a pair of 16 bits
  const int32_t* odd;   // q 1 and q 3
  int32_t sum;
  float step;
};

struct CandidateRows {
  const uint8_t* data;  // [items, row_bytes]
  size_t row_bytes;
  size_t code_bytes;  // columns up to a multiple of 4
};

// The score of a float row is one number, whatever the target: products of floats are exact in
// double; eight sums, of the columns j, j + 8, ..., are added from the first column on, then as
// ((0 + 4) + (2 + 6)) + ((1 + 5) + (3 + 7)), then the bias; the sum is rounded to float.
struct FloatRows {
  const float* data;    // [items, width]
  const float* biases;  // [items]
  size_t width;
};

struct CascadeKernels {
  // Items of the tiles [first, last) that the filter lets pass and whose bound is not below the
  // threshold: writes them and their bounds, in the order of the items, and returns their number.
  // Room for 64 (last - first) + 64.
  size_t (*bound_scan)(const BoundScan& scan, size_t first, size_t last, const Filter& filter,
                       float threshold, uint32_t* items, float* bounds);

  // scores[count] of candidate rows: with the bits of a product with int8 panels.
  void (*row_scores)(const CandidateRows& rows, const CandidateVector& x, const uint32_t* items,
                     size_t count, float* scores);

  // scores[count] of float rows: of the given items, or, where `items` is null, from `first` on.
  void (*float_scores)(const FloatRows& rows, const float* x, const uint32_t* items, size_t first,
                       size_t count, float* scores);
};

CascadeKernels GetCascadeKernels() STINT_NONBLOCKING;

void FillSecondCascade(CascadeKernels* kernels);  // of the second build

}  // namespace stint

#endif  // STINT_RUNTIME_CASCADE_KERNELS_H_
