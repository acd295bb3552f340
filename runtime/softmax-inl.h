// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Scores -> the terms of their softmax, exp(score - base), and the sum of them over the catalog in
// one pass, with the same bits on every SIMD target.

#if defined(STINT_RUNTIME_SOFTMAX_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef STINT_RUNTIME_SOFTMAX_INL_H_
#undef STINT_RUNTIME_SOFTMAX_INL_H_
#else
#define STINT_RUNTIME_SOFTMAX_INL_H_
#endif

#include <hwy/highway.h>

#include <cfloat>
#include <cstddef>

#include "runtime/dot-inl.h"
#include "runtime/math-inl.h"
#include "runtime/topk.h"

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

// The base follows the largest score so far only when it falls behind by more than this: a change
// of base costs the sum a rounding, and exp(16) * 64 is far inside the floats.
constexpr float kBaseWindow = 16.0f;

// `scores.Tile(t, values)` gives the scores of items [64 t, 64 t + 64), all finite.
template <class Scores>
HWY_INLINE Softmax SoftmaxOf(const Scores& scores, size_t items) {
  const TileF32 d;
  const size_t lanes = hn::Lanes(d);
  HWY_ALIGN float values[kTileRows];
  Softmax out = {0.0f, 0.0};
  for (size_t first = 0; first < items; first += kTileRows) {
    scores.Tile(first / kTileRows, values);
    for (size_t i = items - first; i < kTileRows; ++i) values[i] = -FLT_MAX;  // its term is 0
    auto most = hn::Load(d, values);
    for (size_t i = lanes; i < kTileRows; i += lanes) {
      most = hn::Max(most, hn::Load(d, values + i));
    }
    const float top = hn::ReduceMax(d, most);
    if (first == 0) out.base = top;
    if (top - out.base > kBaseWindow) {
      const hn::CappedTag<float, 1> one;
      const auto factor = ExpMinus(one, hn::Set(one, out.base), hn::Set(one, top));
      out.sum *= static_cast<double>(hn::GetLane(factor));
      out.base = top;
    }
    const auto base = hn::Set(d, out.base);
    for (size_t i = 0; i < kTileRows; i += lanes) {
      hn::Store(ExpMinus(d, hn::Load(d, values + i), base), d, values + i);
    }
    // A fixed tree over the tile, then double: the order of the sums is that of the items.
    for (size_t half = kTileRows / 2; half > 0; half /= 2) {
      for (size_t i = 0; i < half; ++i) values[i] += values[i + half];
    }
    out.sum += static_cast<double>(values[0]);
  }
  return out;
}

// Scores [count] -> their probabilities, in place: <= 1 but for rounding.
HWY_INLINE void ToProbabilities(const Softmax& softmax, size_t count, float* HWY_RESTRICT values) {
  const TileF32 d;
  const size_t lanes = hn::Lanes(d);
  const auto base = hn::Set(d, softmax.base);
  for (size_t i = 0; i < count; i += lanes) {
    const size_t n = count - i < lanes ? count - i : lanes;
    hn::StoreN(ExpMinus(d, hn::LoadN(d, values + i, n), base), d, values + i, n);
  }
  for (size_t i = 0; i < count; ++i) {
    values[i] = static_cast<float>(static_cast<double>(values[i]) / softmax.sum);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace stint
HWY_AFTER_NAMESPACE();

#endif  // STINT_RUNTIME_SOFTMAX_INL_H_
