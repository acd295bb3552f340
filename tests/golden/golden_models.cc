// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Nothing -> small models of everything that a model file may hold.
#include "tests/golden/golden_models.h"

#include <cstdint>
#include <stdexcept>
#include <utility>

#include "tests/golden/golden_answers.h"
#include "tests/runtime/test_model.h"

namespace stint {
namespace {

using K = ActivationKind;
constexpr GruForm kAfter = GruForm::kResetAfter, kBefore = GruForm::kResetBefore;
constexpr Embedding kShared = Embedding::kShared, kSeparate = Embedding::kSeparate,
                    kNone = Embedding::kNone;

// Item rows, and layers and scoring where they are not what goes with these.
enum class Kind {
  kInt8,
  kF32,
  kBf16,  // bf16, int4: over layers of int8
  kBf16OverF32,
  kInt4,
  kInt4OverF32,
  kExact,  // float rows with a cascade, over layers of int8
  kExactF32,
  kCascade  // int8 rows with one
};

// What a file is made of.
struct Recipe {
  size_t items;  // 64 fill their tiles, others do not
  std::vector<size_t> layers;
  GruForm form;
  Embedding embedding;
  Kind kind;
  Activation hidden, final;
  bool names = false;  // ids: names, else numbers
};

// Add new ones at the end: the seed is the place in the list.
const std::vector<Recipe>& Recipes() {
  using enum Kind;
  static const Activation kTanh = {K::kTanh}, kLeaky = {K::kLeakyRelu, 0.1},
                          kSelu = {K::kSelu, 1.6, 1.05}, kElu = {K::kElu, 0.5},
                          kSoftmax = {K::kSoftmax}, kRelu = {K::kRelu}, kLinear = {K::kLinear};
  static const std::vector<Recipe> recipes = {
      // Format version 1.
      {83, {9}, kAfter, kShared, kInt8, kTanh, kSoftmax},
      {70, {12, 7}, kBefore, kShared, kInt8, kTanh, kElu, true},
      {65, {7, 10}, kAfter, kShared, kF32, kTanh, kLinear},
      {64, {11}, kBefore, kShared, kF32, kTanh, kSoftmax, true},
      // 2: embeddings, activations.
      {72, {8}, kAfter, kSeparate, kInt8, kTanh, kRelu},
      {90, {7, 9}, kAfter, kNone, kInt8, kRelu, kTanh, true},
      {66, {10}, kBefore, kSeparate, kF32, kLeaky, kSoftmax},
      {71, {6}, kBefore, kNone, kF32, kElu, kSelu},
      {77, {5}, kAfter, kShared, kInt8, kLinear, {K::kLeakyRelu, 0.01}, true},
      {68, {12, 5}, kBefore, kShared, kF32, kSelu, {K::kElu, 1.0}},
      {100, {5, 8}, kBefore, kSeparate, kInt8, {K::kElu, 1.0}, kSoftmax},
      {79, {9}, kAfter, kNone, kInt8, kTanh, kLinear},
      // 3: kinds of item rows, cascades.
      {74, {9}, kBefore, kShared, kBf16, kTanh, kSoftmax},
      {69, {8, 6}, kAfter, kSeparate, kBf16OverF32, kRelu, kSoftmax, true},
      {64, {5}, kAfter, kShared, kBf16OverF32, kTanh, kElu},
      {98, {11}, kAfter, kShared, kInt4, kTanh, kSoftmax},
      {80, {7}, kBefore, kNone, kInt4OverF32, kLeaky, kSoftmax, true},
      {75, {6, 10}, kBefore, kSeparate, kInt4, kTanh, kRelu},
      {67, {12}, kBefore, kShared, kInt4OverF32, kTanh, kSoftmax},
      {70, {12}, kAfter, kShared, kExact, kTanh, kSoftmax, true},
      {73, {7, 9}, kBefore, kSeparate, kExactF32, kTanh, kLinear},
      {66, {6}, kAfter, kNone, kExact, kSelu, kSoftmax},
      {72, {11}, kAfter, kShared, kCascade, kTanh, kSoftmax},
      {69, {12, 9}, kBefore, kNone, kCascade, kRelu, kElu, true},
  };
  return recipes;
}

void SetKind(Kind kind, ExportInput* input) {
  const bool exact = kind == Kind::kExact || kind == Kind::kExactF32;
  const bool bf16 = kind == Kind::kBf16 || kind == Kind::kBf16OverF32;
  const bool int4 = kind == Kind::kInt4 || kind == Kind::kInt4OverF32;
  input->dtype = bf16                                            ? DType::kBf16
                 : int4                                          ? DType::kInt4
                 : kind == Kind::kF32 || kind == Kind::kExactF32 ? DType::kF32
                                                                 : DType::kInt8;
  input->f32_layers = kind == Kind::kBf16OverF32 || kind == Kind::kInt4OverF32;
  input->scoring = exact                    ? Scoring::kExact
                   : kind == Kind::kCascade ? Scoring::kInt8
                                            : Scoring::kScan;
}

// Ids that are not in index order; names of several lengths, not all of ASCII.
Catalog CatalogOf(const Recipe& recipe) {
  Catalog catalog = NumberCatalog(recipe.items);
  if (!recipe.names) return catalog;
  catalog.ids.are_names = true;
  for (size_t i = 0; i < recipe.items; ++i) {
    const std::string number = std::to_string(MixBits(i) % 1000);
    catalog.ids.names.push_back((i % 3 == 0   ? "sku-"
                                 : i % 3 == 1 ? "gr\xc3\xb6\xc3\x9f"
                                                "e "
                                              : "") +
                                number + "/" + std::to_string(i));
  }
  catalog.ids.numbers.clear();
  return catalog;
}

AlignedBytes Build(const Recipe& recipe, uint64_t seed) {
  const bool bounded = recipe.hidden.kind == K::kTanh;
  const Parameters parameters = RandomParameters(
      {.items = recipe.items,
       .layers = recipe.layers,
       .gru_form = recipe.form,
       .embedding = recipe.embedding,
       .embedding_width = recipe.embedding == kSeparate ? recipe.layers[0] - 3 : 0},
      seed, bounded ? 0.7 : 0.15);
  const Catalog catalog = CatalogOf(recipe);
  ExportInput input;
  input.parameters = &parameters;
  input.catalog = &catalog;
  SetKind(recipe.kind, &input);
  input.hidden_activation = recipe.hidden;
  input.final_activation = recipe.final;
  input.hyperparameters = R"({"golden": )" + std::to_string(seed) + "}";
  input.training_summary = R"({"epochs": 0})";
  // Before the first event, after one, a longer session with an item that stands twice.
  input.self_test_sessions = {{}, {3}, {1, 4, 1, 5, 9, 2, 6, 63}};
  if (input.scoring != Scoring::kScan) {
    input.cascade_columns = 4 * static_cast<uint32_t>(parameters.width() / 8 + 1);
    for (uint32_t i = 0; i < 12; ++i) input.calibration_sessions.push_back({i * 5, i * 3, i});
  }
  return BuildModel(input);
}

}  // namespace

std::vector<GoldenModel> GoldenModels() {
  std::vector<GoldenModel> models;
  for (const Recipe& recipe : Recipes()) {
    AlignedBytes bytes = Build(recipe, 1 + models.size());
    stint_model* opened = nullptr;
    stint_error error;
    if (stint_model_from_buffer(bytes.data(), bytes.size(), &opened, &error) != STINT_OK) {
      throw std::runtime_error(error.message);
    }
    const ModelPointer model = {opened, stint_model_destroy};
    models.push_back({GoldenName(model.get()), std::move(bytes)});
  }
  return models;
}

}  // namespace stint
