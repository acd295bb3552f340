// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// A shape and a seed -> random factors of a matrix product, for the tests of the float32 and of the
// bfloat16 kernels.
#ifndef STINT_TESTS_TRAINER_MATMUL_PROBLEM_H_
#define STINT_TESTS_TRAINER_MATMUL_PROBLEM_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "tests/reference/kernels.h"
#include "trainer/matmul.h"
#include "trainer/parameters.h"

namespace stint {

struct Problem {
  Problem(size_t n_rows, size_t n_depth, size_t n_width, bool indexed, bool biased, uint64_t seed)
      : count(n_rows),
        depth(n_depth),
        width(n_width),
        table_rows(indexed ? n_rows + 5 : n_rows),
        stride(RoundUp(n_depth, kRowAlignment) + kRowAlignment),
        x_stride(n_width + kRowAlignment),
        // Padding is NaN: what is read from it shows in the result.
        table(table_rows * stride, reference::kNan),
        bias(table_rows, reference::kNan),
        x(std::max(n_rows, n_depth) * x_stride, reference::kNan) {
    std::mt19937_64 random(seed);
    std::uniform_real_distribution<float> uniform(-2, 2);
    for (size_t r = 0; r < table_rows; ++r) {
      for (size_t c = 0; c < depth; ++c) table[r * stride + c] = uniform(random);
      if (biased) bias[r] = uniform(random);
    }
    for (size_t t = 0; t < x.size() / x_stride; ++t) {
      for (size_t j = 0; j < width; ++j) x[t * x_stride + j] = uniform(random);
    }
    for (size_t r = 0; indexed && r < count; ++r) {
      index.push_back(static_cast<uint32_t>(random() % table_rows));  // repeats
    }
    rows = {table.data(), stride, indexed ? index.data() : nullptr, biased ? bias.data() : nullptr};
  }
  size_t RowOf(size_t r) const { return index.empty() ? r : index[r]; }
  float Weight(size_t r, size_t c) const { return table[RowOf(r) * stride + c]; }

  size_t count, depth, width, table_rows, stride, x_stride;
  reference::Floats table;  // [table_rows, stride]
  reference::Floats bias;   // [table_rows]
  reference::Floats x;      // [max(count, depth), x_stride]
  std::vector<uint32_t> index;
  Rows rows;
};

}  // namespace stint

#endif  // STINT_TESTS_TRAINER_MATMUL_PROBLEM_H_
