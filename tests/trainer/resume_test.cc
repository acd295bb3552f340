// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Training that goes on from a checkpoint ends with the bits of a run that was never broken off;
// one of other options or data, or that makes no sense, is refused.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/message_of.h"
#include "tests/reference/synthetic_log.h"
#include "tests/reference/trainer_bridge.h"
#include "tests/temporary_folder.h"
#include "trainer/checkpoint.h"
#include "trainer/train.h"

namespace stint {
namespace {

using reference::MakeSyntheticLog;
using reference::SameBits;

Options SmallOptions() {
  Options options;
  options.layers = {12};
  options.batch_size = 8;
  options.negatives = 20;
  options.learning_rate = 0.1;
  options.epochs = 3;
  options.threads = 1;
  return options;
}

struct Case {
  std::string name;
  Options options;
  bool validates = false;
};

std::vector<Case> Cases() {
  std::vector<Case> cases;
  const auto add = [&](const std::string& name, const std::function<void(Options&)>& change,
                       bool validates = false) {
    Options options = SmallOptions();
    change(options);
    cases.push_back({name, options, validates});
  };
  add("cross-entropy, logQ, momentum, dropout, two layers", [](Options& o) {
    o.layers = {12, 20};
    o.logq = 1;
    o.momentum = 0.3;
    o.dropout_embedding = 0.2;
    o.dropout_hidden = 0.3;
  });
  add(
      "bpr-max, reset before, random order, validated",
      [](Options& o) {
        o.loss = Loss::kBprMax;
        o.final_activation = DefaultFinalActivation(o.loss);
        o.gru_form = GruForm::kResetBefore;
        o.session_order = SessionOrder::kRandom;
      },
      true);
  add("top1, adam, order by id, cosine with warm-up", [](Options& o) {
    o.loss = Loss::kTop1;
    o.final_activation = DefaultFinalActivation(o.loss);
    o.optimizer = Optimizer::kAdam;
    o.learning_rate = 0.01;
    o.session_order = SessionOrder::kId;
    o.schedule = Schedule::kCosine;
    o.warmup_epochs = 0.5;
  });
  add("xe_logit, adadelta, separate embedding, nesterov, clipped", [](Options& o) {
    o.loss = Loss::kXeLogit;
    o.optimizer = Optimizer::kAdadelta;
    o.embedding = Embedding::kSeparate;
    o.embedding_width = 10;
    o.momentum = 0.5;
    o.momentum_form = MomentumForm::kNesterov;
    o.clip_norm = 1;
  });
  add("one-hot, rmsprop, l2, in-batch negatives", [](Options& o) {
    o.embedding = Embedding::kNone;
    o.optimizer = Optimizer::kRmsprop;
    o.learning_rate = 0.01;
    o.l2 = 1e-3;
    o.negatives = 0;
  });
  add(
      "normalized items with a learned scale, every item scored, patience",
      [](Options& o) {
        o.normalize_items = true;
        o.negative_source = NegativeSource::kAll;
        o.patience = 1;
        o.epochs = 5;
      },
      true);
  add(
      "sgd, mean momentum, running mean of the weights",
      [](Options& o) {
        o.optimizer = Optimizer::kSgd;
        o.momentum = 0.9;
        o.momentum_form = MomentumForm::kMean;
        o.ema_decay = 0.9;
      },
      true);
  add("normalized items, running mean of the weights and of their scale", [](Options& o) {
    o.normalize_items = true;
    o.ema_decay = 0.97;
  });
  return cases;
}

// A validation that is a function of the parameters alone.
Metrics FakeValidation(const Parameters& parameters) {
  double sum = 0;
  for (size_t i = 0; i < parameters.block_floats(); ++i) sum += parameters.block()[i];
  Metrics metrics;
  metrics.cutoffs = {20};
  metrics.recall = {0.5 + 0.4 * std::sin(100 * sum)};
  metrics.mrr = {0.1};
  metrics.targets = 10;
  return metrics;
}

void ExpectSameResult(const TrainResult& a, const TrainResult& b) {
  EXPECT_TRUE(SameBits(a.parameters, b.parameters));
  EXPECT_EQ(a.best_epoch, b.best_epoch);
  EXPECT_EQ(a.steps, b.steps);
  EXPECT_EQ(a.partial_minibatches, b.partial_minibatches);
  EXPECT_EQ(a.diverged, b.diverged);
  ASSERT_EQ(a.epochs.size(), b.epochs.size());
  for (size_t e = 0; e < a.epochs.size(); ++e) {
    EXPECT_EQ(a.epochs[e].epoch, b.epochs[e].epoch);
    EXPECT_EQ(a.epochs[e].loss, b.epochs[e].loss);
    EXPECT_EQ(a.epochs[e].targets, b.epochs[e].targets);
    EXPECT_EQ(a.epochs[e].minibatches, b.epochs[e].minibatches);
    EXPECT_EQ(a.epochs[e].validated, b.epochs[e].validated);
    EXPECT_EQ(a.epochs[e].validation.recall, b.epochs[e].validation.recall);
  }
}

class ResumeTest : public testing::Test {
 protected:
  ResumeTest() : data_(MakeDataset(MakeSyntheticLog({.sessions = 60}), 0)) {}

