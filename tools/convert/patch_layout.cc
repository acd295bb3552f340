// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

#include "tools/convert/patch_layout.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <stdexcept>

#include "schema/panel.h"
#include "stint/stint.hpp"

namespace stint {
namespace {

[[noreturn]] void Fail(const std::string& reason) { throw std::runtime_error(reason); }

RowForm PanelForm(std::string_view dtype) {
  if (dtype == "int8") return RowForm::kInt8Panels;
  if (dtype == "bf16") return RowForm::kBf16Panels;
  if (dtype == "int4") return RowForm::kInt4Panels;
  return RowForm::kF32Panels;
}

// Forms of the sections by name, from what the model says of itself.
class Shapes {
 public:
  explicit Shapes(const stint_model_info& info) {
    const uint32_t width = info.units[info.layers - 1];
    const RowForm panels = PanelForm(info.layer_dtype);
    uint32_t inputs = info.embedding_width;
    for (uint32_t l = 0; l < info.layers; ++l) {
      const std::string name = "layer" + std::to_string(l);
      Add(name + ".input_weights", panels, 3ull * info.units[l], inputs, 0);
      Add(name + ".hidden_weights", panels, 3ull * info.units[l], info.units[l], 0);
      inputs = info.units[l];
    }
    const std::string_view scoring = info.scoring;
    const RowForm item_form = scoring == "exact" ? RowForm::kF32Rows : PanelForm(info.dtype);
    Add("item_rows", item_form, info.items, width, 1);
    Add("item_biases", RowForm::kWords, info.items, 0, 1);
    const bool one_hot = std::string_view(info.embedding) == "none";
    const uint8_t parts = one_hot ? 3 : 1;
    Add("input_rows", panels == RowForm::kInt8Panels ? RowForm::kInt8Rows : RowForm::kF32Rows,
        uint64_t{info.items} * parts, one_hot ? info.units[0] : info.embedding_width, parts);
    Add("counts", RowForm::kWords, info.items, 0, 1);
    Add("cascade.projection", RowForm::kF32Panels, uint64_t{info.cascade_columns} + 1, width, 0);
    Add("cascade.codes", RowForm::kScanTiles, info.items, info.cascade_columns, 1);
    Add("cascade.rows", RowForm::kCandidateRows, info.items, width, 1);
  }

  void Describe(PatchSection* section) const {
    if (section->name == "id_numbers") section->coding = SectionCoding::kIdNumbers;
    if (section->name == "id_name_offsets") section->coding = SectionCoding::kNameOffsets;
    if (section->name == "id_names") section->coding = SectionCoding::kNames;
    if (section->name == "id_order") section->coding = SectionCoding::kIdOrder;
    const auto found = shapes_.find(section->name);
    if (found == shapes_.end() || !found->second.shape.HasBytes() ||
        found->second.shape.Bytes() != section->size) {
      return;
    }
    section->coding = SectionCoding::kRows;
    section->shape = found->second.shape;
    section->item_parts = found->second.item_parts;
  }

 private:
  struct Entry {
    RowShape shape;
    uint8_t item_parts;
  };
  void Add(const std::string& name, RowForm form, uint64_t rows, uint32_t cols, uint8_t parts) {
    RowShape shape = {form, rows, cols};
    if (shape.Tiled()) shape.rows = PanelTiles(rows) * kTileRows;
    shapes_[name] = {shape, parts};
  }

