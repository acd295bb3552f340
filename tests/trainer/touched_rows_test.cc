// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Distinct items and their places, against a map.
#include "trainer/touched_rows.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

namespace stint {
namespace {

TEST(TouchedRowsTest, KeepsEveryOccurrenceInOrder) {
  std::mt19937_64 random(4);
  TouchedRows touched(40);
  // Many rounds with one object: what an earlier round left must not show.
  for (size_t round = 0; round < 200; ++round) {
    const size_t n = random() % 90;
    std::vector<uint32_t> occurrences(n);
    for (uint32_t& item : occurrences) item = static_cast<uint32_t>(random() % 40);
    touched.Assign(occurrences.data(), n);
    std::vector<uint32_t> order;
    std::map<uint32_t, std::vector<uint32_t>> expected;
    for (size_t i = 0; i < n; ++i) {
      if (expected.count(occurrences[i]) == 0) order.push_back(occurrences[i]);
      expected[occurrences[i]].push_back(static_cast<uint32_t>(i));
    }
    ASSERT_EQ(touched.size(), order.size());
    for (size_t s = 0; s < touched.size(); ++s) {
      ASSERT_EQ(touched.item(s), order[s]);
      ASSERT_EQ(std::vector<uint32_t>(touched.begin(s), touched.end(s)), expected[order[s]]);
    }
  }
}

}  // namespace
}  // namespace stint
