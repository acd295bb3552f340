// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Float vectors -> their tanh, sigmoid and exp, with the same bits on every SIMD target.
//
// Only element-wise IEEE operations in a fixed order: multiply and add apart (never fused: build
// with -ffp-contract=off), true division, comparisons and integer adds. Maxima are taken by
// comparison, not by Min/Max, whose answer for NaN differs by target: here NaN stays NaN.
// Coefficients: tools/python/fit_tanh.py. Errors: tests/runtime/math_test.cc, every target.

#if defined(STINT_RUNTIME_MATH_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef STINT_RUNTIME_MATH_INL_H_
#undef STINT_RUNTIME_MATH_INL_H_
#else
#define STINT_RUNTIME_MATH_INL_H_
#endif

#include <hwy/highway.h>

#include <cstddef>
#include <cstdint>

HWY_BEFORE_NAMESPACE();
namespace stint {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// a / b, rounded to nearest. 32-bit Arm divides scalars only, and Highway's Div there is an
// estimate with Newton steps.
template <class D, class V>
HWY_INLINE V Divide(D d, V a, V b) {
#if HWY_ARCH_ARM_V7
  HWY_ALIGN float numerators[hn::MaxLanes(D())];
  HWY_ALIGN float denominators[hn::MaxLanes(D())];
  hn::Store(a, d, numerators);
  hn::Store(b, d, denominators);
  for (size_t i = 0; i < hn::Lanes(d); ++i) numerators[i] /= denominators[i];
  return hn::Load(d, numerators);
#else
  (void)d;
  return hn::Div(a, b);
#endif
}

// tanh(x) for every float: absolute and relative error <= 4e-7, odd, |result| <= 1, NaN -> NaN.
// x P(x^2) / Q(x^2), degrees 13 / 6, minimax in the relative error (6.7e-9) on [0, 9]; beyond 9
// the value at 9 (1 - tanh(9) = 3.1e-8). Not by exp: a rational function needs neither exponent
// tricks nor tables, and was the fastest form measured (0.13 ns a value in vectors of 16, by exp
// 0.21).
template <class D, class V>
HWY_INLINE V Tanh(D d, V x) {
  const V limit = hn::Set(d, 9.0f);
  const V one = hn::Set(d, 1.0f);
  V a = hn::Abs(x);
  a = hn::IfThenElse(hn::Gt(a, limit), limit, a);
  const V t = hn::Mul(a, a);
  V p = hn::Set(d, -0x1.7e4bfep-44f);
  p = hn::Add(hn::Mul(p, t), hn::Set(d, 0x1.d040a6p-35f));
  p = hn::Add(hn::Mul(p, t), hn::Set(d, -0x1.5b7764p-26f));
  p = hn::Add(hn::Mul(p, t), hn::Set(d, 0x1.7646b8p-17f));
  p = hn::Add(hn::Mul(p, t), hn::Set(d, 0x1.96d776p-9f));
  p = hn::Add(hn::Mul(p, t), hn::Set(d, 0x1.0bf5e4p-3f));
  p = hn::Add(hn::Mul(p, t), one);
  V q = hn::Set(d, 0x1.0afb8ap-12f);
  q = hn::Add(hn::Mul(q, t), hn::Set(d, 0x1.915436p-6f));
  q = hn::Add(hn::Mul(q, t), hn::Set(d, 0x1.db5044p-2f));
  q = hn::Add(hn::Mul(q, t), one);
  V y = Divide(d, hn::Mul(a, p), q);
  y = hn::IfThenElse(hn::Gt(y, one), one, y);
  return hn::CopySign(y, x);
}

// 1 / (1 + exp(-x)) for every float: absolute error <= 2e-7, in [0, 1], NaN -> NaN.
template <class D, class V>
HWY_INLINE V Sigmoid(D d, V x) {
  const V half = hn::Set(d, 0.5f);
  return hn::Add(half, hn::Mul(half, Tanh(d, hn::Mul(half, x))));
}

// exp(x): relative error <= 1e-7 on [-87.3, 88.7]; 0 below -87.3 (where the result would leave the
// normal floats), exp(88.7) = 3.3e38 above 88.7, NaN -> NaN.
// x = n ln2 + r, |r| <= ln2 / 2; exp(r) = 1 + r + r^2 C(r), minimax; 2^n by adding to the exponent.
template <class D, class V>
HWY_INLINE V Exp(D d, V x) {
  const hn::RebindToSigned<D> di;
  const V lowest = hn::Set(d, -87.3f);
  const V highest = hn::Set(d, 88.7f);
  V c = hn::IfThenElse(hn::Lt(x, lowest), lowest, x);
  c = hn::IfThenElse(hn::Gt(c, highest), highest, c);
  // Adding 1.5 * 2^23 rounds to the nearest integer, which then stands in the low mantissa bits.
  const V magic = hn::Set(d, 12582912.0f);
  const V shifted = hn::Add(hn::Mul(c, hn::Set(d, 0x1.715476p+0f)), magic);
  const V n = hn::Sub(shifted, magic);
  // ln2 in two parts, the high one of 15 bits: its product with n is exact.
  V r = hn::Sub(c, hn::Mul(n, hn::Set(d, 0x1.62e400p-1f)));
  r = hn::Sub(r, hn::Mul(n, hn::Set(d, 0x1.7f7d1cp-20f)));
  V p = hn::Set(d, 0x1.6c69f2p-10f);
  p = hn::Add(hn::Mul(p, r), hn::Set(d, 0x1.120b1cp-7f));
  p = hn::Add(hn::Mul(p, r), hn::Set(d, 0x1.5555bap-5f));
  p = hn::Add(hn::Mul(p, r), hn::Set(d, 0x1.5554dep-3f));
  p = hn::Add(hn::Mul(p, r), hn::Set(d, 0.5f));
  p = hn::Add(hn::Add(hn::Mul(p, hn::Mul(r, r)), r), hn::Set(d, 1.0f));
  const auto exponent = hn::ShiftLeft<23>(hn::BitCast(di, shifted));
  const V y = hn::BitCast(d, hn::Add(hn::BitCast(di, p), exponent));
  // Comparisons with NaN are false: it passes the clamps and comes out of this select.
  return hn::IfThenElse(hn::Eq(x, x), hn::IfThenElse(hn::Lt(x, lowest), hn::Zero(d), y), x);
}

}  // namespace HWY_NAMESPACE
}  // namespace stint
HWY_AFTER_NAMESPACE();

#endif  // STINT_RUNTIME_MATH_INL_H_
