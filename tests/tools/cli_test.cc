// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The command line as a whole: help, usage errors, and each sub-command's use from a synthetic log
// to recommendations.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "stint/stint.h"
#include "tests/temporary_folder.h"
#include "tests/tools/run_stint.h"
#include "trainer/events.h"
#include "trainer/metrics.h"
#include "trainer/sessions.h"

namespace stint {
namespace {

using nlohmann::json;
using Words = std::vector<std::string>;

std::vector<std::vector<std::string>> Table(const std::string& text) {
  std::vector<std::vector<std::string>> rows;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    rows.emplace_back();
    std::istringstream fields(line);
    for (std::string field; std::getline(fields, field, '\t');) rows.back().push_back(field);
  }
  return rows;
}

// A model trained once on a synthetic log, for all tests.
class CliTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    shared_ = std::make_unique<TemporaryFolder>();
    Must({"synth", "--sessions", "1500", "--items", "150", "--out", File("train.tsv")});
    Must({"synth", "--sessions", "300", "--first-session", "1500", "--items", "150", "--out",
          File("test.tsv")});
    train_json_ = json::parse(Must({"train", File("train.tsv"), "--out", File("model.stint"),
                                    "--layers", "24", "--epochs", "4", "--validate-last", "10%",
                                    "--json", "--learning-rate", "0.1", "--negatives", "128"})
                                  .out);
    // Names with commas, quotes and a slash; commas between fields.
    std::string csv = "at,item,\"visit\"\n";
    for (int s = 0; s < 40; ++s) {
      csv += std::to_string(3 * s) + ",\"socks, red\",v" + std::to_string(s) + "\n";
      csv += std::to_string(3 * s + 1) + ",\"5\"\" nail\",v" + std::to_string(s) + "\n";
      if (s % 2 == 0) csv += std::to_string(3 * s + 2) + ",a/b,v" + std::to_string(s) + "\n";
    }
    shared_->Write("names.csv", csv);
    Must({"train", File("names.csv"), "--out", File("names.stint"), "--session-column", "visit",
          "--item-column", "item", "--time-column", "at", "--layers", "8", "--epochs", "2",
          "--negatives", "16", "--quiet"});
  }
  static void TearDownTestSuite() { shared_.reset(); }

  static std::string File(const std::string& name) { return *shared_ / name; }
  // A run that succeeds.
  static RunResult Must(const Words& arguments, const RunSetting& setting = {}) {
    RunResult result = RunStint(arguments, setting);
    EXPECT_EQ(result.status, 0) << result.error;
    return result;
  }
  static json MustJson(const Words& arguments) { return json::parse(Must(arguments).out); }

  static std::unique_ptr<TemporaryFolder> shared_;
  static json train_json_;
};
std::unique_ptr<TemporaryFolder> CliTest::shared_;
json CliTest::train_json_;

TEST_F(CliTest, Help) {
  const std::string top = Must({"--help"}).out;
  for (const char* command : {"train", "evaluate", "recommend", "inspect", "verify", "synth"}) {
    EXPECT_NE(top.find(std::string("\n  ") + command), std::string::npos) << command;
    const std::string help = Must({command, "--help"}).out;
    EXPECT_NE(help.find(std::string("Usage: stint ") + command), std::string::npos) << help;
    std::istringstream lines(help);
    for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 100u) << line;
  }
  const std::string train = Must({"train", "--help"}).out;
  for (const char* option : {"--out",
                             "--validate-last",
                             "--layers",
                             "--gru-form",
                             "--loss",
                             "--final-activation",
                             "--bpreg",
                             "--logq",
                             "--batch-size",
                             "--negatives",
                             "--sample-alpha",
                             "--dropout-embedding",
                             "--dropout-hidden",
                             "--learning-rate",
                             "--momentum",
                             "--epochs",
                             "--patience",
                             "--refit",
                             "--seed",
                             "--threads",
                             "--dtype",
                             "--session-column",
                             "--item-column",
                             "--time-column",
                             "--separator",
                             "--quiet",
                             "--json",
                             "--no-progress"}) {
    EXPECT_NE(train.find(std::string("  ") + option + " "), std::string::npos) << option;
  }
  EXPECT_EQ(Must({"--version"}).out, std::string("stint ") + stint_version() + "\n");
}

