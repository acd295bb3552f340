// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Model + a block of the caller's memory -> SessionState: the hidden states of one user's session
// and the scratch of its calls.
#ifndef STINT_RUNTIME_SESSION_H_
#define STINT_RUNTIME_SESSION_H_

#include <cstddef>
#include <cstdint>

#include "runtime/model.h"
#include "runtime/status.h"
#include "runtime/vector.h"

namespace stint {

// A hidden state as matrices of integers take it.
struct QuantizedHidden {
  QuantizedVector vector;
  int8_t* room;  // [QuantizedBytes(units)]
  bool fresh;    // the vector is that of the hidden state
};

// The cascade scans so many tiles at a time, and scores so many candidates; a scan may write some
// more than it counts.
constexpr size_t kChunkTiles = 16;
constexpr size_t kMostCandidates = kChunkTiles * kTileRows;
constexpr size_t kCandidateRoom = kMostCandidates + 64;

// Scratch of the cascade; all null where the model has none.
struct CascadeScratch {
  int8_t* quantized;  // [QuantizedBytes(width)], zeros past the columns
  int32_t* even;      // [columns / 4 up to a whole vector] see CandidateVector
  int32_t* odd;       // the same
  float* x;           // [width] the floats that the quantized vector stands for
  float* projected;   // [M + 1, up to whole tiles]
  int8_t* q;          // [M]
  uint32_t* items;    // [waiting_room] candidates that wait
  float* bounds;      // [waiting_room] theirs
  size_t waiting_room;
  uint32_t* good;          // [kCandidateRoom] candidates to be scored at once
  uint32_t* finalists;     // float rows: [finalist_room] items that can still win
  float* finalist_bounds;  // [finalist_room] their upper bounds, then their scores
  size_t finalist_room;
  float* scores;     // [kCandidateRoom]
  double mean_norm;  // of the mean row, rounded up
};

// Lies at the start of the block; every array is 64-byte aligned and in the same block.
struct SessionState {
  const BoundModel* model;
  uint32_t max_k;  // as asked for
  uint64_t observed;
  uint64_t unknown;

  // Of each layer: [units, then zeros up to a multiple of 16, so that kernels take whole vectors].
  float* hidden[kMaxLayers];
  // Where quantized vectors are needed: [layers], see hidden.h; else null. What changes a hidden
  // state says that its vector is not fresh.
  QuantizedHidden* quantized_hidden;

  // Scratch of a step.
  float* input_gates;   // [3 units of the largest layer, up to whole tiles, and 16]
  float* hidden_gates;  // the same
  float* reset_hidden;  // [units of the largest layer, then zeros as above]
  float* row;           // f32 models, shared embedding: [width] the item's row; else null
  int8_t* quantized;    // [QuantizedBytes(columns of the widest matrix)], or null if all are floats

  // Bits an item: bit i % 64 of word i / 64.
  uint64_t* seen;  // [words] observed since the reset
  uint64_t* deny;  // [words] all zero between calls
  size_t words;

  // Scratch of a recommendation.
  uint64_t* keys;  // [key_capacity] candidates, see select.h
  size_t key_capacity;
  CascadeScratch cascade;
  uint32_t* seeds;  // [min(max_k, items)] items of the last recommendation
  uint32_t seed_count;
};

// Bytes of a session's block; 0 if max_k is 0 or the block would not fit this system's memory.
size_t SessionSize(const BoundModel& model, uint32_t max_k);

// Lays out a fresh session in `memory`, which has SessionSize() bytes and is 64-byte aligned.
SessionState* InitSession(const BoundModel& model, uint32_t max_k, void* memory);

// Back to an empty session.
void ResetSession(SessionState* session) STINT_NONBLOCKING;

}  // namespace stint

#endif  // STINT_RUNTIME_SESSION_H_
