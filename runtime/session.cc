// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Model + a block of the caller's memory -> SessionState.
#include "runtime/session.h"

#include <cmath>
#include <cstring>
#include <new>

#include "runtime/select.h"
#include "runtime/vector.h"

namespace stint {
namespace {

// Floats past the gates that kernels read, and do not use, with the last unit's: a vector of 16.
constexpr uint64_t kVectorRoom = 16;

constexpr uint64_t RoundUp(uint64_t n, uint64_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

// Hands out 64-byte aligned arrays of a block, or only counts where there is no block.
class Arena {
 public:
  explicit Arena(void* memory) : memory_(static_cast<uint8_t*>(memory)) {}

  template <typename T>
  T* Take(uint64_t count) {
    T* const array = memory_ ? reinterpret_cast<T*>(memory_ + used_) : nullptr;
    used_ += RoundUp(count * sizeof(T), 64);
    return array;
  }
  uint64_t used() const { return used_; }

 private:
  uint8_t* memory_;
  uint64_t used_ = 0;
};

// The one description of the block: measures it, or fills in the pointers of `session`. Counts are
// bounded (units and columns <= 2^14, items and k < 2^32), so nothing wraps in 64 bits.
uint64_t LayOut(const BoundModel& model, uint32_t max_k, void* memory, SessionState* session) {
  Arena arena(memory);
  arena.Take<SessionState>(1);
  uint32_t units = 0;
  uint32_t cols = model.width;
  for (uint32_t l = 0; l < model.layers; ++l) {
    units = model.units[l] > units ? model.units[l] : units;
    session->hidden[l] = arena.Take<float>(model.units[l]);
  }
  cols = units > cols ? units : cols;
  const uint32_t inputs = model.layer[0].inputs;  // 0: nothing to gather
  cols = inputs > cols ? inputs : cols;
  const uint64_t gates = PanelTiles(3 * uint64_t{units}) * kTileRows + kVectorRoom;
  session->input_gates = arena.Take<float>(gates);
  session->hidden_gates = arena.Take<float>(gates);
  session->reset_hidden = arena.Take<float>(units);
  // An item's row as floats, where it is an input: not where int8 layers take its codes.
  const bool gathers_floats =
      model.embedding == EmbeddingKind::kShared && !(model.int8 && TakesIntegers(model.item_kind));
  session->row = gathers_floats ? arena.Take<float>(inputs) : nullptr;
  const bool quantizes = model.int8 || TakesIntegers(model.item_kind);
  session->quantized = quantizes ? arena.Take<int8_t>(QuantizedBytes(cols)) : nullptr;
  session->quantized_hidden = quantizes ? arena.Take<QuantizedHidden>(model.layers) : nullptr;
  for (uint32_t l = 0; quantizes && l < model.layers; ++l) {
    int8_t* const room = arena.Take<int8_t>(QuantizedBytes(model.units[l]));
    if (memory) session->quantized_hidden[l].room = room;
  }
  session->words = static_cast<size_t>(PanelTiles(model.items));
  session->seen = arena.Take<uint64_t>(session->words);
  session->deny = arena.Take<uint64_t>(session->words);
  const uint64_t keep = max_k < model.items ? max_k : model.items;
  session->key_capacity = static_cast<size_t>(KeyCapacity(keep));
  session->keys = arena.Take<uint64_t>(session->key_capacity);
  session->seeds = arena.Take<uint32_t>(keep);
  session->cascade = CascadeScratch();
  if (model.cascade.columns > 0) {
    CascadeScratch& room = session->cascade;
    room.quantized = arena.Take<int8_t>(QuantizedBytes(model.width));
    room.even = arena.Take<int32_t>(QuantizedBytes(model.width) / 8);
    room.odd = arena.Take<int32_t>(QuantizedBytes(model.width) / 8);
    room.x = arena.Take<float>(model.width);
    room.projected = arena.Take<float>(uint64_t{model.cascade.projection.tiles} * kTileRows);
    room.q = arena.Take<int8_t>(model.cascade.columns);
    room.waiting_room = static_cast<size_t>(2 * kCandidateRoom + model.items / 4);
    room.items = arena.Take<uint32_t>(room.waiting_room);
    room.bounds = arena.Take<float>(room.waiting_room);
    room.good = arena.Take<uint32_t>(kCandidateRoom);
    if (model.item_kind == ItemRowKind::kF32Rows) {
      room.finalist_room = static_cast<size_t>(4 * keep) + kMostCandidates;
      room.finalists = arena.Take<uint32_t>(room.finalist_room);
      room.finalist_bounds = arena.Take<float>(room.finalist_room);
    }
    room.scores = arena.Take<float>(kCandidateRoom);
  }
  return arena.used();
}

// The norm of the mean row, rounded up. Not read when a model opens: that reads no section of a
// trusted one.
double MeanNorm(const Cascade& cascade) {
  const Panels& projection = cascade.projection;
  const uint32_t row = cascade.columns;
  const float* const tile =
      reinterpret_cast<const float*>(projection.data + row / kTileRows * projection.tile_bytes);
  double norm = 0;
  for (size_t c = 0; c < projection.cols; ++c) {
    const double m = double{tile[(c + 1) * kTileRows + row % kTileRows]};
    norm += m * m;
  }
  return std::sqrt(norm) * (1.0 + 0x1p-20);
}

}  // namespace

size_t SessionSize(const BoundModel& model, uint32_t max_k) {
  SessionState measured;
  if (max_k == 0) return 0;
  const uint64_t size = LayOut(model, max_k, nullptr, &measured);
  return size > SIZE_MAX / 2 ? 0 : static_cast<size_t>(size);
}

SessionState* InitSession(const BoundModel& model, uint32_t max_k, void* memory) {
  SessionState* const session = new (memory) SessionState();
  LayOut(model, max_k, memory, session);
  session->model = &model;
  session->max_k = max_k;
  std::memset(session->deny, 0, session->words * sizeof(uint64_t));
  if (model.cascade.columns > 0) {
    const size_t bytes = static_cast<size_t>(QuantizedBytes(model.width));
    std::memset(session->cascade.quantized, 0, bytes);
    std::memset(session->cascade.even, 0, bytes / 2);
    std::memset(session->cascade.odd, 0, bytes / 2);
    session->cascade.mean_norm = MeanNorm(model.cascade);
  }
  ResetSession(session);
  return session;
}

void ResetSession(SessionState* session) {
  const BoundModel& model = *session->model;
  session->observed = 0;
  session->unknown = 0;
  session->seed_count = 0;
  for (uint32_t l = 0; l < model.layers; ++l) {
    std::memset(session->hidden[l], 0, RoundUp(model.units[l] * sizeof(float), 64));
    if (session->quantized_hidden) session->quantized_hidden[l].fresh = false;
  }
  std::memset(session->seen, 0, session->words * sizeof(uint64_t));
}

}  // namespace stint
