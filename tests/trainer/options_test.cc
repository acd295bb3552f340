// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// What Validate() refuses: which option it names, and whether another one could make it good.
#include "trainer/options.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>
#include <vector>

namespace stint {
namespace {

using Kind = OptionError::Kind;

struct Refused {
  std::function<void(Options*)> change;
  Kind kind;
  std::string option;
  std::string part;  // of the message, behind "--option: "
};

TEST(OptionsTest, DefaultsAreGood) { EXPECT_NO_THROW(Validate(Options())); }

TEST(OptionsTest, ScoringGoesWithSomeKindsAndWidths) {
  const auto refused = [](Scoring scoring, DType dtype, const std::vector<size_t>& layers) {
    Options options;
    options.layers = layers;
    try {
      ValidateScoring(scoring, dtype, options);
    } catch (const OptionError& e) {
      EXPECT_EQ(e.option(), "scoring");
      EXPECT_EQ(e.kind(), Kind::kCombination);
      return true;
    }
    return false;
  };
  const DType all[] = {DType::kInt8, DType::kF32, DType::kBf16, DType::kInt4};
  for (const DType dtype : all) {
    EXPECT_FALSE(refused(Scoring::kScan, dtype, {1}));
    EXPECT_FALSE(refused(Scoring::kScan, dtype, {16384}));
    EXPECT_EQ(refused(Scoring::kInt8, dtype, {100}), dtype != DType::kInt8);
    EXPECT_EQ(refused(Scoring::kExact, dtype, {100}),
              dtype != DType::kInt8 && dtype != DType::kF32);
  }
  for (const Scoring scoring : {Scoring::kInt8, Scoring::kExact}) {
    EXPECT_TRUE(refused(scoring, DType::kInt8, {100, 3}));
    EXPECT_FALSE(refused(scoring, DType::kInt8, {3, 4}));
    EXPECT_FALSE(refused(scoring, DType::kInt8, {4096, 2048}));
    EXPECT_TRUE(refused(scoring, DType::kInt8, {100, 2049}));
  }
}

TEST(OptionsTest, ErrorsSayWhichOptionAndWhatKind) {
  const std::vector<Refused> all = {
      {[](Options* o) { o->layers = {}; }, Kind::kRange, "layers", "0 layers given"},
      {[](Options* o) { o->layers.assign(17, 8); }, Kind::kRange, "layers", "17 layers given"},
      {[](Options* o) {
         o->layers = {8, 0};
       },
       Kind::kRange, "layers", "'0' is not in [1, 16384]"},
      {[](Options* o) { o->dropout_hidden = 1; }, Kind::kRange, "dropout-hidden",
       "'1' is not in [0, 1)"},
      {[](Options* o) { o->momentum = std::nan(""); }, Kind::kRange, "momentum",
       "'nan' is not in [0, 1)"},
      {[](Options* o) { o->learning_rate = 0; }, Kind::kRange, "learning-rate",
       "'0' is not in [1e-09, 1000]"},
      {[](Options* o) { o->ema_decay = 1; }, Kind::kRange, "ema-decay", "'1' is not in [0, 1)"},
      {[](Options* o) { o->epochs = 0; }, Kind::kRange, "epochs", "'0' is not in [1, 1e+06]"},
      {[](Options* o) { o->loss = Loss::kBpr; }, Kind::kCombination, "final-activation",
       "softmax does not go with --loss bpr"},
      {[](Options* o) { o->embedding_width = 5; }, Kind::kCombination, "embedding-width",
       "only --embedding separate"},
      {[](Options* o) { o->logq_form = LogqForm::kMixture; }, Kind::kCombination, "logq-form",
       "needs --logq"},
      {[](Options* o) { o->momentum_form = MomentumForm::kNesterov; }, Kind::kCombination,
       "momentum-form", "needs --momentum"},
      {[](Options* o) {
         o->negatives = 0;
         o->batch_size = 1;
       },
       Kind::kCombination, "batch-size", "1 leaves no negatives"},
      {[](Options* o) {
         o->embedding = Embedding::kNone;
         o->dropout_embedding = 0.1;
       },
       Kind::kCombination, "dropout-embedding", "--embedding none has nothing to drop"},
  };
  for (const Refused& refused : all) {
    Options options;
    refused.change(&options);
    SCOPED_TRACE(refused.option + ": " + refused.part);
    try {
      Validate(options);
      ADD_FAILURE() << "not refused";
    } catch (const OptionError& e) {
      EXPECT_EQ(e.kind(), refused.kind);
      EXPECT_EQ(e.option(), refused.option);
      EXPECT_EQ(std::string(e.what()).rfind("--" + refused.option + ": " + refused.part, 0), 0u)
          << e.what();
    }
  }
}

}  // namespace
}  // namespace stint