TEST_F(CliTest, WrongUsageIsOneLineAndStatus2) {
  const std::string log = File("train.tsv");
  const std::string model = File("model.stint");
  const std::vector<std::pair<Words, std::string>> cases = {
      {{}, "stint: a command is required (see stint --help)"},
      {{"bogus"}, "stint: no command 'bogus'"},
      {{"--bogus"}, "stint: "},
      {{"train"}, "stint train: LOG is required"},
      {{"train", log}, "stint train: --out is required"},
      {{"train", log, "--out", "x", "--validate-span", "0"},
       "stint train: --validate-span: '0' is not a time above 0"},
      {{"train", log, "--out", "x", "--validate-span", "5", "--validate-last", "5"},
       "stint train: --validate-span: --validate-last is given too"},
      {{"train", log, "--out", "x", "--bogus"}, "stint train: "},
      {{"train", log, "--out", "x", "--seed", "1", "--seed", "2"},
       "stint train: --seed: given twice (see stint train --help)"},
      {{"train", log, "--out", "x", "--out", "y", "--out", "z"},
       "stint train: --out: given 3 times (see stint train --help)"},
      {{"train", log, "--out", "x", "--final-activation", "elu-0.5"},
       "stint train: --final-activation: elu-0.5 does not go with --loss cross-entropy"},
      {{"train", log, "--out", "x", "--loss", "bpr-max", "--final-activation", "linear-1"},
       "stint train: --final-activation: 'linear-1': linear takes no parameter"},
      {{"train", log, "--out", "x", "--bpreg", "2"}, "stint train: --bpreg: only bpr-max has"},
      {{"train", log, "--out", ""}, "stint train: "},
      {{"train", log, "--out", "x", "--epochs", "0"},
       "stint train: --epochs: '0' is not an integer in [1, 1000000]"},
      {{"train", log, "--out", "x", "--epochs", "-1"}, "stint train: --epochs: '-1' is not"},
      {{"train", log, "--out", "x", "--epochs", "1.5"}, "stint train: --epochs: '1.5' is not"},
      {{"train", log, "--out", "x", "--epochs", "many"}, "stint train: --epochs: 'many' is not"},
      {{"train", log, "--out", "x", "--layers", "0"}, "stint train: --layers: '0' is not"},
      {{"train", log, "--out", "x", "--layers", "100,"}, "stint train: --layers: '' is not"},
      {{"train", log, "--out", "x", "--layers", "99999"}, "stint train: --layers: '99999' is not"},
      {{"train", log, "--out", "x", "--batch-size", "0"}, "stint train: --batch-size: '0' is not"},
      {{"train", log, "--out", "x", "--batch-size", "1", "--negatives", "0"},
       "stint train: --batch-size: 1 leaves no negatives"},
      {{"train", log, "--out", "x", "--seed", "18446744073709551616"}, "stint train: --seed: "},
      {{"train", log, "--out", "x", "--threads", "1025"}, "stint train: --threads: "},
      {{"train", log, "--out", "x", "--loss", "mse"},
       "stint train: --loss: 'mse' is none of cross-entropy, xe_logit, bpr, top1, top1-max, "
       "bpr-max"},
      {{"train", log, "--out", "x", "--dtype", "f16"}, "stint train: --dtype: "},
      {{"train", log, "--out", "x", "--gru-form", "x"}, "stint train: --gru-form: "},
      {{"train", log, "--out", "x", "--final-activation", "elu"},
       "stint train: --final-activation: elu-1 does not go with --loss cross-entropy"},
      {{"train", log, "--out", "x", "--dropout-hidden", "1"},
       "stint train: --dropout-hidden: '1' is not in [0, 1)"},
      {{"train", log, "--out", "x", "--dropout-embedding", "-0.1"},
       "stint train: --dropout-embedding: '-0.1' is not in [0, 1)"},
      {{"train", log, "--out", "x", "--momentum", "nan"},
       "stint train: --momentum: 'nan' is not in [0, 1)"},
      {{"train", log, "--out", "x", "--learning-rate", "fast"},
       "stint train: --learning-rate: 'fast' is not a number"},
      {{"train", log, "--out", "x", "--learning-rate", "0"}, "stint train: --learning-rate"},
      {{"train", log, "--out", "x", "--learning-rate", "inf"}, "stint train: --learning-rate"},
      {{"train", log, "--out", "x", "--sample-alpha", "2.5"}, "stint train: --sample-alpha"},
      {{"train", log, "--out", "x", "--logq", "1", "--loss", "bpr-max"}, "stint train: --logq"},
      {{"train", log, "--out", "x", "--validate-last", "0"}, "stint train: --validate-last: '0'"},
      {{"train", log, "--out", "x", "--validate-last", "100%"},
       "stint train: --validate-last: '100%'"},
      {{"train", log, "--out", "x", "--validate-last", "nan%"},
       "stint train: --validate-last: 'nan%'"},
      {{"train", log, "--out", "x", "--patience", "2"},
       "stint train: --patience: needs --validate-last"},
      {{"train", log, "--out", "x", "--refit"}, "stint train: --refit: needs --validate-last"},
      {{"train", log, "--out", "x", "--separator", "ab"}, "stint train: --separator: 'ab'"},
      {{"train", log, "--out", "x", "--item-column", "Time"},
       "stint train: session, item and time must be three different columns"},
      {{"evaluate", model}, "stint evaluate: LOG is required"},
      {{"evaluate", model, log, "-k", "0"}, "stint evaluate: -k: '0' is not an integer in [1, "},
      {{"evaluate", model, log, "-k", "5,x"}, "stint evaluate: -k: 'x' is not an integer in [1, "},
      {{"evaluate", model, log, "--mode", "kind"}, "stint evaluate: --mode: 'kind' is none of"},
      {{"recommend"}, "stint recommend: MODEL is required"},
      {{"recommend", model, "-k", "0"}, "stint recommend: "},
      {{"recommend", model, "--session", "\"17"},
       "stint recommend: --session: '\"17' has a quote that is not closed (see stint recommend "
       "--help)"},
      {{"recommend", model, "--session", "1,,2"},
       "stint recommend: --session: '1,,2' has an empty id"},
      {{"recommend", model, "--deny", "1,"}, "stint recommend: --deny: '1,' has an empty id"},
      {{"recommend", model, "--deny", "\"\""}, "stint recommend: --deny: '\"\"' has an empty id"},
      {{"inspect"}, "stint inspect: MODEL is required"},
      {{"verify", model, "--fast"}, "stint verify: "},
      {{"synth", "--items", "0"}, "stint synth: --items: '0' is not an integer in [1, "},
  };
  for (const auto& [arguments, message] : cases) {
    std::string line;
    for (const std::string& word : arguments) line += " " + word;
    SCOPED_TRACE(line);
    const RunResult result = RunStint(arguments);
    EXPECT_EQ(result.status, 2);
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(result.error.rfind(message, 0), 0u) << result.error;
    EXPECT_EQ(std::count(result.error.begin(), result.error.end(), '\n'), 1) << result.error;
    EXPECT_NE(result.error.find(" --help)\n"), std::string::npos) << result.error;
  }
  EXPECT_FALSE(std::filesystem::exists("x"));
}

