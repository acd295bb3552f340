// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// SessionState <-> a few hundred bytes that outlive the process.
//
// The format, version 1; numbers are little-endian, nothing is aligned:
//   0  "STNS"
//   4  uint32 version, 1
//   8  uint32 size of all, checksum included
//  12  uint32 kind of the items: 0 int64 ids, 1 uint32 indices (models whose ids are names)
//  16  uint64 layers: hash of what gives a hidden state its meaning (LayersFingerprint())
//  24  uint64 catalog: hash of the ids in the order of their indices
//  32  uint64 observed
//  40  uint64 unknown
//  48  uint32 units of all layers together
//  52  uint32 count of the items seen
//  56  float32 [units] hidden states, first layer first
//      int64 or uint32 [count] the items seen, by rising index in the model that wrote them
//      uint64 XXH3-64 of all bytes before it
// Ids make the items those of the shop, so that a catalog may change under a state; names would be
// of any length, so they are indices and tied to one catalog.
#ifndef STINT_RUNTIME_SESSION_STATE_H_
#define STINT_RUNTIME_SESSION_STATE_H_

#include <cstddef>
#include <cstdint>

#include "runtime/session.h"
#include "runtime/status.h"

namespace stint {

// Bytes that ExportState() writes.
size_t StateSize(const SessionState& session) STINT_NONBLOCKING;

// `state` has StateSize(session) bytes, of any alignment.
void ExportState(const SessionState& session, uint8_t* state) STINT_NONBLOCKING;

// Any `state` of `size` bytes: STINT_OK; STINT_CORRUPT, STINT_NEWER_VERSION or STINT_OTHER_MODEL,
// and the session is as it was.
[[nodiscard]] Status ImportState(const uint8_t* state, size_t size,
                                 SessionState* session) STINT_NONBLOCKING;

// Both of the same BoundModel; `to` may be `from`. Seeds stay: they are a hint for speed alone.
void CopyState(const SessionState& from, SessionState* to) STINT_NONBLOCKING;

}  // namespace stint

#endif  // STINT_RUNTIME_SESSION_STATE_H_
