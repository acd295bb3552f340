// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// A session of a model with a cascade -> the first stage of a recommendation alone: the bounds of
// all items (runtime/cascade.h).
#ifndef STINT_BENCH_BOUNDS_SCAN_H_
#define STINT_BENCH_BOUNDS_SCAN_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "stint/stint.h"

namespace stint::bench {

class BoundsScan {
 public:
  // The session outlives it.
  explicit BoundsScan(stint_session* session);
  ~BoundsScan();

  // For the hidden state as it is now: the threshold is the score of the last of the best k items,
  // which a recommendation reaches on the way.
  void Prepare(uint32_t k);

  // Scans; returns how many items' bounds reach the threshold.
  size_t Run();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace stint::bench

#endif  // STINT_BENCH_BOUNDS_SCAN_H_
