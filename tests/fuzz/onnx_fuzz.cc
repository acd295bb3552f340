// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Bytes -> an ONNX graph -> a network -> a model file. What is taken makes a model or is refused
// with a reason, and says the same again when it is written as ONNX and read.
#include <google/protobuf/text_format.h>
#include <onnx/onnx_pb.h>

#include <cstring>
#include <numeric>
#include <stdexcept>

#include "tests/fuzz/fuzz.h"
#include "tests/runtime/test_model.h"
#include "tools/convert/onnx_export.h"
#include "tools/convert/onnx_import.h"

namespace stint::fuzz {
namespace {

constexpr char kPath[] = "fuzz.onnx";
constexpr size_t kMostFloats = 1 << 16;

bool SameBits(const Parameters& a, const Parameters& b) {
  return a.block_floats() == b.block_floats() &&
         std::memcmp(a.block(), b.block(), a.block_floats() * sizeof(float)) == 0;
}

Catalog MakeUp(size_t items) {
  Catalog catalog;
  catalog.counts.assign(items, 1);
  catalog.ids.numbers.resize(items);
  std::iota(catalog.ids.numbers.begin(), catalog.ids.numbers.end(), int64_t{0});
  return catalog;
}

// Weights beyond what a model file holds are refused there.
void Build(const TrainedModel& trained) {
  const Catalog catalog = MakeUp(trained.parameters.items.rows);
  ExportInput input;
  input.parameters = &trained.parameters;
  input.catalog = &catalog;
  input.dtype = DType::kF32;
  input.hidden_activation = trained.hidden_activation;
  input.final_activation = trained.final_activation;
  input.hyperparameters = trained.hyperparameters;
  input.training_summary = trained.training_summary;
  input.self_test_sessions = {{0}};
  try {
    const AlignedBytes bytes = BuildModel(input);
    Require(bytes.size() > 0, "a model has bytes");
  } catch (const std::runtime_error& e) {
    Require(std::strstr(e.what(), "1e15") != nullptr, "weights alone are refused", e.what());
  }
}

void CheckAgain(const TrainedModel& trained) {
  const std::string bytes = OnnxBytes(trained, 3);
  const TrainedModel again =
      ParseOnnx({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, kPath);
  const Embedding was = trained.parameters.shape.embedding;
  if (was != again.parameters.shape.embedding) {
    // Rows of a separate embedding may be those of the items, or gate inputs.
    Require(was == Embedding::kSeparate, "an embedding stays what it is");
    return;
  }
  Require(SameBits(trained.parameters, again.parameters), "written and read: the same bits");
}

std::string Seed(GruForm form, Embedding embedding, std::vector<size_t> layers,
                 const Activation& hidden = {ActivationKind::kTanh}) {
  NetworkShape shape;
  shape.items = 5;
  shape.layers = std::move(layers);
  shape.gru_form = form;
  shape.embedding = embedding;
  shape.embedding_width = embedding == Embedding::kSeparate ? 4 : 0;
  TrainedModel model;
  model.parameters = RandomParameters(shape, 3);
  model.hidden_activation = hidden;
  return OnnxBytes(model, 3);
}

// Text of protobuf: a graph as PyTorch's exporter writes it, of three items, one unit and two
// layers.
constexpr char kTorch[] = R"(
ir_version: 7 opset_import { version: 13 } graph { name: "g"
input { name: "items" type { tensor_type { elem_type: 7
  shape { dim { dim_param: "b" } dim { dim_param: "t" } } } } }
output { name: "scores" } output { name: "hidden" }
initializer { name: "e" dims: 3 dims: 1 data_type: 1 float_data: [0.5, 1, -2] }
initializer { name: "l" dims: 3 dims: 1 data_type: 11 double_data: [0.5, 1, 2] }
initializer { name: "c" dims: 3 data_type: 10 int32_data: [15360, 0, 32768] }
initializer { name: "w" dims: 1 dims: 3 dims: 1 data_type: 1 float_data: [1, 2, 3] }
initializer { name: "z" dims: 1 data_type: 7 int64_data: 0 }
initializer { name: "one" dims: 1 data_type: 7 int64_data: 1 }
initializer { name: "two" dims: 1 data_type: 7 int64_data: 2 }
initializer { name: "last" data_type: 7 int64_data: -1 }
node { op_type: "Gather" input: "e" input: "items" output: "rows" }
node { op_type: "Transpose" input: "rows" output: "x"
  attribute { name: "perm" type: INTS ints: [1, 0, 2] } }
node { op_type: "Shape" input: "x" output: "s" }
node { op_type: "Gather" input: "s" input: "one" output: "batch" }
node { op_type: "Concat" input: "two" input: "batch" input: "one" output: "size"
  attribute { name: "axis" type: INT i: 0 } }
node { op_type: "ConstantOfShape" input: "size" output: "zeros" }
node { op_type: "Slice" input: "zeros" input: "z" input: "one" input: "z" output: "h0" }
node { op_type: "GRU" input: "x" input: "w" input: "w" input: "" input: "" input: "h0"
  output: "y0" output: "f0" attribute { name: "hidden_size" type: INT i: 1 }
  attribute { name: "linear_before_reset" type: INT i: 1 } }
node { op_type: "Squeeze" input: "y0" input: "one" output: "x1" }
node { op_type: "GRU" input: "x1" input: "w" input: "w" output: "y1" output: "f1"
  attribute { name: "linear_before_reset" type: INT i: 1 } }
node { op_type: "Concat" input: "f0" input: "f1" output: "hidden"
  attribute { name: "axis" type: INT i: 0 } }
node { op_type: "Squeeze" input: "y1" input: "one" output: "y" }
node { op_type: "Transpose" input: "y" output: "turned"
  attribute { name: "perm" type: INTS ints: [1, 0, 2] } }
node { op_type: "Gather" input: "turned" input: "last" output: "h"
  attribute { name: "axis" type: INT i: 1 } }
node { op_type: "Gemm" input: "h" input: "l" input: "c" output: "scores"
  attribute { name: "transB" type: INT i: 1 } attribute { name: "beta" type: FLOAT f: 0.5 } }
})";

// A row of padding before those of the items, whose score is cut off.
constexpr char kPadded[] = R"(
ir_version: 7 opset_import { version: 13 } graph { name: "g"
input { name: "items" type { tensor_type { elem_type: 7
  shape { dim { dim_param: "t" } dim { dim_param: "b" } } } } }
output { name: "scores" }
initializer { name: "e" dims: 3 dims: 1 data_type: 1 float_data: [0, 1, -2] }
initializer { name: "c" dims: 1 dims: 3 data_type: 1 float_data: [5, 1, -2] }
initializer { name: "bias" dims: 2 data_type: 1 float_data: [3, 4] }
initializer { name: "w" dims: 1 dims: 3 dims: 1 data_type: 1 float_data: [1, 2, 3] }
initializer { name: "z" dims: 1 data_type: 7 int64_data: 0 }
initializer { name: "one" dims: 1 data_type: 7 int64_data: 1 }
initializer { name: "end" dims: 1 data_type: 7 int64_data: 9223372036854775807 }
node { op_type: "Gather" input: "e" input: "items" output: "x" }
node { op_type: "GRU" input: "x" input: "w" input: "w" output: "" output: "f"
  attribute { name: "linear_before_reset" type: INT i: 1 } }
node { op_type: "Squeeze" input: "f" input: "z" output: "h" }
node { op_type: "MatMul" input: "h" input: "c" output: "p" }
node { op_type: "Slice" input: "p" input: "one" input: "end" input: "one" output: "cut" }
node { op_type: "Add" input: "cut" input: "bias" output: "scores" }
})";

// One-hot input; the old way to say axes; constants in nodes.
constexpr char kOneHot[] = R"(
ir_version: 4 opset_import { version: 9 } graph { name: "g"
input { name: "items" type { tensor_type { elem_type: 6
  shape { dim { dim_value: 1 } dim { dim_param: "b" } } } } }
input { name: "start" type { tensor_type { elem_type: 1 } } }
output { name: "best" } output { name: "which" } output { name: "f" }
initializer { name: "w" dims: 1 dims: 6 dims: 2 data_type: 1
  float_data: [1, 2, 3, 4, 5, 6, 0.5, -1, -2, 0, 1, 2] }
initializer { name: "b" dims: 1 dims: 12 data_type: 16
  int32_data: [0, 1, 2, 3, 16256, 5, 0, 0, 0, 16256, 0, 1] }
initializer { name: "flat" dims: 2 data_type: 7 int64_data: [-1, 2] }
initializer { name: "k" dims: 1 data_type: 7 int64_data: 2 }
node { op_type: "Cast" input: "items" output: "long"
  attribute { name: "to" type: INT i: 7 } }
node { op_type: "Constant" output: "ends" attribute { name: "value" type: TENSOR
  t { dims: 2 data_type: 1 float_data: [0, 1] } } }
node { op_type: "OneHot" input: "long" input: "k" input: "ends" output: "x" }
node { op_type: "Expand" input: "start" input: "k" output: "h0" }
node { op_type: "GRU" input: "x" input: "w" input: "w" input: "b" input: "" input: "h0"
  output: "y" output: "f" attribute { name: "activations" type: STRINGS strings: "Sigmoid"
  strings: "Elu" } attribute { name: "activation_alpha" type: FLOATS floats: 0.5 } }
node { op_type: "Unsqueeze" input: "f" output: "f4"
  attribute { name: "axes" type: INTS ints: 0 } }
node { op_type: "Reshape" input: "f4" input: "flat" output: "h" }
node { op_type: "Constant" output: "columns" attribute { name: "value" type: TENSOR
  t { dims: 2 dims: 2 data_type: 1 float_data: [1, -1, 2, 3] } } }
node { op_type: "MatMul" input: "h" input: "columns" output: "p" }
node { op_type: "Add" input: "ends" input: "p" output: "scores" }
node { op_type: "TopK" input: "scores" input: "k" output: "best" output: "which" }
})";

