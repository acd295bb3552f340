// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// A bound model -> whether its bytes are those that were written, and its values such as a model
// may hold. One pass over the sections, no allocation.
#ifndef STINT_RUNTIME_VERIFY_H_
#define STINT_RUNTIME_VERIFY_H_

#include <cstddef>
#include <cstdint>

#include "runtime/model.h"
#include "runtime/status.h"

namespace stint {

// The checksum of all bytes outside the sections; it stands in the 8 bytes at `field` of the file
// and is `stored`. That sections do not overlap is part of it.
[[nodiscard]] Status VerifyHeader(const BoundModel& model, size_t field, uint64_t stored,
                                  stint_error* error);

// Checksums and values of all sections. Where both are wrong the checksum is what is told.
[[nodiscard]] Status VerifySections(const BoundModel& model, stint_error* error);

// XXH3-64 as in the file.
uint64_t Checksum(const uint8_t* bytes, size_t size) STINT_NONBLOCKING;

}  // namespace stint

#endif  // STINT_RUNTIME_VERIFY_H_
