// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Start values from an older model: random numbers, the weights at their places, what is refused.
#include "trainer/warm_start.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/reference/synthetic_log.h"
#include "tests/reference/trainer_bridge.h"
#include "tests/temporary_folder.h"
#include "trainer/export.h"
#include "trainer/initialize.h"
#include "trainer/minibatch.h"
#include "trainer/row_math.h"
#include "trainer/train.h"

namespace stint {
namespace {

using reference::MakeSyntheticLog;
using reference::SameBits;

Options SmallOptions(Embedding embedding) {
  Options options;
  options.layers = {12, 20};
  options.batch_size = 8;
  options.negatives = 20;
  options.learning_rate = 0.1;
  options.momentum = 0.2;
  options.epochs = 2;
  options.threads = 1;
  options.embedding = embedding;
  return options;
}

// Neither the negatives and masks of the base model's training, nor those of another base.
TEST(WarmStartTest, RandomNumbersAreThoseOfSeedAndModel) {
  TrainedModel one, other;
  one.xxh3 = 1;
  other.xxh3 = 2;
  const std::vector<uint64_t> seeds = {42, 43, SeedAfter(one, 42), SeedAfter(one, 43),
                                       SeedAfter(other, 42)};
  EXPECT_EQ(std::set<uint64_t>(seeds.begin(), seeds.end()).size(), seeds.size());

  Options options = SmallOptions(Embedding::kShared);
  options.dropout_hidden = 0.2;
  options.session_order = SessionOrder::kRandom;
  const Dataset dataset = MakeDataset(MakeSyntheticLog({.sessions = 60, .items = 30}), 0);
  const TemporaryFolder folder;
  const std::string path = folder / "middle.stintck";
  TrainCallbacks saves;
  saves.save_due = [](const TrainProgress& progress, bool) {
    return progress.epoch == 1 && progress.minibatch == 5;
  };
  saves.save = [&](const CheckpointContent& content, uint64_t, SaveReason reason) {
    if (reason == SaveReason::kDue) WriteCheckpoint(path, content);
  };
  const auto train = [&](std::optional<uint64_t> seed, const TrainCallbacks& callbacks) {
    TrainStart start;
    start.seed = seed;
    return Train(options, dataset.catalog, dataset.train, callbacks, start).parameters;
  };
  const Parameters plain = train({}, {}), warm = train(7, saves);
  EXPECT_FALSE(SameBits(plain, warm));
  options.seed = 7;
  EXPECT_TRUE(SameBits(warm, train({}, {})));

  options.seed = 42;
  const Checkpoint checkpoint(path);
  TrainStart start;
  start.resume = &checkpoint;
  EXPECT_THROW(Train(options, dataset.catalog, dataset.train, {}, start), std::runtime_error);
  start.seed = 7;
  EXPECT_TRUE(SameBits(warm, Train(options, dataset.catalog, dataset.train, {}, start).parameters));
}

class WarmStartFileTest : public testing::TestWithParam<Embedding> {
 protected:
  WarmStartFileTest() {
    TrainCallbacks callbacks;
    callbacks.save = [&](const CheckpointContent& content, uint64_t, SaveReason) {
      WriteCheckpoint(checkpoint_, content);
    };
    result_ = Train(options_, old_.catalog, old_.train, callbacks);
  }
  void WriteModel(DType dtype) { WriteModel(dtype, result_.parameters); }
  void WriteModel(DType dtype, const Parameters& parameters, Scoring scoring = Scoring::kScan) {
    ExportInput input;
    input.parameters = &parameters;
    input.catalog = &old_.catalog;
    input.dtype = dtype;
    input.scoring = scoring;
    const AlignedBytes bytes = BuildModel(input);
    WriteFileAtomically(model_, {bytes.data(), bytes.size()});
  }

