// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Whole training steps of the trainer against the float64 reference: every loss x activation x
// embedding x GRU form x layers, every optimizer x momentum, clipping, masks; and at sizes that the
// golden cases do not have: odd widths, one to three layers, more columns than a block, batches
// that shrink, items that are input, target and negative at once.
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <set>
#include <string>

#include "tests/reference/grid.h"
#include "tests/reference/kernels.h"
#include "tests/reference/trainer_bridge.h"

namespace stint::reference {
namespace {

void ExpectNear(const Array& actual, const Array& expected, double tolerance,
                const std::string& what) {
  ASSERT_EQ(actual.values.size(), expected.values.size()) << what;
  for (size_t i = 0; i < actual.values.size(); ++i) {
    ASSERT_NEAR(actual.values[i], expected.values[i],
                tolerance * (1 + std::abs(expected.values[i])))
        << what << " at row " << i / actual.cols << " column " << i % actual.cols;
  }
}

void ExpectNear(const Weights& actual, const Weights& expected, double tolerance) {
  const auto names = actual.Named(), others = expected.Named();
  ASSERT_EQ(names.size(), others.size());
  for (size_t a = 0; a < names.size(); ++a) {
    ExpectNear(*names[a].second, *others[a].second, tolerance, names[a].first);
    if (::testing::Test::HasFatalFailure()) return;
  }
}

// Rows that do not occur in a step are not updated: biases of inputs alone neither.
void ExpectUntouched(const Weights& after, const Weights& before, const StepInput& input) {
  const std::vector<uint32_t> columns = input.Columns();
  const std::set<size_t> scored(columns.begin(), columns.end());
  const std::set<size_t> entered(input.inputs.begin(), input.inputs.end());
  const bool shared = after.shape.embedding == Embedding::kShared;
  const auto same_row = [](const Array& a, const Array& b, size_t row) {
    for (size_t c = 0; c < a.cols; ++c) ASSERT_EQ(a(row, c), b(row, c)) << "item " << row;
  };
  for (size_t i = 0; i < before.items.rows; ++i) {
    if (scored.count(i) == 0) {
      ASSERT_EQ(after.item_bias(0, i), before.item_bias(0, i));
    }
    if (scored.count(i) + (shared ? entered.count(i) : 0) == 0) {
      same_row(after.items, before.items, i);
    }
    if (!shared && entered.count(i) == 0) same_row(after.inputs, before.inputs, i);
  }
}

struct Size {
  size_t batch, negatives;
};

// Steps of the trainer and of the reference from the same weights, with mini-batches that are full,
// full, smaller, and of one row (two where there are no negatives else). `tolerances`: of weights,
// scores and states after each step.
class Comparison {
 public:
  Comparison(const NetworkShape& shape, const Recipe& recipe, const Size& size, uint64_t seed)
      : recipe_(recipe), shape_(shape), size_(size), random_(seed) {
    Settings& settings = recipe_.settings;
    settings.batch_size = size.batch;
    settings.counts = RandomCounts(shape.items, &random_);
    const NegativeSource source = settings.negative_source;
    if (source == NegativeSource::kBatch) size_.negatives = 0;
    others_ = source == NegativeSource::kAll || size_.negatives > 0;
  }

  void Run(const std::vector<double>& tolerances) {
    const Settings& settings = recipe_.settings;
    const Weights initial = RandomWeights(shape_, settings, &random_);
    const bool drops_input = recipe_.dropout && shape_.embedding != Embedding::kNone;
    const Options options = ToOptions(settings, initial, size_.negatives, drops_input ? 0.75 : 1,
                                      recipe_.dropout ? 0.75 : 1);
    Validate(options);
    const std::vector<uint32_t> counts = ToCounts(settings);
    Network network(options, counts, ToParameters(initial));
    ReferenceNetwork reference(settings, initial);
    size_t previous = 0;
    for (size_t t = 0; t < tolerances.size(); ++t) {
      SCOPED_TRACE("step " + std::to_string(t));
      const size_t least = others_ ? 1 : 2;
      const size_t rows =
          t < 2 ? size_.batch : std::max(least, t == 2 ? size_.batch * 2 / 3 : size_t{1});
      const StepInput input =
          RandomStep(shape_, recipe_, rows, previous, size_.negatives, &random_);
      previous = rows;
      const Weights before = WeightsOf(network, settings);
      const StepOutput actual = StepByStages(input, t, &network);
      const StepOutput expected = reference.Step(input);
      const double tolerance = tolerances[t];
      ExpectNear(actual.scores, expected.scores, tolerance, "scores");
      for (size_t l = 0; l < actual.hidden.size(); ++l) {
        ExpectNear(actual.hidden[l], expected.hidden[l], tolerance, "hidden");
      }
      ASSERT_NEAR(actual.loss, expected.loss, tolerance * (1 + std::abs(expected.loss)));
      ExpectNear(WeightsOf(network, settings), reference.weights, tolerance);
      ExpectUntouched(WeightsOf(network, settings), before, input);
      if (::testing::Test::HasFatalFailure()) return;
    }
  }

