// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Tile of 64 weight rows x vector -> 64 values, for int8 and f32 panels (schema/panel.h).
//
// The int8 model is defined by what stands here, in integers, so that every target gives the same
// bits: a float vector x becomes q_j = nearbyint(x_j * (levels / max|x|)), |q_j| <= levels;
//   sum = sum_j code_j q_j = sum_j (code_j + 128) q_j - 128 sum_j q_j   (mod 2^32)
//   value = float(sum) * (scale * (max|x| / levels)) + bias, multiply and add apart.
// levels = min(127 * 256, (2^31 - 1) / (127 * columns)) keeps the true sum inside int32; partial
// sums may wrap, which modulo 2^32 does no harm.
//
// Targets that multiply bytes (byte_dot-inl.h) take q as two planes, 256 high + low: two planes
// cost no more than one, the kernel waits for the weights. On the others q stays 16 bits wide and
// only the codes are widened.

#if defined(STINT_RUNTIME_DOT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef STINT_RUNTIME_DOT_INL_H_
#undef STINT_RUNTIME_DOT_INL_H_
#else
#define STINT_RUNTIME_DOT_INL_H_
#endif

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "runtime/byte_dot-inl.h"
#include "runtime/model.h"
#include "runtime/rows.h"
#include "runtime/vector.h"

