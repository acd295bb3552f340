// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Networks of PyTorch by way of ONNX -> the same recommendations here; networks of stint -> the
// same recommendations in ONNX Runtime, and the same numbers when read again.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/message_of.h"
#include "tests/reference/safetensors.h"
#include "tests/tools/onnx_fixture.h"
#include "tools/convert/onnx_export.h"
#include "tools/convert/onnx_import.h"

namespace stint {
namespace {

using nlohmann::json;
using reference::ReadSafetensors;
using reference::Safetensors;

// Two engines add in different orders: of two items closer than that either may stand first.
constexpr double kTie = 2e-6;
constexpr const char* kTests = STINT_SOURCE_DIR "/tests/tools/";

bool HasPython() {
  std::string ignored;
  return RunProgram({STINT_PYTHON, "-c", "import torch, onnx, numpy"}, &ignored) == 0;
}

// ---- PyTorch -> stint

struct TorchModel {
  const char* name;
  Embedding embedding;
  size_t width;  // of a separate embedding
  std::vector<size_t> layers;
  size_t padding_rows = 0;
};
const std::vector<TorchModel>& TorchModels() {
  static const std::vector<TorchModel> models = {
      {"tied", Embedding::kShared, 0, {32}},
      {"separate", Embedding::kSeparate, 40, {24, 24}},
      {"no_biases", Embedding::kShared, 0, {32, 32}},
      {"step", Embedding::kShared, 0, {24, 24}},
      {"all_steps", Embedding::kSeparate, 16, {32}},
      {"fixed", Embedding::kSeparate, 16, {16, 16, 16}},
      {"old", Embedding::kShared, 0, {24, 24}},
      {"double", Embedding::kSeparate, 32, {32}},
      {"padded", Embedding::kSeparate, 32, {32}, 1},
      {"cut", Embedding::kShared, 0, {24, 24}, 2},
  };
  return models;
}

class OnnxTorchTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    has_python_ = HasPython();
    if (!has_python_) return;
    folder_ = std::make_unique<TemporaryFolder>();
    std::string output;
    ASSERT_EQ(RunProgram({STINT_PYTHON, kTests + std::string("make_onnx_models.py"),
                          folder_->path().string()},
                         &output),
              0)
        << output;
  }
  static void TearDownTestSuite() { folder_.reset(); }

  void SetUp() override {
    if (has_python_) return;
    const std::string reason = "no Python with torch, onnx and numpy: '" STINT_PYTHON "'";
    if (reference::AbsenceIsFailure()) FAIL() << reason;
    GTEST_SKIP() << reason;
  }

  static std::string File(const std::string& name) { return *folder_ / name; }

  static inline std::unique_ptr<TemporaryFolder> folder_;
  static inline bool has_python_ = false;
};

std::vector<std::vector<uint32_t>> SessionsOf(const Safetensors& file) {
  const std::vector<int64_t> items = file["sessions"].AsInt64();
  const size_t n = file["sessions"].dim(0), longest = file["sessions"].dim(1);
  std::vector<std::vector<uint32_t>> sessions(n);
  for (size_t s = 0; s < n; ++s) {
    for (size_t t = 0; t < longest && items[s * longest + t] >= 0; ++t) {
      sessions[s].push_back(static_cast<uint32_t>(items[s * longest + t]));
    }
  }
  return sessions;
}

