// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The quantized vector that a session keeps of each hidden state is that of the state, whatever
// changed the one and asked for the other: clicks, resets, imports, copies, another SIMD target.
#include "runtime/hidden.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "tests/runtime/test_model.h"

namespace stint {
namespace {

constexpr size_t kItems = 90;

std::vector<uint32_t> ScoreBits(stint_session* session) {
  std::vector<float> scores(kItems);
  EXPECT_EQ(stint_scores(session, scores.data()), STINT_OK);
  std::vector<uint32_t> bits;
  for (const float score : scores) bits.push_back(FloatBits(score));
  return bits;
}

// Scores after `clicks` of a session that did nothing else, on the best target.
std::vector<uint32_t> Expected(const stint_model* model, const std::vector<uint32_t>& clicks) {
  EXPECT_EQ(stint_set_target(nullptr), STINT_OK);
  const SessionPointer session = NewSession(model, 5);
  for (const uint32_t item : clicks) EXPECT_EQ(stint_observe(session.get(), item), STINT_OK);
  return ScoreBits(session.get());
}

class HiddenTest : public testing::TestWithParam<std::vector<size_t>> {};

TEST_P(HiddenTest, NeverStale) {
  const std::vector<std::string> targets = TargetNames();
  for (const GruForm form : {GruForm::kResetAfter, GruForm::kResetBefore}) {
    const AlignedBytes bytes = BuildTestModel(RandomParameters(kItems, GetParam(), form, 4),
                                              NumberCatalog(kItems), DType::kInt8);
    const ModelPointer model = OpenModel(bytes);
    SessionPointer session = NewSession(model.get(), 5);
    SessionPointer other = NewSession(model.get(), 5);
    std::vector<uint32_t> clicks, other_clicks;
    std::vector<uint8_t> state;
    std::vector<uint32_t> state_clicks;
    for (uint64_t turn = 0; turn < 400; ++turn) {
      const uint64_t random = MixBits(turn);
      const uint32_t item = static_cast<uint32_t>(random >> 32) % kItems;
      switch (random % 9) {
        case 0:
          ASSERT_EQ(stint_session_reset(session.get()), STINT_OK);
          clicks.clear();
          break;
        case 1: {
          size_t size = stint_session_state_size(session.get());
          state.resize(size);
          ASSERT_EQ(stint_session_export(session.get(), state.data(), size, &size), STINT_OK);
          state_clicks = clicks;
          break;
        }
        case 2:
          if (state.empty()) break;
          ASSERT_EQ(stint_session_import(session.get(), state.data(), state.size()), STINT_OK);
          clicks = state_clicks;
          break;
        case 3:
          ASSERT_EQ(stint_session_copy(session.get(), other.get()), STINT_OK);
          other_clicks = clicks;
          break;
        case 4:
          std::swap(session, other);
          std::swap(clicks, other_clicks);
          break;
        default:
          ASSERT_EQ(stint_observe(session.get(), item), STINT_OK);
          clicks.push_back(item);
      }
      if (random >> 8 & 1) continue;  // nobody asks for the vector
      const std::vector<uint32_t> expected = Expected(model.get(), clicks);
      ASSERT_EQ(stint_set_target(targets[turn % targets.size()].c_str()), STINT_OK);
      ASSERT_EQ(ScoreBits(session.get()), expected) << "turn " << turn << " " << stint_target();
    }
  }
  EXPECT_EQ(stint_set_target(nullptr), STINT_OK);
}

INSTANTIATE_TEST_SUITE_P(Layers, HiddenTest,
                         testing::Values(std::vector<size_t>{33}, std::vector<size_t>{20, 50, 9}));

// Once after a change: the second call returns what the first one made.
TEST(HiddenVectorTest, OnceAfterAChange) {
  const AlignedBytes bytes = BuildTestModel(RandomParameters(kItems, {40}, GruForm::kResetAfter, 4),
                                            NumberCatalog(kItems), DType::kInt8);
  const ModelPointer model = OpenModel(bytes);
  const SessionPointer opaque = NewSession(model.get(), 5);
  SessionState* const session = reinterpret_cast<SessionState*>(opaque.get());
  ASSERT_EQ(stint_observe(opaque.get(), 7), STINT_OK);
  EXPECT_FALSE(session->quantized_hidden[0].fresh);
  int calls = 0;
  static int* counter;
  counter = &calls;
  Kernels counting = GetKernels();
  static void (*quantize)(const float*, size_t, int8_t*, QuantizedVector*);
  quantize = counting.quantize;
  counting.quantize = [](const float* x, size_t count, int8_t* room, QuantizedVector* out) {
    ++*counter;
    quantize(x, count, room, out);
  };
  for (int i = 0; i < 3; ++i) {
    const AnyVector x = HiddenVector(counting, 0, true, session);
    EXPECT_EQ(x.floats.values, session->hidden[0]);
    EXPECT_GT(x.quantized.step, 0.0f);
    EXPECT_EQ(calls, 1);
  }
  HiddenVector(counting, 0, false, session);
  EXPECT_EQ(calls, 1);
  ASSERT_EQ(stint_observe(opaque.get(), 8), STINT_OK);
  HiddenVector(counting, 0, true, session);
  EXPECT_EQ(calls, 2);
}

}  // namespace
}  // namespace stint
