// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// A product of any size -> blocks that fit the registers: what the matrix products of all kinds of
// factors share.

#if defined(STINT_TRAINER_MATMUL_BLOCKS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef STINT_TRAINER_MATMUL_BLOCKS_INL_H_
#undef STINT_TRAINER_MATMUL_BLOCKS_INL_H_
#else
#define STINT_TRAINER_MATMUL_BLOCKS_INL_H_
#endif

#include <hwy/highway.h>

#include <cstddef>
#include <type_traits>

#include "trainer/matmul.h"

HWY_BEFORE_NAMESPACE();
namespace stint {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <size_t k>
using SizeTag = std::integral_constant<size_t, k>;

// Register block: kR rows x kV vectors of accumulators. 32 registers hold 8 x 3 or 4 x 5,
// 16 registers 4 x 3; at least 8 chains are needed to hide the latency of the multiply-add.
#if HWY_TARGET <= HWY_AVX3 || HWY_ARCH_ARM_A64
constexpr size_t kMaxVectors = 5;
constexpr size_t MaxRows(size_t vectors) { return vectors <= 3 ? 8 : 4; }
#else
constexpr size_t kMaxVectors = 3;
constexpr size_t MaxRows(size_t) { return 4; }
#endif

HWY_INLINE const float* RowAt(const Rows& rows, size_t r) {
  return rows.data + (rows.index != nullptr ? rows.index[r] : r) * rows.stride;
}

// Calls `block(SizeTag<kR>, i)` so that it covers [begin, end) with blocks of at most kR, halving
// at the end.
template <size_t kR, class F>
HWY_INLINE void CoverRows(size_t begin, size_t end, const F& block) {
  size_t i = begin;
  for (; i + kR <= end; i += kR) block(SizeTag<kR>(), i);
  if constexpr (kR > 1) CoverRows<kR / 2>(i, end, block);
}

// Splits `width` floats into nearly equal strips of at most kMaxVectors vectors and calls
// `strip(SizeTag<vectors>, first)`.
template <class F>
HWY_INLINE void CoverWidth(size_t width, const F& strip) {
  const size_t lanes = hn::Lanes(hn::CappedTag<float, kRowAlignment>());
  const size_t vectors = width / lanes;
  const size_t strips = (vectors + kMaxVectors - 1) / kMaxVectors;
  size_t first = 0;
  for (size_t s = 0; s < strips; ++s) {
    const size_t n = (vectors - first) / (strips - s), j = first * lanes;
    if (n == 1) strip(SizeTag<1>(), j);
    if (n == 2) strip(SizeTag<2>(), j);
    if (n == 3) strip(SizeTag<3>(), j);
    if constexpr (kMaxVectors == 5) {
      if (n == 4) strip(SizeTag<4>(), j);
      if (n == 5) strip(SizeTag<5>(), j);
    }
    first += n;
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace stint
HWY_AFTER_NAMESPACE();

#endif  // STINT_TRAINER_MATMUL_BLOCKS_INL_H_
