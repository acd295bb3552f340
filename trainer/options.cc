// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

#include "trainer/options.h"

#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>

#include "trainer/cascade.h"
#include "trainer/matmul_bf16.h"

namespace stint {
namespace {

// The word for an enumerator, from a list in the enumerators' order.
template <class E, size_t n>
const char* Word(E value, const char* const (&words)[n]) {
  const auto i = static_cast<size_t>(value);
  return i < n ? words[i] : "?";
}

// Refuses `value` unless it is in [low, high] (`open`: [low, high)).
void CheckRange(const char* name, double value, double low, double high, bool open = false) {
  const bool ok = value >= low && (open ? value < high : value <= high);
  if (ok) return;
  std::ostringstream message;
  message << "'" << value << "' is not in [" << low << ", " << high << (open ? ")" : "]");
  throw OptionError(OptionError::Kind::kRange, name, message.str());
}

void Refuse(bool refused, const char* name, const std::string& reason) {
  if (refused) throw OptionError(OptionError::Kind::kCombination, name, reason);
}

bool HasSoftmax(Loss loss) { return loss == Loss::kCrossEntropy || loss == Loss::kXeLogit; }

void ValidateNetwork(const Options& options) {
  if (options.layers.empty() || options.layers.size() > 16) {
    throw OptionError(
        OptionError::Kind::kRange, "layers",
        std::to_string(options.layers.size()) + " layers given, 1 to 16 are possible");
  }
  for (size_t units : options.layers) CheckRange("layers", double(units), 1, 16384);
  CheckRange("embedding-width", double(options.embedding_width), 0, 16384);
  Refuse(options.embedding_width != 0 && options.embedding != Embedding::kSeparate,
         "embedding-width", "only --embedding separate has a width of its own");
  Refuse(options.hidden_activation.kind == ActivationKind::kSoftmax, "hidden-activation",
         "softmax is for scores alone");
}

void ValidateLoss(const Options& options) {
  const std::string loss = Name(options.loss);
  const bool softmax = options.final_activation.kind == ActivationKind::kSoftmax;
  Refuse(softmax != HasSoftmax(options.loss), "final-activation",
         Name(options.final_activation) + " does not go with --loss " + loss +
             " (cross-entropy and xe_logit take softmax, the ranking losses anything else)");
  Refuse(options.logq != 0 && !softmax, "logq",
         loss + " has no logQ correction, only cross-entropy and xe_logit");
  Refuse(options.logq == 0 && options.logq_form != LogqForm::kOfficial, "logq-form",
         "needs --logq");
  Refuse(options.label_smoothing != 0 && !softmax, "label-smoothing",
         loss + " has no labels to smooth, only cross-entropy and xe_logit");
  CheckRange("bpreg", options.bpreg, 0, 1e6);
  CheckRange("logq", options.logq, 0, 10);
  CheckRange("label-smoothing", options.label_smoothing, 0, 1, true);
}

void ValidateSampling(const Options& options) {
  CheckRange("batch-size", double(options.batch_size), 1, 65536);
  CheckRange("negatives", double(options.negatives), 0, 1 << 24);
  const NegativeSource source = options.negative_source;
  Refuse(source == NegativeSource::kSampled && options.negatives == 0, "negative-source",
         "sampled needs --negatives");
  const bool in_batch_alone = source == NegativeSource::kBatch ||
                              (source == NegativeSource::kBoth && options.negatives == 0);
  Refuse(in_batch_alone && options.batch_size < 2, "batch-size",
         "1 leaves no negatives without --negatives; give either");
  Refuse(source == NegativeSource::kAll && options.logq != 0, "logq",
         "corrects for sampling, and --negative-source all does not sample");
  CheckRange("sample-alpha", options.sample_alpha, 0, 2);
  CheckRange("hardest", double(options.hardest), 0, 1 << 24);
}

void ValidateRegularization(const Options& options) {
  CheckRange("dropout-embedding", options.dropout_embedding, 0, 1, true);
  CheckRange("dropout-hidden", options.dropout_hidden, 0, 1, true);
  Refuse(options.dropout_embedding > 0 && options.embedding == Embedding::kNone,
         "dropout-embedding",
         "--embedding none has nothing to drop; --dropout-hidden drops the first "
         "layer's state");
  CheckRange("l2", options.l2, 0, 1e3);
  CheckRange("clip-norm", options.clip_norm, 0, 1e9);
  CheckRange("item-scale", options.item_scale, 1e-3, 1e3);
}

void ValidateOptimizer(const Options& options) {
  CheckRange("learning-rate", options.learning_rate, 1e-9, 1e3);
  CheckRange("momentum", options.momentum, 0, 1, true);
  Refuse(options.momentum == 0 && options.momentum_form != MomentumForm::kClassical,
         "momentum-form", "needs --momentum");
  CheckRange("epsilon", options.epsilon, 1e-20, 1);
  Refuse(
      options.epsilon_place == EpsilonPlace::kOutside && options.optimizer != Optimizer::kAdagrad,
      "epsilon-place", "only --optimizer adagrad has both forms");
  CheckRange("rho", options.rho, 1e-6, 1, true);
  CheckRange("beta1", options.beta1, 0, 1, true);
  CheckRange("beta2", options.beta2, 0, 1, true);
  CheckRange("schedule-factor", options.schedule_factor, 1e-6, 1);
  CheckRange("schedule-epochs", double(options.schedule_epochs), 1, 1e6);
  CheckRange("warmup-epochs", options.warmup_epochs, 0, 1e6);
  CheckRange("ema-decay", options.ema_decay, 0, 1, true);
  CheckRange("init-sigma", options.init_sigma, 0, 1e3);
  Refuse(options.init_sigma != 0 && options.initialization == Initialization::kCompat42,
         "init-sigma", "--init compat42 fixes the start values");
}

}  // namespace

OptionError::OptionError(Kind kind, const std::string& option, const std::string& what)
    : std::invalid_argument("--" + option + ": " + what), kind_(kind), option_(option) {}

const char* Name(GruForm form) { return Word(form, {"reset_after", "reset_before"}); }
const char* Name(Embedding embedding) { return Word(embedding, {"shared", "separate", "none"}); }
const char* Name(Loss loss) {
  return Word(loss, {"cross-entropy", "xe_logit", "bpr", "top1", "top1-max", "bpr-max"});
}
const char* Name(LogqForm form) { return Word(form, {"official", "mixture"}); }
const char* Name(NegativeSource source) {
  return Word(source, {"both", "batch", "sampled", "all"});
}
const char* Name(Optimizer optimizer) {
  return Word(optimizer, {"sgd", "adagrad", "rmsprop", "adadelta", "adam"});
}
const char* Name(MomentumForm form) { return Word(form, {"classical", "mean", "nesterov"}); }
const char* Name(EpsilonPlace place) { return Word(place, {"inside", "outside"}); }
const char* Name(Schedule schedule) { return Word(schedule, {"constant", "step", "cosine"}); }
const char* Name(Initialization init) { return Word(init, {"uniform", "normal", "compat42"}); }
const char* Name(SessionOrder order) { return Word(order, {"time", "random", "id"}); }
const char* Name(DType dtype) { return Word(dtype, {"int8", "f32", "bf16", "int4"}); }
const char* Name(Scoring scoring) { return Word(scoring, {"scan", "int8", "exact"}); }
const char* Name(Matmul matmul) { return Word(matmul, {"f32", "bf16"}); }

Activation DefaultFinalActivation(Loss loss) {
  switch (loss) {
    case Loss::kCrossEntropy:
    case Loss::kXeLogit:
      return {ActivationKind::kSoftmax};
    case Loss::kBpr:
      return {ActivationKind::kLinear};
    case Loss::kTop1:
    case Loss::kTop1Max:
      return {ActivationKind::kTanh};
    case Loss::kBprMax:
      return {ActivationKind::kElu, 0.5};
  }
  return {ActivationKind::kLinear};
}

std::string ToJson(const Options& options) {
  // Ordered, so that the same options give the same bytes in the model file.
  nlohmann::ordered_json json;
  json["layers"] = options.layers;
  json["gru-form"] = Name(options.gru_form);
  json["embedding"] = Name(options.embedding);
  json["embedding-width"] = options.embedding_width;
  json["hidden-activation"] = Name(options.hidden_activation);
  json["loss"] = Name(options.loss);
  json["final-activation"] = Name(options.final_activation);
  json["bpreg"] = options.bpreg;
  json["label-smoothing"] = options.label_smoothing;
  json["logq"] = options.logq;
  json["logq-form"] = Name(options.logq_form);
  json["batch-size"] = options.batch_size;
  json["negatives"] = options.negatives;
  json["sample-alpha"] = options.sample_alpha;
  json["negative-source"] = Name(options.negative_source);
  json["remove-hits"] = options.remove_hits;
  json["hardest"] = options.hardest;
  json["session-order"] = Name(options.session_order);
  json["dropout-embedding"] = options.dropout_embedding;
  json["dropout-hidden"] = options.dropout_hidden;
  json["l2"] = options.l2;
  json["clip-norm"] = options.clip_norm;
  json["normalize-items"] = options.normalize_items;
  json["item-scale"] = options.item_scale;
  json["learn-item-scale"] = options.learn_item_scale;
  json["optimizer"] = Name(options.optimizer);
  json["learning-rate"] = options.learning_rate;
  json["momentum"] = options.momentum;
  json["momentum-form"] = Name(options.momentum_form);
  json["epsilon"] = options.epsilon;
  json["epsilon-place"] = Name(options.epsilon_place);
  json["rho"] = options.rho;
  json["beta1"] = options.beta1;
  json["beta2"] = options.beta2;
  json["schedule"] = Name(options.schedule);
  json["schedule-factor"] = options.schedule_factor;
  json["schedule-epochs"] = options.schedule_epochs;
  json["warmup-epochs"] = options.warmup_epochs;
  json["ema-decay"] = options.ema_decay;
  json["init"] = Name(options.initialization);
  json["init-sigma"] = options.init_sigma;
  json["epochs"] = options.epochs;
  json["patience"] = options.patience;
  json["seed"] = options.seed;
  json["matmul"] = Name(options.matmul);
  return json.dump();  // threads are left out: they never change the result
}

void Validate(const Options& options) {
  ValidateNetwork(options);
  ValidateLoss(options);
  ValidateSampling(options);
  ValidateRegularization(options);
  ValidateOptimizer(options);
  CheckRange("epochs", double(options.epochs), 1, 1e6);
  CheckRange("threads", double(options.threads), 0, 1024);
  if (options.matmul == Matmul::kBf16 && !HasBf16Products()) {
    throw OptionError(OptionError::Kind::kRange, "matmul",
                      "bf16 needs a CPU with AVX512_BF16 (Zen 4, Sapphire Rapids or newer), and "
                      "this one or this build has none");
  }
}

void ValidateScoring(Scoring scoring, DType dtype, const Options& options) {
  const std::string given = Name(dtype);
  Refuse(scoring == Scoring::kInt8 && dtype != DType::kInt8, "scoring",
         "int8 finds the top-k of int8 item rows: it needs --dtype int8, not " + given);
  Refuse(
      scoring == Scoring::kExact && dtype != DType::kInt8 && dtype != DType::kF32, "scoring",
      "exact keeps the item rows as float32; --dtype says what the layers are, int8 or f32, not " +
          given);
  const size_t width = options.layers.back();
  Refuse(scoring != Scoring::kScan && (width < kMinCascadeWidth || width > kMaxCascadeWidth),
         "scoring",
         std::string(Name(scoring)) + " is for last layers of " + std::to_string(kMinCascadeWidth) +
             " to " + std::to_string(kMaxCascadeWidth) + " units, not " + std::to_string(width));
}

}  // namespace stint
