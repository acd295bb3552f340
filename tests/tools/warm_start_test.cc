// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// `stint train --warm-start` on a log with new items: what becomes of the catalog, what goes on and
// what starts anew; and --memory-limit, which refuses a run before it starts.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "stint/stint.hpp"
#include "tests/tools/cli_fixture.h"

namespace stint {
namespace {

// Two new items that follow each other, and after them one of the old.
constexpr int64_t kNew[] = {900001, 900002};

class WarmStartCommandTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(
        RunStint({"synth", "--sessions", "500", "--items", "60", "--out", folder_ / "old.tsv"})
            .status,
        0);
    Train(folder_ / "old.tsv", "old.stint", {});
    old_ = Ids("old.stint");
    // The old log is over. Some of its items are in the validation part of the new one alone.
    std::string log = "SessionId\tItemId\tTime\n";
    int time = 0;
    const auto add = [&](int session, int64_t item) {
      log += std::to_string(session) + "\t" + std::to_string(item) + "\t" +
             std::to_string(3000000000 + ++time) + "\n";
    };
    for (int s = 0; s < 200; ++s) {
      for (const int64_t item : {kNew[0], kNew[1], old_[s % 7]}) add(s, item);
    }
    for (int s = 200; s < 220; ++s) {
      for (const int64_t item : {old_[s % 7], old_[20], old_[21], int64_t{900003}}) add(s, item);
    }
    new_log_ = folder_.Write("new.tsv", log);
  }

  // Of a run that ends well.
  RunResult Train(const std::string& log, const std::string& out, const Words& more) const {
    Words words = {"train",   log,           "--out",     folder_ / out, "--layers",
                   "16",      "--negatives", "40",        "--epochs",    "4",
                   "--dtype", "f32",         "--threads", "1",           "--no-progress"};
    words.insert(words.end(), more.begin(), more.end());
    const RunResult run = RunStint(words);
    EXPECT_EQ(run.status, 0) << run.error;
    return run;
  }
  RunResult WarmStart(const std::string& out, const Words& more = {}) const {
    Words words = {"--warm-start", folder_ / "old.stint"};
    words.insert(words.end(), more.begin(), more.end());
    return Train(new_log_, out, words);
  }
  // [items] by index.
  std::vector<int64_t> Ids(const std::string& model_name) const {
    Model model;
    EXPECT_EQ(Model::FromFile((folder_ / model_name).c_str(), &model), STINT_OK);
    std::vector<int64_t> ids;
    for (int64_t id; model.ItemId(static_cast<uint32_t>(ids.size()), &id) == STINT_OK;) {
      ids.push_back(id);
    }
    return ids;
  }
  std::string Top(const std::string& model, int64_t item) const {
    const RunResult run = RunStint(
        {"recommend", folder_ / model, "--session", std::to_string(item), "-k", "1", "--json"});
    EXPECT_EQ(run.status, 0) << run.error;
    return json::parse(run.out).at("items").at(0).at("id").dump();
  }
  static std::string LineWith(const std::string& text, const std::string& error) {
    const size_t at = error.find(text);
    if (at == std::string::npos) return "no '" + text + "' in " + error;
    const size_t begin = error.rfind('\n', at) + 1;
    return error.substr(begin, error.find('\n', at) - begin);
  }

  TemporaryFolder folder_;
  std::string new_log_;
  std::vector<int64_t> old_;  // items of the old model, by index
};

TEST_F(WarmStartCommandTest, OldItemsKeepTheirIndexAndNewOnesAreRecommended) {
  const RunResult run = WarmStart("new.stint");
  EXPECT_EQ(LineWith("warm start: ", run.error), "warm start: " + (folder_ / "old.stint") + ": " +
                                                     std::to_string(old_.size()) + " items");
  std::vector<int64_t> ids = old_;
  ids.insert(ids.end(), {kNew[0], kNew[1], 900003});
  EXPECT_EQ(Ids("new.stint"), ids);
  EXPECT_EQ(RunStint({"verify", folder_ / "new.stint"}).status, 0);
  // The model says what it comes from.
  const json described = json::parse(RunStint({"inspect", folder_ / "new.stint", "--json"}).out);
  EXPECT_EQ(described.at("training_summary").at("warm_start"), "old.stint") << described;
  EXPECT_EQ(Top("new.stint", kNew[0]), std::to_string(kNew[1]));
  EXPECT_EQ(Top("new.stint", old_[20]), std::to_string(old_[21]));
  // What the new log lacks, the old weights still know.
  WarmStart("still.stint", {"--learning-rate", "1e-9"});
  for (size_t item = 22; item < 32; ++item) {
    EXPECT_EQ(Top("still.stint", old_[item]), Top("old.stint", old_[item])) << item;
  }
  // The same once more, and another from another seed or another base.
  WarmStart("again.stint");
  EXPECT_TRUE(ReadFile(folder_ / "again.stint") == ReadFile(folder_ / "new.stint"));
  WarmStart("seed.stint", {"--seed", "43"});
  EXPECT_FALSE(ReadFile(folder_ / "seed.stint") == ReadFile(folder_ / "new.stint"));
}

