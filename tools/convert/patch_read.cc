// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The streams of a patch and the old model -> the new file, not yet compared with its checksum.
#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "tools/convert/patch.h"
#include "tools/convert/patch_flags.h"
#include "tools/convert/patch_layout.h"

namespace stint {
namespace {

[[noreturn]] void Fail(const std::string& reason) { throw std::runtime_error(reason); }

uint32_t Mask(uint32_t bits) { return bits == 32 ? UINT32_MAX : (1u << bits) - 1; }

uint32_t UnZigZag(uint32_t value) { return value >> 1 ^ (0u - (value & 1)); }

// ItemMap, flags and rows of a patch -> the new file, in the order in which MakePatch wrote them.
class PatchReader {
 public:
  PatchReader(const ModelFile& old_model, const PatchLayout& old_layout, uint64_t new_size,
              StreamCursor streams)
      : old_(old_model.bytes.data()),
        old_size_(old_model.bytes.size()),
        old_layout_(old_layout),
        new_size_(new_size),
        streams_(streams) {}

  PatchedModel Read() {
    constexpr uint64_t kMostOfList = 1 << 16;
    StreamReader list = streams_.Open(kMostOfList);
    layout_ = ReadLayout(&list, new_size_);
    ReadRest(RestOf(layout_, new_size_));
    ReadMap();
    ItemChanges changes(map_);
    for (const PatchSection& section : layout_.sections) {
      try {
        ReadSection(section, &changes);
      } catch (const std::runtime_error& e) {
        Fail("section '" + section.name + "': " + e.what());
      }
      done_.sections.push_back(section);
      done_.items = layout_.items;
    }
    streams_.Finish();
    changes.AddLost(layout_, old_layout_);
    return {std::move(file_), changes.Count(old_layout_.items)};
  }

 private:
  void ReadRest(const std::vector<FileRange>& rest) {
    uint64_t size = 0;
    for (const FileRange& range : rest) size += range.size;
    // Memory that nothing was written to yet is not taken from the machine: what follows takes it
    // as far as bytes come out of the patch.
    if (const uint64_t there = streams_.NextSize(); there != size) {
      Fail("bytes outside of the sections: " + std::to_string(there) + ", not " +
           std::to_string(size));
    }
    file_ = AlignedBytes(new_size_);
    streams_.Read(GatherRest(RestOf(old_layout_, old_size_), old_), file_.data(), size);
    // From the beginning of the file to their places; from the last one on, as none moves down.
    uint64_t from = size;
    for (auto range = rest.rbegin(); range != rest.rend(); ++range) {
      from -= range->size;
      std::memmove(file_.data() + range->offset, file_.data() + from, range->size);
    }
  }

  void ReadMap() {
    StreamReader in = streams_.OpenExactly(4 * layout_.items);
    map_.assign(layout_.items, 0);
    for (uint32_t shift = 0; shift < 32; shift += 8) {
      for (uint32_t& value : map_) value |= uint32_t{in.Byte()} << shift;
    }
    in.Finish();
    uint32_t expected = 0;
    for (uint32_t& value : map_) {
      if (value == 0) {
        value = kNoItem;
        continue;
      }
      value = expected + UnZigZag(value - 1);
      if (value >= old_layout_.items) {
        Fail("item " + std::to_string(value) + " of " + std::to_string(old_layout_.items));
      }
      expected = value + 1;
    }
  }

  void ReadSection(const PatchSection& section, ItemChanges* changes) {
    uint8_t* const out = file_.data() + section.offset;
    switch (section.coding) {
      case SectionCoding::kBytes: {
        const PatchSection* const old = old_layout_.Find(section.name);
        streams_.Read(old ? std::span(old_ + old->offset, old->size) : std::span<const uint8_t>(),
                      out, section.size);
        return;
      }
      case SectionCoding::kRows:
        ReadRows(section, changes);
        return;
      case SectionCoding::kIdNumbers:
        ReadIds(out);
        return;
      case SectionCoding::kNameOffsets:
        ReadNameOffsets(out);
        return;
      case SectionCoding::kNames:
        ReadNames(section, out);
        return;
      case SectionCoding::kIdOrder:
        // Sections start at multiples of 4 or they are no model's.
        if (section.offset % sizeof(uint32_t) != 0) Fail("not aligned");
        OrderByIds(done_, file_.data(), reinterpret_cast<uint32_t*>(out));
        return;
    }
  }

  // The old section of that name, which items of the map lie in.
  const PatchSection& OldSection(const char* name) const {
    const PatchSection* const old = old_layout_.Find(name);
    if (!old) Fail("the old model has no '" + std::string(name) + "'");
    return *old;
  }

  bool AnyKept() const {
    return std::any_of(map_.begin(), map_.end(), [](uint32_t old) { return old != kNoItem; });
  }

  void ReadIds(uint8_t* out) {
    const uint8_t* const old = AnyKept() ? old_ + OldSection("id_numbers").offset : nullptr;
    StreamReader in = streams_.Open(8 * layout_.items);
    uint64_t last = 0;
    for (uint64_t i = 0; i < layout_.items; ++i) {
      if (map_[i] != kNoItem) {
        std::memcpy(out + 8 * i, old + 8 * uint64_t{map_[i]}, 8);
        continue;
      }
      last += in.Number<uint64_t>();
      std::memcpy(out + 8 * i, &last, 8);
    }
    in.Finish();
  }

