// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Hidden states and scores of whole sessions, both GRU forms, one to three layers, both kinds of
// weights: bit for bit what the scalar model computes, on every target, and close to float64.
#include <gtest/gtest.h>

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

void CheckNetwork(const Network& network, GruForm form, DType dtype) {
  const Parameters parameters =
      RandomParameters(network.items, network.layers, form, network.items + network.layers[0]);
  const AlignedBytes bytes = BuildTestModel(parameters, NumberCatalog(network.items), dtype);
  const ModelPointer model = OpenModel(bytes);
  ASSERT_TRUE(model);
  const SessionPointer session = NewSession(model.get(), 1);
  ScalarModel scalar(parameters, dtype);
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
        ASSERT_NEAR(hidden[j], scalar.layers[l].h64[j], dtype == DType::kF32 ? 2e-5 : 5e-3)
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
      CheckNetwork(network, form, dtype);
      if (testing::Test::HasFatalFailure()) return;
    }
  });
}

TEST(Gru, ResetAfterInt8) { CheckAll(GruForm::kResetAfter, DType::kInt8); }
TEST(Gru, ResetAfterF32) { CheckAll(GruForm::kResetAfter, DType::kF32); }
TEST(Gru, ResetBeforeInt8) { CheckAll(GruForm::kResetBefore, DType::kInt8); }
TEST(Gru, ResetBeforeF32) { CheckAll(GruForm::kResetBefore, DType::kF32); }

}  // namespace
}  // namespace stint
