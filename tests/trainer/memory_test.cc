// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The estimate of memory against what processes of their own really take.
#include "trainer/memory.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "tests/temporary_folder.h"
#include "trainer/export.h"
#include "trainer/random.h"
#include "trainer/train.h"

namespace stint {
namespace {

// Sanitizers multiply memory.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kMeasures = false;
#else
constexpr bool kMeasures = true;
#endif

// The largest resident memory so far, in bytes.
double PeakOfProcess() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("VmHWM:", 0) == 0) return 1024 * std::stod(line.substr(6));
  }
  return 0;
}

// The same at the end of `work`, done in a child; 0 if that failed.
double PeakOf(const std::function<void()>& work) {
  int ends[2];
  if (pipe(ends) != 0) return 0;
  const pid_t child = fork();
  if (child == 0) {
    double peak = 0;
    try {
      work();
      peak = PeakOfProcess();
    } catch (const std::exception& e) {
      std::fprintf(stderr, "%s\n", e.what());
    }
    const bool written = write(ends[1], &peak, sizeof(peak)) == sizeof(peak);
    _exit(written ? 0 : 1);
  }
  close(ends[1]);
  double peak = 0;
  const bool read_all = read(ends[0], &peak, sizeof(peak)) == sizeof(peak);
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  return read_all && status == 0 ? peak : 0;
}

// Every item in turn, sessions of `length` events.
Events MakeEvents(uint32_t events, uint32_t items, uint32_t length) {
  Events log;
  for (uint32_t i = 0; i < events; ++i) {
    log.session.push_back(i / length);
    log.item.push_back(i % items);
    log.time.push_back({i, 0});
    if (i % length == 0) log.session_ids.numbers.push_back(i / length);
    if (i < items) log.item_ids.numbers.push_back(i);
  }
  return log;
}

void ExpectWithinAFifth(double measured, const MemoryEstimate& estimate) {
  const auto estimated = static_cast<double>(estimate.Bytes());
  std::printf("measured %.1f MB, estimated %.1f MB: %s\n", measured / 1e6, estimated / 1e6,
              estimate.ToString().c_str());
  EXPECT_GT(estimated, 0.8 * measured);
  EXPECT_LT(estimated, 1.2 * measured);
}

TEST(Memory, ParameterBytesAreThoseOfParameters) {
  for (const Embedding embedding : {Embedding::kShared, Embedding::kSeparate, Embedding::kNone}) {
    for (const GruForm form : {GruForm::kResetAfter, GruForm::kResetBefore}) {
      for (const std::vector<size_t>& layers :
           {std::vector<size_t>{100}, {16, 30}, {7, 33, 5}, {480}, {256, 512}}) {
        const NetworkShape shape = {.items = 321,
                                    .layers = layers,
                                    .gru_form = form,
                                    .embedding = embedding,
                                    .embedding_width = 50};
        EXPECT_EQ(ParameterBytes(shape), sizeof(float) * Parameters(shape).block_floats());
      }
    }
  }
}

std::string WriteLog(const TemporaryFolder& folder, uint32_t events) {
  std::string text = "SessionId\tItemId\tTime\n";
  for (uint32_t i = 0; i < events; ++i) {
    text +=
        std::to_string(i / 5) + "\t" + std::to_string(i % 5000) + "\t" + std::to_string(i) + "\n";
  }
  return folder.Write("log.tsv", text);
}

TEST(Memory, ReadingALog) {
  if (!kMeasures) GTEST_SKIP() << "a sanitizer takes memory of its own; the release tests measure";
  constexpr uint32_t kEvents = 2500000;
  const TemporaryFolder folder;
  const std::string path = WriteLog(folder, kEvents);
  const double peak = PeakOf([&] {
    const Events events = ReadEvents(path, {});
    if (events.size() != kEvents) throw std::logic_error("events are missing");
  });
  const double peak_of_all = PeakOf([&] {
    const Events events = ReadEvents(path, {});
    const Dataset dataset = MakeDataset(events, 1000);
    if (dataset.train.size() != kEvents / 5 - 1000) throw std::logic_error("sessions are missing");
  });
  MemoryEstimate estimate = EstimateMemory(Options(), MemoryInput::Of(ReadEvents(path, {})));
  EXPECT_EQ(estimate.Peak().name, "making sessions");
  ExpectWithinAFifth(peak_of_all, estimate);
  estimate.phases = {estimate.phases[0]};
  ASSERT_EQ(estimate.Peak().name, "reading");
  ExpectWithinAFifth(peak, estimate);
}

