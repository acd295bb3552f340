// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Sizes and a seed -> a catalog and sessions to train on, without structure: for time, not quality.
#ifndef STINT_BENCH_RANDOM_LOG_H_
#define STINT_BENCH_RANDOM_LOG_H_

#include <cstddef>
#include <cstdint>

#include "trainer/sessions.h"

namespace stint::bench {

// Item counts by Zipf's law, items in random order of popularity; ids are the item indices.
Catalog ZipfCatalog(size_t items, uint64_t seed);

// Sessions of 2 to 8 clicks, drawn by popularity.
Sessions RandomSessions(const Catalog& catalog, uint32_t count, uint64_t seed);

}  // namespace stint::bench

#endif  // STINT_BENCH_RANDOM_LOG_H_