TEST_F(CliTest, TrainTellsWhatItDid) {
  const json& run = train_json_;
  EXPECT_EQ(run.at("model"), File("model.stint"));
  EXPECT_EQ(run.at("bytes"), std::filesystem::file_size(File("model.stint")));
  EXPECT_EQ(run.at("dtype"), "int8");
  EXPECT_EQ(run.at("sessions"), 1350);
  EXPECT_EQ(run.at("epoch_results").size(), 4u);
  EXPECT_EQ(run.at("hyperparameters").at("layers"), json({24}));
  const json& validation = run.at("validation");
  EXPECT_EQ(validation.at("sessions"), 150);
  double best = 0;
  for (const json& epoch : run.at("epoch_results")) {
    best = std::max(best, epoch.at("recall@20").get<double>());
  }
  EXPECT_EQ(validation.at("int8").at("recall@20"), best);
  // Quantization costs next to nothing.
  const double before = validation.at("f32").at("recall@20");
  const double after = validation.at("int8").at("recall@20");
  EXPECT_NEAR(validation.at("relative_loss").at("recall@20").get<double>(),
              (before - after) / before, 1e-12);
  EXPECT_NEAR(before, after, 0.01);
  // Losses fall.
  EXPECT_LT(run.at("epoch_results")[3].at("loss"), run.at("epoch_results")[0].at("loss"));
}

TEST_F(CliTest, TrainPrintsOptionsDataEpochsAndQuality) {
  const RunResult result =
      Must({"train", File("train.tsv"), "--out", File("printed.stint"), "--layers", "8", "--epochs",
            "2", "--validate-last", "100", "--negatives", "32"});
  EXPECT_EQ(result.out, "");
  for (const char* text :
       {"options: {\"layers\":[8],", "\"momentum\":0.0", "read: ", "1,500 sessions",
        "validation: 100 sessions", "train: 1,400 sessions", "epoch  1: loss ", "epoch  2: loss ",
        "; recall@20 0.", "\nf32            recall@20 0.", "\nint8           recall@20 0.",
        "\nrelative loss  recall@20 ", "\nwrote "}) {
    EXPECT_NE(result.error.find(text), std::string::npos) << text << "\n" << result.error;
  }
  EXPECT_EQ(result.error.find('\r'), std::string::npos);  // no terminal, no bar
  EXPECT_EQ(Must({"train", File("train.tsv"), "--out", File("quiet.stint"), "--layers", "8",
                  "--epochs", "1", "--negatives", "32", "--quiet"})
                .error,
            "");
}