// A whole run in a child, as the command does it.
void ExpectTrainingWithinAFifth(const Options& options, uint32_t events, uint32_t items,
                                MemoryInput input) {
  const double peak = PeakOf([&] {
    Events log = MakeEvents(events, items, 8);
    const Dataset dataset = MakeDataset(log, input.validates ? 100 : 0);
    log = {};
    const auto build = [&](const Parameters& parameters, DType dtype) {
      ExportInput model;
      model.parameters = &parameters;
      model.catalog = &dataset.catalog;
      model.dtype = dtype;
      return BuildModel(model).size();
    };
    std::vector<double> ranks = {99, 99, 99};
    TrainCallbacks callbacks;
    if (input.validates) {
      callbacks.validate = [&](const Parameters& parameters) {
        if (build(parameters, input.dtype) == 0) throw std::logic_error("an empty model");
        // Every epoch is better than those before it.
        ranks.insert(ranks.begin(), 1);
        return ComputeMetrics(ranks, {20});
      };
    }
    const TrainResult result = Train(options, dataset.catalog, dataset.train, callbacks);
    if (result.epochs.size() != options.epochs) throw std::logic_error("epochs are missing");
    build(result.parameters, input.validates ? DType::kF32 : input.dtype);
  });
  input.events = events;
  input.items = items;
  input.sessions = (events + 7) / 8;
  input.session_id_bytes = 8 * input.sessions;
  input.item_id_bytes = 8 * input.items;
  const MemoryEstimate estimate = EstimateMemory(options, input);
  EXPECT_EQ(estimate.Peak().name, "training");
  ExpectWithinAFifth(peak, estimate);
}

TEST(Memory, TrainingWithAdagradAndValidation) {
  if (!kMeasures) GTEST_SKIP() << "a sanitizer takes memory of its own; the release tests measure";
  Options options;
  options.layers = {96};
  options.batch_size = 512;
  options.momentum = 0.3;
  options.logq = 1;
  options.epochs = 2;
  options.threads = 1;
  ExpectTrainingWithinAFifth(options, 120000, 100000, {.validates = true});
}

TEST(Memory, TrainingWithAdamSeparateRowsAndMean) {
  if (!kMeasures) GTEST_SKIP() << "a sanitizer takes memory of its own; the release tests measure";
  Options options;
  options.layers = {48, 32};
  options.embedding = Embedding::kSeparate;
  options.embedding_width = 64;
  options.batch_size = 512;
  options.optimizer = Optimizer::kAdam;
  options.learning_rate = 0.001;
  options.ema_decay = 0.99;
  options.epochs = 1;
  options.threads = 1;
  ExpectTrainingWithinAFifth(options, 120000, 80000, {.dtype = DType::kF32});
}

TEST(Memory, TrainingWithAllItemsAsNegatives) {
  if (!kMeasures) GTEST_SKIP() << "a sanitizer takes memory of its own; the release tests measure";
  Options options;
  options.layers = {32};
  options.batch_size = 1024;
  options.negative_source = NegativeSource::kAll;
  options.epochs = 1;
  options.threads = 1;
  ExpectTrainingWithinAFifth(options, 40000, 40000, {});
}

// Threads have scratch of their own, which must not grow with the catalog.
TEST(Memory, TrainingWithAllItemsAsNegativesOnManyThreads) {
  if (!kMeasures) GTEST_SKIP() << "a sanitizer takes memory of its own; the release tests measure";
  Options options;
  options.layers = {16};
  options.batch_size = 48;
  options.negative_source = NegativeSource::kAll;
  options.epochs = 1;
  options.threads = 96;
  ExpectTrainingWithinAFifth(options, 32000, 32000, {});
}

