// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// SessionState <-> its bytes. Bytes from outside are checked in full before the session changes.
#include "runtime/session_state.h"

#include <cstring>

#include "runtime/item_ids.h"
#include "runtime/verify.h"
#include "schema/panel.h"

namespace stint {
namespace {

constexpr char kMagic[] = {'S', 'T', 'N', 'S'};
constexpr uint32_t kVersion = 2;  // the newest; that of states of names, else 1
constexpr uint32_t kItemIds = 0;
constexpr uint32_t kItemIndices = 1;
constexpr uint32_t kItemNames = 2;
constexpr size_t kHeaderBytes = 56;
constexpr size_t kChecksumBytes = 8;
constexpr uint32_t kNoItem = UINT32_MAX;
// More events than there can be: observing does not wrap its counter back to an empty session's.
constexpr uint64_t kMostEvents = UINT64_MAX / 2;

class Writer {
 public:
  explicit Writer(uint8_t* at) : at_(at) {}
  void Put32(uint32_t value) {
    for (int shift = 0; shift < 32; shift += 8) *at_++ = static_cast<uint8_t>(value >> shift);
  }
  void Put64(uint64_t value) {
    Put32(static_cast<uint32_t>(value));
    Put32(static_cast<uint32_t>(value >> 32));
  }
  void PutFloat(float value) {
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof(bits));
    Put32(bits);
  }
  uint8_t* at() const { return at_; }

