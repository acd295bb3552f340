// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// What is to become a model file -> an error where its parts contradict each other or the format.
#ifndef STINT_TRAINER_EXPORT_CHECK_H_
#define STINT_TRAINER_EXPORT_CHECK_H_

#include <cstddef>
#include <string>

#include "trainer/export.h"
#include "trainer/options.h"
#include "trainer/parameters.h"

namespace stint {

// Throws std::runtime_error "model: message".
[[noreturn]] void FailExport(const std::string& message);

// By FailExport(). Weights are looked at when they are packed, ids when they are sorted.
void CheckExport(const ExportInput& input);

// The kind of the layers and of the input rows.
DType LayersOf(const ExportInput& input);

// The matrix behind input_rows: rows of the file that an item has.
size_t InputParts(const Parameters& parameters);

}  // namespace stint

#endif  // STINT_TRAINER_EXPORT_CHECK_H_
