// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

#include "tools/patch_report.h"

#include <nlohmann/json.hpp>

#include "tools/common.h"

namespace stint {

void ReportPatch(const PatchReport& report, bool json) {
  const double percent =
      100.0 * static_cast<double>(report.patch_size) / static_cast<double>(report.new_size);
  const PatchRows& rows = report.rows;
  if (json) {
    WriteJson({{"old", report.old_path},
               {"new", report.new_path},
               {"patch", report.patch_path},
               {"old_size", report.old_size},
               {"new_size", report.new_size},
               {"patch_size", report.patch_size},
               {"percent", percent},
               {"items",
                {{"same", rows.same},
                 {"changed", rows.changed},
                 {"added", rows.added},
                 {"gone", rows.gone}}}});
    return;
  }
  std::string text;
  const auto line = [&](const char* key, const std::string& value) {
    text += Format("%-18s", key) + value + "\n";
  };
  line("patch", report.patch_path);
  line("patch size",
       Grouped(report.patch_size) + " bytes, " + Format("%.2f %% of the new model", percent));
  line("new model", report.new_path);
  line("new size", Grouped(report.new_size) + " bytes");
  line("item rows", Grouped(rows.same) + " the same, " + Grouped(rows.changed) + " changed, " +
                        Grouped(rows.added) + " new, " + Grouped(rows.gone) + " gone");
  WriteOutput(text);
}

}  // namespace stint
