// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// A small click log on disk -> training -> model files in float32 and int8 -> the runtime: what
// was learned must come out at the other end, and both ends must compute the same network.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <random>
#include <set>
#include <string>

#include "stint/stint.h"
#include "tests/reference/model_bridge.h"
#include "tests/reference/synthetic_log.h"
#include "tests/reference/trainer_bridge.h"
#include "trainer/evaluate.h"
#include "trainer/events.h"
#include "trainer/train.h"

namespace stint {
namespace {

using reference::CreateSession;
using reference::OpenModel;
using reference::OpenSession;

// A folder that goes with the test.
class TemporaryFolder {
 public:
  TemporaryFolder()
      : path_(std::filesystem::temp_directory_path() /
              ("stint_end_to_end_" + std::to_string(getpid()))) {
    std::filesystem::create_directories(path_);
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string File(const char* name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

// The log as rows in random order, but for events of one session at one time: there are none.
void WriteLog(const Events& events, const std::string& path) {
  std::vector<size_t> rows(events.size());
  std::iota(rows.begin(), rows.end(), size_t{0});
  std::shuffle(rows.begin(), rows.end(), std::mt19937_64(5));
  std::ofstream out(path);
  out << "SessionId\tItemId\tTime\n";
  for (const size_t r : rows) {
    out << events.session_ids.ToString(events.session[r]) << '\t'
        << events.item_ids.ToString(events.item[r]) << '\t' << events.time[r].whole << '\n';
  }
  out.close();
  ASSERT_TRUE(out.good());
}

struct Recipe {
  const char* name;
  Options options;
};

std::vector<Recipe> Recipes() {
  Options xe;
  xe.layers = {32};
  xe.batch_size = 32;
  xe.negatives = 64;
  xe.learning_rate = 0.1;
  xe.epochs = 8;
  Options bpr = xe;
  bpr.loss = Loss::kBprMax;
  bpr.final_activation = {ActivationKind::kElu, 0.5};
  bpr.gru_form = GruForm::kResetBefore;
  bpr.layers = {24, 37};
  bpr.momentum = 0.2;
  bpr.dropout_embedding = 0.1;
  return {{"cross-entropy, reset_after, one layer", xe},
          {"bpr-max, reset_before, two layers", bpr}};
}

// Data and two trained networks, made once for all tests.
class EndToEndTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TemporaryFolder();
    const std::string log = folder_->File("events.tsv");
    WriteLog(reference::MakeSyntheticLog({.sessions = 1500}), log);
    data_ = new Dataset(MakeDataset(ReadEvents(log, {}), 150));
    trained_ = new std::vector<TrainResult>();
    for (const Recipe& recipe : Recipes()) {
      Validate(recipe.options);
      trained_->push_back(Train(recipe.options, data_->catalog, data_->train, {}));
    }
  }
  static void TearDownTestSuite() {
    delete trained_;
    delete data_;
    delete folder_;
  }
  static OpenModel Open(size_t recipe, DType dtype) {
    return OpenModel((*trained_)[recipe].parameters, data_->catalog, dtype);
  }
  static Metrics Measure(const OpenModel& model) {
    EvaluateOptions options;
    options.cutoffs = {1, 5, 20};
    return Evaluate(model.get(), data_->validation, options);
  }

  static TemporaryFolder* folder_;
  static Dataset* data_;
  static std::vector<TrainResult>* trained_;
};
TemporaryFolder* EndToEndTest::folder_ = nullptr;
Dataset* EndToEndTest::data_ = nullptr;
std::vector<TrainResult>* EndToEndTest::trained_ = nullptr;

TEST_F(EndToEndTest, LearnsWhatFollowsWhat) {
  // Share of targets among the 5 most popular items: what is possible without the order.
  std::vector<uint32_t> by_count(data_->catalog.size());
  std::iota(by_count.begin(), by_count.end(), 0u);
  std::stable_sort(by_count.begin(), by_count.end(), [](uint32_t a, uint32_t b) {
    return data_->catalog.counts[a] > data_->catalog.counts[b];
  });
  const std::set<uint32_t> top(by_count.begin(), by_count.begin() + 5);
  uint64_t popular = 0, targets = 0;
  const Sessions& sessions = data_->validation;
  for (size_t s = 0; s < sessions.size(); ++s) {
    for (size_t e = 1; e < sessions[s].size(); ++e) {
      popular += top.count(sessions[s][e]);
      ++targets;
    }
  }
  const double popularity = static_cast<double>(popular) / static_cast<double>(targets);
  for (size_t r = 0; r < Recipes().size(); ++r) {
    const Metrics metrics = Measure(Open(r, DType::kInt8));
    SCOPED_TRACE(::testing::Message() << Recipes()[r].name << ": recall@5 " << metrics.RecallAt(5)
                                      << ", popularity " << popularity);
    EXPECT_EQ(metrics.targets, targets);
    // The two followers of an item make up 85 % of what comes next.
    EXPECT_GT(metrics.RecallAt(5), 0.8);
    EXPECT_GT(metrics.RecallAt(5), 3 * popularity);
    // The likelier one 64 %.
    EXPECT_GT(metrics.RecallAt(1), 0.5);
  }
}

TEST_F(EndToEndTest, Int8LosesNextToNothing) {
  for (size_t r = 0; r < Recipes().size(); ++r) {
    SCOPED_TRACE(Recipes()[r].name);
    const Metrics f32 = Measure(Open(r, DType::kF32)), int8 = Measure(Open(r, DType::kInt8));
    for (const uint32_t k : {1, 5, 20}) {
      EXPECT_NEAR(int8.RecallAt(k), f32.RecallAt(k), 0.015) << k;
      EXPECT_NEAR(int8.MrrAt(k), f32.MrrAt(k), 0.015) << k;
    }
  }
}

// Hidden states and scores of the float32 runtime against the trainer's own forward pass and the
// float64 reference; of int8 within what 127 steps a row allow.
TEST_F(EndToEndTest, ServingComputesTheTrainedNetwork) {
  for (size_t r = 0; r < Recipes().size(); ++r) {
    SCOPED_TRACE(Recipes()[r].name);
    const Parameters& parameters = (*trained_)[r].parameters;
    const reference::Weights weights = reference::FromParameters(parameters);
    const OpenModel f32 = Open(r, DType::kF32), int8 = Open(r, DType::kInt8);
    const OpenSession session = CreateSession(f32, 20), small = CreateSession(int8, 20);
    Options options = Recipes()[r].options;
    options.batch_size = 1;
    options.negatives = data_->catalog.size();
    options.dropout_embedding = 0;
    options.threads = 1;
    Network network(options, data_->catalog.counts, parameters);
    std::vector<uint32_t> all(data_->catalog.size());
    std::iota(all.begin(), all.end(), 0u);
    std::vector<reference::Array> hidden;
    for (const size_t units : options.layers) hidden.emplace_back(1, units);
    std::vector<float> scores(all.size()), small_scores(all.size());

    std::mt19937_64 random(3);
    for (size_t event = 0; event < 60; ++event) {
      const auto item = static_cast<uint32_t>(random() % all.size());
      ASSERT_EQ(stint_observe(session.get(), item), STINT_OK);
      ASSERT_EQ(stint_observe(small.get(), item), STINT_OK);
      MiniBatch batch;
      batch.inputs = {item};
      batch.targets = {0};
      batch.hidden_from = {event == 0 ? -1 : 0};
      network.Forward(batch, all);
      hidden = Observe(weights, item, hidden);
      for (uint32_t l = 0; l < options.layers.size(); ++l) {
        const float *state = nullptr, *small_state = nullptr;
        uint32_t units = 0;
        ASSERT_EQ(stint_session_hidden(session.get(), l, &state, &units), STINT_OK);
        ASSERT_EQ(units, options.layers[l]);
        ASSERT_EQ(stint_session_hidden(small.get(), l, &small_state, &units), STINT_OK);
        ASSERT_EQ(units, options.layers[l]);
        for (size_t u = 0; u < units; ++u) {
          ASSERT_NEAR(state[u], network.hidden(l)[u * network.batch_stride()], 2e-6)
              << "event " << event << " layer " << l << " unit " << u;
          ASSERT_NEAR(state[u], hidden[l](0, u), 2e-6)
              << "event " << event << " layer " << l << " unit " << u;
          ASSERT_NEAR(small_state[u], hidden[l](0, u), 0.06)
              << "event " << event << " layer " << l << " unit " << u;
        }
      }
      ASSERT_EQ(stint_scores(session.get(), scores.data()), STINT_OK);
      ASSERT_EQ(stint_scores(small.get(), small_scores.data()), STINT_OK);
      const reference::Array exact = ScoreAll(weights, hidden.back());
      double largest = 1;
      for (const double s : exact.values) largest = std::max(largest, std::abs(s));
      for (size_t i = 0; i < all.size(); ++i) {
        // Column 0 is the target, the negatives follow.
        ASSERT_NEAR(scores[i], network.scores()[(1 + i) * network.batch_stride()], 2e-5 * largest);
        ASSERT_NEAR(scores[i], exact(0, i), 3e-5 * largest);
        ASSERT_NEAR(small_scores[i], exact(0, i), 0.03 * largest);
      }
    }
  }
}

// recommend() is the sorted scores; ids lead back to items.
TEST_F(EndToEndTest, RecommendsTheBestScoresById) {
  for (size_t r = 0; r < Recipes().size(); ++r) {
    for (const DType dtype : {DType::kInt8, DType::kF32}) {
      SCOPED_TRACE(std::string(Recipes()[r].name) + " " + Name(dtype));
      const OpenModel model = Open(r, dtype);
      const OpenSession session = CreateSession(model, 50);
      const size_t items = data_->catalog.size();
      std::vector<float> scores(items);
      std::vector<uint32_t> order(items);
      std::vector<stint_recommendation> top(50);
      for (size_t s = 0; s < 20; ++s) {
        ASSERT_EQ(stint_session_reset(session.get()), STINT_OK);
        for (const uint32_t item : data_->validation[s]) {
          ASSERT_EQ(stint_observe_id(session.get(), data_->catalog.ids.numbers[item]), STINT_OK);
        }
        ASSERT_EQ(stint_scores(session.get(), scores.data()), STINT_OK);
        std::iota(order.begin(), order.end(), 0u);
        std::stable_sort(order.begin(), order.end(),
                         [&](uint32_t a, uint32_t b) { return scores[a] > scores[b]; });
        size_t count = 0;
        ASSERT_EQ(stint_recommend(session.get(), 50, nullptr, top.data(), &count), STINT_OK);
        ASSERT_EQ(count, std::min<size_t>(50, items));
        for (size_t i = 0; i < count; ++i) {
          ASSERT_EQ(top[i].item, order[i]) << i;
          ASSERT_EQ(top[i].score, scores[order[i]]) << i;
          ASSERT_EQ(top[i].id, data_->catalog.ids.numbers[order[i]]) << i;
        }
      }
    }
  }
}

TEST_F(EndToEndTest, AFileOnDiskProvesItself) {
  for (const DType dtype : {DType::kInt8, DType::kF32}) {
    ExportInput input;
    input.parameters = &(*trained_)[1].parameters;
    input.catalog = &data_->catalog;
    input.dtype = dtype;
    input.final_activation = {ActivationKind::kElu, 0.5};
    input.hyperparameters = ToJson(Recipes()[1].options);
    input.self_test_sessions = {{1, 2, 3}, {0}, {}, {5, 5, 5, 5, 7}};
    input.self_test_k = 7;
    const OpenModel in_memory(input);
    const std::string path = folder_->File("shop.stint");
    WriteFileAtomically(path, {in_memory.bytes().data(), in_memory.bytes().size()});
    stint_model* model = nullptr;
    stint_error error = {};
    ASSERT_EQ(stint_model_from_file(path.c_str(), &model, &error), STINT_OK) << error.message;
    EXPECT_EQ(stint_model_self_test(model, &error), STINT_OK) << error.message;
    stint_model_info info = {};
    ASSERT_EQ(stint_model_describe(model, &info), STINT_OK);
    EXPECT_EQ(info.items, data_->catalog.size());
    EXPECT_EQ(info.layers, 2u);
    EXPECT_EQ(info.units[1], 37u);
    EXPECT_STREQ(info.gru_form, "reset_before");
    EXPECT_STREQ(info.final_activation, "elu-0.5");
    EXPECT_STREQ(info.dtype, Name(dtype));
    EXPECT_EQ(info.self_tests, 4u);
    EXPECT_EQ(info.file_size, in_memory.bytes().size());
    EXPECT_EQ(info.training_events, data_->train.items.size());
    EXPECT_EQ(info.hyperparameters, input.hyperparameters);
    const Metrics from_file = [&] {
      EvaluateOptions options;
      options.cutoffs = {5};
      return Evaluate(model, data_->validation, options);
    }();
    EXPECT_EQ(from_file.RecallAt(5), Measure(in_memory).RecallAt(5));
    stint_model_destroy(model);
  }
}

// Training that watches a validation set keeps the epoch that the runtime ranked best.
TEST_F(EndToEndTest, ValidationByTheRuntimeChoosesTheEpoch) {
  Options options = Recipes()[0].options;
  options.learning_rate = 0.6;  // too large: the best epoch is not the last
  options.epochs = 6;
  TrainCallbacks callbacks;
  EvaluateOptions evaluate;
  evaluate.cutoffs = {20};
  callbacks.validate = [&](const Parameters& parameters) {
    return Evaluate(OpenModel(parameters, data_->catalog, DType::kF32).get(), data_->validation,
                    evaluate);
  };
  const TrainResult result = Train(options, data_->catalog, data_->train, callbacks);
  ASSERT_EQ(result.diverged, "");
  double best = -1;
  size_t best_epoch = 0;
  for (const EpochResult& epoch : result.epochs) {
    ASSERT_TRUE(epoch.validated);
    if (epoch.validation.RecallAt(20) > best) {
      best = epoch.validation.RecallAt(20);
      best_epoch = epoch.epoch;
    }
  }
  EXPECT_EQ(result.best_epoch, best_epoch);
  EXPECT_EQ(callbacks.validate(result.parameters).RecallAt(20), best);
}

}  // namespace
}  // namespace stint
