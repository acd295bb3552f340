// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Models as other engines save them -> tools/python/export_*.py -> `stint convert` -> the same
// recommendations. make_checkpoints.py makes the models, says what they answer, and what must be
// refused.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tests/reference/folders.h"
#include "tests/temporary_folder.h"
#include "tests/tools/cli_fixture.h"

namespace stint {
namespace {

constexpr const char* kFolder = STINT_SOURCE_DIR "/tools/python/";

// A word as a shell takes it for itself.
std::string Word(const std::string& text) {
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return word + "'";
}

// Exit status and both outputs of the Python interpreter.
RunResult RunPython(const Words& words) {
  const TemporaryFolder folder;
  // Nothing is to be written beside the sources.
  std::string line = "PYTHONDONTWRITEBYTECODE=1 " + Word(STINT_PYTHON);
  for (const std::string& word : words) line.append(" ").append(Word(word));
  line.append(" >").append(Word(folder / "out")).append(" 2>").append(Word(folder / "error"));
  line.append(" </dev/null");
  const int status = std::system(line.c_str());
  RunResult result;
  if (WIFEXITED(status)) result.status = WEXITSTATUS(status);
  result.out = ReadFile(folder / "out");
  result.error = ReadFile(folder / "error");
  return result;
}

class ExportersTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<TemporaryFolder>();
    has_python_ = RunPython({"-c", "import numpy, torch"}).status == 0;
    if (!has_python_) return;
    const RunResult made =
        RunPython({STINT_SOURCE_DIR "/tests/tools/make_checkpoints.py", folder_->path().string()});
    ASSERT_EQ(made.status, 0) << made.error;
    cases_ = json::parse(ReadFile(File("cases.json")));
    json runs = json::array();
    for (json& entry : cases_.at("cases")) {
      entry["prefix"] = File("exported." + entry.at("name").get<std::string>());
      runs.push_back({{"words", ExporterWords(entry, entry.at("prefix"))}});
    }
    for (const json& entry : cases_.at("refusals")) {
      json run = {{"words", ExporterWords(entry, File("refused"))}};
      if (entry.contains("without")) run["without"] = entry.at("without");
      runs.push_back(run);
    }
    const RunResult run =
        RunPython({STINT_SOURCE_DIR "/tests/tools/run_exporters.py",
                   folder_->Write("runs.json", runs.dump()), File("results.json")});
    ASSERT_EQ(run.status, 0) << run.error;
    const json results = json::parse(ReadFile(File("results.json")));
    ASSERT_EQ(results.size(), runs.size());
    size_t next = 0;
    for (const char* list : {"cases", "refusals"}) {
      for (json& entry : cases_.at(list)) entry["result"] = results[next++];
    }
  }
  static void TearDownTestSuite() { folder_.reset(); }

  void SetUp() override {
    if (has_python_) return;
    const std::string reason = "no Python with numpy and torch: '" STINT_PYTHON "'";
    if (reference::AbsenceIsFailure()) FAIL() << reason;
    GTEST_SKIP() << reason;
  }

  static std::string File(const std::string& name) { return *folder_ / name; }

  // The command line of a case; its files start with `prefix`.
  static Words ExporterWords(const json& entry, const std::string& prefix) {
    Words words = {kFolder + entry.at("exporter").get<std::string>()};
    for (const std::string word : entry.at("arguments")) words.push_back(word);
    if (std::find(words.begin(), words.end(), "-o") == words.end() && !entry.value("bare", false)) {
      words.insert(words.end(), {"-o", prefix});
    }
    return words;
  }

  static RunResult Convert(const std::string& prefix, const std::string& weights,
                           const std::string& sessions, const std::string& model) {
    return RunStint({"convert", weights, "--config", prefix + ".config.json", "--items",
                     prefix + ".items.tsv", "--test-sessions", sessions, "-o", model});
  }
  static RunResult Convert(const std::string& prefix) {
    return Convert(prefix, prefix + ".safetensors", prefix + ".sessions.json", prefix + ".stint");
  }

