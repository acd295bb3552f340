// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// `stint convert` of stint models: to other kinds and back, to fewer items, to what other engines
// read; the table of kinds and what is picked of it; nothing half done.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "stint/stint.hpp"
#include "tests/tools/convert_fixture.h"
#include "trainer/quantize.h"
#include "trainer/trained_model.h"

namespace stint {
namespace {

// Every kind is the one that training writes: the same weights, the same answers.
TEST_F(ConvertTest, KindsAreThoseOfTraining) {
  for (const std::string dtype : {"int8", "bf16", "int4"}) {
    Must({"train", File("train.tsv"), "--out", File("trained.stint"), "--layers", "24", "--epochs",
          "4", "--learning-rate", "0.1", "--negatives", "128", "--dtype", dtype, "--quiet"});
    const json result = Convert("f32.stint", "made.stint", {"--dtype", dtype});
    EXPECT_EQ(result["kind"], dtype);
    EXPECT_EQ(result["bytes"], Bytes("made.stint"));
    EXPECT_EQ(result["items"], 150);
    const json trained = Inspect("trained.stint"), made = Inspect("made.stint");
    EXPECT_EQ(trained["sections"], made["sections"]) << dtype;
    EXPECT_EQ(trained["hyperparameters"], made["hyperparameters"]);
    EXPECT_EQ(trained["self_tests"], made["self_tests"]);
    Must({"verify", File("made.stint"), "--all-targets"});
  }
}

TEST_F(ConvertTest, AKindIsKeptWhereNoneIsAskedFor) {
  for (const Words& kind :
       std::vector<Words>{{"--dtype", "int4", "--layer-dtype", "f32"},
                          {"--dtype", "bf16", "--layer-dtype", "int8"},
                          {"--dtype", "int8", "--scoring", "int8"},
                          {"--dtype", "f32", "--scoring", "exact"},
                          {"--dtype", "f32", "--layer-dtype", "int8", "--scoring", "exact"}}) {
    Convert("f32.stint", "kind.stint", kind);
    Convert("kind.stint", "again.stint");
    const json a = Inspect("kind.stint"), b = Inspect("again.stint");
    for (const char* key : {"dtype", "layer_dtype", "scoring", "items", "layers"}) {
      EXPECT_EQ(a[key], b[key]) << key << " of " << kind[1];
    }
    Must({"verify", File("again.stint"), "--brute-force"});
  }
}

TEST_F(ConvertTest, KeepsTheItemsOfMostEvents) {
  const json result = Convert("f32.stint", "top.stint", {"--keep-top", "40"});
  EXPECT_EQ(result["items"], 40);
  const TrainedModel all = ReadTrainedModel(File("f32.stint"));
  const TrainedModel top = ReadTrainedModel(File("top.stint"));
  std::vector<uint32_t> counts = all.catalog.counts;
  std::sort(counts.rbegin(), counts.rend());
  EXPECT_EQ(*std::min_element(top.catalog.counts.begin(), top.catalog.counts.end()), counts[39]);
  // Rows go with their ids, in the old order.
  size_t from = 0;
  for (size_t i = 0; i < top.catalog.size(); ++i) {
    while (all.catalog.ids.numbers[from] != top.catalog.ids.numbers[i]) {
      ASSERT_LT(++from, all.catalog.size());
    }
    EXPECT_EQ(all.catalog.counts[from], top.catalog.counts[i]);
    for (size_t c = 0; c < top.parameters.width(); ++c) {
      ASSERT_EQ(all.parameters.items.Row(from)[c], top.parameters.items.Row(i)[c]);
    }
    EXPECT_EQ(all.parameters.item_bias.data[from], top.parameters.item_bias.data[i]);
  }
  Must({"verify", File("top.stint")});
}

TEST_F(ConvertTest, TheTableOfKinds) {
  const json result = Convert("f32.stint", "kinds.stint", {"--sessions", File("test.tsv")});
  const json& kinds = result["kinds"];
  ASSERT_EQ(kinds.size(), 7u);
  EXPECT_EQ(kinds[0]["kind"], "the input");
  EXPECT_EQ(kinds[0]["recall_loss"]["value"], 0);
  EXPECT_EQ(kinds[0]["overlap"], 1);
  const json measured = MustJson({"evaluate", File("f32.stint"), File("test.tsv"), "--json"});
  EXPECT_NEAR(kinds[0]["recall"]["value"], measured["recall@20"], 1e-12);
  EXPECT_NEAR(kinds[0]["mrr"]["value"], measured["mrr@20"], 1e-12);
  for (const json& kind : kinds) {
    for (const char* figure : {"recall", "mrr", "recall_loss", "mrr_loss"}) {
      const json& m = kind[figure];
      EXPECT_LE(m["low"], m["value"]) << kind;
      EXPECT_GE(m["high"], m["value"]) << kind;
    }
    EXPECT_GT(kind["overlap"], 0.8) << kind;
    // Half a per cent of 1,200 targets or so: an interval is some per cent wide.
    const double recall_width =
        kind["recall"]["high"].get<double>() - kind["recall"]["low"].get<double>();
    EXPECT_GT(recall_width, 0.01);
    EXPECT_LT(recall_width, 0.2);
  }
  EXPECT_EQ(kinds[1]["kind"], "f32");
  EXPECT_EQ(kinds[1]["overlap"], 1);
  EXPECT_EQ(result["kind"], "f32");  // measured, but kept as it was
  // The same for any number of threads.
  EXPECT_EQ(kinds, Convert("f32.stint", "kinds.stint",
                           {"--sessions", File("test.tsv"), "--threads", "1"})["kinds"]);
  const RunResult text = Must({"convert", File("f32.stint"), "-o", File("kinds.stint"),
                               "--sessions", File("test.tsv"), "--quiet"});
  EXPECT_NE(text.out.find("recall@20"), std::string::npos);
  EXPECT_NE(text.out.find("int4 over f32 layers"), std::string::npos);
  EXPECT_NE(text.out.find("<- written"), std::string::npos);
}

TEST_F(ConvertTest, PicksAKind) {
  const Words log = {"--sessions", File("test.tsv")};
  // Any loss will do: the smallest of all.
  json result = Convert("f32.stint", "pick.stint", {"--max-loss", "90%", log[0], log[1]});
  EXPECT_EQ(result["kind"], "int4");
  size_t smallest = SIZE_MAX;
  for (const json& kind : result["kinds"]) {
    smallest = std::min(smallest, kind["bytes"].get<size_t>());
  }
  EXPECT_EQ(result["bytes"], smallest);
  // None at all: float32 itself.
  result = Convert("f32.stint", "pick.stint", {"--max-loss", "0%", log[0], log[1]});
  for (const json& kind : result["kinds"]) {
    if (kind["kind"] == result["kind"]) {
      EXPECT_LE(kind["recall_loss"]["high"], 0);
      EXPECT_LE(kind["mrr_loss"]["high"], 0);
    }
  }
  // By size alone: the widest weights that fit.
  const size_t int8 = Convert("f32.stint", "int8.stint", {"--dtype", "int8"})["bytes"];
  const std::string size = std::to_string(int8);
  EXPECT_EQ(Convert("f32.stint", "pick.stint", {"--target-size", size})["kind"], "int8");
  EXPECT_LE(Bytes("pick.stint"), int8);
  std::filesystem::remove(File("none.stint"));
  EXPECT_NE(Error("f32.stint", "none.stint", {"--target-size", "9000"}, 3)
                .find("no kind of model of at most 9,000 bytes: the smallest, int4, has "),
            std::string::npos);
  // What is said to fit does, though rows come in tiles of 64 items.
  size_t said = 0;
  for (const size_t target : {16500, 15500, 14500, 13500, 12500, 11500, 10500}) {
    const std::string size = std::to_string(target);
    const std::string error = Error("f32.stint", "none.stint", {"--target-size", size}, 3);
    const size_t at = error.find("; --keep-top ");
    if (at == std::string::npos) continue;
    ++said;
    const std::string items = std::to_string(std::stoul(error.substr(at + 13)));
    Convert("f32.stint", "fits.stint", {"--target-size", size, "--keep-top", items});
    EXPECT_LE(Bytes("fits.stint"), target);
  }
  EXPECT_GE(said, 3u);
}

// What is left out is a miss: losses are those of all targets.
TEST_F(ConvertTest, ItemsLeftOutAreLost) {
  const json result =
      Convert("f32.stint", "top.stint",
              {"--keep-top", "30", "--dtype", "f32", "--sessions", File("test.tsv")});
  ASSERT_EQ(result["kinds"].size(), 2u);
  EXPECT_GT(result["kinds"][1]["recall_loss"]["value"], 0.2);
  EXPECT_LT(result["kinds"][1]["overlap"], 0.9);
}

TEST_F(ConvertTest, JsonIsOfTheSchema) {
  Convert("names.stint", "names.json");
  const json model = json::parse(ReadFile(File("names.json")));
  EXPECT_EQ(model["format_version"], 1);
  EXPECT_EQ(model["dtype"], "Int8");
  EXPECT_EQ(model["embedding"], "Shared");
  EXPECT_EQ(model["items"], 3);
  const std::vector<uint8_t> names = model["id_names"]["bytes"];
  EXPECT_EQ(std::string(names.begin(), names.end()), "socks, red5\" naila/b");
  const json inspected = Inspect("names.stint");
  for (const json& section : inspected["sections"]) {
    if (section["name"] == "item_rows") {
      EXPECT_EQ(model["item_rows"]["bytes"].size(), section["size"]);
    }
  }
  // Floats come back as they were.
  const TrainedModel read = ReadTrainedModel(File("names.stint"));
  Model opened;
  stint_error error = {};
  ASSERT_EQ(Model::FromFile(File("names.stint").c_str(), &opened, &error), STINT_OK);
  ASSERT_FALSE(model["self_tests"].empty());
  stint_session* session = nullptr;
  ASSERT_EQ(stint_session_create(opened.get(), 20, &session), STINT_OK);
  for (const json& test : model["self_tests"]) {
    ASSERT_EQ(stint_session_reset(session), STINT_OK);
    for (const uint32_t item : test["items"]) ASSERT_EQ(stint_observe(session, item), STINT_OK);
    stint_recommendation top[20];
    size_t count = 0;
    ASSERT_EQ(stint_recommend(session, 20, nullptr, top, &count), STINT_OK);
    for (size_t i = 0; i < count; ++i) {
      EXPECT_EQ(test["top_scores"][i].get<float>(), top[i].score);
    }
  }
  stint_session_destroy(session);
}

TEST_F(ConvertTest, SafetensorsComeBack) {
  for (const std::string name : {"f32.stint", "names.stint"}) {
    Convert(name, "there.safetensors");
    const json result =
        Convert("there.safetensors", "back.stint",
                {"--config", File("there.config.json"), "--items", File("there.items.tsv")});
    EXPECT_EQ(result["input_kind"], "safetensors");
    const TrainedModel a = ReadTrainedModel(File(name)), b = ReadTrainedModel(File("back.stint"));
    EXPECT_EQ(a.catalog.ids.names, b.catalog.ids.names);
    EXPECT_EQ(a.catalog.ids.numbers, b.catalog.ids.numbers);
    EXPECT_EQ(a.catalog.counts, b.catalog.counts);
    EXPECT_EQ(a.hidden_activation, b.hidden_activation);
    EXPECT_EQ(a.final_activation, b.final_activation);
    EXPECT_EQ(json::parse(a.hyperparameters), json::parse(b.hyperparameters));
    ASSERT_EQ(a.parameters.block_floats(), b.parameters.block_floats());
    EXPECT_TRUE(std::equal(a.parameters.block(), a.parameters.block() + a.parameters.block_floats(),
                           b.parameters.block()));
  }
}

// Weights that were rounded once gain nothing by more bits; a cascade that goes is told.
TEST_F(ConvertTest, NoKindIsWiderThanTheInput) {
  Convert("f32.stint", "narrow.stint", {"--dtype", "int8", "--scoring", "int8"});
  const RunResult run =
      Must({"convert", File("narrow.stint"), "-o", File("pick.stint"), "--target-size", "10MB"});
  EXPECT_NE(run.error.find("the input's cascade (scoring int8) is left out"), std::string::npos)
      << run.error;
  EXPECT_EQ(Inspect("pick.stint")["dtype"], "int8");
}

TEST_F(ConvertTest, AFewSessionsMeasureNothing) {
  shared_->Write("few.tsv", "SessionId\tItemId\tTime\n1\t1\t1\n1\t2\t2\n");
  const std::string error =
      Error("f32.stint", "none.stint", {"--max-loss", "1%", "--sessions", File("few.tsv")}, 3);
  EXPECT_TRUE(error.find("a loss cannot be measured") != std::string::npos ||
              error.find("--max-loss wants 100") != std::string::npos)
      << error;
  // Sessions of one click are none: of those that have a target there are three.
  std::string log = "SessionId\tItemId\tTime\n";
  for (int s = 0; s < 203; ++s) {
    const std::string id = std::to_string(s), first = std::to_string(1 + s % 90);
    log += id + "\t" + first + "\t1\n";
    if (s < 3) log += id + "\t" + std::to_string(2 + s) + "\t2\n";
  }
  shared_->Write("single.tsv", log);
  const Words measured = {"-k", "150", "--sessions", File("single.tsv")};
  Words limited = {"--max-loss", "50%"};
  limited.insert(limited.end(), measured.begin(), measured.end());
  EXPECT_NE(Error("f32.stint", "none.stint", limited, 3)
                .find("3 sessions with a target: an interval of so few says little, --max-loss "
                      "wants 100"),
            std::string::npos);
  Words words = {"convert", File("f32.stint"), "-o", File("single.stint")};
  words.insert(words.end(), measured.begin(), measured.end());
  EXPECT_EQ(Must(words).out.find("3 sessions with 3 targets; "), 0u);
}

// A cascade over fewer items is fitted to the log's clicks too.
TEST_F(ConvertTest, ACascadeOfFewerItems) {
  const Words kind = {"--keep-top", "100", "--dtype", "int8", "--scoring", "int8"};
  Convert("f32.stint", "plain.stint", kind);
  Words with_log = kind;
  with_log.insert(with_log.end(), {"--sessions", File("test.tsv")});
  Convert("f32.stint", "fitted.stint", with_log);
  EXPECT_NE(ReadFile(File("plain.stint")), ReadFile(File("fitted.stint")));
  Must({"verify", File("fitted.stint"), "--brute-force"});
}

// Of float rows over int8 layers a scan and its JSON can be made.
TEST_F(ConvertTest, AnExactCascadeTakenAway) {
  Convert("f32.stint", "exact.stint",
          {"--dtype", "f32", "--layer-dtype", "int8", "--scoring", "exact"});
  Convert("exact.stint", "scan.stint", {"--scoring", "scan"});
  EXPECT_EQ(Inspect("scan.stint")["scoring"], "scan");
  Convert("exact.stint", "top.json", {"--keep-top", "100"});
  const json made = json::parse(ReadFile(File("top.json")));
  EXPECT_EQ(made["item_kind"], "F32Rows");
  EXPECT_TRUE(made.contains("cascade"));
}

// Parameters of activations are those of the file, to the last bit.
TEST_F(ConvertTest, ActivationsComeBack) {
  Must({"train", File("train.tsv"), "--out", File("odd.stint"), "--layers", "8", "--epochs", "1",
        "--negatives", "16", "--hidden-activation", "selu-1.0507009873554805-1.6732632423543772",
        "--loss", "bpr-max", "--final-activation", "elu-0.00001", "--dtype", "f32", "--quiet"});
  Convert("odd.stint", "odd.safetensors");
  Convert("odd.safetensors", "back.stint",
          {"--config", File("odd.config.json"), "--items", File("odd.items.tsv")});
  const TrainedModel a = ReadTrainedModel(File("odd.stint")),
                     b = ReadTrainedModel(File("back.stint"));
  EXPECT_EQ(a.hidden_activation.Params().alpha, 1.6732632423543772f);
  EXPECT_EQ(b.hidden_activation.Params().alpha, 1.6732632423543772f);
  EXPECT_EQ(b.hidden_activation.Params().scale, 1.0507009873554805f);
  EXPECT_EQ(b.final_activation.Params().alpha, 0.00001f);
  Must({"train", File("train.tsv"), "--out", File("warm.stint"), "--layers", "8", "--epochs", "1",
        "--negatives", "16", "--hidden-activation", "selu-1.0507009873554805-1.6732632423543772",
        "--loss", "bpr-max", "--final-activation", "elu-0.00001", "--warm-start", File("odd.stint"),
        "--quiet"});
}

// Files that belong together are replaced together: that of the items, the last and here the
// largest, cannot be written.
TEST_F(ConvertTest, AllFilesOrNone) {
  Convert("f32.stint", "set.safetensors");
  std::string names = "ItemId\tCount\n";
  for (int i = 0; i < 150; ++i) {
    const std::string number = std::to_string(i + 1);
    names += number + std::string(300, 'x') + "\t" + number + "\n";
  }
  shared_->Write("long.tsv", names);
  json config = json::parse(ReadFile(File("set.config.json")));
  config["ids"] = "names";
  shared_->Write("long.json", config.dump());
  Convert("set.safetensors", "long.stint",
          {"--config", File("long.json"), "--items", File("long.tsv")});
  Convert("long.stint", "set.safetensors");
  const Words files = {"set.safetensors", "set.config.json", "set.items.tsv"};
  std::vector<std::string> before;
  for (const std::string& file : files) before.push_back(ReadFile(File(file)));
  RunSetting small;
  small.file_size = 30000;
  ASSERT_LT(before[0].size(), small.file_size);
  const Words words = {"convert", File("long.stint"), "-o", File("set.safetensors"), "--keep-top",
                       "149"};
  const RunResult run = RunStint(words, small);
  EXPECT_EQ(run.status, 3) << run.error;
  EXPECT_NE(run.error.find(File("set.items.tsv")), std::string::npos) << run.error;
  for (size_t i = 0; i < files.size(); ++i) {
    EXPECT_TRUE(ReadFile(File(files[i])) == before[i]) << files[i];
  }
  Must(words);
  EXPECT_TRUE(ReadFile(File("set.safetensors")) != before[0]);
}

// In place: the file is the old one or the new one.
TEST_F(ConvertTest, InPlace) {
  std::filesystem::copy(File("f32.stint"), File("place.stint"));
  const std::string before = ReadFile(File("place.stint"));
  RunSetting small;
  small.file_size = 2000;  // writing fails on the way
  const RunResult run = RunStint(
      {"convert", File("place.stint"), "-o", File("place.stint"), "--dtype", "int8"}, small);
  EXPECT_EQ(run.status, 3) << run.error;
  EXPECT_EQ(ReadFile(File("place.stint")), before);
  Convert("place.stint", "place.stint", {"--dtype", "int8"});
  EXPECT_EQ(Inspect("place.stint")["dtype"], "int8");
}

}  // namespace
}  // namespace stint
