// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Parts of a model file whose size is right -> whether their values are.
#ifndef STINT_RUNTIME_VALIDATE_H_
#define STINT_RUNTIME_VALIDATE_H_

#include <cstddef>
#include <cstdint>

#include "runtime/model.h"
#include "runtime/status.h"

namespace stint {

// The bytes [begin, end) of a section, whole units: weights and biases finite and not above
// kLargestWeight, scales not negative, codes in [-127, 127], padding as schema/panel.h says.
[[nodiscard]] Status CheckValues(const Section& section, size_t begin, size_t end,
                                 stint_error* error);

// The kind known, alpha and scale finite and in range, and without effect where the kind has none.
// `kind` is what the file says: not a number of the enumeration until this passed.
[[nodiscard]] Status CheckActivation(const char* name, uint32_t kind, float alpha, float scale,
                                     stint_error* error);

// Terminated texts hold no zero byte of their own.
[[nodiscard]] Status CheckText(const char* name, const char* text, size_t length,
                               stint_error* error);

// Name offsets start at 0, never fall and end with the names.
[[nodiscard]] Status CheckNameOffsets(const BoundModel& model, stint_error* error);

// id_order names every item once and its ids rise strictly. Needs the id fields of `model`.
[[nodiscard]] Status CheckIdOrder(const BoundModel& model, stint_error* error);

}  // namespace stint

#endif  // STINT_RUNTIME_VALIDATE_H_
