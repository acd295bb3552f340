// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

#include "bench/read_floor.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "bench/read_floor.cc"
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace stint::bench::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

uint64_t Read(const uint8_t* bytes, size_t size, size_t ahead) {
  const hn::CappedTag<uint64_t, 8> d;
  using V = hn::Vec<decltype(d)>;
  const size_t lanes = hn::Lanes(d);
  const size_t step = 8 * lanes;  // words a round
  const auto* p = reinterpret_cast<const uint64_t*>(bytes);
  const size_t words = size / 64 * 8;
  V s0 = hn::Zero(d), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
  size_t i = 0;
  for (; i + step <= words; i += step) {
    if (ahead != 0) {
      for (size_t line = 0; line < step * 8; line += 64) {
        hwy::Prefetch(reinterpret_cast<const uint8_t*>(p + i) + ahead + line);
      }
    }
    s0 = hn::Add(s0, hn::LoadU(d, p + i));
    s1 = hn::Add(s1, hn::LoadU(d, p + i + lanes));
    s2 = hn::Add(s2, hn::LoadU(d, p + i + 2 * lanes));
    s3 = hn::Add(s3, hn::LoadU(d, p + i + 3 * lanes));
    s4 = hn::Add(s4, hn::LoadU(d, p + i + 4 * lanes));
    s5 = hn::Add(s5, hn::LoadU(d, p + i + 5 * lanes));
    s6 = hn::Add(s6, hn::LoadU(d, p + i + 6 * lanes));
    s7 = hn::Add(s7, hn::LoadU(d, p + i + 7 * lanes));
  }
  for (; i + lanes <= words; i += lanes) s0 = hn::Add(s0, hn::LoadU(d, p + i));
  return hn::ReduceSum(d, hn::Add(hn::Add(hn::Add(s0, s1), hn::Add(s2, s3)),
                                  hn::Add(hn::Add(s4, s5), hn::Add(s6, s7))));
}

}  // namespace stint::bench::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace stint::bench {

HWY_EXPORT(Read);

uint64_t ReadAll(const uint8_t* bytes, size_t size, size_t ahead) {
  return HWY_DYNAMIC_DISPATCH(Read)(bytes, size, ahead);
}

}  // namespace stint::bench
#endif  // HWY_ONCE
