// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The epoch loop: the same bits for any number of threads, what the callbacks see, which epoch is
// kept, and how training ends early or badly.
#include "trainer/train.h"

#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <utility>

#include "tests/reference/synthetic_log.h"
#include "tests/reference/trainer_bridge.h"
#include "trainer/ema.h"
#include "trainer/initialize.h"
#include "trainer/negative_sampler.h"
#include "trainer/row_math.h"

namespace stint {
namespace {

using reference::FromParameters;
using reference::MakeSyntheticLog;
using reference::SameBits;
using reference::SyntheticLog;

Dataset MakeData(size_t sessions = 120) {
  return MakeDataset(MakeSyntheticLog({.sessions = sessions}), 0);
}

Options SmallOptions() {
  Options options;
  options.layers = {20};
  options.batch_size = 16;
  options.negatives = 40;
  options.learning_rate = 0.1;
  options.epochs = 2;
  options.threads = 1;
  return options;
}

// Wide enough for several blocks of columns, rows and units, with everything on.
std::vector<Options> RichOptions() {
  Options xe = SmallOptions();
  xe.layers = {70, 40};
  xe.batch_size = 20;
  xe.negatives = 300;
  xe.logq = 0.5;
  xe.momentum = 0.3;
  xe.dropout_embedding = 0.2;
  xe.dropout_hidden = 0.3;
  Options bpr = xe;
  bpr.gru_form = GruForm::kResetBefore;
  bpr.loss = Loss::kBprMax;
  bpr.final_activation = {ActivationKind::kElu, 0.5};
  bpr.logq = 0;
  bpr.momentum = 0;
  return {xe, bpr};
}

TrainResult RunTraining(const Options& options, const Dataset& data) {
  Validate(options);
  return Train(options, data.catalog, data.train, {});
}

TEST(TrainTest, TheSameBitsForAnyNumberOfThreads) {
  const Dataset data = MakeData();
  for (Options options : RichOptions()) {
    options.threads = 1;
    const TrainResult one = RunTraining(options, data);
    for (const size_t threads : {1, 2, 3, 4, 0}) {
      SCOPED_TRACE(threads);
      options.threads = threads;
      const TrainResult other = RunTraining(options, data);
      EXPECT_TRUE(SameBits(one.parameters, other.parameters));
      ASSERT_EQ(other.epochs.size(), 2u);
      for (size_t e = 0; e < 2; ++e) EXPECT_EQ(other.epochs[e].loss, one.epochs[e].loss);
    }
  }
}

// OpenMP may hand out fewer threads than asked for.
TEST(TrainTest, TheSameBitsWhereOpenMpAdjustsItsTeams) {
  const Dataset data = MakeData();
  Options options = RichOptions()[0];
  const TrainResult one = RunTraining(options, data);
  const int dynamic = omp_get_dynamic(), limit = omp_get_max_threads();
  omp_set_dynamic(1);
  options.threads = 4;
  EXPECT_TRUE(SameBits(one.parameters, RunTraining(options, data).parameters));
  omp_set_dynamic(dynamic);
  omp_set_num_threads(1);
  EXPECT_TRUE(SameBits(one.parameters, RunTraining(options, data).parameters));
  omp_set_num_threads(limit);
}

// A run of fewer mini-batches than the mean is updated by exports their mean, not the start.
TEST(TrainTest, ShortRunsExportTheMeanOfTheirWeights) {
  const Dataset data = MakeData(40);
  Options options = SmallOptions();
  options.epochs = 1;
  Parameters start(NetworkShape::Of(options, data.catalog.size()));
  Initialize(options, &start);
  const TrainResult last = RunTraining(options, data);
  ASSERT_LT(last.steps, WeightMean::kInterval);
  ASSERT_GT(last.steps, 4u);
  for (const double decay : {0.5, 0.9}) {
    options.ema_decay = decay;
    const TrainResult mean = RunTraining(options, data);
    ASSERT_EQ(mean.steps, last.steps);
    const double kept = std::pow(decay, static_cast<double>(last.steps));
    double largest = 0;
    for (size_t i = 0; i < start.block_floats(); ++i) {
      const double from = start.block()[i], to = last.parameters.block()[i];
      ASSERT_NEAR(mean.parameters.block()[i], kept * from + (1 - kept) * to, 1e-6);
      largest = std::max(largest, std::fabs(to - from));
    }
    EXPECT_GT(largest, 0.01);
  }
}

// The learned length of normalized items has the mean of its own values, not the last one.
TEST(TrainTest, TheScaleOfNormalizedItemsIsAveraged) {
  const Dataset data = MakeData(40);
  Options options = SmallOptions();
  options.epochs = 1;
  options.normalize_items = true;
  options.item_scale = 2;
  const auto scale = [&](double decay) {
    options.ema_decay = decay;
    const TrainResult result = RunTraining(options, data);
    EXPECT_LT(result.steps, WeightMean::kInterval);
    EXPECT_GT(result.steps, 4u);
    const Matrix& items = result.parameters.items;
    const double norm = RowNorm(items.Row(0), items.cols);
    for (size_t r = 1; r < items.rows; ++r)
      EXPECT_NEAR(RowNorm(items.Row(r), items.cols), norm, 1e-5);
    return std::pair(norm, result.steps);
  };
  const auto [last, steps] = scale(0);
  EXPECT_GT(std::fabs(last - 2), 0.02);
  const double kept = std::pow(0.9, static_cast<double>(steps));
  EXPECT_NEAR(scale(0.9).first, kept * 2 + (1 - kept) * last, 1e-5);
}

TEST(TrainTest, TheSeedDecides) {
  const Dataset data = MakeData();
  Options options = SmallOptions();
  const TrainResult one = RunTraining(options, data);
  options.seed = 43;
  EXPECT_FALSE(SameBits(one.parameters, RunTraining(options, data).parameters));
}

// Train() is the public parts put together: initialization, mini-batches, negatives numbered on
// over the run, states back to zero at every epoch.
TEST(TrainTest, IsTheLoopOverItsParts) {
  const Dataset data = MakeData();
  for (const Options& options : RichOptions()) {
    const TrainResult result = RunTraining(options, data);
    Parameters initial(data.catalog.size(), options.layers, options.gru_form);
    Initialize(options, &initial);
    Network network(options, data.catalog.counts, initial);
    const NegativeSampler sampler(data.catalog.counts, options.sample_alpha, options.seed);
    MiniBatchIterator batches(data.train, options.batch_size, 1);
    std::vector<uint32_t> negatives(options.negatives);
    MiniBatch batch;
    uint64_t step = 0;
    for (size_t epoch = 0; epoch < options.epochs; ++epoch) {
      network.ResetHidden();
      batches.Restart();
      double sum = 0;
      uint64_t targets = 0, count = 0;
      for (; batches.Next(&batch); ++step, ++count) {
        sampler.Sample(step * negatives.size(), negatives);
        sum += network.Step(batch, negatives, step) * static_cast<double>(options.batch_size);
        targets += batch.rows();
      }
      EXPECT_NEAR(result.epochs[epoch].loss, sum / static_cast<double>(targets), 1e-12 * sum);
      EXPECT_EQ(result.epochs[epoch].targets, data.train.Targets());
      EXPECT_EQ(result.epochs[epoch].targets, targets);
      EXPECT_EQ(result.epochs[epoch].minibatches, count);
    }
    EXPECT_TRUE(SameBits(result.parameters, network.parameters()));
  }
}

// Without a sampler every other item is a negative of every row.
TEST(TrainTest, FullSoftmaxComparesWithAllItems) {
  const Dataset data = MakeData();
  Options options = SmallOptions();
  options.negative_source = NegativeSource::kAll;
  options.epochs = 1;
  const TrainResult result = RunTraining(options, data);
  Parameters initial(data.catalog.size(), options.layers, options.gru_form);
  Initialize(options, &initial);
  Network network(options, data.catalog.counts, initial);
  std::vector<uint32_t> all(data.catalog.size());
  std::iota(all.begin(), all.end(), 0u);
  MiniBatchIterator batches(data.train, options.batch_size, 1);
  MiniBatch batch;
  for (uint64_t step = 0; batches.Next(&batch); ++step) {
    const double loss = network.Step(batch, all, step);
    if (step == 0) {  // nothing is learned yet
      EXPECT_NEAR(loss, std::log(static_cast<double>(all.size())), 0.1);
    }
  }
  EXPECT_TRUE(SameBits(result.parameters, network.parameters()));
}

TEST(TrainTest, LearnsTheChains) {
  const Dataset data = MakeData(600);
  for (const Loss loss : {Loss::kCrossEntropy, Loss::kBprMax}) {
    Options options = SmallOptions();
    options.epochs = 6;
    options.loss = loss;
    if (loss == Loss::kBprMax) options.final_activation = {ActivationKind::kElu, 0.5};
    const TrainResult result = RunTraining(options, data);
    ASSERT_EQ(result.epochs.size(), 6u);
    EXPECT_LT(result.epochs[5].loss, 0.95 * result.epochs[0].loss) << Name(loss);
    EXPECT_EQ(result.best_epoch, 6u);
    EXPECT_FALSE(result.interrupted);
    EXPECT_EQ(result.diverged, "");
  }
}

TEST(TrainTest, CallbacksSeeEveryMiniBatchAndEpoch) {
  const Dataset data = MakeData();
  const Options options = SmallOptions();
  std::vector<TrainProgress> progress;
  std::vector<EpochResult> epochs;
  TrainCallbacks callbacks;
  callbacks.on_minibatch = [&](const TrainProgress& p) { progress.push_back(p); };
  callbacks.on_epoch = [&](const EpochResult& e) { epochs.push_back(e); };
  const TrainResult result = Train(options, data.catalog, data.train, callbacks);
  ASSERT_EQ(epochs.size(), 2u);
  ASSERT_EQ(progress.size(), epochs[0].minibatches + epochs[1].minibatches);
  for (size_t i = 0; i < progress.size(); ++i) {
    const bool second = i >= epochs[0].minibatches;
    EXPECT_EQ(progress[i].epoch, second ? 2u : 1u);
    EXPECT_EQ(progress[i].epochs, 2u);
    EXPECT_EQ(progress[i].minibatch, i + 1 - (second ? epochs[0].minibatches : 0));
    EXPECT_EQ(progress[i].epoch_targets, data.train.Targets());
  }
  EXPECT_EQ(progress.back().targets, data.train.Targets());
  EXPECT_EQ(progress.back().loss, result.epochs[1].loss);
  EXPECT_FALSE(result.epochs[0].validated);
}

// Recall by script; what is kept must be the parameters after that epoch, not later ones.
TEST(TrainTest, TheBestEpochIsKept) {
  const Dataset data = MakeData();
  Options options = SmallOptions();
  options.epochs = 5;
  const std::vector<double> script = {0.1, 0.3, 0.2, 0.3, 0.25};
  size_t calls = 0;
  TrainCallbacks callbacks;
  callbacks.validate = [&](const Parameters&) {
    Metrics metrics;
    metrics.cutoffs = {20};
    metrics.recall = {script.at(calls++)};
    metrics.mrr = {0.0};
    metrics.targets = 10;
    return metrics;
  };
  const TrainResult result = Train(options, data.catalog, data.train, callbacks);
  EXPECT_EQ(calls, 5u);
  EXPECT_EQ(result.best_epoch, 2u);  // the earlier of equals
  EXPECT_EQ(result.epochs.size(), 5u);
  EXPECT_EQ(result.epochs[3].validation.RecallAt(20), 0.3);
  Options two = options;
  two.epochs = 2;
  EXPECT_TRUE(SameBits(result.parameters, RunTraining(two, data).parameters));

  // Two epochs without a better one end it: 3 and 4.
  calls = 0;
  options.patience = 2;
  const TrainResult patient = Train(options, data.catalog, data.train, callbacks);
  EXPECT_EQ(calls, 4u);
  EXPECT_EQ(patient.epochs.size(), 4u);
  EXPECT_EQ(patient.best_epoch, 2u);
  EXPECT_TRUE(SameBits(result.parameters, patient.parameters));
}

TEST(TrainTest, StopsAfterTheMiniBatch) {
  const Dataset data = MakeData();
  const Options options = SmallOptions();
  size_t done = 0;
  TrainCallbacks callbacks;
  callbacks.on_minibatch = [&](const TrainProgress&) { ++done; };
  callbacks.stop = [&] { return done >= 5; };
  const TrainResult result = Train(options, data.catalog, data.train, callbacks);
  EXPECT_EQ(done, 5u);
  EXPECT_TRUE(result.interrupted);
  EXPECT_EQ(result.best_epoch, 0u);
  EXPECT_EQ(result.partial_minibatches, 5u);
  EXPECT_TRUE(result.epochs.empty());

  Parameters initial(data.catalog.size(), options.layers, options.gru_form);
  Initialize(options, &initial);
  Network network(options, data.catalog.counts, initial);
  const NegativeSampler sampler(data.catalog.counts, options.sample_alpha, options.seed);
  MiniBatchIterator batches(data.train, options.batch_size, 1);
  std::vector<uint32_t> negatives(options.negatives);
  MiniBatch batch;
  for (uint64_t step = 0; step < 5; ++step) {
    ASSERT_TRUE(batches.Next(&batch));
    sampler.Sample(step * negatives.size(), negatives);
    network.Step(batch, negatives, step);
  }
  EXPECT_TRUE(SameBits(result.parameters, network.parameters()));
}

// Without a validation the parameters are those of the last mini-batch, and the result says so;
// with one they are those of the best epoch.
TEST(TrainTest, StoppedInALaterEpoch) {
  const Dataset data = MakeData();
  const Options options = SmallOptions();
  bool stop = false;
  TrainCallbacks callbacks;
  callbacks.on_minibatch = [&](const TrainProgress& p) { stop = p.epoch == 2 && p.minibatch == 3; };
  callbacks.stop = [&] { return stop; };
  Options one = options;
  one.epochs = 1;
  const TrainResult first = RunTraining(one, data);
  EXPECT_EQ(first.partial_minibatches, 0u);
  const TrainResult result = Train(options, data.catalog, data.train, callbacks);
  EXPECT_EQ(result.best_epoch, 1u);
  EXPECT_EQ(result.partial_minibatches, 3u);
  EXPECT_FALSE(SameBits(result.parameters, first.parameters));

  callbacks.validate = [](const Parameters&) {
    Metrics metrics;
    metrics.cutoffs = {20};
    metrics.recall = {0.1};
    metrics.mrr = {0.0};
    metrics.targets = 10;
    return metrics;
  };
  stop = false;
  const TrainResult validated = Train(options, data.catalog, data.train, callbacks);
  EXPECT_TRUE(validated.interrupted);
  EXPECT_EQ(validated.best_epoch, 1u);
  EXPECT_EQ(validated.partial_minibatches, 0u);
  EXPECT_TRUE(SameBits(validated.parameters, first.parameters));
}

// A validation that was broken off says nothing: the epoch before, which was measured, is kept.
TEST(TrainTest, StoppedInAValidation) {
  const Dataset data = MakeData();
  Options options = SmallOptions();
  options.epochs = 5;
  size_t validations = 0;
  TrainCallbacks callbacks;
  callbacks.validate = [&](const Parameters&) {
    Metrics metrics;
    if (++validations == 2) return metrics;
    metrics.cutoffs = {20};
    metrics.recall = {0.1};
    metrics.mrr = {0.0};
    metrics.targets = 10;
    return metrics;
  };
  callbacks.stop = [&] { return validations == 2; };
  const TrainResult result = Train(options, data.catalog, data.train, callbacks);
  EXPECT_TRUE(result.interrupted);
  EXPECT_EQ(result.epochs.size(), 2u);
  EXPECT_EQ(result.best_epoch, 1u);
  Options one = options;
  one.epochs = 1;
  EXPECT_TRUE(SameBits(result.parameters, RunTraining(one, data).parameters));
}

// Neither memory nor the loss's divisor grow with a batch that there are no sessions for.
TEST(TrainTest, MoreRowsThanSessionsAreAsManyAsSessions) {
  const Dataset data = MakeData(30);
  Options options = SmallOptions();
  options.batch_size = 30;
  Options more = options;
  more.batch_size = 60000;
  EXPECT_TRUE(SameBits(RunTraining(more, data).parameters, RunTraining(options, data).parameters));
}

TEST(TrainTest, AnExceptionOfACallbackComesOut) {
  const Dataset data = MakeData();
  for (const size_t threads : {1, 3}) {
    Options options = SmallOptions();
    options.threads = threads;
    TrainCallbacks callbacks;
    callbacks.on_minibatch = [&](const TrainProgress& p) {
      if (p.minibatch == 3) throw std::runtime_error("from the callback");
    };
    EXPECT_THROW(Train(options, data.catalog, data.train, callbacks), std::runtime_error);
  }
}

// Absurd steps make BPR-max's squares explode; the report names place and items, and what comes
// back is finite.
TEST(TrainTest, DivergenceIsReportedAndTheLastGoodStateKept) {
  const Dataset data = MakeData();
  Options options = SmallOptions();
  options.loss = Loss::kBprMax;
  options.final_activation = {ActivationKind::kLinear};
  options.learning_rate = 1000;
  options.bpreg = 1e6;
  const TrainResult result = RunTraining(options, data);
  EXPECT_NE(result.diverged, "");
  EXPECT_NE(result.diverged.find("epoch 1"), std::string::npos) << result.diverged;
  EXPECT_NE(result.diverged.find("mini-batch"), std::string::npos) << result.diverged;
  EXPECT_NE(result.diverged.find("->"), std::string::npos) << result.diverged;
  EXPECT_FALSE(result.interrupted);
  // The step that diverged is not in the parameters.
  const std::string place = "mini-batch " + std::to_string(result.partial_minibatches + 1) + ":";
  EXPECT_NE(result.diverged.find(place), std::string::npos) << result.diverged;
  const reference::Weights weights = FromParameters(result.parameters);
  for (const auto& [name, array] : weights.Named()) {
    for (const double w : array->values) ASSERT_TRUE(std::isfinite(w)) << name;
  }
}

TEST(TrainTest, NanInTheParametersIsDivergence) {
  const Dataset data = MakeData();
  const Options options = SmallOptions();
  Parameters initial(data.catalog.size(), options.layers, options.gru_form);
  Initialize(options, &initial);
  initial.layers[0].hidden_bias.data[7] = std::nanf("");
  Network network(options, data.catalog.counts, initial);
  MiniBatchIterator batches(data.train, options.batch_size, 1);
  MiniBatch batch;
  ASSERT_TRUE(batches.Next(&batch));
  const std::vector<uint32_t> negatives = {0, 1, 2};
  EXPECT_FALSE(network.Step(batch, negatives, 0) < Network::kDivergedLoss);
  EXPECT_TRUE(SameBits(network.parameters(), initial));  // as before the step
}

TEST(TrainTest, SmallData) {
  Options options = SmallOptions();
  options.layers = {3};
  // Fewer sessions than the batch.
  const TrainResult few = RunTraining(options, MakeData(3));
  EXPECT_TRUE(std::isfinite(few.epochs.at(1).loss));
  EXPECT_GT(few.epochs[1].targets, 0u);

  // One session of two events on one item: its only negative is itself.
  Events events;
  events.session = {0, 0};
  events.item = {0, 0};
  events.time = {{1, 0}, {2, 0}};
  events.session_ids.numbers = {5};
  events.item_ids.numbers = {9};
  for (const Loss loss : {Loss::kCrossEntropy, Loss::kBprMax}) {
    options.loss = loss;
    options.final_activation = loss == Loss::kBprMax ? Activation{ActivationKind::kLinear}
                                                     : Activation{ActivationKind::kSoftmax};
    const TrainResult one = RunTraining(options, MakeDataset(events, 0));
    EXPECT_EQ(one.diverged, "");
    EXPECT_TRUE(std::isfinite(one.epochs.at(1).loss));
    EXPECT_EQ(one.epochs[1].targets, 1u);
  }

  // Nothing but single events: no mini-batch, no step, no loss.
  events.session = {0, 1};
  events.session_ids.numbers = {5, 6};
  const TrainResult none = RunTraining(options, MakeDataset(events, 0));
  EXPECT_EQ(none.epochs.at(1).minibatches, 0u);
  EXPECT_EQ(none.epochs[1].loss, 0.0);
}

TEST(TrainTest, WithoutNegativesTheOtherTargetsServe) {
  Options options = SmallOptions();
  options.negatives = 0;
  for (const Loss loss : {Loss::kCrossEntropy, Loss::kBprMax}) {
    options.loss = loss;
    options.final_activation = DefaultFinalActivation(loss);
    const Dataset data = MakeData();
    const TrainResult result = RunTraining(options, data);
    EXPECT_EQ(result.diverged, "");
    EXPECT_LT(result.epochs[1].loss, result.epochs[0].loss);
    EXPECT_LE(result.epochs[1].targets, data.train.Targets());
  }
}

}  // namespace
}  // namespace stint