  TrainResult Whole(const Case& c) {
    TrainCallbacks callbacks;
    if (c.validates) callbacks.validate = FakeValidation;
    return Train(c.options, data_.catalog, data_.train, callbacks);
  }

  // Stops after `steps` more mini-batches, going on from the file if `resume`; what the run leaves
  // is the file. False: it came to its end before.
  bool TrainSome(const Case& c, uint64_t steps, bool resume, TrainResult* result) {
    TrainCallbacks callbacks;
    if (c.validates) callbacks.validate = FakeValidation;
    uint64_t done = 0;
    callbacks.on_minibatch = [&](const TrainProgress&) { ++done; };
    callbacks.stop = [&] { return done >= steps; };
    callbacks.save = [&](const CheckpointContent& content, uint64_t, SaveReason) {
      WriteCheckpoint(path_, content);
    };
    TrainStart start;
    std::optional<Checkpoint> checkpoint;
    if (resume) start.resume = &checkpoint.emplace(path_);
    *result = Train(c.options, data_.catalog, data_.train, callbacks, start);
    return result->interrupted;
  }

  Dataset data_;
  TemporaryFolder folder_;
  std::string path_ = folder_ / "checkpoint";
};

// Broken off after every number of steps, once.
TEST_F(ResumeTest, OnceAfterEachStep) {
  for (const Case& c : Cases()) {
    SCOPED_TRACE(c.name);
    const TrainResult whole = Whole(c);
    EXPECT_EQ(whole.diverged, "");
    ASSERT_GT(whole.steps, 60u);
    for (uint64_t steps = 1; steps <= whole.steps; steps += 1 + steps % 7) {
      SCOPED_TRACE(steps);
      TrainResult result;
      const bool broken_off = TrainSome(c, steps, false, &result);
      EXPECT_TRUE(broken_off);
      EXPECT_FALSE(TrainSome(c, UINT64_MAX, true, &result));
      ExpectSameResult(whole, result);
      if (HasFailure()) return;
    }
  }
}

// Broken off again and again, a few steps on each time.
TEST_F(ResumeTest, AgainAndAgain) {
  for (const Case& c : Cases()) {
    SCOPED_TRACE(c.name);
    const TrainResult whole = Whole(c);
    TrainResult result;
    uint64_t pieces = 1;
    while (TrainSome(c, 1 + pieces * 5 % 11, pieces > 1, &result)) ++pieces;
    EXPECT_GT(pieces, 8u);
    ExpectSameResult(whole, result);
    // Once done, there is nothing left to do.
    const TrainResult before = result;
    uint64_t more = 0;
    TrainCallbacks callbacks;
    if (c.validates) callbacks.validate = FakeValidation;
    callbacks.on_minibatch = [&](const TrainProgress&) { ++more; };
    const Checkpoint checkpoint(path_);
    TrainStart start;
    start.resume = &checkpoint;
    result = Train(c.options, data_.catalog, data_.train, callbacks, start);
    EXPECT_EQ(more, 0u);
    ExpectSameResult(before, result);
  }
}

TEST_F(ResumeTest, SavingChangesNothing) {
  for (const Case& c : Cases()) {
    SCOPED_TRACE(c.name);
    TrainCallbacks callbacks;
    if (c.validates) callbacks.validate = FakeValidation;
    size_t saved = 0, best = 0, ends = 0;
    callbacks.save_due = [](const TrainProgress&, bool) { return true; };
    callbacks.save = [&](const CheckpointContent&, uint64_t, SaveReason reason) {
      ++saved;
      best += reason == SaveReason::kBest;
      ends += reason == SaveReason::kEnd;
    };
    const TrainResult result = Train(c.options, data_.catalog, data_.train, callbacks);
    ExpectSameResult(Whole(c), result);
    EXPECT_GE(saved, result.steps);
    EXPECT_EQ(ends, 1u);
    EXPECT_EQ(best > 0, c.validates);
  }
}

TEST_F(ResumeTest, AnyNumberOfThreads) {
  Case c = Cases()[0];
  const TrainResult whole = Whole(c);
  TrainResult result;
  c.options.threads = 3;
  EXPECT_TRUE(TrainSome(c, 25, false, &result));
  c.options.threads = 2;
  EXPECT_FALSE(TrainSome(c, UINT64_MAX, true, &result));
  ExpectSameResult(whole, result);
}

TEST_F(ResumeTest, MoreEpochs) {
  Case c = Cases()[0];
  const TrainResult whole = Whole(c);
  Case fewer = c;
  fewer.options.epochs = 2;
  TrainResult result;
  EXPECT_FALSE(TrainSome(fewer, UINT64_MAX, false, &result));
  EXPECT_FALSE(TrainSome(c, UINT64_MAX, true, &result));
  ExpectSameResult(whole, result);
  EXPECT_EQ(MessageOf([&] { TrainSome(fewer, UINT64_MAX, true, &result); }),
            path_ + ": --epochs: 2, but the checkpoint is beyond them, in epoch 3");
  c.options.schedule = Schedule::kCosine;
  fewer.options.schedule = Schedule::kCosine;
  EXPECT_FALSE(TrainSome(fewer, UINT64_MAX, false, &result));
  EXPECT_EQ(MessageOf([&] { TrainSome(c, UINT64_MAX, true, &result); }),
            path_ + ": --epochs: 2 in the checkpoint, 3 now");
}

TEST_F(ResumeTest, OtherOptionsOrDataAreRefused) {
  const Case c = Cases()[0];
  TrainResult result;
  ASSERT_TRUE(TrainSome(c, 10, false, &result));
  const auto message = [&](const std::function<void(Options&)>& change) {
    Case other = c;
    change(other.options);
    return MessageOf([&] { TrainSome(other, UINT64_MAX, true, &result); });
  };
  EXPECT_EQ(message([](Options& o) { o.learning_rate = 0.2; }),
            path_ + ": --learning-rate: 0.1 in the checkpoint, 0.2 now");
  EXPECT_EQ(message([](Options& o) {
              o.loss = Loss::kXeLogit;
              o.seed = 1;
            }),
            path_ +
                ": --loss: cross-entropy in the checkpoint, xe_logit now; --seed: 42 in the "
                "checkpoint, 1 now");
  EXPECT_EQ(message([](Options& o) { o.layers = {12}; }),
            path_ + ": --layers: [12,20] in the checkpoint, [12] now");

  const Dataset kept = data_;
  data_ = MakeDataset(MakeSyntheticLog({.sessions = 61}), 0);
  EXPECT_EQ(message([](Options&) {}),
            path_ + ": the log: " + std::to_string(kept.train.items.size()) + " events then, " +
                std::to_string(data_.train.items.size()) + " now");
  data_ = kept;
  std::swap(data_.train.items[0], data_.train.items[1]);
  ASSERT_NE(data_.train.items[0], data_.train.items[1]);
  EXPECT_EQ(message([](Options&) {}),
            path_ + ": the log: as many events, sessions and items as then, but not the same");
  data_ = kept;
  Case validated = c;
  validated.validates = true;
  EXPECT_NE(MessageOf([&] { TrainSome(validated, UINT64_MAX, true, &result); }), "");
  EXPECT_EQ(message([](Options&) {}), "");
}

// Files with good checksums and bad content: refused, not followed.
TEST_F(ResumeTest, NonsenseIsRefused) {
  const Case c = Cases()[0];
  TrainResult result;
  ASSERT_TRUE(TrainSome(c, 30, false, &result));
  const Checkpoint good(path_);
  std::vector<std::string> names;
  std::vector<std::vector<char>> arrays;
  for (const auto& entry : good.header().at("arrays")) {
    names.push_back(entry.at("name"));
    arrays.emplace_back(good.Bytes(names.back()));
    good.Read(names.back(), arrays.back().data(), arrays.back().size());
  }
  const auto message = [&](const std::function<void(nlohmann::ordered_json&)>& change,
                           const std::string& left_out = "", const std::string& cut = "") {
    CheckpointContent content;
    content.header = good.header();
    content.header.erase("arrays");
    change(content.header);
    for (size_t i = 0; i < names.size(); ++i) {
      if (names[i] == left_out) continue;
      const size_t bytes = arrays[i].size() - (names[i] == cut ? 4 : 0);
      content.arrays.push_back({names[i], arrays[i].data(), bytes});
    }
    WriteCheckpoint(path_, content);
    return MessageOf([&] { TrainSome(c, UINT64_MAX, true, &result); });
  };
  EXPECT_EQ(message([](auto&) {}), "");
  for (const std::string& name : names) {
    SCOPED_TRACE(name);
    EXPECT_NE(message([](auto&) {}, name), "");
    EXPECT_NE(message([](auto&) {}, "", name), "");
  }
  EXPECT_NE(message([](auto& h) { h.erase("training"); }), "");
  EXPECT_NE(message([](auto& h) { h["training"] = 7; }), "");
  std::vector<std::string> keys;
  for (const auto& [key, value] : good.header().at("training").items()) keys.push_back(key);
  for (const std::string& key : keys) {
    SCOPED_TRACE(key);
    EXPECT_NE(message([&](auto& h) { h["training"].erase(key); }), "");
    EXPECT_NE(message([&](auto& h) { h["training"][key] = nullptr; }), "");
  }
  for (const char* key : {"epoch", "kept_epoch", "epochs_since_best", "next_session"}) {
    SCOPED_TRACE(key);
    EXPECT_NE(message([&](auto& h) { h["training"][key] = 4000000000u; }), "");
  }
  // Cursors that point anywhere.
  for (size_t i = 0; i < names.size(); ++i) {
    if (names[i] != "training/cursors") continue;
    const std::vector<char> kept = arrays[i];
    for (size_t at = 0; at < kept.size(); at += 4) {
      const uint32_t wild = 0x7FFFFFF0;
      std::memcpy(arrays[i].data() + at, &wild, 4);
      EXPECT_NE(message([](auto&) {}), "") << at;
      arrays[i] = kept;
    }
  }
  EXPECT_EQ(message([](auto&) {}), "");
}

}  // namespace
}  // namespace stint
