// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Bytes in memory -> how quickly they can be read: what no scan of them can be faster than.
#ifndef STINT_BENCH_READ_FLOOR_H_
#define STINT_BENCH_READ_FLOOR_H_

#include <cstddef>
#include <cstdint>

namespace stint::bench {

// Ways to read, of which the quickest counts: how far ahead lines are prefetched, 0 being not at
// all. All load whole vectors into eight sums.
inline constexpr size_t kReadAhead[] = {0, 1024, 4096};

// Reads `size` bytes (a multiple of 64 is read, from a multiple of 64 on) and returns a sum of
// them.
uint64_t ReadAll(const uint8_t* bytes, size_t size, size_t ahead);

}  // namespace stint::bench

#endif  // STINT_BENCH_READ_FLOOR_H_
