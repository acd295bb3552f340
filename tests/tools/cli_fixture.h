// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// What the tests of sub-commands share: a synthetic log and a model trained on it, once a program.
#ifndef STINT_TESTS_TOOLS_CLI_FIXTURE_H_
#define STINT_TESTS_TOOLS_CLI_FIXTURE_H_

#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "tests/temporary_folder.h"
#include "tests/tools/run_stint.h"

namespace stint {

using nlohmann::json;
using Words = std::vector<std::string>;

// Lines of fields with tabs between.
inline std::vector<std::vector<std::string>> Table(const std::string& text) {
  std::vector<std::vector<std::string>> rows;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    rows.emplace_back();
    std::istringstream fields(line);
    for (std::string field; std::getline(fields, field, '\t');) rows.back().push_back(field);
  }
  return rows;
}

// A model trained once on a synthetic log, for all tests.
class CliTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    shared_ = std::make_unique<TemporaryFolder>();
    Must({"synth", "--sessions", "1500", "--items", "150", "--out", File("train.tsv")});
    Must({"synth", "--sessions", "300", "--first-session", "1500", "--items", "150", "--out",
          File("test.tsv")});
    train_json_ = json::parse(Must({"train", File("train.tsv"), "--out", File("model.stint"),
                                    "--layers", "24", "--epochs", "4", "--validate-last", "10%",
                                    "--json", "--learning-rate", "0.1", "--negatives", "128"})
                                  .out);
    // Names with commas, quotes and a slash; commas between fields.
    std::string csv = "at,item,\"visit\"\n";
    for (int s = 0; s < 40; ++s) {
      csv += std::to_string(3 * s) + ",\"socks, red\",v" + std::to_string(s) + "\n";
      csv += std::to_string(3 * s + 1) + ",\"5\"\" nail\",v" + std::to_string(s) + "\n";
      if (s % 2 == 0) csv += std::to_string(3 * s + 2) + ",a/b,v" + std::to_string(s) + "\n";
    }
    shared_->Write("names.csv", csv);
    Must({"train", File("names.csv"), "--out", File("names.stint"), "--session-column", "visit",
          "--item-column", "item", "--time-column", "at", "--layers", "8", "--epochs", "2",
          "--negatives", "16", "--quiet"});
  }
  static void TearDownTestSuite() { shared_.reset(); }

  static std::string File(const std::string& name) { return *shared_ / name; }
  // A run that succeeds.
  static RunResult Must(const Words& arguments, const RunSetting& setting = {}) {
    RunResult result = RunStint(arguments, setting);
    EXPECT_EQ(result.status, 0) << result.error;
    return result;
  }
  static json MustJson(const Words& arguments) { return json::parse(Must(arguments).out); }

  static inline std::unique_ptr<TemporaryFolder> shared_;
  static inline json train_json_;
};

}  // namespace stint

#endif  // STINT_TESTS_TOOLS_CLI_FIXTURE_H_
