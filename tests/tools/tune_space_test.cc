// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// `stint tune`: spaces that are refused, wrong usage, and spaces as the papers' code has them.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "tests/tools/tune_fixture.h"

namespace stint {
namespace {

using TuneSpaceTest = TuneTest;

TEST_F(TuneSpaceTest, BadSpacesAndUsage) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"{\"name\":\"x\",\"dtype\":\"int\",\"values\":[1,2]}",
       "no parameter 'x'; there are n_epochs"},
      {"nonsense", "not a JSON object: nonsense"},
      {"[1]", "not a JSON object"},
      {"{\"dtype\":\"int\",\"values\":[1,2]}", "name is missing"},
      {"{\"name\":\"layers\",\"dtype\":\"list\",\"values\":[4,2]}", "dtype: \"list\" is none of"},
      {"{\"name\":\"layers\",\"dtype\":\"int\",\"values\":[0,2]}", "values: layers: '0' is not an"},
      {"{\"name\":\"layers\",\"dtype\":\"int\",\"values\":[1.5,2]}",
       "values: 1.5 is not an integer"},
      {"{\"name\":\"layers\",\"dtype\":\"int\",\"values\":[4,2]}",
       "values: [4,2] is not [low, high]"},
      {"{\"name\":\"layers\",\"dtype\":\"int\",\"values\":[1,2,3]}",
       "values: [1,2,3] is not [low,"},
      {"{\"name\":\"layers\",\"dtype\":\"int\",\"values\":[4,8],\"step\":0}",
       "step: 0 is not above"},
      {"{\"name\":\"layers\",\"dtype\":\"int\",\"values\":[4,8],\"stp\":1}",
       "'stp' is none of name"},
      {"{\"name\":\"layers\",\"dtype\":\"categorical\",\"values\":[\"8,8\"]}",
       "values: '8,8' has a"},
      {"{\"name\":\"momentum\",\"dtype\":\"float\",\"values\":[0,0.5],\"log\":true}",
       "log: the range"},
      {"{\"name\":\"dropout_p_embed\",\"dtype\":\"float\",\"values\":[0,1.5]}",
       "--dropout-embedding: '1.5' is not in [0, 1)"},
      {"{\"name\":\"loss\",\"dtype\":\"categorical\",\"values\":[\"bpr\",\"mse\"]}",
       "values: loss: 'mse' is none of"},
      {"{\"name\":\"layers\",\"dtype\":\"int\",\"values\":[4,8]}\n"
       "{\"name\":\"layers\",\"dtype\":\"int\",\"values\":[4,8]}",
       "layers: is in an earlier line too"}};
  const std::string bad = folder_ / "bad.jsonl";
  for (const auto& [text, message] : cases) {
    SCOPED_TRACE(text);
    folder_.Write("bad.jsonl", "\n" + text + "\n");
    const RunResult result = RunStint(
        {"tune", log_, "--space", bad, "--study", folder_ / "bad", "--validate-last", "20%"});
    EXPECT_EQ(result.status, 3);
    const std::string line = text.find('\n') == std::string::npos ? ":2: " : ":3: ";
    EXPECT_EQ(result.error.rfind("stint tune: " + bad + line + message, 0), 0u) << result.error;
  }
  const RunResult absent = RunStint({"tune", log_, "--space", folder_ / "none.jsonl", "--study",
                                     folder_ / "bad", "--validate-last", "20%"});
  EXPECT_EQ(absent.status, 3);
  EXPECT_EQ(absent.error, "stint tune: " + (folder_ / "none.jsonl") +
                              ": cannot be read: No such file or directory\n");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "bad"));

  const Words good = {"tune", log_, "--space", space_, "--study", folder_ / "bad"};
  const std::vector<std::pair<Words, std::string>> usage = {
      {{}, "--validate-last: this or --validate-span is required"},
      {{"--validate-last", "20%", "--halving", "1"}, "--halving: '1' would keep all trials"},
      {{"--validate-last", "20%", "--min-epochs", "2"}, "--min-epochs: needs --halving"},
      {{"--validate-last", "20%", "--params", "n_epochs=3"},
       "--params: n_epochs: --max-epochs says"},
      {{"--validate-last", "20%", "--layers", "8"},
       space_ + ": layers: given twice, also as --la"}};
  for (const auto& [more, message] : usage) {
    Words words = good;
    words.insert(words.end(), more.begin(), more.end());
    const RunResult result = RunStint(words);
    EXPECT_EQ(result.status, 2);
    EXPECT_EQ(result.error.rfind("stint tune: " + message, 0), 0u) << result.error;
  }
}

// The spaces that users of the papers' code have are read as they are.
TEST_F(TuneSpaceTest, SpacesOfThePapersCode) {
  folder_.Write(
      "official.jsonl",
      "{\"name\":\"layers\",\"dtype\":\"int\",\"values\":[64,512],\"step\":32,\"log\":false}\n"
      "{\"name\":\"batch_size\",\"dtype\":\"int\",\"values\":[32,256],\"step\":16,\"log\":false}\n"
      "{\"name\":\"learning_rate\",\"dtype\":\"float\",\"values\":[0.01,0.25],\"step\":0.005}\n"
      "{\"name\":\"dropout_p_embed\",\"dtype\":\"float\",\"values\":[0.0,0.5],\"step\":0.05}\n"
      "{\"name\":\"dropout_p_hidden\",\"dtype\":\"float\",\"values\":[0.0,0.7],\"step\":0.05}\n"
      "{\"name\":\"momentum\",\"dtype\":\"float\",\"values\":[0.0,0.9],\"step\":0.05}\n"
      "{\"name\":\"sample_alpha\",\"dtype\":\"float\",\"values\":[0.0,1.0],\"step\":0.1}\n"
      "{\"name\":\"bpreg\",\"dtype\":\"float\",\"values\":[0.0,2.0],\"step\":0.05}\n"
      "{\"name\":\"elu_param\",\"dtype\":\"categorical\",\"values\":[0.5,1,0]}\n");
  const RunResult result = RunStint(
      {"tune", log_, "--space", folder_ / "official.jsonl", "--study", folder_ / "official",
       "--trials", "3", "--max-epochs", "1", "--validate-last", "20%", "--params",
       "loss=bpr-max,constrained_embedding=True,embedding=0,n_sample=32,logq=0", "--metric",
       "mrr@20", "--json", "--quiet"});
  ASSERT_EQ(result.status, 0) << result.error;
  const json study = json::parse(result.out);
  for (const json& trial : study.at("trials")) {
    EXPECT_EQ(trial.at("state"), "done") << trial;
    const json& point = trial.at("parameters");
    const auto number = [&](const char* name) {
      return std::stod(point.at(name).get<std::string>());
    };
    EXPECT_EQ(static_cast<int>(number("layers")) % 32, 0);
    EXPECT_GE(number("layers"), 64);
    EXPECT_LE(number("layers"), 512);
    EXPECT_NEAR(std::round(number("momentum") / 0.05), number("momentum") / 0.05, 1e-9);
    EXPECT_LE(point.at("momentum").get<std::string>().size(), 4u) << point;
    EXPECT_LE(number("momentum"), 0.9);
  }
}

}  // namespace
}  // namespace stint