HWY_BEFORE_NAMESPACE();
namespace stint {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// At most 16 lanes, so that a tile is 4 vectors or a multiple of 4 on every target.
using TileF32 = hn::CappedTag<float, 16>;
using TileI32 = hn::RebindToSigned<TileF32>;

// Vectors that are summed side by side. Two sums each for the byte planes: 8 registers.
constexpr size_t kBlock = 4;

// x -> q in `room`, QuantizedBytes(count) of it. Vectors whose largest magnitude is below 1e-30
// count as zero: levels / max would leave the range of float.
HWY_NOINLINE inline QuantizedVector QuantizeVector(const float* HWY_RESTRICT x, size_t count,
                                                   int8_t* HWY_RESTRICT room) {
  const TileF32 d;
  const TileI32 di;
  const size_t lanes = hn::Lanes(d);
  const size_t columns = PanelSteps(count) * kStepColumns;
  const uint32_t fit = 0x7FFFFFFFu / static_cast<uint32_t>(127 * columns);
  const float levels = static_cast<float>(fit < 32512 ? fit : 32512);

  auto largest = hn::Zero(d);
  for (size_t j = 0; j < count; j += lanes) {
    largest = hn::Max(largest, hn::Abs(hn::LoadN(d, x + j, count - j)));
  }
  const float max = hn::ReduceMax(d, largest);
  // The last vector may reach past the columns, into the room rounded up to 64, with zeros.
#if STINT_BYTE_DOT
  const hn::Rebind<int8_t, TileF32> d8;
  int8_t* const high = room;
  int8_t* const low = room + QuantizedBytes(count) / 2;
  const auto store = [&](hn::Vec<TileI32> q, size_t at) HWY_ATTR {
    const auto h = hn::ShiftRight<8>(hn::Add(q, hn::Set(di, 128)));
    hn::StoreU(hn::DemoteTo(d8, h), d8, high + at);
    hn::StoreU(hn::DemoteTo(d8, hn::Sub(q, hn::ShiftLeft<8>(h))), d8, low + at);
  };
  QuantizedVector out = {high, low, nullptr, 0, 0.0f};
#else
  const hn::Rebind<int16_t, TileF32> d16;
  int16_t* const pairs = reinterpret_cast<int16_t*>(room);
  const auto store = [&](hn::Vec<TileI32> q, size_t at)
                         HWY_ATTR { hn::StoreU(hn::DemoteTo(d16, q), d16, pairs + at); };
  QuantizedVector out = {nullptr, nullptr, pairs, 0, 0.0f};
#endif
  if (!(max >= 1e-30f)) {
    std::memset(room, 0, QuantizedBytes(count));
    return out;
  }

  const auto factor = hn::Set(d, levels / max);
  auto sums = hn::Zero(di);
  for (size_t j = 0; j < columns; j += lanes) {  // past the count LoadN gives zeros
    const auto v = j < count ? hn::LoadN(d, x + j, count - j) : hn::Zero(d);
    const auto q = hn::NearestInt(hn::Mul(v, factor));
    sums = hn::Add(sums, q);
    store(q, j);
  }
#if !STINT_BYTE_DOT
  for (size_t j = 0; j < columns; j += kStepColumns) {
    const int16_t second = pairs[j + 1];
    pairs[j + 1] = pairs[j + 2];
    pairs[j + 2] = second;
  }
#endif
  out.sum = hn::ReduceSum(di, sums);
  out.step = max / levels;
  return out;
}

// Four bytes from memory, the same in each 32-bit lane.
template <typename T>
HWY_INLINE hn::Vec<hn::Repartition<T, TileI32>> Broadcast(const T* four_bytes) {
  int32_t bits;
  std::memcpy(&bits, four_bytes, sizeof(bits));
  return hn::BitCast(hn::Repartition<T, TileI32>(), hn::Set(TileI32(), bits));
}

#if !STINT_BYTE_DOT
constexpr int32_t kByteOffset = 128;
#endif

// How many bytes ahead a scan prefetches: none where the matrix stays in a cache close to the core,
// where it costs 3 to 5 %. On a Xeon with 2 MB of second-level cache, 43,097 x 100, time with
// against without: int8 0.97, int4 0.93, bf16 0.94, f32 0.91; at 200,000 x 128 0.86 to 0.97. 1 and
// 2 KB ahead gain nothing there, 4 KB half as much, the next tile in one burst loses. Past the end
// of a matrix it does no harm: prefetches do not fault.
constexpr size_t kPrefetchAhead = 8192;
HWY_INLINE size_t AheadOf(const Panels& panels) {
  constexpr size_t kCacheBytes = 3 << 19;
  return panels.tiles * panels.tile_bytes > kCacheBytes ? kPrefetchAhead : 0;
}

HWY_INLINE void PrefetchAhead(const void* from, size_t ahead, size_t bytes) {
  if (ahead == 0) return;
  for (size_t i = 0; i < bytes; i += 64) {
    hwy::Prefetch(static_cast<const uint8_t*>(from) + ahead + i);
  }
}

// The sums of four vectors of rows, kBlock * lanes of them: sum_j (code_j + kByteOffset) q_j mod
// 2^32, into sums[kBlock * lanes]. `codes` are those of the first row in the first step.
template <bool kTwoPlanes, size_t kAhead>
HWY_INLINE void BlockSums(const uint8_t* HWY_RESTRICT codes, size_t steps, const QuantizedVector& x,
                          int32_t* HWY_RESTRICT sums) {
  const TileI32 di;
  const hn::Repartition<uint8_t, TileI32> du8;
  const size_t lanes = hn::Lanes(di);
  const size_t next = lanes * kStepColumns;
  auto low0 = hn::Zero(di), low1 = low0, low2 = low0, low3 = low0;
#if STINT_BYTE_DOT
  auto high0 = low0, high1 = low0, high2 = low0, high3 = low0;
  // Twice: g++ 12 moves all eight sums to other registers and back at the end of each round, 14.3
  // us for 10,000 x 100 against 10.9; four and eight times gain nothing more.
  HWY_UNROLL(2)
  for (size_t p = 0; p < steps; ++p, codes += kStepBytes) {
    PrefetchAhead(codes, kAhead, kBlock * next);
    const auto u0 = hn::Load(du8, codes);
    const auto u1 = hn::Load(du8, codes + next);
    const auto u2 = hn::Load(du8, codes + 2 * next);
    const auto u3 = hn::Load(du8, codes + 3 * next);
    const auto l = Broadcast(x.low + p * kStepColumns);
    low0 = CodeDot(di, u0, l, low0);
    low1 = CodeDot(di, u1, l, low1);
    low2 = CodeDot(di, u2, l, low2);
    low3 = CodeDot(di, u3, l, low3);
    if (kTwoPlanes) {
      const auto h = Broadcast(x.high + p * kStepColumns);
      high0 = CodeDot(di, u0, h, high0);
      high1 = CodeDot(di, u1, h, high1);
      high2 = CodeDot(di, u2, h, high2);
      high3 = CodeDot(di, u3, h, high3);
    }
  }
  if (kTwoPlanes) {
    low0 = hn::Add(low0, hn::ShiftLeft<8>(high0));
    low1 = hn::Add(low1, hn::ShiftLeft<8>(high1));
    low2 = hn::Add(low2, hn::ShiftLeft<8>(high2));
    low3 = hn::Add(low3, hn::ShiftLeft<8>(high3));
  }
#else
  const hn::Repartition<int16_t, TileI32> d16;
  const hn::Repartition<uint16_t, TileI32> du16;
  const auto byte = hn::Set(du16, uint16_t{0xFF});
  for (size_t p = 0; p < steps; ++p, codes += kStepBytes) {
    PrefetchAhead(codes, kAhead, kBlock * next);
    const auto even = Broadcast(x.pairs + p * kStepColumns);     // q 0, q 2
    const auto odd = Broadcast(x.pairs + p * kStepColumns + 2);  // q 1, q 3
    const auto add = [&](hn::Vec<TileI32> sum, const uint8_t* from) HWY_ATTR {
      const auto u = hn::BitCast(du16, hn::Load(du8, from));
      const auto u02 = hn::BitCast(d16, hn::And(u, byte));
      const auto u13 = hn::BitCast(d16, hn::ShiftRight<8>(u));
      sum = hn::Add(sum, hn::WidenMulPairwiseAdd(di, u02, even));
      return hn::Add(sum, hn::WidenMulPairwiseAdd(di, u13, odd));
    };
    low0 = add(low0, codes);
    low1 = add(low1, codes + next);
    low2 = add(low2, codes + 2 * next);
    low3 = add(low3, codes + 3 * next);
  }
#endif
  hn::Store(low0, di, sums);
  hn::Store(low1, di, sums + lanes);
  hn::Store(low2, di, sums + 2 * lanes);
  hn::Store(low3, di, sums + 3 * lanes);
}

// Bits of the lanes of a mask of up to 16.
template <class D, class M>
HWY_INLINE uint64_t MaskBits(D d, M mask) {
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
  (void)d;
  return mask.raw;
#else
  uint8_t bytes[8] = {};  // StoreMaskBits may write 8 bytes
  hn::StoreMaskBits(d, mask, bytes);
  return static_cast<uint64_t>(bytes[0] | bytes[1] << 8);
#endif
}

// Stores a vector of a tile's values; bit i: value i is strictly above the threshold.
HWY_INLINE uint64_t StoreValues(hn::Vec<TileF32> value, hn::Vec<TileF32> threshold, size_t at,
                                float* HWY_RESTRICT values) {
  const TileF32 d;
  hn::Store(value, d, values + at);
  return MaskBits(d, hn::Gt(value, threshold)) << at;
}

// The sums of a tile. Out of line, as F32Tile: a call a tile costs nothing measurable, and inlined
// copies made the library three times as large.
template <bool kTwoPlanes, size_t kAhead>
HWY_NOINLINE void Int8Sums(const uint8_t* HWY_RESTRICT tile, size_t steps, const QuantizedVector& x,
                           int32_t* HWY_RESTRICT sums) {
  const size_t rows = kBlock * hn::Lanes(TileI32());
  for (size_t lane = 0; lane < kTileRows; lane += rows) {
    BlockSums<kTwoPlanes, kAhead>(tile + kInt8HeaderBytes + lane * kStepColumns, steps, x,
                                  sums + lane);
  }
}

// values[64], 64-byte aligned. With kAbove returns bit i for value i strictly above `threshold`, so
// that a scan need not read them again: 3 % of a step, which does not ask for it.
template <bool kAbove>
HWY_INLINE uint64_t TileValues(const Panels& panels, size_t tile, const QuantizedVector& x,
                               float threshold, float* HWY_RESTRICT values) {
  const TileF32 d;
  const TileI32 di;
  const size_t lanes = hn::Lanes(d);
  const uint8_t* const bytes = panels.data + tile * panels.tile_bytes;
  const size_t steps = PanelSteps(panels.cols);
  HWY_ALIGN int32_t sums[kTileRows];
  constexpr bool kTwoPlanes = STINT_BYTE_DOT == 1;
  if (kTwoPlanes && !x.high) {
    Int8Sums<false, 0>(bytes, steps, x, sums);
  } else if (kAbove && AheadOf(panels) != 0) {  // a loop of its own: a branch in it costs 35 %
    Int8Sums<kTwoPlanes, kPrefetchAhead>(bytes, steps, x, sums);
  } else {
    Int8Sums<kTwoPlanes, 0>(bytes, steps, x, sums);
  }
  const float* const scales = reinterpret_cast<const float*>(bytes);
  const float* const biases = scales + kTileRows;
  const auto step = hn::Set(d, x.step);
  const auto offset =
      hn::Set(di, static_cast<int32_t>(uint32_t{kByteOffset} * static_cast<uint32_t>(x.sum)));
  const auto bound = hn::Set(d, threshold);
  uint64_t above = 0;
  for (size_t lane = 0; lane < kTileRows; lane += lanes) {
    const auto sum = hn::Sub(hn::Load(di, sums + lane), offset);
    const auto scale = hn::Mul(hn::Load(d, scales + lane), step);
    const auto product = hn::Mul(hn::ConvertTo(d, sum), scale);
    const auto value = hn::Add(product, hn::Load(d, biases + lane));
    if (kAbove) {
      above |= StoreValues(value, bound, lane, values);
    } else {
      hn::Store(value, d, values + lane);
    }
  }
  return above;
}

// values[64] and the bits of those above `threshold`. Columns are added one after the other, from
// the first on; then the bias: the same bits on every target.
HWY_NOINLINE inline uint64_t F32Tile(const float* HWY_RESTRICT tile, size_t cols,
                                     const FloatVector& x, size_t ahead, float threshold,
                                     float* HWY_RESTRICT values) {
  const TileF32 d;
  const size_t lanes = hn::Lanes(d);
  const auto bound = hn::Set(d, threshold);
  uint64_t above = 0;
  for (size_t lane = 0; lane < kTileRows; lane += kBlock * lanes) {
    const float* HWY_RESTRICT column = tile + kTileRows + lane;
    auto sum0 = hn::Zero(d), sum1 = sum0, sum2 = sum0, sum3 = sum0;
    for (size_t c = 0; c < cols; ++c, column += kTileRows) {
      PrefetchAhead(column, ahead, kBlock * lanes * sizeof(float));
      const auto v = hn::Set(d, x.values[c]);
      sum0 = hn::Add(sum0, hn::Mul(v, hn::Load(d, column)));
      sum1 = hn::Add(sum1, hn::Mul(v, hn::Load(d, column + lanes)));
      sum2 = hn::Add(sum2, hn::Mul(v, hn::Load(d, column + 2 * lanes)));
      sum3 = hn::Add(sum3, hn::Mul(v, hn::Load(d, column + 3 * lanes)));
    }
    const auto store = [&](hn::Vec<TileF32> sum, size_t at) HWY_ATTR {
      above |= StoreValues(hn::Add(sum, hn::Load(d, tile + at)), bound, at, values);
    };
    store(sum0, lane);
    store(sum1, lane + lanes);
    store(sum2, lane + 2 * lanes);
    store(sum3, lane + 3 * lanes);
  }
  return above;
}

template <bool kAbove>
HWY_INLINE uint64_t TileValues(const Panels& panels, size_t tile, const FloatVector& x,
                               float threshold, float* HWY_RESTRICT values) {
  return F32Tile(reinterpret_cast<const float*>(panels.data + tile * panels.tile_bytes),
                 panels.cols, x, kAbove ? AheadOf(panels) : 0, threshold, values);
}

// Tiles [first, last) of rows x vector + bias: out[64 (last - first)].
template <class Vector>
HWY_INLINE void PanelProduct(const Panels& panels, size_t first, size_t last, const Vector& x,
                             float* HWY_RESTRICT out) {
  for (size_t t = first; t < last; ++t, out += kTileRows)
    TileValues<false>(panels, t, x, 0.0f, out);
}

}  // namespace HWY_NAMESPACE
}  // namespace stint
HWY_AFTER_NAMESPACE();

#endif  // STINT_RUNTIME_DOT_INL_H_