  const Options options_ = SmallOptions(GetParam());
  const Dataset old_ = MakeDataset(MakeSyntheticLog({.sessions = 80, .items = 40}), 0);
  const TemporaryFolder folder_;
  const std::string model_ = folder_ / "old.stint";
  const std::string checkpoint_ = folder_ / "old.stintck";
  TrainResult result_;
};

// Rows of `old` stand in `wide` at the same index; returns whether all bits agree.
bool SameRows(const Matrix& old, const Matrix& wide) {
  bool same = true;
  for (size_t r = 0; r < old.rows; ++r) {
    same = same && std::memcmp(old.Row(r), wide.Row(r), old.cols * sizeof(float)) == 0;
  }
  return same;
}

TEST_P(WarmStartFileTest, FloatRowsComeBackAsTrained) {
  WriteModel(DType::kF32, result_.parameters, Scoring::kExact);
  const TrainedModel start = ReadWarmStart(model_, options_);
  EXPECT_EQ(start.dtype, DType::kF32);
  EXPECT_EQ(start.layer_dtype, DType::kF32);
  EXPECT_TRUE(SameBits(start.parameters, result_.parameters));

  WriteModel(DType::kInt8, result_.parameters, Scoring::kExact);
  const TrainedModel rounded = ReadWarmStart(model_, options_);
  EXPECT_EQ(rounded.dtype, DType::kF32);
  EXPECT_EQ(rounded.layer_dtype, DType::kInt8);
  EXPECT_TRUE(SameRows(rounded.parameters.items, result_.parameters.items));
  EXPECT_TRUE(SameRows(rounded.parameters.item_bias, result_.parameters.item_bias));
  EXPECT_FALSE(SameBits(rounded.parameters, result_.parameters));  // of the layers

  // A cascade beside int8 rows changes nothing.
  WriteModel(DType::kInt8);
  const TrainedModel plain = ReadWarmStart(model_, options_);
  WriteModel(DType::kInt8, result_.parameters, Scoring::kInt8);
  EXPECT_TRUE(SameBits(ReadWarmStart(model_, options_).parameters, plain.parameters));
}

TEST_P(WarmStartFileTest, F32GivesTheWeightsBack) {
  WriteModel(DType::kF32);
  const TrainedModel start = ReadWarmStart(model_, options_);
  EXPECT_EQ(start.dtype, DType::kF32);
  EXPECT_EQ(start.catalog.counts, old_.catalog.counts);
  EXPECT_EQ(start.catalog.ids.numbers, old_.catalog.ids.numbers);
  EXPECT_TRUE(SameBits(start.parameters, result_.parameters));

  const size_t items = old_.catalog.size() + 9;
  Parameters wide(NetworkShape::Of(options_, items)), fresh(NetworkShape::Of(options_, items));
  FillFromModel(start, options_, &wide);
  Initialize(options_, &fresh);
  EXPECT_TRUE(SameRows(result_.parameters.items, wide.items));
  EXPECT_TRUE(SameRows(result_.parameters.item_bias, wide.item_bias));
  EXPECT_TRUE(SameRows(result_.parameters.inputs, wide.inputs));
  for (size_t i = 0; i < wide.Dense().size(); ++i) {
    EXPECT_TRUE(SameRows(result_.parameters.Dense()[i], wide.Dense()[i])) << i;
  }
  for (size_t r = old_.catalog.size(); r < items; ++r) {
    EXPECT_EQ(std::memcmp(wide.items.Row(r), fresh.items.Row(r), wide.items.cols * 4), 0);
    EXPECT_NE(wide.items.Row(r)[0], 0.0f);
    EXPECT_EQ(wide.item_bias.data[r], 0.0f);
  }
}

TEST_P(WarmStartFileTest, Int8GivesRoundedWeights) {
  WriteModel(DType::kInt8);
  const TrainedModel start = ReadWarmStart(model_, options_);
  EXPECT_EQ(start.dtype, DType::kInt8);
  EXPECT_FALSE(SameBits(start.parameters, result_.parameters));
  const Matrix &a = result_.parameters.items, &b = start.parameters.items;
  for (size_t r = 0; r < a.rows; ++r) {
    float largest = 0;
    for (size_t c = 0; c < a.cols; ++c) largest = std::max(largest, std::fabs(a.Row(r)[c]));
    // Half a step of 127 in the largest.
    for (size_t c = 0; c < a.cols; ++c) {
      EXPECT_NEAR(a.Row(r)[c], b.Row(r)[c], largest / 127 * 0.501f);
    }
  }
}

TEST_P(WarmStartFileTest, KindsOfItemRowsGiveTheirWeights) {
  for (const DType dtype : {DType::kBf16, DType::kInt4}) {
    WriteModel(dtype);
    const TrainedModel start = ReadWarmStart(model_, options_);
    EXPECT_EQ(start.dtype, dtype);
    const Matrix &a = result_.parameters.items, &b = start.parameters.items;
    for (size_t r = 0; r < a.rows; ++r) {
      float largest = 0;
      for (size_t c = 0; c < a.cols; ++c) largest = std::max(largest, std::fabs(a.Row(r)[c]));
      // bf16: 2^-8 of each. int4: half a step and what is clipped, a third of the largest at most.
      for (size_t c = 0; c < a.cols; ++c) {
        const float miss = dtype == DType::kBf16 ? std::fabs(a.Row(r)[c]) / 256 : largest / 3;
        EXPECT_NEAR(a.Row(r)[c], b.Row(r)[c], miss * 1.0001f);
      }
    }
    // The layers are those of int8.
    WriteModel(DType::kInt8);
    const TrainedModel int8 = ReadWarmStart(model_, options_);
    const Matrix &c = start.parameters.layers[0].hidden_weights,
                 &d = int8.parameters.layers[0].hidden_weights;
    for (size_t r = 0; r < c.rows; ++r) {
      for (size_t i = 0; i < c.cols; ++i) ASSERT_EQ(c.Row(r)[i], d.Row(r)[i]);
    }
  }
}

// With the checkpoint and no new items, one more epoch is the third epoch of a longer run, but for
// what depends on the number of the step.
TEST_P(WarmStartFileTest, TheCheckpointGivesWeightsAndSlots) {
  WriteModel(DType::kInt8);
  const TrainedModel start = ReadWarmStart(model_, options_);
  const Checkpoint checkpoint(checkpoint_);
  Network exact(options_, old_.catalog.counts, Parameters(start.parameters));
  FillFromCheckpoint(checkpoint, start, options_, &exact);
  EXPECT_TRUE(SameBits(exact.parameters(), result_.parameters));
  for (const StateArray& array : exact.State()) {
    if (array.name.rfind("hidden", 0) == 0) continue;
    std::vector<char> saved(array.bytes);
    checkpoint.Read("training/network/" + array.name, saved.data(), saved.size());
    EXPECT_EQ(std::memcmp(saved.data(), array.data, array.bytes), 0) << array.name;
  }

  // New items: start values and empty slots.
  const size_t items = old_.catalog.size() + 5;
  std::vector<uint32_t> counts(items, 3);
  Parameters wide(NetworkShape::Of(options_, items)), fresh(NetworkShape::Of(options_, items));
  FillFromModel(start, options_, &wide);
  Initialize(options_, &fresh);
  Network more(options_, counts, std::move(wide));
  FillFromCheckpoint(checkpoint, start, options_, &more);
  EXPECT_TRUE(SameRows(exact.parameters().items, more.parameters().items));
  EXPECT_TRUE(SameRows(exact.first().items, more.first().items));
  EXPECT_TRUE(SameRows(exact.velocities().item_bias, more.velocities().item_bias));
  for (size_t r = old_.catalog.size(); r < items; ++r) {
    EXPECT_EQ(std::memcmp(more.parameters().items.Row(r), fresh.items.Row(r), 20 * 4), 0);
    for (size_t c = 0; c < 20; ++c) EXPECT_EQ(more.first().items.Row(r)[c], 0.0f);
  }
}

// The scale is in the model's rows. With their length as scale the first step scores as the model.
TEST_P(WarmStartFileTest, NormalizedItemsGoOnFromTheLengthOfTheRows) {
  EXPECT_EQ(CommonRowNorm(result_.parameters), 0);
  Options options = options_;
  options.normalize_items = true;
  options.item_scale = 1.7;
  const Parameters trained = Train(options, old_.catalog, old_.train, {}).parameters;
  MiniBatch batch;
  MiniBatchIterator batches(old_.train, options.batch_size, 1);
  const std::vector<uint32_t> order = EpochOrder(old_.train, options.session_order, 1, 1);
  batches.Restart(order);
  ASSERT_TRUE(batches.Next(&batch));
  const std::vector<uint32_t> negatives = {0, 1, 2, 3, 4, 5, 6, 7};
  for (const DType dtype : {DType::kF32, DType::kInt8}) {
    SCOPED_TRACE(Name(dtype));
    WriteModel(dtype, trained);
    const TrainedModel start = ReadWarmStart(model_, options);
    const double length = CommonRowNorm(start.parameters);
    EXPECT_NE(length, options.item_scale);  // it was learned
    EXPECT_NEAR(length, RowNorm(trained.items.Row(0), trained.items.cols),
                dtype == DType::kF32 ? 1e-6 : 1e-2);
    Options goes_on = options;
    goes_on.item_scale = length;
    // The rows as they are in the model, and the rows by direction and length.
    Network as_is(options_, old_.catalog.counts, Parameters(start.parameters));
    Network normalized(goes_on, old_.catalog.counts, Parameters(start.parameters));
    Network anew(options, old_.catalog.counts, Parameters(start.parameters));
    double worst = 0, worst_anew = 0;
    for (Network* network : {&as_is, &normalized, &anew}) {
      network->ResetHidden();
      network->DrawDropout(0);
      network->Forward(batch, negatives);
    }
    for (size_t c = 0; c < as_is.columns(); ++c) {
      for (size_t i = 0; i < batch.rows(); ++i) {
        const size_t at = c * as_is.batch_stride() + i;
        worst = std::max<double>(worst, std::fabs(as_is.scores()[at] - normalized.scores()[at]));
        worst_anew =
            std::max<double>(worst_anew, std::fabs(as_is.scores()[at] - anew.scores()[at]));
      }
    }
    const double tolerance = dtype == DType::kF32 ? 1e-5 : 2e-2;
    EXPECT_LT(worst, tolerance);
    EXPECT_GT(worst_anew, 2 * tolerance);
  }
}

// The mean of a learned length too, where the checkpoint has none: it is that length.
TEST_P(WarmStartFileTest, TheMeanOfALearnedLengthStartsAnew) {
  Options options = options_;
  options.normalize_items = true;
  options.item_scale = 2;
  const std::string path = folder_ / "normalized.stintck";
  TrainCallbacks callbacks;
  callbacks.save = [&](const CheckpointContent& content, uint64_t, SaveReason) {
    WriteCheckpoint(path, content);
  };
  const TrainResult trained = Train(options, old_.catalog, old_.train, callbacks);
  WriteModel(DType::kF32, trained.parameters);
  const TrainedModel start = ReadWarmStart(model_, options);
  options.ema_decay = 0.9;
  Network network(options, old_.catalog.counts, Parameters(start.parameters));
  const TakenOver over = FillFromCheckpoint(Checkpoint(path), start, options, &network);
  EXPECT_EQ(over.fresh, std::vector<std::string>{"running mean of the weights"});
  EXPECT_NE(network.item_scale(), 2.0f);
  EXPECT_TRUE(SameBits(network.Exported(), trained.parameters));
}

// Momentum and a running mean may come or go with the new run.
TEST_P(WarmStartFileTest, WhatTheCheckpointDoesNotHaveStartsAnew) {
  using Words = std::vector<std::string>;
  WriteModel(DType::kInt8);
  const TrainedModel start = ReadWarmStart(model_, options_);
  Options other = options_;
  other.momentum = 0;
  other.ema_decay = 0.9;
  const Checkpoint with_momentum(checkpoint_);
  Network mean(other, old_.catalog.counts, Parameters(start.parameters));
  TakenOver over = FillFromCheckpoint(with_momentum, start, other, &mean);
  EXPECT_EQ(over.taken, (Words{"weights", "optimizer state"}));
  EXPECT_EQ(over.fresh, Words{"running mean of the weights"});
  EXPECT_EQ(over.left, Words{"momentum"});
  EXPECT_TRUE(SameBits(mean.parameters(), result_.parameters));
  EXPECT_TRUE(SameBits(mean.Exported(), result_.parameters));  // not the rounded model's

  const std::string path = folder_ / "mean.stintck";
  TrainCallbacks callbacks;
  callbacks.save = [&](const CheckpointContent& content, uint64_t, SaveReason) {
    WriteCheckpoint(path, content);
  };
  Train(other, old_.catalog, old_.train, callbacks);
  const Checkpoint with_mean(path);
  Network momentum(options_, old_.catalog.counts, Parameters(start.parameters));
  over = FillFromCheckpoint(with_mean, start, options_, &momentum);
  EXPECT_EQ(over.taken, (Words{"weights", "optimizer state"}));
  EXPECT_EQ(over.fresh, Words{"momentum"});
  EXPECT_EQ(over.left, Words{"running mean of the weights"});
  const Parameters& velocities = momentum.velocities();
  EXPECT_TRUE(std::all_of(velocities.block(), velocities.block() + velocities.block_floats(),
                          [](float v) { return v == 0; }));

  Network both(other, old_.catalog.counts, Parameters(start.parameters));
  over = FillFromCheckpoint(with_mean, start, other, &both);
  EXPECT_EQ(over.taken, (Words{"weights", "optimizer state", "running mean of the weights"}));
  EXPECT_EQ(over.fresh, Words());
  EXPECT_EQ(over.left, Words());
}

TEST_P(WarmStartFileTest, WhatDoesNotFitIsRefused) {
  WriteModel(DType::kF32);
  const auto message = [&](const std::function<void()>& call) {
    try {
      call();
    } catch (const std::runtime_error& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  Options other = options_;
  other.layers = {12, 21};
  other.hidden_activation = {ActivationKind::kRelu};
  EXPECT_EQ(message([&] { ReadWarmStart(model_, other); }),
            model_ +
                ": cannot start from it: --layers: 12,20 in the model, 12,21 now; "
                "--hidden-activation: tanh in the model, relu now");
  const std::string good = ReadFile(model_);
  for (size_t n = 0; n < good.size(); n += 97) {
    folder_.Write("old.stint", good.substr(0, n));
    EXPECT_NE(message([&] { ReadWarmStart(model_, options_); }), "") << n;
    std::string bad = good;
    bad[n] ^= 4;
    folder_.Write("old.stint", bad);
    EXPECT_NE(message([&] { ReadWarmStart(model_, options_); }), "") << n;
  }
  EXPECT_NE(message([&] { ReadWarmStart(folder_ / "none", options_); }), "");
  folder_.Write("old.stint", good);

  TrainedModel start = ReadWarmStart(model_, options_);
  const Checkpoint checkpoint(checkpoint_);
  other = options_;
  other.optimizer = Optimizer::kAdam;
  Network adam(other, old_.catalog.counts, Parameters(start.parameters));
  EXPECT_EQ(
      message([&] { FillFromCheckpoint(checkpoint, start, other, &adam); }),
      checkpoint_ + ": cannot start from it: --optimizer: adagrad in the checkpoint, adam now");
  std::swap(start.catalog.ids.numbers[0], start.catalog.ids.numbers[1]);
  EXPECT_EQ(message([&] { FillFromCheckpoint(checkpoint, start, options_, &adam); }),
            checkpoint_ + ": cannot start from it: its items are not those of " + model_);
}

INSTANTIATE_TEST_SUITE_P(All, WarmStartFileTest,
                         testing::Values(Embedding::kShared, Embedding::kSeparate,
                                         Embedding::kNone),
                         [](const auto& info) { return std::string(Name(info.param)); });

}  // namespace
}  // namespace stint
