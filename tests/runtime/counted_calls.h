// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// How often this process asked for memory, took a lock, or called the system by libc: the functions
// of libc that do are replaced (counted_calls.cc), for every library of the process.
#ifndef STINT_TESTS_RUNTIME_COUNTED_CALLS_H_
#define STINT_TESTS_RUNTIME_COUNTED_CALLS_H_

#include <cstdint>

namespace stint {

struct CallCounts {
  uint64_t allocations;
  uint64_t bytes;  // of the allocations, as asked for
  uint64_t locks;
  uint64_t system_calls;

  uint64_t Sum() const { return allocations + locks + system_calls; }
};

CallCounts CountedCalls();

}  // namespace stint

#endif  // STINT_TESTS_RUNTIME_COUNTED_CALLS_H_
