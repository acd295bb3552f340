// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Tile of 64 item rows x vector -> 64 scores, for bf16 and int4 panels (schema/panel.h).
//
// bf16: the arithmetic of f32 panels (dot-inl.h) on the widened weights, column after column,
// multiply and add apart. The bf16 products of newer CPUs round elsewhere, so they are not used.
//
// int4: as int8, in whole numbers. The vector is q_j with the levels of dot-inl.h, and
//   sum = sum_j (code_j - 8) q_j,   value = float(sum) * (scale * (max|x| / levels)) + bias.
// A byte u = low + 16 high holds the codes of two rows. Summed are low (one mask) and all of u,
// mod 2^32; the difference is 16 times the other row's sum. With S = sum_j q_j
//   (sum u q - sum low q) - 120 S = 8 sum_j (2 high_j - 15) q_j = 8 T,
// at most 8 * 15 * columns * levels <= 120 / 127 * (2^31 - 1) in magnitude: it fits, so the shift
// by three bits is exact, and sum = (T - S) / 2. One mask a load instead of two and a shift.

#if defined(STINT_RUNTIME_ITEM_TILE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef STINT_RUNTIME_ITEM_TILE_INL_H_
#undef STINT_RUNTIME_ITEM_TILE_INL_H_
#else
#define STINT_RUNTIME_ITEM_TILE_INL_H_
#endif

#include <hwy/highway.h>

#include <cstddef>
#include <cstdint>

#include "runtime/dot-inl.h"
#include "runtime/vector.h"
#include "schema/panel.h"