  // Best first: ids as text and scores.
  static json Recommend(const std::string& model, const json& items, int k) {
    RunSetting setting;
    for (const std::string id : items) setting.input += id + "\n";
    const RunResult run = RunStint(
        {"recommend", model, "--session", "-", "-k", std::to_string(k), "--json"}, setting);
    EXPECT_EQ(run.status, 0) << run.error;
    if (run.status != 0) return {{"unknown", "failed"}, {"items", json::array()}};
    return json::parse(run.out);
  }
  static std::string Text(const json& id) {
    return id.is_string() ? id.get<std::string>() : id.dump();
  }

  // The prefix of the files of a case.
  static std::string Exported(const std::string& name) {
    for (const json& entry : cases_.at("cases")) {
      if (entry.at("name") == name) return entry.at("prefix");
    }
    ADD_FAILURE() << "no case " << name;
    return "";
  }

  static inline std::unique_ptr<TemporaryFolder> folder_;
  static inline bool has_python_ = false;
  static inline json cases_;
};

TEST_F(ExportersTest, AModelAnswersAsWhereItComesFrom) {
  ASSERT_GE(cases_.at("cases").size(), 20u);
  for (const json& entry : cases_.at("cases")) {
    const std::string name = entry.at("name");
    SCOPED_TRACE(name);
    const std::string prefix = entry.at("prefix");
    const std::string error = entry.at("result").at("error");
    ASSERT_EQ(entry.at("result").at("status"), 0) << error;
    const std::string out = entry.at("result").at("out");
    EXPECT_NE(out.find("next: stint convert " + prefix + ".safetensors --config " + prefix +
                       ".config.json --items"),
              std::string::npos)
        << out;
    // `stint convert X.stint -o X.json` writes something else, and is to overwrite nothing.
    EXPECT_FALSE(std::filesystem::exists(prefix + ".json"));
    for (const std::string word : entry.value("says", json::array())) {
      EXPECT_NE((out + error).find(word), std::string::npos) << word << "\n" << out << error;
    }
    const json config = json::parse(ReadFile(prefix + ".config.json"));
    const json keys = entry.value("config", json::object());
    for (const auto& [key, value] : keys.items()) {
      EXPECT_EQ(config.at(key), value) << key;
    }
    const RunResult converted = Convert(prefix);
    ASSERT_EQ(converted.status, 0) << converted.error;
    for (const json& session : entry.at("sessions")) {
      const json answer = Recommend(prefix + ".stint", session.at("items"), 20);
      EXPECT_EQ(answer.at("unknown"), json::array());
      ASSERT_EQ(answer.at("items").size(), 20u);
      for (size_t i = 0; i < 20; ++i) {
        const json& item = answer.at("items")[i];
        EXPECT_EQ(Text(item.at("id")), session.at("top")[i]) << "rank " << i + 1;
        EXPECT_NEAR(item.at("score").get<double>(), session.at("scores")[i].get<double>(), 2e-5);
      }
    }
    // What an empty session gets is what has the most events in training.
    const bool has_counts = entry.contains("favorite");
    const std::string items = ReadFile(prefix + ".items.tsv");
    EXPECT_EQ(items.substr(0, items.find('\n')), has_counts ? "ItemId\tCount" : "ItemId");
    EXPECT_EQ(error.find("no counts of items") == std::string::npos, has_counts) << error;
    if (has_counts) {
      const json answer = Recommend(prefix + ".stint", json::array(), 1);
      ASSERT_EQ(answer.at("items").size(), 1u);
      EXPECT_EQ(Text(answer.at("items")[0].at("id")), entry.at("favorite"));
    }
  }
}

TEST_F(ExportersTest, TestSessionsAreThoseOfTheLog) {
  int logs = 0;
  for (const json& entry : cases_.at("cases")) {
    if (!entry.contains("test_sessions")) continue;
    SCOPED_TRACE(entry.at("name").get<std::string>());
    const json file =
        json::parse(ReadFile(entry.at("prefix").get<std::string>() + ".sessions.json"));
    json items = json::array();
    for (const json& session : file.at("sessions")) {
      items.push_back(session.at("items"));
      EXPECT_EQ(session.at("scored").size(), session.at("scores").size());
      EXPECT_GE(session.at("scored").size(), 60u);
    }
    EXPECT_EQ(items, entry.at("test_sessions"));
    ++logs;
  }
  EXPECT_EQ(logs, 3);
}

