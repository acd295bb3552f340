// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// External ids as text -> dense numbers 0, 1, 2, ... in the order of first appearance.
#ifndef STINT_TRAINER_ID_INDEX_H_
#define STINT_TRAINER_ID_INDEX_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "trainer/events.h"

namespace stint {

inline constexpr uint32_t kNoIndex = UINT32_MAX;

// A 64-bit integer in its one canonical form ("0", "7", "-3", not "007", "+7", "-0").
bool ParseCanonicalInt64(std::string_view text, int64_t* value);

// A hash table over `Ids` (open addressing, linear probing, at most half full). It keeps
// integers as long as all ids are integers and turns into names at the first other id:
// the text of an integer is its canonical form, so nothing is lost by that.
class IdIndex {
 public:
  IdIndex() : slots_(16, kNoIndex) {}
  // Of ids that are all distinct.
  explicit IdIndex(Ids ids);

  // The number of `text`, a new one if it has none. At most 2^32 - 2 ids.
  uint32_t Insert(std::string_view text);
  // The number of `text`, of an integer, or kNoIndex.
  uint32_t Find(std::string_view text) const;
  uint32_t Find(int64_t number) const;

  const Ids& ids() const { return ids_; }
  Ids Release() { return std::move(ids_); }

 private:
  size_t SlotOf(int64_t number) const;
  size_t SlotOf(std::string_view name) const;
  uint32_t Append(size_t slot);  // the id that was pushed last goes to `slot`
  void Rebuild(size_t slots);
  void TurnIntoNames();

  Ids ids_;
  std::vector<uint32_t> slots_;  // [power of two] dense number or kNoIndex
};

}  // namespace stint

#endif  // STINT_TRAINER_ID_INDEX_H_
