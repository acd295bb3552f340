// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Parameters as users of the papers' code write them -> options of training.
#include "tools/official_names.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <stdexcept>

#include "trainer/activation.h"

namespace stint {
namespace {

// What has another name here and the same values.
struct Renamed {
  const char* official;
  const char* ours;
};
constexpr Renamed kRenamed[] = {{"n_epochs", "epochs"},
                                {"hidden_act", "hidden-activation"},
                                {"dropout_p_embed", "dropout-embedding"},
                                {"dropout_p_hidden", "dropout-hidden"},
                                {"n_sample", "negatives"},
                                {"lmbd", "l2"},
                                {"grad_cap", "clip-norm"},
                                {"smoothing", "label-smoothing"},
                                {"sigma", "init-sigma"}};
// What takes more than a name; see Assigner. The others are ours with _ for -.
constexpr const char* kOwnMeaning[] = {
    "final_act",    "elu_param", "embedding",          "adapt",          "constrained_embedding",
    "adapt_params", "time_sort", "train_random_order", "init_as_normal", "sample_store"};

// Our option of that name, or of the official name for it; nullptr if neither.
const TrainingOption* Find(const std::string& name) {
  for (const Renamed& renamed : kRenamed) {
    if (name == renamed.official) return FindTrainingOption(renamed.ours);
  }
  std::string ours = name;
  std::replace(ours.begin(), ours.end(), '_', '-');
  return FindTrainingOption(ours);
}

bool HasOwnMeaning(const std::string& name) {
  return std::find(std::begin(kOwnMeaning), std::end(kOwnMeaning), name) != std::end(kOwnMeaning);
}

class Assigner {
 public:
  Assigner(const std::string& where, const std::vector<Assignment>& assignments,
           GivenOptions* given, std::vector<std::string>* notes)
      : where_(where), given_(given), notes_(notes) {
    for (const Assignment& assignment : assignments) {
      if (!values_.emplace(assignment.name, assignment.value).second) {
        throw std::invalid_argument(Label(assignment.name) + ": given twice");
      }
      if (!IsKnownName(assignment.name)) {
        throw std::invalid_argument(where_ + ": no parameter '" + assignment.name +
                                    "'; there are " + KnownNames());
      }
    }
  }

  void Run() {
    for (const auto& [name, value] : values_) {
      if (!HasOwnMeaning(name)) Set(*Find(name), name, value);
    }
    SetEmbedding();
    SetFinalActivation();  // knows the loss by now
    SetOptimizer();
    SetOrder();
    if (Truth("init_as_normal").value_or(false)) SetOurs("init", "init_as_normal", "normal");
    if (Value("sample_store") != nullptr) {
      Note("sample_store", "samples are drawn as they are needed");
    }
  }

 private:
  std::string Label(const std::string& name) const { return where_ + ": " + name; }
  void Note(const std::string& name, const std::string& why) {
    notes_->push_back(Label(name) + "=" + values_.at(name) + " has no effect: " + why);
  }
  const std::string* Value(const std::string& name) const {
    const auto found = values_.find(name);
    return found == values_.end() ? nullptr : &found->second;
  }
  std::optional<bool> Truth(const std::string& name) const {
    const std::string* text = Value(name);
    if (text == nullptr) return std::nullopt;
    if (*text == "True" || *text == "true" || *text == "1") return true;
    if (*text == "False" || *text == "false" || *text == "0") return false;
    throw std::invalid_argument(Label(name) + ": '" + *text + "' is neither True nor False");
  }
  void Set(const TrainingOption& option, const std::string& name, const std::string& value) {
    given_->Set(option, Label(name), value);
  }
  void SetOurs(const char* ours, const std::string& name, const std::string& value) {
    Set(*FindTrainingOption(ours), name, value);
  }

  // embedding = 0, a width, or layersize; constrained_embedding = True goes before it. Or a word of
  // ours.
  void SetEmbedding() {
    const std::optional<bool> constrained = Truth("constrained_embedding");
    const std::string* text = Value("embedding");
    if (constrained.value_or(false)) {
      SetOurs("embedding", "constrained_embedding", "shared");
      if (text != nullptr && *text != "0" && *text != "shared") {
        Note("embedding", "constrained_embedding=True goes before it");
      }
      return;
    }
    const bool zero = text == nullptr || *text == "0";
    if (zero) {
      if (constrained.has_value()) SetOurs("embedding", "constrained_embedding", "none");
      return;  // shared, as where nothing is said
    }
    if (*text == "shared" || *text == "separate" || *text == "none") {
      SetOurs("embedding", "embedding", *text);
      return;
    }
    SetOurs("embedding", "embedding", "separate");
    if (*text != "layersize") SetOurs("embedding-width", "embedding", *text);
  }

