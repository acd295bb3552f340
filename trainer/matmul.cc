// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

#include "trainer/matmul.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "trainer/matmul.cc"
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

#include <type_traits>

#include "trainer/matmul_blocks-inl.h"

HWY_BEFORE_NAMESPACE();
namespace stint::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::CappedTag<float, kRowAlignment>;
using V = hn::Vec<D>;

// What a product fetches beside its arithmetic: nothing, its own next rows, what it is told.
enum class Fetch { kNothing, kOwnRows, kAhead };

template <Fetch k>
using FetchTag = std::integral_constant<Fetch, k>;

// Terms of a sum taken at a time: a strip of x of so many rows and at most kMaxVectors vectors
// (41 KB) stays in the first-level cache while all rows go by, and a chunk of gathered rows beside
// it. With whole sums of 512 terms the products ran at 78 instead of 140 GFLOP/s. Sums that are
// interrupted lie in `out` and go on in the same order: the bits do not change.
constexpr size_t kDepthBlock = 128;
constexpr size_t kRowChunk = 64;

// out[i][j] = bias + sum over t of row_i[t] * x[t][j] for kR rows from r on: the terms
// [first, last), the first ones set out, others are added to it.
template <size_t kR, size_t kV, Fetch kFetch>
HWY_INLINE void RowsBlock(const Rows& rows, size_t r, size_t end, size_t first, size_t last,
                          const float* HWY_RESTRICT x, size_t x_stride, float* HWY_RESTRICT out,
                          size_t out_stride, RowsAhead* fetch_ahead) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  const float* row[kR];
  const float* ahead[kR];
  V sum[kR][kV];
  for (size_t i = 0; i < kR; ++i) {
    row[i] = RowAt(rows, r + i);
    if (kFetch == Fetch::kOwnRows) ahead[i] = RowAt(rows, HWY_MIN(r + kR + i, end - 1));
    const float bias =
        rows.bias != nullptr ? rows.bias[rows.index != nullptr ? rows.index[r + i] : r + i] : 0.0f;
    for (size_t v = 0; v < kV; ++v) {
      // Where the sums go is often not in the cache: it is by the time they are done.
      if (first == 0) hwy::Prefetch(out + i * out_stride + v * lanes);
      sum[i][v] = first == 0 ? hn::Set(d, bias) : hn::Load(d, out + i * out_stride + v * lanes);
    }
  }
  for (size_t t = first; t < last;) {
    // Gathered rows come from anywhere in tens of megabytes: those after the next are fetched a
    // line at a time beside the arithmetic.
    if (kFetch == Fetch::kOwnRows) {
      for (size_t i = 0; i < kR; ++i) hwy::Prefetch(ahead[i] + t);
    }
    for (const size_t stop = HWY_MIN(last, t + kRowAlignment); t < stop; ++t) {
      if (kFetch == Fetch::kAhead) fetch_ahead->FetchLine();
      V column[kV];
      for (size_t v = 0; v < kV; ++v) column[v] = hn::Load(d, x + t * x_stride + v * lanes);
      for (size_t i = 0; i < kR; ++i) {
        const V weight = hn::Set(d, row[i][t]);
        for (size_t v = 0; v < kV; ++v) sum[i][v] = hn::MulAdd(weight, column[v], sum[i][v]);
      }
    }
  }
  for (size_t i = 0; i < kR; ++i) {
    for (size_t v = 0; v < kV; ++v) hn::Store(sum[i][v], d, out + i * out_stride + v * lanes);
  }
}

// out[i][j] += sum over r of rows[r][c + i] * x[r][j] for kR columns from c on; = where `fresh`. A
// step goes down a column of cache lines, which no hardware prefetcher foresees: the lines that
// come next, `ahead_rows` rows and `ahead` columns from here, are fetched meanwhile.
template <size_t kR, size_t kV, Fetch kFetch>
HWY_INLINE void TransposedBlock(const Rows& rows, size_t begin, size_t end, size_t c,
                                size_t ahead_rows, ptrdiff_t ahead, const float* HWY_RESTRICT x,
                                size_t x_stride, float* HWY_RESTRICT out, size_t out_stride,
                                bool fresh, RowsAhead* fetch_ahead) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  V sum[kR][kV];
  for (size_t i = 0; i < kR; ++i) {
    for (size_t v = 0; v < kV; ++v) {
      sum[i][v] = fresh ? hn::Zero(d) : hn::Load(d, out + i * out_stride + v * lanes);
    }
  }
  for (size_t r = begin; r < end; ++r) {
    const float* HWY_RESTRICT row = RowAt(rows, r) + c;
    if (kFetch == Fetch::kAhead) fetch_ahead->FetchLine();
    hwy::Prefetch((ahead_rows != 0 ? RowAt(rows, r + ahead_rows) + c : row) + ahead);
    V column[kV];
    for (size_t v = 0; v < kV; ++v) column[v] = hn::Load(d, x + r * x_stride + v * lanes);
    for (size_t i = 0; i < kR; ++i) {
      const V weight = hn::Set(d, row[i]);
      for (size_t v = 0; v < kV; ++v) sum[i][v] = hn::MulAdd(weight, column[v], sum[i][v]);
    }
  }
  for (size_t i = 0; i < kR; ++i) {
    for (size_t v = 0; v < kV; ++v) hn::Store(sum[i][v], d, out + i * out_stride + v * lanes);
  }
}

