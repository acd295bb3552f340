// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Name and text of an option of training -> field of trainer/options.h.
#include "tools/training_options.h"

#include <algorithm>
#include <charconv>
#include <initializer_list>
#include <stdexcept>

#include "tools/arguments.h"
#include "trainer/activation.h"

namespace stint {
namespace {

std::string RealText(double value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof(text), value).ptr};
}

// In all of these `field` is a member of Options.
template <class T>
TrainingOption Integer(const char* name, T Options::*field, uint64_t low, uint64_t high,
                       const char* group, const char* help) {
  return {.name = name,
          .group = group,
          .type = "N",
          .default_text = nullptr,
          .help = help,
          .opposite = nullptr,
          .set =
              [=](const std::string& label, const std::string& text, Options* options) {
                options->*field = static_cast<T>(ParseInteger(label, text, low, high));
              },
          .show = [=](const Options& options) { return std::to_string(options.*field); }};
}

// Its range is left to Validate().
TrainingOption Real(const char* name, double Options::*field, const char* group, const char* help) {
  return {.name = name,
          .group = group,
          .type = "X",
          .default_text = nullptr,
          .help = help,
          .opposite = nullptr,
          .set = [=](const std::string& label, const std::string& text,
                     Options* options) { options->*field = ParseReal(label, text); },
          .show = [=](const Options& options) { return RealText(options.*field); }};
}

template <class T>
TrainingOption Word(const char* name, T Options::*field, std::initializer_list<T> values,
                    const char* group, const char* help) {
  return {.name = name,
          .group = group,
          .type = "NAME",
          .default_text = nullptr,
          .help = help,
          .opposite = nullptr,
          .set = [name_list = std::vector<T>(values), field](
                     const std::string& label, const std::string& text,
                     Options* options) { options->*field = ParseName(label, text, name_list); },
          .show = [=](const Options& options) { return std::string(Name(options.*field)); }};
}

TrainingOption Flag(const char* name, bool Options::*field, const char* opposite, const char* group,
                    const char* help) {
  return {
      .name = name,
      .group = group,
      .type = "",
      .default_text = nullptr,
      .help = help,
      .opposite = opposite,
      .set =
          [=](const std::string& label, const std::string& text, Options* options) {
            const bool yes = text == "true" || text == "True" || text == "1";
            if (!yes && text != "false" && text != "False" && text != "0") {
              throw std::invalid_argument(label + ": '" + text + "' is neither true nor false");
            }
            options->*field = yes;
          },
      .show =
          [=](const Options& options) { return std::string(options.*field ? "true" : "false"); }};
}

TrainingOption Function(const char* name, Activation Options::*field, const char* default_text,
                        const char* group, const char* help) {
  return {.name = name,
          .group = group,
          .type = "NAME",
          .default_text = default_text,
          .help = help,
          .opposite = nullptr,
          .set = [=](const std::string& label, const std::string& text,
                     Options* options) { options->*field = ParseActivation(label, text); },
          .show = [=](const Options& options) { return Name(options.*field); }};
}

// "100,50", or "100/50" where commas stand between options.
TrainingOption Layers() {
  return {.name = "layers",
          .group = "Network",
          .type = "N,...",
          .default_text = nullptr,
          .help =
              "Hidden units of each GRU layer, with commas or slashes between; 1 to 16 layers "
              "of 1 to 16384 units. The last is the width of the scoring matrix too",
          .opposite = nullptr,
          .set =
              [](const std::string& label, const std::string& text, Options* options) {
                std::string list = text;
                std::replace(list.begin(), list.end(), '/', ',');
                const std::vector<uint64_t> units = ParseIntegers(label, list, 1, 16384);
                options->layers.assign(units.begin(), units.end());
              },
          .show =
              [](const Options& options) {
                std::string text;
                for (const size_t units : options.layers) {
                  text += (text.empty() ? "" : "/") + std::to_string(units);
                }
                return text;
              }};
}

