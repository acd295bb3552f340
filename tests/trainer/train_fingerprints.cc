// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// A small log and a set of options -> one line of hashes.
#define XXH_INLINE_ALL
#include "tests/trainer/train_fingerprints.h"

#include <xxhash.h>

#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <stdexcept>

#include "tests/reference/synthetic_log.h"
#include "trainer/export.h"
#include "trainer/train.h"

namespace stint {
namespace {

// Sizes that are no multiples of any vector or block; columns enough for two blocks of the
// products.
Options Base() {
  Options options;
  options.layers = {21};
  options.batch_size = 18;
  options.negatives = 75;
  options.learning_rate = 0.05;
  return options;
}

uint64_t Hash(const Matrix& matrix, uint64_t seed) {
  for (size_t r = 0; r < matrix.rows; ++r) {
    seed = XXH3_64bits_withSeed(matrix.Row(r), matrix.cols * sizeof(float), seed);
  }
  return seed;
}

uint64_t Hash(const Parameters& parameters) {
  uint64_t hash = 0;
  for (const Matrix& matrix : parameters.Dense()) hash = Hash(matrix, hash);
  hash = Hash(parameters.inputs, hash);
  hash = Hash(parameters.items, hash);
  return Hash(parameters.item_bias, hash);
}

uint64_t Hash(const std::vector<EpochResult>& epochs) {
  uint64_t hash = 0;
  for (const EpochResult& epoch : epochs) {
    hash = XXH3_64bits_withSeed(&epoch.loss, sizeof(epoch.loss), hash);
  }
  return hash;
}

uint64_t HashOfModel(const Parameters& parameters, const Catalog& catalog, const Options& options,
                     DType dtype) {
  ExportInput input;
  input.parameters = &parameters;
  input.catalog = &catalog;
  input.dtype = dtype;
  input.final_activation = options.final_activation;
  input.hidden_activation = options.hidden_activation;
  input.self_test_sessions = {{0}, {3, 1, 4, 1}, {2, 7, 1, 8, 2, 8}};
  const AlignedBytes bytes = BuildModel(input);
  return XXH3_64bits(bytes.data(), bytes.size());
}

}  // namespace

std::vector<FingerprintCase> FingerprintCases() {
  std::vector<FingerprintCase> cases;
  const auto add = [&](const char* name, const Options& base) -> Options& {
    cases.push_back({.name = name, .options = base});
    return cases.back().options;
  };
  {
    Options& o = add("bpr-max", Base());  // the hot path of the papers' best models
    o.loss = Loss::kBprMax;
    o.final_activation = DefaultFinalActivation(o.loss);
    o.momentum = 0.3;
    o.dropout_embedding = 0.4;
    o.dropout_hidden = 0.1;
  }
  {
    Options& o = add("cross-entropy-logq", Base());
    o.logq = 0.8;
    o.dropout_hidden = 0.2;
  }
  {
    Options& o = add("cross-entropy-mixture", Base());
    o.logq = 1.0;
    o.logq_form = LogqForm::kMixture;
    o.sample_alpha = 0.75;
    o.remove_hits = true;
    o.initialization = Initialization::kNormal;
  }
  {
    Options& o = add("top1-max-adam", Base());
    o.loss = Loss::kTop1Max;
    o.final_activation = DefaultFinalActivation(o.loss);
    o.optimizer = Optimizer::kAdam;
    o.learning_rate = 0.005;
    o.l2 = 1e-4;
  }
  {
    Options& o = add("xe_logit-rmsprop", Base());
    o.loss = Loss::kXeLogit;
    o.label_smoothing = 0.1;
    o.optimizer = Optimizer::kRmsprop;
    o.learning_rate = 0.003;
    o.negative_source = NegativeSource::kSampled;
    o.hidden_activation = {ActivationKind::kElu, 1.0};
  }
  {
    Options& o = add("two-layers-separate-nesterov", Base());
    o.layers = {21, 13};
    o.gru_form = GruForm::kResetBefore;
    o.embedding = Embedding::kSeparate;
    o.embedding_width = 10;
    o.loss = Loss::kBprMax;
    o.final_activation = {ActivationKind::kSelu, 1.0507, 1.67326};
    o.momentum = 0.4;
    o.momentum_form = MomentumForm::kNesterov;
    o.dropout_embedding = 0.2;
    o.dropout_hidden = 0.2;
    o.initialization = Initialization::kCompat42;
  }
  {
    Options& o = add("one-hot-bpr-adadelta", Base());
    o.embedding = Embedding::kNone;
    o.loss = Loss::kBpr;
    o.final_activation = DefaultFinalActivation(o.loss);
    o.optimizer = Optimizer::kAdadelta;
    o.learning_rate = 1.0;
    o.rho = 0.95;
  }
  {
    Options& o = add("full-softmax-schedule", Base());
    o.negative_source = NegativeSource::kAll;
    o.negatives = 0;
    o.schedule = Schedule::kCosine;
    o.warmup_epochs = 0.5;
    o.epsilon_place = EpsilonPlace::kOutside;
  }
  {
    Options& o = add("normalized-clipped-mean", Base());
    o.normalize_items = true;
    o.clip_norm = 0.5;
    o.momentum = 0.5;
    o.momentum_form = MomentumForm::kMean;
  }
  {
    Options& o = add("random-order-hardest-ema", Base());
    o.session_order = SessionOrder::kRandom;
    o.ema_decay = 0.9;
    o.hardest = 20;
  }
  {
    Options& o = add("in-batch-top1-sgd", Base());
    o.negative_source = NegativeSource::kBatch;
    o.negatives = 0;
    o.loss = Loss::kTop1;
    o.final_activation = DefaultFinalActivation(o.loss);
    o.hidden_activation = {ActivationKind::kLeakyRelu, 0.05};
    o.optimizer = Optimizer::kSgd;
    o.learning_rate = 0.5;
    o.session_order = SessionOrder::kId;
    o.schedule = Schedule::kStep;
  }
  {
    // Several blocks of depth, rows, columns and sessions in the products, on every target.
    Options& o = add("wide", Base());
    cases.back().one_epoch = true;
    o.layers = {150};
    o.batch_size = 90;
    o.negatives = 600;
    o.loss = Loss::kBprMax;
    o.final_activation = DefaultFinalActivation(o.loss);
    o.momentum = 0.2;
  }
  return cases;
}

std::vector<FingerprintLog> FingerprintLogs(const std::string& golden_dir) {
  std::vector<FingerprintLog> logs;
  logs.push_back(
      {"synthetic", 2, reference::MakeSyntheticLog({.sessions = 250, .items = 90, .seed = 5})});
  if (!golden_dir.empty()) {
    logs.push_back({"golden", 8, ReadEvents(golden_dir + "/train.tsv", {})});
  }
  return logs;
}

std::string Fingerprint(const FingerprintLog& log, const FingerprintCase& what, size_t threads) {
  Options options = what.options;
  options.epochs = what.one_epoch ? 1 : log.epochs;
  options.threads = threads;
  Validate(options);
  const Dataset data = MakeDataset(log.events, 0);
  const TrainResult result = Train(options, data.catalog, data.train, {});
  const std::string name = log.name + " " + what.name;
  if (!result.diverged.empty()) throw std::runtime_error(name + ": " + result.diverged);
  if (!(result.epochs.back().loss > 0)) throw std::runtime_error(name + ": nothing to learn");
  char text[256];
  std::snprintf(text, sizeof(text),
                " steps %" PRIu64 " loss %a losses %016" PRIx64 " parameters %016" PRIx64
                " int8 %016" PRIx64 " f32 %016" PRIx64,
                result.steps, result.epochs.back().loss, Hash(result.epochs),
                Hash(result.parameters),
                HashOfModel(result.parameters, data.catalog, options, DType::kInt8),
                HashOfModel(result.parameters, data.catalog, options, DType::kF32));
  return name + text;
}

}  // namespace stint
