// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Distinct items and their places, against a map.
#include "trainer/touched_rows.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <new>
#include <random>
#include <vector>

namespace {
size_t allocations = 0;
}  // namespace

// Not inlined: of malloc() here and delete there g++ makes a mismatch.
[[gnu::noinline]] void* operator new(size_t n) {
  ++allocations;
  if (void* p = std::malloc(n > 0 ? n : 1)) return p;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, size_t) noexcept { std::free(p); }

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
    size_t most = 0;
    for (const auto& [item, places] : expected) most = std::max(most, places.size());
    ASSERT_EQ(touched.most(), most);
    for (size_t s = 0; s < touched.size(); ++s) {
      ASSERT_EQ(touched.item(s), order[s]);
      ASSERT_EQ(std::vector<uint32_t>(touched.begin(s), touched.end(s)), expected[order[s]]);
    }
  }
}

// A task of a Team must not throw, so it must not allocate.
TEST(TouchedRowsTest, AssignWithinWhatIsReservedDoesNotAllocate) {
  constexpr size_t kMost = 100;
  std::mt19937_64 random(5);
  TouchedRows touched(1000);
  std::vector<uint32_t> occurrences(kMost);
  touched.Reserve(kMost);
  const size_t before = allocations;
  ASSERT_GT(before, 0u);
  for (size_t n = 0; n <= kMost; ++n) {
    for (uint32_t& item : occurrences) item = static_cast<uint32_t>(random() % 1000);
    touched.Assign(occurrences.data(), n);
  }
  EXPECT_EQ(allocations, before);
  TouchedRows unreserved(1000);
  unreserved.Assign(occurrences.data(), kMost);
  EXPECT_GT(allocations, before + 2);  // those of its two arrays of items: it counts
}

}  // namespace
}  // namespace stint