TEST_F(ExportersTest, AScoreThatDiffersIsRefused) {
  const std::string prefix = Exported("pytorch_separate_2");
  const json right = json::parse(ReadFile(prefix + ".sessions.json"));
  const double tolerance = right.at("tolerance");
  EXPECT_EQ(tolerance, 1e-4);
  for (const double change : {-2.0, -0.9, 0.9, 2.0}) {
    SCOPED_TRACE(change);
    json sessions = right;
    json& score = sessions.at("sessions")[13].at("scores")[7];
    score = score.get<double>() + change * tolerance;
    const std::string path = folder_->Write("score.json", sessions.dump());
    std::filesystem::remove(File("score.stint"));
    const RunResult run = Convert(prefix, prefix + ".safetensors", path, File("score.stint"));
    const bool taken = change * change < 1;
    EXPECT_EQ(run.status, taken ? 0 : 3) << run.error;
    EXPECT_EQ(std::filesystem::exists(File("score.stint")), taken);
    EXPECT_EQ(run.error.find("more than the tolerance") != std::string::npos, !taken) << run.error;
  }
}

TEST_F(ExportersTest, AWeightThatDiffersIsRefused) {
  for (const char* name : {"pytorch_none_2", "theano_shared_2"}) {
    SCOPED_TRACE(name);
    const std::string prefix = Exported(name);
    const std::string bytes = ReadFile(prefix + ".safetensors");
    uint64_t header_bytes = 0;
    std::memcpy(&header_bytes, bytes.data(), sizeof(header_bytes));
    EXPECT_EQ(header_bytes % 8, 0u);
    const json header = json::parse(bytes.substr(8, header_bytes));
    size_t tensors = 0;
    for (const auto& [tensor, entry] : header.items()) {
      if (tensor == "__metadata__") continue;
      SCOPED_TRACE(tensor);
      ++tensors;
      // All elements but those of items that no test session has are in its scores.
      const size_t begin = 8 + header_bytes + entry.at("data_offsets")[0].get<size_t>();
      const size_t elements =
          (entry.at("data_offsets")[1].get<size_t>() - entry.at("data_offsets")[0].get<size_t>()) /
          sizeof(float);
      std::string changed = bytes;
      float value = 0;
      char* at = changed.data() + begin + (elements - 1) * sizeof(float);
      std::memcpy(&value, at, sizeof(value));
      value += 0.5f;
      std::memcpy(at, &value, sizeof(value));
      const std::string path = folder_->Write("weight.safetensors", changed);
      std::filesystem::remove(File("weight.stint"));
      const RunResult run = Convert(prefix, path, prefix + ".sessions.json", File("weight.stint"));
      EXPECT_EQ(run.status, 3) << run.error;
      EXPECT_FALSE(std::filesystem::exists(File("weight.stint")));
    }
    EXPECT_GE(tensors, 9u);
  }
}

TEST_F(ExportersTest, WhatIsNoModelIsRefused) {
  ASSERT_GE(cases_.at("refusals").size(), 75u);
  for (const json& entry : cases_.at("refusals")) {
    SCOPED_TRACE(entry.at("name").get<std::string>());
    const json& result = entry.at("result");
    const std::string text =
        result.at("out").get<std::string>() + result.at("error").get<std::string>();
    EXPECT_EQ(result.at("status"), entry.at("status")) << text;
    json absent = entry.value("absent", json::array());
    for (const char* word : {"Traceback", "[Errno", "weights_only", ".stint_export_"}) {
      absent.push_back(word);
    }
    for (const std::string word : absent) {
      EXPECT_EQ(text.find(word), std::string::npos) << word << "\n" << text;
    }
    for (const std::string word : entry.at("words")) {
      EXPECT_NE(text.find(word), std::string::npos) << word << "\n" << text;
    }
  }
  for (const auto& file : std::filesystem::directory_iterator(folder_->path())) {
    const std::string name = file.path().filename().string();
    if (file.is_directory()) continue;
    EXPECT_FALSE(name.rfind("refused", 0) == 0 || name.rfind(".stint_export_", 0) == 0) << name;
  }
}

