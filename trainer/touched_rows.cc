// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

#include "trainer/touched_rows.h"

#include <algorithm>

namespace stint {

void TouchedRows::Reserve(size_t n) {
  items_.reserve(n);
  starts_.reserve(n + 1);
  positions_.reserve(n);
}

void TouchedRows::Assign(const uint32_t* occurrences, size_t n) {
  if (++stamp_ == 0) {  // wrapped: forget all old stamps
    std::fill(stamp_of_.begin(), stamp_of_.end(), 0);
    stamp_ = 1;
  }
  items_.clear();
  starts_.assign(1, 0);
  for (size_t i = 0; i < n; ++i) {
    const uint32_t item = occurrences[i];
    if (stamp_of_[item] != stamp_) {
      stamp_of_[item] = stamp_;
      slot_of_[item] = static_cast<uint32_t>(items_.size());
      items_.push_back(item);
      starts_.push_back(0);
    }
    ++starts_[slot_of_[item] + 1];  // a count, for the moment
  }
  most_ = 0;
  for (size_t s = 0; s < items_.size(); ++s) {
    most_ = std::max(most_, starts_[s + 1]);
    starts_[s + 1] += starts_[s];
  }
  positions_.resize(n);
  for (size_t i = 0; i < n; ++i) positions_[starts_[slot_of_[occurrences[i]]]++] = i;
  // Every start has moved on to its row's end, the next row's start: move back.
  for (size_t s = items_.size(); s > 0; --s) starts_[s] = starts_[s - 1];
  starts_[0] = 0;
}

}  // namespace stint
