// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Two model files -> a patch that makes the second of the first; the first and the patch -> the
// second, bit for bit. PATCH.md has the format.
#ifndef STINT_TOOLS_CONVERT_PATCH_H_
#define STINT_TOOLS_CONVERT_PATCH_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "trainer/model_bytes.h"

namespace stint {

// Items by what became of their rows (item_rows, item_biases, input_rows) from the old model to
// the new one; the same item is the same id.
struct PatchRows {
  uint64_t same = 0;  // bit for bit, wherever they stand now
  uint64_t changed = 0;
  uint64_t added = 0;
  uint64_t gone = 0;
};

// A model file in memory; the path is for messages.
struct ModelFile {
  const AlignedBytes& bytes;
  std::string path;
};

struct MadePatch {
  std::vector<uint8_t> bytes;
  PatchRows rows;
};
// Throws std::runtime_error "path: reason" if the runtime refuses one of the two.
MadePatch MakePatch(const ModelFile& old_model, const ModelFile& new_model);

// A patch that claims to make a larger file is refused before anything is allocated: zstd expands
// by 32,768 at most, a model's weights hardly.
inline constexpr uint64_t MostNewBytes(uint64_t old_size, uint64_t patch_size) {
  return (uint64_t{1} << 20) + 4 * old_size + 1024 * patch_size;
}

struct PatchedModel {
  AlignedBytes bytes;  // verified: checksum of the whole, and the runtime opens it
  PatchRows rows;
};
// Throws std::runtime_error "path: reason" if the patch is damaged or belongs to another model.
PatchedModel ApplyPatch(const ModelFile& old_model, std::span<const uint8_t> patch,
                        const std::string& patch_path);

}  // namespace stint

#endif  // STINT_TOOLS_CONVERT_PATCH_H_
