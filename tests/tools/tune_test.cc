// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// `stint tune`: search with several workers, failing trials, kills and what is gone on with.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <string>

#include "tests/tools/tune_fixture.h"

namespace stint {
namespace {

TEST_F(TuneTest, WorkersNeverChangeTheTable) {
  const RunResult one = RunStint(Search("one", {"--workers", "1"}));
  ASSERT_EQ(one.status, 0) << one.error;
  const auto rows = Table(one.out);
  ASSERT_EQ(rows.size(), 7u) << one.out;
  EXPECT_EQ(rows[0],
            (Words{"rank", "trial", "state", "epochs", "best_epoch", "recall@20", "mrr@20",
                   "layers", "learning_rate", "dropout_p_embed", "loss", "elu_param", "error"}));
  std::map<std::string, int> runs;  // trials by the epochs of their last run
  for (size_t r = 1; r < rows.size(); ++r) {
    EXPECT_EQ(rows[r].at(2), "done");
    ++runs[rows[r].at(3)];
    if (r > 1) {
      EXPECT_LE(std::stod(rows[r].at(5)), std::stod(rows[r - 1].at(5)));
    }
    EXPECT_GT(std::stod(rows[r].at(5)), 0.0);
  }
  EXPECT_EQ(runs, (std::map<std::string, int>{{"1", 3}, {"2", 2}, {"4", 1}}));
  const RunResult two = RunStint(Search("two", {"--workers", "2"}));
  EXPECT_EQ(two.out, one.out);
  // All of it is in the folder: nothing is trained again, or left over.
  const RunResult again = RunStint(Search("two", {"--resume"}));
  EXPECT_EQ(again.out, one.out);
  EXPECT_EQ(again.error.find("to train for"), std::string::npos) << again.error;
  EXPECT_EQ(Files("two"), (std::set<std::string>{"study.json", "trials.jsonl"}));
}

// Processes that have `text` on their command line.
size_t CountProcesses(const std::string& text) {
  size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    std::ifstream file(entry.path() / "cmdline", std::ios::binary);
    const std::string line{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    count += line.find(text) != std::string::npos;
  }
  return count;
}

// Ended in the middle by SIGKILL, and once more by Ctrl-C: the table at the end is the same, and
// no child outlives its parent.
TEST_F(TuneTest, KilledAndResumed) {
  const RunResult whole = RunStint(Search("whole"));
  ASSERT_EQ(whole.status, 0) << whole.error;
  const Words search = Search("cut", {"--resume", "--workers", "2"});
  for (const int signal : {SIGKILL, SIGINT, SIGKILL}) {
    RunSetting setting;
    setting.meanwhile = [&](pid_t pid, const std::string& error) {
      EXPECT_TRUE(WaitForText(error, "best so far"));
      kill(pid, signal);
    };
    const RunResult cut = RunStint(search, setting);
    if (signal == SIGINT) {
      EXPECT_EQ(cut.status, 130) << cut.error;
      EXPECT_NE(cut.error.find("the same command with --resume goes on"), std::string::npos);
    } else {
      EXPECT_EQ(cut.signal, signal) << cut.error;
    }
    EXPECT_EQ(cut.out, "");
    size_t left = 1;
    for (int i = 0; i < 500 && left > 0; ++i) {
      left = CountProcesses(folder_ / "cut");
      const timespec pause = {0, 10000000};
      if (left > 0) nanosleep(&pause, nullptr);
    }
    EXPECT_EQ(left, 0u);
    // A line that a killed process had begun.
    std::ofstream(folder_ / "cut/trials.jsonl", std::ios::app) << "{\"trial\": 3, \"ep";
  }
  const RunResult end = RunStint(search);
  EXPECT_EQ(end.status, 0) << end.error;
  EXPECT_EQ(end.out, whole.out);
  EXPECT_EQ(Files("cut"), (std::set<std::string>{"study.json", "trials.jsonl"}));

  // With more trials the same study goes on; the old ones are what they were.
  Words more = search;
  *std::find(more.begin(), more.end(), "6") = "7";
  EXPECT_EQ(Table(RunStint(more).out).size(), 8u);
}

TEST_F(TuneTest, OtherStudiesAreRefused) {
  const Words search = {"tune",     log_, "--space",      space_, "--study",  folder_ / "s",
                        "--trials", "1",  "--max-epochs", "1",    "--params", "n_sample=32"};
  const auto run = [&](Words more) {
    more.insert(more.begin(), search.begin(), search.end());
    return RunStint(more);
  };
  ASSERT_EQ(run({"--validate-last", "20%"}).status, 0);
  const RunResult anew = run({"--validate-last", "20%"});
  EXPECT_EQ(anew.status, 3);
  EXPECT_EQ(anew.ErrorLine(),
            "stint tune: " + folder_ / "s: there is a study in it; --resume goes on with it");
  const RunResult split = run({"--validate-last", "10%", "--resume"});
  EXPECT_EQ(split.status, 3);
  EXPECT_EQ(split.ErrorLine(), "stint tune: " + folder_ / "s: the study in it is another one: " +
                                   "validation was [\"--validate-last\",\"20%\"], is now "
                                   "[\"--validate-last\",\"10%\"]");
  const RunResult option = run({"--validate-last", "20%", "--resume", "--momentum", "0.5"});
  EXPECT_NE(option.error.find("options was \"negatives=32\", is now \"momentum=0.5,negatives=32\""),
            std::string::npos)
      << option.error;
  std::ofstream(log_, std::ios::app) << "9999\t1\t1\n9999\t2\t2\n";
  const RunResult data = run({"--validate-last", "20%", "--resume"});
  EXPECT_EQ(data.status, 3);
  EXPECT_NE(data.error.find("logs was "), std::string::npos) << data.error;
}

// A trial that diverges, one whose options do not go together, one that takes too long: lines in
// the table, and the others go on. Then CSV, JSON and the best one's model.
TEST_F(TuneTest, FailuresAreResults) {
  folder_.Write("rates.jsonl",
                "{\"name\": \"learning_rate\", \"dtype\": \"categorical\", \"values\": [0.05, "
                "1000]}\n{\"name\": \"final_act\", \"dtype\": \"categorical\", \"values\": "
                "[\"linear\", \"linear\", \"softmax\"]}\n");
  const Words search = {"tune",
                        log_,
                        "--space",
                        folder_ / "rates.jsonl",
                        "--study",
                        folder_ / "rates",
                        "--trials",
                        "8",
                        "--max-epochs",
                        "1",
                        "--validate-span",
                        "60000000",
                        "--params",
                        "loss=bpr-max,bpreg=1000000,momentum=0.99,n_sample=32,layers=8",
                        "--csv",
                        folder_ / "rates.csv",
                        "--out",
                        folder_ / "best.stint",
                        "--json",
                        "--workers",
                        "2"};
  const RunResult result = RunStint(search);
  ASSERT_EQ(result.status, 0) << result.error;
  const json run = json::parse(result.out);
  std::map<std::string, int> states;
  for (const json& trial : run.at("trials")) {
    const std::string state = trial.at("state");
    const json& point = trial.at("parameters");
    ++states[state];
    if (point.at("final_act") == "softmax") {
      EXPECT_EQ(state, "refused");
      EXPECT_NE(trial.at("error").get<std::string>().find("does not go with --loss bpr-max"),
                std::string::npos);
    } else if (point.at("learning_rate") == "1000") {
      EXPECT_EQ(state, "failed");
      EXPECT_EQ(trial.at("error").get<std::string>().rfind("training diverged: epoch 1", 0), 0u);
    } else {
      EXPECT_EQ(state, "done") << trial;
    }
  }
  EXPECT_EQ(states.size(), 3u) << run;  // else other seeds are needed
  EXPECT_EQ(run.at("best").at("trial"), run.at("trials").at(0).at("trial"));
  // The best one's --params say it all.
  EXPECT_EQ(RunStint({"verify", folder_ / "best.stint"}).status, 0);
  EXPECT_EQ(RunStint({"train", log_, "--out", folder_ / "same.stint", "--quiet", "--params",
                      run.at("best").at("params"), "--epochs", "1"})
                .status,
            0);
  EXPECT_EQ(ReadFile(folder_ / "same.stint"), ReadFile(folder_ / "best.stint"));
  const std::string csv = ReadFile(folder_ / "rates.csv");
  EXPECT_EQ(csv.rfind("rank,trial,state,epochs,best_epoch,recall@20,mrr@20,seconds,learning_rate,"
                      "final_act,error\n1,",
                      0),
            0u)
      << csv;
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 9);

