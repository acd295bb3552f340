// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

#include "tools/convert/patch_flags.h"

#include <algorithm>

namespace stint {
namespace {

// 2^(1/3) and 2^(2/3) as 12-bit fractions; they are part of what `stint delta` writes, a reader
// takes flags as they are.
constexpr uint32_t kFractionBits = 12;
constexpr uint64_t kThirds[] = {5161, 6502};
constexpr uint64_t kMaxClass = 250;

// Whether changes of this section are changes of an item's rows.
bool HasItemRows(const PatchSection& section) {
  return section.coding == SectionCoding::kRows &&
         (section.name == "item_rows" || section.name == "item_biases" ||
          section.name == "input_rows");
}

}  // namespace

uint8_t FlagOf(uint64_t sum, uint64_t numbers) {
  if (numbers == 0) return 1;
  const uint64_t all = numbers + sum;  // numbers * (1 + mean)
  uint64_t octave = 0;
  while (numbers << (octave + 1) <= all) ++octave;
  uint64_t size_class = 3 * octave;
  for (const uint64_t third : kThirds) {
    if ((numbers << octave) * third <= all << kFractionBits) ++size_class;
  }
  return static_cast<uint8_t>(1 + std::min(size_class, kMaxClass));
}

std::vector<uint32_t> RowsByFlag(const std::vector<uint8_t>& flags) {
  size_t begins[257] = {};
  for (const uint8_t flag : flags) ++begins[flag + 1];
  for (size_t flag = 0; flag < 256; ++flag) begins[flag + 1] += begins[flag];
  std::vector<uint32_t> rows(flags.size());
  for (size_t i = 0; i < flags.size(); ++i) rows[begins[flags[i]]++] = static_cast<uint32_t>(i);
  return rows;
}

void ItemChanges::Add(const PatchSection& section, const std::vector<uint8_t>& flags,
                      const PatchSection* old) {
  if (!HasItemRows(section) || section.item_parts == 0) return;
  const uint64_t old_rows = old ? old->shape.rows : 0;
  for (uint64_t i = 0; i < flags.size(); ++i) {
    const uint64_t item = i / section.item_parts;
    if (item >= changed_.size()) return;  // padding of tiles
    // A row may be as guessed because nothing is there to guess from: zero. That is no old row.
    if (flags[i] != 0 || OldRow(section, i, map_, old_rows) == kNoRow) changed_[item] = 1;
  }
}

void ItemChanges::AddLost(const PatchLayout& layout, const PatchLayout& old_layout) {
  for (const PatchSection& old : old_layout.sections) {
    if (!HasItemRows(old) || layout.Find(old.name)) continue;
    std::fill(changed_.begin(), changed_.end(), uint8_t{1});
  }
}

PatchRows ItemChanges::Count(uint64_t old_items) const {
  PatchRows rows;
  for (size_t i = 0; i < map_.size(); ++i) {
    ++(map_[i] == kNoItem ? rows.added : changed_[i] ? rows.changed : rows.same);
  }
  const uint64_t kept = rows.same + rows.changed;
  rows.gone = old_items > kept ? old_items - kept : 0;
  return rows;
}

}  // namespace stint
