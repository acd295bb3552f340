// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// A small model for c_api_test.c: C has no trainer.
#include <cstddef>
#include <cstdint>

#include "trainer/export.h"
#include "trainer/initialize.h"
#include "trainer/parameters.h"

extern "C" const void* test_model(size_t* size) {
  static const stint::AlignedBytes bytes = [] {
    stint::Parameters parameters(50, {6}, stint::GruForm::kResetAfter);
    stint::Initialize(stint::Options{.seed = 3}, &parameters);
    stint::Catalog catalog;
    for (int64_t i = 0; i < 50; ++i) {
      catalog.ids.numbers.push_back(1000 + 10 * i);
      catalog.counts.push_back(static_cast<uint32_t>(1 + i % 7));
    }
    stint::ExportInput input;
    input.parameters = &parameters;
    input.catalog = &catalog;
    input.self_test_sessions = {{1, 2, 3}, {}};
    return stint::BuildModel(input);
  }();
  *size = bytes.size();
  return bytes.data();
}
