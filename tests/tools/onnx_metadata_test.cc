// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// What an ONNX file of stint has beside its graph -> the model that was written.
#include <gtest/gtest.h>

#include <string>

#include "tests/tools/onnx_file.h"
#include "tests/tools/onnx_fixture.h"

namespace stint {
namespace {

TrainedModel ToldModel() {
  TrainedModel model = SmallModel();
  model.hidden_activation = {ActivationKind::kLeakyRelu, 0.1};
  model.final_activation = {ActivationKind::kElu, 0.3};
  model.hyperparameters = R"({"loss": "bpr-max",  "layers": [3, 3]})";
  model.training_summary = R"({"recall": 0.25})";
  model.catalog = PlainCatalog(kItems);
  return model;
}

void Set(OnnxFile* file, const std::string& key, const std::string& value) {
  for (onnx::StringStringEntryProto& entry : *file->model.mutable_metadata_props()) {
    if (entry.key() == key) return entry.set_value(value);
  }
  FAIL() << "no " << key;
}

TEST(OnnxMetadataTest, ComesBack) {
  TrainedModel told = ToldModel();
  std::string ids = "?";
  const TrainedModel read = OnnxFile(told).Read(0, &ids);
  EXPECT_EQ(read.hidden_activation, told.hidden_activation);  // 0.1, which no float32 is
  EXPECT_EQ(read.final_activation, told.final_activation);
  EXPECT_EQ(read.hyperparameters, told.hyperparameters);
  EXPECT_EQ(read.training_summary, told.training_summary);
  EXPECT_EQ(ids, "integers");
  told.catalog.ids.are_names = true;
  told.catalog.ids.names.assign(kItems, "");
  OnnxFile(told).Read(0, &ids);
  EXPECT_EQ(ids, "names");
  told.catalog = {};
  OnnxFile(told).Read(0, &ids);
  EXPECT_EQ(ids, "");
}

TEST(OnnxMetadataTest, OfOthersIsNotRead) {
  OnnxFile file(ToldModel());
  file.model.set_producer_name("pytorch");
  Set(&file, "stint.final_activation", "nonsense");
  std::string ids = "?";
  ASSERT_EQ(file.Message(), "");
  const TrainedModel read = file.Read(0, &ids);
  EXPECT_EQ(read.final_activation, (Activation{ActivationKind::kLinear}));
  EXPECT_EQ(read.hyperparameters, "{}");
  EXPECT_EQ(read.training_summary, "{}");
  EXPECT_EQ(ids, "");
  EXPECT_NE(read.hidden_activation, ToldModel().hidden_activation);  // the float32 of the graph
}

TEST(OnnxMetadataTest, WhatIsWrongIsRefused) {
  const auto set = [](const std::string& key, const std::string& value) {
    return [=](OnnxFile* f) { Set(f, key, value); };
  };
  const TrainedModel told = ToldModel();
  const std::string tiny = "elu-0." + std::string(60, '0') + "1";
  Check(
      {
          {"metadata 'stint.final_activation': 'swish' is none of softmax, linear, relu, tanh, "
           "leaky-ALPHA, elu-ALPHA, selu-SCALE-ALPHA",
           set("stint.final_activation", "swish")},
          {"metadata 'stint.hidden_activation': is tanh, that of the graph is "
           "leaky-0.10000000149011612",
           set("stint.hidden_activation", "tanh")},
          {"metadata 'stint.final_activation': is '" + tiny + "', which float32 has as 0",
           set("stint.final_activation", tiny)},
          {"metadata 'stint.hyperparameters': is no JSON object",
           set("stint.hyperparameters", "[1]")},
          {"metadata 'stint.training_summary': the key 'a' stands twice",
           set("stint.training_summary", R"({"a": 1, "a": 2})")},
          {"metadata 'stint.ids': is 'numbers', neither names nor integers",
           set("stint.ids", "numbers")},
          {"metadata 'stint.ids': is there twice",
           [](OnnxFile* f) { *f->model.add_metadata_props() = f->model.metadata_props(4); }},
      },
      told);
  OnnxFile file(told);
  Set(&file, "stint.training_summary", "{");
  EXPECT_EQ(file.Message().rfind("metadata 'stint.training_summary': no JSON: ", 0), 0u)
      << file.Message();
  Set(&file, "stint.training_summary",
      "{\"a\":" + std::string(100000, '[') + std::string(100000, ']') + "}");
  EXPECT_EQ(file.Message().rfind("metadata 'stint.training_summary': ", 0), 0u) << file.Message();
}

}  // namespace
}  // namespace stint
