// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Hidden states, scores, ranks and top-k of fixed models: the same bits on every SIMD target, and
// the bits written down here, so that another compiler or machine cannot drift unseen.
#include <gtest/gtest.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstdint>
#include <iterator>
#include <vector>

#include "tests/runtime/test_model.h"

namespace stint {
namespace {

// A hash of everything the runtime computes for a few sessions.
uint64_t Fingerprint(const AlignedBytes& bytes) {
  const size_t items = 1111;
  const ModelPointer model = OpenModel(bytes);
  const SessionPointer session = NewSession(model.get(), 50);
  std::vector<uint32_t> words;
  std::vector<float> scores(items);
  for (uint32_t step = 0; step < 40; ++step) {
    if (step % 9 == 0) stint_session_reset(session.get());
    stint_recommendation top[50];
    size_t count = 0;
    stint_recommend_options options = {};
    options.exclude_seen = 1;
    EXPECT_EQ(stint_recommend(session.get(), 50, &options, top, &count), STINT_OK);
    for (size_t i = 0; i < count; ++i) {
      words.push_back(top[i].item);
      words.push_back(FloatBits(top[i].score));
    }
    const uint32_t item = static_cast<uint32_t>(MixBits(step) % items);
    EXPECT_EQ(stint_observe(session.get(), item), STINT_OK);
    for (uint32_t layer = 0; layer < 2; ++layer) {
      const float* hidden;
      uint32_t units;
      EXPECT_EQ(stint_session_hidden(session.get(), layer, &hidden, &units), STINT_OK);
      for (uint32_t j = 0; j < units; ++j) words.push_back(FloatBits(hidden[j]));
    }
    EXPECT_EQ(stint_scores(session.get(), scores.data()), STINT_OK);
    for (const float score : scores) words.push_back(FloatBits(score));
    uint32_t higher, equal;
    EXPECT_EQ(stint_rank(session.get(), item, &higher, &equal), STINT_OK);
    words.push_back(higher);
    words.push_back(equal);
  }
  return XXH3_64bits(words.data(), words.size() * sizeof(words[0]));
}

void Check(const AlignedBytes& bytes, uint64_t expected) {
  ForEachTarget([&] { EXPECT_EQ(Fingerprint(bytes), expected) << std::hex << Fingerprint(bytes); });
}

void Check(DType dtype, GruForm form, uint64_t expected) {
  const Parameters parameters = RandomParameters(1111, {37, 50}, form, 2026);
  Check(BuildTestModel(parameters, NumberCatalog(1111), dtype), expected);
}

// Made on x86-64 (AVX3_SPR), 2026-11; a change of the arithmetic changes them and needs a new
// format version.
TEST(Targets, Int8ResetAfter) { Check(DType::kInt8, GruForm::kResetAfter, 0x292cffa07119c932); }
TEST(Targets, Int8ResetBefore) { Check(DType::kInt8, GruForm::kResetBefore, 0xb7d821df2a520124); }
TEST(Targets, F32ResetAfter) { Check(DType::kF32, GruForm::kResetAfter, 0xe3ddfeb559e419f9); }
TEST(Targets, F32ResetBefore) { Check(DType::kF32, GruForm::kResetBefore, 0xb114e32278419cc9); }

// Embeddings and hidden activations of version 2, as in ModelKinds().
TEST(Targets, KindsOfVersion2) {
  const uint64_t expected[] = {0xe9aff3bd17aa46ba, 0x1e838800db8c23df, 0xebd203252f70ce40,
                               0x6d7dbac077f02342, 0xedad2a391bcdacf4, 0x370c50e28e1156c2,
                               0x892c417212eedde9};
  ASSERT_EQ(ModelKinds().size(), std::size(expected));
  for (size_t i = 0; i < ModelKinds().size(); ++i) {
    const ModelKind& kind = ModelKinds()[i];
    SCOPED_TRACE(kind.name);
    const Parameters parameters = RandomParameters(kind, 1111, {37, 50}, 2026);
    Check(BuildTestModel(parameters, NumberCatalog(1111), kind.dtype, {}, kind.hidden),
          expected[i]);
  }
}

}  // namespace
}  // namespace stint
