// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// External item ids <-> item indices.
#include "runtime/item_ids.h"

#include <cstring>

namespace stint {
namespace {

// Item of place `i` < model.items in the order of the ids. Item 0, which every model has, for an
// index that is none: ids are compared in the end, so a search still finds nothing but its id.
uint32_t ItemInOrder(const BoundModel& model, uint32_t i) {
  const uint32_t item = model.id_order[i];
  return item < model.items ? item : 0;
}

}  // namespace

const uint8_t* NameOf(const BoundModel& model, uint32_t item, size_t* length) {
  const uint32_t begin = model.name_offsets[item];
  const uint32_t end = model.name_offsets[item + 1];
  const bool inside = begin <= end && end <= model.name_bytes;
  *length = inside ? end - begin : 0;
  return model.id_names + (inside ? begin : 0);
}

int CompareNames(const uint8_t* a, size_t a_length, const uint8_t* b, size_t b_length) {
  const size_t shorter = a_length < b_length ? a_length : b_length;
  const int order = shorter == 0 ? 0 : std::memcmp(a, b, shorter);
  if (order != 0) return order;
  return a_length < b_length ? -1 : a_length > b_length;
}

Status FindId(const BoundModel& model, int64_t id, uint32_t* item) {
  if (!model.id_numbers) return STINT_UNKNOWN_ITEM;
  uint32_t first = 0, last = model.items;
  while (first < last) {
    const uint32_t middle = first + (last - first) / 2;
    if (model.id_numbers[ItemInOrder(model, middle)] < id) {
      first = middle + 1;
    } else {
      last = middle;
    }
  }
  if (first == model.items) return STINT_UNKNOWN_ITEM;
  const uint32_t found = ItemInOrder(model, first);
  if (model.id_numbers[found] != id) return STINT_UNKNOWN_ITEM;
  *item = found;
  return STINT_OK;
}

Status FindName(const BoundModel& model, const char* name, size_t length, uint32_t* item) {
  if (!model.id_names) return STINT_UNKNOWN_ITEM;
  const uint8_t* const bytes = reinterpret_cast<const uint8_t*>(name);
  const auto compare = [&](uint32_t other) {
    size_t own_length;
    const uint8_t* const own = NameOf(model, other, &own_length);
    return CompareNames(own, own_length, bytes, length);
  };
  uint32_t first = 0, last = model.items;
  while (first < last) {
    const uint32_t middle = first + (last - first) / 2;
    if (compare(ItemInOrder(model, middle)) < 0) {
      first = middle + 1;
    } else {
      last = middle;
    }
  }
  if (first == model.items) return STINT_UNKNOWN_ITEM;
  const uint32_t found = ItemInOrder(model, first);
  if (compare(found) != 0) return STINT_UNKNOWN_ITEM;
  *item = found;
  return STINT_OK;
}

}  // namespace stint
