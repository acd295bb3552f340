// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// A model file and a patch -> the new model file. Any bytes may be given as the patch: what is
// allocated is bounded by the new model's size, and that by the sizes of the two files, before;
// nothing is taken that is not the model which the patch was made for, bit for bit.
#include <cstring>
#include <stdexcept>

#include "schema/checksum.h"
#include "schema/panel.h"
#include "stint/stint.hpp"
#include "tools/convert/patch.h"
#include "tools/convert/patch_layout.h"

namespace stint {
namespace {

[[noreturn]] void Fail(const std::string& reason) { throw std::runtime_error(reason); }

std::string Hex(uint64_t number) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (int shift = 60; shift >= 0; shift -= 4) text += kDigits[number >> shift & 15];
  return text;
}

std::string SizeAndSum(uint64_t size, uint64_t xxh3) {
  return std::to_string(size) + " bytes with XXH3-64 " + Hex(xxh3);
}

// Header and seal; the patch is whole then.
PatchHeader CheckPatch(std::span<const uint8_t> patch) {
  PatchHeader header;
  if (patch.size() < sizeof(header) + kPatchSealBytes ||
      std::memcmp(patch.data(), kPatchMagic, sizeof(kPatchMagic)) != 0) {
    Fail("no patch of a stint model");
  }
  std::memcpy(&header, patch.data(), sizeof(header));
  if (header.version > kPatchVersion || header.version == 0) {
    Fail("patch format version " + std::to_string(header.version) + ", this program knows " +
         std::to_string(kPatchVersion));
  }
  if (header.patch_size != patch.size()) {
    Fail("a patch of " + std::to_string(header.patch_size) + " bytes has " +
         std::to_string(patch.size()));
  }
  uint64_t seal;
  const size_t end = patch.size() - kPatchSealBytes;
  std::memcpy(&seal, patch.data() + end, sizeof(seal));
  if (const uint64_t sum = SectionChecksum(patch.data(), end); sum != seal) {
    Fail("damaged: XXH3-64 " + Hex(sum) + " instead of " + Hex(seal));
  }
  if (header.new_size == 0 || header.new_size > kMaxFileBytes) {
    Fail("a new model of " + std::to_string(header.new_size) + " bytes");
  }
  return header;
}

void CheckBase(const ModelFile& old_model, const PatchHeader& header,
               const std::string& patch_path) {
  const uint64_t size = old_model.bytes.size();
  const uint64_t xxh3 = SectionChecksum(old_model.bytes.data(), size);
  if (size == header.old_size && xxh3 == header.old_xxh3) return;
  if (size == header.new_size && xxh3 == header.new_xxh3) {
    Fail(old_model.path + ": is already the model that " + patch_path + " makes");
  }
  Fail(old_model.path + ": not the model that " + patch_path + " was made for: " +
       SizeAndSum(size, xxh3) + " instead of " + SizeAndSum(header.old_size, header.old_xxh3));
}

void CheckNewSize(const PatchHeader& header) {
  const uint64_t most = MostNewBytes(header.old_size, header.patch_size);
  if (header.new_size <= most) return;
  Fail("a new model of " + std::to_string(header.new_size) + " bytes, not up to " +
       std::to_string(most) + " as an old one of " + std::to_string(header.old_size) +
       " and a patch of " + std::to_string(header.patch_size) + " may make");
}

void CheckResult(const AlignedBytes& file, const PatchHeader& header) {
  if (const uint64_t sum = SectionChecksum(file.data(), file.size()); sum != header.new_xxh3) {
    Fail("makes a model with XXH3-64 " + Hex(sum) + " instead of " + Hex(header.new_xxh3));
  }
  Model model;
  stint_error error = {};
  if (Model::FromBuffer(file.data(), file.size(), &model, &error) != STINT_OK) {
    Fail(std::string("makes no model: ") + error.message);
  }
}

}  // namespace

PatchedModel ApplyPatch(const ModelFile& old_model, std::span<const uint8_t> patch,
                        const std::string& patch_path) {
  const auto of_patch = [&](const auto& body) {
    try {
      return body();
    } catch (const std::runtime_error& e) {
      throw std::runtime_error(patch_path + ": " + e.what());
    }
  };
  const PatchHeader header = of_patch([&] { return CheckPatch(patch); });
  CheckBase(old_model, header, patch_path);
  of_patch([&] { CheckNewSize(header); });
  const PatchLayout old_layout = LayoutOf(old_model);
  return of_patch([&] {
    const size_t end = patch.size() - kPatchSealBytes;
    StreamCursor streams(patch.subspan(sizeof(header), end - sizeof(header)));
    PatchedModel made = ReadPatch(old_model, old_layout, header.new_size, streams);
    CheckResult(made.bytes, header);
    return made;
  });
}

}  // namespace stint
