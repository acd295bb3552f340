// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

#include "trainer/embedding.h"

namespace stint {

void EmbeddingForward(const Matrix& items, const uint32_t* inputs, size_t rows, size_t batch,
                      size_t begin, size_t end, float* x) {
  for (size_t i = 0; i < rows; ++i) {
    const float* row = items.Row(inputs[i]);
    for (size_t c = begin; c < end; ++c) x[c * batch + i] = row[c];
  }
  for (size_t c = begin; c < end; ++c) {
    for (size_t i = rows; i < batch; ++i) x[c * batch + i] = 0.0f;
  }
}

void SessionRows(const float* x, size_t features, size_t batch, size_t begin, size_t end,
                 float* out, size_t out_stride) {
  EmbeddingBackward(x, features, batch, begin, end, out, out_stride);
  for (size_t i = begin; i < end; ++i) out[i * out_stride + features] = 1.0f;
}

void EmbeddingBackward(const float* dx, size_t features, size_t batch, size_t begin, size_t end,
                       float* out, size_t out_stride) {
  for (size_t i = begin; i < end; ++i) {
    for (size_t c = 0; c < features; ++c) out[i * out_stride + c] = dx[c * batch + i];
  }
}

}  // namespace stint
