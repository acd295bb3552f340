// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Items of a mini-batch -> the distinct ones, each with the places where it occurs: a table row is
// updated once, by the sum of their gradients.
#ifndef STINT_TRAINER_TOUCHED_ROWS_H_
#define STINT_TRAINER_TOUCHED_ROWS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace stint {

// Distinct items of a mini-batch and where each occurs.
class TouchedRows {
 public:
  explicit TouchedRows(size_t items) : slot_of_(items), stamp_of_(items) {}

  // Room for so many occurrences: no more of them, and Assign() does not allocate, as a task of a
  // Team must not.
  void Reserve(size_t n);

  // `occurrences`: item indices; keeps for each distinct one, in the order of first occurrence,
  // the positions at which it stands, in order.
  void Assign(const uint32_t* occurrences, size_t n);

  // For an item among the occurrences.
  bool OccursOnce(uint32_t item) const {
    const uint32_t slot = slot_of_[item];
    return starts_[slot + 1] - starts_[slot] == 1;
  }

  size_t size() const { return items_.size(); }
  // Occurrences of the item that has the most.
  size_t most() const { return most_; }
  uint32_t item(size_t slot) const { return items_[slot]; }
  const uint32_t* begin(size_t slot) const { return positions_.data() + starts_[slot]; }
  const uint32_t* end(size_t slot) const { return positions_.data() + starts_[slot + 1]; }

 private:
  std::vector<uint32_t> slot_of_;   // [items] valid where stamp_of_ is the current stamp
  std::vector<uint32_t> stamp_of_;  // [items]
  uint32_t stamp_ = 0;
  uint32_t most_ = 0;
  std::vector<uint32_t> items_;      // [distinct]
  std::vector<uint32_t> starts_;     // [distinct + 1] into positions_
  std::vector<uint32_t> positions_;  // [occurrences]
};

}  // namespace stint

#endif  // STINT_TRAINER_TOUCHED_ROWS_H_