HWY_BEFORE_NAMESPACE();
namespace stint {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// A tile's values[64] and bits, as kernels.h says.
HWY_NOINLINE inline uint64_t Bf16Tile(const Panels& panels, size_t tile, const AnyVector& vector,
                                      float threshold, float* HWY_RESTRICT values) {
  const float* HWY_RESTRICT x = vector.floats.values;
  const uint8_t* const bytes = panels.data + tile * panels.tile_bytes;
  const size_t cols = panels.cols;
  const TileF32 d;
  const hn::RebindToUnsigned<TileF32> du;
  const size_t lanes = hn::Lanes(d);
  const auto upper = hn::Set(du, 0xFFFF0000u);
  const auto bound = hn::Set(d, threshold);
  const float* const biases = reinterpret_cast<const float*>(bytes);
  const size_t ahead = AheadOf(panels);
  uint64_t above = 0;
  for (size_t lane = 0; lane < kBf16HalfRows; lane += 2 * lanes) {
    const uint32_t* HWY_RESTRICT words =
        reinterpret_cast<const uint32_t*>(bytes + kF32HeaderBytes) + lane;
    auto low0 = hn::Zero(d), low1 = low0, high0 = low0, high1 = low0;
    for (size_t c = 0; c < cols; ++c, words += kBf16HalfRows) {
      PrefetchAhead(words, ahead, 2 * lanes * sizeof(uint32_t));
      const auto v = hn::Set(d, x[c]);
      const auto w0 = hn::Load(du, words);
      const auto w1 = hn::Load(du, words + lanes);
      low0 = hn::Add(low0, hn::Mul(v, hn::BitCast(d, hn::ShiftLeft<16>(w0))));
      high0 = hn::Add(high0, hn::Mul(v, hn::BitCast(d, hn::And(w0, upper))));
      low1 = hn::Add(low1, hn::Mul(v, hn::BitCast(d, hn::ShiftLeft<16>(w1))));
      high1 = hn::Add(high1, hn::Mul(v, hn::BitCast(d, hn::And(w1, upper))));
    }
    const auto store = [&](hn::Vec<TileF32> sum, size_t at) HWY_ATTR {
      above |= StoreValues(hn::Add(sum, hn::Load(d, biases + at)), bound, at, values);
    };
    store(low0, lane);
    store(low1, lane + lanes);
    store(high0, lane + kBf16HalfRows);
    store(high1, lane + kBf16HalfRows + lanes);
  }
  return above;
}

// Sums of rows of the nibbles of two blocks: of the low ones, and 16 times those of the high ones.
// `codes` are those of the first step, plus 4 * lane.
template <class V>
HWY_INLINE void Int4Sums(const uint8_t* HWY_RESTRICT codes, size_t steps, const QuantizedVector& x,
                         size_t ahead, V& low0, V& high0, V& low1, V& high1) {
  const TileI32 di;
  const hn::Repartition<uint8_t, TileI32> du8;
  constexpr size_t kBlockBytes = kInt4StepBytes / 2;
  low0 = high0 = low1 = high1 = hn::Zero(di);
#if STINT_BYTE_DOT
  constexpr bool kAnyByte = kByteOffset == 128;  // whether the byte product takes all of u
  const auto nibble = hn::Set(du8, uint8_t{0x0F});
  auto upper_low0 = low0, upper_high0 = low0, upper_low1 = low0, upper_high1 = low0;
  for (size_t p = 0; p < steps; ++p, codes += kInt4StepBytes) {
    PrefetchAhead(codes, ahead, kInt4StepBytes);
    const auto l = Broadcast(x.low + p * kStepColumns);
    const auto h = Broadcast(x.high + p * kStepColumns);
    const auto u0 = hn::Load(du8, codes);
    const auto u1 = hn::Load(du8, codes + kBlockBytes);
    const auto n0 = hn::And(u0, nibble);
    const auto n1 = hn::And(u1, nibble);
    const auto m0 = kAnyByte ? u0 : hn::ShiftRight<4>(u0);
    const auto m1 = kAnyByte ? u1 : hn::ShiftRight<4>(u1);
    low0 = SmallByteDot(di, n0, l, low0);
    upper_low0 = SmallByteDot(di, n0, h, upper_low0);
    high0 = SmallByteDot(di, m0, l, high0);
    upper_high0 = SmallByteDot(di, m0, h, upper_high0);
    low1 = SmallByteDot(di, n1, l, low1);
    upper_low1 = SmallByteDot(di, n1, h, upper_low1);
    high1 = SmallByteDot(di, m1, l, high1);
    upper_high1 = SmallByteDot(di, m1, h, upper_high1);
  }
  low0 = hn::Add(low0, hn::ShiftLeft<8>(upper_low0));
  low1 = hn::Add(low1, hn::ShiftLeft<8>(upper_low1));
  high0 = hn::Add(high0, hn::ShiftLeft<8>(upper_high0));
  high1 = hn::Add(high1, hn::ShiftLeft<8>(upper_high1));
  if (!kAnyByte) {
    high0 = hn::ShiftLeft<4>(high0);
    high1 = hn::ShiftLeft<4>(high1);
    return;
  }
#else
  const hn::Repartition<int16_t, TileI32> d16;
  const hn::Repartition<uint16_t, TileI32> du16;
  const auto byte = hn::Set(du16, uint16_t{0xFF});
  const auto nibble = hn::Set(du16, uint16_t{0x0F});
  for (size_t p = 0; p < steps; ++p, codes += kInt4StepBytes) {
    PrefetchAhead(codes, ahead, kInt4StepBytes);
    const auto even = Broadcast(x.pairs + p * kStepColumns);     // q 0, q 2
    const auto odd = Broadcast(x.pairs + p * kStepColumns + 2);  // q 1, q 3
    const auto add = [&](const uint8_t* from, V& low, V& all) HWY_ATTR {
      const auto u = hn::BitCast(du16, hn::Load(du8, from));
      const auto u13 = hn::ShiftRight<8>(u);
      const auto product = [&](hn::Vec<decltype(du16)> codes, hn::Vec<decltype(d16)> q) HWY_ATTR {
        return hn::WidenMulPairwiseAdd(di, hn::BitCast(d16, codes), q);
      };
      all = hn::Add(all, product(hn::And(u, byte), even));
      all = hn::Add(all, product(u13, odd));
      low = hn::Add(low, product(hn::And(u, nibble), even));
      low = hn::Add(low, product(hn::And(u13, nibble), odd));
    };
    add(codes, low0, high0);
    add(codes + kBlockBytes, low1, high1);
  }
#endif
  high0 = hn::Sub(high0, low0);
  high1 = hn::Sub(high1, low1);
}

HWY_NOINLINE inline uint64_t Int4Tile(const Panels& panels, size_t tile, const AnyVector& vector,
                                      float threshold, float* HWY_RESTRICT values) {
  const QuantizedVector& x = vector.quantized;
  const uint8_t* const bytes = panels.data + tile * panels.tile_bytes;
  const size_t steps = PanelSteps(panels.cols);
  const TileF32 d;
  const TileI32 di;
  const size_t lanes = hn::Lanes(d);
  const float* const scales = reinterpret_cast<const float*>(bytes);
  const float* const biases = scales + kTileRows;
  const auto s1 = hn::Set(di, x.sum);
  const auto s8 = hn::Set(di, static_cast<int32_t>(8 * static_cast<uint32_t>(x.sum)));
  const auto s120 = hn::Set(di, static_cast<int32_t>(120 * static_cast<uint32_t>(x.sum)));
  const auto step = hn::Set(d, x.step);
  const auto bound = hn::Set(d, threshold);
  uint64_t above = 0;
  for (size_t lane = 0; lane < kInt4NibbleRows; lane += lanes) {
    hn::Vec<TileI32> low0, high0, low1, high1;
    Int4Sums(bytes + kInt8HeaderBytes + lane * kStepColumns, steps, x, AheadOf(panels), low0, high0,
             low1, high1);
    const auto store = [&](hn::Vec<TileI32> sum, size_t at) HWY_ATTR {
      const auto scale = hn::Mul(hn::Load(d, scales + at), step);
      const auto product = hn::Mul(hn::ConvertTo(d, sum), scale);
      above |= StoreValues(hn::Add(product, hn::Load(d, biases + at)), bound, at, values);
    };
    const auto half = [&](hn::Vec<TileI32> high) HWY_ATTR {
      return hn::ShiftRight<1>(hn::Sub(hn::ShiftRight<3>(hn::Sub(high, s120)), s1));
    };
    store(hn::Sub(low0, s8), lane);
    store(half(high0), lane + kInt4NibbleRows);
    store(hn::Sub(low1, s8), lane + kInt4BlockRows);
    store(half(high1), lane + kInt4BlockRows + kInt4NibbleRows);
  }
  return above;
}

}  // namespace HWY_NAMESPACE
}  // namespace stint
HWY_AFTER_NAMESPACE();

#endif  // STINT_RUNTIME_ITEM_TILE_INL_H_
