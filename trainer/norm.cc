// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

#include "trainer/norm.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "trainer/norm.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

#include <cmath>

#ifndef STINT_TRAINER_NORM_LANES_
#define STINT_TRAINER_NORM_LANES_
namespace stint {
namespace {
constexpr size_t kPartialSums = 16;
}  // namespace
}  // namespace stint
#endif

HWY_BEFORE_NAMESPACE();
namespace stint::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Adds the products of n elements, a multiple of 16, to the partial sums. A pass over the arrays
// takes two vectors of sums, all 16 of them where a vector has 512 bits. The product of two floats
// is exact in double, so a fused addition rounds as one that is not.
void AddProducts(const float* a, const float* b, size_t n, double* partial) {
  const hn::CappedTag<double, kPartialSums / 2> d;
  const hn::Rebind<float, decltype(d)> df;
  const size_t lanes = hn::Lanes(d);
  for (size_t lane = 0; lane < kPartialSums; lane += 2 * lanes) {
    auto even = hn::LoadU(d, partial + lane), odd = hn::LoadU(d, partial + lane + lanes);
    for (size_t i = lane; i < n; i += kPartialSums) {
      const auto even_a = hn::PromoteTo(d, hn::LoadU(df, a + i));
      const auto even_b = hn::PromoteTo(d, hn::LoadU(df, b + i));
      const auto odd_a = hn::PromoteTo(d, hn::LoadU(df, a + i + lanes));
      const auto odd_b = hn::PromoteTo(d, hn::LoadU(df, b + i + lanes));
      even = hn::MulAdd(even_a, even_b, even);
      odd = hn::MulAdd(odd_a, odd_b, odd);
    }
    hn::StoreU(even, d, partial + lane);
    hn::StoreU(odd, d, partial + lane + lanes);
  }
}

}  // namespace stint::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace stint {

HWY_EXPORT(AddProducts);

double DotProduct(const float* a, const float* b, size_t n) {
  double partial[kPartialSums] = {};
  const size_t whole = n - n % kPartialSums;
  HWY_DYNAMIC_DISPATCH(AddProducts)(a, b, whole, partial);
  for (size_t i = whole; i < n; ++i) {
    partial[i - whole] += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  }
  double sum = 0;
  for (const double p : partial) sum += p;
  return sum;
}

float ClipScale(double squared_norm, double cap) {
  const double norm = std::sqrt(squared_norm);
  return cap > 0 && norm >= cap ? static_cast<float>(cap / norm) : 1.0f;
}

}  // namespace stint
#endif  // HWY_ONCE