std::vector<TrainingOption> MakeTable() {
  static constexpr char kRun[] = "Options";
  static constexpr char kNetwork[] = "Network";
  static constexpr char kLoss[] = "Loss";
  static constexpr char kSampling[] = "Sampling";
  static constexpr char kRegularization[] = "Regularization";
  static constexpr char kOptimizer[] = "Optimizer";
  return {
      Integer("epochs", &Options::epochs, 1, 1000000, kRun,
              "Passes over the training sessions, 1 to 1000000"),
      Integer("patience", &Options::patience, 0, 1000000, kRun,
              "Stop after so many epochs without a better recall@20; 0 is never. Needs "
              "--validate-last or --validate-span"),
      Integer("seed", &Options::seed, 0, UINT64_MAX, kRun,
              "Seed of all random numbers, any 64-bit number. The same seed, options and log give "
              "the same model, bit for bit"),
      Word("matmul", &Options::matmul, {Matmul::kF32, Matmul::kBf16}, kRun,
           "f32 or bf16: what the factors of training's matrix products are rounded to; sums and "
           "weights are float32. bf16 is refused where the CPU has no AVX512_BF16, and gains time "
           "only where that is fast (AMD Zen 4 and newer)"),

      Layers(),
      Word("gru-form", &Options::gru_form, {GruForm::kResetAfter, GruForm::kResetBefore}, kNetwork,
           "reset_after or reset_before: where the reset gate stands, after (as in PyTorch) or "
           "before (as in the paper) the recurrent product. Alike in quality, the first is faster. "
           "The first layer under --embedding none is always reset_before"),
      Word("embedding", &Options::embedding,
           {Embedding::kShared, Embedding::kSeparate, Embedding::kNone}, kNetwork,
           "shared, separate or none: what enters the first layer for an item: its row of the "
           "scoring matrix, a row of a matrix of its own, or one-hot, a row of the input weights"),
      Integer("embedding-width", &Options::embedding_width, 0, 16384, kNetwork,
              "Width of the rows of --embedding separate, 0 to 16384; 0 is as wide as the first "
              "layer"),
      Function("hidden-activation", &Options::hidden_activation, "tanh", kNetwork,
               "Function of the GRU's candidate state: tanh, linear, relu, leaky-ALPHA, elu-ALPHA "
               "or selu-SCALE-ALPHA"),
      Word("init", &Options::initialization,
           {Initialization::kUniform, Initialization::kNormal, Initialization::kCompat42}, kNetwork,
           "uniform, normal or compat42: start values of the weights. compat42 draws those of "
           "the papers' PyTorch code, whatever the seed"),
      Real("init-sigma", &Options::init_sigma, kNetwork,
           "Half-width (uniform) or standard deviation (normal) of the start values, 0 to 1e3; 0 "
           "is by the size of each matrix, sqrt(6 / (rows + columns))"),

      Word("loss", &Options::loss,
           {Loss::kCrossEntropy, Loss::kXeLogit, Loss::kBpr, Loss::kTop1, Loss::kTop1Max,
            Loss::kBprMax},
           kLoss,
           "cross-entropy, xe_logit, bpr, top1, top1-max or bpr-max: what training minimizes over "
           "target and negatives"),
      Function("final-activation", &Options::final_activation, "by --loss", kLoss,
               "Function of the scores: softmax for the cross-entropies; linear, relu, tanh, "
               "leaky-ALPHA, elu-ALPHA or selu-SCALE-ALPHA for the others. If not given: linear "
               "for bpr, tanh for top1 and top1-max, elu-0.5 for bpr-max"),
      Real("bpreg", &Options::bpreg, kLoss,
           "Score regularization of bpr-max, 0 to 1e6 (arXiv 1706.03847, equation 13)"),
      Real("label-smoothing", &Options::label_smoothing, kLoss,
           "Share of the target's label that the cross-entropies give to the negatives, in [0, 1)"),
      Real("logq", &Options::logq, kLoss,
           "Correction of the cross-entropies for how often popular items are sampled, 0 (off) to "
           "10; 1 is the full correction"),
      Word("logq-form", &Options::logq_form, {LogqForm::kOfficial, LogqForm::kMixture}, kLoss,
           "official or mixture: how often --logq takes an item to be sampled: as the papers' code "
           "has it, by count in the batch and count^alpha in the samples, or the expected number "
           "of times that either source puts it into the mini-batch"),
      Integer("hardest", &Options::hardest, 0, 1 << 24, kLoss,
              "Only so many of the negatives, those with the largest scores, count in each row, 0 "
              "to 16777216; 0 is all"),
      Flag("remove-hits", &Options::remove_hits, nullptr, kLoss,
           "Negatives that equal the row's target count for nothing"),

      Integer("batch-size", &Options::batch_size, 1, 65536, kSampling,
              "Sessions side by side in a mini-batch, 1 to 65536; no more than there are"),
      Word("negative-source", &Options::negative_source,
           {NegativeSource::kBoth, NegativeSource::kBatch, NegativeSource::kSampled,
            NegativeSource::kAll},
           kSampling,
           "both, batch, sampled or all: negatives are the other rows' targets and samples, either "
           "of them alone, or every item of the catalog (full softmax)"),
      Integer("negatives", &Options::negatives, 0, 1 << 24, kSampling,
              "Items drawn as negatives for each mini-batch, shared by its rows, 0 to 16777216. "
              "With 0 the targets of the other rows are the negatives"),
      Real("sample-alpha", &Options::sample_alpha, kSampling,
           "Negatives are drawn by popularity to this power, 0 (all alike) to 2"),
      Word("session-order", &Options::session_order,
           {SessionOrder::kTime, SessionOrder::kRandom, SessionOrder::kId}, kSampling,
           "time, random or id: the order in which sessions are trained: by start, anew by "
           "chance in each epoch, or by session id"),

      Real("dropout-embedding", &Options::dropout_embedding, kRegularization,
           "Share of the item embedding that is dropped in training, in [0, 1)"),
      Real("dropout-hidden", &Options::dropout_hidden, kRegularization,
           "Share of each layer's hidden state that is dropped in training, in [0, 1)"),
      Real("l2", &Options::l2, kRegularization,
           "Decay of the weights that a step touches, 0 to 1e3"),
      Real("clip-norm", &Options::clip_norm, kRegularization,
           "Largest Euclidean norm of all gradients of a step together, 0 to 1e9; 0 is no limit"),
      Flag("normalize-items", &Options::normalize_items, nullptr, kRegularization,
           "Rows of the scoring matrix enter as directions of one length, item-scale"),
      Real("item-scale", &Options::item_scale, kRegularization,
           "Length that --normalize-items starts from, 1e-3 to 1e3"),
      Flag("learn-item-scale", &Options::learn_item_scale, "--fixed-item-scale", kRegularization,
           "The length of --normalize-items is trained like a weight, which is the default"),

      Word("optimizer", &Options::optimizer,
           {Optimizer::kSgd, Optimizer::kAdagrad, Optimizer::kRmsprop, Optimizer::kAdadelta,
            Optimizer::kAdam},
           kOptimizer, "sgd, adagrad, rmsprop, adadelta or adam"),
      Real("learning-rate", &Options::learning_rate, kOptimizer, "Size of a step, 1e-9 to 1e3"),
      Real("momentum", &Options::momentum, kOptimizer,
           "Share of the last step that goes on, in [0, 1)"),
      Word("momentum-form", &Options::momentum_form,
           {MomentumForm::kClassical, MomentumForm::kMean, MomentumForm::kNesterov}, kOptimizer,
           "classical, mean or nesterov: steps add up, are an exponential mean, or look ahead"),
      Real("epsilon", &Options::epsilon, kOptimizer,
           "Keeps the optimizers' divisors from zero, 1e-20 to 1"),
      Word("epsilon-place", &Options::epsilon_place,
           {EpsilonPlace::kInside, EpsilonPlace::kOutside}, kOptimizer,
           "inside or outside of the root of adagrad's sum of squares"),
      Real("rho", &Options::rho, kOptimizer, "Decay of rmsprop and adadelta, in (0, 1)"),
      Real("beta1", &Options::beta1, kOptimizer, "Decay of adam's mean gradient, in [0, 1)"),
      Real("beta2", &Options::beta2, kOptimizer, "Decay of adam's mean square, in [0, 1)"),
      Word("schedule", &Options::schedule,
           {Schedule::kConstant, Schedule::kStep, Schedule::kCosine}, kOptimizer,
           "constant, step or cosine: the learning rate stays, is multiplied by a factor every so "
           "many epochs, or falls to zero along a cosine over --epochs"),
      Real("schedule-factor", &Options::schedule_factor, kOptimizer,
           "Factor of --schedule step, 1e-6 to 1"),
      Integer("schedule-epochs", &Options::schedule_epochs, 1, 1000000, kOptimizer,
              "Epochs between factors of --schedule step, 1 to 1000000"),
      Real("warmup-epochs", &Options::warmup_epochs, kOptimizer,
           "The learning rate rises linearly over so many epochs, also a part of one, 0 to 1e6"),
      Real("ema-decay", &Options::ema_decay, kOptimizer,
           "Decay of a running mean of the weights, which is written instead of them, in [0, 1); "
           "0 is off"),
  };
}

