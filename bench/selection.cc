// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <utility>

#include "bench/engine.h"

namespace stint::bench {
namespace {

constexpr size_t kBlock = 64;  // compilers make vectors of it

// Worst in front of the heap.
bool Better(const std::pair<float, uint32_t>& a, const std::pair<float, uint32_t>& b) {
  return a.first > b.first || (a.first == b.first && a.second < b.second);
}

bool AnyAbove(const float* scores, float least) {
  int above = 0;
  for (size_t i = 0; i < kBlock; ++i) above |= scores[i] > least ? 1 : 0;
  return above != 0;
}

}  // namespace

void Selection::Best(const float* scores, size_t n, uint32_t k, std::vector<uint32_t>* items) {
  heap_.clear();
  for (size_t begin = 0; begin < n; begin += kBlock) {
    const size_t end = std::min(begin + kBlock, n);
    if (heap_.size() == k && end - begin == kBlock &&
        !AnyAbove(scores + begin, heap_.front().first)) {
      continue;
    }
    for (size_t i = begin; i < end; ++i) {
      if (heap_.size() == k) {
        if (!(scores[i] > heap_.front().first)) continue;
        std::pop_heap(heap_.begin(), heap_.end(), Better);
        heap_.pop_back();
      }
      heap_.emplace_back(scores[i], static_cast<uint32_t>(i));
      std::push_heap(heap_.begin(), heap_.end(), Better);
    }
  }
  std::sort_heap(heap_.begin(), heap_.end(), Better);
  items->resize(heap_.size());
  for (size_t i = 0; i < heap_.size(); ++i) (*items)[i] = heap_[i].second;
}

}  // namespace stint::bench
