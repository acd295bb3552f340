// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// `stint train`: what it prints and writes, from every form of log, with options of all kinds.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <regex>
#include <string>
#include <vector>

#include "tests/tools/cli_fixture.h"

namespace stint {
namespace {

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

// A complete list as the papers' code has it, and the same by our names.
TEST_F(CliTest, ParametersByTheNamesOfThePapersCode) {
  const Words common = {"train", File("train.tsv"), "--out", File("params.stint"), "--quiet"};
  const auto train = [&](const Words& more) {
    Words words = common;
    words.insert(words.end(), more.begin(), more.end());
    Must(words);
    return ReadFile(File("params.stint"));
  };
  const std::string model =
      train({"--params",
             "loss=bpr-max,layers=8/12,batch_size=16,dropout_p_embed=0.1,dropout_p_hidden=0.2,"
             "constrained_embedding=True,embedding=0,elu_param=0.5,n_sample=32,sample_alpha=0.3,"
             "bpreg=0.5,logq=0,momentum=0.1,learning_rate=0.06,n_epochs=2,final_act=elu-0.5,"
             "adapt=adagrad,adapt_params=[],grad_cap=5,lmbd=0.001,sigma=0.1,init_as_normal=False,"
             "train_random_order=False,time_sort=True,hidden_act=tanh,smoothing=0"});
  EXPECT_EQ(train({"--loss",
                   "bpr-max",
                   "--layers",
                   "8,12",
                   "--batch-size",
                   "16",
                   "--dropout-embedding",
                   "0.1",
                   "--dropout-hidden",
                   "0.2",
                   "--negatives",
                   "32",
                   "--sample-alpha",
                   "0.3",
                   "--bpreg",
                   "0.5",
                   "--momentum",
                   "0.1",
                   "--learning-rate",
                   "0.06",
                   "--epochs",
                   "2",
                   "--clip-norm",
                   "5",
                   "--l2",
                   "0.001",
                   "--init-sigma",
                   "0.1"}),
            model);
  // What has no effect is said and goes on.
  const RunResult noted =
      Must({"train", File("train.tsv"), "--out", File("params.stint"), "--params",
            "bpreg=1,elu_param=0.5,n_epochs=1,n_sample=8,layers=4"});
  EXPECT_NE(noted.error.find("stint train: note: --params: elu_param=0.5 has no effect: "),
            std::string::npos)
      << noted.error;
  EXPECT_NE(noted.error.find("stint train: note: --params: bpreg: only bpr-max has"),
            std::string::npos)
      << noted.error;
}

TEST_F(CliTest, SeveralLogsAreOne) {
  Must({"synth", "--sessions", "1000", "--items", "150", "--out", File("first.tsv")});
  Must({"synth", "--sessions", "500", "--first-session", "1000", "--items", "150", "--out",
        File("second.tsv.gz")});
  const Words common = {"--out", File("several.stint"), "--layers", "8",      "--epochs",
                        "1",     "--negatives",         "32",       "--json", "--quiet"};
  const auto train = [&](Words words) {
    words.insert(words.begin(), "train");
    words.insert(words.end(), common.begin(), common.end());
    return MustJson(words);
  };
  const json one = train({File("train.tsv"), "--validate-span", "20000000"});
  const json two = train({File("first.tsv"), File("second.tsv.gz"), "--validate-span", "20000000"});
  EXPECT_EQ(two.at("log"), json({"first.tsv", "second.tsv.gz"}));
  EXPECT_GT(one.at("validation").at("sessions"), 1);
  EXPECT_LT(one.at("validation").at("sessions"), 700);
  EXPECT_EQ(two.at("validation"), one.at("validation"));
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

}  // namespace
}  // namespace stint
