// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Tile of 64 rows of 4-bit codes x 8-bit vector -> 64 exact sums (schema/panel.h, scan tiles).
//
// Low and high nibbles are the codes of two rows 16 apart, so one load serves two products. Nibbles
// are signed and unsigned bytes alike: each target takes the byte product that it has. Where that
// adds pairs into 16 bits, a pair is at most 2 * 15 * 127 and eight of them fit.

#if defined(STINT_RUNTIME_NIBBLE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef STINT_RUNTIME_NIBBLE_INL_H_
#undef STINT_RUNTIME_NIBBLE_INL_H_
#else
#define STINT_RUNTIME_NIBBLE_INL_H_
#endif

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include <cstddef>
#include <cstdint>

#include "runtime/byte_dot-inl.h"
#include "runtime/dot-inl.h"
#include "schema/panel.h"

HWY_BEFORE_NAMESPACE();
namespace stint {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr size_t kNibbleBlock = 64;  // bytes of a block: rows 32 b to 32 b + 31 of one step
constexpr size_t kNibbleRows = 16;   // between the rows of a byte

// Adds the products of one vector of lanes: of rows `lane` + (0, 16, 32, 48) of the tile. `codes`
// are those of the first step, plus 4 * lane. All sums start at the same number; sum1 and sum3 come
// out 16 times as large.
template <class V>
HWY_INLINE void NibbleSums(const uint8_t* HWY_RESTRICT codes, size_t steps,
                           const int8_t* HWY_RESTRICT q, V& sum0, V& sum1, V& sum2, V& sum3) {
  const TileI32 di;
  const hn::Repartition<uint8_t, TileI32> du8;
  const auto low = hn::Set(du8, uint8_t{0x0F});
  // Bytes; 1 to 4 KB are alike, 512 and none are slower. Past the second-level cache (prefetchnta,
  // so that it keeps the weights): 3.9 MB take 460 us in place of 150.
  constexpr size_t kAhead = 2048;
#if STINT_BYTE_DOT && HWY_ARCH_X86
  // A whole byte is 16 high + low: what is 16 times the high code is left over when the product
  // with the low code is taken away. A mask less in the loop, which the two ports for vectors
  // bound. Even and odd steps have sums of their own: each product waits for the one before it.
  const auto step = [&](size_t p, V& low0, V& all0, V& low2, V& all2) HWY_ATTR {
    const uint8_t* HWY_RESTRICT from = codes + p * kScanStepBytes;
    hwy::Prefetch(from + kAhead);
    hwy::Prefetch(from + kAhead + kNibbleBlock);
    const auto x = Broadcast(q + p * kStepColumns);
    const auto u0 = hn::Load(du8, from);
    const auto u1 = hn::Load(du8, from + kNibbleBlock);
    low0 = SmallByteDot(di, hn::And(u0, low), x, low0);
    all0 = SmallByteDot(di, u0, x, all0);
    low2 = SmallByteDot(di, hn::And(u1, low), x, low2);
    all2 = SmallByteDot(di, u1, x, all2);
  };
  sum1 = sum3 = hn::Add(sum0, hn::ShiftLeft<4>(sum0));
  V odd0 = hn::Zero(di), odd1 = odd0, odd2 = odd0, odd3 = odd0;
  size_t p = 0;
  for (; p + 2 <= steps; p += 2) {
    step(p, sum0, sum1, sum2, sum3);
    step(p + 1, odd0, odd1, odd2, odd3);
  }
  if (p < steps) step(p, sum0, sum1, sum2, sum3);
  sum0 = hn::Add(sum0, odd0);
  sum2 = hn::Add(sum2, odd2);
  sum1 = hn::Sub(hn::Add(sum1, odd1), sum0);
  sum3 = hn::Sub(hn::Add(sum3, odd3), sum2);
#else
  const hn::Repartition<uint16_t, TileI32> du16;
#if STINT_BYTE_DOT
  for (size_t p = 0; p < steps; ++p, codes += kScanStepBytes) {
    hwy::Prefetch(codes + kAhead);
    hwy::Prefetch(codes + kAhead + kNibbleBlock);
    const auto x = Broadcast(q + p * kStepColumns);
    const auto u0 = hn::Load(du8, codes);
    const auto u1 = hn::Load(du8, codes + kNibbleBlock);
    const auto high0 = hn::BitCast(du8, hn::ShiftRight<4>(hn::BitCast(du16, u0)));
    const auto high1 = hn::BitCast(du8, hn::ShiftRight<4>(hn::BitCast(du16, u1)));
    sum0 = SmallByteDot(di, hn::And(u0, low), x, sum0);
    sum1 = SmallByteDot(di, hn::And(high0, low), x, sum1);
    sum2 = SmallByteDot(di, hn::And(u1, low), x, sum2);
    sum3 = SmallByteDot(di, hn::And(high1, low), x, sum3);
  }
#else
  const hn::Repartition<int16_t, TileI32> d16;
  const auto ones = hn::Set(d16, int16_t{1});
  const auto none = hn::Zero(d16);
  constexpr size_t kPairs = 8;  // that 16 bits hold
  for (size_t p = 0; p < steps;) {
    auto pairs0 = none, pairs1 = none, pairs2 = none, pairs3 = none;
    const size_t end = HWY_MIN(p + kPairs, steps);
    for (; p < end; ++p, codes += kScanStepBytes) {
      hwy::Prefetch(codes + kAhead);
      hwy::Prefetch(codes + kAhead + kNibbleBlock);
      const auto x = Broadcast(q + p * kStepColumns);
      const auto u0 = hn::Load(du8, codes);
      const auto u1 = hn::Load(du8, codes + kNibbleBlock);
      const auto high0 = hn::BitCast(du8, hn::ShiftRight<4>(hn::BitCast(du16, u0)));
      const auto high1 = hn::BitCast(du8, hn::ShiftRight<4>(hn::BitCast(du16, u1)));
      pairs0 = hn::Add(pairs0, hn::SatWidenMulPairwiseAdd(d16, hn::And(u0, low), x));
      pairs1 = hn::Add(pairs1, hn::SatWidenMulPairwiseAdd(d16, hn::And(high0, low), x));
      pairs2 = hn::Add(pairs2, hn::SatWidenMulPairwiseAdd(d16, hn::And(u1, low), x));
      pairs3 = hn::Add(pairs3, hn::SatWidenMulPairwiseAdd(d16, hn::And(high1, low), x));
    }
    sum0 = hn::Add(sum0, hn::WidenMulPairwiseAdd(di, pairs0, ones));
    sum1 = hn::Add(sum1, hn::WidenMulPairwiseAdd(di, pairs1, ones));
    sum2 = hn::Add(sum2, hn::WidenMulPairwiseAdd(di, pairs2, ones));
    sum3 = hn::Add(sum3, hn::WidenMulPairwiseAdd(di, pairs3, ones));
  }
#endif
  sum1 = hn::ShiftLeft<4>(sum1);
  sum3 = hn::ShiftLeft<4>(sum3);
#endif
}

// rho * radius[0] + tau * radius[1] of rows of bounds.
template <class V>
HWY_INLINE V RadiusSum(V bounds, hn::Vec<hn::Repartition<int8_t, TileI32>> radius) {
  const TileI32 di;
  const auto bytes = hn::BitCast(hn::Repartition<uint8_t, TileI32>(), bounds);
#if STINT_BYTE_DOT && HWY_ARCH_X86
  return SmallByteDot(di, bytes, radius, hn::Zero(di));
#else
  const hn::Repartition<int16_t, TileI32> d16;
  return hn::BitCast(di, hn::SatWidenMulPairwiseAdd(d16, bytes, radius));
#endif
}

}  // namespace HWY_NAMESPACE
}  // namespace stint
HWY_AFTER_NAMESPACE();

#endif  // STINT_RUNTIME_NIBBLE_INL_H_
