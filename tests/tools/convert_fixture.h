// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// A model of floats, and `stint convert` of files that lie beside it.
#ifndef STINT_TESTS_TOOLS_CONVERT_FIXTURE_H_
#define STINT_TESTS_TOOLS_CONVERT_FIXTURE_H_

#include <gtest/gtest.h>

#include <cstddef>
#include <filesystem>
#include <string>

#include "tests/tools/cli_fixture.h"

namespace stint {

class ConvertTest : public CliTest {
 protected:
  static void SetUpTestSuite() {
    CliTest::SetUpTestSuite();
    Must({"train", File("train.tsv"), "--out", File("f32.stint"), "--layers", "24", "--epochs", "4",
          "--learning-rate", "0.1", "--negatives", "128", "--dtype", "f32", "--quiet"});
  }
  static json Convert(const std::string& in, const std::string& out, const Words& more = {}) {
    Words words = {"convert", File(in), "-o", File(out), "--json", "--quiet"};
    words.insert(words.end(), more.begin(), more.end());
    return MustJson(words);
  }
  static std::string Error(const std::string& in, const std::string& out, const Words& more,
                           int status) {
    Words words = {"convert", File(in), "-o", File(out), "--quiet"};
    words.insert(words.end(), more.begin(), more.end());
    const RunResult run = RunStint(words);
    EXPECT_EQ(run.status, status) << run.error;
    EXPECT_FALSE(std::filesystem::exists(File(out)) && in != out) << out;
    return run.ErrorLine();
  }
  static json Inspect(const std::string& name) {
    return MustJson({"inspect", File(name), "--json"});
  }
  static size_t Bytes(const std::string& name) { return std::filesystem::file_size(File(name)); }
};

}  // namespace stint

#endif  // STINT_TESTS_TOOLS_CONVERT_FIXTURE_H_