  // final_act of the Theano code; elu_param of the others, for bpr-max alone, where 0 is linear.
  void SetFinalActivation() {
    const std::string* text = Value("final_act");
    if (text != nullptr) {
      SetOurs("final-activation", "final_act", *text == "softmax_logit" ? "softmax" : *text);
    }
    const std::string* elu = Value("elu_param");
    if (elu == nullptr) return;
    double alpha = 0;
    const char* end = elu->data() + elu->size();
    const auto [stop, error] = std::from_chars(elu->data(), end, alpha);
    if (stop != end || error != std::errc() || !(alpha >= 0 && alpha <= 1e6)) {
      throw std::invalid_argument(Label("elu_param") + ": '" + *elu + "' is not in [0, 1e6]");
    }
    if (given_->options.loss != Loss::kBprMax) {
      Note("elu_param", "it belongs to loss bpr-max");
      return;
    }
    Activation activation{.kind = alpha > 0 ? ActivationKind::kElu : ActivationKind::kLinear,
                          .alpha = alpha};
    if (!given_->Has("final-activation")) {
      SetOurs("final-activation", "elu_param", Name(activation));
    } else if (!(given_->options.final_activation == activation)) {
      throw std::invalid_argument(Label("elu_param") + ": '" + *elu + "' is " + Name(activation) +
                                  ", but " + given_->given["final-activation"] + " is " +
                                  Name(given_->options.final_activation));
    }
  }

  // adapt_params has the decays: one of rmsprop and adadelta, two of adam.
  void SetOptimizer() {
    const std::string* adapt = Value("adapt");
    if (adapt != nullptr) {
      SetOurs("optimizer", "adapt", *adapt == "None" || adapt->empty() ? "sgd" : *adapt);
    }
    const std::string* decays = Value("adapt_params");
    if (decays == nullptr || decays->empty() || *decays == "[]") return;
    const size_t slash = decays->find('/');
    const Optimizer optimizer = given_->options.optimizer;
    const bool two = slash != std::string::npos;
    if (optimizer == Optimizer::kAdam && two) {
      SetOurs("beta1", "adapt_params", decays->substr(0, slash));
      SetOurs("beta2", "adapt_params", decays->substr(slash + 1));
    } else if ((optimizer == Optimizer::kRmsprop || optimizer == Optimizer::kAdadelta) && !two) {
      SetOurs("rho", "adapt_params", *decays);
    } else {
      throw std::invalid_argument(Label("adapt_params") + ": '" + *decays + "' does not go with " +
                                  Name(optimizer) +
                                  ": rmsprop and adadelta take one decay, adam takes two as B1/B2");
    }
  }

  void SetOrder() {
    const std::optional<bool> random = Truth("train_random_order");
    const std::optional<bool> by_time = Truth("time_sort");
    if (random.value_or(false)) {
      SetOurs("session-order", "train_random_order", "random");
      if (by_time.value_or(false)) Note("time_sort", "train_random_order=True goes before it");
    } else if (by_time.has_value()) {
      SetOurs("session-order", "time_sort", *by_time ? "time" : "id");
    }
  }

  const std::string where_;
  std::map<std::string, std::string> values_;
  GivenOptions* given_;
  std::vector<std::string>* notes_;
};

}  // namespace

std::vector<Assignment> SplitAssignments(const std::string& where, const std::string& text) {
  std::vector<Assignment> parts;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    const std::string part = text.substr(begin, end - begin);
    const size_t equal = part.find('=');
    if (equal == std::string::npos || equal == 0) {
      throw std::invalid_argument(where + ": '" + part +
                                  "' is not NAME=VALUE (lists have / between their values)");
    }
    parts.push_back({part.substr(0, equal), part.substr(equal + 1)});
    begin = end + 1;
  }
  return parts;
}

bool IsKnownName(const std::string& name) { return HasOwnMeaning(name) || Find(name) != nullptr; }

std::string KnownNames() {
  std::string names;
  const auto add = [&](const std::string& name) { names += (names.empty() ? "" : ", ") + name; };
  for (const Renamed& renamed : kRenamed) add(renamed.official);
  for (const char* name : kOwnMeaning) add(name);
  for (const TrainingOption& option : TrainingOptions()) {
    if (!HasOwnMeaning(option.name)) add(option.name);
  }
  return names;
}

void Assign(const std::string& where, const std::vector<Assignment>& assignments,
            GivenOptions* given, std::vector<std::string>* notes) {
  Assigner(where, assignments, given, notes).Run();
}

}  // namespace stint
