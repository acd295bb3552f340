// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// ONNX files whose embedding or scores have rows of no item -> the network without them.
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "tests/tools/onnx_file.h"

namespace stint {
namespace {

constexpr int64_t kEnd = std::numeric_limits<int64_t>::max();
constexpr float kPadding = 9.0f;  // of every element of such a row

// `rows` more at the start of the first axis.
void Pad(TensorProto* tensor, size_t rows) {
  std::vector<float> values = FloatsIn(*tensor);
  const size_t width = values.size() / static_cast<size_t>(tensor->dims(0));
  values.insert(values.begin(), rows * width, kPadding);
  tensor->set_dims(0, tensor->dims(0) + static_cast<int64_t>(rows));
  SetFloats(tensor, values);
}

// The embedding apart from the item rows, with the same numbers.
TensorProto& OwnEmbedding(OnnxFile* file) {
  TensorProto& embedding = *file->graph().add_initializer();
  embedding = file->Tensor("item_rows");
  embedding.set_name("embedding");
  file->Node("embedding").set_input(0, "embedding");
  return embedding;
}

// What reads the scores reads scores[:, begin:end] of the output `of` of a node.
void Cut(OnnxFile* file, const std::string& node, int64_t begin, int64_t end = kEnd) {
  NodeProto& slice = file->Insert("Slice", node, 0);
  SetIntegers(&slice, "starts", {begin});
  SetIntegers(&slice, "ends", {end});
  SetIntegers(&slice, "axes", {-1});
}

// The outputs are those of TopK alone, which reads scores[:, n:].
OnnxFile CutBeforeTop(size_t padding) {
  OnnxFile file;
  Pad(&file.Tensor("item_rows"), padding);
  Pad(&file.Tensor("item_biases"), padding);
  file.graph().mutable_output()->RemoveLast();
  Cut(&file, "top", static_cast<int64_t>(padding));
  return file;
}

void ExpectSmallModel(const OnnxFile& file, size_t padding_rows) {
  ASSERT_EQ(file.Message(padding_rows), "");
  const Parameters read = file.Read(padding_rows).parameters;
  EXPECT_EQ(read.shape.embedding, Embedding::kShared);
  EXPECT_TRUE(SameParameters(read, SmallModel().parameters));
}

TEST(OnnxPaddingTest, OfTheEmbeddingAlone) {
  for (const size_t padding : {size_t{1}, size_t{3}}) {
    OnnxFile file;
    Pad(&OwnEmbedding(&file), padding);
    ExpectSmallModel(file, padding);
    const std::string rows = std::to_string(7 + padding), more = std::to_string(padding);
    const std::string numbers =
        "node 'embedding' (Gather): embeds " + rows + " items, node 'products' (MatMul) scores 7";
    const std::string advice =
        "; if the first rows of the embedding are padding: --padding-rows " + more;
    EXPECT_EQ(file.Message(), numbers + advice);
    EXPECT_EQ(file.Message(2), numbers + ", --padding-rows 2" + advice);
    EXPECT_EQ(file.Message(std::numeric_limits<size_t>::max()),
              numbers + ", --padding-rows 18446744073709551615" + advice);
  }
}

TEST(OnnxPaddingTest, OfEmbeddingAndScores) {
  OnnxFile file;
  Pad(&file.Tensor("item_rows"), 2);
  Pad(&file.Tensor("item_biases"), 2);
  ExpectSmallModel(file, 2);
  EXPECT_EQ(file.Read(0).parameters.items.rows, kItems + 2);  // nothing says that they are padding
  EXPECT_EQ(file.Message(9),
            "node 'embedding' (Gather): embeds 9 items, node 'products' (MatMul) scores 9, "
            "--padding-rows 9");
  EXPECT_EQ(file.Read(8).parameters.items.rows, 1u);
}

TEST(OnnxPaddingTest, OfScoresThatAreCut) {
  ExpectSmallModel(CutBeforeTop(1), 1);
  ExpectSmallModel(CutBeforeTop(3), 3);
  EXPECT_EQ(CutBeforeTop(1).Message(),
            "node 'embedding' (Gather): embeds 8 items, node 'products' (MatMul) scores 7; if the "
            "first rows of the embedding are padding: --padding-rows 1");
  // An embedding that has no rows of padding.
  OnnxFile file = CutBeforeTop(1);
  TensorProto& embedding = OwnEmbedding(&file);
  std::vector<float> values = FloatsIn(embedding);
  values.erase(values.begin(), values.begin() + kUnits);
  embedding.set_dims(0, kItems);
  SetFloats(&embedding, values);
  ExpectSmallModel(file, 0);
}

// The biases are those of the items that are left.
TEST(OnnxPaddingTest, CutBeforeTheBiases) {
  OnnxFile file;
  Pad(&file.Tensor("item_rows"), 2);
  Cut(&file, "scores", 2);
  ExpectSmallModel(file, 2);
  Pad(&file.Tensor("item_biases"), 2);
  EXPECT_EQ(file.Message(2),
            "node 'scores' (Add): 'item_biases' has shape [9] as biases of 7 items");
}

TEST(OnnxPaddingTest, OtherPartsOfScoresAreRefused) {
  Check({
      {"output 'top_items': scores of other items than other outputs",
       [](OnnxFile* f) {
         f->graph().mutable_output()->SwapElements(0, 2);
         Cut(f, "top", 1);
         f->graph().mutable_output()->SwapElements(1, 2);
       }},
      {"node 'new' (Slice): takes [1, 6) of the items (7), neither all nor all but the first",
       [](OnnxFile* f) { Cut(f, "top", 1, 6); }},
      {"node 'new' (Slice): takes [0, -1) of the items (7), neither all nor all but the first",
       [](OnnxFile* f) { Cut(f, "top", 0, -1); }},
      {"node 'new' (Slice): takes [7, 9223372036854775807) of the items, which is nothing",
       [](OnnxFile* f) { Cut(f, "top", 7); }},
  });
}

// W of one-hot input has columns of no item too.
TEST(OnnxPaddingTest, OfOneHotInput) {
  for (const GruForm form : {GruForm::kResetAfter, GruForm::kResetBefore}) {
    SCOPED_TRACE(Name(form));
    const TrainedModel trained = SmallModel(form, {3});
    const auto one_hot = [&](size_t padding) {
      OnnxFile file(trained);
      NodeProto& node = file.Node("embedding");
      node.set_op_type("OneHot");
      node.clear_input();
      for (const char* input : {"items", "depth", "values"}) node.add_input(input);
      file.AddIntegers("depth", {static_cast<int64_t>(kItems + padding)});
      TensorProto& values = *file.graph().add_initializer();
      values.set_name("values");
      values.set_data_type(TensorProto::FLOAT);
      values.add_dims(2);
      values.add_float_data(0);
      values.add_float_data(1);
      std::vector<float> weights;
      for (size_t row = 0; row < 3 * kUnits; ++row) {
        weights.insert(weights.end(), padding, kPadding);
        for (size_t i = 0; i < kItems; ++i) weights.push_back(static_cast<float>(row * 10 + i));
      }
      Resize(&file.Tensor("layer0.W"), {1, 9, static_cast<int64_t>(kItems + padding)});
      SetFloats(&file.Tensor("layer0.W"), weights);
      return file;
    };
    const OnnxFile padded = one_hot(2);
    ASSERT_EQ(padded.Message(2), "");
    EXPECT_TRUE(SameParameters(padded.Read(2).parameters, one_hot(0).Read().parameters));
  }
}

}  // namespace
}  // namespace stint