TEST_F(OnnxTorchTest, SameTop20AsFloat64On1000Sessions) {
  for (const TorchModel& model : TorchModels()) {
    SCOPED_TRACE(model.name);
    const TrainedModel trained =
        ReadOnnx(File(std::string(model.name) + ".onnx"), model.padding_rows);
    EXPECT_EQ(trained.parameters.shape.embedding, model.embedding);
    EXPECT_EQ(trained.parameters.shape.embedding_width, model.width);
    EXPECT_EQ(trained.parameters.shape.layers, model.layers);
    EXPECT_EQ(trained.parameters.shape.gru_form, GruForm::kResetAfter);
    EXPECT_EQ(trained.dtype, DType::kF32);
    EXPECT_EQ(trained.final_activation, (Activation{ActivationKind::kLinear}));
    EXPECT_EQ(trained.catalog.size(), 0u);

    const Safetensors expected = ReadSafetensors(File(std::string(model.name) + ".safetensors"));
    const std::vector<std::vector<uint32_t>> sessions = SessionsOf(expected);
    ASSERT_EQ(sessions.size(), 1000u);
    const size_t items = expected["scores"].dim(1);
    const std::vector<double> scores = expected["scores"].AsDouble();
    const Answers answers = Answer(BuildF32(trained), sessions);
    double difference = 0;
    size_t same = 0;
    for (size_t s = 0; s < sessions.size(); ++s) {
      const double* const row = scores.data() + s * items;
      ASSERT_EQ(answers.scores[s].size(), items);
      const std::vector<uint32_t> best = BestOf(row, items);
      same += answers.best[s] == best ? 1 : 0;
      for (size_t i = 0; i < kTop; ++i) {
        ASSERT_NEAR(row[answers.best[s][i]], row[best[i]], kTie) << "session " << s;
      }
      for (size_t i = 0; i < items; ++i) {
        difference = std::max(difference, std::fabs(double{answers.scores[s][i]} - row[i]));
      }
    }
    std::printf(
        "%-10s top-20 identical to float64: %zu of %zu sessions, largest score "
        "difference %.2e\n",
        model.name, same, sessions.size(), difference);
    EXPECT_EQ(same, sessions.size());
    EXPECT_LT(difference, 1e-5);
    EXPECT_GT(difference, 0);  // float32 against float64: nothing was compared with itself
  }
}

TEST_F(OnnxTorchTest, OtherNetworksAreRefusedByName) {
  const auto message = [&](const std::string& name) {
    const std::string path = File("refused_" + name + ".onnx");
    const std::string text = MessageOf([&] { ReadOnnx(path); });
    EXPECT_EQ(text.rfind(path + ": ", 0), 0u) << text;
    return text.substr(std::min(text.size(), path.size() + 2));
  };
  EXPECT_EQ(message("lstm"), "node '/rnn/LSTM' (LSTM): not part of Gather, GRU, MatMul");
  EXPECT_EQ(message("scaled"), "node '/Mul' (Mul): not part of Gather, GRU, MatMul");
  EXPECT_EQ(message("softmax"),
            "node '/Softmax' (Softmax): not part of Gather, GRU, MatMul; what is wanted are the "
            "scores before it: export the network without it");
  EXPECT_EQ(message("cell"),
            "node '/cell/Split' (Split): not part of Gather, GRU, MatMul; and there is no GRU: "
            "export nn.GRU (not its pieces, as nn.GRUCell is), or the state_dict by "
            "tools/python/export_state_dict.py");
  EXPECT_EQ(message("bidirectional"),
            "node '/rnn/GRU' (GRU): direction bidirectional, not forward");
  EXPECT_EQ(message("first_step"),
            "node '/Gather' (Gather): takes [0, 1) of the steps, neither all nor the last step");
  EXPECT_NE(message("start").find("node '/rnn/GRU' (GRU): initial_h"), std::string::npos)
      << message("start");
  EXPECT_NE(message("unfolded").find("export with constant folding"), std::string::npos)
      << message("unfolded");
}

// ---- stint -> ONNX Runtime, and back

struct OwnModel {
  const char* name;
  NetworkShape shape;
  Activation hidden;
};
const std::vector<OwnModel>& OwnModels() {
  using K = ActivationKind;
  constexpr GruForm kAfter = GruForm::kResetAfter, kBefore = GruForm::kResetBefore;
  const auto shape = [](std::vector<size_t> layers, GruForm form, Embedding embedding,
                        size_t width = 0) {
    NetworkShape s;
    s.items = 2000;
    s.layers = std::move(layers);
    s.gru_form = form;
    s.embedding = embedding;
    s.embedding_width = width;
    return s;
  };
  static const std::vector<OwnModel> models = {
      {"shared_after", shape({32}, kAfter, Embedding::kShared), {K::kTanh}},
      {"shared_before", shape({24, 32}, kBefore, Embedding::kShared), {K::kTanh}},
      {"separate_after", shape({32, 24}, kAfter, Embedding::kSeparate, 40), {K::kTanh}},
      {"separate_before", shape({20}, kBefore, Embedding::kSeparate, 12), {K::kRelu}},
      {"one_hot_before", shape({24}, kBefore, Embedding::kNone), {K::kTanh}},
      {"one_hot_after", shape({24, 16}, kAfter, Embedding::kNone), {K::kTanh}},
      {"leaky", shape({24}, kAfter, Embedding::kShared), {K::kLeakyRelu, 0.1}},
      {"elu", shape({24}, kBefore, Embedding::kShared), {K::kElu, 0.5}},
      {"linear", shape({24}, kAfter, Embedding::kShared), {K::kLinear}},
  };
  return models;
}

