// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Two model files -> the patch between them.
#include <cstring>
#include <stdexcept>

#include "schema/checksum.h"
#include "schema/panel.h"
#include "stint/stint.hpp"
#include "tools/convert/patch.h"
#include "tools/convert/patch_flags.h"
#include "tools/convert/patch_layout.h"

namespace stint {
namespace {

uint32_t Mask(uint32_t bits) { return bits == 32 ? UINT32_MAX : (1u << bits) - 1; }

// Differences to and fro as small numbers.
uint32_t ZigZag(uint32_t difference, uint32_t bits) {
  const uint32_t sign = difference >> (bits - 1) & 1;
  return (difference << 1 ^ (0u - sign)) & Mask(bits);
}

int64_t ReadId(const uint8_t* ids, uint64_t item) {
  int64_t id;
  std::memcpy(&id, ids + 8 * item, sizeof(id));
  return id;
}

class PatchMaker {
 public:
  PatchMaker(const ModelFile& old_model, const ModelFile& new_model)
      : old_(old_model.bytes.data()),
        new_(new_model.bytes.data()),
        old_size_(old_model.bytes.size()),
        new_size_(new_model.bytes.size()),
        old_layout_(LayoutOf(old_model)),
        layout_(LayoutOf(new_model)) {}

  MadePatch Make() {
    MapItems();
    // What does not follow from ids as it should is stored.
    for (PatchSection& section : layout_.sections) {
      if (section.coding != SectionCoding::kIdOrder) continue;
      std::vector<uint32_t> order(layout_.items);
      OrderByIds(layout_, new_, order.data());
      if (std::memcmp(order.data(), new_ + section.offset, section.size) != 0) {
        section.coding = SectionCoding::kBytes;
      }
    }
    PutHeader();
    AppendStream(WriteLayout(layout_), &patch_);
    AppendStream(GatherRest(RestOf(layout_, new_size_), new_),
                 GatherRest(RestOf(old_layout_, old_size_), old_), &patch_);
    PutMap();
    ItemChanges changes(map_);
    for (const PatchSection& section : layout_.sections) PutSection(section, &changes);
    changes.AddLost(layout_, old_layout_);
    Seal();
    return {std::move(patch_), changes.Count(old_layout_.items)};
  }

 private:
  void MapItems() {
    map_.assign(layout_.items, kNoItem);
    const bool names = layout_.Find("id_names") != nullptr;
    if (names != (old_layout_.Find("id_names") != nullptr)) return;
    Model old;  // opened once already
    if (Model::FromBuffer(old_, old_size_, &old, nullptr) != STINT_OK) return;
    for (uint32_t i = 0; i < layout_.items; ++i) {
      uint32_t item = 0;
      stint_status status;
      if (names) {
        const std::string_view name = NameOf(layout_, new_, i);
        status = stint_item_from_name(old.get(), name.data(), name.size(), &item);
      } else {
        status = stint_item_from_id(old.get(), ReadId(At(layout_, new_, "id_numbers"), i), &item);
      }
      if (status == STINT_OK) map_[i] = item;
    }
  }

  static const uint8_t* At(const PatchLayout& layout, const uint8_t* file, const char* name) {
    return file + layout.Find(name)->offset;
  }

  void PutHeader() {
    PatchHeader header = {};
    std::memcpy(header.magic, kPatchMagic, sizeof(header.magic));
    header.version = kPatchVersion;
    header.old_size = old_size_;
    header.old_xxh3 = SectionChecksum(old_, old_size_);
    header.new_size = new_size_;
    header.new_xxh3 = SectionChecksum(new_, new_size_);
    patch_.resize(sizeof(header));
    std::memcpy(patch_.data(), &header, sizeof(header));
  }

  void Seal() {
    const uint64_t size = patch_.size() + kPatchSealBytes;
    std::memcpy(patch_.data() + offsetof(PatchHeader, patch_size), &size, sizeof(size));
    const uint64_t seal = SectionChecksum(patch_.data(), patch_.size());
    patch_.resize(size);
    std::memcpy(patch_.data() + size - sizeof(seal), &seal, sizeof(seal));
  }

