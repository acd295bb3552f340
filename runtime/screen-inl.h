// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Tile of 64 int8 weight rows x four vectors -> which of the vectors may have a value above its
// threshold; for targets that multiply bytes.
//
// A weight is loaded once for four products, and of the vectors the high plane alone is multiplied,
// half of the work: with q_j = 256 high_j + low_j and |code_j| <= 127
//   sum = sum_j code_j q_j <= 256 (sum_j code_j high_j + slack), slack = ceil(127 sum_j |low_j| /
//   256)
// in whole numbers. The float operations from there to the value, each rounded, never fall where
// the sum grows, as scales are not negative; 256 times a float is exact. So the same operations on
// the right hand side give no less than the value: nothing is missed. The slack is 0.2 standard
// deviations of the scores (at 100 columns); what is said in vain costs a product with the tile.
//
// Tried: screens of four f32 vectors (5 % faster than four products with a tile that is in the
// cache) and of q in pairs (AVX2 and SSE4 2 %, AVX-512 without VNNI 20 %), at 500 to 1,100 bytes of
// code a target; and 43,097 x 100, eight sessions, here: 37 %.

#if defined(STINT_RUNTIME_SCREEN_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef STINT_RUNTIME_SCREEN_INL_H_
#undef STINT_RUNTIME_SCREEN_INL_H_
#else
#define STINT_RUNTIME_SCREEN_INL_H_
#endif

#include <hwy/highway.h>

#include <cstddef>
#include <cstdint>

#include "runtime/byte_dot-inl.h"
#include "runtime/dot-inl.h"
#include "runtime/model.h"
#include "runtime/vector.h"

#if STINT_BYTE_DOT
HWY_BEFORE_NAMESPACE();
namespace stint {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Vectors of rows that are summed side by side for four vectors x: 16 sums where there are 32
// registers, else 8.
#undef STINT_SCREEN_BLOCK
#if HWY_ARCH_X86 && HWY_TARGET > HWY_AVX3
#define STINT_SCREEN_BLOCK 2
#else
#define STINT_SCREEN_BLOCK 4
#endif

// Adds to four sums the products of one vector of rows with the four vectors' columns from `at` on.
HWY_INLINE void AddStep(const uint8_t* HWY_RESTRICT codes, const ScreenVector* HWY_RESTRICT x,
                        size_t at, hn::Vec<TileI32>& s0, hn::Vec<TileI32>& s1, hn::Vec<TileI32>& s2,
                        hn::Vec<TileI32>& s3) {
  const TileI32 di;
  const auto u = hn::Load(hn::Repartition<uint8_t, TileI32>(), codes);
  s0 = CodeDot(di, u, Broadcast(x[0].high + at), s0);
  s1 = CodeDot(di, u, Broadcast(x[1].high + at), s1);
  s2 = CodeDot(di, u, Broadcast(x[2].high + at), s2);
  s3 = CodeDot(di, u, Broadcast(x[3].high + at), s3);
}

// What a sum begins with: the slack, less what the offset of codes adds (mod 2^32).
HWY_INLINE hn::Vec<TileI32> Start(const ScreenVector& x) {
  return hn::Set(TileI32(),
                 static_cast<int32_t>(static_cast<uint32_t>(x.slack) -
                                      uint32_t{kByteOffset} * static_cast<uint32_t>(x.sum)));
}

// Sums of the tile's rows with four vectors, from their starts on: sums[4][64].
HWY_INLINE void ScreenSums(const uint8_t* HWY_RESTRICT tile, size_t steps,
                           const ScreenVector* HWY_RESTRICT x, int32_t* HWY_RESTRICT sums) {
  const TileI32 di;
  const size_t lanes = hn::Lanes(di);
  const size_t next = lanes * kStepColumns;
  for (size_t lane = 0; lane < kTileRows; lane += STINT_SCREEN_BLOCK * lanes) {
    const uint8_t* HWY_RESTRICT codes = tile + kInt8HeaderBytes + lane * kStepColumns;
    // s<rows><vector>
    auto s00 = Start(x[0]), s10 = s00, s20 = s00, s30 = s00;
    auto s01 = Start(x[1]), s11 = s01, s21 = s01, s31 = s01;
    auto s02 = Start(x[2]), s12 = s02, s22 = s02, s32 = s02;
    auto s03 = Start(x[3]), s13 = s03, s23 = s03, s33 = s03;
    for (size_t at = 0; at < steps * kStepColumns; at += kStepColumns, codes += kStepBytes) {
      AddStep(codes, x, at, s00, s01, s02, s03);
      AddStep(codes + next, x, at, s10, s11, s12, s13);
#if STINT_SCREEN_BLOCK == 4
      AddStep(codes + 2 * next, x, at, s20, s21, s22, s23);
      AddStep(codes + 3 * next, x, at, s30, s31, s32, s33);
#endif
    }
    const auto store = [&](size_t v, hn::Vec<TileI32> s0, hn::Vec<TileI32> s1, hn::Vec<TileI32> s2,
                           hn::Vec<TileI32> s3) HWY_ATTR {
      int32_t* const to = sums + v * kTileRows + lane;
      hn::Store(s0, di, to);
      hn::Store(s1, di, to + lanes);
#if STINT_SCREEN_BLOCK == 4
      hn::Store(s2, di, to + 2 * lanes);
      hn::Store(s3, di, to + 3 * lanes);
#else
      (void)s2, (void)s3;
#endif
    };
    store(0, s00, s10, s20, s30);
    store(1, s01, s11, s21, s31);
    store(2, s02, s12, s22, s32);
    store(3, s03, s13, s23, s33);
  }
}

// Bit i: vector i may have a value strictly above thresholds[i] in the tile.
HWY_NOINLINE inline uint32_t ScreenTile(const Panels& panels, size_t tile,
                                        const ScreenVector* HWY_RESTRICT x,
                                        const float* HWY_RESTRICT thresholds) {
  const TileF32 d;
  const TileI32 di;
  const size_t lanes = hn::Lanes(d);
  const uint8_t* const bytes = panels.data + tile * panels.tile_bytes;
  const float* const scales = reinterpret_cast<const float*>(bytes);
  const float* const biases = scales + kTileRows;
  HWY_ALIGN int32_t sums[kScreenVectors * kTileRows];
  ScreenSums(bytes, PanelSteps(panels.cols), x, sums);
  uint32_t out = 0;
  for (size_t v = 0; v < kScreenVectors; ++v) {
    const auto step = hn::Set(d, x[v].step);
    const auto factor = hn::Set(d, 256.0f);
    const auto threshold = hn::Set(d, thresholds[v]);
    auto above = hn::MaskFalse(d);
    for (size_t lane = 0; lane < kTileRows; lane += lanes) {
      const auto sum = hn::ConvertTo(d, hn::Load(di, sums + v * kTileRows + lane));
      const auto scale = hn::Mul(hn::Load(d, scales + lane), step);
      const auto product = hn::Mul(hn::Mul(sum, factor), scale);
      above = hn::Or(above, hn::Gt(hn::Add(product, hn::Load(d, biases + lane)), threshold));
    }
    out |= static_cast<uint32_t>(!hn::AllFalse(d, above)) << v;
  }
  return out;
}

}  // namespace HWY_NAMESPACE
}  // namespace stint
HWY_AFTER_NAMESPACE();
#endif  // STINT_BYTE_DOT

#endif  // STINT_RUNTIME_SCREEN_INL_H_