// Which given options do nothing, beside those that Validate() refuses.
struct Rule {
  const char* name;
  bool (*has_effect)(const Options& options);
  const char* reason;
};

constexpr Rule kRules[] = {
    {"bpreg", [](const Options& o) { return o.loss == Loss::kBprMax; },
     "only bpr-max has a score regularization"},
    {"negatives",
     [](const Options& o) {
       return o.negative_source != NegativeSource::kAll &&
              o.negative_source != NegativeSource::kBatch;
     },
     "--negative-source batch and all draw no samples"},
    {"sample-alpha", [](const Options& o) { return o.UsesSamples(); },
     "there are no samples (--negatives, --negative-source)"},
    {"remove-hits", [](const Options& o) { return o.negative_source != NegativeSource::kAll; },
     "--negative-source all has no hits: the target is none of its negatives"},
    {"item-scale", [](const Options& o) { return o.normalize_items; }, "needs --normalize-items"},
    {"learn-item-scale", [](const Options& o) { return o.normalize_items; },
     "needs --normalize-items"},
    {"rho",
     [](const Options& o) {
       return o.optimizer == Optimizer::kRmsprop || o.optimizer == Optimizer::kAdadelta;
     },
     "only --optimizer rmsprop and adadelta have this decay"},
    {"beta1", [](const Options& o) { return o.optimizer == Optimizer::kAdam; },
     "only --optimizer adam has this decay"},
    {"beta2", [](const Options& o) { return o.optimizer == Optimizer::kAdam; },
     "only --optimizer adam has this decay"},
    {"epsilon", [](const Options& o) { return o.optimizer != Optimizer::kSgd; },
     "--optimizer sgd does not divide"},
    {"epsilon-place", [](const Options& o) { return o.optimizer == Optimizer::kAdagrad; },
     "only --optimizer adagrad has both forms"},
    {"schedule-factor", [](const Options& o) { return o.schedule == Schedule::kStep; },
     "needs --schedule step"},
    {"schedule-epochs", [](const Options& o) { return o.schedule == Schedule::kStep; },
     "needs --schedule step"},
    {"momentum-form", [](const Options& o) { return o.momentum > 0; }, "needs --momentum"},
    {"logq-form", [](const Options& o) { return o.logq > 0; }, "needs --logq"},
    {"embedding-width", [](const Options& o) { return o.embedding == Embedding::kSeparate; },
     "only --embedding separate has a width of its own"},
    {"init-sigma", [](const Options& o) { return o.initialization != Initialization::kCompat42; },
     "--init compat42 fixes the start values"},
};

}  // namespace

