// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Two models and sessions -> how their recommendations differ.
#ifndef STINT_TOOLS_ANSWER_DIFF_H_
#define STINT_TOOLS_ANSWER_DIFF_H_

#include <cstdint>
#include <functional>

#include "stint/stint.h"
#include "tools/model_diff.h"
#include "trainer/sessions.h"

namespace stint {

struct AnswerDiff {
  uint64_t sessions = 0;  // compared
  uint64_t skipped = 0;   // with no item that both models know
  // Over the sessions compared; they say nothing where there are none.
  double overlap = 0;    // mean share of the lists that both have, by id
  double same_top = 0;   // share with the same first item
  double same_list = 0;  // share with the same items in the same order
  // Of the items that both lists have; the differences say nothing where there are none.
  uint64_t scores = 0;
  double mean_score_difference = 0;
  double largest_score_difference = 0;
};

// Recommends k items after the last click of each session; items that not both models know are left
// out of the sessions. Item indices of `sessions` are those of `a`.
AnswerDiff DiffAnswers(const stint_model* a, const stint_model* b, const ItemMatch& match,
                       const Sessions& sessions, uint32_t k,
                       const std::function<void(uint64_t done, uint64_t total)>& progress);

}  // namespace stint

#endif  // STINT_TOOLS_ANSWER_DIFF_H_
