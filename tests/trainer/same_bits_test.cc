// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Training gives the bits of fingerprints.txt with any number of threads on every SIMD target that
// has fused multiply-add. x86 below AVX2 has none: there products are rounded before they are
// added, and the bits are others. ./dev cross compares NEON with the same lines.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <string>

#include "tests/reference/folders.h"
#include "tests/reference/kernels.h"
#include "tests/trainer/train_fingerprints.h"

namespace stint {
namespace {

// [log + " " + case] -> the committed line.
std::map<std::string, std::string> CommittedLines() {
  std::ifstream file(STINT_FINGERPRINTS_FILE);
  EXPECT_TRUE(file.is_open()) << STINT_FINGERPRINTS_FILE;
  std::map<std::string, std::string> lines;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line[0] != '#') lines[line.substr(0, line.find(" steps "))] = line;
  }
  return lines;
}

bool HasFma(int64_t target) { return target <= HWY_AVX2; }  // a smaller bit is a better target

void ExpectSameBits(const FingerprintLog& log) {
  const std::map<std::string, std::string> committed = CommittedLines();
  size_t targets = 0;
  std::string renewed;
  reference::ForEachTarget([&](int64_t target) {
    if (!HasFma(target)) return;
    ++targets;
    for (const size_t threads : {1, 2, 3}) {
      if (target < HWY_AVX3 && threads > 1) break;  // the trainer's units are those of AVX3 there
      SCOPED_TRACE(threads);
      for (const FingerprintCase& what : FingerprintCases()) {
        const std::string line = Fingerprint(log, what, threads);
        const auto expected = committed.find(log.name + " " + what.name);
        EXPECT_EQ(line, expected != committed.end() ? expected->second : "");
        if (targets == 1 && threads == 1) renewed += line + "\n";
      }
    }
  });
  ASSERT_GT(targets, 0u) << "no AVX2 here: nothing was compared";
  if (testing::Test::HasFailure()) {
    std::printf("If training was meant to change, the lines of this log in %s become:\n%s",
                STINT_FINGERPRINTS_FILE, renewed.c_str());
  }
}

TEST(SameBits, SyntheticLog) { ExpectSameBits(FingerprintLogs("").at(0)); }

TEST(SameBits, GoldenLog) {
  STINT_REQUIRE_PATH(reference::GoldenDir() + "/train.tsv");
  ExpectSameBits(FingerprintLogs(reference::GoldenDir()).at(1));
}

// A line too many would be compared with nothing.
TEST(SameBits, EveryCommittedLineIsOfACase) {
  EXPECT_EQ(CommittedLines().size(), 2 * FingerprintCases().size());
}

}  // namespace
}  // namespace stint
