// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Sizes and a seed -> a catalog and sessions to train on.
#include "bench/random_log.h"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "trainer/negative_sampler.h"
#include "trainer/random.h"

namespace stint::bench {

Catalog ZipfCatalog(size_t items, uint64_t seed) {
  const RandomCounter random(seed, 1001);
  std::vector<size_t> order(items);  // [items] popularity rank -> item
  std::iota(order.begin(), order.end(), size_t{0});
  for (size_t i = items; i > 1; --i) {  // Fisher and Yates
    std::swap(order[i - 1], order[random.Bits(i) % i]);
  }
  Catalog catalog;
  catalog.ids.numbers.resize(items);
  std::iota(catalog.ids.numbers.begin(), catalog.ids.numbers.end(), int64_t{0});
  catalog.counts.resize(items);
  for (size_t rank = 0; rank < items; ++rank) {
    catalog.counts[order[rank]] =
        static_cast<uint32_t>(5.0 + 20000.0 / static_cast<double>(rank + 1));
  }
  return catalog;
}

Sessions RandomSessions(const Catalog& catalog, uint32_t count, uint64_t seed) {
  const RandomCounter random(seed, 1004);
  const NegativeSampler popular(catalog.counts, 1.0, seed);
  Sessions sessions;
  sessions.offsets.push_back(0);
  for (uint32_t s = 0; s < count; ++s) {
    const uint64_t end = sessions.offsets.back() + 2 + random.Bits(s) % 7;
    sessions.items.resize(end);
    sessions.offsets.push_back(end);
    sessions.order.push_back(s);
    sessions.session_ids.numbers.push_back(s);
  }
  popular.Sample(0, sessions.items);
  return sessions;
}

}  // namespace stint::bench