 private:
  uint8_t* at_;
};

uint32_t Get32(const uint8_t* bytes) {
  return bytes[0] | uint32_t{bytes[1]} << 8 | uint32_t{bytes[2]} << 16 | uint32_t{bytes[3]} << 24;
}
uint64_t Get64(const uint8_t* bytes) { return Get32(bytes) | uint64_t{Get32(bytes + 4)} << 32; }
float GetFloat(const uint8_t* bytes) {
  const uint32_t bits = Get32(bytes);
  float value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

// The checksums of the first `most` sections whose names begin with `start`.
void PutSections(const BoundModel& model, const char* start, uint32_t most, Writer* writer) {
  for (uint32_t i = 0; i < model.sections && most > 0; ++i) {
    if (std::strncmp(model.section[i].name, start, std::strlen(start)) != 0) continue;
    writer->Put64(model.section[i].xxh3);
    --most;
  }
}

// The GRU layers: shapes, forms, activation, and the checksums of their weights. Not the item rows:
// what was observed stands in the hidden state, and any rows may be scored with it.
uint64_t LayersFingerprint(const BoundModel& model) {
  uint8_t bytes[16 + kMaxLayers * 28];
  Writer writer(bytes);
  writer.Put32(model.int8);
  writer.Put32(static_cast<uint32_t>(model.hidden_activation.kind));
  writer.PutFloat(model.hidden_activation.alpha);
  writer.PutFloat(model.hidden_activation.scale);
  for (uint32_t l = 0; l < model.layers; ++l) {
    writer.Put32(model.layer[l].units);
    writer.Put32(model.layer[l].inputs);
    writer.Put32(model.layer[l].reset_after);
  }
  PutSections(model, "layer", 2 * model.layers, &writer);
  return Checksum(bytes, static_cast<size_t>(writer.at() - bytes));
}

uint64_t CatalogFingerprint(const BoundModel& model) {
  uint8_t bytes[4 + 2 * 8];
  Writer writer(bytes);
  writer.Put32(model.items);
  PutSections(model, "id_n", 2, &writer);  // id_numbers, or id_names and id_name_offsets
  return Checksum(bytes, static_cast<size_t>(writer.at() - bytes));
}

uint32_t AllUnits(const BoundModel& model) {
  uint32_t units = 0;
  for (uint32_t l = 0; l < model.layers; ++l) units += model.units[l];
  return units;
}

constexpr size_t ItemBytes(uint32_t kind) { return kind == kItemIndices ? 4 : 8; }
uint32_t ItemKind(const BoundModel& model) { return model.id_numbers ? kItemIds : kItemNames; }

// What stands for an item where ids are names: of the hash of its name the upper 44 bits, by which
// another model knows it, and the lower 20 of its index, by which the same catalog finds it at
// once.
constexpr uint32_t kIndexBits = 20;
constexpr uint32_t kIndexMask = (uint32_t{1} << kIndexBits) - 1;
uint64_t NameWord(const BoundModel& model, uint32_t item) {
  size_t length;
  const uint8_t* const name = NameOf(model, item, &length);
  return (Checksum(name, length) & ~uint64_t{kIndexMask}) | (item & kIndexMask);
}

uint64_t WordAt(const uint8_t* words, uint32_t i) { return Get64(words + size_t{i} * 8); }

// A heap sort, in place, as nothing here may allocate.
void SortWords(uint8_t* words, uint32_t count) {
  const auto swap = [&](uint32_t a, uint32_t b) {
    const uint64_t kept = WordAt(words, a);
    std::memcpy(words + size_t{a} * 8, words + size_t{b} * 8, 8);
    Writer(words + size_t{b} * 8).Put64(kept);
  };
  // First the heap grows downward from the middle, then its largest goes to the end each time.
  uint32_t root = count / 2;
  for (uint32_t end = count; end > 1;) {
    if (root > 0) {
      --root;
    } else {
      swap(0, --end);
    }
    for (uint32_t at = root, child; (child = 2 * at + 1) < end; at = child) {
      if (child + 1 < end && WordAt(words, child + 1) > WordAt(words, child)) ++child;
      if (WordAt(words, at) >= WordAt(words, child)) break;
      swap(at, child);
    }
  }
}

// Calls use(item) for the items seen, by rising index.
template <class Use>
void ForSeen(const SessionState& session, const Use& use) {
  for (size_t w = 0; w < session.words; ++w) {
    uint32_t item = static_cast<uint32_t>(w * 64);
    for (uint64_t rest = session.seen[w]; rest != 0; rest >>= 1, ++item) {
      if (rest & 1) use(item);
    }
  }
}

uint32_t SeenCount(const SessionState& session) {
  uint32_t count = 0;
  for (size_t w = 0; w < session.words; ++w) {
    for (uint64_t rest = session.seen[w]; rest != 0; rest &= rest - 1) ++count;
  }
  return count;
}

// Fits: 2^20 bytes of hidden states, and as many items as a file below 2 GiB has ids.
size_t SizeOf(const SessionState& session, uint32_t seen) {
  const BoundModel& model = *session.model;
  return kHeaderBytes + AllUnits(model) * sizeof(float) + seen * ItemBytes(ItemKind(model)) +
         kChecksumBytes;
}

// Views into the bytes of a state.
struct Parsed {
  uint32_t kind;
  uint64_t layers;
  uint64_t catalog;
  uint64_t observed;
  uint64_t unknown;
  uint32_t units;
  uint32_t count;
  const uint8_t* hidden;  // float32 [units]
  const uint8_t* items;   // [count] of the kind
};

// What can be told without a model.
Status Parse(const uint8_t* state, size_t size, Parsed* parsed) {
  if (size < kHeaderBytes + kChecksumBytes) return STINT_CORRUPT;
  if (std::memcmp(state, kMagic, sizeof(kMagic)) != 0) return STINT_CORRUPT;
  const uint32_t version = Get32(state + 4);
  if (version > kVersion) return STINT_NEWER_VERSION;  // its rest may be built in another way
  if (version == 0 || Get32(state + 8) != size) return STINT_CORRUPT;
  if (Get64(state + size - kChecksumBytes) != Checksum(state, size - kChecksumBytes)) {
    return STINT_CORRUPT;
  }
  *parsed = {Get32(state + 12), Get64(state + 16), Get64(state + 24),
             Get64(state + 32), Get64(state + 40), Get32(state + 48),
             Get32(state + 52), nullptr,           nullptr};
  if (parsed->kind > kItemNames || (parsed->kind == kItemNames) != (version == kVersion)) {
    return STINT_CORRUPT;
  }
  const uint64_t hidden_bytes = uint64_t{parsed->units} * sizeof(float);
  const uint64_t item_bytes = uint64_t{parsed->count} * ItemBytes(parsed->kind);
  if (kHeaderBytes + hidden_bytes + item_bytes + kChecksumBytes != size) return STINT_CORRUPT;
  parsed->hidden = state + kHeaderBytes;
  parsed->items = parsed->hidden + hidden_bytes;  // inside, by the sum above
  if (parsed->observed > kMostEvents || parsed->unknown > kMostEvents ||
      parsed->count > parsed->observed) {
    return STINT_CORRUPT;
  }
  return STINT_OK;
}

// Index in `model` of item `i` of the state, kNoItem if there is none. Names are those of the same
// catalog: of another one see FindNames().
uint32_t ItemOf(const Parsed& parsed, uint32_t i, const BoundModel& model) {
  const uint8_t* const bytes = parsed.items + i * ItemBytes(parsed.kind);
  uint32_t item = kNoItem;
  if (parsed.kind == kItemIndices) {
    item = Get32(bytes);
    return item < model.items ? item : kNoItem;
  }
  if (parsed.kind == kItemNames) {
    const uint64_t word = Get64(bytes);
    for (item = static_cast<uint32_t>(word) & kIndexMask; item < model.items;
         item += kIndexMask + 1) {
      if (NameWord(model, item) == word) return item;
    }
    return kNoItem;
  }
  const Status status = FindId(model, static_cast<int64_t>(Get64(bytes)), &item);
  return status == STINT_OK ? item : kNoItem;
}

// Whether the hidden states are such as steps can reach: a candidate is within 1 or kLargestWeight
// (step.cc), a state is between candidates but for roundings, which the factor 2 is for. An empty
// session's are zeros.
Status CheckHidden(const Parsed& parsed, const BoundModel& model) {
  const bool tanh = model.hidden_activation.kind == ActivationKind::kTanh;
  const float largest = 2 * (tanh ? 1.0f : kLargestWeight);
  for (uint32_t j = 0; j < parsed.units; ++j) {
    const float h = GetFloat(parsed.hidden + j * sizeof(float));
    if (!(h >= -largest && h <= largest)) return STINT_CORRUPT;  // NaN too
    if (parsed.observed == 0 && Get32(parsed.hidden + j * sizeof(float)) != 0) {
      return STINT_CORRUPT;
    }
  }
  return STINT_OK;
}

// Items of the same catalog are all known and their indices rise, so none stands twice. Of another
// one they may be gone, and one that stands twice does no harm.
Status CheckItems(const Parsed& parsed, const BoundModel& model, bool same_catalog) {
  uint64_t next = 0;  // lowest index, or word of a name, that may come
  const bool names = parsed.kind == kItemNames;
  for (uint32_t i = 0; (names || same_catalog) && i < parsed.count; ++i) {
    const uint32_t item = same_catalog ? ItemOf(parsed, i, model) : 0;
    const uint64_t key = names ? WordAt(parsed.items, i) : item;
    if (item == kNoItem || key < next) return STINT_CORRUPT;
    next = key + 1;
  }
  return STINT_OK;
}

// Marks the items of `model` whose names are among those of the state.
void FindNames(const Parsed& parsed, const BoundModel& model, SessionState* session) {
  for (uint32_t item = 0; item < model.items && parsed.count > 0; ++item) {
    const uint64_t hash = NameWord(model, item) >> kIndexBits;
    uint32_t low = 0;  // of the first word that is not below the hash, or the last one
    for (uint32_t high = parsed.count - 1; low < high;) {
      const uint32_t middle = low + (high - low) / 2;
      if (WordAt(parsed.items, middle) >> kIndexBits < hash) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    if (WordAt(parsed.items, low) >> kIndexBits == hash) {
      session->seen[item / 64] |= uint64_t{1} << item % 64;
    }
  }
}

}  // namespace

size_t StateSize(const SessionState& session) { return SizeOf(session, SeenCount(session)); }

void ExportState(const SessionState& session, uint8_t* state) {
  const BoundModel& model = *session.model;
  const uint32_t seen = SeenCount(session);
  const size_t size = SizeOf(session, seen);
  std::memcpy(state, kMagic, sizeof(kMagic));
  Writer writer(state + sizeof(kMagic));
  writer.Put32(model.id_numbers ? 1 : kVersion);
  writer.Put32(static_cast<uint32_t>(size));
  writer.Put32(ItemKind(model));
  writer.Put64(LayersFingerprint(model));
  writer.Put64(CatalogFingerprint(model));
  writer.Put64(session.observed);
  writer.Put64(session.unknown);
  writer.Put32(AllUnits(model));
  writer.Put32(seen);
  for (uint32_t l = 0; l < model.layers; ++l) {
    for (uint32_t j = 0; j < model.units[l]; ++j) writer.PutFloat(session.hidden[l][j]);
  }
  uint8_t* const items = writer.at();
  ForSeen(session, [&](uint32_t item) {
    if (model.id_numbers) {
      writer.Put64(static_cast<uint64_t>(model.id_numbers[item]));
    } else {
      writer.Put64(NameWord(model, item));
    }
  });
  if (!model.id_numbers) SortWords(items, seen);
  STINT_DASSERT(writer.at() + kChecksumBytes == state + size);
  writer.Put64(Checksum(state, size - kChecksumBytes));
}

Status ImportState(const uint8_t* state, size_t size, SessionState* session) {
  const BoundModel& model = *session->model;
  Parsed parsed;
  STINT_RETURN_IF_ERROR(Parse(state, size, &parsed));
  const bool same_catalog = parsed.catalog == CatalogFingerprint(model);
  const bool numbers = parsed.kind == kItemIds;
  if (parsed.layers != LayersFingerprint(model) || numbers != (ItemKind(model) == kItemIds) ||
      (parsed.kind == kItemIndices && !same_catalog)) {
    return STINT_OTHER_MODEL;
  }
  // The same layers by their hash and of other shapes: forged.
  if (parsed.units != AllUnits(model)) return STINT_CORRUPT;
  STINT_RETURN_IF_ERROR(CheckHidden(parsed, model));
  STINT_RETURN_IF_ERROR(CheckItems(parsed, model, same_catalog));

  ResetSession(session);
  session->observed = parsed.observed;
  session->unknown = parsed.unknown;
  const uint8_t* hidden = parsed.hidden;
  for (uint32_t l = 0; l < model.layers; ++l) {
    for (uint32_t j = 0; j < model.units[l]; ++j, hidden += sizeof(float)) {
      session->hidden[l][j] = GetFloat(hidden);
    }
  }
  if (parsed.kind == kItemNames && !same_catalog) {
    FindNames(parsed, model, session);
    return STINT_OK;
  }
  for (uint32_t i = 0; i < parsed.count; ++i) {
    const uint32_t item = ItemOf(parsed, i, model);
    if (item != kNoItem) session->seen[item / 64] |= uint64_t{1} << item % 64;
  }
  return STINT_OK;
}

void CopyState(const SessionState& from, SessionState* to) {
  if (&from == to) return;
  const BoundModel& model = *from.model;
  to->observed = from.observed;
  to->unknown = from.unknown;
  for (uint32_t l = 0; l < model.layers; ++l) {
    std::memcpy(to->hidden[l], from.hidden[l], model.units[l] * sizeof(float));
    if (to->quantized_hidden) to->quantized_hidden[l].fresh = false;
  }
  std::memcpy(to->seen, from.seen, from.words * sizeof(uint64_t));
}

}  // namespace stint
