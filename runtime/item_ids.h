// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// External item ids <-> item indices. Safe with any values that a trusted model may hold: what is
// read stays inside the file, and an index that comes back is below the number of items.
#ifndef STINT_RUNTIME_ITEM_IDS_H_
#define STINT_RUNTIME_ITEM_IDS_H_

#include <cstddef>
#include <cstdint>

#include "runtime/model.h"
#include "runtime/status.h"

namespace stint {

// Name of an item where ids are names: bytes[*length]; empty where the offsets are out of order.
const uint8_t* NameOf(const BoundModel& model, uint32_t item, size_t* length) STINT_NONBLOCKING;

// < 0, 0, > 0: how a[a_length] compares with b[b_length], as unsigned bytes.
int CompareNames(const uint8_t* a, size_t a_length, const uint8_t* b,
                 size_t b_length) STINT_NONBLOCKING;

// Item of an external id, or STINT_UNKNOWN_ITEM; binary search over id_order.
[[nodiscard]] Status FindId(const BoundModel& model, int64_t id, uint32_t* item) STINT_NONBLOCKING;
[[nodiscard]] Status FindName(const BoundModel& model, const char* name, size_t length,
                              uint32_t* item) STINT_NONBLOCKING;

}  // namespace stint

#endif  // STINT_RUNTIME_ITEM_IDS_H_
