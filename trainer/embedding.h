// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Input items -> the mini-batch that enters the first GRU layer; plus the change between the two
// layouts of a mini-batch. All work on a part of it, so that threads can share it.
#ifndef STINT_TRAINER_EMBEDDING_H_
#define STINT_TRAINER_EMBEDDING_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "trainer/matmul.h"

namespace stint {

// x[c][i] = row i of `rows` [c] for rows i in [begin, end) and c < width. x [width, batch]. (Whole
// rows: they come from anywhere in memory, and the hardware foresees what follows in a row.)
void EmbeddingForward(const Rows& rows, size_t width, size_t batch, size_t begin, size_t end,
                      float* x);

// The others work on features [begin, end).

// x[c][i] = from[c][row[i]], or 0 where row[i] < 0 and in lanes [n_rows, batch): the hidden states
// that the rows of a mini-batch go on from. Both [features, batch]. `moved`: the i < n_rows with
// row[i] != i, few in most mini-batches.
void GatherLanes(const float* from, const int32_t* row, std::span<const uint32_t> moved,
                 size_t n_rows, size_t batch, size_t begin, size_t end, float* x);

// Features x batch -> session by session: out[i][c] = x[c][i] for i < n_rows. out [.., out_stride].
void SessionRows(const float* x, size_t n_rows, size_t batch, size_t begin, size_t end, float* out,
                 size_t out_stride);

}  // namespace stint

#endif  // STINT_TRAINER_EMBEDDING_H_
