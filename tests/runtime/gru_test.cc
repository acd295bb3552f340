// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Hidden states and scores of whole sessions, both GRU forms, one to three layers, both kinds of
// weights, every embedding and hidden activation: bit for bit what the scalar model computes, on
// every target, and close to float64.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "tests/runtime/scalar_model.h"
#include "tests/runtime/test_model.h"

namespace stint {
namespace {

struct Network {
  size_t items;
  std::vector<size_t> layers;
};

const std::vector<Network>& Networks() {
  static const std::vector<Network> networks = {
      {1, {1}},    {3, {2}},       {70, {7}},      {65, {16}},       {64, {31}},
      {63, {32}},  {130, {33}},    {40, {64}},     {40, {65}},       {90, {100}},
      {30, {128}}, {50, {10, 16}}, {50, {16, 10}}, {50, {5, 40, 9}}, {20, {33, 65, 100}},
  };
  return networks;
}

void CheckNetwork(const Network& network, const Parameters& parameters, DType dtype,
                  const Activation& hidden_activation) {
  const AlignedBytes bytes =
      BuildTestModel(parameters, NumberCatalog(network.items), dtype, {}, hidden_activation);
  const ModelPointer model = OpenModel(bytes);
  ASSERT_TRUE(model);
  const SessionPointer session = NewSession(model.get(), 1);
  ScalarModel scalar(parameters, dtype, hidden_activation);
  std::vector<float> scores(network.items);
  for (uint64_t step = 0; step < 12; ++step) {
    const uint32_t item = static_cast<uint32_t>(MixBits(step) % network.items);
    ASSERT_EQ(stint_observe(session.get(), item), STINT_OK);
    scalar.Step(item);
    for (uint32_t l = 0; l < network.layers.size(); ++l) {
      const float* hidden;
      uint32_t units;
      ASSERT_EQ(stint_session_hidden(session.get(), l, &hidden, &units), STINT_OK);
      ASSERT_EQ(units, network.layers[l]);
      for (uint32_t j = 0; j < units; ++j) {
        ASSERT_EQ(FloatBits(hidden[j]), FloatBits(scalar.layers[l].h[j]))
            << "step " << step << " layer " << l << " unit " << j << ": " << hidden[j] << " "
            << scalar.layers[l].h[j];
        // f32: a few roundings a step, fading. int8: the vectors' 15 bits, through wide random
        // (expansive) weights; the weights themselves are the same on both sides.
        ASSERT_NEAR(hidden[j], scalar.layers[l].h64[j],
                    (dtype == DType::kF32 ? 2e-5 : 5e-3) * std::max(1.0f, std::fabs(hidden[j])))
            << "step " << step << " layer " << l << " unit " << j;
      }
    }
    ASSERT_EQ(stint_scores(session.get(), scores.data()), STINT_OK);
    const std::vector<float> expected = scalar.Scores();
    for (size_t i = 0; i < network.items; ++i) {
      ASSERT_EQ(FloatBits(scores[i]), FloatBits(expected[i])) << "step " << step << " item " << i;
    }
  }
}

void CheckAll(GruForm form, DType dtype) {
  ForEachTarget([&] {
    for (const Network& network : Networks()) {
      SCOPED_TRACE(std::to_string(network.items) + " items, layer 0 has " +
                   std::to_string(network.layers[0]) + " units of " +
                   std::to_string(network.layers.size()) + " layers");
      CheckNetwork(
          network,
          RandomParameters(network.items, network.layers, form, network.items + network.layers[0]),
          dtype, {ActivationKind::kTanh});
      if (testing::Test::HasFatalFailure()) return;
    }
  });
}

TEST(Gru, ResetAfterInt8) { CheckAll(GruForm::kResetAfter, DType::kInt8); }
TEST(Gru, ResetAfterF32) { CheckAll(GruForm::kResetAfter, DType::kF32); }
TEST(Gru, ResetBeforeInt8) { CheckAll(GruForm::kResetBefore, DType::kInt8); }
TEST(Gru, ResetBeforeF32) { CheckAll(GruForm::kResetBefore, DType::kF32); }

// Embeddings of several widths, both forms, one and two layers, every activation.
void CheckKinds(Embedding embedding, DType dtype) {
  const std::vector<Activation> activations = {
      {ActivationKind::kTanh},          {ActivationKind::kRelu},
      {ActivationKind::kLinear},        {ActivationKind::kLeakyRelu, 0.2},
      {ActivationKind::kElu, 0.5, 1.0}, {ActivationKind::kSelu, 1.67326, 1.0507},
  };
  const std::vector<Network> networks = {{70, {7}}, {65, {33}}, {40, {64}}, {50, {16, 10}}};
  const std::vector<size_t> widths = {1, 6, 40, 64, 101};
  size_t turn = 0;
  ForEachTarget([&] {
    for (const Activation& activation : activations) {
      for (const GruForm form : {GruForm::kResetAfter, GruForm::kResetBefore}) {
        for (const Network& network : networks) {
          const ModelKind kind = {"",   embedding, widths[turn++ % widths.size()],
                                  form, dtype,     activation};
          SCOPED_TRACE(Name(activation) + ", " + Name(form) + ", width " +
                       std::to_string(kind.embedding_width) + ", " + std::to_string(network.items) +
                       " items");
          CheckNetwork(network, RandomParameters(kind, network.items, network.layers, turn), dtype,
                       activation);
          if (testing::Test::HasFatalFailure()) return;
        }
      }
    }
  });
}

TEST(Gru, SharedInt8) { CheckKinds(Embedding::kShared, DType::kInt8); }
TEST(Gru, SharedF32) { CheckKinds(Embedding::kShared, DType::kF32); }
TEST(Gru, SeparateInt8) { CheckKinds(Embedding::kSeparate, DType::kInt8); }
TEST(Gru, SeparateF32) { CheckKinds(Embedding::kSeparate, DType::kF32); }
TEST(Gru, OneHotInt8) { CheckKinds(Embedding::kNone, DType::kInt8); }
TEST(Gru, OneHotF32) { CheckKinds(Embedding::kNone, DType::kF32); }

// The largest weights and parameters that a file may hold, hidden states that grow without end: no
// NaN, and the same bits everywhere.
TEST(Gru, HugeWeightsStayNumbers) {
  for (const Activation& activation : std::vector<Activation>{{ActivationKind::kRelu},
                                                              {ActivationKind::kLinear},
                                                              {ActivationKind::kLeakyRelu, 1e6},
                                                              {ActivationKind::kElu, 1e6},
                                                              {ActivationKind::kSelu, 1e6, 1e6}}) {
    for (const DType dtype : {DType::kInt8, DType::kF32}) {
      for (const Embedding embedding :
           {Embedding::kShared, Embedding::kSeparate, Embedding::kNone}) {
        for (const GruForm form : {GruForm::kResetAfter, GruForm::kResetBefore}) {
          const ModelKind kind = {"", embedding, 19, form, dtype, activation};
          Parameters parameters = RandomParameters(kind, 70, {21, 17}, 3);
          // int8: codes to 127, so that scales come to 1e15 / 127.
          for (size_t i = 0; i < parameters.block_floats(); ++i) {
            float& w = parameters.block()[i];
            w = w == 0 ? 0 : w < 0 ? -1e15f : 1e15f;
          }
          const AlignedBytes bytes =
              BuildTestModel(parameters, NumberCatalog(70), dtype, {}, activation);
          const ModelPointer model = OpenModel(bytes);
          std::vector<std::vector<float>> answers;
          ForEachTarget([&] {
            const SessionPointer session = NewSession(model.get(), 1);
            std::vector<float> scores(70), all;
            for (uint32_t step = 0; step < 8; ++step) {
              ASSERT_EQ(stint_observe(session.get(), step * 7), STINT_OK);
              ASSERT_EQ(stint_scores(session.get(), scores.data()), STINT_OK);
              for (const float score : scores)
                ASSERT_TRUE(std::isfinite(score)) << Name(activation);
              all.insert(all.end(), scores.begin(), scores.end());
            }
            answers.push_back(all);
          });
          for (const auto& answer : answers) ASSERT_EQ(answer, answers[0]) << Name(activation);
        }
      }
    }
  }
}

}  // namespace
}  // namespace stint