const std::vector<TrainingOption>& TrainingOptions() {
  static const std::vector<TrainingOption> table = MakeTable();
  return table;
}

const TrainingOption* FindTrainingOption(const std::string& name) {
  for (const TrainingOption& option : TrainingOptions()) {
    if (name == option.name) return &option;
  }
  return nullptr;
}

void GivenOptions::Set(const TrainingOption& option, const std::string& label,
                       const std::string& text) {
  const auto [entry, is_new] = given.emplace(option.name, label);
  if (!is_new) {
    throw std::invalid_argument(label + ": given twice" +
                                (entry->second == label ? "" : ", also as " + entry->second));
  }
  try {
    option.set(label, text, &options);
  } catch (const CLI::ParseError& e) {
    throw std::invalid_argument(e.what());
  }
}

std::vector<Ineffective> Complete(GivenOptions* given) {
  Options& options = given->options;
  if (!given->Has("final-activation")) {
    options.final_activation = DefaultFinalActivation(options.loss);
  }
  Validate(options);
  std::vector<Ineffective> found;
  for (const Rule& rule : kRules) {
    if (given->Has(rule.name) && !rule.has_effect(options)) {
      found.push_back({rule.name, given->given[rule.name] + ": " + rule.reason});
    }
  }
  return found;
}

}  // namespace stint