TEST_F(CliTest, TrainShowsABarOnATerminal) {
  RunSetting setting;
  setting.terminal = true;
  setting.environment = {{"TERM", "xterm"}};
  const Words words = {"train", File("train.tsv"), "--out", File("bar.stint"), "--layers",
                       "64",    "--epochs",        "3",     "--negatives",     "2048"};
  const std::string shown = Must(words, setting).error;
  // "\r" epoch, share, bar, loss, speed, time left; then taken away for the line of the epoch.
  const std::regex bar(
      "\repoch [123]/3 +[0-9]+% \\[#*\\.*\\] loss [0-9.]+, [0-9,]+ events/s, [0-9]+:[0-9]{2} "
      "left(, [0-9]+:[0-9]{2} in all)?\x1b\\[K");
  EXPECT_TRUE(std::regex_search(shown, bar)) << shown;
  EXPECT_NE(shown.find("\r\x1b[Kepoch  3: loss "), std::string::npos) << shown;
  Words without = words;
  without.push_back("--no-progress");
  EXPECT_EQ(Must(without, setting).error.find('\x1b'), std::string::npos);
  setting.environment = {{"TERM", "dumb"}};
  EXPECT_EQ(Must(words, setting).error.find('\x1b'), std::string::npos);
}

TEST_F(CliTest, SameModelFromEveryFormatAndNumberOfThreads) {
  const std::string text = ReadFile(File("train.tsv"));
  std::string csv = text;
  std::replace(csv.begin(), csv.end(), '\t', ',');
  const Words options = {"--layers",         "8",   "--epochs",    "1", "--quiet",
                         "--dropout-hidden", "0.2", "--negatives", "64"};
  const auto train = [&](const std::string& log, const Words& more, const std::string& input) {
    Words words = {"train", log, "--out", File("same.stint")};
    words.insert(words.end(), options.begin(), options.end());
    words.insert(words.end(), more.begin(), more.end());
    RunSetting setting;
    setting.input = input;
    Must(words, setting);
    return ReadFile(File("same.stint"));
  };
  const std::string reference = train("-", {"--threads", "1"}, text);
  for (const char* threads : {"1", "2", "3", "4"}) {
    EXPECT_EQ(train("-", {"--threads", threads}, text), reference) << threads << " threads";
  }
  EXPECT_EQ(train("-", {}, csv), reference);
  EXPECT_EQ(train("-", {}, "\xef\xbb\xbf" + text), reference);
  Must({"synth", "--sessions", "1500", "--items", "150", "--out", File("train.tsv.gz")});
  EXPECT_EQ(train("-", {}, ReadFile(File("train.tsv.gz"))), reference);
  EXPECT_NE(train("-", {"--seed", "43"}, text), reference);
  // Neither times nor folders in the file.
  EXPECT_EQ(ReadFile(File("model.stint")).find(shared_->path().string()), std::string::npos);
}

TEST_F(CliTest, TrainInEveryForm) {
  for (const Words& more :
       {Words{"--dtype", "f32"}, Words{"--gru-form", "reset_before", "--layers", "8,12"},
        Words{"--loss", "bpr-max", "--bpreg", "0.5", "--momentum", "0.3"},
        Words{"--loss", "bpr-max", "--final-activation", "linear"}, Words{"--logq", "1"},
        Words{"--negatives", "0", "--batch-size", "8"},
        Words{"--batch-size", "4000"},  // fewer sessions than the batch
        Words{"--dropout-embedding", "0.3", "--dropout-hidden", "0.3"}}) {
    SCOPED_TRACE(more[0] + " " + more[1]);
    Words words = {"train", File("train.tsv"), "--out", File("form.stint"), "--quiet", "--epochs",
                   "1",     "--negatives",     "32",    "--layers",         "8"};
    for (size_t i = 0; i < more.size(); i += 2) {  // an option given twice is refused
      const auto found = std::find(words.begin(), words.end(), more[i]);
      if (found != words.end()) words.erase(found, found + 2);
    }
    words.insert(words.end(), more.begin(), more.end());
    Must(words);
    Must({"verify", File("form.stint")});
  }
  const json f32 = [&] {
    Must({"train", File("train.tsv"), "--out", File("f32.stint"), "--quiet", "--epochs", "1",
          "--negatives", "32", "--layers", "8", "--dtype", "f32"});
    return MustJson({"inspect", File("f32.stint"), "--json"});
  }();
  EXPECT_EQ(f32.at("dtype"), "f32");
}

