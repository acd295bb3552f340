// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The products of trainer/matmul.h with both factors rounded to bfloat16 (to nearest, ties to even)
// and sums in float32: dot products of pairs, vdpbf16ps.
//
// An instruction does twice the work of a float32 multiply-add. On Sapphire Rapids it takes four
// times as long (86 against 173 GFLOP/s a thread), so that products cost twice; on Zen 4 and 5, by
// published timings, it takes no longer, so that they should cost half.
#ifndef STINT_TRAINER_MATMUL_BF16_H_
#define STINT_TRAINER_MATMUL_BF16_H_

#include <cstddef>

#include "trainer/matmul.h"

namespace stint {

// Whether this CPU and this build have them: x86 with AVX-512 and its bfloat16 instructions
// (Sapphire Rapids, Zen 4 and what came after). If not, the functions below throw std::logic_error.
bool HasBf16Products();

// As the float32 functions of like names, shapes and alignment too. A sum goes pair by pair in
// index order, two roundings a pair, the odd term at the end last; subnormal factors and results
// count as zero (the instruction's rule). So the bits depend neither on threads nor on how rows of
// the result are cut. Transposed, pairs are counted from `begin`.
void RowsTimesMatrixBf16(const Rows& rows, size_t begin, size_t end, size_t depth, const float* x,
                         size_t x_stride, size_t width, float* out, size_t out_stride,
                         RowsAhead* ahead = nullptr);

void AddTransposedRowsTimesMatrixBf16(const Rows& rows, size_t begin, size_t end,
                                      size_t column_begin, size_t column_end, const float* x,
                                      size_t x_stride, size_t width, float* out, size_t out_stride,
                                      bool fresh = false, RowsAhead* ahead = nullptr);

}  // namespace stint

#endif  // STINT_TRAINER_MATMUL_BF16_H_
