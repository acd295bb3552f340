// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

#include "bench/exact.h"

#include <cblas.h>

#include <algorithm>
#include <utility>

namespace stint::bench {
namespace {

// Higher score first, then lower index.
bool Better(const std::pair<double, uint32_t>& a, const std::pair<double, uint32_t>& b) {
  return a.first > b.first || (a.first == b.first && a.second < b.second);
}

std::string KeyOf(const float* hidden, size_t units) {
  return {reinterpret_cast<const char*>(hidden), units * sizeof(float)};
}

}  // namespace

std::vector<const std::vector<uint32_t>*> ExactAnswers::Of(const float* hidden, size_t count) {
  const size_t units = parameters_->width();
  std::vector<const float*> unknown;
  for (size_t q = 0; q < count; ++q) {
    if (answers_.try_emplace(KeyOf(hidden + q * units, units)).second) {
      unknown.push_back(hidden + q * units);
    }
  }
  if (!unknown.empty()) Compute(unknown);
  std::vector<const std::vector<uint32_t>*> answers(count);
  for (size_t q = 0; q < count; ++q) {
    answers[q] = &answers_.at(KeyOf(hidden + q * units, units));
  }
  return answers;
}

// Scores by dgemm choose a few more than are asked for, whose order is then that of sums in a fixed
// order: equal rows have equal scores there.
void ExactAnswers::Compute(const std::vector<const float*>& hidden) {
  constexpr size_t kBlock = 2048;
  constexpr size_t kSpare = 28;
  const size_t units = parameters_->width(), items = parameters_->items.rows;
  const size_t queries = hidden.size();
  const float* bias = parameters_->item_bias.Row(0);
  std::vector<double> states(queries * units);  // [queries, units]
  for (size_t q = 0; q < queries; ++q) {
    std::copy_n(hidden[q], units, states.data() + q * units);
  }
  std::vector<double> rows(kBlock * units);                             // [block, units]
  std::vector<double> scores(queries * kBlock);                         // [queries, block]
  std::vector<std::vector<std::pair<double, uint32_t>>> best(queries);  // heaps, worst in front
  for (size_t begin = 0; begin < items; begin += kBlock) {
    const size_t n = std::min(kBlock, items - begin);
    for (size_t i = 0; i < n; ++i) {
      std::copy_n(parameters_->items.Row(begin + i), units, rows.data() + i * units);
    }
    const auto m = static_cast<blasint>(queries), width = static_cast<blasint>(units);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, m, static_cast<blasint>(n), width, 1.0,
                states.data(), width, rows.data(), width, 0.0, scores.data(),
                static_cast<blasint>(kBlock));
    for (size_t q = 0; q < queries; ++q) {
      auto& heap = best[q];
      for (size_t i = 0; i < n; ++i) {
        const std::pair candidate{scores[q * kBlock + i] + bias[begin + i],
                                  static_cast<uint32_t>(begin + i)};
        if (heap.size() == kDeepest + kSpare) {
          if (!Better(candidate, heap.front())) continue;
          std::pop_heap(heap.begin(), heap.end(), Better);
          heap.pop_back();
        }
        heap.push_back(candidate);
        std::push_heap(heap.begin(), heap.end(), Better);
      }
    }
  }
  for (size_t q = 0; q < queries; ++q) {
    for (auto& [score, item] : best[q]) {
      score = 0;
      for (size_t j = 0; j < units; ++j) {
        score += static_cast<double>(hidden[q][j]) * parameters_->items.Row(item)[j];
      }
      score += bias[item];
      score =
          static_cast<double>(static_cast<float>(score));  // equal floats: the lower index first
    }
    std::sort(best[q].begin(), best[q].end(), Better);
    std::vector<uint32_t>& answer = answers_.at(KeyOf(hidden[q], units));
    for (size_t i = 0; i < std::min(kDeepest, best[q].size()); ++i) {
      answer.push_back(best[q][i].second);
    }
  }
}

}  // namespace stint::bench
