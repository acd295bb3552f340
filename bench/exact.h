// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Hidden states -> the right answers, by brute force in double.
#ifndef STINT_BENCH_EXACT_H_
#define STINT_BENCH_EXACT_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "trainer/parameters.h"

namespace stint::bench {

// Right answers of one model, each computed once.
class ExactAnswers {
 public:
  static constexpr size_t kDeepest = 100;

  // `parameters` must outlive this.
  explicit ExactAnswers(const Parameters* parameters) : parameters_(parameters) {}

  // The kDeepest best items (fewer in a smaller catalog), best first, ties by lower index, of each
  // of the `count` hidden states [count, units].
  std::vector<const std::vector<uint32_t>*> Of(const float* hidden, size_t count);

 private:
  void Compute(const std::vector<const float*>& hidden);

  const Parameters* parameters_;
  std::map<std::string, std::vector<uint32_t>> answers_;  // bytes of a hidden state -> items
};

}  // namespace stint::bench

#endif  // STINT_BENCH_EXACT_H_