TEST_F(WarmStartCommandTest, ValidationKnowsTheItemsOfTheOldModel) {
  const RunResult run = WarmStart("new.stint", {"--validate-last", "20"});
  EXPECT_EQ(LineWith("validation: ", run.error),
            "validation: 20 sessions, 40 targets; 20 events with items that only they have are "
            "left out");
  std::vector<int64_t> ids = old_;
  ids.insert(ids.end(), {kNew[0], kNew[1]});
  EXPECT_EQ(Ids("new.stint"), ids);
  // Without the old model the two items that follow are left out as well.
  const Words validates = {"train",    new_log_, "--out",           folder_ / "cold.stint",
                           "--layers", "4",      "--validate-last", "20"};
  const RunResult cold = RunStint(validates);
  EXPECT_NE(cold.status, 0);
  EXPECT_NE(cold.error.find("nothing to validate on"), std::string::npos) << cold.error;
}

TEST_F(WarmStartCommandTest, NormalizedItemsGoOnFromTheScaleOfTheModel) {
  Train(folder_ / "old.tsv", "old.stint", {"--normalize-items"});
  const auto scale = [&](const RunResult& run) {
    return json::parse(run.out).at("hyperparameters").at("item-scale").get<double>();
  };
  const std::string start = "warm start: " + (folder_ / "old.stint") + ": " +
                            std::to_string(old_.size()) + " items; its rows have length ";
  RunResult run = WarmStart("new.stint", {"--normalize-items", "--json"});
  std::string line = LineWith("warm start: ", run.error);
  ASSERT_EQ(line.rfind(start, 0), 0u) << line;
  const double length = std::stod(line.substr(start.size()));
  EXPECT_NE(length, 3.0);  // it was learned
  EXPECT_NEAR(scale(run), length, 1e-4);
  EXPECT_NE(line.find(", --item-scale goes on from there"), std::string::npos) << line;
  // Its item rows have one length too.
  run = WarmStart("given.stint", {"--normalize-items", "--item-scale", "2", "--json"});
  line = LineWith("warm start: ", run.error);
  EXPECT_EQ(line.rfind(start, 0), 0u) << line;
  EXPECT_NE(line.find(", now all have --item-scale 2"), std::string::npos) << line;
  EXPECT_EQ(scale(run), 2.0);
  EXPECT_FALSE(ReadFile(folder_ / "given.stint") == ReadFile(folder_ / "new.stint"));
}

TEST_F(WarmStartCommandTest, TheCheckpointsStateGoesOn) {
  Train(folder_ / "old.tsv", "old.stint", {"--checkpoint", folder_ / "old", "--momentum", "0.2"});
  std::string checkpoint;
  for (const auto& entry : std::filesystem::directory_iterator(folder_ / "old")) {
    checkpoint = entry.path().string();
  }
  const Words from = {"--warm-start-checkpoint", checkpoint};
  const auto with = [&](const Words& more) {
    Words words = from;
    words.insert(words.end(), more.begin(), more.end());
    return words;
  };
  RunResult run = WarmStart("new.stint", with({"--momentum", "0.2"}));
  const std::string start = "warm start: " + checkpoint + ": goes on: weights, optimizer state";
  EXPECT_EQ(LineWith("goes on: ", run.error), start + ", momentum");
  run = WarmStart("mean.stint", with({"--ema-decay", "0.9"}));
  EXPECT_EQ(LineWith("goes on: ", run.error),
            start + "; starts anew: running mean of the weights; not used: momentum");
  WarmStart("slots.stint", {"--momentum", "0.2"});
  EXPECT_FALSE(ReadFile(folder_ / "slots.stint") == ReadFile(folder_ / "new.stint"));

  const auto refused = [&](Words words, int status) {
    words.insert(words.begin(), {"train", new_log_, "--out", folder_ / "no.stint"});
    const RunResult bad = RunStint(words);
    EXPECT_EQ(bad.status, status) << bad.error;
    return bad.error;
  };
  EXPECT_EQ(refused(from, 2),
            "stint train: --warm-start-checkpoint: needs --warm-start (see stint train --help)\n");
  EXPECT_EQ(refused(with({"--warm-start", folder_ / "old.stint", "--normalize-items",
                          "--item-scale", "2"}),
                    2),
            "stint train: --item-scale: the length goes on from --warm-start-checkpoint (see stint "
            "train --help)\n");
  EXPECT_EQ(refused({"--warm-start", folder_ / "old.stint", "--layers", "17"}, 3),
            "stint train: " + (folder_ / "old.stint") +
                ": cannot start from it: --layers: 16 in the model, 17 now\n");
  const std::string folder = std::filesystem::path(folder_ / "old.stint").parent_path();
  EXPECT_EQ(refused({"--warm-start", folder}, 3),
            "stint train: " + folder + ": not a regular file\n");
  EXPECT_EQ(
      refused({"--warm-start", folder_ / "none.stint"}, 3),
      "stint train: " + (folder_ / "none.stint") + ": cannot be read: No such file or directory\n");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "no.stint"));
}

