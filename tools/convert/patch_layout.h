// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// A model file -> its sections with the form of their rows; what maker and reader of patches
// share. The patch itself begins with a header and the same list of the new model.
#ifndef STINT_TOOLS_CONVERT_PATCH_LAYOUT_H_
#define STINT_TOOLS_CONVERT_PATCH_LAYOUT_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tools/convert/patch.h"
#include "tools/convert/patch_rows.h"
#include "tools/convert/patch_streams.h"

namespace stint {

// How a section stands in a patch; the numbers are in the file.
enum class SectionCoding : uint8_t {
  kBytes = 0,        // what differs from the old section of its name
  kRows = 1,         // flags, heads and bodies of rows
  kIdNumbers = 2,    // those of new items
  kNameOffsets = 3,  // lengths of the names of new items
  kNames = 4,        // names of new items
  kIdOrder = 5,      // nothing: it follows from the ids
};
inline constexpr uint8_t kSectionCodings = 6;

struct PatchSection {
  std::string name;
  uint64_t offset = 0;
  uint64_t size = 0;
  SectionCoding coding = SectionCoding::kBytes;
  RowShape shape;          // of kRows
  uint8_t item_parts = 0;  // rows an item has; 0: rows are not those of items
};

struct PatchLayout {
  uint64_t items = 0;
  std::vector<PatchSection> sections;  // in the order of the patch: what others need comes first

  const PatchSection* Find(std::string_view name) const;
};

// Throws std::runtime_error "path: reason" if the runtime refuses the file.
PatchLayout LayoutOf(const ModelFile& file);

// Ranges of a file outside of its sections, in order.
struct FileRange {
  uint64_t offset, size;
};
std::vector<FileRange> RestOf(const PatchLayout& layout, uint64_t file_size);
std::vector<uint8_t> GatherRest(const std::vector<FileRange>& rest, const uint8_t* file);

// ---- The header

inline constexpr char kPatchMagic[4] = {'S', 'T', 'N', 'P'};
inline constexpr uint32_t kPatchVersion = 1;
struct PatchHeader {
  char magic[4];
  uint32_t version;
  uint64_t patch_size;  // of all
  uint64_t old_size, old_xxh3;
  uint64_t new_size, new_xxh3;
};
static_assert(sizeof(PatchHeader) == 48);     // as it lies in the file
inline constexpr size_t kPatchSealBytes = 8;  // at the end: XXH3-64 of all before it

// The list of sections <-> bytes. Reading checks all that can be checked without the old model:
// places, overlaps, sizes by shapes. Throws std::runtime_error "reason".
std::vector<uint8_t> WriteLayout(const PatchLayout& layout);
PatchLayout ReadLayout(StreamReader* in, uint64_t file_size);

// The new file of `new_size` bytes; streams are those behind the header. Throws std::runtime_error
// "reason" where they are not what they have to be; the result is not compared with a checksum.
PatchedModel ReadPatch(const ModelFile& old_model, const PatchLayout& old_layout, uint64_t new_size,
                       const StreamCursor& streams);

// ---- What both sides compute

inline constexpr uint32_t kNoItem = UINT32_MAX;

// New index -> old index or kNoItem.
using ItemMap = std::vector<uint32_t>;

// The old row that row `row` of a section was, or kNoRow.
inline constexpr uint64_t kNoRow = UINT64_MAX;
uint64_t OldRow(const PatchSection& section, uint64_t row, const ItemMap& map, uint64_t old_rows);

// The old section that rows of `section` are compared with; nullptr: there is none of its form.
const PatchSection* Comparable(const PatchSection& section, const PatchLayout& old_layout);

// What the rows of cascades are guessed by, of a new model whose other sections are there.
CascadeSources SourcesOf(const PatchLayout& layout, const uint8_t* file);

// Indices by ids, which lie in `file`: id_numbers, or id_names and id_name_offsets.
void OrderByIds(const PatchLayout& layout, const uint8_t* file, uint32_t* order);

// A name of a model with names. Throws std::runtime_error where offsets lead out of the section.
std::string_view NameOf(const PatchLayout& layout, const uint8_t* file, uint64_t item);

}  // namespace stint

#endif  // STINT_TOOLS_CONVERT_PATCH_LAYOUT_H_