// Steps in depth that CoverRows() and CoverWidth() take in all for `n` rows of a product.
inline size_t Steps(size_t n, size_t width, size_t depth) {
  const size_t vectors = width / hn::Lanes(D());
  const size_t strips = (vectors + kMaxVectors - 1) / kMaxVectors;
  return strips * (n / MaxRows((vectors + strips - 1) / strips)) * depth;
}

void RowsTimesMatrix(const Rows& rows, size_t begin, size_t end, size_t depth, const float* x,
                     size_t x_stride, size_t width, float* out, size_t out_stride,
                     RowsAhead* ahead) {
  if (ahead != nullptr) ahead->Pace(Steps(end - begin, width, depth));
  CoverWidth(width, [&](auto vectors, size_t j) HWY_ATTR {
    constexpr size_t kV = decltype(vectors)::value;
    for (size_t first = 0; first == 0 || first < depth; first += kDepthBlock) {
      const size_t last = HWY_MIN(depth, first + kDepthBlock);
      CoverRows<MaxRows(kV)>(begin, end, [&](auto block, size_t r) HWY_ATTR {
        constexpr size_t kR = decltype(block)::value;
        float* to = out + r * out_stride + j;
        const auto block_with = [&](auto fetch) HWY_ATTR {
          RowsBlock<kR, kV, decltype(fetch)::value>(rows, r, end, first, last, x + j, x_stride, to,
                                                    out_stride, ahead);
        };
        if (ahead != nullptr) {
          block_with(FetchTag<Fetch::kAhead>());
        } else if (j == 0) {
          block_with(FetchTag<Fetch::kOwnRows>());
        } else {
          block_with(FetchTag<Fetch::kNothing>());
        }
      });
    }
  });
}

void AddTransposedRowsTimesMatrix(const Rows& rows, size_t begin, size_t end, size_t column_begin,
                                  size_t column_end, const float* x, size_t x_stride, size_t width,
                                  float* out, size_t out_stride, bool fresh,
                                  RowsAhead* fetch_ahead) {
  if (fetch_ahead != nullptr) {
    fetch_ahead->Pace(Steps(column_end - column_begin, width, end - begin));
  }
  CoverWidth(width, [&](auto vectors, size_t j) HWY_ATTR {
    constexpr size_t kV = decltype(vectors)::value;
    for (size_t first = begin; first < end; first += kRowChunk) {
      const size_t last = HWY_MIN(end, first + kRowChunk);
      CoverRows<MaxRows(kV)>(column_begin, column_end, [&](auto block, size_t c) HWY_ATTR {
        constexpr size_t kR = decltype(block)::value;
        // The next line of the same rows; at the end the first line of the next rows.
        size_t ahead_rows = 0;
        ptrdiff_t ahead = kRowAlignment;
        if (c + kRowAlignment >= column_end) {
          ahead = static_cast<ptrdiff_t>(column_begin) - static_cast<ptrdiff_t>(c);
          ahead_rows = last + kRowChunk <= end ? kRowChunk : 0;
        }
        const auto block_with = [&](auto fetch) HWY_ATTR {
          TransposedBlock<kR, kV, decltype(fetch)::value>(
              rows, first, last, c, ahead_rows, ahead, x + j, x_stride,
              out + (c - column_begin) * out_stride + j, out_stride, fresh && first == begin,
              fetch_ahead);
        };
        if (fetch_ahead != nullptr) {
          block_with(FetchTag<Fetch::kAhead>());
        } else {
          block_with(FetchTag<Fetch::kNothing>());
        }
      });
    }
  });
}

}  // namespace stint::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace stint {

HWY_EXPORT(RowsTimesMatrix);
HWY_EXPORT(AddTransposedRowsTimesMatrix);

void RowsTimesMatrix(const Rows& rows, size_t begin, size_t end, size_t depth, const float* x,
                     size_t x_stride, size_t width, float* out, size_t out_stride,
                     RowsAhead* ahead) {
  HWY_DYNAMIC_DISPATCH(RowsTimesMatrix)
  (rows, begin, end, depth, x, x_stride, width, out, out_stride, ahead);
}

void AddTransposedRowsTimesMatrix(const Rows& rows, size_t begin, size_t end, size_t column_begin,
                                  size_t column_end, const float* x, size_t x_stride, size_t width,
                                  float* out, size_t out_stride, bool fresh, RowsAhead* ahead) {
  HWY_DYNAMIC_DISPATCH(AddTransposedRowsTimesMatrix)
  (rows, begin, end, column_begin, column_end, x, x_stride, width, out, out_stride, fresh, ahead);
}

}  // namespace stint
#endif  // HWY_ONCE
