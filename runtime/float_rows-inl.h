// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Float row x float vector -> score, in double and in one order of sums on every target
// (cascade_kernels.h).

#if defined(STINT_RUNTIME_FLOAT_ROWS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef STINT_RUNTIME_FLOAT_ROWS_INL_H_
#undef STINT_RUNTIME_FLOAT_ROWS_INL_H_
#else
#define STINT_RUNTIME_FLOAT_ROWS_INL_H_
#endif

#include <hwy/highway.h>

#include <cstddef>

HWY_BEFORE_NAMESPACE();
namespace stint {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr size_t kFloatSums = 8;

HWY_INLINE float FloatScore(const float* HWY_RESTRICT row, const float* HWY_RESTRICT x,
                            size_t width, float bias) {
  HWY_ALIGN double sums[kFloatSums];
#if HWY_HAVE_FLOAT64
  // As many vectors as eight lanes take; those of a row that ends early get zeros.
  const hn::CappedTag<double, kFloatSums> d;
  const hn::Rebind<float, decltype(d)> df;
  const size_t lanes = hn::Lanes(d);
  for (size_t at = 0; at < kFloatSums; at += lanes) {
    auto sum = hn::Zero(d);
    size_t j = at;
    for (; j + lanes <= width; j += kFloatSums) {
      const auto w = hn::PromoteTo(d, hn::LoadU(df, row + j));
      const auto v = hn::PromoteTo(d, hn::LoadU(df, x + j));
      sum = hn::Add(sum, hn::Mul(w, v));
    }
    if (j < width) {
      const auto w = hn::PromoteTo(d, hn::LoadN(df, row + j, width - j));
      const auto v = hn::PromoteTo(d, hn::LoadN(df, x + j, width - j));
      sum = hn::Add(sum, hn::Mul(w, v));
    }
    hn::Store(sum, d, sums + at);
  }
#else
  for (double& sum : sums) sum = 0.0;
  for (size_t j = 0; j < width; ++j) {
    sums[j % kFloatSums] += static_cast<double>(row[j]) * static_cast<double>(x[j]);
  }
#endif
  const double even = (sums[0] + sums[4]) + (sums[2] + sums[6]);
  const double odd = (sums[1] + sums[5]) + (sums[3] + sums[7]);
  return static_cast<float>((even + odd) + static_cast<double>(bias));
}

}  // namespace HWY_NAMESPACE
}  // namespace stint
HWY_AFTER_NAMESPACE();

#endif  // STINT_RUNTIME_FLOAT_ROWS_INL_H_
