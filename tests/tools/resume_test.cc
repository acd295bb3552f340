// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// `stint train --checkpoint --resume`: killed at any moment, or with calls of the system that fail,
// and started again, it ends with the model of a run that nothing happened to, byte for byte.
#include <gtest/gtest.h>
#include <sys/file.h>

#include <algorithm>
#include <csignal>
#include <ctime>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "tests/temporary_folder.h"
#include "tests/tools/run_stint.h"

namespace stint {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

Words operator+(Words a, const Words& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

void Sleep(int milliseconds) {
  const timespec pause = {milliseconds / 1000, milliseconds % 1000 * 1000000};
  nanosleep(&pause, nullptr);
}

class ResumeTest : public testing::Test {
 protected:
  void SetUp() override {
    const RunResult made = RunStint({"synth", "--sessions", "500", "--items", "90", "--out", log_});
    ASSERT_EQ(made.status, 0) << made.error;
  }

  Words Train(const Words& more) const {
    return Words{"train", log_, "--out", model_, "--threads", "1", "--no-progress"} + more;
  }
  Words Checkpointed(const Words& more) const {
    return Train(more) + Words{"--checkpoint", folder_};
  }
  // The model of a run without checkpoints.
  std::string Expected(const Words& more) const {
    const RunResult run = RunStint(Train(more));
    EXPECT_EQ(run.status, 0) << run.error;
    return ReadFile(model_);
  }
  void Clear() const {
    fs::remove_all(folder_);
    fs::remove(model_);
  }
  Words Files() const {
    Words names;
    for (const auto& entry : fs::directory_iterator(folder_)) {
      names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
  }
  // Newest first.
  Words Numbered() const {
    std::vector<std::pair<int, std::string>> found;
    for (const std::string& name : Files()) {
      if (name.rfind("checkpoint-", 0) != 0) continue;
      found.emplace_back(-std::stoi(name.substr(11)), (fs::path(folder_) / name).string());
    }
    std::sort(found.begin(), found.end());
    Words paths;
    for (const auto& [number, path] : found) paths.push_back(path);
    return paths;
  }

  // Runs the configurations in turn, killed again and again, until there were so many kills.
  void KillAndCompare(const std::vector<Words>& configurations, int at_least) const;

  TemporaryFolder base_;
  std::string log_ = base_ / "log.tsv";
  std::string model_ = base_ / "model.stint";
  std::string folder_ = base_ / "checkpoints";
};

const Words kSmall = {"--layers", "24", "--negatives", "200", "--epochs", "3"};

const std::vector<Words>& Configurations() {
  static const std::vector<Words> configurations = {
      {"--loss", "cross-entropy", "--logq", "1", "--momentum", "0.3", "--dropout-hidden", "0.2"},
      {"--loss", "bpr-max", "--optimizer", "adam", "--learning-rate", "0.01", "--session-order",
       "random", "--validate-last", "10%", "--patience", "2"},
      {"--loss", "top1", "--embedding", "separate", "--validate-last", "60", "--refit",
       "--ema-decay", "0.9"}};
  return configurations;
}

void ResumeTest::KillAndCompare(const std::vector<Words>& configurations, int at_least) const {
  std::mt19937 random(1);
  Words expected;
  for (const Words& c : configurations) expected.push_back(Expected(kSmall + c));
  int kills = 0, runs = 0, resumed = 0;
  for (size_t i = 0; kills < at_least; i = (i + 1) % configurations.size(), ++runs) {
    Clear();
    const Words& c = configurations[i];
    const Words words = Checkpointed(kSmall + c + Words{"--checkpoint-every", "7b", "--resume"});
    int lives = 0;
    for (bool done = false; !done; ++lives) {
      // Longer and longer: on a slow machine a short life gets nowhere.
      const int life = 5 + static_cast<int>(random() % (145 + 20 * lives));
      RunSetting setting;
      setting.meanwhile = [&](pid_t pid, const std::string&) {
        Sleep(life);
        kill(pid, SIGKILL);
      };
      const RunResult run = RunStint(words, setting);
      done = run.signal == 0;
      if (done) {
        ASSERT_EQ(run.status, 0) << run.error;
      } else {
        ASSERT_EQ(run.signal, SIGKILL);
        ++kills;
      }
      resumed += run.error.find("resume: from") != std::string::npos;
      ASSERT_EQ(run.error.find("warning"), std::string::npos) << run.error;
      ASSERT_LT(lives, 200);
    }
    ASSERT_TRUE(ReadFile(model_) == expected[i]) << "configuration " << i << ", " << lives;
    EXPECT_LE(Numbered().size(), 2u);
  }
  EXPECT_GE(resumed, at_least / 3);
  std::printf("%d kills, %d whole runs, %d times from a checkpoint\n", kills, runs, resumed);
}

TEST_F(ResumeTest, KilledAtAnyMoment) { KillAndCompare(Configurations(), 60); }

// The rest of the run has the random numbers of seed and base model, the scale of its rows, and the
// state that the optimizer of its run had.
TEST_F(ResumeTest, KilledAfterAWarmStart) {
  const std::string old_log = base_ / "old.tsv", base = base_ / "base.stint";
  ASSERT_EQ(RunStint({"synth", "--sessions", "300", "--first-session", "5000", "--items", "70",
                      "--out", old_log})
                .status,
            0);
  const Words as_base = {"--warm-start", base, "--normalize-items", "--momentum", "0.3"};
  const RunResult run =
      RunStint(Words{"train", old_log, "--out", base, "--threads", "1"} + kSmall +
               Words{"--normalize-items", "--momentum", "0.3", "--checkpoint", folder_});
  ASSERT_EQ(run.status, 0) << run.error;
  ASSERT_EQ(Numbered().size(), 1u);
  const std::string checkpoint = base_ / "base.stintck";
  fs::rename(Numbered()[0], checkpoint);
  KillAndCompare({as_base + Words{"--dropout-hidden", "0.2"},
                  as_base + Words{"--warm-start-checkpoint", checkpoint, "--ema-decay", "0.9",
                                  "--validate-last", "60", "--refit"}},
                 12);
}

TEST_F(ResumeTest, TheFolderHoldsTwoAndTheBest) {
  for (const Words& c : Configurations()) {
    Clear();
    const std::string expected = Expected(kSmall + c);
    const RunResult run = RunStint(Checkpointed(kSmall + c + Words{"--checkpoint-every", "5b"}));
    ASSERT_EQ(run.status, 0) << run.error;
    EXPECT_TRUE(ReadFile(model_) == expected);
    EXPECT_EQ(Numbered().size(), 2u);
    const bool validates = std::find(c.begin(), c.end(), "--validate-last") != c.end();
    EXPECT_EQ(Files().size(), validates ? 3u : 2u);
    EXPECT_EQ(fs::exists(fs::path(folder_) / "best.stintck"), validates);
    // Done: nothing is trained, the same model is written.
    fs::remove(model_);
    const RunResult again = RunStint(Checkpointed(kSmall + c + Words{"--resume"}));
    ASSERT_EQ(again.status, 0) << again.error;
    EXPECT_EQ(again.error.find("epoch  "), std::string::npos) << again.error;
    EXPECT_TRUE(ReadFile(model_) == expected);
  }
}

TEST_F(ResumeTest, TerminatedItWritesBoth) {
  Words words = kSmall + Configurations()[0];
  words[5] = "40";  // epochs
  const std::string expected = Expected(words);
  Clear();
  RunSetting setting;
  setting.meanwhile = [&](pid_t pid, const std::string& error) {
    WaitForText(error, "epoch  2");
    kill(pid, SIGTERM);
  };
  const RunResult run = RunStint(Checkpointed(words), setting);
  EXPECT_EQ(run.status, 130) << run.error;
  EXPECT_TRUE(fs::exists(model_));
  EXPECT_EQ(Numbered().size(), 1u);
  const RunResult again = RunStint(Checkpointed(words + Words{"--resume"}));
  EXPECT_EQ(again.status, 0) << again.error;
  EXPECT_NE(again.error.find("resume: from " + folder_ + "/checkpoint-"), std::string::npos);
  EXPECT_TRUE(ReadFile(model_) == expected);
}

TEST_F(ResumeTest, DamagedFilesAreLeftOut) {
  const Words words = kSmall + Configurations()[0];
  const std::string expected = Expected(words);
  const auto prepare = [&] {
    Clear();
    ASSERT_EQ(RunStint(Checkpointed(words + Words{"--checkpoint-every", "5b"})).status, 0);
    fs::remove(model_);
  };
  const auto spoil = [](const std::string& path) {
    std::string bytes = ReadFile(path);
    bytes[bytes.size() / 2] ^= 1;
    std::ofstream(path, std::ios::binary) << bytes;
  };
  prepare();
  const Words paths = Numbered();
  spoil(paths[0]);
  RunResult run = RunStint(Checkpointed(words + Words{"--resume"}));
  EXPECT_EQ(run.status, 0) << run.error;
  EXPECT_NE(run.error.find("warning: " + paths[0] + ": damaged checkpoint"), std::string::npos)
      << run.error;
  EXPECT_NE(run.error.find("resume: from " + paths[1]), std::string::npos) << run.error;
  EXPECT_TRUE(fs::exists(paths[0] + ".damaged"));
  EXPECT_TRUE(ReadFile(model_) == expected);

  prepare();
  spoil(Numbered()[0]);
  spoil(Numbered()[1]);
  run = RunStint(Checkpointed(words + Words{"--resume"}));
  EXPECT_EQ(run.status, 0) << run.error;
  EXPECT_NE(run.error.find("resume: no checkpoint in " + folder_), std::string::npos) << run.error;
  EXPECT_TRUE(ReadFile(model_) == expected);
}

TEST_F(ResumeTest, Refusals) {
  const Words words = kSmall + Configurations()[1];
  const auto error = [&](const Words& more, int status) {
    const RunResult run = RunStint(more);
    EXPECT_EQ(run.status, status) << run.error;
    const std::string line = run.ErrorLine();
    return line.substr(line.rfind('\n') + 1);
  };
  const std::string hint = " (see stint train --help)";
  EXPECT_EQ(error(Train(words + Words{"--resume"}), 2),
            "stint train: --resume: needs --checkpoint" + hint);
  EXPECT_EQ(error(Train(words + Words{"--checkpoint-every", "3b"}), 2),
            "stint train: --checkpoint-every: needs --checkpoint" + hint);
  for (const char* wrong : {"", "3", "b", "0b", "-1b", "1.5m", "3x", "3 b"}) {
    const std::string line = error(Checkpointed(words + Words{"--checkpoint-every", wrong}), 2);
    EXPECT_EQ(line.rfind("stint train: --checkpoint-every: '", 0), 0u) << line;
  }
  ASSERT_EQ(RunStint(Checkpointed(words)).status, 0);
  const Words names = Numbered();
  ASSERT_EQ(names.size(), 1u);
  EXPECT_EQ(error(Checkpointed(words), 3),
            "stint train: " + folder_ +
                ": it holds checkpoints already; --resume goes on with "
                "them, or name another folder");
  EXPECT_EQ(error(Checkpointed(words + Words{"--resume", "--seed", "7", "--dtype", "f32"}), 3),
            "stint train: " + names[0] +
                ": cannot go on with it: --seed: 42 in the checkpoint, 7 now; --dtype: int8 in "
                "the checkpoint, f32 now");
  std::ofstream(log_, std::ios::app)
      << ReadFile(log_).substr(ReadFile(log_).rfind('\n', ReadFile(log_).size() - 2) + 1);
  const std::string line = error(Checkpointed(words + Words{"--resume"}), 3);
  EXPECT_EQ(line.rfind("stint train: " + names[0] + ": cannot go on with it: the log: ", 0), 0u)
      << line;
  EXPECT_NE(line.find(" events then, "), std::string::npos) << line;

  const int folder = open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  ASSERT_EQ(flock(folder, LOCK_EX | LOCK_NB), 0);
  EXPECT_EQ(error(Checkpointed(words + Words{"--resume"}), 3),
            "stint train: " + folder_ + ": another run writes its checkpoints there");
  close(folder);
  const std::string file = base_.Write("file", "");
  EXPECT_EQ(error(Train(words + Words{"--checkpoint", file}), 3).rfind("stint train: " + file, 0),
            0u);
}

// The file of the best epoch is a checkpoint as any other.
TEST_F(ResumeTest, ABestEpochOfAnotherRunIsNotTaken) {
  const Words words = kSmall + Configurations()[1];
  const std::string best = folder_ + "/best.stintck";
  ASSERT_EQ(RunStint(Checkpointed(words)).status, 0);
  for (const std::string& path : Numbered()) fs::remove(path);
  ASSERT_EQ(Files(), Words{"best.stintck"});
  const std::string bytes = ReadFile(best);
  const std::string folder_holds = "stint train: " + folder_ +
                                   ": it holds checkpoints already; --resume goes on with them, "
                                   "or name another folder";
  const std::string other_seed =
      "stint train: " + best + ": cannot go on with it: --seed: 42 in the checkpoint, 7 now";
  const auto error = [&](const Words& more) {
    const RunResult run = RunStint(Checkpointed(more));
    EXPECT_EQ(run.status, 3) << run.error;
    const std::string line = run.ErrorLine();
    return line.substr(line.rfind('\n') + 1);
  };
  EXPECT_EQ(error(words), folder_holds);
  EXPECT_EQ(error(words + Words{"--resume", "--seed", "7"}), other_seed);
  EXPECT_TRUE(ReadFile(best) == bytes);
  EXPECT_EQ(Files(), Words{"best.stintck"});

  // Nor may it lie beside newer ones of this run, to be taken when those are damaged.
  Clear();
  ASSERT_EQ(RunStint(Checkpointed(words + Words{"--seed", "7"})).status, 0);
  std::ofstream(best, std::ios::binary) << bytes;
  EXPECT_EQ(error(words + Words{"--resume", "--seed", "7"}), other_seed);
  fs::remove(best);
  const RunResult run = RunStint(Checkpointed(words + Words{"--resume", "--seed", "7"}));
  EXPECT_EQ(run.status, 0) << run.error;
}

// Each call that writes to the folder fails in turn, once or from then on.
TEST_F(ResumeTest, CallsOfTheSystemThatFail) {
  const Words words = Words{"--layers", "8", "--negatives", "30", "--epochs", "2"} +
                      Words{"--validate-last", "50", "--refit", "--checkpoint-every", "1e"};
  const Words plain(words.begin(), words.end() - 2);
  const std::string expected = Expected(plain);
  const std::string old = "an older model";
  const TemporaryFolder other;
  const std::string count = other / "count";
  const auto setting = [&](const std::string& kind, int first, int last) {
    RunSetting run;
    run.environment = {{"LD_PRELOAD", STINT_FAULT_LIBRARY},
                       {"ASAN_OPTIONS", "verify_asan_link_order=0"},
                       {"STINT_FAULT_FOLDER", base_.path().string()},
                       {"STINT_FAULT_KIND", kind},
                       {"STINT_FAULT_FIRST", std::to_string(first)},
                       {"STINT_FAULT_LAST", std::to_string(last)},
                       {"STINT_FAULT_COUNT", count}};
    return run;
  };
  Clear();
  const RunResult quiet = RunStint(Checkpointed(words), setting("eio", 0, -1));
  ASSERT_EQ(quiet.status, 0) << quiet.error;
  const int calls = std::stoi(ReadFile(count));
  ASSERT_GT(calls, 20);
  int failed = 0, warned = 0, untouched = 0;
  for (const char* kind : {"enospc", "eio", "short", "enospc for good"}) {
    for (int n = 1; n <= calls; ++n) {
      SCOPED_TRACE(kind + std::string(", call ") + std::to_string(n));
      Clear();
      base_.Write("model.stint", old);
      const bool for_good = std::string(kind) == "enospc for good";
      const RunResult run = RunStint(Checkpointed(words), setting(kind, n, for_good ? 1000000 : n));
      const bool warns = run.error.find("warning: checkpoint not written") != std::string::npos;
      const std::string model = ReadFile(model_);
      if (std::string(kind) == "short") {
        ASSERT_EQ(run.status, 0) << run.error;
        ASSERT_FALSE(warns) << run.error;
      }
      if (run.status == 0) {
        ASSERT_TRUE(model == expected);
      } else {
        // Of the model only the sync of its folder, the very last call, may come too late.
        ASSERT_EQ(run.status, 3) << run.error;
        ASSERT_NE(run.error.find(model_ + ": "), std::string::npos) << run.error;
        ASSERT_TRUE(model == old || (n == calls && model == expected));
        untouched += model == old;
        ++failed;
      }
      warned += warns;
      for (const auto& entry : fs::recursive_directory_iterator(base_.path())) {
        ASSERT_EQ(entry.path().string().find(".tmp"), std::string::npos) << entry.path();
      }
      const RunResult again = RunStint(Checkpointed(words + Words{"--resume"}));
      ASSERT_EQ(again.status, 0) << again.error;
      ASSERT_TRUE(ReadFile(model_) == expected);
    }
  }
  EXPECT_GT(warned, calls);
  EXPECT_GT(untouched, calls);
  std::printf("%d calls, 4 kinds: %d runs with a warning, %d failed\n", calls, warned, failed);
}

}  // namespace
}  // namespace stint