TEST_F(CliTest, PatienceAndRefit) {
  const json run =
      MustJson({"train", File("train.tsv"), "--out", File("refit.stint"), "--layers", "8",
                "--epochs", "200", "--patience", "1", "--validate-last", "10%", "--refit", "--json",
                "--quiet", "--learning-rate", "0.5", "--negatives", "32"});
  EXPECT_EQ(run.at("refit"), true);
  EXPECT_EQ(run.at("sessions"), 1500);  // all of them
  EXPECT_LT(run.at("epochs"), 200);     // as validation said
  EXPECT_EQ(run.at("epochs"), run.at("epoch"));
  EXPECT_GT(run.at("validation").at("int8").at("recall@20"), 0.1);
  Must({"verify", File("refit.stint")});
}

TEST_F(CliTest, TrainStopsWhenItDiverges) {
  const std::string out = File("new.stint");
  const Words words = {"train",   File("train.tsv"),
                       "--out",   out,
                       "--loss",  "bpr-max",
                       "--bpreg", "1e6",
                       "--quiet", "--final-activation",
                       "linear",  "--learning-rate",
                       "1000",    "--momentum",
                       "0.99",    "--epochs",
                       "3",       "--negatives",
                       "128"};
  const RunResult result = RunStint(words);
  EXPECT_EQ(result.status, 1);
  EXPECT_NE(result.error.find("stint train: training diverged: epoch 1, mini-batch "),
            std::string::npos)
      << result.error;
  EXPECT_NE(result.error.find("items "), std::string::npos);
  EXPECT_NE(result.error.find("the last good state is in " + out + ";"), std::string::npos);
  Must({"verify", out});
  EXPECT_FALSE(std::filesystem::exists(out + ".diverged"));

  // A model that is there already is worth more than a few steps.
  shared_->Write("new.stint", "an older model");
  const RunResult again = RunStint(words);
  EXPECT_EQ(again.status, 1);
  EXPECT_NE(again.error.find("is in " + out + ".diverged;"), std::string::npos) << again.error;
  EXPECT_EQ(ReadFile(out), "an older model");
  Must({"verify", out + ".diverged"});
}

// Recall@20 of always naming the most clicked items.
double PopularityRecall(const std::string& train, const std::string& test) {
  const Dataset dataset = MakeDataset(ReadEvents(train, {}), 0);
  uint64_t unknown = 0;
  const Sessions sessions = MapSessions(ReadEvents(test, {}), dataset.catalog, &unknown);
  std::vector<double> ranks;
  for (size_t s = 0; s < sessions.size(); ++s) {
    for (size_t i = 1; i < sessions[s].size(); ++i) {
      const uint32_t count = dataset.catalog.counts[sessions[s][i]];
      ranks.push_back(1.0 + static_cast<double>(std::count_if(
                                dataset.catalog.counts.begin(), dataset.catalog.counts.end(),
                                [&](uint32_t other) { return other > count; })));
    }
  }
  return ComputeMetrics(ranks, {20}).RecallAt(20);
}

TEST_F(CliTest, EvaluateIsFarAbovePopularity) {
  const json run =
      MustJson({"evaluate", File("model.stint"), File("test.tsv"), "-k", "1,5,20,5", "--json"});
  EXPECT_EQ(run.at("model"), File("model.stint"));
  EXPECT_EQ(run.at("unknown_events"), 0);
  const Events events = ReadEvents(File("test.tsv"), {});
  EXPECT_EQ(run.at("targets"), MakeSessions(events).Targets());
  EXPECT_EQ(run.at("events"), events.size());
  double previous = 0;
  for (const char* k : {"1", "5", "20"}) {
    const double recall = run.at(std::string("recall@") + k);
    const double mrr = run.at(std::string("mrr@") + k);
    EXPECT_GT(recall, previous);
    EXPECT_LE(mrr, recall);
    EXPECT_GT(mrr, 0);
    previous = recall;
  }
  EXPECT_EQ(run.at("mrr@1"), run.at("recall@1"));
  EXPECT_GT(run.at("recall@20").get<double>(),
            1.5 * PopularityRecall(File("train.tsv"), File("test.tsv")));

  const std::string text =
      Must({"evaluate", File("model.stint"), File("test.tsv"), "-k", "5,20"}).out;
  for (const char* k : {"5", "20"}) {
    char row[64];
    std::snprintf(row, sizeof(row), "%8s  %10.6f  %10.6f\n", k,
                  run.at(std::string("recall@") + k).get<double>(),
                  run.at(std::string("mrr@") + k).get<double>());
    EXPECT_NE(text.find(row), std::string::npos) << text;
  }
}

