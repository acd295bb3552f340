// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

#include "trainer/matmul_bf16.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "trainer/matmul_bf16.cc"
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

#include <algorithm>
#include <cstdint>
#include <stdexcept>

#include "trainer/matmul_blocks-inl.h"

HWY_BEFORE_NAMESPACE();
namespace stint::HWY_NAMESPACE {
#if HWY_ARCH_X86 && HWY_NATIVE_DOT_BF16
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::CappedTag<float, kRowAlignment>;
using DU = hn::RebindToUnsigned<D>;
using DB = hn::Repartition<hwy::bfloat16_t, D>;
using V = hn::Vec<D>;
constexpr size_t kLanes = kRowAlignment;
static_assert(HWY_MAX_BYTES == 4 * kLanes);
// What is packed at a time, both for the first-level cache: a pair of terms is a uint32_t, the
// earlier one in the lower half.
constexpr size_t kPairs = 64;
constexpr size_t kRowChunk = 64;  // rows of the result
struct Scratch {
  alignas(64) uint32_t x[kPairs * kMaxVectors * kLanes];  // [pairs, lanes of a strip]
  alignas(64) uint32_t rows[kRowChunk * kPairs];  // [row, kPairs], transposed [pair, kRowChunk]
  float bias[kRowChunk];
};

// pairs[i] = (a[i], b[i]), 16 of them.
HWY_INLINE void StorePairs(V a, V b, uint32_t* pairs) {
  const DB db;
  const hn::Repartition<uint16_t, D> d16;
  alignas(64) static constexpr uint16_t kInterleave[2 * kLanes] = {
      0, 16, 1, 17, 2,  18, 3,  19, 4,  20, 5,  21, 6,  22, 7,  23,
      8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
  const auto halves = hn::BitCast(d16, hn::OrderedDemote2To(db, a, b));
  const auto interleaved = hn::TableLookupLanes(halves, hn::SetTableIndices(d16, kInterleave));
  hn::Store(hn::BitCast(DU(), interleaved), DU(), pairs);
}

// pairs[p][j] = (x[2 p][j], x[2 p + 1][j]) for j < kV vectors; a last odd row is paired with zeros.
template <size_t kV>
HWY_INLINE void PackStrip(const float* HWY_RESTRICT x, size_t x_stride, size_t n, uint32_t* pairs) {
  const D d;
  for (size_t t = 0; t < n; t += 2, x += 2 * x_stride, pairs += kV * kLanes) {
    for (size_t v = 0; v < kV; ++v) {
      const V b = t + 1 < n ? hn::Load(d, x + x_stride + v * kLanes) : hn::Zero(d);
      StorePairs(hn::Load(d, x + v * kLanes), b, pairs + v * kLanes);
    }
  }
}

// Terms [first, last) of rows [begin, end), a row in kPairs; zeros behind an odd number.
HWY_INLINE void PackRows(const Rows& rows, size_t begin, size_t end, size_t first, size_t last,
                         uint32_t* pairs) {
  const D d;
  const DB db;
  for (size_t r = begin; r < end; ++r, pairs += kPairs) {
    const float* HWY_RESTRICT row = RowAt(rows, r);
    const float* ahead = RowAt(rows, HWY_MIN(r + 8, end - 1));
    for (size_t t = first, p = 0; t < last; t += 2 * kLanes, p += kLanes) {
      const size_t n = last - t;
      // Gathered rows come from anywhere.
      hwy::Prefetch(ahead + t);
      hwy::Prefetch(ahead + t + kLanes);
      const V a = n >= kLanes ? hn::LoadU(d, row + t) : hn::LoadN(d, row + t, n);
      const V b = n >= 2 * kLanes ? hn::LoadU(d, row + t + kLanes)
                  : n > kLanes    ? hn::LoadN(d, row + t + kLanes, n - kLanes)
                                  : hn::Zero(d);
      hn::Store(hn::BitCast(DU(), hn::OrderedDemote2To(db, a, b)), DU(), pairs + p);
    }
  }
}

// pairs[p][c] = (rows[begin + 2 p][first + c], rows[begin + 2 p + 1][first + c]) for c < columns, a
// pair of rows in kRowChunk; a last odd row is paired with zeros.
HWY_INLINE void PackRowsTransposed(const Rows& rows, size_t begin, size_t end, size_t first,
                                   size_t columns, uint32_t* pairs) {
  const D d;
  for (size_t r = begin; r < end; r += 2, pairs += kRowChunk) {
    const float* HWY_RESTRICT a = RowAt(rows, r) + first;
    const float* HWY_RESTRICT b = r + 1 < end ? RowAt(rows, r + 1) + first : nullptr;
    const float* ahead_a = RowAt(rows, HWY_MIN(r + 8, end - 1)) + first;
    const float* ahead_b = RowAt(rows, HWY_MIN(r + 9, end - 1)) + first;
    for (size_t c = 0; c < columns; c += kLanes) {
      hwy::Prefetch(ahead_a + c);
      hwy::Prefetch(ahead_b + c);
      const size_t n = HWY_MIN(kLanes, columns - c);
      StorePairs(hn::LoadN(d, a + c, n), b != nullptr ? hn::LoadN(d, b + c, n) : hn::Zero(d),
                 pairs + c);
    }
  }
}

// out[i][j] = start + sum over p < n of rows[i][p] . x[p][j], kR rows times kV vectors. A pair of
// rows[i] lies at rows + i * kRowStep + p * kPairStep. The start is bias[i], or `out` itself if
// `bias` is null.
template <size_t kR, size_t kV, size_t kRowStep, size_t kPairStep, bool kAhead>
HWY_INLINE void Block(const uint32_t* HWY_RESTRICT rows, const uint32_t* HWY_RESTRICT x, size_t n,
                      const float* bias, float* HWY_RESTRICT out, size_t out_stride,
                      RowsAhead* ahead) {
  const D d;
  const DU du;
  const DB db;
  V sum[kR][kV];
  for (size_t i = 0; i < kR; ++i) {
    for (size_t v = 0; v < kV; ++v) {
      const float* at = out + i * out_stride + v * kLanes;
      // Where the sums go is often not in the cache: it is by the time they are done.
      if (bias != nullptr) hwy::Prefetch(at);
      sum[i][v] = bias != nullptr ? hn::Set(d, bias[i]) : hn::Load(d, at);
    }
  }
  V unused = hn::Zero(d);
  for (size_t p = 0; p < n; ++p) {
    if (kAhead) {
      ahead->FetchLine();
      ahead->FetchLine();
    }
    hn::Vec<DB> column[kV];
    for (size_t v = 0; v < kV; ++v) {
      column[v] = hn::BitCast(db, hn::Load(du, x + (p * kV + v) * kLanes));
    }
    for (size_t i = 0; i < kR; ++i) {
      const auto weight = hn::BitCast(db, hn::Set(du, rows[i * kRowStep + p * kPairStep]));
      // Native: lane j of the sum gets pair j, nothing is reordered and the last argument stays.
      for (size_t v = 0; v < kV; ++v) {
        sum[i][v] = hn::ReorderWidenMulAccumulate(d, weight, column[v], sum[i][v], unused);
      }
    }
  }
  for (size_t i = 0; i < kR; ++i) {
    for (size_t v = 0; v < kV; ++v) hn::Store(sum[i][v], d, out + i * out_stride + v * kLanes);
  }
}

void RowsTimesMatrixBf16(const Rows& rows, size_t begin, size_t end, size_t depth, const float* x,
                         size_t x_stride, size_t width, float* out, size_t out_stride,
                         RowsAhead* ahead) {
  Scratch scratch;
  for (size_t r = begin; r < end; r += kRowChunk) {
    const size_t r_end = HWY_MIN(end, r + kRowChunk);
    for (size_t i = r; i < r_end; ++i) {
      scratch.bias[i - r] =
          rows.bias != nullptr ? rows.bias[rows.index != nullptr ? rows.index[i] : i] : 0.0f;
    }
    for (size_t t = 0; t == 0 || t < depth; t += 2 * kPairs) {
      const size_t t_end = HWY_MIN(depth, t + 2 * kPairs);
      PackRows(rows, r, r_end, t, t_end, scratch.rows);
      CoverWidth(width, [&](auto vectors, size_t j) HWY_ATTR {
        constexpr size_t kV = decltype(vectors)::value;
        PackStrip<kV>(x + t * x_stride + j, x_stride, t_end - t, scratch.x);
        CoverRows<MaxRows(kV)>(0, r_end - r, [&](auto block, size_t i) HWY_ATTR {
          constexpr size_t kR = decltype(block)::value;
          const uint32_t* packed = scratch.rows + i * kPairs;
          const float* bias = t == 0 ? scratch.bias + i : nullptr;
          const size_t pairs = (t_end - t + 1) / 2;
          float* to = out + (r + i) * out_stride + j;
          if (ahead != nullptr) {
            Block<kR, kV, kPairs, 1, true>(packed, scratch.x, pairs, bias, to, out_stride, ahead);
          } else {
            Block<kR, kV, kPairs, 1, false>(packed, scratch.x, pairs, bias, to, out_stride, ahead);
          }
        });
      });
    }
  }
}

void AddTransposedRowsTimesMatrixBf16(const Rows& rows, size_t begin, size_t end,
                                      size_t column_begin, size_t column_end, const float* x,
                                      size_t x_stride, size_t width, float* out, size_t out_stride,
                                      bool fresh, RowsAhead* ahead) {
  if (fresh) {
    for (size_t c = 0; c < column_end - column_begin; ++c) {
      std::fill_n(out + c * out_stride, width, 0.0f);
    }
  }
  Scratch scratch;
  for (size_t c = column_begin; c < column_end; c += kRowChunk) {
    const size_t columns = HWY_MIN(column_end - c, kRowChunk);
    for (size_t r = begin; r < end; r += 2 * kPairs) {
      const size_t r_end = HWY_MIN(end, r + 2 * kPairs);
      PackRowsTransposed(rows, r, r_end, c, columns, scratch.rows);
      CoverWidth(width, [&](auto vectors, size_t j) HWY_ATTR {
        constexpr size_t kV = decltype(vectors)::value;
        PackStrip<kV>(x + r * x_stride + j, x_stride, r_end - r, scratch.x);
        CoverRows<MaxRows(kV)>(0, columns, [&](auto block, size_t i) HWY_ATTR {
          constexpr size_t kR = decltype(block)::value;
          const size_t pairs = (r_end - r + 1) / 2;
          float* to = out + (c - column_begin + i) * out_stride + j;
          if (ahead != nullptr) {
            Block<kR, kV, 1, kRowChunk, true>(scratch.rows + i, scratch.x, pairs, nullptr, to,
                                              out_stride, ahead);
          } else {
            Block<kR, kV, 1, kRowChunk, false>(scratch.rows + i, scratch.x, pairs, nullptr, to,
                                               out_stride, ahead);
          }
        });
      });
    }
  }
}

#else  // a target without the instruction: callers ask HasBf16Products()

void RowsTimesMatrixBf16(const Rows&, size_t, size_t, size_t, const float*, size_t, size_t, float*,
                         size_t, RowsAhead*) {
  throw std::logic_error("bfloat16 products on a CPU without them");
}

void AddTransposedRowsTimesMatrixBf16(const Rows&, size_t, size_t, size_t, size_t, const float*,
                                      size_t, size_t, float*, size_t, bool, RowsAhead*) {
  throw std::logic_error("bfloat16 products on a CPU without them");
}

#endif
}  // namespace stint::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace stint {

HWY_EXPORT(RowsTimesMatrixBf16);
HWY_EXPORT(AddTransposedRowsTimesMatrixBf16);

bool HasBf16Products() {
#if HWY_ARCH_X86
  return (hwy::SupportedTargets() & HWY_TARGETS & (HWY_AVX3_ZEN4 | HWY_AVX3_SPR)) != 0;
#else
  return false;
#endif
}

void RowsTimesMatrixBf16(const Rows& rows, size_t begin, size_t end, size_t depth, const float* x,
                         size_t x_stride, size_t width, float* out, size_t out_stride,
                         RowsAhead* ahead) {
  HWY_DYNAMIC_DISPATCH(RowsTimesMatrixBf16)
  (rows, begin, end, depth, x, x_stride, width, out, out_stride, ahead);
}

void AddTransposedRowsTimesMatrixBf16(const Rows& rows, size_t begin, size_t end,
                                      size_t column_begin, size_t column_end, const float* x,
                                      size_t x_stride, size_t width, float* out, size_t out_stride,
                                      bool fresh, RowsAhead* ahead) {
  HWY_DYNAMIC_DISPATCH(AddTransposedRowsTimesMatrixBf16)
  (rows, begin, end, column_begin, column_end, x, x_stride, width, out, out_stride, fresh, ahead);
}

}  // namespace stint
#endif  // HWY_ONCE
