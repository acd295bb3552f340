// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Text as --params has it -> options of training. What is taken can be written as options and set
// again; what is not is refused with a reason.
#include <CLI/Error.hpp>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>

#include "tests/fuzz/fuzz.h"
#include "tools/official_names.h"
#include "tools/training_options.h"

namespace stint::fuzz {
namespace {

std::optional<Options> Parse(const std::string& text) {
  GivenOptions given;
  std::vector<std::string> notes;
  try {
    Assign("--params", SplitAssignments("--params", text), &given, &notes);
  } catch (const std::invalid_argument& e) {
    Require(std::string(e.what()).rfind("--params: ", 0) == 0, "a reason says where", e.what());
    return std::nullopt;
  } catch (const CLI::ParseError& e) {
    Require(std::string(e.what()).rfind("--params: ", 0) == 0, "a reason says where", e.what());
    return std::nullopt;
  }
  try {
    for (const Ineffective& option : Complete(&given)) {
      Require(given.Has(option.name), "what has no effect was given", option.name);
    }
  } catch (const std::invalid_argument& e) {
    Require(e.what()[0] != '\0', "a reason says something");
    return std::nullopt;
  }
  return given.options;
}

}  // namespace

std::vector<std::string> Seeds() {
  return {
      "loss=bpr-max,layers=100,batch_size=32,dropout_p_embed=0.1,constrained_embedding=True,"
      "elu_param=0.5,n_sample=2048",
      "loss=cross-entropy,constrained_embedding=True,embedding=0,layers=100/50,n_epochs=10,"
      "batch_size=32,dropout_p_embed=0.0,dropout_p_hidden=0.4,learning_rate=0.2,momentum=0.2,"
      "n_sample=2048,sample_alpha=0.5,bpreg=0,logq=1",
      "loss=top1-max,final_act=elu-0.5,hidden_act=tanh,adapt=adadelta,adapt_params=0.9,lmbd=0.1,"
      "grad_cap=5,smoothing=0,sigma=0.1,init_as_normal=1,time_sort=True,train_random_order=False",
      "loss=xe_logit,embedding=layersize,adapt=adam,adapt_params=0.9/0.999,sample_store=10000000",
      "embedding=128,constrained_embedding=False,hidden_act=leaky-0.1,learning_rate=1e-3",
      "loss=bpr,final_act=selu-1.6-1.05,schedule=cosine,warmup_epochs=0.5,gru_form=reset_before",
      "optimizer=rmsprop,rho=0.95,epsilon=1e-8,ema_decay=0.999,hardest=64,negatives=128",
      "normalize_items=true,fixed-item-scale=1,item-scale=12,logq-form=mixture",
      "layers=16/16,batch_size=8,negative_source=both,seed=42",
  };
}

}  // namespace stint::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace stint;
  using namespace stint::fuzz;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const std::optional<Options> options = Parse(text);
  if (!options) return 0;
  Require(nlohmann::json::accept(ToJson(*options)), "options are JSON", ToJson(*options));
  Options again;
  for (const TrainingOption& option : TrainingOptions()) {
    const std::string shown = option.show(*options);
    option.set(option.name, shown, &again);
    Require(option.show(again) == shown, "what is shown can be set", option.name);
  }
  Require(ToJson(again) == ToJson(*options), "all options are shown", ToJson(*options));
  return 0;
}
