// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// `--scoring` from the command line to the answers: what is refused, what files say of themselves,
// that a cascade answers as a scan, and that `stint verify --brute-force` agrees with all of them.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/runtime/forgery.h"
#include "tests/tools/cli_fixture.h"
#include "trainer/model_bytes.h"

namespace stint {
namespace {

struct Way {
  const char* scoring;
  const char* dtype;
  std::string file() const { return std::string(scoring) + "." + dtype + ".stint"; }
};
constexpr Way kWays[] = {{"scan", "int8"}, {"int8", "int8"}, {"exact", "int8"}, {"exact", "f32"},
                         {"scan", "f32"},  {"scan", "bf16"}, {"scan", "int4"}};

class ScoringTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<TemporaryFolder>();
    Must({"synth", "--sessions", "400", "--items", "90", "--out", File("log.tsv")});
    Must({"synth", "--sessions", "60", "--first-session", "400", "--items", "90", "--out",
          File("test.tsv")});
    for (const Way& way : kWays) Train(way, {"--out", File(way.file())});
  }
  static void TearDownTestSuite() { folder_.reset(); }

  static std::string File(const std::string& name) { return *folder_ / name; }
  static RunResult Must(const Words& words) {
    RunResult run = RunStint(words);
    EXPECT_EQ(run.status, 0) << run.error;
    return run;
  }
  static json Train(const Way& way, const Words& more) {
    Words words = {"train",     File("log.tsv"), "--layers", "20",      "--epochs",
                   "2",         "--negatives",   "64",       "--quiet", "--json",
                   "--scoring", way.scoring,     "--dtype",  way.dtype};
    words.insert(words.end(), more.begin(), more.end());
    return json::parse(Must(words).out);
  }
  static json Inspect(const std::string& model) {
    return json::parse(Must({"inspect", model, "--json"}).out);
  }

  static inline std::unique_ptr<TemporaryFolder> folder_;
};

TEST_F(ScoringTest, FilesSayHowTheyScore) {
  const json scan = Inspect(File("scan.int8.stint"));
  const uint64_t tiles = (scan.at("items").get<uint64_t>() + 63) / 64;
  const auto size = [](const json& info, const std::string& name) {
    for (const json& section : info.at("sections")) {
      if (section.at("name") == name) return section.at("size").get<uint64_t>();
    }
    return uint64_t{0};
  };
  for (const Way& way : kWays) {
    SCOPED_TRACE(way.file());
    const json info = Inspect(File(way.file()));
    const bool exact = std::string(way.scoring) == "exact";
    const bool cascade = std::string(way.scoring) != "scan";
    EXPECT_EQ(info.at("scoring"), way.scoring);
    EXPECT_EQ(info.at("dtype"), exact ? "f32" : way.dtype);
    EXPECT_EQ(info.at("layer_dtype"), std::string(way.dtype) == "f32" ? "f32" : "int8");
    const uint64_t columns = info.at("cascade_columns");
    EXPECT_EQ(columns > 0 && columns <= 20, cascade);
    EXPECT_EQ(info.at("scanned_bytes"),
              cascade ? tiles * ScanTileBytes(columns) : size(info, "item_rows"));
    EXPECT_EQ(size(info, "cascade.codes"), cascade ? info.at("scanned_bytes").get<uint64_t>() : 0);
    const std::string text = Must({"inspect", File(way.file())}).out;
    const std::string codes = ", " + std::to_string(columns) + " columns of codes, ";
    const std::string line = std::string("scoring           ") + (cascade ? "cascade " : "") +
                             way.scoring + (cascade ? codes : ", ");
    EXPECT_NE(text.find(line), std::string::npos) << text;
  }
}

TEST_F(ScoringTest, TheRunTellsIt) {
  const json run = Train({"exact", "f32"}, {"--out", File("told.stint"), "--validate-last", "10%"});
  EXPECT_EQ(run.at("scoring"), "exact");
  EXPECT_EQ(run.at("dtype"), "f32");
  EXPECT_EQ(run.at("bytes"), std::filesystem::file_size(File("told.stint")));
  const RunResult loud =
      Must({"train", File("log.tsv"), "--layers", "8", "--epochs", "1", "--negatives", "16",
            "--scoring", "int8", "--out", File("loud.stint")});
  EXPECT_NE(loud.error.find(": int8, scoring int8, "), std::string::npos) << loud.error;
  // The same file whatever the threads.
  const Words out = {"--out", File("one.stint"), "--threads", "1"};
  Train({"exact", "int8"}, out);
  EXPECT_TRUE(ReadFile(File("one.stint")) == ReadFile(File("exact.int8.stint")));
}