  // Of each item the distance from the place behind its predecessor's, in planes of bytes.
  void PutMap() {
    std::vector<uint8_t> bytes(4 * layout_.items);
    uint32_t expected = 0;
    for (uint64_t i = 0; i < layout_.items; ++i) {
      uint32_t value = 0;
      if (map_[i] != kNoItem) {
        value = ZigZag(map_[i] - expected, 32) + 1;  // indices are below 2^31
        expected = map_[i] + 1;
      }
      for (size_t p = 0; p < 4; ++p) {
        bytes[p * layout_.items + i] = static_cast<uint8_t>(value >> 8 * p);
      }
    }
    AppendStream(bytes, &patch_);
  }

  void PutSection(const PatchSection& section, ItemChanges* changes) {
    const uint8_t* const bytes = new_ + section.offset;
    switch (section.coding) {
      case SectionCoding::kBytes: {
        const PatchSection* const old = old_layout_.Find(section.name);
        AppendStream({bytes, section.size},
                     old ? std::span(old_ + old->offset, old->size) : std::span<const uint8_t>(),
                     &patch_);
        return;
      }
      case SectionCoding::kRows:
        PutRows(section, changes);
        return;
      case SectionCoding::kIdNumbers:
        PutIds(bytes);
        return;
      case SectionCoding::kNameOffsets:
      case SectionCoding::kNames:
        PutNames(section);
        return;
      case SectionCoding::kIdOrder:
        return;
    }
  }

  void PutIds(const uint8_t* ids) {
    std::vector<uint8_t> bytes;
    uint64_t last = 0;
    for (uint64_t i = 0; i < layout_.items; ++i) {
      if (map_[i] != kNoItem) continue;
      const uint64_t id = static_cast<uint64_t>(ReadId(ids, i));
      const uint64_t step = id - last;
      last = id;
      for (int shift = 0; shift < 64; shift += 8) {
        bytes.push_back(static_cast<uint8_t>(step >> shift));
      }
    }
    AppendStream(bytes, &patch_);
  }

  void PutNames(const PatchSection& section) {
    std::vector<uint8_t> bytes;
    for (uint64_t i = 0; i < layout_.items; ++i) {
      if (map_[i] != kNoItem) continue;
      const std::string_view name = NameOf(layout_, new_, i);
      if (section.coding == SectionCoding::kNames) {
        bytes.insert(bytes.end(), name.begin(), name.end());
        continue;
      }
      for (int shift = 0; shift < 32; shift += 8) {
        bytes.push_back(static_cast<uint8_t>(name.size() >> shift));
      }
    }
    AppendStream(bytes, &patch_);
  }

  // Differences of a row from its guess, and which rows have any.
  class Differences {
   public:
    Differences(const PatchMaker& maker, const PatchSection& section)
        : maker_(maker),
          section_(section),
          old_(Comparable(section, maker.old_layout_)),
          sources_(SourcesOf(maker.layout_, maker.new_)),
          guess_(section.shape, &sources_) {}

    // False: the row is as guessed.
    bool Take(uint64_t index) {
      const RowShape& shape = section_.shape;
      GetRow(maker_.new_ + section_.offset, shape, index, &now);
      const uint64_t old_row =
          old_ ? OldRow(section_, index, maker_.map_, old_->shape.rows) : kNoRow;
      has_old = old_row != kNoRow;
      if (has_old) GetRow(maker_.old_ + old_->offset, old_->shape, old_row, &old_row_);
      const Row* const old = has_old ? &old_row_ : nullptr;
      guess_.Head(index, old, &guessed_);
      guess_.Body(old, now, &guessed_);
      bool any = false;
      for (size_t k = 0; k < shape.Heads(); ++k) {
        const uint32_t difference = now.head[k] - guessed_.head[k];
        any |= difference != 0;
        now.head[k] = ZigZag(difference, 32);
      }
      sum = 0;
      for (size_t j = 0; j < now.body.size(); ++j) {
        const uint32_t difference = now.body[j] - guessed_.body[j];
        now.body[j] = ZigZag(difference & Mask(shape.Bits()), shape.Bits());
        any |= now.body[j] != 0;
        sum += now.body[j];
      }
      return any;
    }

