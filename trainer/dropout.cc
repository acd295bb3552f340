// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

#include "trainer/dropout.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "trainer/dropout.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

#include "trainer/parameters.h"

HWY_BEFORE_NAMESPACE();
namespace stint::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// RandomCounter::Bits() of the indices from `index` on, side by side.
template <class D>
HWY_INLINE hn::Vec<D> Bits(D d, const RandomCounter& random, uint64_t index) {
  auto x = hn::Add(hn::Mul(hn::Iota(d, index + 1), hn::Set(d, RandomCounter::kGolden)),
                   hn::Set(d, random.key()));
  x = hn::Mul(hn::Xor(x, hn::ShiftRight<30>(x)), hn::Set(d, kMixFirst));
  x = hn::Mul(hn::Xor(x, hn::ShiftRight<27>(x)), hn::Set(d, kMixSecond));
  return hn::Xor(x, hn::ShiftRight<31>(x));
}

void DrawDropout(const RandomCounter& random, double p, uint64_t step, size_t size, size_t begin,
                 size_t end, float* mask) {
  const hn::CappedTag<uint64_t, kRowAlignment / 2> d;
  const hn::Repartition<uint32_t, decltype(d)> halves;
  const hn::Repartition<float, decltype(d)> floats;
  const auto threshold = hn::Set(halves, static_cast<uint32_t>(p * 0x1p32));  // p < 1
  const auto keep = hn::Set(floats, static_cast<float>(1.0 / (1.0 - p)));
  const uint64_t first = step * (size / 2);
  const size_t draws = hn::Lanes(d);
  size_t i = begin;
  for (; i + 2 * draws <= end; i += 2 * draws) {
    const auto bits = hn::BitCast(halves, Bits(d, random, first + i / 2));
    const auto kept = hn::RebindMask(floats, hn::Ge(bits, threshold));
    hn::StoreU(hn::IfThenElseZero(kept, keep), floats, mask + i);
  }
  for (; i < end; i += 2) {
    const uint64_t bits = random.Bits(first + i / 2);
    for (size_t k = 0; k < 2; ++k) {
      const auto half = static_cast<uint32_t>(bits >> (32 * k));
      mask[i + k] = half >= hn::GetLane(threshold) ? hn::GetLane(keep) : 0.0f;
    }
  }
}

}  // namespace stint::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace stint {

HWY_EXPORT(DrawDropout);

void DrawDropout(const RandomCounter& random, double p, uint64_t step, size_t size, size_t begin,
                 size_t end, float* mask) {
  HWY_DYNAMIC_DISPATCH(DrawDropout)(random, p, step, size, begin, end, mask);
}

void ApplyDropout(const float* mask, size_t begin, size_t end, float* values) {
  for (size_t i = begin; i < end; ++i) values[i] *= mask[i];
}

}  // namespace stint
#endif  // HWY_ONCE