TEST_F(ExportersTest, TheInputsStayAsTheyAre) {
  EXPECT_EQ(ReadFile(File("own_items.items.tsv")), ReadFile(File("ids.tsv")));
  EXPECT_EQ(ReadFile(File("own.sessions.json")), ReadFile(File("log.tsv")));
  EXPECT_FALSE(std::filesystem::exists(File("own_items.safetensors")));
  EXPECT_FALSE(std::filesystem::exists(File("own.safetensors")));
}

// The way from torch.save() to a recommendation that stands in tools/python/README.md.
TEST_F(ExportersTest, TheWalkOfTheDocument) {
  const std::string document = ReadFile(kFolder + std::string("README.md"));
  const std::string fence = "```python\n";
  const size_t begin = document.find(fence);
  ASSERT_NE(begin, std::string::npos);
  const size_t end = document.find("```\n", begin + fence.size());
  const std::string program = document.substr(begin + fence.size(), end - begin - fence.size());
  const TemporaryFolder here;
  const std::string where = json(here.path().string()).dump();  // a string of Python too
  const std::string source =
      here.Write("program.py", "import os; os.chdir(" + where + ")\n" + program);
  ASSERT_EQ(RunPython({source}).error, "");
  const std::string exporter = kFolder + std::string("export_state_dict.py");
  const RunResult list = RunPython({exporter, here / "shop.pt"});
  ASSERT_EQ(list.status, 0) << list.error;
  const Words options = {"--gru",      "gru",           "--embedding", "emb.weight",     "--output",
                         "out.weight", "--output-bias", "out.bias",    "--padding-rows", "1"};
  std::string listed, written;  // the document breaks the line before --padding-rows
  for (const std::string& word : options) {
    listed.append(" ").append(word);
    written.append(word == "--padding-rows" ? " \\\n        " : " ").append(word);
  }
  EXPECT_NE(list.out.find("One assignment fits"), std::string::npos) << list.out;
  EXPECT_NE(list.out.find("shop.pt" + listed + " --items"), std::string::npos) << list.out;
  EXPECT_NE(document.find("shop.pt" + written + " --items items.tsv\n"), std::string::npos);
  // By itself it is no input of `stint convert`, which says what reads it.
  const RunResult direct = RunStint({"convert", here / "shop.pt", "-o", here / "shop.stint"});
  EXPECT_EQ(direct.status, 3);
  EXPECT_NE(direct.error.find("export_state_dict.py"), std::string::npos) << direct.error;
  Words words = {exporter, here / "shop.pt"};
  words.insert(words.end(), options.begin(), options.end());
  for (const auto& [id, reason] : {std::pair{"socks", "stands twice, first in line 2"},
                                   std::pair{"a\x01", "is empty or has control characters"}}) {
    Words bad = words;
    const std::string items = here.Write("bad.tsv", std::string("ItemId\nsocks\n") + id + "\n");
    bad.insert(bad.end(), {"--items", items});
    const std::string error = RunPython(bad).error;
    EXPECT_NE(error.find(items + ":3: the id "), std::string::npos) << error;
    EXPECT_NE(error.find(reason), std::string::npos) << error;
  }
  words.insert(words.end(), {"--items", here / "items.tsv"});
  const RunResult run = RunPython(words);
  ASSERT_EQ(run.status, 0) << run.error;
  EXPECT_EQ(run.error, "");
  const RunResult converted = Convert(here / "shop");
  ASSERT_EQ(converted.status, 0) << converted.error;
  EXPECT_EQ(Recommend(here / "shop.stint", {"socks", "shoes"}, 3).at("items").size(), 3u);
  const json popular = Recommend(here / "shop.stint", json::array(), 1);
  EXPECT_EQ(popular.at("items").at(0).at("id"), "shoes");
}

TEST_F(ExportersTest, HelpHasExamples) {
  for (const char* name : {"pytorch", "theano", "tensorflow"}) {
    const RunResult run =
        RunPython({kFolder + std::string("export_gru4rec_") + name + ".py", "--help"});
    EXPECT_EQ(run.status, 0) << run.error;
    EXPECT_NE(run.out.find("examples:"), std::string::npos) << run.out;
  }
  EXPECT_NE(RunPython({kFolder + std::string("export_state_dict.py"), "--help"}).out.find("--gru"),
            std::string::npos);
}

}  // namespace
}  // namespace stint
