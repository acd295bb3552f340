// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

#include "tools/model_diff.h"

#include <optional>
#include <string>

#include "tools/common.h"

namespace stint {
namespace {

using nlohmann::ordered_json;

// All that a header says, by name.
ordered_json Header(const stint_model* model) {
  const stint_model_info info = Describe(model);
  return {{"format_version", info.format_version},
          {"file_size", info.file_size},
          {"dtype", info.dtype},
          {"layer_dtype", info.layer_dtype},
          {"scoring", info.scoring},
          {"cascade_columns", info.cascade_columns},
          {"layers", std::vector<uint32_t>(info.units, info.units + info.layers)},
          {"gru_form", info.gru_form},
          {"layer_gru_forms",
           std::vector<std::string>(info.layer_gru_forms, info.layer_gru_forms + info.layers)},
          {"embedding", info.embedding},
          {"embedding_width", info.embedding_width},
          {"hidden_activation", info.hidden_activation},
          {"final_activation", info.final_activation},
          {"ids", info.ids_are_names ? "names" : "integers"},
          {"items", info.items},
          {"training_events", info.training_events},
          {"self_tests", info.self_tests}};
}

// A key that is not there is null.
ordered_json Differing(const ordered_json& a, const ordered_json& b) {
  ordered_json out = ordered_json::object();
  for (const auto& [key, value] : a.items()) {
    const ordered_json other = b.contains(key) ? b.at(key) : ordered_json();
    if (!b.contains(key) || value != other) out[key] = {{"a", value}, {"b", other}};
  }
  for (const auto& [key, value] : b.items()) {
    if (!a.contains(key)) out[key] = {{"a", nullptr}, {"b", value}};
  }
  return out;
}

ordered_json SectionsOf(const stint_model* model) {
  ordered_json out = ordered_json::object();
  stint_section_info section = {};
  for (uint32_t i = 0; stint_model_section(model, i, &section) == STINT_OK; ++i) {
    out[section.name] = {
        {"size", section.size},
        {"xxh3", Format("%016llx", static_cast<unsigned long long>(section.xxh3))}};
  }
  return out;
}

uint32_t CountOf(const stint_model* model, uint32_t item) {
  uint32_t count = 0;
  Check(stint_item_count(model, item, &count), "item count");
  return count;
}

ordered_json Ids(const stint_model* model, const std::vector<uint32_t>& items) {
  ordered_json ids = ordered_json::array();
  for (size_t i = 0; i < items.size() && i < kListedIds; ++i) {
    ids.push_back(ItemJson(model, items[i]));
  }
  return ids;
}

}  // namespace

ItemMatch MatchItems(const stint_model* a, const stint_model* b) {
  ItemMatch match;
  const uint32_t a_items = Describe(a).items;
  const uint32_t b_items = Describe(b).items;
  match.b_of_a.assign(a_items, ItemMatch::kNone);
  std::vector<bool> found(b_items);
  for (uint32_t i = 0; i < a_items; ++i) {
    if (const std::optional<uint32_t> item = FindItem(b, ItemText(a, i))) {
      match.b_of_a[i] = *item;
      found[*item] = true;
    } else {
      match.gone.push_back(i);
    }
  }
  for (uint32_t i = 0; i < b_items; ++i) {
    if (!found[i]) match.added.push_back(i);
  }
  return match;
}

ordered_json DiffHeaders(const stint_model* a, const stint_model* b) {
  return Differing(Header(a), Header(b));
}

ordered_json DiffObjects(const char* a, const char* b) {
  return Differing(ParseModelText(a), ParseModelText(b));
}

ordered_json DiffSections(const stint_model* a, const stint_model* b) {
  return Differing(SectionsOf(a), SectionsOf(b));
}

ordered_json DiffItems(const stint_model* a, const stint_model* b, const ItemMatch& match) {
  uint64_t moved = 0;
  uint64_t counts_changed = 0;
  for (uint32_t i = 0; i < match.b_of_a.size(); ++i) {
    const uint32_t other = match.b_of_a[i];
    if (other == ItemMatch::kNone) continue;
    moved += other != i;
    counts_changed += CountOf(a, i) != CountOf(b, other);
  }
  return {{"a", match.b_of_a.size()},
          {"b", Describe(b).items},
          {"both", match.b_of_a.size() - match.gone.size()},
          {"added", match.added.size()},
          {"gone", match.gone.size()},
          {"moved", moved},
          {"counts_changed", counts_changed},
          {"added_ids", Ids(b, match.added)},
          {"gone_ids", Ids(a, match.gone)}};
}

}  // namespace stint
