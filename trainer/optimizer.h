// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Gradients -> updated parameters: Adagrad with classical momentum (Duchi et al., JMLR 2011;
// ALGORITHM section 9), dense or on the touched rows of a table alone.
//
//   accumulator += g^2;  velocity = momentum velocity - rate g / sqrt(accumulator + epsilon);
//   parameter += velocity
//
// A table row that occurs several times in a mini-batch is updated once, with the sum of its
// gradients; rows that do not occur are left alone, their velocity too.
#ifndef STINT_TRAINER_OPTIMIZER_H_
#define STINT_TRAINER_OPTIMIZER_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "trainer/options.h"

namespace stint {

struct AdagradConfig {
  float learning_rate = 0.05f;
  float momentum = 0.0f;
  float epsilon = 1e-6f;

  static AdagradConfig Of(const Options& options);
};

// Where parameters and their optimizer slots live.
struct AdagradSlots {
  float* parameter = nullptr;
  float* accumulator = nullptr;
  float* velocity = nullptr;  // read and written only if momentum > 0
};

// Updates a row of n elements by the sum of `occurrences` gradients, added in order from the
// first on. Slots and gradients are 64-byte aligned and padded to a multiple of kRowAlignment;
// the slots' padding stays zero.
void AdagradUpdateRow(const AdagradConfig& config, const AdagradSlots& slots,
                      const float* const* gradients, size_t occurrences, size_t n);

// Updates one element (a bias).
void AdagradUpdateOne(const AdagradConfig& config, const AdagradSlots& slots, float gradient);

// Distinct items of a mini-batch and where each occurs.
class TouchedRows {
 public:
  explicit TouchedRows(size_t items) : slot_of_(items), stamp_of_(items) {}

  // `occurrences`: item indices; keeps for each distinct one, in the order of first occurrence,
  // the positions at which it stands, in order.
  void Assign(const uint32_t* occurrences, size_t n);

  // For an item among the occurrences.
  bool OccursOnce(uint32_t item) const {
    const uint32_t slot = slot_of_[item];
    return starts_[slot + 1] - starts_[slot] == 1;
  }

  size_t size() const { return items_.size(); }
  uint32_t item(size_t slot) const { return items_[slot]; }
  const uint32_t* begin(size_t slot) const { return positions_.data() + starts_[slot]; }
  const uint32_t* end(size_t slot) const { return positions_.data() + starts_[slot + 1]; }

 private:
  std::vector<uint32_t> slot_of_;   // [items] valid where stamp_of_ is the current stamp
  std::vector<uint32_t> stamp_of_;  // [items]
  uint32_t stamp_ = 0;
  std::vector<uint32_t> items_;      // [distinct]
  std::vector<uint32_t> starts_;     // [distinct + 1] into positions_
  std::vector<uint32_t> positions_;  // [occurrences]
};

}  // namespace stint

#endif  // STINT_TRAINER_OPTIMIZER_H_
