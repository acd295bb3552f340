// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The two matrix products of training against float64 sums, on every SIMD target and at odd
// sizes; the same bits however the work is cut.
#include "trainer/matmul.h"

#include <cmath>
#include <cstring>

#include "tests/reference/kernels.h"
#include "tests/trainer/matmul_problem.h"

namespace stint {
namespace {

using reference::Floats;
using reference::ForEachTarget;

// A sum of `terms` products in float32, in any order and with or without fused multiply-add, is
// within terms * 2^-24 * sum |w x| of the exact one to first order; one more covers the rest.
double Bound(size_t terms, double absolute_sum) {
  return static_cast<double>(terms + 2) * 0x1p-24 * absolute_sum;
}

const size_t kCounts[] = {0, 1, 2, 3, 5, 8, 13, 31};
const size_t kDepths[] = {0, 1, 7, 16, 33, 100};
const size_t kWidths[] = {16, 32, 48, 64, 80, 96, 112, 176};

template <class Check>
void ForEachProblem(const Check& check) {
  for (const size_t count : kCounts) {
    for (const size_t depth : kDepths) {
      for (const size_t width : kWidths) {
        for (const bool indexed : {false, true}) {
          SCOPED_TRACE("rows " + std::to_string(count) + " depth " + std::to_string(depth) +
                       " width " + std::to_string(width) + (indexed ? " indexed" : ""));
          check(Problem(count, depth, width, indexed, depth % 2 == 1, count * 1000 + depth));
          if (::testing::Test::HasFatalFailure()) return;
        }
      }
    }
  }
}

TEST(MatmulTest, RowsTimesMatrixIsTheProduct) {
  ForEachTarget([](int64_t) {
    ForEachProblem([](const Problem& p) {
      const size_t out_stride = p.width + kRowAlignment;
      Floats out(p.count * out_stride, 77.0f);
      const size_t first = p.count / 3;  // rows before it must stay as they are
      RowsTimesMatrix(p.rows, first, p.count, p.depth, p.x.data(), p.x_stride, p.width, out.data(),
                      out_stride);
      for (size_t r = 0; r < p.count; ++r) {
        for (size_t j = 0; j < out_stride; ++j) {
          const float actual = out[r * out_stride + j];
          if (r < first || j >= p.width) {
            ASSERT_EQ(actual, 77.0f) << "outside the range: row " << r << " column " << j;
            continue;
          }
          double sum = p.rows.bias != nullptr ? p.bias[p.RowOf(r)] : 0.0;
          double absolute = std::abs(sum);
          for (size_t t = 0; t < p.depth; ++t) {
            const double term =
                static_cast<double>(p.table[p.RowOf(r) * p.stride + t]) * p.x[t * p.x_stride + j];
            sum += term;
            absolute += std::abs(term);
          }
          ASSERT_NEAR(actual, sum, Bound(p.depth, absolute)) << "row " << r << " column " << j;
        }
      }
    });
  });
}

TEST(MatmulTest, AddTransposedRowsTimesMatrixIsTheProduct) {
  ForEachTarget([](int64_t) {
    ForEachProblem([](const Problem& p) {
      const size_t out_stride = p.width + kRowAlignment;
      const size_t column_begin = p.depth / 4, columns = p.depth - column_begin;
      const size_t first = p.count / 3;
      Floats out(columns * out_stride, 0.5f);  // is added to
      AddTransposedRowsTimesMatrix(p.rows, first, p.count, column_begin, p.depth, p.x.data(),
                                   p.x_stride, p.width, out.data(), out_stride);
      for (size_t c = 0; c < columns; ++c) {
        for (size_t j = 0; j < out_stride; ++j) {
          const float actual = out[c * out_stride + j];
          double sum = 0.5, absolute = 0.5;
          for (size_t r = first; j < p.width && r < p.count; ++r) {
            const double term =
                static_cast<double>(p.table[p.RowOf(r) * p.stride + column_begin + c]) *
                p.x[r * p.x_stride + j];
            sum += term;
            absolute += std::abs(term);
          }
          ASSERT_NEAR(actual, sum, j < p.width ? Bound(p.count, absolute) : 0)
              << "column " << c << " session " << j;
        }
      }
    });
  });
}

// However rows and columns are cut between threads, and however wide the vectors are, the bits
// are the same; without fused multiply-add (SSE) they may differ from those with it.
TEST(MatmulTest, BitsDependNeitherOnCutsNorOnVectorWidth) {
  const Problem p(37, 53, 112, true, true, 3);
  const size_t out_stride = p.width;
  const bool cpu_has_fma = reference::CpuTargets().front() <= HWY_AVX2;
  const auto run = [&](size_t cut, Floats* product, Floats* transposed) {
    for (size_t r = 0; r < p.count; r += cut) {
      RowsTimesMatrix(p.rows, r, std::min(r + cut, p.count), p.depth, p.x.data(), p.x_stride,
                      p.width, product->data(), out_stride);
    }
    for (size_t c = 0; c < p.depth; c += cut) {
      AddTransposedRowsTimesMatrix(p.rows, 0, p.count, c, std::min(c + cut, p.depth), p.x.data(),
                                   p.x_stride, p.width, transposed->data() + c * out_stride,
                                   out_stride);
    }
  };
  Floats product(p.count * out_stride), transposed(p.depth * out_stride);
  run(1000, &product, &transposed);
  size_t compared = 0;
  ForEachTarget([&](int64_t target) {
    Floats whole(product.size()), whole_transposed(transposed.size());
    run(1000, &whole, &whole_transposed);
    if (cpu_has_fma == (target <= HWY_AVX2)) {
      ++compared;
      EXPECT_EQ(0, std::memcmp(whole.data(), product.data(), 4 * product.size()));
      EXPECT_EQ(0, std::memcmp(whole_transposed.data(), transposed.data(), 4 * transposed.size()));
    }
    for (const size_t cut : {1, 2, 3, 5, 8, 16, 36}) {
      Floats part(product.size()), part_transposed(transposed.size());
      run(cut, &part, &part_transposed);
      EXPECT_EQ(0, std::memcmp(whole.data(), part.data(), 4 * product.size())) << cut;
      EXPECT_EQ(0,
                std::memcmp(whole_transposed.data(), part_transposed.data(), 4 * transposed.size()))
          << cut;
    }
  });
  EXPECT_GE(compared, 1u);
}

}  // namespace
}  // namespace stint
