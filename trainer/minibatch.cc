// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Sessions -> session-parallel mini-batches: inputs, targets, and which hidden state
// each row goes on from (arXiv 1511.06939, section 3.1.1).
#include "trainer/minibatch.h"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace stint {

MiniBatchIterator::MiniBatchIterator(const Sessions& sessions, size_t batch_size,
                                     size_t minimum_rows)
    : sessions_(sessions),
      batch_size_(std::min(std::max<size_t>(batch_size, 1), sessions.size())),
      minimum_rows_(std::max<size_t>(minimum_rows, 1)) {
  Restart(sessions.order);
}

void MiniBatchIterator::Restart() {
  next_session_ = 0;
  slots_.assign(batch_size_, Slot{});
  Fill(true);
}

void MiniBatchIterator::Restart(std::span<const uint32_t> order) {
  if (order.size() != sessions_.size()) {
    throw std::invalid_argument("an order of " + std::to_string(order.size()) + " for " +
                                std::to_string(sessions_.size()) + " sessions");
  }
  order_ = order;
  Restart();
}

// Gives every finished slot the next session (at the start, every slot); those left without one
// go, the others keep their order. A session of one event finishes at once, but its slot waits for
// its turn in the next pass: passes, not slots, are what the official implementations refill by.
void MiniBatchIterator::Fill(bool start) {
  for (bool again = true; again; start = false) {
    again = false;
    size_t kept = 0;
    for (Slot slot : slots_) {
      if (start || Left(slot) <= 1) {
        if (next_session_ == order_.size()) continue;
        slot = {order_[next_session_++], 0, -1};
        again = again || Left(slot) <= 1;
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
    const uint32_t* input = sessions_[slot.session].data() + slot.event;
    batch->inputs.push_back(input[0]);
    batch->targets.push_back(input[1]);
    batch->hidden_from.push_back(slot.from);
    ++slot.event;
    slot.from = static_cast<int32_t>(row);
  }
  Fill(false);
  return true;
}

void MiniBatchIterator::Load(const State& state) {
  const auto fail = [](const std::string& what, uint64_t value, uint64_t limit) {
    throw std::runtime_error("position in the epoch: " + what + " " + std::to_string(value) +
                             ", must be below " + std::to_string(limit));
  };
  if (state.next_session > order_.size()) {
    fail("next session", state.next_session, order_.size() + 1);
  }
  if (state.slots.size() > std::min<uint64_t>(batch_size_, state.next_session)) {
    fail("rows", state.slots.size(), std::min<uint64_t>(batch_size_, state.next_session) + 1);
  }
  std::vector<uint32_t> seen;  // [rows]
  for (const Slot& slot : state.slots) {
    if (slot.session >= sessions_.size()) fail("session", slot.session, sessions_.size());
    const size_t events = sessions_[slot.session].size();
    if (events < 2 || slot.event > events - 2) {
      fail("event of session " + std::to_string(slot.session), slot.event,
           events < 2 ? 0 : events - 1);
    }
    const bool is_new = slot.from < 0;
    if (slot.from < -1 || is_new != (slot.event == 0) ||
        (!is_new && static_cast<size_t>(slot.from) >= batch_size_)) {
      throw std::runtime_error("position in the epoch: event " + std::to_string(slot.event) +
                               " of session " + std::to_string(slot.session) +
                               " goes on from row " + std::to_string(slot.from));
    }
    seen.push_back(slot.session);
  }
  std::sort(seen.begin(), seen.end());
  const auto twice = std::adjacent_find(seen.begin(), seen.end());
  if (twice != seen.end()) {
    throw std::runtime_error("position in the epoch: session " + std::to_string(*twice) +
                             " is in two rows");
  }
  next_session_ = static_cast<size_t>(state.next_session);
  slots_ = state.slots;
}

}  // namespace stint
