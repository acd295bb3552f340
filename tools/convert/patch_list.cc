// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The list of a model's sections <-> bytes of a patch.
#include <cstring>
#include <stdexcept>

#include "schema/panel.h"
#include "tools/convert/patch_layout.h"

namespace stint {
namespace {

constexpr size_t kMaxSections = 64;
constexpr size_t kMaxName = 64;

[[noreturn]] void Fail(const std::string& reason) { throw std::runtime_error(reason); }

template <class T>
void Put(T value, std::vector<uint8_t>* out) {
  const size_t at = out->size();
  out->resize(at + sizeof(value));
  std::memcpy(out->data() + at, &value, sizeof(value));
}

void CheckShape(const PatchSection& section, uint64_t items) {
  const std::string where = "section '" + section.name + "': ";
  const RowShape& shape = section.shape;
  switch (section.coding) {
    case SectionCoding::kBytes:
    case SectionCoding::kNames:
      return;
    case SectionCoding::kRows:
      if (shape.rows > kMaxFileBytes || shape.cols > kMaxRowCols || !shape.HasBytes() ||
          (shape.Tiled() && shape.rows % kTileRows != 0) || shape.Bytes() != section.size) {
        Fail(where + std::to_string(shape.rows) + " rows of " + std::to_string(shape.cols) +
             " do not make " + std::to_string(section.size) + " bytes");
      }
      return;
    case SectionCoding::kIdNumbers:
      if (section.size == 8 * items) return;
      break;
    case SectionCoding::kNameOffsets:
      if (section.size == 4 * (items + 1)) return;
      break;
    case SectionCoding::kIdOrder:
      if (section.size == 4 * items) return;
      break;
  }
  Fail(where + std::to_string(section.size) + " bytes for " + std::to_string(items) + " items");
}

// Rows of a cascade cost the item rows times their columns: once.
void CheckCascade(const PatchSection& section, const PatchLayout& before) {
  const RowForm form = section.shape.form;
  if (section.coding != SectionCoding::kRows ||
      (form != RowForm::kScanTiles && form != RowForm::kCandidateRows)) {
    return;
  }
  if (form == RowForm::kScanTiles && section.shape.cols > kMaxCascadeColumns) {
    Fail("section '" + section.name + "': " + std::to_string(section.shape.cols) + " columns");
  }
  for (const PatchSection& other : before.sections) {
    if (other.coding == SectionCoding::kRows && other.shape.form == form) {
      Fail("sections '" + other.name + "' and '" + section.name + "' of one cascade");
    }
  }
}

PatchSection ReadSection(StreamReader* in) {
  PatchSection section;
  const uint8_t coding = in->Byte();
  const uint8_t form = in->Byte();
  section.item_parts = in->Byte();
  if (coding >= kSectionCodings || form >= kRowForms || section.item_parts > 3) {
    Fail("a section of coding " + std::to_string(coding) + ", form " + std::to_string(form) + ", " +
         std::to_string(section.item_parts) + " rows an item");
  }
  section.coding = static_cast<SectionCoding>(coding);
  section.shape.form = static_cast<RowForm>(form);
  section.name.resize(in->Byte());
  if (section.name.size() > kMaxName) Fail("a section's name is too long");
  in->Read(section.name.data(), section.name.size());
  section.shape.cols = in->Number<uint32_t>();
  section.shape.rows = in->Number<uint64_t>();
  section.offset = in->Number<uint64_t>();
  section.size = in->Number<uint64_t>();
  return section;
}

}  // namespace

std::vector<uint8_t> WriteLayout(const PatchLayout& layout) {
  std::vector<uint8_t> out;
  Put(layout.items, &out);
  Put(static_cast<uint32_t>(layout.sections.size()), &out);
  for (const PatchSection& section : layout.sections) {
    Put(static_cast<uint8_t>(section.coding), &out);
    Put(static_cast<uint8_t>(section.shape.form), &out);
    Put(section.item_parts, &out);
    Put(static_cast<uint8_t>(section.name.size()), &out);
    out.insert(out.end(), section.name.begin(), section.name.end());
    Put(section.shape.cols, &out);
    Put(section.shape.rows, &out);
    Put(section.offset, &out);
    Put(section.size, &out);
  }
  return out;
}

PatchLayout ReadLayout(StreamReader* in, uint64_t file_size) {
  PatchLayout layout;
  layout.items = in->Number<uint64_t>();
  // An item has four bytes in id_order and in counts at least.
  if (layout.items > file_size / 8) {
    Fail(std::to_string(layout.items) + " items in a model of " + std::to_string(file_size) +
         " bytes");
  }
  const uint32_t count = in->Number<uint32_t>();
  if (count > kMaxSections) Fail(std::to_string(count) + " sections");
  for (uint32_t i = 0; i < count; ++i) {
    PatchSection section = ReadSection(in);
    if (layout.Find(section.name)) Fail("section '" + section.name + "' stands twice");
    CheckShape(section, layout.items);
    CheckCascade(section, layout);
    layout.sections.push_back(std::move(section));
  }
  in->Finish();
  return layout;
}

}  // namespace stint