TrainedModel MakeModel(const OwnModel& own) {
  TrainedModel model;
  model.path = own.name;
  model.hidden_activation = own.hidden;
  const bool bounded = own.hidden.kind == ActivationKind::kTanh;
  model.parameters = RandomParameters(own.shape, 11, bounded ? 0.7 : 0.15);
  return model;
}

std::vector<std::vector<uint32_t>> RandomSessions(size_t sessions, size_t items) {
  const RandomCounter random(5, 7);
  uint64_t draw = 0;
  std::vector<std::vector<uint32_t>> result(sessions);
  for (std::vector<uint32_t>& session : result) {
    session.resize(1 + random.Bits(draw++) % 12);
    for (uint32_t& item : session) item = static_cast<uint32_t>(random.Bits(draw++) % items);
  }
  return result;
}

std::string ModulesFolder() {
  return reference::FolderFromEnvironment("STINT_ONNXRUNTIME_NODE_MODULES", STINT_NODE_MODULES);
}

// Sessions whose best items are the same here and there; one that differs may do so by ties alone.
void CompareBest(const OwnModel& own, const Answers& here, const json& best,
                 const std::string& score_bytes) {
  const size_t items = own.shape.items, sessions = here.best.size();
  ASSERT_EQ(best.size(), sessions);
  ASSERT_EQ(score_bytes.size(), sessions * items * sizeof(float));
  double difference = 0;
  size_t same = 0;
  for (size_t s = 0; s < sessions; ++s) {
    std::vector<float> there(items);
    std::memcpy(there.data(), score_bytes.data() + s * items * sizeof(float),
                items * sizeof(float));
    for (size_t i = 0; i < items; ++i) {
      difference = std::max(difference, std::fabs(double{here.scores[s][i]} - double{there[i]}));
    }
    const auto top = best[s].get<std::vector<uint32_t>>();
    ASSERT_EQ(top.size(), kTop);
    EXPECT_EQ(top, BestOf(there.data(), items)) << "ONNX Runtime's own order, session " << s;
    if (top == here.best[s]) {
      ++same;
      continue;
    }
    for (size_t i = 0; i < kTop; ++i) {
      ASSERT_LT(top[i], items);
      EXPECT_NEAR(here.scores[s][top[i]], here.scores[s][here.best[s][i]], kTie)
          << "session " << s << ", place " << i;
    }
  }
  std::printf(
      "%-15s top-20 in ONNX Runtime identical to the fp32 runtime: %zu of %zu sessions, "
      "largest score difference %.2e\n",
      own.name, same, sessions, difference);
  EXPECT_GE(same, sessions - 2);
  EXPECT_LT(difference, 2e-5);
}

TEST(OnnxExportTest, SameTop20InOnnxRuntimeOn1000Sessions) {
  const std::string modules = ModulesFolder();
  STINT_REQUIRE_PATH(modules + "/onnxruntime-node");
  STINT_REQUIRE_PROGRAM((Words{STINT_NODE, "--version"}), "no node: '" STINT_NODE "'");
  const TemporaryFolder folder;
  const auto sessions = RandomSessions(1000, 2000);
  Words command = {STINT_NODE, kTests + std::string("run_onnx.cjs"), modules,
                   folder.Write("sessions.json", json(sessions).dump())};
  for (const OwnModel& own : OwnModels()) {
    command.push_back(
        folder.Write(std::string(own.name) + ".onnx", OnnxBytes(MakeModel(own), kTop)));
  }
  std::string output;
  ASSERT_EQ(RunProgram(command, &output), 0) << output;
  for (const OwnModel& own : OwnModels()) {
    SCOPED_TRACE(own.name);
    const std::string path = folder / (std::string(own.name) + ".onnx");
    const Answers here = Answer(BuildF32(MakeModel(own)), sessions);
    CompareBest(own, here, json::parse(ReadFile(path + ".json")), ReadFile(path + ".scores"));
  }
}