TEST_F(ScoringTest, TheInt8CascadeAnswersAsTheScan) {
  const auto table = Table(ReadFile(File("test.tsv")));
  ASSERT_GT(table.size(), 100u);
  for (size_t i = 1; i + 2 < table.size() && i < 120; i += 3) {
    const std::string session = table[i][1] + "," + table[i + 1][1] + "," + table[i + 2][1];
    for (const char* k : {"1", "20", "200"}) {
      const auto recommend = [&](const char* file) {
        return Must({"recommend", File(file), "--session", session, "-k", k, "--json"}).out;
      };
      std::string a = recommend("scan.int8.stint");
      std::string b = recommend("int8.int8.stint");
      // All but the name of the file.
      const auto cut = [](std::string text) { return text.substr(text.find("\"items\"")); };
      ASSERT_NE(a.find("\"items\""), std::string::npos) << a;
      ASSERT_EQ(cut(a), cut(b)) << session;
    }
  }
  const auto measures = [](const std::string& file) {
    json run = json::parse(Must({"evaluate", file, File("test.tsv"), "--json"}).out);
    run.erase("model");
    return run;
  };
  EXPECT_EQ(measures(File("int8.int8.stint")), measures(File("scan.int8.stint")));
}

TEST_F(ScoringTest, AllOfThemAnswerAsBruteForce) {
  for (const Way& way : kWays) {
    SCOPED_TRACE(way.file());
    const std::string model = File(way.file());
    Must({"verify", model, "--all-targets"});
    const json plain = json::parse(Must({"verify", model, "--brute-force", "--json"}).out);
    EXPECT_EQ(plain.at("ok"), true);
    const json& answers = plain.at("answers");
    EXPECT_EQ(answers.at("scoring"), way.scoring);
    EXPECT_EQ(answers.at("k"), 20);
    EXPECT_GT(answers.at("recommendations"), 300);
    EXPECT_EQ(answers.at("wrong"), 0);
    EXPECT_EQ(answers.at("first_wrong"), json::array());
    EXPECT_LT(answers.at("largest_gap").get<double>(), 1e-4);
    for (const char* k : {"1", "500"}) {
      const json log = json::parse(
          Must({"verify", model, "--sessions", File("test.tsv"), "-k", k, "--json"}).out);
      EXPECT_GT(log.at("answers").at("recommendations"), 100);
      EXPECT_EQ(log.at("answers").at("wrong"), 0);
    }
    const std::string text =
        Must({"verify", model, "--sessions", File("test.tsv"), "--max", "33"}).out;
    EXPECT_NE(text.find("brute force       33 recommendations of 20, scoring " +
                        std::string(way.scoring) + ": 0 wrong\n"),
              std::string::npos)
        << text;
  }
}

TEST_F(ScoringTest, WhatDoesNotGoTogetherIsRefusedBeforeTheLogIsRead) {
  const auto error = [](const char* command, const Words& more) {
    Words words = {command, File("there is no such log")};
    words.insert(words.end(), {"--out", File("never.stint")});
    words.insert(words.end(), more.begin(), more.end());
    const RunResult run = RunStint(words);
    EXPECT_EQ(run.status, 2) << run.error;
    return run.error;
  };
  EXPECT_EQ(
      error("train", {"--scoring", "int8", "--dtype", "f32"}),
      "stint train: --scoring: int8 finds the top-k of int8 item rows: it needs --dtype int8, "
      "not f32 (see stint train --help)\n");
  for (const char* dtype : {"bf16", "int4"}) {
    EXPECT_NE(error("train", {"--scoring", "int8", "--dtype", dtype})
                  .find(std::string("needs --dtype int8, not ") + dtype),
              std::string::npos);
    EXPECT_NE(error("train", {"--scoring", "exact", "--dtype", dtype})
                  .find(std::string("int8 or f32, not ") + dtype),
              std::string::npos);
  }
  EXPECT_NE(error("train", {"--scoring", "exact", "--layers", "8,2049"}).find("not 2049"),
            std::string::npos);
  EXPECT_NE(error("train", {"--scoring", "int8", "--layers", "3"}).find("not 3"),
            std::string::npos);
  EXPECT_NE(error("train", {"--scoring", "fast"}).find("'fast' is none of scan, int8, exact"),
            std::string::npos);
  folder_->Write("space.jsonl", "{\"name\":\"layers\",\"dtype\":\"int\",\"values\":[4,8]}\n");
  EXPECT_NE(error("tune", {"--space", File("space.jsonl"), "--study", File("study"),
                           "--validate-last", "5", "--scoring", "int8", "--dtype", "bf16"})
                .find("stint tune: --scoring: int8 finds"),
            std::string::npos);
}

TEST_F(ScoringTest, TuneWritesIt) {
  folder_->Write("space.jsonl",
                 "{\"name\":\"learning_rate\",\"dtype\":\"float\",\"values\":[0.05,0.1]}\n");
  Must({"tune",
        File("log.tsv"),
        "--space",
        File("space.jsonl"),
        "--study",
        File("tuned"),
        "--trials",
        "2",
        "--max-epochs",
        "1",
        "--validate-last",
        "10%",
        "--layers",
        "12",
        "--negatives",
        "32",
        "--scoring",
        "exact",
        "--dtype",
        "f32",
        "--out",
        File("best.stint"),
        "--quiet"});
  EXPECT_EQ(Inspect(File("best.stint")).at("scoring"), "exact");
  EXPECT_EQ(Inspect(File("best.stint")).at("layer_dtype"), "f32");
}