// The base model is a part of what a run is.
TEST_F(WarmStartCommandTest, ResumedFromAnotherModelItIsRefused) {
  Train(folder_ / "old.tsv", "other.stint", {"--seed", "43"});
  const Words checkpoint = {"--checkpoint", folder_ / "checkpoints"};
  WarmStart("new.stint", checkpoint);
  WarmStart("again.stint", {checkpoint[0], checkpoint[1], "--resume"});
  EXPECT_TRUE(ReadFile(folder_ / "again.stint") == ReadFile(folder_ / "new.stint"));
  std::filesystem::rename(folder_ / "other.stint", folder_ / "old.stint");
  const RunResult run =
      RunStint({"train", new_log_, "--out", folder_ / "no.stint", "--layers", "16", "--negatives",
                "40", "--epochs", "4", "--dtype", "f32", "--quiet", "--warm-start",
                folder_ / "old.stint", checkpoint[0], checkpoint[1], "--resume"});
  EXPECT_EQ(run.status, 3);
  EXPECT_NE(run.error.find(": cannot go on with it: --warm-start: "), std::string::npos)
      << run.error;
  EXPECT_FALSE(std::filesystem::exists(folder_ / "no.stint"));
}

// Refused when the log is read, with the estimate, before anything is written.
TEST_F(WarmStartCommandTest, MemoryLimit) {
  const std::string checkpoints = folder_ / "checkpoints";
  const auto error = [&](const std::string& limit, int status) {
    const RunResult run = RunStint({"train", new_log_, "--out", folder_ / "limited.stint",
                                    "--checkpoint", checkpoints, "--layers", "2000", "--threads",
                                    "1", "--quiet", "--epochs", "1", "--memory-limit", limit});
    EXPECT_EQ(run.status, status) << run.error;
    EXPECT_FALSE(std::filesystem::exists(folder_ / "limited.stint"));
    EXPECT_FALSE(std::filesystem::exists(checkpoints));
    return run.error;
  };
  for (const char* limit : {"64M", "65536K", "67108864"}) {
    const std::string line = error(limit, 3);
    const std::string start =
        "stint train: --memory-limit: 67,108,864 bytes, but training would take about ";
    ASSERT_EQ(line.rfind(start, 0), 0u) << line;
    // 2000 units: three gates of 2000 * 2000 weights twice, their sums of squares.
    EXPECT_GT(std::stoi(line.substr(start.size())), 190) << line;
    EXPECT_NE(line.find(" at the peak, in "), std::string::npos) << line;
    EXPECT_NE(line.find("weights "), std::string::npos) << line;
  }
  for (const std::string wrong :
       {"", "0", "M", "1.5G", "-1", "4X", "8Gb", "17179869184G", "16777216T"}) {
    EXPECT_EQ(error(wrong, 2), "stint train: --memory-limit: '" + wrong +
                                   "' is not a size in [1, 16777216T), such as 8G, 1500M or "
                                   "8589934592 (see stint train --help)\n");
  }
  const RunResult run = RunStint({"train", new_log_, "--out", folder_ / "small.stint", "--layers",
                                  "16", "--epochs", "1", "--memory-limit", "1G"});
  EXPECT_EQ(run.status, 0) << run.error;
  EXPECT_EQ(LineWith("memory: ", run.error).rfind("memory: about ", 0), 0u) << run.error;
}

}  // namespace
}  // namespace stint