TEST(OnnxExportTest, TheCheckerOfOnnxTakesThem) {
  if (!HasPython()) {
    const std::string reason = "no Python with onnx: '" STINT_PYTHON "'";
    if (reference::AbsenceIsFailure()) FAIL() << reason;
    GTEST_SKIP() << reason;
  }
  const TemporaryFolder folder;
  Words command = {STINT_PYTHON, "-c",
                   "import onnx, sys\n"
                   "for path in sys.argv[1:]:\n"
                   "    model = onnx.load(path)\n"
                   "    onnx.checker.check_model(model, full_check=True)\n"
                   "    assert model.producer_name == 'stint'\n"
                   "    onnx.shape_inference.infer_shapes(model, strict_mode=True)\n"
                   "print(len(sys.argv) - 1, 'models checked')\n"};
  for (const OwnModel& own : OwnModels()) {
    command.push_back(
        folder.Write(std::string(own.name) + ".onnx", OnnxBytes(MakeModel(own), kTop)));
  }
  std::string output;
  EXPECT_EQ(RunProgram(command, &output), 0) << output;
  EXPECT_EQ(output, std::to_string(OwnModels().size()) + " models checked\n");
}

TEST(OnnxExportTest, ReadAgainItHasTheSameBits) {
  for (const OwnModel& own : OwnModels()) {
    SCOPED_TRACE(own.name);
    TrainedModel model = MakeModel(own);
    // The signs of zeros are bits too.
    model.parameters.layers[0].input_bias.data[0] = -0.0f;
    model.parameters.layers[0].input_bias.data[own.shape.layers[0]] = -0.0f;
    model.parameters.layers[0].hidden_weights.Row(own.shape.layers[0])[1] = 0.0f;
    const std::string bytes = OnnxBytes(model, kTop);
    const TrainedModel again =
        ParseOnnx({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, "again.onnx");
    EXPECT_EQ(again.path, "again.onnx");
    NetworkShape shape = again.parameters.shape;
    // Of one layer under one-hot input the form of others is no property.
    if (own.shape.embedding == Embedding::kNone && own.shape.layers.size() == 1) {
      shape.gru_form = own.shape.gru_form;
    }
    EXPECT_EQ(shape, own.shape);
    EXPECT_EQ(again.hidden_activation, own.hidden);
    ASSERT_EQ(again.parameters.block_floats(), model.parameters.block_floats());
    EXPECT_EQ(std::memcmp(again.parameters.block(), model.parameters.block(),
                          model.parameters.block_floats() * sizeof(float)),
              0);
  }
}

TEST(OnnxExportTest, SharedItemRowsStandInTheFileOnce) {
  const size_t bytes = OnnxBytes(MakeModel(OwnModels()[0]), kTop).size();
  const Parameters& parameters = MakeModel(OwnModels()[0]).parameters;
  EXPECT_LT(bytes, (parameters.block_floats() + 2000) * sizeof(float));
}

TEST(OnnxExportTest, WhatOnnxCannotSayIsRefused) {
  TrainedModel model = MakeModel(OwnModels()[0]);
  EXPECT_THROW(OnnxBytes(model, 0), std::invalid_argument);
  model.hidden_activation = {ActivationKind::kSelu, 1.6, 1.05};
  EXPECT_EQ(
      MessageOf([&] { OnnxBytes(model, kTop); }),
      "shared_after: hidden activation selu-1.05-1.6: a GRU of ONNX has tanh, relu, linear, leaky "
      "and elu alone");
  // More than the items that there are: all of them.
  model.hidden_activation = {ActivationKind::kTanh};
  EXPECT_EQ(OnnxBytes(model, 2000), OnnxBytes(model, 4000000000u));
  EXPECT_NE(OnnxBytes(model, 1999), OnnxBytes(model, 2000));
}

TEST(OnnxExportTest, TwoGibAreRefusedBeforeTheyAreMade) {
  TrainedModel model = MakeModel(OwnModels()[0]);
  // Rows of so many items are not looked at.
  model.parameters.items.rows = size_t{1} << 28;
  const std::string message = MessageOf([&] { OnnxBytes(model, kTop); });
  EXPECT_EQ(message.rfind("shared_after: 35433", 0), 0u) << message;
  EXPECT_NE(message.find(" bytes as ONNX, such a file has less than 2 GiB"), std::string::npos)
      << message;
}

}  // namespace
}  // namespace stint
