// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// How far rows are from their guesses -> their flags in a patch, the order in which they stand
// there, and what became of the items they belong to.
#ifndef STINT_TOOLS_CONVERT_PATCH_FLAGS_H_
#define STINT_TOOLS_CONVERT_PATCH_FLAGS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "tools/convert/patch.h"
#include "tools/convert/patch_layout.h"

namespace stint {

// Of a row that differs from its guess: 1 + the class of the mean of its `numbers` zigzag
// differences, whose sum is `sum` (< 2^49); numbers < 2^17. Classes are thirds of octaves of
// 1 + mean, by integers, so that patches do not depend on a library's logarithm.
uint8_t FlagOf(uint64_t sum, uint64_t numbers);

// Rows by flag, then by index: as they stand in the streams. Less than 2^32 of them.
std::vector<uint32_t> RowsByFlag(const std::vector<uint8_t>& flags);

// Differences of bodies stand as they are, in planes of bytes, or packed: two in a byte of a stream
// of their own, and where one is kEscape or more, what it is more in the planes. So stand rows of
// small differences, as zstd's entropy coder takes a bit a symbol at least.
inline constexpr uint8_t kLastPackedFlag = 7;
inline constexpr uint32_t kEscape = 15;
inline bool IsPacked(const RowShape& shape, size_t flag) {
  return shape.Bits() == 4 || flag <= kLastPackedFlag;
}
inline size_t BodyPlanes(const RowShape& shape) { return shape.Bits() / 8; }

// Items by what became of their rows. `map` outlives this.
class ItemChanges {
 public:
  explicit ItemChanges(const ItemMap& map) : map_(map), changed_(map.size()) {}

  // Rows of a section with their flags; old: what they were compared with, or nullptr.
  void Add(const PatchSection& section, const std::vector<uint8_t>& flags, const PatchSection* old);
  // Rows that the old model had and the new one has not.
  void AddLost(const PatchLayout& layout, const PatchLayout& old_layout);
  PatchRows Count(uint64_t old_items) const;

 private:
  const ItemMap& map_;
  std::vector<uint8_t> changed_;  // [items]
};

}  // namespace stint

#endif  // STINT_TOOLS_CONVERT_PATCH_FLAGS_H_