    Row now;  // the differences
    bool has_old = false;
    uint64_t sum = 0;  // of the body

   private:
    const PatchMaker& maker_;
    const PatchSection& section_;
    const PatchSection* old_;
    CascadeSources sources_;
    RowGuess guess_;
    Row old_row_, guessed_;
  };

  // Bodies stand in the order of flags, rows of small differences before rows of large ones: the
  // entropy coder of zstd then meets stretches of one distribution each.
  void PutRows(const PatchSection& section, ItemChanges* changes) {
    const RowShape& shape = section.shape;
    Differences row(*this, section);
    std::vector<uint8_t> flags(shape.rows);
    for (uint64_t i = 0; i < shape.rows; ++i) {
      if (row.Take(i)) flags[i] = FlagOf(row.sum, row.now.body.size());
    }
    changes->Add(section, flags, Comparable(section, old_layout_));
    std::vector<std::vector<uint8_t>> heads(4 * shape.Heads());
    BodyBytes body;
    body.planes.resize(BodyPlanes(shape));
    for (const uint32_t i : RowsByFlag(flags)) {
      if (flags[i] == 0) continue;
      row.Take(i);
      for (size_t k = 0; k < heads.size(); ++k) {
        heads[k].push_back(static_cast<uint8_t>(row.now.head[k / 4] >> 8 * (k % 4)));
      }
      PutBody(row.now.body, shape.Bits(), IsPacked(shape, flags[i]), &body);
    }
    AppendStream(flags, &patch_);
    for (const std::vector<uint8_t>& head : heads) AppendStream(head, &patch_);
    if (shape.Body() == 0) return;
    AppendStream(body.packed, &patch_);
    for (const std::vector<uint8_t>& plane : body.planes) AppendStream(plane, &patch_);
  }

  struct BodyBytes {
    std::vector<uint8_t> packed;
    std::vector<std::vector<uint8_t>> planes;
  };

  static void PutBody(const std::vector<uint32_t>& body, uint32_t bits, bool packed,
                      BodyBytes* out) {
    const auto put = [&](uint32_t value) {
      for (size_t p = 0; p < out->planes.size(); ++p) {
        out->planes[p].push_back(static_cast<uint8_t>(value >> 8 * p));
      }
    };
    if (!packed) {
      for (const uint32_t value : body) put(value);
      return;
    }
    const uint32_t most = bits == 4 ? 16 : kEscape;  // of four bits none is too large
    const auto nibble = [&](size_t j) {
      if (j >= body.size()) return 0u;
      if (body[j] < most) return body[j];
      put(body[j] - kEscape);
      return kEscape;
    };
    for (size_t j = 0; j < body.size(); j += 2) {
      const uint32_t low = nibble(j);
      out->packed.push_back(static_cast<uint8_t>(low | nibble(j + 1) << 4));
    }
  }

  const uint8_t* old_;
  const uint8_t* new_;
  uint64_t old_size_, new_size_;
  PatchLayout old_layout_, layout_;
  ItemMap map_;
  std::vector<uint8_t> patch_;
};

}  // namespace

MadePatch MakePatch(const ModelFile& old_model, const ModelFile& new_model) {
  MadePatch made = PatchMaker(old_model, new_model).Make();
  const PatchedModel again = ApplyPatch(old_model, made.bytes, new_model.path + ": its patch");
  if (again.bytes.size() != new_model.bytes.size() ||
      std::memcmp(again.bytes.data(), new_model.bytes.data(), again.bytes.size()) != 0) {
    throw std::logic_error(new_model.path + ": a patch that makes another model");
  }
  return made;
}

}  // namespace stint
