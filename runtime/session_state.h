// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// SessionState <-> a few hundred bytes that outlive the process.
//
// The format; numbers are little-endian, nothing is aligned:
//   0  "STNS"
//   4  uint32 version: 2 where the items are names, else 1
//   8  uint32 size of all, checksum included
//  12  uint32 kind of the items: 0 int64 ids; 2 names, each a uint64: the upper 44 bits of the
//      XXH3-64 of the name, the lower 20 of the index; 1 uint32 indices, which models of names had
//      in version 1
//  16  uint64 layers: hash of what gives a hidden state its meaning (LayersFingerprint())
//  24  uint64 catalog: hash of the ids in the order of their indices
//  32  uint64 observed
//  40  uint64 unknown
//  48  uint32 units of all layers together
//  52  uint32 count of the items seen
//  56  float32 [units] hidden states, first layer first
//      [count] the items seen: ids and indices by rising index in the model that wrote them, names
//      by rising numbers
//      uint64 XXH3-64 of all bytes before it
// Ids make the items those of the shop, so that a catalog may change under a state. Names would be
// of any length, so their hashes stand for them: of a million names and 70 seen, one session in
// 250,000 has another item among those seen, of 43,000 one in six million; in the same catalog
// none. States of version 1 are tied to one catalog.
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
