// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Input items -> the mini-batch that enters the first GRU layer; plus the change between the two
// layouts of a mini-batch. All work on features [begin, end), so that threads can share it.
#ifndef STINT_TRAINER_EMBEDDING_H_
#define STINT_TRAINER_EMBEDDING_H_

#include <cstddef>
#include <cstdint>

#include "trainer/matmul.h"

namespace stint {

// x[c][i] = row i of `rows` [c]; lanes [n_rows, batch) become 0. x [width, batch].
void EmbeddingForward(const Rows& rows, size_t n_rows, size_t batch, size_t begin, size_t end,
                      float* x);

// x[c][i] = from[c][row[i]], or 0 where row[i] < 0 and in lanes [n_rows, batch): the hidden states
// that the rows of a mini-batch go on from. Both [features, batch].
void GatherLanes(const float* from, const int32_t* row, size_t n_rows, size_t batch, size_t begin,
                 size_t end, float* x);

// Features x batch -> session by session: out[i][c] = x[c][i] for i < n_rows. out [.., out_stride].
void SessionRows(const float* x, size_t n_rows, size_t batch, size_t begin, size_t end, float* out,
                 size_t out_stride);

}  // namespace stint

#endif  // STINT_TRAINER_EMBEDDING_H_
