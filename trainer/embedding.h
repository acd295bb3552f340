// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Input items -> the mini-batch that enters the first GRU layer, and its gradient -> one
// gradient row an input; plus the change between the two layouts of a mini-batch.
#ifndef STINT_TRAINER_EMBEDDING_H_
#define STINT_TRAINER_EMBEDDING_H_

#include <cstddef>
#include <cstdint>

#include "trainer/parameters.h"

namespace stint {

// x[c][i] = items[inputs[i]][c] for features c in [begin, end); lanes [rows, batch) become 0.
// x [width, batch].
void EmbeddingForward(const Matrix& items, const uint32_t* inputs, size_t rows, size_t batch,
                      size_t begin, size_t end, float* x);

// Features x batch -> session by session: out[i][c] = x[c][i] for sessions [begin, end), and
// out[i][features] = 1, so that a product with `out` also yields the gradient of the bias.
// out [.., out_stride], out_stride > features; elements beyond stay as they are (zero).
void SessionRows(const float* x, size_t features, size_t batch, size_t begin, size_t end,
                 float* out, size_t out_stride);

// out[i][c] = dx[c][i] for sessions [begin, end): the gradient rows of the inputs.
void EmbeddingBackward(const float* dx, size_t features, size_t batch, size_t begin, size_t end,
                       float* out, size_t out_stride);

}  // namespace stint

#endif  // STINT_TRAINER_EMBEDDING_H_