 private:
  Recipe recipe_;
  NetworkShape shape_;
  Size size_;
  std::mt19937_64 random_;
  bool others_;  // whether a row alone has negatives
};

// The weights after a step of plain SGD at rate 1 are those before less their gradients: to
// float32's rounding, what is compared are gradients, signs and all.
constexpr double kGradientTolerance = 4e-6;

Recipe WithGradientsShown(Recipe recipe) {
  recipe.settings.optimizer = Optimizer::kSgd;
  recipe.settings.learning_rate = 1;
  recipe.settings.momentum = 0;
  return recipe;
}

TEST(GradientTest, LossesByActivationsByNetworks) {
  uint64_t seed = 0;
  for (const NetworkShape& shape : NetworkShapes(9, {{5}, {4, 3}}, 6)) {
    for (const Activation& hidden : HiddenActivations()) {
      for (const Recipe& loss : LossRecipes()) {
        SCOPED_TRACE(loss.name + ", " + Describe(shape) + ", hidden " + Name(hidden));
        Recipe recipe = WithGradientsShown(loss);
        recipe.settings.hidden_activation = hidden;
        Comparison(shape, recipe, {4, 5}, ++seed).Run({kGradientTolerance});
        if (HasFatalFailure()) return;
      }
    }
  }
}

// Two steps: in the second, states of the first go on.
TEST(GradientTest, OtherSettingsByNetworks) {
  uint64_t seed = 0;
  for (const NetworkShape& shape : NetworkShapes(11, {{5}, {4, 3}}, 6)) {
    for (const Recipe& other : OtherRecipes()) {
      SCOPED_TRACE(other.name + ", " + Describe(shape));
      Recipe recipe = WithGradientsShown(other);
      recipe.settings.learning_rate = 0.5;
      Comparison(shape, recipe, {5, 4}, ++seed).Run({kGradientTolerance, 4 * kGradientTolerance});
      if (HasFatalFailure()) return;
    }
  }
}

// Epsilon is larger than usual where a direction is divided by it: at the usual 1e-6, gradients
// that are all rounding error turn into steps of the learning rate.
std::vector<Recipe> OptimizerRecipes() {
  std::vector<Recipe> recipes;
  const auto add = [&](const std::string& name, Settings settings) {
    settings.loss = Loss::kBprMax;
    settings.final_activation = DefaultFinalActivation(settings.loss);
    settings.bpreg = 0.7;
    settings.learning_rate = 0.1;
    settings.epsilon = 1e-2;
    settings.momentum_form = MomentumForm::kClassical;
    recipes.push_back({name, settings});
    for (const MomentumForm form :
         {MomentumForm::kClassical, MomentumForm::kMean, MomentumForm::kNesterov}) {
      settings.momentum = 0.4;
      settings.momentum_form = form;
      recipes.push_back({name + ", momentum " + Name(form), settings});
      settings.l2 = 0.03;
      settings.clip_norm = 0.1;
      recipes.push_back({recipes.back().name + ", l2, clipped", settings});
      settings.clip_norm = 1e3;  // never reached
      recipes.push_back({recipes.back().name + ", wide", settings});
      settings.l2 = settings.clip_norm = 0;
    }
  };
  for (const Optimizer optimizer : {Optimizer::kSgd, Optimizer::kAdagrad, Optimizer::kRmsprop,
                                    Optimizer::kAdadelta, Optimizer::kAdam}) {
    Settings settings;
    settings.optimizer = optimizer;
    add(Name(optimizer), settings);
    if (optimizer != Optimizer::kAdagrad) continue;
    settings.epsilon_place = EpsilonPlace::kOutside;
    add("adagrad, epsilon outside", settings);
  }
  return recipes;
}

TEST(GradientTest, OptimizersByEmbeddings) {
  uint64_t seed = 0;
  for (const NetworkShape& shape : NetworkShapes(12, {{6, 17}}, 5)) {
    for (const bool normalize : {false, true}) {
      for (Recipe recipe : OptimizerRecipes()) {
        recipe.settings.normalize_items = normalize;
        SCOPED_TRACE(recipe.name + ", " + Describe(shape) + (normalize ? ", normalized" : ""));
        Comparison(shape, recipe, {5, 7}, ++seed).Run({2e-5, 4e-5, 6e-5, 8e-5});
        if (HasFatalFailure()) return;
      }
    }
  }
}

std::vector<Recipe> RecipesOfSizes() {
  std::vector<Recipe> recipes;
  const std::set<std::string> names = {"cross-entropy softmax",
                                       "bpr-max linear",
                                       "bpr-max elu-0.5",
                                       "bpr-max, dropout",
                                       "cross-entropy, logq official",
                                       "top1-max, all items",
                                       "bpr, dropout",
                                       "cross-entropy, hardest 2",
                                       "top1, hits removed"};
  for (const auto& list : {LossRecipes(), OtherRecipes()}) {
    for (const Recipe& recipe : list) {
      if (names.count(recipe.name) == 0) continue;
      recipes.push_back(WithGradientsShown(recipe));
      // A sum over up to 1,132 columns: at rate 1 it would diverge, in float64 too.
      Settings& settings = recipes.back().settings;
      if (settings.loss == Loss::kBpr) settings.learning_rate = 1.0 / 64;
    }
  }
  EXPECT_EQ(recipes.size(), names.size());
  return recipes;
}

TEST(GradientTest, ManySizes) {
  struct {
    std::vector<size_t> units;
    size_t items;
    Size size;
  } const cases[] = {
      {{1}, 2, {1, 1}},
      {{5}, 9, {3, 0}},
      {{16}, 40, {16, 7}},
      {{17}, 40, {17, 64}},
      {{33, 7}, 50, {5, 200}},
      {{7, 33}, 300, {32, 130}},
      {{8, 3, 12}, 100, {20, 45}},
      {{100}, 500, {32, 1100}},
  };
  uint64_t seed = 0;
  for (const auto& one : cases) {
    for (const NetworkShape& shape : NetworkShapes(one.items, {one.units}, 19)) {
      // The largest networks in the form that is usual for each embedding alone.
      if (one.items >= 300 && shape.embedding != Embedding::kShared &&
          shape.gru_form == GruForm::kResetBefore) {
        continue;
      }
      for (const Recipe& recipe : RecipesOfSizes()) {
        const bool all = recipe.settings.negative_source == NegativeSource::kAll;
        if (one.size.batch == 1 && one.size.negatives == 0 && !all) continue;
        SCOPED_TRACE(::testing::Message()
                     << recipe.name << ", " << Describe(shape) << ", items " << one.items
                     << ", batch " << one.size.batch << ", negatives " << one.size.negatives);
        Comparison(shape, recipe, one.size, ++seed).Run({8e-6, 4e-5, 1e-4, 1e-4});
        if (HasFatalFailure()) return;
      }
    }
  }
}

TEST(GradientTest, OnEverySimdTarget) {
  ForEachTarget([&](int64_t) {
    for (const NetworkShape& shape : NetworkShapes(90, {{19, 23}}, 21)) {
      for (const Recipe& recipe : RecipesOfSizes()) {
        SCOPED_TRACE(recipe.name + ", " + Describe(shape));
        Comparison(shape, recipe, {18, 90}, 5).Run({8e-6, 4e-5});
        if (::testing::Test::HasFatalFailure()) return;
      }
    }
  });
}

// Every loss, and every optimizer with clipping, in turn over the embeddings.
std::vector<std::pair<NetworkShape, Recipe>> ManyKinds() {
  const std::vector<NetworkShape> shapes = NetworkShapes(150, {{19}, {40, 35}}, 21);
  std::vector<std::pair<NetworkShape, Recipe>> kinds;
  for (const auto& list : {OtherRecipes(), OptimizerRecipes()}) {
    for (const Recipe& recipe : list) {
      kinds.emplace_back(shapes[kinds.size() % shapes.size()], recipe);
      kinds.back().second.settings.batch_size = 21;
    }
  }
  return kinds;
}

// The network after three steps on `threads` threads.
Parameters Trained(const NetworkShape& shape, Recipe recipe, size_t threads) {
  std::mt19937_64 random(3);
  recipe.settings.counts = RandomCounts(shape.items, &random);
  const Weights initial = RandomWeights(shape, recipe.settings, &random);
  const bool in_batch = recipe.settings.negative_source == NegativeSource::kBatch;
  Options options =
      ToOptions(recipe.settings, initial, in_batch ? 0 : 170, 1, recipe.dropout ? 0.75 : 1);
  options.threads = threads;
  const std::vector<uint32_t> counts = ToCounts(recipe.settings);
  Network network(options, counts, ToParameters(initial));
  for (uint64_t t = 0; t < 3; ++t) {
    StepInput input = RandomStep(shape, recipe, 21, t == 0 ? 0 : 21, 170, &random);
    if (recipe.dropout) {  // drawn by the network
      input.embedding_mask = {};
      input.hidden_masks.clear();
    }
    StepByStages(input, t, &network);
  }
  Parameters trained = network.Exported();
  EXPECT_FALSE(SameBits(trained, ToParameters(initial)));
  return trained;
}

TEST(GradientTest, TheSameBitsForAnyNumberOfThreads) {
  for (const auto& [shape, recipe] : ManyKinds()) {
    SCOPED_TRACE(recipe.name + ", " + Describe(shape));
    ASSERT_TRUE(SameBits(Trained(shape, recipe, 1), Trained(shape, recipe, 3)));
  }
}

// Targets that lack FMA round otherwise; all others give the same bits, whatever their width.
TEST(GradientTest, TheSameBitsForAnyVectorWidth) {
  const auto kinds = ManyKinds();
  std::vector<Parameters> first;
  size_t targets = 0;
  ForEachTarget([&](int64_t target) {
    if (target > HWY_AVX2 && HWY_ARCH_X86) return;
    ++targets;
    for (size_t k = 0; k < kinds.size(); ++k) {
      SCOPED_TRACE(kinds[k].second.name + ", " + Describe(kinds[k].first));
      Parameters trained = Trained(kinds[k].first, kinds[k].second, 1);
      if (targets == 1) {
        first.push_back(std::move(trained));
      } else {
        ASSERT_TRUE(SameBits(first[k], trained));
      }
    }
  });
  EXPECT_GE(targets, 1u);
}

// What is exported scores without normalizing as the network did with it.
TEST(GradientTest, ExportedItemsAreNormalized) {
  std::mt19937_64 random(4);
  for (const NetworkShape& shape : NetworkShapes(30, {{7, 5}}, 6)) {
    SCOPED_TRACE(Describe(shape));
    Recipe recipe;
    recipe.settings.normalize_items = true;
    recipe.settings.batch_size = 4;
    const Weights initial = RandomWeights(shape, recipe.settings, &random);
    Network network(ToOptions(recipe.settings, initial, 6, 1, 1), std::vector<uint32_t>(30, 1),
                    ToParameters(initial));
    StepByStages(RandomStep(shape, recipe, 4, 0, 6, &random), 0, &network);
    const Weights trained = WeightsOf(network, recipe.settings);
    const Weights exported = FromParameters(network.Exported());
    std::vector<Array> hidden, other;
    for (const size_t units : shape.layers) hidden.emplace_back(1, units);
    other = hidden;
    for (const uint32_t item : {3u, 17u}) {
      hidden = Observe(trained, item, hidden, recipe.settings);
      other = Observe(exported, item, other);
      ExpectNear(ScoreAll(exported, other.back()),
                 ScoreAll(trained, hidden.back(), recipe.settings), 1e-6, "scores");
    }
  }
}

}  // namespace
}  // namespace stint::reference
