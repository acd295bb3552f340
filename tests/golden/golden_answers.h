// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// A model -> the name that says what it is, and a hash of what it answers. With the C API alone.
// Neither may change: files with these names and hashes are in tests/golden for good.
#ifndef STINT_TESTS_GOLDEN_GOLDEN_ANSWERS_H_
#define STINT_TESTS_GOLDEN_GOLDEN_ANSWERS_H_

#include <cstdint>
#include <string>

#include "stint/stint.h"

namespace stint {

// Parts joined by '_': format version, item rows (and layers, and scoring, where they are not the
// usual ones), embedding, GRU form, hidden activation, final activation, ids, units of the layers.
// As "v3_bf16-over-f32_separate_after_relu_softmax_names_8x6".
std::string GoldenName(const stint_model* model);

// Of ids and counts, and of hidden states, scores, activated scores and top-20 before the first
// and after every event of three sessions. Throws std::runtime_error if a call fails.
uint64_t GoldenAnswers(const stint_model* model);

}  // namespace stint

#endif  // STINT_TESTS_GOLDEN_GOLDEN_ANSWERS_H_
