// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Sizes and a seed -> a small random model, its bytes, and objects that close themselves.
#ifndef STINT_TESTS_RUNTIME_TEST_MODEL_H_
#define STINT_TESTS_RUNTIME_TEST_MODEL_H_

#include <gtest/gtest.h>
#include <hwy/highway.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "stint/stint.h"
#include "trainer/export.h"
#include "trainer/parameters.h"
#include "trainer/random.h"
#include "trainer/sessions.h"

namespace stint {

using ModelPointer = std::unique_ptr<stint_model, void (*)(stint_model*)>;
using SessionPointer = std::unique_ptr<stint_session, void (*)(stint_session*)>;

inline ModelPointer OpenModel(const AlignedBytes& bytes) {
  stint_model* model = nullptr;
  stint_error error;
  EXPECT_EQ(stint_model_from_buffer(bytes.data(), bytes.size(), &model, &error), STINT_OK)
      << error.message;
  return {model, stint_model_destroy};
}

inline SessionPointer NewSession(const stint_model* model, uint32_t max_k) {
  stint_session* session = nullptr;
  EXPECT_EQ(stint_session_create(model, max_k, &session), STINT_OK);
  return {session, stint_session_destroy};
}

inline constexpr DType kDTypes[] = {DType::kInt8, DType::kF32, DType::kBf16, DType::kInt4};

// Uniform in [-scale, scale], zeros in the padding.
inline void Randomize(const RandomCounter& random, double scale, uint64_t* draw, Matrix* m) {
  for (size_t r = 0; r < m->rows; ++r) {
    for (size_t c = 0; c < m->cols; ++c) {
      m->Row(r)[c] = static_cast<float>(scale * (2 * random.Unit((*draw)++) - 1));
    }
  }
}

// Weights and biases that drive gates and candidates well into their curves. `scale` is that of the
// GRU's matrices: activations without a bound need a small one, or hidden states grow step by step.
inline Parameters RandomParameters(const NetworkShape& shape, uint64_t seed, double scale = 0.7) {
  Parameters p(shape);
  const RandomCounter random(seed, 99);
  uint64_t draw = 0;
  for (Matrix m : p.Dense()) Randomize(random, m.rows == 1 ? 0.5 : scale, &draw, &m);
  Randomize(random, 1.0, &draw, &p.items);
  Randomize(random, 1.0, &draw, &p.item_bias);
  Randomize(random, 1.0, &draw, &p.inputs);
  return p;
}
inline Parameters RandomParameters(size_t items, const std::vector<size_t>& layers, GruForm form,
                                   uint64_t seed) {
  return RandomParameters({.items = items, .layers = layers, .gru_form = form}, seed);
}

// What model files of versions 2 and 3 may hold, one of each.
struct ModelKind {
  const char* name;
  Embedding embedding;
  size_t embedding_width;  // of kSeparate
  GruForm form;
  DType dtype;
  Activation hidden;
  Scoring scoring = Scoring::kScan;  // others: with a cascade
};
inline const std::vector<ModelKind>& ModelKinds() {
  using K = ActivationKind;
  constexpr GruForm kAfter = GruForm::kResetAfter, kBefore = GruForm::kResetBefore;
  static const std::vector<ModelKind> kinds = {
      {"separate, tanh", Embedding::kSeparate, 29, kAfter, DType::kInt8, {K::kTanh}},
      {"separate, selu", Embedding::kSeparate, 29, kBefore, DType::kInt8, {K::kSelu, 1.6, 1.05}},
      {"separate, relu", Embedding::kSeparate, 70, kAfter, DType::kF32, {K::kRelu}},
      {"none, tanh", Embedding::kNone, 0, kAfter, DType::kInt8, {K::kTanh}},
      {"none, leaky", Embedding::kNone, 0, kAfter, DType::kInt8, {K::kLeakyRelu, 0.1}},
      {"none, elu", Embedding::kNone, 0, kBefore, DType::kF32, {K::kElu, 0.5}},
      {"shared, linear", Embedding::kShared, 0, kAfter, DType::kInt8, {K::kLinear}},
      {"shared, bf16", Embedding::kShared, 0, kBefore, DType::kBf16, {K::kTanh}},
      {"shared, int4", Embedding::kShared, 0, kAfter, DType::kInt4, {K::kTanh}},
      {"separate, bf16", Embedding::kSeparate, 29, kAfter, DType::kBf16, {K::kTanh}},
      {"none, int4", Embedding::kNone, 0, kAfter, DType::kInt4, {K::kRelu}},
      {"shared, int8 cascade",
       Embedding::kShared,
       0,
       kAfter,
       DType::kInt8,
       {K::kTanh},
       Scoring::kInt8},
      {"none, int8 cascade",
       Embedding::kNone,
       0,
       kBefore,
       DType::kInt8,
       {K::kRelu},
       Scoring::kInt8},
      {"shared, exact", Embedding::kShared, 0, kAfter, DType::kInt8, {K::kTanh}, Scoring::kExact},
      {"separate, exact f32",
       Embedding::kSeparate,
       29,
       kBefore,
       DType::kF32,
       {K::kTanh},
       Scoring::kExact},
  };
  return kinds;
}
inline Parameters RandomParameters(const ModelKind& kind, size_t items,
                                   const std::vector<size_t>& layers, uint64_t seed) {
  return RandomParameters({.items = items,
                           .layers = layers,
                           .gru_form = kind.form,
                           .embedding = kind.embedding,
                           .embedding_width = kind.embedding_width},
                          seed, kind.hidden.kind == ActivationKind::kTanh ? 0.7 : 0.15);
}

// Ids that are not in index order, counts with ties.
inline Catalog NumberCatalog(size_t items) {
  Catalog catalog;
  for (size_t i = 0; i < items; ++i) {
    catalog.ids.numbers.push_back(static_cast<int64_t>(MixBits(i)) / 3);
    catalog.counts.push_back(static_cast<uint32_t>(1 + MixBits(i + 77) % (items / 2 + 1)));
  }
  return catalog;
}

inline Catalog NameCatalog(size_t items) {
  Catalog catalog = NumberCatalog(items);
  catalog.ids.are_names = true;
  for (const int64_t id : catalog.ids.numbers) {
    catalog.ids.names.push_back("sku-" + std::to_string(id));
  }
  catalog.ids.numbers.clear();
  return catalog;
}

inline AlignedBytes BuildTestModel(const Parameters& parameters, const Catalog& catalog,
                                   DType dtype, std::vector<std::vector<uint32_t>> self_tests = {},
                                   const Activation& hidden = {ActivationKind::kTanh},
                                   const Activation& final = {ActivationKind::kSoftmax}) {
  ExportInput input;
  input.parameters = &parameters;
  input.catalog = &catalog;
  input.dtype = dtype;
  input.hyperparameters = R"({"layers": "test"})";
  input.training_summary = R"({"epochs": 0})";
  input.self_test_sessions = std::move(self_tests);
  input.hidden_activation = hidden;
  input.final_activation = final;
  return BuildModel(input);
}

// Of a kind; a cascade has columns for about half of the width.
inline AlignedBytes BuildTestModel(const ModelKind& kind, const Parameters& parameters,
                                   const Catalog& catalog,
                                   std::vector<std::vector<uint32_t>> self_tests = {},
                                   const Activation& final = {ActivationKind::kSoftmax}) {
  ExportInput input;
  input.parameters = &parameters;
  input.catalog = &catalog;
  input.dtype = kind.dtype;
  input.hyperparameters = R"({"layers": "test"})";
  input.training_summary = R"({"epochs": 0})";
  input.self_test_sessions = std::move(self_tests);
  input.hidden_activation = kind.hidden;
  input.final_activation = final;
  input.scoring = kind.scoring;
  if (kind.scoring != Scoring::kScan) {
    input.cascade_columns = static_cast<uint32_t>(parameters.width() / 8 * 4 + 4);
    for (uint32_t i = 0; i < 8; ++i) {
      const uint32_t items = static_cast<uint32_t>(parameters.items.rows);
      input.calibration_sessions.push_back({i * 5 % items, i * 3 % items});
    }
  }
  return BuildModel(input);
}

// Names of all SIMD targets that this build has and this CPU runs, the best one first; the second
// build's before that of the target that it goes beyond.
inline std::vector<std::string> TargetNames() {
  EXPECT_EQ(stint_set_target(nullptr), STINT_OK);
  std::vector<std::string> names;
  const int64_t all = hwy::SupportedTargets() & HWY_TARGETS;
  bool second = false;
  for (int64_t rest = all; rest != 0; rest &= rest - 1) {
    const std::string name = hwy::TargetName(rest & -rest);
    const bool is_neon = name == "NEON" || name == "NEON_WITHOUT_AES";
    if (!second && (name == "AVX2" || is_neon)) {
      second = true;
      const char* const second_name = is_neon ? "NEON_DOTPROD" : "AVX2_VNNI";
      if (stint_set_target(second_name) == STINT_OK) names.push_back(second_name);
    }
    names.push_back(name);
  }
  EXPECT_EQ(stint_set_target(nullptr), STINT_OK);
  return names;
}

// Runs `body` once on every target and goes back to the best one.
template <class Body>
void ForEachTarget(const Body& body) {
  const std::vector<std::string> names = TargetNames();
  ASSERT_FALSE(names.empty());
  for (const std::string& name : names) {
    SCOPED_TRACE("target " + name);
    ASSERT_EQ(stint_set_target(name.c_str()), STINT_OK);
    ASSERT_EQ(stint_target(), name);
    body();
    if (testing::Test::HasFatalFailure()) break;
  }
  ASSERT_EQ(stint_set_target(nullptr), STINT_OK);
}

inline uint32_t FloatBits(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof(bits));
  return bits;
}

}  // namespace stint

#endif  // STINT_TESTS_RUNTIME_TEST_MODEL_H_