  std::map<std::string, Entry> shapes_;
};

// What others are guessed by comes first: ids, then item rows, a cascade last.
int OrderOf(const PatchSection& section) {
  switch (section.coding) {
    case SectionCoding::kIdNumbers:
    case SectionCoding::kNameOffsets:
      return 0;
    case SectionCoding::kNames:
      return 1;
    case SectionCoding::kIdOrder:
      return 2;
    default:
      break;
  }
  const bool guessed =
      section.shape.form == RowForm::kScanTiles || section.shape.form == RowForm::kCandidateRows;
  return guessed ? 4 : 3;
}

}  // namespace

const PatchSection* PatchLayout::Find(std::string_view name) const {
  for (const PatchSection& section : sections) {
    if (section.name == name) return &section;
  }
  return nullptr;
}

PatchLayout LayoutOf(const ModelFile& file) {
  Model model;
  stint_error error = {};
  if (Model::FromBuffer(file.bytes.data(), file.bytes.size(), &model, &error) != STINT_OK) {
    Fail(file.path + ": " + error.message);
  }
  stint_model_info info = {};
  if (stint_model_describe(model.get(), &info) != STINT_OK) Fail(file.path + ": no description");
  const Shapes shapes(info);
  PatchLayout layout;
  layout.items = info.items;
  stint_section_info section = {};
  for (uint32_t i = 0; stint_model_section(model.get(), i, &section) == STINT_OK; ++i) {
    PatchSection& out = layout.sections.emplace_back();
    out.name = section.name;
    out.offset = section.offset;
    out.size = section.size;
    shapes.Describe(&out);
  }
  std::stable_sort(
      layout.sections.begin(), layout.sections.end(),
      [](const PatchSection& a, const PatchSection& b) { return OrderOf(a) < OrderOf(b); });
  return layout;
}

std::vector<FileRange> RestOf(const PatchLayout& layout, uint64_t file_size) {
  std::vector<FileRange> taken;
  for (const PatchSection& section : layout.sections) {
    if (section.offset > file_size || section.size > file_size - section.offset) {
      Fail("section '" + section.name + "' ends outside of the file");
    }
    taken.push_back({section.offset, section.size});
  }
  std::sort(taken.begin(), taken.end(), [](const FileRange& a, const FileRange& b) {
    return a.offset != b.offset ? a.offset < b.offset : a.size < b.size;
  });
  std::vector<FileRange> rest;
  uint64_t at = 0;
  for (const FileRange& range : taken) {
    if (range.offset < at) Fail("sections overlap at byte " + std::to_string(range.offset));
    if (range.offset > at) rest.push_back({at, range.offset - at});
    at = range.offset + range.size;
  }
  if (at < file_size) rest.push_back({at, file_size - at});
  return rest;
}

std::vector<uint8_t> GatherRest(const std::vector<FileRange>& rest, const uint8_t* file) {
  std::vector<uint8_t> bytes;
  for (const FileRange& range : rest) {
    bytes.insert(bytes.end(), file + range.offset, file + range.offset + range.size);
  }
  return bytes;
}

uint64_t OldRow(const PatchSection& section, uint64_t row, const ItemMap& map, uint64_t old_rows) {
  uint64_t old = row;
  if (const uint64_t parts = section.item_parts; parts > 0) {
    const uint64_t item = row / parts;
    if (item >= map.size() || map[item] == kNoItem) return kNoRow;
    old = map[item] * parts + row % parts;
  }
  return old < old_rows ? old : kNoRow;
}

const PatchSection* Comparable(const PatchSection& section, const PatchLayout& old_layout) {
  const PatchSection* const old = old_layout.Find(section.name);
  const bool same_form =
      old && old->coding == SectionCoding::kRows && old->shape.form == section.shape.form &&
      old->shape.cols == section.shape.cols && old->item_parts == section.item_parts;
  return same_form ? old : nullptr;
}

CascadeSources SourcesOf(const PatchLayout& layout, const uint8_t* file) {
  CascadeSources sources;
  sources.item_count = layout.items;
  const auto rows = [&](const char* name) {
    const PatchSection* const section = layout.Find(name);
    return section && section->coding == SectionCoding::kRows ? section : nullptr;
  };
  if (const PatchSection* const items = rows("item_rows")) {
    sources.items = items->shape;
    sources.item_rows = file + items->offset;
  }
  const PatchSection* const biases = rows("item_biases");
  if (biases && biases->shape.form == RowForm::kWords && biases->shape.rows == layout.items) {
    sources.item_biases = file + biases->offset;
  }
  if (const PatchSection* const projection = rows("cascade.projection")) {
    sources.projection = projection->shape;
    sources.projection_rows = file + projection->offset;
  }
  return sources;
}

std::string_view NameOf(const PatchLayout& layout, const uint8_t* file, uint64_t item) {
  const PatchSection* const offsets = layout.Find("id_name_offsets");
  const PatchSection* const names = layout.Find("id_names");
  if (!offsets || !names || offsets->size < 4 * (item + 2)) Fail("a name without its section");
  uint32_t ends[2];
  std::memcpy(ends, file + offsets->offset + 4 * item, sizeof(ends));
  if (ends[0] > ends[1] || ends[1] > names->size) {
    Fail("name " + std::to_string(item) + " ends at " + std::to_string(ends[1]));
  }
  return {reinterpret_cast<const char*>(file + names->offset + ends[0]), ends[1] - ends[0]};
}

void OrderByIds(const PatchLayout& layout, const uint8_t* file, uint32_t* order) {
  std::iota(order, order + layout.items, 0u);
  if (const PatchSection* const numbers = layout.Find("id_numbers")) {
    if (numbers->size != 8 * layout.items) Fail("ids of another number than items");
    const auto id = [&](uint32_t item) {
      int64_t value;
      std::memcpy(&value, file + numbers->offset + 8 * uint64_t{item}, sizeof(value));
      return value;
    };
    std::sort(order, order + layout.items, [&](uint32_t a, uint32_t b) { return id(a) < id(b); });
    return;
  }
  for (uint64_t i = 0; i < layout.items; ++i) NameOf(layout, file, i);  // throws where it must
  if (layout.items == 0) return;
  // Looked up once, not for each of the comparisons.
  const uint8_t* const ends = file + layout.Find("id_name_offsets")->offset;
  const auto* const names = reinterpret_cast<const char*>(file + layout.Find("id_names")->offset);
  const auto name = [&](uint32_t item) {
    uint32_t range[2];
    std::memcpy(range, ends + 4 * uint64_t{item}, sizeof(range));
    return std::string_view(names + range[0], range[1] - range[0]);
  };
  std::sort(order, order + layout.items, [&](uint32_t a, uint32_t b) { return name(a) < name(b); });
}

}  // namespace stint