  const RunResult late = RunStint({"tune", log_, "--space", space_, "--study", folder_ / "late",
                                   "--trials", "1", "--validate-last", "20%", "--timeout", "0.05",
                                   "--max-epochs", "100000", "--quiet"});
  EXPECT_EQ(late.status, 1);
  EXPECT_NE(late.out.find("took longer than 0.05 s"), std::string::npos) << late.out;
  EXPECT_NE(late.error.find("stint tune: no trial succeeded"), std::string::npos) << late.error;
}

// A shorter cosine is another schedule: the last epoch counts, and the model of --out is trained
// for as many, so that its learning rates are those that were measured.
TEST_F(TuneTest, CosineTrialsCountByTheirLastEpoch) {
  folder_.Write("schedules.jsonl",
                "{\"name\": \"schedule\", \"dtype\": \"categorical\", \"values\": [\"cosine\", "
                "\"cosine\", \"constant\"]}\n");
  const RunResult result =
      RunStint({"tune", log_, "--space", folder_ / "schedules.jsonl", "--study",
                folder_ / "schedules", "--trials", "4", "--max-epochs", "6", "--params",
                "learning_rate=0.5,layers=16,n_sample=32,batch_size=16", "--json",
                "--validate-last", "30%", "--out", folder_ / "best.stint"});
  ASSERT_EQ(result.status, 0) << result.error;
  const json run = json::parse(result.out);
  const auto is_best = [](const json& trial) {
    double best = 0;
    for (const json& epoch : trial.at("epoch_results")) {
      best = std::max(best, epoch.at("recall@20").get<double>());
    }
    return trial.at("recall@20") == best;
  };
  std::map<std::string, int> trials;
  for (const json& trial : run.at("trials")) {
    const std::string schedule = trial.at("parameters").at("schedule");
    const json& epochs = trial.at("epoch_results");
    ASSERT_EQ(trial.at("state"), "done") << trial;
    ASSERT_EQ(epochs.size(), 6u);
    const size_t counts = trial.at("best_epoch");
    EXPECT_EQ(trial.at("recall@20"), epochs.at(counts - 1).at("recall@20"));
    EXPECT_EQ(trial.at("mrr@20"), epochs.at(counts - 1).at("mrr@20"));
    ++trials[schedule];
    if (schedule == "cosine") {
      EXPECT_EQ(counts, 6u);
      EXPECT_FALSE(is_best(trial)) << "another learning rate is needed: " << trial;
    } else {
      EXPECT_LT(counts, 6u) << "another learning rate is needed: " << trial;
      EXPECT_TRUE(is_best(trial));
    }
  }
  EXPECT_EQ(trials.size(), 2u) << "another seed is needed";
  ASSERT_EQ(run.at("best").at("params").get<std::string>().find("schedule=constant"),
            std::string::npos)
      << "another learning rate is needed";
  EXPECT_EQ(run.at("best").at("epochs"), 6);
  ASSERT_EQ(RunStint({"train", log_, "--out", folder_ / "same.stint", "--quiet", "--params",
                      run.at("best").at("params"), "--epochs", "6"})
                .status,
            0);
  EXPECT_TRUE(ReadFile(folder_ / "same.stint") == ReadFile(folder_ / "best.stint"));
}

}  // namespace
}  // namespace stint
