// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Two models -> what differs in what they say of themselves, in their sections and in their items.
#ifndef STINT_TOOLS_MODEL_DIFF_H_
#define STINT_TOOLS_MODEL_DIFF_H_

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <vector>

#include "stint/stint.h"

namespace stint {

// Items are the same if their ids are, as text.
struct ItemMatch {
  static constexpr uint32_t kNone = UINT32_MAX;
  std::vector<uint32_t> b_of_a;  // [items of a]
  std::vector<uint32_t> gone;    // items of a that b has not
  std::vector<uint32_t> added;   // items of b that a has not
};
ItemMatch MatchItems(const stint_model* a, const stint_model* b);

// Ids that are listed of the added and of the gone ones, the first by index.
inline constexpr size_t kListedIds = 1000;

// Objects of what differs, {"a": ..., "b": ...} each.
nlohmann::ordered_json DiffHeaders(const stint_model* a, const stint_model* b);
nlohmann::ordered_json DiffObjects(const char* a, const char* b);  // JSON objects as text
nlohmann::ordered_json DiffSections(const stint_model* a, const stint_model* b);
nlohmann::ordered_json DiffItems(const stint_model* a, const stint_model* b,
                                 const ItemMatch& match);

}  // namespace stint

#endif  // STINT_TOOLS_MODEL_DIFF_H_
