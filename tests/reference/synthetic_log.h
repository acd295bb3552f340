// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// A small click log with structure: items follow each other in chains, so that what comes next
// can be learned from order but not from popularity.
#ifndef STINT_TESTS_REFERENCE_SYNTHETIC_LOG_H_
#define STINT_TESTS_REFERENCE_SYNTHETIC_LOG_H_

#include <cstddef>
#include <cstdint>
#include <random>

#include "trainer/events.h"

namespace stint::reference {

struct SyntheticLog {
  size_t sessions = 300;
  size_t items = 60;
  double follow = 0.85;  // probability of one of the two followers of the last item
  uint64_t seed = 1;
};

// Session ids 1000.., item ids 7 * item + 3, one second between events; sessions of 1 to 12
// events, in the order of their starts. Items not clicked by anybody do not occur.
inline Events MakeSyntheticLog(const SyntheticLog& log) {
  std::mt19937_64 random(log.seed);
  const auto unit = [&] { return static_cast<double>(random() >> 11) * 0x1p-53; };
  const auto any_item = [&] {  // few popular, many rare
    const double u = unit();
    return static_cast<size_t>(u * u * static_cast<double>(log.items));
  };
  Events events;
  std::vector<uint32_t> index(log.items, UINT32_MAX);  // item -> dense index
  int64_t now = 1'600'000'000;
  for (size_t s = 0; s < log.sessions; ++s) {
    events.session_ids.numbers.push_back(static_cast<int64_t>(1000 + s));
    size_t item = any_item();
    const size_t length = 1 + random() % 12;
    for (size_t e = 0; e < length; ++e) {
      if (index[item] == UINT32_MAX) {
        index[item] = static_cast<uint32_t>(events.item_ids.numbers.size());
        events.item_ids.numbers.push_back(static_cast<int64_t>(7 * item + 3));
      }
      events.session.push_back(static_cast<uint32_t>(s));
      events.item.push_back(index[item]);
      events.time.push_back({.whole = now++, .nanos = 0});
      // Followers are far from neighbors in popularity.
      const size_t step = random() % 4 == 0 ? 29 : 17;
      item = unit() < log.follow ? (item + step) % log.items : any_item();
    }
  }
  return events;
}

}  // namespace stint::reference

#endif  // STINT_TESTS_REFERENCE_SYNTHETIC_LOG_H_
