// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Training with --matmul bf16: close to float32, the same bits for any number of threads, refused
// where the CPU lacks it.
#include "trainer/products.h"

#include <cmath>
#include <stdexcept>
#include <string>

#include "tests/reference/kernels.h"
#include "tests/reference/synthetic_log.h"
#include "tests/reference/trainer_bridge.h"
#include "trainer/initialize.h"
#include "trainer/minibatch.h"
#include "trainer/negative_sampler.h"
#include "trainer/network.h"
#include "trainer/train.h"

namespace stint {
namespace {

using reference::ForEachTarget;
using reference::MakeSyntheticLog;
using reference::SameBits;

Dataset MakeData() { return MakeDataset(MakeSyntheticLog({.sessions = 120}), 0); }

// Wide enough for several blocks of columns, rows and units; both GRU forms, rows with norms and
// one-hot input among them.
std::vector<Options> SomeOptions() {
  Options xe;
  xe.layers = {70, 40};
  xe.batch_size = 20;
  xe.negatives = 300;
  xe.learning_rate = 0.1;
  xe.epochs = 2;
  xe.logq = 0.5;
  xe.momentum = 0.3;
  xe.dropout_hidden = 0.3;
  Options bpr = xe;
  bpr.gru_form = GruForm::kResetBefore;
  bpr.loss = Loss::kBprMax;
  bpr.final_activation = {ActivationKind::kElu, 0.5};
  bpr.logq = 0;
  bpr.momentum = 0;
  Options normalized = xe;
  normalized.normalize_items = true;
  normalized.clip_norm = 1;
  Options one_hot = bpr;
  one_hot.embedding = Embedding::kNone;
  return {xe, bpr, normalized, one_hot};
}

class ProductsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!HasBf16Products()) GTEST_SKIP() << "this CPU has no bfloat16 products";
  }
};

TEST_F(ProductsTest, TheSameBitsForAnyNumberOfThreads) {
  const Dataset data = MakeData();
  for (Options options : SomeOptions()) {
    options.matmul = Matmul::kBf16;
    Validate(options);
    options.threads = 1;
    const TrainResult one = Train(options, data.catalog, data.train, {});
    for (const size_t threads : {1, 2, 3}) {
      SCOPED_TRACE(threads);
      options.threads = threads;
      const TrainResult other = Train(options, data.catalog, data.train, {});
      EXPECT_TRUE(SameBits(one.parameters, other.parameters));
      for (size_t e = 0; e < 2; ++e) EXPECT_EQ(other.epochs[e].loss, one.epochs[e].loss);
    }
    options.matmul = Matmul::kF32;  // and the option does something
    EXPECT_FALSE(SameBits(one.parameters, Train(options, data.catalog, data.train, {}).parameters));
  }
}

// Loss of a step, and the step itself: with plain gradient descent that is the gradient. A factor
// is off by at most 2^-9 of itself, errors have either sign and average out in sums: a hundredth is
// about twice what was seen, and a wrong pair or a lost term would show as tenths.
TEST_F(ProductsTest, AStepIsCloseToThatInFloat32) {
  const Dataset data = MakeData();
  for (Options options : SomeOptions()) {
    options.optimizer = Optimizer::kSgd;
    options.momentum = 0;
    options.threads = 1;
    Parameters initial(NetworkShape::Of(options, data.catalog.size()));
    Initialize(options, &initial);
    MiniBatchIterator batches(data.train, options.batch_size, 1);
    MiniBatch batch;
    ASSERT_TRUE(batches.Next(&batch));
    const NegativeSampler sampler(data.catalog.counts, options.sample_alpha, options.seed);
    std::vector<uint32_t> negatives(options.negatives);
    sampler.Sample(0, negatives);
    const auto step = [&](Matmul matmul, Parameters* after) {
      options.matmul = matmul;
      Network network(options, data.catalog.counts, initial);
      const double loss = network.Step(batch, negatives, 0);
      *after = network.parameters();
      return loss;
    };
    Parameters f32, bf16;
    const double loss = step(Matmul::kF32, &f32);
    EXPECT_NEAR(step(Matmul::kBf16, &bf16), loss, 1e-3 * loss);
    double change = 0, difference = 0;
    for (size_t i = 0; i < initial.block_floats(); ++i) {
      change += std::pow(double(f32.block()[i]) - initial.block()[i], 2);
      difference += std::pow(double(bf16.block()[i]) - f32.block()[i], 2);
    }
    EXPECT_GT(change, 0);
    EXPECT_LT(std::sqrt(difference / change), 1e-2);
    EXPECT_GT(difference, 0);
  }
}

// Dispatch is limited to each SIMD target in turn: what lacks the instruction refuses the option.
TEST(MatmulOptionTest, IsRefusedWhereTheCpuLacksIt) {
  Options options;
  EXPECT_EQ(options.matmul, Matmul::kF32);
  size_t refused = 0;
  ForEachTarget([&](int64_t) {
    options.matmul = Matmul::kF32;
    EXPECT_NO_THROW(Validate(options));
    options.matmul = Matmul::kBf16;
    if (HasBf16Products()) {
      EXPECT_NO_THROW(Validate(options));
      return;
    }
    ++refused;
    try {
      Validate(options);
      ADD_FAILURE() << "not refused";
    } catch (const std::invalid_argument& e) {
      EXPECT_EQ(std::string(e.what()).rfind("--matmul: bf16 needs a CPU with AVX512_BF16", 0), 0u)
          << e.what();
    }
  });
  EXPECT_GE(refused, 1u);
}

}  // namespace
}  // namespace stint
