// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// A bound model -> whether its bytes and values are sound.
//
// A checksum runs as fast as memory is read, and so do the checks of values: one after the other
// they would cost two reads of the file. So a section goes by in blocks that stay in the cache
// between the two.
#include "runtime/verify.h"

#include <cinttypes>

#include "runtime/validate.h"
#include "schema/checksum.h"

namespace stint {
namespace {

constexpr size_t kBlockBytes = 32768;

Status BadChecksum(const char* where, uint64_t checksum, uint64_t stored, stint_error* error) {
  return Fail(error, STINT_CORRUPT, "%s: checksum 0x%016" PRIx64 " instead of 0x%016" PRIx64, where,
              checksum, stored);
}

// Whole units, as many as fit a block.
size_t BlockBytes(const Section& section) {
  const size_t units = kBlockBytes / section.unit_bytes;
  return (units > 0 ? units : 1) * section.unit_bytes;
}

}  // namespace

Status VerifyHeader(const BoundModel& model, size_t field, uint64_t stored, stint_error* error) {
  ByteRange payloads[sizeof(model.section) / sizeof(Section)];
  for (uint32_t i = 0; i < model.sections; ++i) {  // insertion sort by place in the file
    const Section& section = model.section[i];
    const ByteRange range = {static_cast<size_t>(section.data - model.data), section.size};
    uint32_t at = i;
    for (; at > 0 && payloads[at - 1].offset > range.offset; --at) payloads[at] = payloads[at - 1];
    payloads[at] = range;
  }
  uint64_t checksum;
  if (!HeaderChecksum(model.data, model.file_size, field, payloads, model.sections, &checksum)) {
    return Fail(error, STINT_CORRUPT, "header: sections overlap");
  }
  if (checksum != stored) return BadChecksum("header", checksum, stored, error);
  return STINT_OK;
}

Status VerifySections(const BoundModel& model, stint_error* error) {
  Status values = STINT_OK;
  stint_error first_bad_value;
  for (uint32_t i = 0; i < model.sections; ++i) {
    const Section& section = model.section[i];
    const size_t block = BlockBytes(section);
    XXH3_state_t hash;  // on the stack: about 600 bytes
    XXH3_64bits_reset(&hash);
    for (size_t at = 0; at < section.size; at += block) {
      const size_t size = section.size - at < block ? section.size - at : block;
      XXH3_64bits_update(&hash, section.data + at, size);
      if (values == STINT_OK) values = CheckValues(section, at, at + size, &first_bad_value);
    }
    const uint64_t checksum = XXH3_64bits_digest(&hash);
    if (checksum != section.xxh3) {
      char where[sizeof(section.name) + 16];
      Format(where, sizeof(where), "section '%s'", section.name);
      return BadChecksum(where, checksum, section.xxh3, error);
    }
  }
  if (values != STINT_OK && error) *error = first_bad_value;
  STINT_RETURN_IF_ERROR(values);
  if (model.id_names) STINT_RETURN_IF_ERROR(CheckNameOffsets(model, error));
  return CheckIdOrder(model, error);
}

uint64_t Checksum(const uint8_t* bytes, size_t size) { return SectionChecksum(bytes, size); }

}  // namespace stint
