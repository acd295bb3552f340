// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Items of an older model and of a new log -> one catalog, and what validation knows.
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "trainer/warm_start.h"

namespace stint {
namespace {

Catalog NumberCatalog(std::vector<int64_t> ids, std::vector<uint32_t> counts) {
  Catalog catalog;
  catalog.ids.numbers = std::move(ids);
  catalog.counts = std::move(counts);
  return catalog;
}

TEST(WarmStartCatalogTest, OldItemsFirstThenNewOnes) {
  Dataset dataset;
  dataset.catalog = NumberCatalog({7, 30, 5, 99}, {2, 1, 4, 3});
  dataset.train.items = {0, 1, 2, 3, 0};
  dataset.validation.items = {3, 2};
  ExtendCatalog(NumberCatalog({5, 8, 7}, {10, 20, 30}), &dataset);
  EXPECT_EQ(dataset.catalog.ids.numbers, (std::vector<int64_t>{5, 8, 7, 30, 99}));
  EXPECT_EQ(dataset.catalog.counts, (std::vector<uint32_t>{14, 20, 32, 1, 3}));
  EXPECT_EQ(dataset.train.items, (std::vector<uint32_t>{2, 3, 0, 4, 2}));
  EXPECT_EQ(dataset.validation.items, (std::vector<uint32_t>{4, 0}));

  // Names in the new log turn the integers of the old model into names.
  dataset.catalog = {};
  dataset.catalog.ids.are_names = true;
  dataset.catalog.ids.names = {"shoe", "8"};
  dataset.catalog.counts = {1, UINT32_MAX};
  dataset.train.items = {0, 1};
  dataset.validation.items = {};
  ExtendCatalog(NumberCatalog({5, 8}, {10, 20}), &dataset);
  ASSERT_TRUE(dataset.catalog.ids.are_names);
  EXPECT_EQ(dataset.catalog.ids.names, (std::vector<std::string>{"5", "8", "shoe"}));
  EXPECT_EQ(dataset.catalog.counts, (std::vector<uint32_t>{10, UINT32_MAX, 1}));
  EXPECT_EQ(dataset.train.items, (std::vector<uint32_t>{2, 1}));
}

// Validation may ask for items that only the old model has seen, and for none that nobody has.
TEST(WarmStartCatalogTest, ItemsOfTheOldModelAreKnownInValidation) {
  Events events;  // sessions 1: 10 20 10, 2: 20 30 40
  events.session = {0, 0, 0, 1, 1, 1};
  events.item = {0, 1, 0, 1, 2, 3};
  for (int64_t t = 0; t < 6; ++t) events.time.push_back({t, 0});
  events.session_ids.numbers = {1, 2};
  events.item_ids.numbers = {10, 20, 30, 40};
  const auto divide = [&](const Catalog& old) {
    Dataset dataset = MakeDataset(events, {.validation_sessions = 1, .known = &old});
    ExtendCatalog(old, &dataset);
    return dataset;
  };
  const Dataset dataset = divide(NumberCatalog({40, 10}, {7, 8}));
  EXPECT_EQ(dataset.catalog.ids.numbers, (std::vector<int64_t>{40, 10, 20}));
  EXPECT_EQ(dataset.catalog.counts, (std::vector<uint32_t>{7, 10, 1}));
  EXPECT_EQ(dataset.train.items, (std::vector<uint32_t>{1, 2, 1}));
  EXPECT_EQ(dataset.validation.items, (std::vector<uint32_t>{2, 0}));
  EXPECT_EQ(dataset.validation_unknown, 1u);

  Catalog names;
  names.ids.are_names = true;
  names.ids.names = {"boot", "30"};
  names.counts = {1, 1};
  const Dataset named = divide(names);
  EXPECT_EQ(named.catalog.ids.names, (std::vector<std::string>{"boot", "30", "10", "20"}));
  EXPECT_EQ(named.catalog.counts, (std::vector<uint32_t>{1, 1, 2, 1}));
  EXPECT_EQ(named.validation.items, (std::vector<uint32_t>{3, 1}));
  EXPECT_EQ(named.validation_unknown, 1u);
}

}  // namespace
}  // namespace stint
