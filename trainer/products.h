// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// --matmul -> which of the matrix products a network calls.
#ifndef STINT_TRAINER_PRODUCTS_H_
#define STINT_TRAINER_PRODUCTS_H_

#include <cstddef>

#include "trainer/matmul.h"
#include "trainer/matmul_bf16.h"
#include "trainer/options.h"

namespace stint {

// The functions of trainer/matmul.h with factors in the precision that was asked for; Validate()
// has made sure that the CPU has it.
class Products {
 public:
  explicit Products(Matmul matmul) : bf16_(matmul == Matmul::kBf16) {}

  void RowsTimesMatrix(const Rows& rows, size_t begin, size_t end, size_t depth, const float* x,
                       size_t x_stride, size_t width, float* out, size_t out_stride,
                       RowsAhead* ahead = nullptr) const {
    (bf16_ ? RowsTimesMatrixBf16 : stint::RowsTimesMatrix)(rows, begin, end, depth, x, x_stride,
                                                           width, out, out_stride, ahead);
  }

  void AddTransposedRowsTimesMatrix(const Rows& rows, size_t begin, size_t end, size_t column_begin,
                                    size_t column_end, const float* x, size_t x_stride,
                                    size_t width, float* out, size_t out_stride, bool fresh = false,
                                    RowsAhead* ahead = nullptr) const {
    (bf16_ ? AddTransposedRowsTimesMatrixBf16 : stint::AddTransposedRowsTimesMatrix)(
        rows, begin, end, column_begin, column_end, x, x_stride, width, out, out_stride, fresh,
        ahead);
  }

 private:
  const bool bf16_;
};

}  // namespace stint

#endif  // STINT_TRAINER_PRODUCTS_H_
