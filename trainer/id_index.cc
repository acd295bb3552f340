// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// External ids as text -> dense numbers 0, 1, 2, ... in the order of first appearance.
#include "trainer/id_index.h"

#include <functional>
#include <stdexcept>
#include <string>
#include <utility>

#include "trainer/random.h"

namespace stint {

std::string Ids::ToString(size_t index) const {
  return are_names ? names[index] : std::to_string(numbers[index]);
}

bool ParseCanonicalInt64(std::string_view text, int64_t* value) {
  const bool negative = !text.empty() && text[0] == '-';
  const std::string_view digits = text.substr(negative ? 1 : 0);
  if (digits.empty() || digits.size() > 19) return false;
  if (digits[0] == '0' && (negative || digits.size() > 1)) return false;
  uint64_t magnitude = 0;  // 19 digits fit
  for (const char c : digits) {
    if (c < '0' || c > '9') return false;
    magnitude = magnitude * 10 + static_cast<uint64_t>(c - '0');
  }
  constexpr uint64_t kLimit = uint64_t{1} << 63;
  if (magnitude > kLimit || (!negative && magnitude == kLimit)) return false;
  *value = static_cast<int64_t>(negative ? 0 - magnitude : magnitude);
  return true;
}

IdIndex::IdIndex(Ids ids) : ids_(std::move(ids)) {
  size_t slots = 16;
  while (slots < 2 * ids_.size() + 2) slots *= 2;
  Rebuild(slots);
}

uint32_t IdIndex::Insert(std::string_view text) {
  int64_t number = 0;
  if (!ids_.are_names) {
    if (ParseCanonicalInt64(text, &number)) {
      const size_t slot = SlotOf(number);
      if (slots_[slot] != kNoIndex) return slots_[slot];
      ids_.numbers.push_back(number);
      return Append(slot);
    }
    TurnIntoNames();
  }
  const size_t slot = SlotOf(text);
  if (slots_[slot] != kNoIndex) return slots_[slot];
  ids_.names.emplace_back(text);
  return Append(slot);
}

uint32_t IdIndex::Find(std::string_view text) const {
  if (ids_.are_names) return slots_[SlotOf(text)];
  int64_t number = 0;
  return ParseCanonicalInt64(text, &number) ? slots_[SlotOf(number)] : kNoIndex;
}

uint32_t IdIndex::Find(int64_t number) const {
  return ids_.are_names ? Find(std::to_string(number)) : slots_[SlotOf(number)];
}

// The slot that has the id, or the free one where it belongs.
size_t IdIndex::SlotOf(int64_t number) const {
  const size_t mask = slots_.size() - 1;
  size_t slot = MixBits(static_cast<uint64_t>(number) + 1) & mask;
  while (slots_[slot] != kNoIndex && ids_.numbers[slots_[slot]] != number) slot = (slot + 1) & mask;
  return slot;
}

size_t IdIndex::SlotOf(std::string_view name) const {
  const size_t mask = slots_.size() - 1;
  size_t slot = std::hash<std::string_view>()(name) & mask;
  while (slots_[slot] != kNoIndex && ids_.names[slots_[slot]] != name) slot = (slot + 1) & mask;
  return slot;
}

uint32_t IdIndex::Append(size_t slot) {
  const size_t index = ids_.size() - 1;
  if (index >= kNoIndex) throw std::runtime_error("more than 4294967294 different ids");
  slots_[slot] = static_cast<uint32_t>(index);
  if (2 * ids_.size() > slots_.size()) Rebuild(2 * slots_.size());
  return static_cast<uint32_t>(index);
}

void IdIndex::Rebuild(size_t slots) {
  slots_ = {};  // before the new ones come: both at once would be the peak of reading
  slots_.assign(slots, kNoIndex);
  for (size_t i = 0; i < ids_.size(); ++i) {
    const size_t slot = ids_.are_names ? SlotOf(ids_.names[i]) : SlotOf(ids_.numbers[i]);
    slots_[slot] = static_cast<uint32_t>(i);
  }
}

void IdIndex::TurnIntoNames() {
  ids_.names.reserve(ids_.numbers.size() + 1);
  for (const int64_t number : ids_.numbers) ids_.names.push_back(std::to_string(number));
  ids_.numbers = {};
  ids_.are_names = true;
  Rebuild(slots_.size());
}

}  // namespace stint
