// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

#include "trainer/options.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

namespace stint {
namespace {

// Refuses `value` unless it is in [low, high] (`open`: [low, high)).
void CheckRange(const char* name, double value, double low, double high, bool open = false) {
  const bool ok = value >= low && (open ? value < high : value <= high);
  if (ok) return;
  std::ostringstream message;
  message << "--" << name << ": '" << value << "' is not in [" << low << ", " << high
          << (open ? ")" : "]");
  throw std::invalid_argument(message.str());
}

}  // namespace

const char* Name(Loss loss) { return loss == Loss::kCrossEntropy ? "cross-entropy" : "bpr-max"; }

const char* Name(FinalActivation activation) {
  switch (activation) {
    case FinalActivation::kSoftmax:
      return "softmax";
    case FinalActivation::kLinear:
      return "linear";
    case FinalActivation::kElu:
      return "elu";
  }
  return "?";
}

const char* Name(GruForm form) {
  return form == GruForm::kResetAfter ? "reset_after" : "reset_before";
}

const char* Name(DType dtype) { return dtype == DType::kInt8 ? "int8" : "f32"; }

std::string ToJson(const Options& options) {
  // Ordered, so that the same options give the same bytes in the model file.
  nlohmann::ordered_json json;
  json["layers"] = options.layers;
  json["gru-form"] = Name(options.gru_form);
  json["loss"] = Name(options.loss);
  json["final-activation"] = Name(options.final_activation);
  json["elu-alpha"] = options.elu_alpha;
  json["bpreg"] = options.bpreg;
  json["logq"] = options.logq;
  json["batch-size"] = options.batch_size;
  json["negatives"] = options.negatives;
  json["sample-alpha"] = options.sample_alpha;
  json["dropout-embedding"] = options.dropout_embedding;
  json["dropout-hidden"] = options.dropout_hidden;
  json["learning-rate"] = options.learning_rate;
  json["momentum"] = options.momentum;
  json["adagrad-epsilon"] = options.adagrad_epsilon;
  json["epochs"] = options.epochs;
  json["patience"] = options.patience;
  json["seed"] = options.seed;
  return json.dump();  // threads are left out: they never change the result
}

void Validate(const Options& options) {
  if (options.layers.empty() || options.layers.size() > 16) {
    throw std::invalid_argument("--layers: " + std::to_string(options.layers.size()) +
                                " layers given, 1 to 16 are possible");
  }
  for (size_t units : options.layers) CheckRange("layers", double(units), 1, 16384);
  const bool softmax = options.final_activation == FinalActivation::kSoftmax;
  if (softmax != (options.loss == Loss::kCrossEntropy)) {
    throw std::invalid_argument(std::string("--final-activation: ") +
                                Name(options.final_activation) + " does not go with --loss " +
                                Name(options.loss) +
                                " (cross-entropy takes softmax, bpr-max takes linear or elu)");
  }
  if (options.logq != 0 && options.loss != Loss::kCrossEntropy) {
    throw std::invalid_argument("--logq: only cross-entropy has a logQ correction");
  }
  CheckRange("elu-alpha", options.elu_alpha, 1e-6, 1e6);
  CheckRange("bpreg", options.bpreg, 0, 1e6);
  CheckRange("logq", options.logq, 0, 10);
  CheckRange("batch-size", double(options.batch_size), 1, 65536);
  CheckRange("negatives", double(options.negatives), 0, 1 << 24);
  if (options.negatives == 0 && options.batch_size < 2) {
    throw std::invalid_argument(
        "--batch-size: 1 leaves no negatives without --negatives; give either");
  }
  CheckRange("sample-alpha", options.sample_alpha, 0, 2);
  CheckRange("dropout-embedding", options.dropout_embedding, 0, 1, true);
  CheckRange("dropout-hidden", options.dropout_hidden, 0, 1, true);
  CheckRange("learning-rate", options.learning_rate, 1e-9, 1e3);
  CheckRange("momentum", options.momentum, 0, 1, true);
  CheckRange("adagrad-epsilon", options.adagrad_epsilon, 1e-20, 1);
  CheckRange("epochs", double(options.epochs), 1, 1e6);
  CheckRange("threads", double(options.threads), 0, 1024);
}

}  // namespace stint