  void ReadNameOffsets(uint8_t* out) {
    StreamReader in = streams_.Open(4 * layout_.items);
    uint64_t end = 0;
    for (uint64_t i = 0; i <= layout_.items; ++i) {
      const uint32_t word = static_cast<uint32_t>(end);
      std::memcpy(out + 4 * i, &word, sizeof(word));
      if (i == layout_.items) break;
      end += map_[i] == kNoItem ? in.Number<uint32_t>() : NameOf(old_layout_, old_, map_[i]).size();
      if (end > file_.size()) Fail("names of " + std::to_string(end) + " bytes");
    }
    in.Finish();
  }

  void ReadNames(const PatchSection& section, uint8_t* out) {
    const PatchSection* const offsets = done_.Find("id_name_offsets");
    if (!offsets || offsets->coding != SectionCoding::kNameOffsets) Fail("before its offsets");
    StreamReader in = streams_.Open(section.size);
    const uint8_t* const ends = file_.data() + offsets->offset;
    for (uint64_t i = 0; i < layout_.items; ++i) {
      uint32_t range[2];
      std::memcpy(range, ends + 4 * i, sizeof(range));
      if (range[1] > section.size) Fail("a name ends at " + std::to_string(range[1]));
      if (map_[i] == kNoItem) {
        in.Read(out + range[0], range[1] - range[0]);
      } else {
        const std::string_view name = NameOf(old_layout_, old_, map_[i]);
        std::memcpy(out + range[0], name.data(), name.size());
      }
    }
    in.Finish();
    uint32_t end;
    std::memcpy(&end, ends + 4 * layout_.items, sizeof(end));
    if (end != section.size) Fail("names of " + std::to_string(end) + " bytes");
  }

  // What a row is made of: its older self, guesses, and the streams of differences.
  struct RowStreams {
    std::vector<StreamReader> heads;   // [4 * heads] planes
    std::vector<StreamReader> packed;  // of bodies: [1]
    std::vector<StreamReader> planes;  // of bodies
  };

  void ReadRows(const PatchSection& section, ItemChanges* changes) {
    const RowShape& shape = section.shape;
    StreamReader in = streams_.OpenExactly(shape.rows);
    std::vector<uint8_t> flags(shape.rows);
    in.Read(flags.data(), flags.size());
    in.Finish();
    RowStreams streams;
    for (size_t k = 0; k < 4 * shape.Heads(); ++k) {
      streams.heads.push_back(streams_.Open(shape.rows));
    }
    if (shape.Body() > 0) {
      streams.packed.push_back(streams_.Open(shape.rows * ((shape.Body() + 1) / 2)));
      for (size_t p = 0; p < BodyPlanes(shape); ++p) {
        streams.planes.push_back(streams_.Open(shape.rows * shape.Body()));
      }
    }
    const PatchSection* const old = Comparable(section, old_layout_);
    const CascadeSources sources = SourcesOf(done_, file_.data());
    RowGuess guess(shape, &sources);
    Row old_row, row;
    // Rows of 4 bits are put beside what is there.
    std::memset(file_.data() + section.offset, 0, section.size);
    for (const uint32_t i : RowsByFlag(flags)) {
      const uint64_t from = old ? OldRow(section, i, map_, old->shape.rows) : kNoRow;
      if (from != kNoRow) GetRow(old_ + old->offset, shape, from, &old_row);
      ReadRow(shape, i, from != kNoRow ? &old_row : nullptr, flags[i], &streams, &guess, &row);
      PutRow(row, shape, i, file_.data() + section.offset);
    }
    for (StreamReader& stream : streams.heads) stream.Finish();
    for (StreamReader& stream : streams.packed) stream.Finish();
    for (StreamReader& stream : streams.planes) stream.Finish();
    changes->Add(section, flags, old);
  }

  // flag == 0: the row is as guessed.
  static void ReadRow(const RowShape& shape, uint64_t index, const Row* old, size_t flag,
                      RowStreams* streams, RowGuess* guess, Row* row) {
    guess->Head(index, old, row);
    for (size_t k = 0; flag > 0 && k < shape.Heads(); ++k) {
      uint32_t difference = 0;
      for (size_t p = 0; p < 4; ++p) {
        difference |= uint32_t{streams->heads[4 * k + p].Byte()} << 8 * p;
      }
      row->head[k] += UnZigZag(difference);
    }
    guess->Body(old, *row, row);
    if (flag > 0) AddBody(shape, IsPacked(shape, flag), streams, &row->body);
  }

  static void AddBody(const RowShape& shape, bool packed, RowStreams* streams,
                      std::vector<uint32_t>* body) {
    const uint32_t bits = shape.Bits();
    const auto plain = [&] {
      uint32_t value = 0;
      for (size_t p = 0; p < streams->planes.size(); ++p) {
        value |= uint32_t{streams->planes[p].Byte()} << 8 * p;
      }
      return value;
    };
    uint8_t two = 0;
    for (size_t j = 0; j < body->size(); ++j) {
      uint32_t value;
      if (packed) {
        two = j % 2 == 0 ? streams->packed[0].Byte() : static_cast<uint8_t>(two >> 4);
        value = two & 15u;
        if (bits > 4 && value == kEscape) value += plain();
      } else {
        value = plain();
      }
      (*body)[j] = ((*body)[j] + UnZigZag(value)) & Mask(bits);
    }
  }

  const uint8_t* old_;
  uint64_t old_size_;
  const PatchLayout& old_layout_;
  uint64_t new_size_;
  StreamCursor streams_;
  AlignedBytes file_;
  PatchLayout layout_;
  PatchLayout done_;  // the sections that are there
  ItemMap map_;
};

}  // namespace

PatchedModel ReadPatch(const ModelFile& old_model, const PatchLayout& old_layout, uint64_t new_size,
                       const StreamCursor& streams) {
  return PatchReader(old_model, old_layout, new_size, streams).Read();
}

}  // namespace stint
