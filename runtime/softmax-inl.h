// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Scores -> the terms of their softmax, exp(score - base), with the same bits on every SIMD target.

#if defined(STINT_RUNTIME_SOFTMAX_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef STINT_RUNTIME_SOFTMAX_INL_H_
#undef STINT_RUNTIME_SOFTMAX_INL_H_
#else
#define STINT_RUNTIME_SOFTMAX_INL_H_
#endif

#include <hwy/highway.h>

#include "runtime/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace stint {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// exp(x - base): relative error <= 2e-7 where x - base is in [-87.3, 88.7], 0 below. What the
// rounding of the difference loses (TwoSum, Knuth) goes back in: exp(d + e) = exp(d) (1 + e) to
// 1e-11. Left out, it alone were 6e-8 times the difference.
template <class D, class V>
HWY_INLINE V ExpMinus(D d, V x, V base) {
  const V difference = hn::Sub(x, base);
  const V taken = hn::Sub(difference, x);  // -base, as far as it went in
  const V lost = hn::Sub(hn::Sub(x, hn::Sub(difference, taken)), hn::Add(base, taken));
  const V y = Exp(d, difference);
  const V corrected = hn::Add(y, hn::Mul(y, lost));
  return hn::IfThenElse(hn::Lt(difference, hn::Set(d, -87.3f)), y, corrected);
}

}  // namespace HWY_NAMESPACE
}  // namespace stint
HWY_AFTER_NAMESPACE();

#endif  // STINT_RUNTIME_SOFTMAX_INL_H_
