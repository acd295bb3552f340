// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The arithmetic of steps and scans as functions of the SIMD target in use. What is compiled for
// each target is the inner loops alone; plain code, compiled once, strings them together.
#ifndef STINT_RUNTIME_KERNELS_H_
#define STINT_RUNTIME_KERNELS_H_

#include <cstddef>
#include <cstdint>

#include "runtime/activation.h"
#include "runtime/model.h"
#include "runtime/vector.h"

namespace stint {

// Tile `tile` of rows x vector + bias: values[64], 64-byte aligned; returned, bit i for value i
// strictly above `threshold`.
using TileKernel = uint64_t (*)(const Panels& panels, size_t tile, const AnyVector& x,
                                float threshold, float* values);

struct Kernels {
  // Whether int8 matrices take byte planes (vector.h), else pairs.
  bool byte_planes;

  // x[count] -> the vector as int8 matrices take it, in room[QuantizedBytes(count)].
  void (*quantize)(const float* x, size_t count, int8_t* room, QuantizedVector* out);

  // Tiles [first, last) of rows x vector + bias: out[64 (last - first)].
  void (*int8_product)(const Panels& panels, size_t first, size_t last, const QuantizedVector& x,
                       float* out);
  void (*f32_product)(const Panels& panels, size_t first, size_t last, const FloatVector& x,
                      float* out);

  // By the kind of panels. int8 and int4 take x.quantized, the others x.floats.
  TileKernel int8_tile;
  TileKernel f32_tile;
  TileKernel bf16_tile;
  TileKernel int4_tile;

  // Bit i is 0 only if no value of the tile's rows with x[i] is strictly above thresholds[i]; x and
  // thresholds have kScreenVectors. Null where there are no byte planes.
  uint32_t (*int8_screen)(const Panels& panels, size_t tile, const ScreenVector* x,
                          const float* thresholds);

  // Of values[64], 64-byte aligned: bit i for value i above (returned), or equal to, the bound.
  uint64_t (*compare)(const float* values, float bound, uint64_t* equal);

  // a[2 units] = sigmoid(a + b): the gates r and z. Where the reset stands before the recurrent
  // product, reset_hidden[units] = r h; else it is null.
  void (*open_gates)(size_t units, const float* h, const float* b, float* a, float* reset_hidden);

  // With r, z and a_n in a[3 units] and b_n in b[3 units]: h[units] = the next hidden state.
  void (*close_gates)(const ActivationParams& f, bool reset_after, size_t units, const float* a,
                      const float* b, float* h);

  // The largest of values[64], 64-byte aligned.
  float (*largest)(const float* values);

  // values[count] = exp(value - base), see softmax-inl.h.
  void (*exp_minus)(size_t count, float base, float* values);
};

// Those of the target in use: a few instructions that write the result, no table in memory.
Kernels GetKernels() STINT_NONBLOCKING;
// The second build's in place of those that multiply bytes, where there is one (second_build.h).
void FillSecondKernels(Kernels* kernels) STINT_NONBLOCKING;

}  // namespace stint

#endif  // STINT_RUNTIME_KERNELS_H_
