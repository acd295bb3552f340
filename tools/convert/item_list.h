// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// items.tsv (ItemId and perhaps Count, a row an item) <-> the catalog of a network.
#ifndef STINT_TOOLS_CONVERT_ITEM_LIST_H_
#define STINT_TOOLS_CONVERT_ITEM_LIST_H_

#include <cstddef>
#include <string>

#include "trainer/sessions.h"

namespace stint {

struct ItemList {
  Catalog catalog;
  bool has_counts = false;  // else they are all 1
};

// Rows are the items of a network of `items`, in its order; TSV or CSV with a header, plain or
// compressed. `ids` is "names", "integers" or "": integers if all of them are. Throws
// std::runtime_error "path:line: reason".
ItemList ReadItemList(const std::string& path, size_t items, const std::string& ids = "");

// The same as text that ReadItemList() takes: with tabs, or, where a name has a tab or a line break
// in it, as CSV.
std::string ItemListText(const Catalog& catalog);

}  // namespace stint

#endif  // STINT_TOOLS_CONVERT_ITEM_LIST_H_
