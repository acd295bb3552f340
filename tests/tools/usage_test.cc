// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The command line as a whole: help, and usage errors in one line with status 2.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "stint/stint.h"
#include "tests/tools/cli_fixture.h"
#include "trainer/options.h"

namespace stint {
namespace {

TEST_F(CliTest, Help) {
  const std::string top = Must({"--help"}).out;
  for (const char* command : {"train", "tune", "evaluate", "recommend", "inspect", "verify", "diff",
                              "convert", "delta", "apply", "synth"}) {
    EXPECT_NE(top.find(std::string("\n  ") + command), std::string::npos) << command;
    const std::string help = Must({command, "--help"}).out;
    EXPECT_NE(help.find(std::string("Usage: stint ") + command), std::string::npos) << help;
    std::istringstream lines(help);
    for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 100u) << line;
  }
  // Every field of trainer/options.h, under its name there, and what is beside them.
  const std::string train = Must({"train", "--help"}).out;
  const std::string tune = Must({"tune", "--help"}).out;
  const json options = json::parse(ToJson(Options()));
  for (const auto& [name, value] : options.items()) {
    EXPECT_NE(train.find("  --" + name + (value.is_boolean() ? "" : " ")), std::string::npos)
        << name;
    if (name == "epochs" || name == "patience") continue;  // --max-epochs
    EXPECT_NE(tune.find("  --" + name + (value.is_boolean() ? "" : " ")), std::string::npos)
        << name;
  }
  for (const char* option :
       {"--out", "--validate-last", "--validate-span", "--params", "--fixed-item-scale", "--refit",
        "--threads", "--dtype", "--checkpoint", "--checkpoint-every", "--resume",
        "--session-column", "--item-column", "--time-column", "--separator", "--quiet", "--json",
        "--no-progress"}) {
    EXPECT_NE(train.find(std::string("  ") + option + " "), std::string::npos) << option;
  }
  for (const char* option : {"--space", "--study", "--resume", "--trials", "--search-seed",
                             "--metric", "--halving", "--min-epochs", "--max-epochs", "--workers",
                             "--timeout", "--csv", "--out", "--validate-last", "--validate-span"}) {
    EXPECT_NE(tune.find(std::string("  ") + option + " "), std::string::npos) << option;
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
      {{"train", log, "--out", "x", "--refit", "--validate-last", "5%", "--schedule", "cosine"},
       "stint train: --refit: trains for the epochs that were best, and --schedule cosine"},
      {{"train", log, "--out", "x", "--rho", "0.5"},
       "stint train: --rho: only --optimizer rmsprop and adadelta"},
      {{"train", log, "--out", "x", "--beta1", "0.5", "--optimizer", "sgd"},
       "stint train: --beta1: only --optimizer adam"},
      {{"train", log, "--out", "x", "--schedule-factor", "0.5"},
       "stint train: --schedule-factor: needs --schedule step"},
      {{"train", log, "--out", "x", "--negative-source", "batch", "--sample-alpha", "0.5"},
       "stint train: --sample-alpha: there are no samples"},
      {{"train", log, "--out", "x", "--remove-hits", "--negative-source", "all"},
       "stint train: --remove-hits: --negative-source all has no hits"},
      {{"train", log, "--out", "x", "--fixed-item-scale"},
       "stint train: --fixed-item-scale: needs --normalize-items"},
      {{"train", log, "--out", "x", "--learn-item-scale", "--fixed-item-scale"}, "stint train: --"},
      {{"train", log, "--out", "x", "--embedding-width", "8"},
       "stint train: --embedding-width: only --embedding separate"},
      {{"train", log, "--out", "x", "--hidden-activation", "softmax"},
       "stint train: --hidden-activation: softmax is for scores alone"},
      {{"train", log, "--out", "x", "--params", "n_simple=3"},
       "stint train: --params: no parameter 'n_simple'; there are n_epochs, "},
      {{"train", log, "--out", "x", "--params", "n_sample"},
       "stint train: --params: 'n_sample' is not NAME=VALUE"},
      {{"train", log, "--out", "x", "--params", "n_sample=x"},
       "stint train: --params: n_sample: 'x' is not an integer"},
      {{"train", log, "--out", "x", "--params", "n_sample=5,n_sample=5"},
       "stint train: --params: n_sample: given twice"},
      {{"train", log, "--out", "x", "--params", "n_sample=5", "--negatives", "5"},
       "stint train: --params: n_sample: given twice, also as --negatives"},
      {{"train", log, "--out", "x", "--params", "loss=bpr-max,elu_param=0.5,final_act=linear"},
       "stint train: --params: elu_param: '0.5' is elu-0.5, but --params: final_act is linear"},
      {{"train", log, "--out", "x", "--params", "adapt=adam,adapt_params=0.9"},
       "stint train: --params: adapt_params: '0.9' does not go with adam"},
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

}  // namespace
}  // namespace stint