// The last phase alone: the weights, and the file that is made of them.
TEST(Memory, ExportingCascades) {
  if (!kMeasures) GTEST_SKIP() << "a sanitizer takes memory of its own; the release tests measure";
  constexpr size_t kItems = 120000, kWidth = 96;
  Options options;
  options.layers = {kWidth};
  for (const Scoring scoring : {Scoring::kInt8, Scoring::kExact}) {
    SCOPED_TRACE(Name(scoring));
    const double peak = PeakOf([&] {
      Parameters parameters(NetworkShape::Of(options, kItems));
      const RandomCounter random(1, 2);
      Catalog catalog;
      for (size_t i = 0; i < kItems; ++i) {
        for (size_t j = 0; j < kWidth; ++j) {
          parameters.items.Row(i)[j] = static_cast<float>(random.Unit(i * kWidth + j)) - 0.5f;
        }
        catalog.ids.numbers.push_back(static_cast<int64_t>(i));
        catalog.counts.push_back(1);
      }
      ExportInput input;
      input.parameters = &parameters;
      input.catalog = &catalog;
      input.scoring = scoring;
      input.calibration_sessions = {{1, 2}, {3}};
      input.self_test_sessions = {{1}};
      if (BuildModel(input).size() == 0) throw std::logic_error("an empty model");
    });
    MemoryEstimate estimate =
        EstimateMemory(options, {.items = kItems, .item_id_bytes = 8 * kItems, .scoring = scoring});
    std::erase_if(estimate.phases, [](const MemoryPhase& phase) { return phase.name != "export"; });
    ASSERT_EQ(estimate.phases.size(), 1u);
    ExpectWithinAFifth(peak, estimate);
  }
}

TEST(Memory, CountsGrowWithWhatARunDoes) {
  MemoryInput input = {.events = 1000000,
                       .sessions = 100000,
                       .items = 50000,
                       .session_id_bytes = 800000,
                       .item_id_bytes = 400000};
  Options options;
  const uint64_t plain = EstimateMemory(options, input).Bytes();
  const auto more = [&](const std::function<void(Options*, MemoryInput*)>& change) {
    Options changed = options;
    MemoryInput other = input;
    change(&changed, &other);
    return EstimateMemory(changed, other).Bytes() > plain + 1000000;
  };
  EXPECT_TRUE(more([](Options* o, MemoryInput*) { o->layers = {200}; }));
  EXPECT_TRUE(more([](Options* o, MemoryInput*) { o->momentum = 0.1; }));
  EXPECT_TRUE(more([](Options* o, MemoryInput*) { o->optimizer = Optimizer::kAdam; }));
  EXPECT_TRUE(more([](Options* o, MemoryInput*) { o->ema_decay = 0.9; }));
  EXPECT_TRUE(more([](Options* o, MemoryInput*) { o->embedding = Embedding::kNone; }));
  EXPECT_TRUE(more([](Options* o, MemoryInput*) { o->negatives = 20000; }));
  EXPECT_TRUE(more([](Options* o, MemoryInput*) { o->negative_source = NegativeSource::kAll; }));
  EXPECT_TRUE(more([](Options*, MemoryInput* i) { i->validates = true; }));
  EXPECT_TRUE(more([](Options*, MemoryInput* i) { i->refits = true; }));
  EXPECT_TRUE(more([](Options*, MemoryInput* i) { i->warm_start_bytes = 2000000; }));
}

TEST(Memory, TheLineNamesPartsBySize) {
  MemoryEstimate estimate;
  estimate.phases = {{"reading", {{"events", 5 << 20}}},
                     {"training",
                      {{"sessions", 100 << 10},
                       {"weights", 3 << 20},
                       {"optimizer", 1536 << 20},
                       {"tables", 100 << 20}}}};
  EXPECT_EQ(estimate.ToString(),
            "1.6 GiB at the peak, in training: optimizer 1.5 GiB, tables 100 MiB");
}

}  // namespace
}  // namespace stint
