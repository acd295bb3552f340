// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// What may not become a model file, and how files are written.
#include "trainer/export.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <functional>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/runtime/test_model.h"
#include "tests/temporary_folder.h"

namespace stint {
namespace {

class Export : public testing::Test {
 protected:
  void SetUp() override {
    parameters_ = RandomParameters(20, {4, 6}, GruForm::kResetAfter, 1);
    catalog_ = NumberCatalog(20);
    input_.parameters = &parameters_;
    input_.catalog = &catalog_;
    input_.self_test_sessions = {{1, 2}};
  }
  void ExpectRefused(const std::string& what) {
    try {
      BuildModel(input_);
      ADD_FAILURE() << "built although " << what;
    } catch (const std::runtime_error& error) {
      EXPECT_NE(std::string(error.what()).find(what), std::string::npos) << error.what();
    }
  }
  Parameters parameters_;
  Catalog catalog_;
  ExportInput input_;
};

TEST_F(Export, RefusesContradictions) {
  EXPECT_NO_THROW(BuildModel(input_));
  catalog_.counts.pop_back();
  ExpectRefused("catalog of 19 items");
  catalog_ = NumberCatalog(20);
  catalog_.ids.numbers[3] = catalog_.ids.numbers[9];
  ExpectRefused("stands twice");
  catalog_ = NameCatalog(20);
  catalog_.ids.names[3] = catalog_.ids.names[9] = "twin";
  ExpectRefused("'twin' stands twice");
  catalog_ = NumberCatalog(20);
  input_.self_test_sessions = {{1, 20}};
  ExpectRefused("self-test with item 20");
  input_.self_test_sessions = {{1}};
  input_.self_test_k = 0;
  ExpectRefused("k = 0");
  input_.self_test_k = 20;
  for (const char* json : {"", "[]", "{", "3", "{} {}"}) {
    input_.hyperparameters = json;
    ExpectRefused("hyperparameters is not a JSON object");
  }
  input_.hyperparameters = "{\"a\":" + std::string(1000000, '[') + std::string(1000000, ']') + "}";
  ExpectRefused("hyperparameters is JSON nested more than 100 deep");
  input_.hyperparameters = "{}";
  input_.training_summary = "x";
  ExpectRefused("training summary is not a JSON object");
}

TEST_F(Export, RefusesWeightsThatAreNotFinite) {
  parameters_.items.Row(7)[2] = std::numeric_limits<float>::quiet_NaN();
  ExpectRefused("item rows: row 7, column 2 is nan");
  parameters_.items.Row(7)[2] = 0;
  parameters_.item_bias.Row(0)[5] = std::numeric_limits<float>::infinity();
  ExpectRefused("item rows: row 5, bias is inf");
  parameters_.item_bias.Row(0)[5] = 0;
  parameters_.layers[1].hidden_weights.Row(17)[5] = -1e16f;
  ExpectRefused("layer 1 hidden weights: row 17, column 5 is -1");
}

TEST_F(Export, RefusesActivationsOutOfRange) {
  using K = ActivationKind;
  for (const Activation& bad : std::vector<Activation>{{K::kElu},
                                                       {K::kElu, -1},
                                                       {K::kElu, 1e7},
                                                       {K::kElu, std::nan("")},
                                                       {K::kElu, 1e-60},  // zero as a float
                                                       {K::kElu, 1, 2},
                                                       {K::kLeakyRelu, 0},
                                                       {K::kSelu, 1, 0},
                                                       {K::kSelu, 0, 1},
                                                       {K::kTanh, 0.5},
                                                       {K::kRelu, 0, 2}}) {
    input_.final_activation = bad;
    ExpectRefused("final activation");
    input_.final_activation = {K::kSoftmax};
    input_.hidden_activation = bad;
    ExpectRefused("hidden activation");
    input_.hidden_activation = {K::kTanh};
  }
  input_.hidden_activation = {K::kSoftmax};
  ExpectRefused("hidden activation softmax");
}

TEST_F(Export, RefusesInputRowsThatDoNotFit) {
  for (const Embedding embedding : {Embedding::kSeparate, Embedding::kNone}) {
    const auto fresh = [&] {
      return Parameters(NetworkShape{
          .items = 20, .layers = {4, 6}, .embedding = embedding, .embedding_width = 5});
    };
    parameters_ = fresh();
    EXPECT_NO_THROW(BuildModel(input_));
    parameters_.inputs.rows = 19;
    ExpectRefused("input rows of 19");
    parameters_ = fresh();
    parameters_.inputs.cols += 1;
    ExpectRefused("not 20 x");
    parameters_ = fresh();
    parameters_.inputs.Row(3)[2] = std::numeric_limits<float>::quiet_NaN();
    ExpectRefused("input rows: row 3, column 2 is nan");
    parameters_ = fresh();
    parameters_.layers[0].form =
        embedding == Embedding::kNone ? GruForm::kResetAfter : GruForm::kResetBefore;
    ExpectRefused("GRU form");
  }
  parameters_ = Parameters(NetworkShape{.items = 20, .layers = {4, 6}});
  parameters_.shape.embedding = Embedding::kSeparate;
  ExpectRefused("input rows of 0 x");
}

// The version is the oldest that holds the model.
TEST_F(Export, Versions) {
  const auto version = [&] {
    const AlignedBytes bytes = BuildModel(input_);
    const ModelPointer model = OpenModel(bytes);
    stint_model_info info;
    EXPECT_EQ(stint_model_describe(model.get(), &info), STINT_OK);
    return info.format_version;
  };
  using K = ActivationKind;
  for (const Activation& final : {Activation{K::kSoftmax}, {K::kLinear}, {K::kElu, 1.0}}) {
    input_.final_activation = final;
    EXPECT_EQ(version(), 1u);
    input_.hidden_activation = {K::kRelu};
    EXPECT_EQ(version(), 2u);
    input_.hidden_activation = {K::kTanh};
  }
  for (const Activation& final : {Activation{K::kTanh}, {K::kRelu}, {K::kLeakyRelu, 0.1}}) {
    input_.final_activation = final;
    EXPECT_EQ(version(), 2u);
  }
  input_.final_activation = {K::kSoftmax};
  for (const Embedding embedding : {Embedding::kSeparate, Embedding::kNone}) {
    parameters_ = Parameters(
        NetworkShape{.items = 20, .layers = {4, 6}, .embedding = embedding, .embedding_width = 5});
    EXPECT_EQ(version(), 2u);
  }
}

TEST_F(Export, RefusesWhatTheFormatCannotHold) {
  // 16384 units in f32 are 3.2 GB. Said to be there, not there: the sizes come before the weights.
  GruParameters& layer = parameters_.layers[0];
  layer.hidden_weights.rows = layer.input_weights.rows = 3 * 16384;
  layer.hidden_weights.cols = parameters_.layers[1].input_weights.cols = 16384;
  input_.dtype = DType::kF32;
  ExpectRefused("MiB, the format holds less than 2048");
}

TEST_F(Export, AlignedBytesMove) {
  AlignedBytes a(100);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(a.data()) % 64, 0u);
  const uint8_t* data = a.data();
  AlignedBytes b(std::move(a));
  EXPECT_EQ(b.data(), data);
  EXPECT_EQ(b.size(), 100u);
  AlignedBytes c;
  c = std::move(b);
  EXPECT_EQ(c.data(), data);
}

std::vector<uint8_t> Bytes(const std::string& text) { return {text.begin(), text.end()}; }

TEST(WriteFile, ReplacesWholeFilesOnly) {
  const TemporaryFolder folder;
  const std::string path = folder / "m.stint";
  WriteFileAtomically(path, Bytes("one"));
  EXPECT_EQ(ReadFile(path), "one");
  chmod(path.c_str(), 0640);
  WriteFileAtomically(path, Bytes("second"));
  EXPECT_EQ(ReadFile(path), "second");
  struct stat info;
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0640u);
  // A link stays one, and what it points to changes.
  const std::string link = folder / "link";
  std::filesystem::create_symlink("m.stint", link);
  WriteFileAtomically(link, Bytes("third"));
  EXPECT_TRUE(std::filesystem::is_symlink(link));
  EXPECT_EQ(ReadFile(path), "third");
  // Nothing else is left in the folder.
  size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    files += entry.exists();
  }
  EXPECT_EQ(files, 2u);
}

void ExpectFailure(const std::string& path, const std::string& reason) {
  try {
    WriteFileAtomically(path, Bytes("new"));
    ADD_FAILURE() << path;
  } catch (const std::runtime_error& error) {
    EXPECT_EQ(error.what(), path + ": " + reason);
  }
}

TEST(WriteFile, SaysWhatIsWrongAndLeavesTheOldFile) {
  const TemporaryFolder folder;
  ExpectFailure(folder / "no/such/folder", "No such file or directory");
  ExpectFailure(folder.path().string(), "Is a directory");
  if (access("/dev/full", W_OK) == 0) ExpectFailure("/dev/full", "No space left on device");
  const std::string path = folder / "m.stint";
  WriteFileAtomically(path, Bytes("old"));
  if (geteuid() != 0) {  // root may write everywhere
    std::filesystem::permissions(
        folder.path(), std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
    ExpectFailure(path, "Permission denied");
    std::filesystem::permissions(folder.path(), std::filesystem::perms::owner_all);
  }
  EXPECT_EQ(ReadFile(path), "old");
}

}  // namespace
}  // namespace stint
