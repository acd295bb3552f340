// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

#include "tests/reference/grid.h"

#include <cmath>

namespace stint::reference {
namespace {

// Multiplier of what dropout keeps in RandomStep().
constexpr double kDropped = 0.25;

Settings Of(Loss loss, const Activation& activation) {
  Settings settings;
  settings.loss = loss;
  settings.final_activation = activation;
  settings.bpreg = 0.7;
  return settings;
}

Settings Of(Loss loss) { return Of(loss, DefaultFinalActivation(loss)); }

constexpr Loss kLosses[] = {Loss::kCrossEntropy, Loss::kXeLogit, Loss::kBpr,
                            Loss::kTop1,         Loss::kTop1Max, Loss::kBprMax};

bool HasSoftmax(Loss loss) { return loss == Loss::kCrossEntropy || loss == Loss::kXeLogit; }

}  // namespace

std::vector<Recipe> LossRecipes() {
  std::vector<Recipe> recipes;
  for (const Loss loss : kLosses) {
    std::vector<Activation> activations = HiddenActivations();  // all but softmax
    if (HasSoftmax(loss)) activations = {{ActivationKind::kSoftmax}};
    for (const Activation& activation : activations) {
      recipes.push_back({std::string(Name(loss)) + " " + Name(activation), Of(loss, activation)});
    }
  }
  return recipes;
}

std::vector<Recipe> OtherRecipes() {
  std::vector<Recipe> recipes;
  for (const Loss loss : kLosses) {
    const auto add = [&](const std::string& what, bool dropout, auto change) {
      Recipe recipe = {std::string(Name(loss)) + ", " + what, Of(loss), dropout};
      change(&recipe.settings);
      recipes.push_back(recipe);
    };
    const auto no_change = [](Settings*) {};
    add("dropout", true, no_change);
    add("hits removed", false, [](Settings* s) { s->remove_hits = true; });
    add("samples alone", false, [](Settings* s) { s->negative_source = NegativeSource::kSampled; });
    add("all items", false, [](Settings* s) { s->negative_source = NegativeSource::kAll; });
    add("in-batch", false, [](Settings* s) { s->negative_source = NegativeSource::kBatch; });
    add("hardest 2", false, [](Settings* s) { s->hardest = 2; });
    add("hardest 2 without hits, samples alone", false, [](Settings* s) {
      s->hardest = 2;
      s->remove_hits = true;
      s->negative_source = NegativeSource::kSampled;
    });
    add("normalized items", true, [](Settings* s) { s->normalize_items = true; });
    add("normalized items, fixed scale", false, [](Settings* s) {
      s->normalize_items = true;
      s->learn_item_scale = false;
    });
    if (!HasSoftmax(loss)) continue;
    add("smoothing", false, [](Settings* s) { s->label_smoothing = 0.3; });
    add("smoothing, hits removed", false, [](Settings* s) {
      s->label_smoothing = 0.3;
      s->remove_hits = true;
    });
    for (const LogqForm form : {LogqForm::kOfficial, LogqForm::kMixture}) {
      add(std::string("logq ") + Name(form), false, [&](Settings* s) {
        s->logq = 0.8;
        s->logq_form = form;
        s->sample_alpha = 0.3;
      });
    }
    add("logq, hardest 2", false, [&](Settings* s) {
      s->logq = 1;
      s->hardest = 2;
    });
  }
  Settings none = Of(Loss::kBprMax);
  none.bpreg = 0;
  recipes.push_back({"bpr-max, bpreg 0", none});
  return recipes;
}

std::vector<Activation> HiddenActivations() {
  return {{ActivationKind::kTanh},     {ActivationKind::kLinear},
          {ActivationKind::kRelu},     {ActivationKind::kLeakyRelu, 0.1},
          {ActivationKind::kElu, 0.5}, {ActivationKind::kSelu, 1.67326, 1.0507}};
}

std::vector<NetworkShape> NetworkShapes(size_t items,
                                        const std::vector<std::vector<size_t>>& layers,
                                        size_t embedding_width) {
  std::vector<NetworkShape> shapes;
  for (const Embedding embedding : {Embedding::kShared, Embedding::kSeparate, Embedding::kNone}) {
    for (const GruForm form : {GruForm::kResetAfter, GruForm::kResetBefore}) {
      for (const std::vector<size_t>& units : layers) {
        shapes.push_back({items, units, form, embedding,
                          embedding == Embedding::kSeparate ? embedding_width : 0});
      }
    }
  }
  return shapes;
}

std::string Describe(const NetworkShape& shape) {
  std::string text = std::string(Name(shape.embedding)) + ", " + Name(shape.gru_form) + ", layers";
  char separator = ' ';
  for (const size_t units : shape.layers) {
    text += separator + std::to_string(units);
    separator = '/';
  }
  return text;
}

Weights RandomWeights(const NetworkShape& shape, const Settings& settings,
                      std::mt19937_64* random) {
  Weights weights(shape);
  if (settings.normalize_items) weights.item_scale = Array(1, 1);
  for (auto& [name, array] : weights.Named()) {
    // Rows of one-hot input are sums of nothing: as large as the others' sums.
    const double terms = array == &weights.inputs ? 4 : static_cast<double>(array->cols);
    const double scale = 1.2 / std::sqrt(terms);
    std::uniform_real_distribution<double> uniform(-scale, scale);
    for (double& w : array->values) w = static_cast<float>(uniform(*random));
  }
  if (settings.normalize_items) weights.item_scale(0, 0) = 1.75;
  return weights;
}

std::vector<double> RandomCounts(size_t items, std::mt19937_64* random) {
  std::vector<double> counts;
  for (size_t i = 0; i < items; ++i) counts.push_back(1.0 + static_cast<double>((*random)() % 50));
  return counts;
}

StepInput RandomStep(const NetworkShape& shape, const Recipe& recipe, size_t rows, size_t previous,
                     size_t negatives, std::mt19937_64* random) {
  StepInput input;
  const auto below = [&](size_t n) { return static_cast<uint32_t>((*random)() % n); };
  const auto item = [&] {  // a few items come up very often
    return below(3) == 0 ? below(3) % static_cast<uint32_t>(shape.items) : below(shape.items);
  };
  for (size_t m = 0; m < rows; ++m) {
    input.inputs.push_back(item());
    input.targets.push_back(item());
    const bool fresh = previous == 0 || below(4) == 0;
    input.hidden_from.push_back(fresh ? -1 : static_cast<int32_t>(below(previous)));
  }
  if (recipe.settings.negative_source == NegativeSource::kAll) {
    for (uint32_t i = 0; i < shape.items; ++i) input.negatives.push_back(i);
  } else if (recipe.settings.negative_source != NegativeSource::kBatch) {
    for (size_t n = 0; n < negatives; ++n) input.negatives.push_back(item());
  }
  if (!recipe.dropout) return input;
  const auto mask = [&](size_t width) {
    Array m(rows, width);
    for (double& x : m.values) x = below(4) == 0 ? 0.0 : static_cast<float>(1 / (1 - kDropped));
    return m;
  };
  if (shape.embedding != Embedding::kNone) {
    input.embedding_mask =
        mask(shape.embedding == Embedding::kShared ? shape.layers.back() : shape.embedding_width);
  }
  for (const size_t units : shape.layers) input.hidden_masks.push_back(mask(units));
  return input;
}

}  // namespace stint::reference
