// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Gathered weight rows x mini-batch: the two matrix products that all of training is
// made of. The mini-batch lies feature by feature ("features x batch": the values of one
// feature for all sessions side by side), so that weight rows are read where they lie,
// without packing, and every session keeps its own vector lane.
//
//   scores       = RowsTimesMatrix(item rows, hidden)            [columns, batch]
//   gates        = RowsTimesMatrix(gate rows, input or hidden)   [3 units, batch]
//   d hidden     = AddTransposedRowsTimesMatrix(item rows, d scores)
//   d input      = AddTransposedRowsTimesMatrix(gate rows, d gates)
//   d rows       = RowsTimesMatrix(d scores or d gates, hidden or input session by session)
//
// Every output element is one chain of fused multiply-adds in index order: its bits depend
// neither on threads nor on the vector width (where the CPU has fused multiply-add).
#ifndef STINT_TRAINER_MATMUL_H_
#define STINT_TRAINER_MATMUL_H_

#include <cstddef>
#include <cstdint>

#include "trainer/parameters.h"

namespace stint {

// Rows of a matrix, in order or picked by index; row r starts at
// data + (index ? index[r] : r) * stride.
struct Rows {
  const float* data = nullptr;
  size_t stride = 0;                // floats
  const uint32_t* index = nullptr;  // [rows] or null
  const float* bias = nullptr;      // by the same index; null: none

  static Rows Of(const Matrix& m) { return {m.data, m.stride, nullptr, nullptr}; }
};

// out[r][j] = bias[r] + sum over t < depth of rows[r][t] * x[t][j], for r in [begin, end),
// j < width. `width` is a multiple of kRowAlignment; x is [depth, x_stride] and out
// [.., out_stride], both 64-byte aligned with strides in multiples of kRowAlignment.
// out does not alias the inputs.
void RowsTimesMatrix(const Rows& rows, size_t begin, size_t end, size_t depth, const float* x,
                     size_t x_stride, size_t width, float* out, size_t out_stride);

// out[c - column_begin][j] += sum over r in [begin, end) of rows[r][c] * x[r][j], for
// c in [column_begin, column_end), j < width. Shapes as above.
void AddTransposedRowsTimesMatrix(const Rows& rows, size_t begin, size_t end, size_t column_begin,
                                  size_t column_end, const float* x, size_t x_stride, size_t width,
                                  float* out, size_t out_stride);

}  // namespace stint

#endif  // STINT_TRAINER_MATMUL_H_