TEST_F(CliTest, EvaluateModesAndThreads) {
  std::map<std::string, json> runs;
  for (const char* mode : {"standard", "conservative", "median"}) {
    for (const char* threads : {"1", "2", "3"}) {
      json run = MustJson({"evaluate", File("model.stint"), File("test.tsv"), "--mode", mode,
                           "--threads", threads, "--json"});
      EXPECT_EQ(run.at("mode"), mode);
      if (runs.count(mode) == 0) runs[mode] = run;
      EXPECT_EQ(run, runs[mode]);
    }
  }
  EXPECT_GE(runs["standard"].at("mrr@20"), runs["median"].at("mrr@20"));
  EXPECT_GE(runs["median"].at("mrr@20"), runs["conservative"].at("mrr@20"));
}

TEST_F(CliTest, EvaluateUnknownItems) {
  // Session 1 loses its first event, session 2 a target, session 3 everything.
  const std::string log = shared_->Write("unknown.tsv",
                                         "SessionId\tItemId\tTime\n1\t9999\t1\n1\t5\t2\n1\t7\t3\n"
                                         "2\t5\t4\n2\t9999\t5\n2\t7\t6\n3\t9998\t7\n3\t9999\t8\n");
  const json dropped = MustJson({"evaluate", File("model.stint"), log, "-k", "150", "--json"});
  EXPECT_EQ(dropped.at("targets"), 2);
  EXPECT_EQ(dropped.at("unknown_events"), 4);
  EXPECT_EQ(dropped.at("recall@150"), 1.0);  // all items
  const json missed =
      MustJson({"evaluate", File("model.stint"), log, "-k", "150", "--unknown-as-miss", "--json"});
  EXPECT_EQ(missed.at("targets"), 5);
  EXPECT_EQ(missed.at("unknown_events"), 4);
  EXPECT_EQ(missed.at("recall@150"), 0.6);
  EXPECT_NE(Must({"evaluate", File("model.stint"), log}).out.find("4 of them with items unknown"),
            std::string::npos);
  const RunResult none =
      RunStint({"evaluate", File("model.stint"), File("names.csv"), "--session-column", "visit",
                "--item-column", "item", "--time-column", "at"});
  EXPECT_EQ(none.status, 3);
  EXPECT_NE(none.error.find("names.csv: nothing to rank"), std::string::npos) << none.error;
}

TEST_F(CliTest, RecommendAgreesWithTheRuntime) {
  stint_model* model = nullptr;
  ASSERT_EQ(stint_model_from_file(File("model.stint").c_str(), &model, nullptr), STINT_OK);
  stint_session* session = nullptr;
  ASSERT_EQ(stint_session_create(model, 5, &session), STINT_OK);
  ASSERT_EQ(stint_observe_id(session, 17), STINT_OK);
  ASSERT_EQ(stint_observe_id(session, 3), STINT_OK);
  std::vector<stint_recommendation> top(5);
  size_t count = 0;
  ASSERT_EQ(stint_recommend(session, 5, nullptr, top.data(), &count), STINT_OK);
  ASSERT_EQ(count, 5u);
  const auto rows =
      Table(Must({"recommend", File("model.stint"), "--session", "17,3", "-k", "5"}).out);
  const json run =
      MustJson({"recommend", File("model.stint"), "--session", "17,3", "-k", "5", "--json"});
  ASSERT_EQ(rows.size(), 5u);
  ASSERT_EQ(run.at("items").size(), 5u);
  EXPECT_EQ(run.at("observed"), 2);
  for (size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(rows[i][0], std::to_string(i + 1));
    EXPECT_EQ(rows[i][1], std::to_string(top[i].id));
    EXPECT_EQ(std::stof(rows[i][2]), top[i].score);
    EXPECT_EQ(run.at("items")[i].at("rank"), i + 1);
    EXPECT_EQ(run.at("items")[i].at("id"), top[i].id);
    EXPECT_EQ(run.at("items")[i].at("score").get<float>(), top[i].score);
  }
  stint_session_destroy(session);
  stint_model_destroy(model);
}

