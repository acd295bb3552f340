// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Bytes -> patch of a model. What is refused throws std::runtime_error; what is taken, also with a
// size and checksums that were forged, is a model that the runtime opens, and the one whose
// checksum the patch has.
#include <cstring>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "schema/checksum.h"
#include "tests/fuzz/fuzz.h"
#include "tests/tools/patch_models.h"
#include "tools/convert/patch_layout.h"
#include "tools/convert/patch_streams.h"

namespace stint::fuzz {
namespace {

// Of the mode: two bits, and between them the number of the old model.
constexpr uint8_t kSealed = 1;  // size and checksum are made right first
constexpr uint8_t kOneStream =
    128;  // the bytes are a patch's number, a stream's, and what it holds

// Where they stand (tools/convert/PATCH.md).
constexpr size_t kSizeAt = 8, kOldAt = 16, kNewSizeAt = 32, kHeaderBytes = 48, kSealBytes = 8;
constexpr size_t kLongestStream = 1 << 16;

struct Update {
  AlignedBytes old_model;
  std::vector<std::string> patches;  // seeds
};

const std::vector<Update>& Updates() {
  static const std::vector<Update> updates = [] {
    std::vector<Update> all;
    const std::vector<ModelKind>& kinds = ModelKinds();
    for (const size_t k : {size_t{0}, size_t{5}, size_t{7}, size_t{8}, size_t{11}, size_t{14}}) {
      const Shop shop = MakeShop(kinds[k], 20, {6, 5}, k % 2 == 0);
      Update update;
      update.old_model = Build(kinds[k], shop);
      Shop moved = WithItems(shop, {1, 0, 5, 22, 3, 8, 9, 10, 21});
      Perturb(0.05, k, &moved.parameters);
      for (const AlignedBytes& made :
           {Build(kinds[k], WithItems(shop, Iota(23))), Build(kinds[k], moved),
            Build(kinds[(k + 1) % kinds.size()],
                  MakeShop(kinds[(k + 1) % kinds.size()], 9, {7}, k % 4 == 0))}) {
        const MadePatch patch = MakePatch({update.old_model, "old"}, {made, "new"});
        update.patches.emplace_back(patch.bytes.begin(), patch.bytes.end());
      }
      all.push_back(std::move(update));
    }
    return all;
  }();
  return updates;
}

// Size, base and checksum as they have to be, so that all behind them is reached.
void Seal(const AlignedBytes& old_model, std::string* patch) {
  if (patch->size() < kHeaderBytes + kSealBytes) return;
  const uint64_t head[3] = {patch->size(), old_model.size(),
                            SectionChecksum(old_model.data(), old_model.size())};
  static_assert(kOldAt == kSizeAt + 8);
  std::memcpy(patch->data() + kSizeAt, head, sizeof(head));
  const size_t end = patch->size() - kSealBytes;
  const uint64_t seal = SectionChecksum(reinterpret_cast<const uint8_t*>(patch->data()), end);
  std::memcpy(patch->data() + end, &seal, sizeof(seal));
}

// Where each stream begins, and where the last one ends.
std::vector<size_t> StreamsOf(const std::string& patch) {
  std::vector<size_t> begins = {kHeaderBytes};
  while (begins.back() + kSealBytes < patch.size()) {
    uint32_t compressed;
    std::memcpy(&compressed, patch.data() + begins.back() + 4, sizeof(compressed));
    begins.push_back(begins.back() + 8 + compressed);
  }
  return begins;
}

// A stream whose frame has the bytes as they are: one raw block.
std::string RawStream(std::string_view bytes) {
  const uint32_t block = static_cast<uint32_t>(bytes.size()) << 3 | 1;
  std::string frame = {'\x28', '\xb5', '\x2f', '\xfd', 0, 0x38};
  for (int shift = 0; shift < 24; shift += 8) frame += static_cast<char>(block >> shift);
  frame += bytes;
  if (bytes.empty()) frame.clear();
  const uint32_t sizes[2] = {static_cast<uint32_t>(bytes.size()),
                             static_cast<uint32_t>(frame.size())};
  return std::string(reinterpret_cast<const char*>(sizes), sizeof(sizes)) + frame;
}

// A good patch with one stream that is the input's.
std::string WithStream(const Update& update, std::string_view input) {
  if (input.size() < 2) return "";
  const std::string& patch = update.patches[static_cast<uint8_t>(input[0]) % update.patches.size()];
  const std::vector<size_t> begins = StreamsOf(patch);
  const size_t stream = static_cast<uint8_t>(input[1]) % (begins.size() - 1);
  return patch.substr(0, begins[stream]) + RawStream(input.substr(2, kLongestStream)) +
         patch.substr(begins[stream + 1]);
}

// The bytes of a stream; of one that is a difference from others they are none.
std::string Decoded(const std::string& patch, size_t begin) {
  const auto* const bytes = reinterpret_cast<const uint8_t*>(patch.data());
  StreamCursor cursor({bytes + begin, patch.size() - kSealBytes - begin});
  try {
    StreamReader reader = cursor.Open(kLongestStream);
    std::string out(reader.left(), '\0');
    reader.Read(out.data(), out.size());
    return out;
  } catch (const std::runtime_error&) {
    return "";
  }
}

// With another size of the new file: the largest, and the largest that the two files may make.
std::vector<std::string> OfOtherSizes(const Update& update, const std::string& patch) {
  std::vector<std::string> out;
  for (const uint64_t size :
       {uint64_t{0x7FFFFFFF}, MostNewBytes(update.old_model.size(), patch.size()), uint64_t{64}}) {
    out.push_back(patch);
    std::memcpy(out.back().data() + kNewSizeAt, &size, sizeof(size));
  }
  return out;
}

// Lists whose rows are many and small, or of no bytes: streams for WithStream().
std::vector<std::string> ListsOfManyRows() {
  std::vector<std::string> out;
  for (const RowShape& shape :
       {RowShape{RowForm::kF32Rows, 0x7FFFFFFF, 0}, RowShape{RowForm::kWords, 1 << 18, 0},
        RowShape{RowForm::kScanTiles, 1 << 12, 512}}) {
    PatchLayout layout;
    for (const char* name : {"x", "y"}) {
      PatchSection& section = layout.sections.emplace_back();
      section.name = name;
      section.coding = SectionCoding::kRows;
      section.shape = shape;
      section.size = shape.Bytes();
      section.offset = layout.sections.size() > 1 ? section.size : 0;
    }
    const std::vector<uint8_t> bytes = WriteLayout(layout);
    out.emplace_back(bytes.begin(), bytes.end());
  }
  return out;
}

}  // namespace

std::vector<std::string> Seeds() {
  std::vector<std::string> seeds;
  for (size_t u = 0; u < Updates().size(); ++u) {
    for (size_t p = 0; p < Updates()[u].patches.size(); ++p) {
      const std::string& patch = Updates()[u].patches[p];
      for (const uint8_t sealed : {uint8_t{0}, kSealed}) {
        seeds.push_back(std::string(1, static_cast<char>(u << 1 | sealed)) + patch);
      }
      for (const std::string& other : OfOtherSizes(Updates()[u], patch)) {
        seeds.push_back(std::string(1, static_cast<char>(u << 1 | kSealed)) + other);
      }
      for (const std::string& list : ListsOfManyRows()) {
        const char head[] = {static_cast<char>(kOneStream | u << 1 | kSealed), static_cast<char>(p),
                             0};
        seeds.push_back(std::string(head, sizeof(head)) + list);
      }
      const std::vector<size_t> begins = StreamsOf(patch);
      for (size_t s = 0; s + 1 < begins.size(); ++s) {
        if (s > 12 && s % 7 != u) continue;  // some of many that are alike
        const char head[] = {static_cast<char>(kOneStream | u << 1 | kSealed), static_cast<char>(p),
                             static_cast<char>(s)};
        seeds.push_back(std::string(head, sizeof(head)) + Decoded(patch, begins[s]));
      }
    }
  }
  return seeds;
}

}  // namespace stint::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace stint;
  using namespace stint::fuzz;
  const Input input = Split(data, size);
  const Update& update = Updates()[(input.mode >> 1 & 63) % Updates().size()];
  std::string patch(input.bytes);
  if ((input.mode & kOneStream) != 0) patch = WithStream(update, input.bytes);
  if ((input.mode & kSealed) != 0) Seal(update.old_model, &patch);
  // In memory of exactly its size, so that sanitizers see a read beyond it.
  const std::vector<uint8_t> exact(patch.begin(), patch.end());
  try {
    const PatchedModel made = ApplyPatch({update.old_model, "old"}, exact, "patch");
    uint64_t wanted;
    std::memcpy(&wanted, patch.data() + kNewSizeAt + 8, sizeof(wanted));
    Require(SectionChecksum(made.bytes.data(), made.bytes.size()) == wanted,
            "the model is the one that the patch names");
    const ModelPointer model = OpenModel(made.bytes);
    Require(model != nullptr, "the runtime opens it");
    stint_model_info info;
    Require(stint_model_describe(model.get(), &info) == STINT_OK, "it can be described");
    Require(made.rows.same + made.rows.changed + made.rows.added == info.items,
            "every item is counted once");
  } catch (const std::runtime_error& e) {
    Require(std::strlen(e.what()) > 0, "the message says why not");
  }
  return 0;
}
