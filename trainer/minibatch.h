// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Sessions -> session-parallel mini-batches: inputs, targets, and which hidden state
// each row goes on from (arXiv 1511.06939, section 3.1.1).
#ifndef STINT_TRAINER_MINIBATCH_H_
#define STINT_TRAINER_MINIBATCH_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "trainer/sessions.h"

namespace stint {

struct MiniBatch {
  std::vector<uint32_t> inputs;      // [rows] item indices
  std::vector<uint32_t> targets;     // [rows] the next item of the same session
  std::vector<int32_t> hidden_from;  // [rows] row of the previous mini-batch whose hidden
                                     // state this row continues; -1: zero state

  size_t rows() const { return inputs.size(); }
};

// One epoch of mini-batches. Slots are refilled in slot order from an order of the sessions;
// sessions of one event emit nothing. The batch size is clamped to the number of sessions.
class MiniBatchIterator {
 public:
  // Where an epoch stands between two mini-batches. With the order of the epoch, everything that
  // the mini-batches to come depend on.
  struct Slot {
    uint32_t session;
    uint32_t event;  // of the session: the next input
    int32_t from;    // row of the previous mini-batch, -1 for a new session
    friend bool operator==(const Slot&, const Slot&) = default;
  };
  struct State {
    uint64_t next_session = 0;  // into the order: the first session that has no slot yet
    std::vector<Slot> slots;    // [rows of the next mini-batch]
    friend bool operator==(const State&, const State&) = default;
  };

  // `minimum_rows`: stop when fewer rows are left (2 where the loss has no negatives
  // but the other targets, else 1). `sessions` is borrowed; at most 2^32 - 1 events a session.
  // The first epoch goes by `sessions.order`.
  MiniBatchIterator(const Sessions& sessions, size_t batch_size, size_t minimum_rows);

  // The next mini-batch; false at the end of the epoch.
  bool Next(MiniBatch* batch);
  // Back to the start of an epoch, in the order as before or in a new one: [sessions] all of
  // them, borrowed (see EpochOrder()).
  void Restart();
  void Restart(std::span<const uint32_t> order);

  // Load() goes on where Save() was called; Restart() with the order of that epoch comes before
  // it. Throws std::runtime_error on a state that cannot be one of these sessions and this batch
  // size.
  State Save() const { return {next_session_, slots_}; }
  void Load(const State& state);

 private:
  // Events of the session that are left: 1 or fewer make no pair.
  size_t Left(const Slot& slot) const { return sessions_[slot.session].size() - slot.event; }
  void Fill(bool start);

  const Sessions& sessions_;
  size_t batch_size_;
  size_t minimum_rows_;
  std::span<const uint32_t> order_;  // [sessions]
  size_t next_session_ = 0;          // into order_
  std::vector<Slot> slots_;
};

}  // namespace stint

#endif  // STINT_TRAINER_MINIBATCH_H_
