// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Networks as PyTorch, Keras, the Theano code and ONNX have them, made by make_networks.py: once
// converted they answer as their own engine does in float64.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "stint/stint.hpp"
#include "tests/reference/folders.h"
#include "tests/reference/safetensors.h"
#include "tests/tools/run_stint.h"

namespace stint {
namespace {

constexpr size_t kTop = 20;

class NetworksTest : public testing::TestWithParam<const char*> {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<TemporaryFolder>();
    const std::string python = STINT_PYTHON;
    has_python_ = std::system((python + " -c 'import torch, numpy' 2>/dev/null").c_str()) == 0;
    if (!has_python_) return;
    const std::string command = python + " '" + STINT_SOURCE_DIR +
                                "/tests/tools/make_networks.py' '" + (*folder_ / "") + "'";
    made_ = std::system(command.c_str()) == 0;
  }
  static void TearDownTestSuite() { folder_.reset(); }
  void SetUp() override {
    if (!has_python_) {
      if (reference::AbsenceIsFailure()) FAIL() << STINT_PYTHON << " has no torch or numpy";
      GTEST_SKIP() << STINT_PYTHON << " has no torch or numpy";
    }
    ASSERT_TRUE(made_) << "make_networks.py failed";
  }

  static std::string File(const std::string& ending) {
    return *folder_ / (std::string(GetParam()) + ending);
  }
  static std::string Tensors() {
    return std::filesystem::exists(File(".npz")) ? File(".npz") : File(".safetensors");
  }

  static inline std::unique_ptr<TemporaryFolder> folder_;
  static inline bool has_python_ = false;
  static inline bool made_ = false;
};

TEST_P(NetworksTest, TopItemsAreThoseOfFloat64) {
  const RunResult run =
      RunStint({"convert", Tensors(), "--config", File(".json"), "--items", File(".items.tsv"),
                "--test-sessions", File(".sessions.json"), "-o", File(".stint")});
  ASSERT_EQ(run.status, 0) << run.error;
  EXPECT_NE(run.error.find("5 sessions replayed"), std::string::npos) << run.error;

  Model model;
  stint_error error = {};
  ASSERT_EQ(Model::FromFile(File(".stint").c_str(), &model, &error), STINT_OK) << error.message;
  ASSERT_EQ(stint_model_self_test(model.get(), &error), STINT_OK) << error.message;
  stint_session* raw = nullptr;
  ASSERT_EQ(stint_session_create(model.get(), kTop, &raw), STINT_OK);
  const std::unique_ptr<stint_session, void (*)(stint_session*)> session(raw,
                                                                         stint_session_destroy);
  const reference::Safetensors expected = reference::ReadSafetensors(File(".expected.safetensors"));
  const std::vector<int64_t> items = expected["items"].AsInt64();
  const std::vector<int64_t> top_items = expected["top_items"].AsInt64();
  const std::vector<double> top_scores = expected["top_scores"].AsDouble();
  const size_t sessions = expected["items"].dim(0), longest = expected["items"].dim(1);
  ASSERT_EQ(sessions, 1000u);
  double largest = 0;
  size_t different = 0;
  for (size_t s = 0; s < sessions; ++s) {
    ASSERT_EQ(stint_session_reset(raw), STINT_OK);
    for (size_t e = 0; e < longest && items[s * longest + e] >= 0; ++e) {
      const std::string name = "i" + std::to_string(items[s * longest + e]);
      ASSERT_EQ(stint_observe_name(raw, name.data(), name.size()), STINT_OK);
    }
    stint_recommendation top[kTop];
    size_t count = 0;
    ASSERT_EQ(stint_recommend(raw, kTop, nullptr, top, &count), STINT_OK);
    ASSERT_EQ(count, kTop);
    bool same = true;
    for (size_t i = 0; i < kTop; ++i) {
      same &= top[i].item == top_items[s * kTop + i];
      largest = std::max(largest, std::fabs(double{top[i].score} - top_scores[s * kTop + i]));
    }
    different += !same;
  }
  std::printf("%s: %zu sessions, %zu other top-20, largest score difference %.2g\n", GetParam(),
              sessions, different, largest);
  EXPECT_EQ(different, 0u);
  EXPECT_LT(largest, 5e-6);
}

// The tensors of another network of the same shapes: the sessions tell.
TEST_P(NetworksTest, ANetworkThatAnswersOtherwiseIsRefused) {
  std::string config = ReadFile(File(".json"));
  config.insert(config.find('{') + 1, "\"hidden_activation\": \"relu\", ");
  const std::string other = folder_->Write("other.json", config);
  const std::string out = *folder_ / "other.stint";
  const RunResult run =
      RunStint({"convert", Tensors(), "--config", other, "--items", File(".items.tsv"),
                "--test-sessions", File(".sessions.json"), "-o", out, "--quiet"});
  EXPECT_EQ(run.status, 3);
  EXPECT_NE(run.error.find(File(".sessions.json") + ": session "), std::string::npos) << run.error;
  EXPECT_NE(run.error.find("more than the tolerance of 1e-05"), std::string::npos) << run.error;
  EXPECT_FALSE(std::filesystem::exists(out));
}

// Out as safetensors and in again: the same file, but for the ways it came.
TEST_P(NetworksTest, ComesBackAsItWas) {
  const auto convert = [&](const std::vector<std::string>& words) {
    std::vector<std::string> all = {"convert", "--quiet"};
    all.insert(all.end(), words.begin(), words.end());
    const RunResult run = RunStint(all);
    ASSERT_EQ(run.status, 0) << run.error;
  };
  convert({Tensors(), "--config", File(".json"), "--items", File(".items.tsv"), "-o",
           File(".there.stint")});
  convert({File(".there.stint"), "-o", File(".back.safetensors")});
  convert({File(".back.safetensors"), "--config", File(".back.config.json"), "--items",
           File(".back.items.tsv"), "-o", File(".back.stint")});
  EXPECT_EQ(ReadFile(File(".there.stint")), ReadFile(File(".back.stint")));
}

INSTANTIATE_TEST_SUITE_P(, NetworksTest,
                         testing::Values("pytorch_shared", "pytorch_two_layers", "pytorch_one_hot",
                                         "pytorch_separate", "keras_reset_after",
                                         "keras_two_biases", "keras_reset_before", "theano_shared",
                                         "theano_one_hot_two_layers", "official_pytorch_one_hot",
                                         "onnx_reset_after", "onnx_reset_before"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace stint
