// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The model files of tests/golden: they open and answer as on the day they were written, with the
// same bits on every SIMD target; and what they were made from still gives the same models.
#include <flatbuffers/base.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "schema/checksum.h"
#include "tests/golden/golden_answers.h"
#include "tests/golden/golden_models.h"
#include "tests/runtime/test_model.h"
#include "trainer/model_bytes.h"

namespace stint {
namespace {

// A line of expected.txt.
struct Expected {
  size_t size = 0;
  uint64_t xxh3 = 0;     // of the file
  uint64_t answers = 0;  // golden_answers.h
};

std::string PathOf(const std::string& file) { return STINT_GOLDEN_MODELS_DIR "/" + file; }

// By the name of the file.
std::map<std::string, Expected> ReadExpected() {
  std::map<std::string, Expected> all;
  std::ifstream lines(PathOf("expected.txt"));
  EXPECT_TRUE(lines.is_open());
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream words(line);
    std::string name, rest;
    Expected expected;
    words >> name >> std::dec >> expected.size >> std::hex >> expected.xxh3 >> expected.answers;
    EXPECT_FALSE(words.fail()) << line;
    EXPECT_FALSE(words >> rest) << line;
    EXPECT_TRUE(all.emplace(name, expected).second) << name << " stands twice";
  }
  return all;
}

TEST(GoldenModels, EachFileHasItsLineAndItsBytes) {
  const std::map<std::string, Expected> expected = ReadExpected();
  EXPECT_FALSE(expected.empty());
  std::set<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(STINT_GOLDEN_MODELS_DIR)) {
    if (entry.path().extension() == ".stint") files.insert(entry.path().filename().string());
  }
  for (const std::string& file : files) {
    EXPECT_TRUE(expected.count(file)) << file << " has no line in expected.txt";
  }
  for (const auto& [file, line] : expected) {
    SCOPED_TRACE(file);
    ASSERT_TRUE(files.count(file)) << "a line without a file";
    const AlignedBytes bytes = ReadAligned(PathOf(file));
    EXPECT_EQ(bytes.size(), line.size);
    EXPECT_EQ(SectionChecksum(bytes.data(), bytes.size()), line.xxh3);
  }
}

TEST(GoldenModels, OpenAndAnswerTheSameOnEveryTarget) {
  const std::map<std::string, Expected> expected = ReadExpected();
  ForEachTarget([&] {
    for (const auto& [file, line] : expected) {
      SCOPED_TRACE(file);
      const AlignedBytes bytes = ReadAligned(PathOf(file));
      const ModelPointer model = OpenModel(bytes);
      ASSERT_NE(model, nullptr);
      EXPECT_EQ(GoldenName(model.get()) + ".stint", file);
      stint_error error;
      EXPECT_EQ(stint_model_self_test(model.get(), &error), STINT_OK) << error.message;
      EXPECT_EQ(GoldenAnswers(model.get()), line.answers) << std::hex << GoldenAnswers(model.get());
    }
  });
}

// As the names say, which the test above holds against the files.
TEST(GoldenModels, HoldEverything) {
  std::vector<std::set<std::string>> have(8);  // by place in the name
  for (const auto& [file, line] : ReadExpected()) {
    const AlignedBytes bytes = ReadAligned(PathOf(file));
    const ModelPointer model = OpenModel(bytes);
    stint_model_info info;
    ASSERT_EQ(stint_model_describe(model.get(), &info), STINT_OK);
    EXPECT_GE(info.self_tests, 3u) << file;
    std::istringstream name(GoldenName(model.get()));
    size_t place = 0;
    for (std::string part; std::getline(name, part, '_'); ++place) {
      ASSERT_LT(place, have.size()) << file;
      // Parameters of activations, units.
      if (place == 4 || place == 5) part = part.substr(0, part.find('-'));
      if (place == 7) part = part.find('x') == std::string::npos ? "one layer" : "two layers";
      have[place].insert(part);
    }
    EXPECT_EQ(place, have.size()) << file;
  }
  using Set = std::set<std::string>;
  EXPECT_EQ(have[0], (Set{"v1", "v2", "v3"}));
  EXPECT_EQ(have[1], (Set{"int8", "f32", "bf16-over-int8", "bf16-over-f32", "int4-over-int8",
                          "int4-over-f32", "f32-over-int8-exact", "f32-exact", "int8-cascade"}));
  EXPECT_EQ(have[2], (Set{"shared", "separate", "none"}));
  EXPECT_EQ(have[3], (Set{"after", "before"}));
  EXPECT_EQ(have[4], (Set{"tanh", "linear", "relu", "leaky", "elu", "selu"}));
  EXPECT_EQ(have[5], (Set{"softmax", "tanh", "linear", "relu", "leaky", "elu", "selu"}));
  EXPECT_EQ(have[6], (Set{"numbers", "names"}));
  EXPECT_EQ(have[7], (Set{"one layer", "two layers"}));
}

std::map<std::string, uint64_t> Checksums(const stint_model* model) {
  std::map<std::string, uint64_t> sections;
  stint_section_info section;
  for (uint32_t i = 0; stint_model_section(model, i, &section) == STINT_OK; ++i) {
    sections[section.name] = section.xxh3;
  }
  return sections;
}

// Sections, texts, self-tests and answers always; where they stand in the file is the choice of
// FlatBuffers' builder, and a golden file has that of the version which made it, Debian 12's.
TEST(GoldenModels, TodaysExporterWritesThemAgain) {
  for (const GoldenModel& golden : GoldenModels()) {
    SCOPED_TRACE(golden.name);
    const AlignedBytes stored = ReadAligned(PathOf(golden.name + ".stint"));
    const ModelPointer then = OpenModel(stored), now = OpenModel(golden.bytes);
    ASSERT_NE(then, nullptr);
    ASSERT_NE(now, nullptr);
    EXPECT_EQ(Checksums(now.get()), Checksums(then.get()));
    EXPECT_EQ(GoldenAnswers(now.get()), GoldenAnswers(then.get()));
    EXPECT_EQ(ReadSelfTests(golden.bytes.data()), ReadSelfTests(stored.data()));
    EXPECT_EQ(stint_model_self_test(now.get(), nullptr), STINT_OK);
    stint_model_info info_now, info_then;
    ASSERT_EQ(stint_model_describe(now.get(), &info_now), STINT_OK);
    ASSERT_EQ(stint_model_describe(then.get(), &info_then), STINT_OK);
    EXPECT_STREQ(info_now.hyperparameters, info_then.hyperparameters);
    EXPECT_STREQ(info_now.training_summary, info_then.training_summary);
#if FLATBUFFERS_VERSION_MAJOR == 2
    ASSERT_EQ(golden.bytes.size(), stored.size());
    EXPECT_EQ(std::memcmp(golden.bytes.data(), stored.data(), stored.size()), 0);
#endif
  }
}

}  // namespace
}  // namespace stint