TEST_F(CliTest, RecommendOptions) {
  const std::string model = File("model.stint");
  const auto ids = [&](const Words& more, const std::string& input = "") {
    Words words = {"recommend", model};
    words.insert(words.end(), more.begin(), more.end());
    RunSetting setting;
    setting.input = input;
    std::vector<std::string> found;
    for (const auto& row : Table(Must(words, setting).out)) found.push_back(row.at(1));
    return found;
  };
  const auto plain = ids({"--session", "17,3", "-k", "10"});
  EXPECT_EQ(plain.size(), 10u);
  EXPECT_EQ(ids({"--session", "17", "--session", "3", "-k", "10"}), plain);
  EXPECT_EQ(ids({"--session=17,3", "-k10"}), plain);
  EXPECT_EQ(ids({"--session", "-", "-k", "10"}, "17\r\n\n3\n"), plain);
  EXPECT_EQ(ids({"--session", "17,3"}).size(), 20u);  // the default
  // All items, but no more.
  EXPECT_EQ(ids({"--session", "17,3", "-k", "1000000"}).size(), train_json_.at("items"));
  auto rest = ids({"--session", "17,3", "-k", "1000000", "--exclude-seen", "--deny",
                   plain[0] + "," + plain[1]});
  const std::set<std::string> left(rest.begin(), rest.end());
  const std::set<std::string> out = {"17", "3", plain[0], plain[1]};
  EXPECT_EQ(left.size(), train_json_.at("items").get<size_t>() - out.size());
  for (const std::string& id : out) EXPECT_EQ(left.count(id), 0u) << id;

  // An empty session: by popularity.
  std::map<int64_t, int> counts;
  const Dataset dataset = MakeDataset(ReadEvents(File("train.tsv"), {}), 150);
  for (const uint32_t item : dataset.train.items) ++counts[dataset.catalog.ids.numbers[item]];
  int previous = 1 << 30;
  for (const std::string& id : ids({"-k", "30"})) {
    EXPECT_LE(counts[std::stoll(id)], previous);
    previous = counts[std::stoll(id)];
  }
  EXPECT_EQ(ids({"-k", "30"}), ids({"-k", "30", "--session", ""}));
}

TEST_F(CliTest, RecommendWarnsOfUnknownItems) {
  const RunResult result =
      Must({"recommend", File("model.stint"), "--session", "17,xyz,003,-3", "--deny", "77777"});
  for (const char* id : {"item 'xyz'", "item '003'", "item '-3'", "denied item '77777'"}) {
    EXPECT_NE(
        result.error.find(std::string("stint recommend: warning: the model does not know ") + id),
        std::string::npos)
        << result.error;
  }
  EXPECT_EQ(result.out, Must({"recommend", File("model.stint"), "--session", "17"}).out);
  const json run = MustJson({"recommend", File("model.stint"), "--session", "17,xyz", "--json"});
  EXPECT_EQ(run.at("observed"), 1);
  EXPECT_EQ(run.at("unknown"), json({"xyz"}));
}

TEST_F(CliTest, NamesWithCommasAndQuotes) {
  const std::string model = File("names.stint");
  EXPECT_EQ(MustJson({"inspect", model, "--json"}).at("ids"), "names");
  const json run = MustJson({"recommend", model, "--session", "\"socks, red\",\"5\"\" nail\"",
                             "--session", "a/b", "--json"});
  EXPECT_EQ(run.at("observed"), 3);
  EXPECT_EQ(run.at("unknown"), json::array());
  std::set<std::string> ids;
  for (const json& item : run.at("items")) ids.insert(item.at("id"));
  EXPECT_EQ(ids, (std::set<std::string>{"socks, red", "5\" nail", "a/b"}));
  RunSetting setting;
  setting.input = "socks, red\n5\" nail\na/b\n";
  EXPECT_EQ(json::parse(Must({"recommend", model, "--session", "-", "--json"}, setting).out), run);
}

// What a terminal or a line-wise reader would trip over.
TEST_F(CliTest, ControlBytesInNamesAreEscaped) {
  const std::string log = shared_->Write(
      "control.csv", "SessionId,ItemId,Time\n1,a\tb,1\n1,c\x1b[2J,2\n2,c\x1b[2J,3\n2,a\tb,4\n");
  Must({"train", log, "--out", File("control.stint"), "--separator", "comma", "--layers", "4",
        "--epochs", "1", "--negatives", "8", "--quiet"});
  std::set<std::string> names;
  for (const auto& row : Table(Must({"recommend", File("control.stint")}).out)) {
    ASSERT_EQ(row.size(), 3u);
    names.insert(row[1]);
  }
  EXPECT_EQ(names, (std::set<std::string>{"a\\x09b", "c\\x1b[2J"}));
  names.clear();
  const json run = MustJson({"recommend", File("control.stint"), "--json"});
  for (const json& item : run.at("items")) names.insert(item.at("id"));
  EXPECT_EQ(names, (std::set<std::string>{"a\tb", "c\x1b[2J"}));
}

