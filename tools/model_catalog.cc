// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

#include "tools/model_catalog.h"

#include "tools/common.h"

namespace stint {

Catalog ReadCatalog(const stint_model* model) {
  const stint_model_info info = Describe(model);
  Catalog catalog;
  catalog.ids.are_names = info.ids_are_names != 0;
  catalog.counts.resize(info.items);
  for (uint32_t item = 0; item < info.items; ++item) {
    Check(stint_item_count(model, item, &catalog.counts[item]), "item count");
    if (catalog.ids.are_names) {
      catalog.ids.names.push_back(ItemText(model, item));
    } else {
      Check(stint_item_id(model, item, &catalog.ids.numbers.emplace_back()), "item id");
    }
  }
  return catalog;
}

}  // namespace stint
