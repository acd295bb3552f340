// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

#include "tools/patch_report.h"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <system_error>

#include "tools/common.h"

namespace stint {

void CheckNotInput(const std::string& out, const std::string& in) {
  std::error_code none;  // what is not there is not the same
  if (out == in || std::filesystem::equivalent(out, in, none)) {
    throw std::invalid_argument("-o " + out + " would overwrite " + in);
  }
}

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
