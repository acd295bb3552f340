// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

#include "trainer/embedding.h"

#include <algorithm>

namespace stint {

void EmbeddingForward(const Rows& rows, size_t n_rows, size_t batch, size_t begin, size_t end,
                      float* x) {
  for (size_t i = 0; i < n_rows; ++i) {
    const float* row = rows.data + (rows.index != nullptr ? rows.index[i] : i) * rows.stride;
    for (size_t c = begin; c < end; ++c) x[c * batch + i] = row[c];
  }
  for (size_t c = begin; c < end; ++c) {
    std::fill(x + c * batch + n_rows, x + (c + 1) * batch, 0.0f);
  }
}

void GatherLanes(const float* from, const int32_t* row, size_t n_rows, size_t batch, size_t begin,
                 size_t end, float* x) {
  for (size_t c = begin; c < end; ++c) {
    const float* source = from + c * batch;
    float* to = x + c * batch;
    for (size_t i = 0; i < n_rows; ++i) to[i] = row[i] >= 0 ? source[row[i]] : 0.0f;
    std::fill(to + n_rows, to + batch, 0.0f);
  }
}

void SessionRows(const float* x, size_t n_rows, size_t batch, size_t begin, size_t end, float* out,
                 size_t out_stride) {
  for (size_t i = 0; i < n_rows; ++i) {
    for (size_t c = begin; c < end; ++c) out[i * out_stride + c] = x[c * batch + i];
  }
}

}  // namespace stint
