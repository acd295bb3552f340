// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Grouping, ordering, splitting and mapping of sessions, by hand and against the golden log.
#include "trainer/sessions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <stdexcept>

#include "tests/reference/folders.h"
#include "tests/reference/safetensors.h"

namespace stint {
namespace {

struct Row {
  int64_t session;
  int64_t item;
  int64_t time;
};

Events MakeEvents(const std::vector<Row>& rows) {
  Events events;
  const auto number = [](int64_t id, Ids* ids) {
    for (size_t i = 0; i < ids->numbers.size(); ++i) {
      if (ids->numbers[i] == id) return static_cast<uint32_t>(i);
    }
    ids->numbers.push_back(id);
    return static_cast<uint32_t>(ids->numbers.size() - 1);
  };
  for (const Row& row : rows) {
    events.session.push_back(number(row.session, &events.session_ids));
    events.item.push_back(number(row.item, &events.item_ids));
    events.time.push_back({row.time, 0});
  }
  return events;
}

using Numbers = std::vector<uint32_t>;

TEST(Sessions, SortedByIdThenTimeThenFileOrder) {
  const Events events = MakeEvents({{10, 100, 5},
                                    {-2, 101, 9},
                                    {10, 102, 4},
                                    {-2, 103, 9},
                                    {-2, 104, 1},
                                    {10, 105, 5},
                                    {10, 106, 5}});
  const Sessions sessions = MakeSessions(events);
  EXPECT_EQ(sessions.session_ids.numbers, (std::vector<int64_t>{-2, 10}));
  EXPECT_EQ(sessions.offsets, (std::vector<uint64_t>{0, 3, 7}));
  EXPECT_EQ(sessions.items, (Numbers{4, 1, 3, 2, 0, 5, 6}));
  EXPECT_EQ(sessions.order, (Numbers{0, 1}));
  EXPECT_EQ(sessions.Targets(), 5u);
}

TEST(Sessions, NamesAreSortedAsBytes) {
  Events events = MakeEvents({{1, 1, 1}, {2, 2, 2}, {3, 3, 3}});
  events.session_ids = {.are_names = true, .numbers = {}, .names = {"b", "10", "9"}};
  EXPECT_EQ(MakeSessions(events).session_ids.names, (std::vector<std::string>{"10", "9", "b"}));
}

TEST(Sessions, OrderIsByStartWithTiesByPosition) {
  const Events events =
      MakeEvents({{1, 1, 30}, {2, 2, 20}, {3, 3, 10}, {4, 4, 20}, {1, 5, 20}, {5, 6, 10}});
  EXPECT_EQ(MakeSessions(events).order, (Numbers{2, 4, 0, 1, 3}));
}

TEST(Sessions, FractionsOfTimeOrderEvents) {
  Events events = MakeEvents({{1, 1, 7}, {1, 2, 7}, {1, 3, 7}});
  events.time[0].nanos = 5;
  events.time[2].nanos = 1;
  EXPECT_EQ(MakeSessions(events).items, (Numbers{1, 2, 0}));
}

TEST(Dataset, SplitsTheLastSessionsByStart) {
  // Session 2 starts last, 1 second to last; item 50 is known to them alone.
  const std::vector<Row> rows = {{2, 50, 9}, {1, 8, 5}, {3, 7, 1}, {3, 8, 2}, {1, 50, 6},
                                 {4, 7, 3},  {4, 9, 4}, {4, 7, 4}, {2, 9, 10}};
  const Events events = MakeEvents(rows);
  const Dataset dataset = MakeDataset(events, 2);
  EXPECT_EQ(dataset.catalog.ids.numbers, (std::vector<int64_t>{7, 8, 9}));
  EXPECT_EQ(dataset.catalog.counts, (Numbers{3, 1, 1}));
  EXPECT_EQ(dataset.train.session_ids.numbers, (std::vector<int64_t>{3, 4}));
  EXPECT_EQ(dataset.train.items, (Numbers{0, 1, 0, 2, 0}));
  EXPECT_EQ(dataset.train.order, (Numbers{0, 1}));
  EXPECT_EQ(dataset.validation.session_ids.numbers, (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(dataset.validation.items, (Numbers{1, 2}));
  EXPECT_EQ(dataset.validation.offsets, (std::vector<uint64_t>{0, 1, 2}));
  EXPECT_EQ(dataset.validation_unknown, 2u);

  const Dataset whole = MakeDataset(events, 0);
  EXPECT_EQ(whole.catalog.ids.numbers, (std::vector<int64_t>{50, 8, 7, 9}));
  EXPECT_EQ(whole.train.items, MakeSessions(events).items);
  EXPECT_EQ(whole.validation.size(), 0u);
  EXPECT_EQ(std::accumulate(whole.catalog.counts.begin(), whole.catalog.counts.end(), 0u),
            rows.size());

  EXPECT_EQ(MakeDataset(events, 99).train.size(), 1u);
  EXPECT_EQ(MakeDataset(events, 99).validation.size(), 3u);
  EXPECT_THROW(MakeDataset(MakeEvents({{1, 1, 1}}), 1), std::runtime_error);
}

TEST(Dataset, SplitsByTheSpanBeforeTheNewestEvent) {
  // Ends: 1 at 100, 2 at 90, 3 at 89.999999999, 4 at 50, 5 at 90 (but it starts at 1).
  Events events = MakeEvents(
      {{1, 7, 95}, {1, 8, 100}, {2, 9, 90}, {3, 7, 89}, {4, 8, 50}, {5, 7, 1}, {5, 8, 90}});
  events.time[3].nanos = 999999999;
  const Dataset dataset = MakeDataset(events, {.validation_span = {10, 0}});
  EXPECT_EQ(dataset.train.session_ids.numbers, (std::vector<int64_t>{3, 4}));
  EXPECT_EQ(dataset.validation.session_ids.numbers, (std::vector<int64_t>{1, 2, 5}));
  EXPECT_EQ(dataset.validation_unknown, 1u);  // item 9
  EXPECT_EQ(dataset.catalog.ids.numbers, (std::vector<int64_t>{7, 8}));

  const auto validates = [&](EventTime span) {
    return MakeDataset(events, {.validation_span = span}).validation.session_ids.numbers;
  };
  EXPECT_EQ(validates({0, 1}), (std::vector<int64_t>{1}));  // never none: the newest
  EXPECT_EQ(validates({9, 999999999}), (std::vector<int64_t>{1}));
  EXPECT_EQ(validates({10, 1}), (std::vector<int64_t>{1, 2, 3, 5}));
  EXPECT_EQ(validates({49, 0}), (std::vector<int64_t>{1, 2, 3, 5}));
  EXPECT_EQ(MakeDataset(events, {.validation_span = {0, 0}}).validation.size(), 0u);
  EXPECT_THROW(validates({50, 0}), std::runtime_error);  // none to train on
  EXPECT_THROW(validates({INT64_MAX, 0}), std::runtime_error);
  EXPECT_THROW(validates({-1, 0}), std::invalid_argument);
  EXPECT_THROW(MakeDataset(events, {.validation_sessions = 1, .validation_span = {1, 0}}),
               std::invalid_argument);
  EXPECT_THROW(MakeDataset(MakeEvents({{1, 1, 1}}), {.validation_span = {1, 0}}),
               std::runtime_error);

  // Times whose difference 64 bits cannot hold.
  events.time[4].whole = -9000000000000000000;
  events.time[1].whole = 9000000000000000000;
  EXPECT_EQ(validates({1, 0}), (std::vector<int64_t>{1}));
  EXPECT_EQ(validates({INT64_MAX, 0}), (std::vector<int64_t>{1, 2, 3, 5}));
}

TEST(MapSessions, DropsAndCountsOrKeepsUnknownItems) {
  Catalog catalog;
  catalog.ids.numbers = {7, 8};
  catalog.counts = {1, 1};
  const Events events =
      MakeEvents({{1, 9, 1}, {1, 8, 5}, {1, 9, 6}, {1, 7, 7}, {2, 9, 0}, {3, 7, 2}});
  uint64_t unknown = 0;
  const Sessions dropped = MapSessions(events, catalog, &unknown);
  EXPECT_EQ(unknown, 3u);
  EXPECT_EQ(dropped.items, (Numbers{1, 0, 0}));
  EXPECT_EQ(dropped.offsets, (std::vector<uint64_t>{0, 2, 2, 3}));
  EXPECT_EQ(dropped.order, (Numbers{1, 2, 0}));  // session 1 now starts at time 5
  EXPECT_EQ(dropped.Targets(), 1u);
  const Sessions kept = MapSessions(events, catalog, &unknown, true);
  EXPECT_EQ(unknown, 3u);
  EXPECT_EQ(kept.items, (Numbers{kUnknownItem, 1, kUnknownItem, 0, kUnknownItem, 0}));
  EXPECT_EQ(kept.Targets(), 3u);
}

TEST(MapSessions, KindsOfIdsMeetAsText) {
  Events events = MakeEvents({{1, 7, 1}, {1, 8, 2}, {1, -3, 3}});
  Catalog names;
  names.ids = {.are_names = true, .numbers = {}, .names = {"-3", "007", "8"}};
  names.counts = {1, 1, 1};
  uint64_t unknown = 0;
  EXPECT_EQ(MapSessions(events, names, &unknown).items, (Numbers{2, 0}));
  EXPECT_EQ(unknown, 1u);
  events.item_ids = {.are_names = true, .numbers = {}, .names = {"x", "8", "08"}};
  Catalog numbers;
  numbers.ids.numbers = {7, 8};
  numbers.counts = {1, 1};
  EXPECT_EQ(MapSessions(events, numbers, &unknown).items, (Numbers{1}));
  EXPECT_EQ(unknown, 2u);
}

TEST(Sessions, GoldenLog) {
  const std::string folder = reference::GoldenDir();
  STINT_REQUIRE_PATH(folder);
  const reference::Safetensors data = reference::ReadSafetensors(folder + "/data.safetensors");
  const Dataset dataset = MakeDataset(ReadEvents(folder + "/train.tsv", {}), 0);
  EXPECT_EQ(dataset.catalog.ids.numbers, data["item_ids"].AsInt64());
  EXPECT_EQ(dataset.catalog.counts, data["counts"].AsUint32());
  EXPECT_EQ(dataset.train.items, data["items"].AsUint32());
  const std::vector<uint32_t> offsets = data["offsets"].AsUint32();
  EXPECT_EQ(dataset.train.offsets, std::vector<uint64_t>(offsets.begin(), offsets.end()));
  EXPECT_EQ(dataset.train.session_ids.numbers, data["session_ids"].AsInt64());
  EXPECT_EQ(dataset.train.order, data["session_order"].AsUint32());

  // The golden test log leaves out sessions that have lost all items.
  uint64_t unknown = 0;
  const Sessions test =
      MapSessions(ReadEvents(folder + "/test.tsv", {}), dataset.catalog, &unknown);
  std::vector<uint32_t> position;  // [sessions] among those with items
  std::vector<uint32_t> ends = {0};
  std::vector<int64_t> ids;
  for (size_t s = 0; s < test.size(); ++s) {
    position.push_back(static_cast<uint32_t>(ids.size()));
    if (test[s].empty()) continue;
    ids.push_back(test.session_ids.numbers[s]);
    ends.push_back(static_cast<uint32_t>(test.offsets[s + 1]));
  }
  std::vector<uint32_t> order;
  for (const uint32_t s : test.order) {
    if (!test[s].empty()) order.push_back(position[s]);
  }
  EXPECT_EQ(test.items, data["test_items"].AsUint32());
  EXPECT_EQ(ends, data["test_offsets"].AsUint32());
  EXPECT_EQ(ids, data["test_session_ids"].AsInt64());
  EXPECT_EQ(order, data["test_session_order"].AsUint32());
  EXPECT_EQ(unknown, 79u - test.items.size());  // 79 rows in the file
}

TEST(Sessions, RealLogsAreAsTheirReadmesSay) {
  const std::string folder = reference::DataDir();
  STINT_REQUIRE_PATH(folder);
  struct Known {
    const char* file;
    size_t sessions, events, items, targets;
  };
  for (const Known& known : {Known{"diginetica/train.tsv.gz", 186670, 906140, 43097, 719470},
                             Known{"diginetica/test.tsv.gz", 15963, 76821, 21131, 60858},
                             Known{"bolcom_demo/train.tsv.gz", 23753, 113601, 18009, 89848},
                             Known{"yoochoose1_64/test_full.tsv.gz", 15324, 71222, 6751, 55898},
                             Known{"rsc15_100k/train.tsv.gz", 17794, 70278, 2933, 52484}}) {
    const std::string path = folder + "/" + known.file;
    STINT_REQUIRE_PATH(path);
    const Events events = ReadEvents(path, {});
    EXPECT_EQ(events.size(), known.events) << known.file;
    EXPECT_EQ(events.item_ids.size(), known.items) << known.file;
    const Sessions sessions = MakeSessions(events);
    EXPECT_EQ(sessions.size(), known.sessions) << known.file;
    EXPECT_EQ(sessions.Targets(), known.targets) << known.file;
  }
}

TEST(Sessions, EpochOrders) {
  const Events events = MakeEvents({{7, 1, 30}, {3, 1, 20}, {5, 1, 10}, {9, 1, 20}});
  const Sessions sessions = MakeSessions(events);  // 3 5 7 9
  for (const uint64_t epoch : {1, 2}) {
    EXPECT_EQ(EpochOrder(sessions, SessionOrder::kTime, 1, epoch), (Numbers{1, 0, 3, 2}));
    EXPECT_EQ(EpochOrder(sessions, SessionOrder::kId, 1, epoch), (Numbers{0, 1, 2, 3}));
  }
  EXPECT_EQ(EpochOrder(Sessions(), SessionOrder::kRandom, 1, 1), Numbers());
}

TEST(Sessions, RandomOrdersAreUniformAndRepeatable) {
  const Sessions sessions = MakeSessions(MakeEvents({{1, 1, 1}, {2, 1, 1}, {3, 1, 1}, {4, 1, 1}}));
  std::map<Numbers, int> seen;
  constexpr int kEpochs = 24000;
  for (uint64_t epoch = 0; epoch < kEpochs; ++epoch) {
    const Numbers order = EpochOrder(sessions, SessionOrder::kRandom, 42, epoch);
    ASSERT_EQ(order, EpochOrder(sessions, SessionOrder::kRandom, 42, epoch));
    ++seen[order];
  }
  ASSERT_EQ(seen.size(), 24u);  // all permutations
  double chi_square = 0;
  for (const auto& [order, count] : seen) {
    Numbers sorted = order;
    std::sort(sorted.begin(), sorted.end());
    EXPECT_EQ(sorted, (Numbers{0, 1, 2, 3}));
    chi_square += (count - 1000.0) * (count - 1000.0) / 1000.0;
  }
  EXPECT_LT(chi_square, 49.8);  // 23 degrees of freedom: exceeded once in 1000 seeds

  std::vector<Row> rows;
  for (int64_t s = 0; s < 300; ++s) rows.push_back({s, 1, s});
  const Sessions many = MakeSessions(MakeEvents(rows));
  const Numbers one = EpochOrder(many, SessionOrder::kRandom, 42, 1);
  EXPECT_NE(one, EpochOrder(many, SessionOrder::kRandom, 42, 2));
  EXPECT_NE(one, EpochOrder(many, SessionOrder::kRandom, 43, 1));
}

}  // namespace
}  // namespace stint