std::string FromText(const char* text, size_t padding_rows = 0) {
  onnx::ModelProto model;
  Require(google::protobuf::TextFormat::ParseFromString(text, &model),
          "a seed is text of protobuf");
  const std::string bytes = model.SerializeAsString();
  ParseOnnx({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, "seed",
            padding_rows);  // is taken
  return bytes;
}

}  // namespace

std::vector<std::string> Seeds() {
  using K = ActivationKind;
  constexpr GruForm kAfter = GruForm::kResetAfter, kBefore = GruForm::kResetBefore;
  return {
      Seed(kAfter, Embedding::kShared, {2}),
      Seed(kBefore, Embedding::kShared, {3, 2}),
      Seed(kAfter, Embedding::kSeparate, {2, 2}, {K::kLeakyRelu, 0.1}),
      Seed(kBefore, Embedding::kSeparate, {1}, {K::kLinear}),
      Seed(kAfter, Embedding::kNone, {2, 3}, {K::kElu, 0.5}),
      FromText(kTorch),
      FromText(kPadded, 1),
      FromText(kOneHot),
  };
}

}  // namespace stint::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace stint;
  using namespace stint::fuzz;
  for (const size_t padding_rows : {0, 1}) {
    TrainedModel trained;
    try {
      trained = ParseOnnx({data, size}, kPath, padding_rows);
    } catch (const std::runtime_error& e) {
      Require(std::strncmp(e.what(), "fuzz.onnx: ", 11) == 0, "a reason starts with the path",
              e.what());
      continue;
    }
    if (trained.parameters.block_floats() > kMostFloats) continue;
    Build(trained);
    CheckAgain(trained);
  }
  return 0;
}
