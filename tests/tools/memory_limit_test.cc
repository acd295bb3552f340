// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// --memory-limit: a run that would take more is refused while its log is read, with the figures.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "tests/tools/cli_fixture.h"

namespace stint {
namespace {

constexpr size_t kEvents = 200000;
constexpr char kLastLine[] = "1\t2\tnoon\n";  // no time: who reads it says so

class MemoryLimitTest : public testing::Test {
 protected:
  // Sessions of four events on 5000 items.
  static std::string Log() {
    std::string log = "SessionId\tItemId\tTime\n";
    for (size_t e = 0; e < kEvents; ++e) {
      log += std::to_string(e / 4) + "\t" + std::to_string(e * 7919 % 5000) + "\t" +
             std::to_string(e) + "\n";
    }
    return log;
  }
  RunResult Train(const std::string& log, const Words& more) const {
    Words words = {"train",    log, "--out",   folder_ / "model", "--layers", "8",
                   "--epochs", "1", "--quiet", "--negatives",     "16",       "--batch-size",
                   "64"};
    words.insert(words.end(), more.begin(), more.end());
    return RunStint(words);
  }
  TemporaryFolder folder_;
};

TEST_F(MemoryLimitTest, RefusesBeforeTheEndOfTheLog) {
  const std::string log = folder_.Write("log.tsv", Log() + kLastLine);
  const RunResult read = Train(log, {});
  EXPECT_EQ(read.status, 3);
  EXPECT_NE(read.error.find("'noon' is not a number"), std::string::npos) << read.error;
  const RunResult refused = Train(log, {"--memory-limit", "18M"});
  EXPECT_EQ(refused.status, 3);
  EXPECT_NE(refused.error.find("--memory-limit: 18,874,368 bytes, but training would take about"),
            std::string::npos)
      << refused.error;
  EXPECT_EQ(refused.error.find("noon"), std::string::npos) << refused.error;
  EXPECT_FALSE(std::filesystem::exists(folder_ / "model"));
}

// Nothing is foretold of a pipe: what was read so far is what is known.
TEST_F(MemoryLimitTest, RefusesWhatComesFromAPipe) {
  const std::string pipe = folder_ / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  std::signal(SIGPIPE, SIG_IGN);  // nobody reads the rest
  std::thread writer([&] { std::ofstream(pipe, std::ios::binary) << Log() << kLastLine; });
  const RunResult refused = Train(pipe, {"--memory-limit", "16M"});
  writer.join();
  EXPECT_EQ(refused.status, 3);
  EXPECT_NE(refused.error.find("--memory-limit: 16,777,216 bytes"), std::string::npos)
      << refused.error;
  EXPECT_EQ(refused.error.find("noon"), std::string::npos) << refused.error;
}

TEST_F(MemoryLimitTest, TrainsBelowIt) {
  const std::string log = folder_.Write("log.tsv", Log());
  const RunResult trained = Train(log, {"--memory-limit", "1G"});
  EXPECT_EQ(trained.status, 0) << trained.error;
  EXPECT_TRUE(std::filesystem::exists(folder_ / "model"));
}

}  // namespace
}  // namespace stint