TEST_F(CliTest, InspectAndVerify) {
  const json info = MustJson({"inspect", File("model.stint"), "--json"});
  EXPECT_EQ(info.at("dtype"), "int8");
  EXPECT_EQ(info.at("layers"), json({24}));
  EXPECT_EQ(info.at("items"), train_json_.at("items"));
  EXPECT_EQ(info.at("training_events"), train_json_.at("events"));
  EXPECT_EQ(info.at("parameters"),
            2 * 3 * 24 * 24 + 2 * 3 * 24 + 25 * train_json_.at("items").get<int>());
  EXPECT_EQ(info.at("file_size"), std::filesystem::file_size(File("model.stint")));
  EXPECT_EQ(info.at("training_summary").at("validation"), train_json_.at("validation"));
  EXPECT_EQ(info.at("hyperparameters"), train_json_.at("hyperparameters"));
  EXPECT_GT(info.at("self_tests"), 0);
  EXPECT_GT(info.at("sections").size(), 3u);
  const std::string text = Must({"inspect", File("model.stint")}).out;
  for (const json& section : info.at("sections")) {
    EXPECT_NE(text.find(section.at("name").get<std::string>()), std::string::npos);
    EXPECT_NE(text.find(section.at("xxh3").get<std::string>()), std::string::npos);
  }

  const json verified = MustJson({"verify", File("model.stint"), "--all-targets", "--json"});
  EXPECT_EQ(verified.at("ok"), true);
  EXPECT_EQ(verified.at("message"), "");
  EXPECT_EQ(verified.at("targets").at(0).at("target"), info.at("target"));  // the default first
  EXPECT_EQ(verified.at("self_tests"), info.at("self_tests"));
  EXPECT_GE(verified.at("targets").size(), 1u);
  std::set<std::string> targets;
  for (const json& target : verified.at("targets")) {
    EXPECT_EQ(target.at("ok"), true);
    EXPECT_TRUE(targets.insert(target.at("target")).second);
    // The same by the environment.
    RunSetting setting;
    setting.environment = {{"STINT_TARGET", target.at("target")}};
    const std::string out = Must({"verify", File("model.stint")}, setting).out;
    EXPECT_NE(out.find("\n" + target.at("target").get<std::string>() + " "), std::string::npos);
    EXPECT_EQ(Must({"recommend", File("model.stint"), "--session", "5,6,7"}, setting).out,
              Must({"recommend", File("model.stint"), "--session", "5,6,7"}).out);
  }
  EXPECT_EQ(targets.count(info.at("target")), 1u);
  RunSetting wrong;
  wrong.environment = {{"STINT_TARGET", "abacus"}};
  const RunResult result = RunStint({"verify", File("model.stint")}, wrong);
  EXPECT_EQ(result.status, 2);
  EXPECT_EQ(result.ErrorLine(),
            "stint verify: STINT_TARGET: this CPU or build has no target 'abacus'");
}

TEST_F(CliTest, SynthIsAFunctionOfItsOptions) {
  const std::string whole = Must({"synth", "--sessions", "40", "--items", "30"}).out;
  EXPECT_EQ(Must({"synth", "--sessions", "40", "--items", "30"}).out, whole);
  EXPECT_NE(Must({"synth", "--sessions", "40", "--items", "30", "--seed", "2"}).out, whole);
  const std::string head = Must({"synth", "--sessions", "25", "--items", "30"}).out;
  const std::string tail =
      Must({"synth", "--sessions", "15", "--first-session", "25", "--items", "30"}).out;
  EXPECT_EQ(head + tail.substr(tail.find('\n') + 1), whole);
  for (const char* items : {"1", "2", "3", "1000"}) {
    Must({"synth", "--sessions", "200", "--items", items, "--out", File("s.tsv")});
    Must({"synth", "--sessions", "200", "--items", items, "--out", File("s.tsv.gz")});
    const Events plain = ReadEvents(File("s.tsv"), {});
    const Events zipped = ReadEvents(File("s.tsv.gz"), {});
    EXPECT_EQ(plain.item, zipped.item);
    EXPECT_EQ(plain.time, zipped.time);
    EXPECT_EQ(plain.session_ids.size(), 200u);
    EXPECT_LE(plain.item_ids.size(), std::stoul(items));
    const Sessions sessions = MakeSessions(plain);
    for (size_t s = 0; s < sessions.size(); ++s) EXPECT_GE(sessions[s].size(), 2u);
    EXPECT_LT(std::filesystem::file_size(File("s.tsv.gz")),
              std::filesystem::file_size(File("s.tsv")));
  }
}

}  // namespace
}  // namespace stint
