// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Inner loops of the cascade -> one set of functions a SIMD target.
#include "runtime/second_build.h"  // IWYU pragma: keep

#include "runtime/cascade_kernels.h"
#include "runtime/target.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/cascade_kernels.cc"
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

#include "runtime/dot-inl.h"
#include "runtime/float_rows-inl.h"
#include "runtime/nibble-inl.h"

HWY_BEFORE_NAMESPACE();
namespace stint {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Entries of a tile that are written whether they are there or not: a loop whose end is hard to
// foresee costs more.
constexpr size_t kWritten = 4;

size_t BoundScanAll(const BoundScan& s, size_t first, size_t last, const Filter& filter,
                    float threshold, uint32_t* HWY_RESTRICT items, float* HWY_RESTRICT bounds) {
  const TileF32 d;
  const TileI32 di;
  const size_t lanes = hn::Lanes(d);
  const auto upper = hn::Set(di, static_cast<int32_t>(0xFFFF0000u));
  const auto radius = Broadcast(s.radius);
  const auto radius_unit = hn::Set(d, s.radius_unit);
  const auto bias_unit = hn::Set(d, s.bias_unit);
  const auto base = hn::Set(d, s.base);
  const auto least = hn::Set(d, threshold);
  HWY_ALIGN float values[kTileRows];
  size_t count = 0;
  for (size_t t = first; t < last; ++t) {
    const uint8_t* HWY_RESTRICT tile = s.tiles + t * s.tile_bytes;
    const int32_t* const row_bounds = reinterpret_cast<const int32_t*>(tile);
    const int32_t* const row_steps = row_bounds + kTileRows;
    uint64_t bits = 0;
    for (size_t lane = 0; lane < kNibbleRows; lane += lanes) {
      auto sum0 = hn::Set(di, -s.zero), sum1 = sum0, sum2 = sum0, sum3 = sum0;
      NibbleSums(tile + kScanHeaderBytes + lane * kStepColumns, s.steps, s.q, sum0, sum1, sum2,
                 sum3);
      const auto steps0 = hn::Load(di, row_steps + lane);
      const auto steps1 = hn::Load(di, row_steps + kNibbleRows + lane);
      const auto bound = [&](hn::Vec<TileI32> sum, hn::Vec<TileI32> step, size_t row) HWY_ATTR {
        const auto b = hn::Load(di, row_bounds + row);
        const auto bias = hn::BitCast(d, hn::And(b, upper));
        auto v = hn::MulAdd(bias, bias_unit, base);
        v = hn::MulAdd(hn::ConvertTo(d, RadiusSum(b, radius)), radius_unit, v);
        v = hn::MulAdd(hn::ConvertTo(d, sum), hn::BitCast(d, step), v);
        hn::Store(v, d, values + row);
        bits |= MaskBits(d, hn::Ge(v, least)) << row;
      };
      bound(sum0, hn::And(steps0, upper), lane);
      bound(sum1, hn::ShiftLeft<16>(steps0), lane + kNibbleRows);
      bound(sum2, hn::And(steps1, upper), lane + 2 * kNibbleRows);
      bound(sum3, hn::ShiftLeft<16>(steps1), lane + 3 * kNibbleRows);
    }
    bits &= filter.Allowed(t);
    const size_t found = hwy::PopCount(bits);
    for (size_t i = 0; i < kWritten; ++i, bits &= bits - 1) {
      const size_t row = hwy::Num0BitsBelowLS1Bit_Nonzero64(bits | uint64_t{1} << 63);
      items[count + i] = static_cast<uint32_t>(t * kTileRows + row);
      bounds[count + i] = values[row];
    }
    for (size_t i = kWritten; i < found; ++i, bits &= bits - 1) {
      const size_t row = hwy::Num0BitsBelowLS1Bit_Nonzero64(bits);
      items[count + i] = static_cast<uint32_t>(t * kTileRows + row);
      bounds[count + i] = values[row];
    }
    count += found;
  }
  return count;
}

// Rows ahead that are fetched: they lie anywhere.
constexpr size_t kRowsAhead = 8;

void RowScores(const CandidateRows& rows, const CandidateVector& x, const uint32_t* items,
               size_t count, float* HWY_RESTRICT scores) {
  const TileI32 di;
  const hn::Repartition<uint8_t, TileI32> du8;
  const size_t bytes = hn::Lanes(du8);
#if STINT_BYTE_DOT
  const uint32_t offset = static_cast<uint32_t>(kByteOffset) * static_cast<uint32_t>(x.sum);
#else
  const uint32_t offset = 128u * static_cast<uint32_t>(x.sum);
#endif
  for (size_t i = 0; i < count; ++i) {
    const uint8_t* HWY_RESTRICT row = rows.data + items[i] * rows.row_bytes;
    if (i + kRowsAhead < count) {
      const uint8_t* next = rows.data + items[i + kRowsAhead] * rows.row_bytes;
      for (size_t b = 0; b < rows.row_bytes; b += 64) hwy::Prefetch(next + b);
    }
    auto sum = hn::Zero(di);
#if STINT_BYTE_DOT
    auto high = sum;
    for (size_t c = 0; c < rows.code_bytes; c += bytes) {
      const auto u = hn::Load(du8, row + c);
      const hn::Repartition<int8_t, TileI32> d8;
      sum = CodeDot(di, u, hn::Load(d8, x.low + c), sum);
      high = CodeDot(di, u, hn::Load(d8, x.high + c), high);
    }
    sum = hn::Add(sum, hn::ShiftLeft<8>(high));
#else
    const hn::Repartition<int16_t, TileI32> d16;
    const hn::Repartition<uint16_t, TileI32> du16;
    const auto byte = hn::Set(du16, uint16_t{0xFF});
    for (size_t c = 0; c < rows.code_bytes; c += bytes) {
      const auto u = hn::BitCast(du16, hn::Load(du8, row + c));
      const auto u02 = hn::BitCast(d16, hn::And(u, byte));
      const auto u13 = hn::BitCast(d16, hn::ShiftRight<8>(u));
      const auto even = hn::BitCast(d16, hn::Load(di, x.even + c / kStepColumns));
      const auto odd = hn::BitCast(d16, hn::Load(di, x.odd + c / kStepColumns));
      sum = hn::Add(sum, hn::WidenMulPairwiseAdd(di, u02, even));
      sum = hn::Add(sum, hn::WidenMulPairwiseAdd(di, u13, odd));
    }
#endif
    const uint32_t total = static_cast<uint32_t>(hn::ReduceSum(di, sum)) - offset;
    const float* const tail =
        reinterpret_cast<const float*>(row + rows.row_bytes - kCandidateTailBytes);
    scores[i] = static_cast<float>(static_cast<int32_t>(total)) * (tail[0] * x.step) + tail[1];
  }
}

void FloatScores(const FloatRows& rows, const float* HWY_RESTRICT x, const uint32_t* items,
                 size_t first, size_t count, float* HWY_RESTRICT scores) {
  for (size_t i = 0; i < count; ++i) {
    const size_t item = items ? items[i] : first + i;
    scores[i] = FloatScore(rows.data + item * rows.width, x, rows.width, rows.biases[item]);
  }
}

void FillCascade(CascadeKernels* kernels) { *kernels = {BoundScanAll, RowScores, FloatScores}; }

}  // namespace HWY_NAMESPACE
}  // namespace stint
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace stint {
#if STINT_SECOND_BUILD
void FillSecondCascade(CascadeKernels* kernels) { HWY_NAMESPACE::FillCascade(kernels); }
#else
HWY_EXPORT(FillCascade);
CascadeKernels GetCascadeKernels() {
  CascadeKernels kernels;
  HWY_DYNAMIC_DISPATCH(FillCascade)(&kernels);
#if STINT_HAS_SECOND_BUILD
  if (UsesSecondBuild()) FillSecondCascade(&kernels);
#endif
  return kernels;
}
#endif
}  // namespace stint
#endif
