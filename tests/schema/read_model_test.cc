// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// schema/read_model.py, the example of schema/README.md, on every file of tests/golden: ids, counts
// and self-tests are those that the runtime gives, and the rows that it reads give its scores.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/reference/folders.h"
#include "tests/runtime/test_model.h"
#include "tests/temporary_folder.h"
#include "trainer/export.h"
#include "trainer/model_bytes.h"
#include "trainer/trained_model.h"

namespace stint {
namespace {

// Standard output of a command of the shell; *status is what it ended with.
std::string RunCommand(const std::string& command, int* status) {
  std::FILE* const pipe = popen(command.c_str(), "r");
  if (!pipe) {
    *status = -1;
    return "";
  }
  std::string text(1 << 16, '\0');
  size_t size = 0;
  while (const size_t got = std::fread(text.data() + size, 1, text.size() - size, pipe)) {
    size += got;
    text.resize(2 * size + (1 << 16));
  }
  text.resize(size);
  *status = pclose(pipe);
  return text;
}

std::string RunProgram(const std::string& file, const char* more, int* status) {
  std::string command = "'" STINT_PYTHON "' '" STINT_SCHEMA_DIR "/read_model.py' '";
  command.append(file).append("' ").append(more);
  return RunCommand(command, status);
}

void CompareCatalog(const nlohmann::json& read, const stint_model* model,
                    const stint_model_info& info) {
  ASSERT_EQ(read.at("ids").size(), info.items);
  ASSERT_EQ(read.at("counts").size(), info.items);
  for (uint32_t item = 0; item < info.items; ++item) {
    uint32_t count = 0;
    ASSERT_EQ(stint_item_count(model, item, &count), STINT_OK);
    EXPECT_EQ(read.at("counts")[item], count);
    if (info.ids_are_names) {
      const char* name = nullptr;
      size_t length = 0;
      ASSERT_EQ(stint_item_name(model, item, &name, &length), STINT_OK);
      EXPECT_EQ(read.at("ids")[item], std::string(name, length));
    } else {
      int64_t id = 0;
      ASSERT_EQ(stint_item_id(model, item, &id), STINT_OK);
      EXPECT_EQ(read.at("ids")[item], id);
    }
  }
}

// <hidden, row> + bias against the runtime's score of every item, after some clicks. Vectors of 16
// bits and float sums leave about 1e-5; a wrong row or code would be off by much more.
void CompareScores(const nlohmann::json& read, const stint_model* model,
                   const stint_model_info& info) {
  const SessionPointer session = NewSession(model, 1);
  for (const uint32_t item : {3u, 1u, 4u}) {
    ASSERT_EQ(stint_observe(session.get(), item), STINT_OK);
  }
  const float* hidden = nullptr;
  uint32_t units = 0;
  ASSERT_EQ(stint_session_hidden(session.get(), info.layers - 1, &hidden, &units), STINT_OK);
  std::vector<float> scores(info.items);
  ASSERT_EQ(stint_scores(session.get(), scores.data()), STINT_OK);
  ASSERT_EQ(read.at("rows").size(), info.items);
  for (uint32_t item = 0; item < info.items; ++item) {
    const nlohmann::json& row = read.at("rows")[item];
    ASSERT_EQ(row.at("item"), item);
    ASSERT_EQ(row.at("weights").size(), units);
    double score = row.at("bias").get<double>();
    double magnitude = std::fabs(score);
    for (uint32_t j = 0; j < units; ++j) {
      const double product = row.at("weights")[j].get<double>() * double{hidden[j]};
      score += product;
      magnitude += std::fabs(product);
    }
    EXPECT_NEAR(scores[item], score, 1e-4 * magnitude) << item;
  }
}

void CompareSelfTests(const nlohmann::json& read, const AlignedBytes& bytes) {
  const std::vector<std::vector<uint32_t>> sessions = ReadSelfTests(bytes.data());
  const nlohmann::json& tests = read.at("self_tests");
  ASSERT_EQ(tests.size(), sessions.size());
  const ModelPointer model = OpenModel(bytes);
  const SessionPointer session = NewSession(model.get(), 20);
  for (size_t t = 0; t < tests.size(); ++t) {
    EXPECT_EQ(tests[t].at("items").get<std::vector<uint32_t>>(), sessions[t]);
    ASSERT_EQ(stint_session_reset(session.get()), STINT_OK);
    for (const uint32_t item : sessions[t]) {
      ASSERT_EQ(stint_observe(session.get(), item), STINT_OK);
    }
    stint_recommendation top[20];
    size_t count = 0;
    ASSERT_EQ(stint_recommend(session.get(), 20, nullptr, top, &count), STINT_OK);
    ASSERT_EQ(tests[t].at("top_items").size(), count);
    for (size_t i = 0; i < count; ++i) {
      EXPECT_EQ(tests[t].at("top_items")[i], top[i].item);
      EXPECT_EQ(FloatBits(tests[t].at("top_scores")[i].get<float>()), FloatBits(top[i].score));
    }
  }
}

TEST(ReadModel, ReadsWhatTheRuntimeReads) {
  STINT_REQUIRE_PATH(STINT_PYTHON);
  size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(STINT_GOLDEN_MODELS_DIR)) {
    if (entry.path().extension() != ".stint") continue;
    SCOPED_TRACE(entry.path().filename());
    ++files;
    int status;
    const std::string text = RunProgram(entry.path().string(), "--all", &status);
    ASSERT_EQ(status, 0);
    const auto read = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
    ASSERT_TRUE(read.is_object()) << text.substr(0, 200);
    const AlignedBytes bytes = ReadAligned(entry.path().string());
    const ModelPointer model = OpenModel(bytes);
    stint_model_info info;
    ASSERT_EQ(stint_model_describe(model.get(), &info), STINT_OK);
    EXPECT_EQ(read.at("format_version"), info.format_version);
    EXPECT_EQ(read.at("gru_form"), info.gru_form);
    EXPECT_EQ(read.at("final_activation"), info.final_activation);
    EXPECT_EQ(read.at("hidden_activation"), info.hidden_activation);
    EXPECT_EQ(read.at("embedding"), info.embedding);
    EXPECT_EQ(read.at("hyperparameters"), nlohmann::json::parse(info.hyperparameters));
    ASSERT_EQ(read.at("layers").size(), info.layers);
    for (uint32_t layer = 0; layer < info.layers; ++layer) {
      EXPECT_EQ(read.at("layers")[layer].at("units"), info.units[layer]);
    }
    CompareCatalog(read, model.get(), info);
    CompareScores(read, model.get(), info);
    CompareSelfTests(read, bytes);
  }
  EXPECT_GT(files, 0u);
}

// Parameters of activations have as many digits as tell them apart, as in `stint inspect`.
TEST(ReadModel, ParametersOfActivations) {
  STINT_REQUIRE_PATH(STINT_PYTHON);
  const TemporaryFolder folder;
  const TrainedModel golden = ReadTrainedModel(
      STINT_GOLDEN_MODELS_DIR "/v1_int8_shared_before_tanh_elu-0.5_names_12x7.stint");
  ExportInput input;
  input.parameters = &golden.parameters;
  input.catalog = &golden.catalog;
  for (const Activation& activation : {Activation{ActivationKind::kSelu, 1.6732632, 1.050701},
                                       Activation{ActivationKind::kElu, 1e-5, 1},
                                       Activation{ActivationKind::kLeakyRelu, 123456.7, 1},
                                       Activation{ActivationKind::kElu, 1e6, 1}}) {
    input.hidden_activation = input.final_activation = activation;
    const AlignedBytes bytes = BuildModel(input);
    const std::string path =
        folder.Write("made.stint", {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    int status;
    const auto read = nlohmann::json::parse(RunProgram(path, "", &status), nullptr, false);
    ASSERT_EQ(status, 0);
    const ModelPointer model = OpenModel(bytes);
    stint_model_info info;
    ASSERT_EQ(stint_model_describe(model.get(), &info), STINT_OK);
    EXPECT_EQ(read.at("final_activation"), info.final_activation);
    EXPECT_EQ(read.at("hidden_activation"), info.hidden_activation);
  }
}

// The program that stands in schema/README.md, on a file by the name that it has there.
TEST(ReadModel, TheProgramOfTheDocument) {
  STINT_REQUIRE_PATH(STINT_PYTHON);
  std::ifstream file(STINT_SCHEMA_DIR "/README.md");
  std::string text, program;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("```", 0) == 0) {
      inside = line == "```python";
    } else if (inside) {
      program += line + "\n";
    }
  }
  ASSERT_FALSE(program.empty());
  program += "import json; print(json.dumps([items, item, weights, bias]))\n";
  const TemporaryFolder folder;
  const std::string source = folder.Write("program.py", program);
  const std::string golden =
      STINT_GOLDEN_MODELS_DIR "/v1_int8_shared_before_tanh_elu-0.5_names_12x7.stint";
  std::filesystem::copy_file(golden, folder.path() / "model.stint");
  int status;
  const std::string out = RunCommand(
      "cd '" + folder.path().string() + "' && '" STINT_PYTHON "' '" + source + "'", &status);
  ASSERT_EQ(status, 0);
  const auto got = nlohmann::json::parse(out, nullptr, false);
  const auto read = nlohmann::json::parse(RunProgram(golden, "17", &status), nullptr, false);
  ASSERT_TRUE(got.is_array()) << out;
  const nlohmann::json& row = read.at("rows")[0];
  EXPECT_EQ(got, nlohmann::json::array({read.at("items"), 17, row.at("weights"), row.at("bias")}));
}

TEST(ReadModel, RefusesOtherFiles) {
  STINT_REQUIRE_PATH(STINT_PYTHON);
  int status;
  EXPECT_EQ(RunProgram(STINT_SCHEMA_DIR "/panel.h", "2>&1", &status),
            "read_model.py: " STINT_SCHEMA_DIR
            "/panel.h: no stint model: bytes 4 to 7 are not STNT\n");
  EXPECT_NE(status, 0);
}

}  // namespace
}  // namespace stint