TEST_F(ScoringTest, AModelOfFloatRowsIsAStart) {
  for (const char* dtype : {"f32", "int8"}) {
    SCOPED_TRACE(dtype);
    const std::string old = File(std::string("exact.") + dtype + ".stint");
    const RunResult run =
        Must({"train", File("log.tsv"), "--layers", "20", "--epochs", "1", "--negatives", "8",
              "--learning-rate", "1e-9", "--dtype", dtype, "--scoring", "exact", "--warm-start",
              old, "--out", File("again.stint"), "--no-progress"});
    EXPECT_EQ(run.error.find("its layers are rounded to int8") != std::string::npos,
              std::string(dtype) == "int8")
        << run.error;
    const auto best = [](const std::string& model) {
      const json top =
          json::parse(Must({"recommend", model, "--session", "5", "-k", "3", "--json"}).out);
      return top.at("items").at(0).at("id").dump();
    };
    EXPECT_EQ(best(File("again.stint")), best(old));
  }
}

// A cascade whose bounds are not bounds: checksums and values are in order, answers are not.
TEST_F(ScoringTest, BruteForceFindsACascadeThatLies) {
  const Parameters parameters = RandomParameters(3000, {24}, GruForm::kResetAfter, 3);
  const Catalog catalog = NumberCatalog(3000);
  ExportInput input;
  input.parameters = &parameters;
  input.catalog = &catalog;
  input.scoring = Scoring::kInt8;
  input.calibration_sessions = {{1, 2}, {3}};
  constexpr uint32_t kColumns = 12;
  input.cascade_columns = kColumns;
  const Forgery forgery(BuildModel(input));
  const auto write = [](const char* name, const Bytes& bytes) {
    WriteFileAtomically(File(name), {bytes.data(), bytes.size()});
    return File(name);
  };
  Must({"verify", write("honest.stint", forgery.bytes()), "--brute-force"});
  const std::string lies =
      write("lies.stint", forgery.Changed("cascade.codes", [](uint8_t* bytes, size_t size) {
        const size_t tile_bytes = ScanTileBytes(kColumns);
        ASSERT_EQ(size % tile_bytes, 0u);
        for (size_t tile = 0; tile + tile_bytes < size; tile += tile_bytes) {
          for (size_t lane = 0; lane < kTileRows; lane += 2) {
            const uint32_t bound = 0xC47A0000;  // bias -1000, no radius
            std::memcpy(bytes + tile + lane * sizeof(bound), &bound, sizeof(bound));
          }
        }
      }));
  Must({"verify", lies});  // no self-test is in it
  const RunResult text = RunStint({"verify", lies, "--brute-force", "-k", "5"});
  EXPECT_EQ(text.status, 3);
  EXPECT_NE(text.error.find("recommendations are not those of brute force: session made-up "),
            std::string::npos)
      << text.error;
  EXPECT_NE(text.out.find("\nwrong             session made-up "), std::string::npos) << text.out;
  EXPECT_NE(text.out.find(" instead of item "), std::string::npos) << text.out;
  const RunResult run = RunStint({"verify", lies, "--brute-force", "-k", "5", "--json"});
  EXPECT_EQ(run.status, 3);
  const json verified = json::parse(run.out);
  EXPECT_EQ(verified.at("ok"), false);
  const json& answers = verified.at("answers");
  EXPECT_GT(answers.at("wrong"), 0);
  const json& first = answers.at("first_wrong").at(0);
  EXPECT_EQ(first.at("session").get<std::string>().rfind("made-up ", 0), 0u);
  EXPECT_GE(first.at("place"), 1);
  EXPECT_GE(first.at("brute_force").at("score"), first.at("recommended").at("score"));
  EXPECT_NE(first.at("brute_force").at("id"), first.at("recommended").at("id"));
}

TEST_F(ScoringTest, OptionsOfTheBruteForceNeedIt) {
  for (const char* option : {"-k", "--max", "--threads"}) {
    const RunResult run = RunStint({"verify", File("scan.int8.stint"), option, "2"});
    EXPECT_EQ(run.status, 2);
    EXPECT_NE(run.error.find(std::string(option) + ": needs --brute-force or --sessions"),
              std::string::npos)
        << run.error;
  }
  const std::string strange =
      folder_->Write("strange.tsv", "SessionId\tItemId\tTime\n1\t777777\t1\n1\t777778\t2\n");
  const RunResult none = RunStint({"verify", File("scan.int8.stint"), "--sessions", strange});
  EXPECT_EQ(none.status, 3);
  EXPECT_NE(none.error.find("no item of it is known to the model"), std::string::npos)
      << none.error;
}

}  // namespace
}  // namespace stint
