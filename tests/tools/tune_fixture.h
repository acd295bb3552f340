// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// What the tests of `stint tune` share: a synthetic log, a space, and a search of a few trials.
#ifndef STINT_TESTS_TOOLS_TUNE_FIXTURE_H_
#define STINT_TESTS_TOOLS_TUNE_FIXTURE_H_

#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <string>

#include "tests/temporary_folder.h"
#include "tests/tools/cli_fixture.h"

namespace stint {

inline constexpr char kSpace[] =
    "{\"name\": \"layers\", \"dtype\": \"int\", \"values\": [4, 16], \"step\": 4}\n"
    "{\"name\": \"learning_rate\", \"dtype\": \"float\", \"values\": [0.01, 0.5], \"log\": true}\n"
    "{\"name\": \"dropout_p_embed\", \"dtype\": \"float\", \"values\": [0.0, 0.5], \"step\": "
    "0.05}\n"
    "{\"name\": \"loss\", \"dtype\": \"categorical\", \"values\": [\"cross-entropy\", "
    "\"bpr-max\"]}\n"
    "\n"
    "{\"name\": \"elu_param\", \"dtype\": \"categorical\", \"values\": [0.5, 1, 0]}\n";

class TuneTest : public testing::Test {
 protected:
  void SetUp() override {
    log_ = folder_ / "log.tsv";
    ASSERT_EQ(RunStint({"synth", "--sessions", "800", "--items", "120", "--out", log_}).status, 0);
    space_ = folder_.Write("space.jsonl", kSpace);
  }
  // Six trials, of which two and then one go on.
  Words Search(const std::string& study, const Words& more = {}) const {
    Words words = {"tune",
                   log_,
                   "--space",
                   space_,
                   "--study",
                   folder_ / study,
                   "--trials",
                   "6",
                   "--halving",
                   "2",
                   "--min-epochs",
                   "1",
                   "--max-epochs",
                   "4",
                   "--validate-last",
                   "20%",
                   "--threads",
                   "2",
                   "--params",
                   "n_sample=32,batch_size=16"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  std::set<std::string> Files(const std::string& study) const {
    std::set<std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder_ / study)) {
      files.insert(entry.path().filename());
    }
    return files;
  }

  TemporaryFolder folder_;
  std::string log_;
  std::string space_;
};

}  // namespace stint

#endif  // STINT_TESTS_TOOLS_TUNE_FIXTURE_H_
