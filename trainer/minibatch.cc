// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Sessions -> session-parallel mini-batches: inputs, targets, and which hidden state
// each row goes on from (arXiv 1511.06939, section 3.1.1).
#include "trainer/minibatch.h"

#include <algorithm>

namespace stint {

MiniBatchIterator::MiniBatchIterator(const Sessions& sessions, size_t batch_size,
                                     size_t minimum_rows)
    : sessions_(sessions),
      batch_size_(std::min(std::max<size_t>(batch_size, 1), sessions.size())),
      minimum_rows_(std::max<size_t>(minimum_rows, 1)) {
  Restart();
}

void MiniBatchIterator::Restart() {
  slots_.assign(batch_size_, Slot{0, 0, -1});  // all finished, so that Refill() starts them
  next_session_ = 0;
  Refill();
}

// Gives every finished slot the next session; those left without one go, the others keep
// their order. A session of one event finishes at once, but its slot waits for its turn in
// the next pass: passes, not slots, are what the official implementations refill by.
void MiniBatchIterator::Refill() {
  for (bool again = true; again;) {
    again = false;
    size_t kept = 0;
    for (Slot slot : slots_) {
      if (slot.end - slot.position <= 1) {
        if (next_session_ == sessions_.order.size()) continue;
        const uint32_t session = sessions_.order[next_session_++];
        slot = {sessions_.offsets[session], sessions_.offsets[session + 1], -1};
        again = again || slot.end - slot.position <= 1;
      }
      slots_[kept++] = slot;
    }
    slots_.resize(kept);
  }
}

bool MiniBatchIterator::Next(MiniBatch* batch) {
  batch->inputs.clear();
  batch->targets.clear();
  batch->hidden_from.clear();
  if (slots_.size() < minimum_rows_) return false;
  for (size_t row = 0; row < slots_.size(); ++row) {
    Slot& slot = slots_[row];
    batch->inputs.push_back(sessions_.items[slot.position]);
    batch->targets.push_back(sessions_.items[slot.position + 1]);
    batch->hidden_from.push_back(slot.from);
    ++slot.position;
    slot.from = static_cast<int32_t>(row);
  }
  Refill();
  return true;
}

}  // namespace stint
