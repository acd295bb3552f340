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
// In float32; matmul_bf16.h has the same of bfloat16 factors.
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

// Rows that will be needed soon, fetched into the second-level cache a line at a time beside the
// arithmetic of a product. The cache has 16 buffers for lines on their way, and the arithmetic
// waits for them as well: so the lines come at even distances over the whole product.
class RowsAhead {
 public:
  // `rows` [count] row starts, `floats` of each.
  RowsAhead(const float* const* rows, size_t count, size_t floats)
      : rows_(rows), end_(rows + count), floats_(floats) {
    if (count > 0) StartRow();
  }

  // `steps` calls of FetchLine() will follow: only some of them fetch one.
  void Pace(size_t steps) {
    const size_t lines_a_row = (floats_ + kRowAlignment - 1) / kRowAlignment;
    const size_t lines = static_cast<size_t>(end_ - rows_) * lines_a_row;
    every_ = lines == 0 || steps <= lines ? 1 : steps / lines;
    wait_ = every_;
  }
  void FetchLine() {
    if (--wait_ != 0) return;
    wait_ = every_;
    if (rows_ == end_) return;
#if defined(__GNUC__)
    __builtin_prefetch(at_, 0, 2);
#endif
    at_ += kRowAlignment;
    if (at_ >= stop_ && ++rows_ != end_) StartRow();
  }

 private:
  void StartRow() {
    at_ = *rows_;
    stop_ = at_ + floats_;
  }

  const float* const* rows_;
  const float* const* end_;
  size_t floats_;
  size_t every_ = 1, wait_ = 1;
  const float* at_ = nullptr;
  const float* stop_ = nullptr;
};

// out[r][j] = bias[r] + sum over t < depth of rows[r][t] * x[t][j], for r in [begin, end),
// j < width. `width` is a multiple of kRowAlignment; x is [depth, x_stride] and out
// [.., out_stride], both 64-byte aligned with strides in multiples of kRowAlignment.
// out does not alias the inputs. `ahead` may be null.
void RowsTimesMatrix(const Rows& rows, size_t begin, size_t end, size_t depth, const float* x,
                     size_t x_stride, size_t width, float* out, size_t out_stride,
                     RowsAhead* ahead = nullptr);

// out[c - column_begin][j] += sum over r in [begin, end) of rows[r][c] * x[r][j], for
// c in [column_begin, column_end), j < width. Shapes as above. `fresh`: = instead of +=.
void AddTransposedRowsTimesMatrix(const Rows& rows, size_t begin, size_t end, size_t column_begin,
                                  size_t column_end, const float* x, size_t x_stride, size_t width,
                                  float* out, size_t out_stride, bool fresh = false,
                                  RowsAhead* ahead = nullptr);

}  // namespace stint

#endif  // STINT_TRAINER_MATMUL_H_
