// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// What is done with a trained model: `stint evaluate`, `recommend`, `inspect` and `verify`; and
// `stint synth`, which makes the logs for it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "stint/stint.h"
#include "tests/tools/cli_fixture.h"
#include "trainer/events.h"
#include "trainer/metrics.h"
#include "trainer/sessions.h"

namespace stint {
namespace {

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

  // A few items alone, in the order they have among all.
  const std::string some = plain[7] + "," + plain[2] + "," + plain[7] + "," + plain[4];
  EXPECT_EQ(ids({"--session", "17,3", "--allow", some}),
            (std::vector<std::string>{plain[2], plain[4], plain[7]}));
  EXPECT_EQ(ids({"--session", "17,3", "--allow", some, "--deny", plain[2]}),
            (std::vector<std::string>{plain[4], plain[7]}));
  EXPECT_TRUE(ids({"--session", "17,3", "--allow", "xyz"}).empty());  // not all of them
  EXPECT_TRUE(ids({"--session", "17,3", "--allow", "-"}).empty());

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

TEST_F(CliTest, RecommendProbabilities) {
  const std::string model = File("model.stint");
  for (const std::string session : {"17,3", ""}) {
    const Words words = {"recommend", model, "--session", session, "-k", "1000000"};
    Words more = words;
    more.push_back("--probabilities");
    const auto plain = Table(Must(words).out);
    const auto rows = Table(Must(more).out);
    ASSERT_EQ(rows.size(), plain.size());
    double sum = 0;
    for (size_t i = 0; i < rows.size(); ++i) {
      ASSERT_EQ(plain[i].size(), 3u);
      ASSERT_EQ(rows[i].size(), 4u);
      EXPECT_EQ(rows[i][1], plain[i][1]);
      EXPECT_EQ(rows[i][2], plain[i][2]);
      sum += std::stod(rows[i][3]);
      // The ratio of two is what the softmax makes of the scores, or that of the counts.
      const double score = std::stod(rows[i][2]), best = std::stod(rows[0][2]);
      const double ratio = session.empty() ? score / best : std::exp(score - best);
      EXPECT_NEAR(std::stod(rows[i][3]) / std::stod(rows[0][3]), ratio, 1e-6);
    }
    EXPECT_NEAR(sum, 1, 1e-5);
    more.push_back("--json");
    const json run = MustJson(more);
    EXPECT_FLOAT_EQ(run.at("items").at(0).at("probability"), std::stof(rows[0][3]));
  }
}

TEST_F(CliTest, RecommendWarnsOfUnknownItems) {
  const RunResult result = Must({"recommend", File("model.stint"), "--session", "17,xyz,003,-3",
                                 "--deny", "77777", "--allow", "88888"});
  for (const char* id :
       {"item 'xyz'", "item '003'", "item '-3'", "denied item '77777'", "allowed item '88888'"}) {
    EXPECT_NE(
        result.error.find(std::string("stint recommend: warning: the model does not know ") + id),
        std::string::npos)
        << result.error;
  }
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(Must({"recommend", File("model.stint"), "--session", "17,xyz"}).out,
            Must({"recommend", File("model.stint"), "--session", "17"}).out);
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
