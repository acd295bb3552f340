// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Bytes of a model file -> the XXH3-64 checksums stored in it. Used by the writer and by the
// reader.
#ifndef STINT_SCHEMA_CHECKSUM_H_
#define STINT_SCHEMA_CHECKSUM_H_

#include <cstddef>
#include <cstdint>

#define XXH_INLINE_ALL  // header-only: nothing to link, no symbol to export
#include <xxhash.h>

namespace stint {

inline uint64_t SectionChecksum(const uint8_t* bytes, size_t size) {
  return XXH3_64bits(bytes, size);
}

// A range of the file.
struct ByteRange {
  size_t offset;
  size_t size;
};

// The checksum over all bytes of the file outside `payloads`, the 8 bytes at `field` taken as
// zero. `payloads` ([count]) is in file order, without overlap, inside the file and apart from the
// field; else the result is false.
inline bool HeaderChecksum(const uint8_t* file, size_t size, size_t field,
                           const ByteRange* payloads, size_t count, uint64_t* checksum) {
  static constexpr uint8_t kZeros[8] = {};
  if (size < sizeof(kZeros) || field > size - sizeof(kZeros)) return false;
  XXH3_state_t state;  // on the stack: about 600 bytes
  XXH3_64bits_reset(&state);
  bool field_done = false;
  size_t at = 0;
  for (size_t i = 0; i <= count; ++i) {
    const size_t end = i < count ? payloads[i].offset : size;
    if (end < at || end > size) return false;
    if (field >= at && field < end) {
      if (end - field < sizeof(kZeros)) return false;
      XXH3_64bits_update(&state, file + at, field - at);
      XXH3_64bits_update(&state, kZeros, sizeof(kZeros));
      at = field + sizeof(kZeros);
      field_done = true;
    }
    XXH3_64bits_update(&state, file + at, end - at);
    if (i < count) {
      if (payloads[i].size > size - end) return false;
      at = end + payloads[i].size;
    }
  }
  if (!field_done) return false;
  *checksum = XXH3_64bits_digest(&state);
  return true;
}

}  // namespace stint

#endif  // STINT_SCHEMA_CHECKSUM_H_
