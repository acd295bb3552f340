// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// NaN and infinities put into weights, optimizer slots and hidden states at random places and
// times: training ends with a report and finite weights, or goes on where the element is never
// looked at.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "tests/reference/synthetic_log.h"
#include "tests/temporary_folder.h"
#include "trainer/checkpoint.h"
#include "trainer/export.h"
#include "trainer/train.h"

namespace stint {
namespace {

Options SmallOptions(size_t which) {
  Options options;
  options.layers = {12};
  options.batch_size = 8;
  options.negatives = 20;
  options.epochs = 3;
  options.threads = 1;
  options.momentum = 0.2;
  if (which == 1) {
    options.loss = Loss::kBprMax;
    options.final_activation = DefaultFinalActivation(options.loss);
    options.optimizer = Optimizer::kAdam;
    options.learning_rate = 0.01;
    options.momentum = 0;
  } else if (which == 2) {
    options.loss = Loss::kTop1;
    options.final_activation = DefaultFinalActivation(options.loss);
    options.embedding = Embedding::kSeparate;
    options.hidden_activation = {ActivationKind::kRelu};
    options.clip_norm = 1;
  } else if (which == 3) {
    options.normalize_items = true;
    options.ema_decay = 0.9;
  }
  return options;
}

void ExpectFinite(const TrainResult& result, const Dataset& data) {
  const float* weights = result.parameters.block();
  ASSERT_NE(weights, nullptr);
  EXPECT_TRUE(std::all_of(weights, weights + result.parameters.block_floats(),
                          [](float w) { return std::isfinite(w); }));
  // And a model can be made of them.
  ExportInput input;
  input.parameters = &result.parameters;
  input.catalog = &data.catalog;
  EXPECT_NO_THROW(BuildModel(input));
}

// Injects by way of a checkpoint: saved at a random step, changed, gone on from.
TEST(DivergenceTest, FiftyInjections) {
  const Dataset data = MakeDataset(reference::MakeSyntheticLog({.sessions = 60}), 0);
  const TemporaryFolder folder;
  const std::string path = folder / "checkpoint";
  std::mt19937_64 random(7);
  const float bad[] = {std::nanf(""), HUGE_VALF, -HUGE_VALF, 3e38f};
  size_t diverged = 0, went_on = 0;
  std::map<std::string, size_t> unused;  // array -> injections that nothing looked at
  for (size_t i = 0; i < 80; ++i) {
    SCOPED_TRACE(i);
    const Options options = SmallOptions(i % 4);
    const uint64_t last = 1 + random() % 70;
    uint64_t done = 0;
    std::string injected;
    TrainCallbacks callbacks;
    callbacks.on_minibatch = [&](const TrainProgress&) { ++done; };
    callbacks.stop = [&] { return done >= last; };
    callbacks.save = [&](const CheckpointContent& content, uint64_t, SaveReason) {
      // One element of one array of the network.
      std::vector<std::vector<float>> copies;
      std::vector<size_t> floats;
      CheckpointContent changed = content;
      for (size_t a = 0; a < content.arrays.size(); ++a) {
        const SavedArray& array = content.arrays[a];
        const std::string name = array.name.substr(array.name.rfind('/') + 1);
        if (name == "parameters" || name == "first" || name == "second" || name == "velocity" ||
            name == "mean" || name == "item_scale" || name == "item_scale_mean" ||
            name.rfind("hidden", 0) == 0) {
          floats.push_back(a);
        }
      }
      const size_t chosen = floats[random() % floats.size()];
      SavedArray& array = changed.arrays[chosen];
      copies.emplace_back(array.bytes / sizeof(float));
      std::memcpy(copies.back().data(), array.data, array.bytes);
      copies.back()[random() % copies.back().size()] = bad[random() % 4];
      array.data = copies.back().data();
      WriteCheckpoint(path, changed);
      injected = array.name;
    };
    ASSERT_TRUE(Train(options, data.catalog, data.train, callbacks).interrupted);
    const Checkpoint checkpoint(path);
    TrainStart start;
    start.resume = &checkpoint;
    const TrainResult result = Train(options, data.catalog, data.train, {}, start);
    ExpectFinite(result, data);
    if (result.diverged.empty()) {
      ++went_on;
      ++unused[injected];
      EXPECT_EQ(result.epochs.size(), 3u);
    } else {
      ++diverged;
      EXPECT_NE(result.diverged.find("epoch "), std::string::npos) << result.diverged;
      EXPECT_LE(result.best_epoch, 3u);
    }
    for (const EpochResult& epoch : result.epochs) EXPECT_TRUE(std::isfinite(epoch.loss));
  }
  EXPECT_GE(diverged, 20u);
  // Padding, rows of the hidden state whose session is over, a slot that turns infinite and makes
  // its steps zero: nothing of the model depends on them.
  std::printf("%zu diverged, %zu went on\n", diverged, went_on);
  for (const auto& [name, count] : unused) std::printf("  %s: %zu\n", name.c_str(), count);
}

// What is exported and no loss looks at: the running means. Seen at the end of the epoch, or where
// the run is stopped; the epoch before is what is left.
TEST(DivergenceTest, MeansThatNoMiniBatchSees) {
  const Dataset data = MakeDataset(reference::MakeSyntheticLog({.sessions = 60}), 0);
  const TemporaryFolder folder;
  const std::string path = folder / "checkpoint";
  Options options = SmallOptions(3);
  options.epochs = 1;
  const TrainResult first_epoch = Train(options, data.catalog, data.train, {});
  options.epochs = 3;
  const uint64_t in_second = first_epoch.steps + 2;
  for (const std::string name : {"mean", "item_scale_mean", "item_scale"}) {
    for (const float bad : {std::nanf(""), HUGE_VALF, 3e38f}) {
      for (const bool stops : {false, true}) {
        SCOPED_TRACE(name + " " + std::to_string(bad) + (stops ? " stops" : ""));
        uint64_t done = 0;
        TrainCallbacks callbacks;
        callbacks.on_minibatch = [&](const TrainProgress&) { ++done; };
        callbacks.stop = [&] { return done >= in_second; };
        bool found = false;
        callbacks.save = [&](const CheckpointContent& content, uint64_t, SaveReason) {
          CheckpointContent changed = content;
          std::vector<float> copy;
          for (SavedArray& array : changed.arrays) {
            if (array.name != "training/network/" + name) continue;
            copy.resize(array.bytes / sizeof(float));
            std::memcpy(copy.data(), array.data, array.bytes);
            copy[0] = bad;
            array.data = copy.data();
            found = true;
          }
          WriteCheckpoint(path, changed);
        };
        ASSERT_TRUE(Train(options, data.catalog, data.train, callbacks).interrupted);
        ASSERT_TRUE(found);
        const Checkpoint checkpoint(path);
        TrainStart start;
        start.resume = &checkpoint;
        callbacks.save = nullptr;
        callbacks.stop = [&] { return stops; };
        const TrainResult result = Train(options, data.catalog, data.train, callbacks, start);
        EXPECT_NE(result.diverged.find("epoch 2"), std::string::npos) << result.diverged;
        ExpectFinite(result, data);
        EXPECT_EQ(result.best_epoch, 1u);
        EXPECT_EQ(result.partial_minibatches, 0u);
        EXPECT_EQ(std::memcmp(result.parameters.block(), first_epoch.parameters.block(),
                              result.parameters.block_floats() * sizeof(float)),
                  0);
      }
    }
  }
}

// Gradients, by steps so large that they overflow.
TEST(DivergenceTest, AbsurdOptions) {
  const Dataset data = MakeDataset(reference::MakeSyntheticLog({.sessions = 60}), 0);
  size_t diverged = 0;
  for (const Optimizer optimizer : {Optimizer::kSgd, Optimizer::kAdagrad, Optimizer::kRmsprop,
                                    Optimizer::kAdadelta, Optimizer::kAdam}) {
    for (const Loss loss : {Loss::kCrossEntropy, Loss::kBpr, Loss::kTop1, Loss::kBprMax}) {
      for (const double l2 : {0.0, 1e3}) {
        SCOPED_TRACE(Name(optimizer) + std::string(" ") + Name(loss) + " " + std::to_string(l2));
        Options options = SmallOptions(0);
        options.optimizer = optimizer;
        options.loss = loss;
        options.final_activation = loss == Loss::kCrossEntropy
                                       ? DefaultFinalActivation(loss)
                                       : Activation{ActivationKind::kLinear};
        options.learning_rate = 1000;
        options.l2 = l2;
        options.momentum = 0.99;
        options.hidden_activation = {ActivationKind::kRelu};
        Validate(options);
        const TrainResult result = Train(options, data.catalog, data.train, {});
        ExpectFinite(result, data);
        diverged += !result.diverged.empty();
      }
    }
  }
  EXPECT_GE(diverged, 10u);
}

}  // namespace
}  // namespace stint
