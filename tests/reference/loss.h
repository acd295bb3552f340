// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Scores of a mini-batch -> loss and its gradient, in float64, a row at a time (ALGORITHM section
// 6; arXiv 1706.03847).
#ifndef STINT_TESTS_REFERENCE_LOSS_H_
#define STINT_TESTS_REFERENCE_LOSS_H_

#include "tests/reference/settings.h"
#include "tests/reference/weights.h"

namespace stint::reference {

// What a loss on given scores is worth and its gradient by the scores, both summed over rows and
// not yet divided by the batch size. `scores` [rows, columns] with the target of row i in column
// i; logQ has been subtracted already. `counted` [rows, columns]: 0 where a column counts for
// nothing in a row; the target always counts; empty: all count. A row of which only the target
// counts is worth nothing under a softmax (also of the negatives) and has no gradient under any
// loss.
double LossOfScores(const Settings& settings, const Array& scores, Array* gradient,
                    const Array& counted = {});

}  // namespace stint::reference

#endif  // STINT_TESTS_REFERENCE_LOSS_H_
