// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Sessions -> session-parallel mini-batches: inputs, targets, and which hidden state
// each row goes on from (arXiv 1511.06939, section 3.1.1).
#ifndef STINT_TRAINER_MINIBATCH_H_
#define STINT_TRAINER_MINIBATCH_H_

#include <cstddef>
#include <cstdint>
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

// One epoch of mini-batches. Slots are refilled in slot order from `sessions.order`;
// sessions of one event emit nothing. The batch size is clamped to the number of sessions.
class MiniBatchIterator {
 public:
  // `minimum_rows`: stop when fewer rows are left (2 where the loss has no negatives
  // but the other targets, else 1). `sessions` is borrowed.
  MiniBatchIterator(const Sessions& sessions, size_t batch_size, size_t minimum_rows);

  // The next mini-batch; false at the end of the epoch.
  bool Next(MiniBatch* batch);
  // Back to the start of an epoch.
  void Restart();

 private:
  struct Slot {
    uint64_t position;  // event that is the next input
    uint64_t end;       // one past the session's last event
    int32_t from;       // row of the previous mini-batch, -1 for a new session
  };
  void Refill();

  const Sessions& sessions_;
  size_t batch_size_;
  size_t minimum_rows_;
  size_t next_session_ = 0;  // into sessions_.order
  std::vector<Slot> slots_;
};

}  // namespace stint

#endif  // STINT_TRAINER_MINIBATCH_H_
