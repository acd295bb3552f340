// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// A patch and its two models: standard output of both commands.
#ifndef STINT_TOOLS_PATCH_REPORT_H_
#define STINT_TOOLS_PATCH_REPORT_H_

#include <cstdint>
#include <string>

#include "tools/convert/patch.h"

namespace stint {

struct PatchReport {
  std::string old_path, new_path, patch_path;
  uint64_t old_size = 0, new_size = 0, patch_size = 0;  // bytes
  PatchRows rows;
};

void ReportPatch(const PatchReport& report, bool json);

}  // namespace stint

#endif  // STINT_TOOLS_PATCH_REPORT_H_
