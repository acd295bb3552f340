// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Tile of 64 weight rows x four vectors -> which of the vectors may have a value above its
// threshold. Four at a time, so that a weight is loaded (and, where codes are widened, widened)
// once for four products.
//
// Nothing is missed, and what is said in vain costs a product with the tile (dot-inl.h), which
// gives the values. In int8 models, where bytes are multiplied, the high plane alone is: with q_j =
// 256 high_j + low_j and |code_j| <= 127
//   sum = sum_j code_j q_j <= 256 (sum_j code_j high_j + ceil(127 sum_j |low_j| / 256))
// in whole numbers. The float operations from there to the value, each rounded, never fall where
// the sum grows, as scales are not negative; 256 times a float is exact. So the same operations on
// the right hand side give no less than the value. That is half of the multiplications, and 0.2
// standard deviations of the scores (at 100 columns) between bound and value.
// Elsewhere, and in f32 models, the sums and values are those of dot-inl.h.

#if defined(STINT_RUNTIME_SCREEN_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef STINT_RUNTIME_SCREEN_INL_H_
#undef STINT_RUNTIME_SCREEN_INL_H_
#else
#define STINT_RUNTIME_SCREEN_INL_H_
#endif

#include <hwy/highway.h>

#include <cstddef>
#include <cstdint>

#include "runtime/dot-inl.h"
#include "runtime/model.h"
#include "runtime/vector.h"

HWY_BEFORE_NAMESPACE();
namespace stint {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Vectors of rows that are summed side by side for four vectors x: 16 sums where there are 32
// registers, else 8.
#undef STINT_SCREEN_BLOCK
#if HWY_TARGET <= HWY_AVX3 && HWY_ARCH_X86 || HWY_ARCH_ARM_A64
#define STINT_SCREEN_BLOCK 4
#else
#define STINT_SCREEN_BLOCK 2
#endif

// Adds to four sums the products of one vector of rows with the four vectors' columns from `at` on.
HWY_INLINE void AddStep(const uint8_t* HWY_RESTRICT codes, const ScreenVector* HWY_RESTRICT x,
                        size_t at, hn::Vec<TileI32>& s0, hn::Vec<TileI32>& s1, hn::Vec<TileI32>& s2,
                        hn::Vec<TileI32>& s3) {
  const TileI32 di;
  const hn::Repartition<uint8_t, TileI32> du8;
#if STINT_BYTE_DOT
  const auto u = hn::Load(du8, codes);
  const auto add = [&](const void* q, hn::Vec<TileI32>& sum) HWY_ATTR {
    sum = CodeDot(di, u, Broadcast(static_cast<const int8_t*>(q) + at), sum);
  };
#else
  const hn::Repartition<int16_t, TileI32> d16;
  const hn::Repartition<uint16_t, TileI32> du16;
  const auto u = hn::BitCast(du16, hn::Load(du8, codes));
  const auto u02 = hn::BitCast(d16, hn::And(u, hn::Set(du16, uint16_t{0xFF})));
  const auto u13 = hn::BitCast(d16, hn::ShiftRight<8>(u));
  const auto add = [&](const void* q, hn::Vec<TileI32>& sum) HWY_ATTR {
    const int16_t* const pairs = static_cast<const int16_t*>(q) + at;
    sum = hn::Add(sum, hn::WidenMulPairwiseAdd(di, u02, Broadcast(pairs)));
    sum = hn::Add(sum, hn::WidenMulPairwiseAdd(di, u13, Broadcast(pairs + 2)));
  };
#endif
  add(x[0].values, s0);
  add(x[1].values, s1);
  add(x[2].values, s2);
  add(x[3].values, s3);
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
HWY_NOINLINE inline uint32_t ScreenInt8Tile(const Panels& panels, size_t tile,
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
    const auto factor = hn::Set(d, x[v].factor);
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

// The same of f32 panels.
HWY_NOINLINE inline uint32_t ScreenF32Tile(const Panels& panels, size_t tile,
                                           const ScreenVector* HWY_RESTRICT x,
                                           const float* HWY_RESTRICT thresholds) {
  const TileF32 d;
  const size_t lanes = hn::Lanes(d);
  const float* const biases =
      reinterpret_cast<const float*>(panels.data + tile * panels.tile_bytes);
  const float* const x0 = static_cast<const float*>(x[0].values);
  const float* const x1 = static_cast<const float*>(x[1].values);
  const float* const x2 = static_cast<const float*>(x[2].values);
  const float* const x3 = static_cast<const float*>(x[3].values);
  uint32_t out = 0;
  for (size_t lane = 0; lane < kTileRows; lane += 2 * lanes) {
    const float* HWY_RESTRICT column = biases + kTileRows + lane;
    auto s00 = hn::Zero(d), s01 = s00, s02 = s00, s03 = s00;  // s<rows><vector>
    auto s10 = s00, s11 = s00, s12 = s00, s13 = s00;
    for (size_t c = 0; c < panels.cols; ++c, column += kTileRows) {
      const auto w0 = hn::Load(d, column);
      const auto w1 = hn::Load(d, column + lanes);
      const auto add = [&](const float* x, hn::Vec<TileF32>& s0, hn::Vec<TileF32>& s1) HWY_ATTR {
        const auto v = hn::Set(d, x[c]);
        s0 = hn::Add(s0, hn::Mul(v, w0));
        s1 = hn::Add(s1, hn::Mul(v, w1));
      };
      add(x0, s00, s10);
      add(x1, s01, s11);
      add(x2, s02, s12);
      add(x3, s03, s13);
    }
    const auto bias0 = hn::Load(d, biases + lane);
    const auto bias1 = hn::Load(d, biases + lane + lanes);
    const auto test = [&](size_t v, hn::Vec<TileF32> s0, hn::Vec<TileF32> s1) HWY_ATTR {
      const auto most = hn::Max(hn::Add(s0, bias0), hn::Add(s1, bias1));
      const auto above = hn::Gt(most, hn::Set(d, thresholds[v]));
      out |= static_cast<uint32_t>(!hn::AllFalse(d, above)) << v;
    };
    test(0, s00, s10);
    test(1, s01, s11);
    test(2, s02, s12);
    test(3, s03, s13);
  }
  return out;
}

}  // namespace HWY_NAMESPACE
}  // namespace stint
HWY_AFTER_NAMESPACE();

#endif  // STINT_RUNTIME_SCREEN_INL_H_
