// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Keys -> the k best. Plain code outside the per-target units: templates of the standard library
// instantiated inside one would carry its instructions to other callers.
#include "runtime/select.h"

#include <algorithm>
#include <functional>

namespace stint {

void KeepBest(uint64_t* keys, size_t count, size_t keep) {
  STINT_DASSERT(1 <= keep && keep <= count);
  std::nth_element(keys, keys + keep - 1, keys + count, std::greater<uint64_t>());
}

void SortBest(uint64_t* keys, size_t count) {
  std::sort(keys, keys + count, std::greater<uint64_t>());
}

}  // namespace stint
