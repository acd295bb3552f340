// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// items.tsv (ItemId and perhaps Count, a row an item) <-> the catalog of a network.
#include "tools/convert/item_list.h"

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "trainer/id_index.h"
#include "trainer/record_reader.h"

namespace stint {
namespace {

constexpr char kItemColumn[] = "ItemId";
constexpr char kCountColumn[] = "Count";
constexpr size_t kMostLineBytes = 1 << 20;

// Where the columns stand in a row.
struct Columns {
  size_t item = 0;
  size_t count = 0;
  bool has_count = false;
  size_t fields = 0;
};

Columns ReadHeader(RecordReader* reader, char* separator) {
  std::string_view line;
  if (!reader->NextLine(&line)) reader->Fail("is empty: a header with the column ItemId is wanted");
  const bool comma = line.find(',') != std::string_view::npos;
  *separator = comma && line.find('\t') == std::string_view::npos ? ',' : '\t';
  std::vector<std::string_view> header;
  reader->Split(*separator, &header);
  Columns columns;
  columns.fields = header.size();
  bool has_item = false;
  for (size_t i = 0; i < header.size(); ++i) {
    if (header[i] == kItemColumn) {
      if (has_item) reader->Fail("column 'ItemId' stands twice in the header");
      has_item = true;
      columns.item = i;
    } else if (header[i] == kCountColumn) {
      if (columns.has_count) reader->Fail("column 'Count' stands twice in the header");
      columns.has_count = true;
      columns.count = i;
    }
  }
  if (!has_item) reader->Fail("no column 'ItemId' in the header " + Quoted(line));
  return columns;
}

uint32_t ParseCount(const RecordReader& reader, std::string_view text) {
  uint32_t count = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, count);
  if (error != std::errc() || stop != end) {
    reader.Fail("count " + Quoted(text) + " is no whole number from 0 to 4294967295");
  }
  return count;
}

void AppendField(const std::string& text, bool csv, std::string* out) {
  if (!csv || text.find_first_of(",\"\r\n") == std::string::npos) {
    *out += text;
    return;
  }
  *out += '"';
  for (const char c : text) {
    if (c == '"') *out += '"';
    *out += c;
  }
  *out += '"';
}

// Ids that read as integers -> names.
void MakeNames(Ids* ids) {
  for (const int64_t number : ids->numbers) ids->names.push_back(std::to_string(number));
  ids->numbers.clear();
  ids->are_names = true;
}

}  // namespace

ItemList ReadItemList(const std::string& path, size_t items, const std::string& ids) {
  RecordReader reader(path, kMostLineBytes);
  char separator = '\t';
  const Columns columns = ReadHeader(&reader, &separator);
  ItemList list;
  list.has_counts = columns.has_count;
  IdIndex index;
  std::string_view line;
  std::vector<std::string_view> fields;
  while (reader.NextLine(&line)) {
    reader.Split(separator, &fields);
    if (fields.size() != columns.fields) {
      reader.Fail(std::to_string(fields.size()) + " fields, the header has " +
                  std::to_string(columns.fields));
    }
    const std::string_view id = fields[columns.item];
    if (id.empty()) reader.Fail("an empty item id");
    const size_t row = index.ids().size();
    if (row == items) {
      reader.Fail("item " + Quoted(id) + " is one more than the " + std::to_string(items) +
                  " that the network has");
    }
    if (index.Insert(id) != row) reader.Fail("item id " + Quoted(id) + " stands twice");
    list.catalog.counts.push_back(columns.has_count ? ParseCount(reader, fields[columns.count])
                                                    : 1);
  }
  list.catalog.ids = index.Release();
  if (ids == "integers" && list.catalog.ids.are_names) {
    throw std::runtime_error(path + ": ids are no 64-bit integers, as those of the network are");
  }
  if (ids == "names" && !list.catalog.ids.are_names) MakeNames(&list.catalog.ids);
  if (list.catalog.size() != items) {
    throw std::runtime_error(path + ": " + std::to_string(list.catalog.size()) +
                             " items, the network has " + std::to_string(items));
  }
  return list;
}

std::string ItemListText(const Catalog& catalog) {
  const Ids& ids = catalog.ids;
  const bool csv = std::any_of(ids.names.begin(), ids.names.end(), [](const std::string& name) {
    return name.find_first_of("\t\r\n") != std::string::npos;
  });
  const char separator = csv ? ',' : '\t';
  std::string text = std::string(kItemColumn) + separator + kCountColumn + "\n";
  for (size_t i = 0; i < catalog.size(); ++i) {
    AppendField(ids.ToString(i), csv, &text);
    text += separator;
    text += std::to_string(catalog.counts[i]);
    text += '\n';
  }
  return text;
}

}  // namespace stint
