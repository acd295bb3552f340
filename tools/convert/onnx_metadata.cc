// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// What an ONNX file of stint says beside its graph -> the model.
#include "tools/convert/onnx_metadata.h"

#include <map>
#include <stdexcept>

#include "tools/convert/strict_json.h"
#include "trainer/activation.h"

namespace stint {
namespace {

std::string Place(const OnnxGraph& file, const std::string& key) {
  return file.path + ": metadata '" + key + "'";
}

[[noreturn]] void Fail(const OnnxGraph& file, const std::string& key, const std::string& reason) {
  throw std::runtime_error(Place(file, key) + ": " + reason);
}

std::map<std::string, std::string> PropertiesOf(const OnnxGraph& file) {
  std::map<std::string, std::string> properties;
  for (const onnx::StringStringEntryProto& entry : file.model.metadata_props()) {
    if (!properties.emplace(entry.key(), entry.value()).second) {
      Fail(file, entry.key(), "is there twice");
    }
  }
  return properties;
}

Activation ReadActivation(const OnnxGraph& file, const std::string& key, const std::string& text) {
  Activation activation;
  try {
    activation = ParseActivation(Place(file, key), text);
  } catch (const std::invalid_argument& e) {
    throw std::runtime_error(e.what());
  }
  const ActivationParams params = activation.Params();
  if (params.scale == 0 || (activation.alpha > 0 && params.alpha == 0)) {
    Fail(file, key, "is '" + text + "', which float32 has as 0");
  }
  return activation;
}

std::string ReadObject(const OnnxGraph& file, const std::string& key, const std::string& text) {
  if (!ParseStrictJson(text, Place(file, key)).is_object()) Fail(file, key, "is no JSON object");
  return text;
}

bool SameParams(const Activation& a, const Activation& b) {
  const ActivationParams x = a.Params(), y = b.Params();
  return x.kind == y.kind && x.alpha == y.alpha && x.scale == y.scale;
}

}  // namespace

void ReadOnnxMetadata(const OnnxGraph& file, TrainedModel* model, std::string* ids) {
  ids->clear();
  if (file.model.producer_name() != kOnnxProducer) return;
  for (const auto& [key, text] : PropertiesOf(file)) {
    if (key == kOnnxHyperparameters) {
      model->hyperparameters = ReadObject(file, key, text);
    } else if (key == kOnnxTrainingSummary) {
      model->training_summary = ReadObject(file, key, text);
    } else if (key == kOnnxFinalActivation) {
      model->final_activation = ReadActivation(file, key, text);
    } else if (key == kOnnxHiddenActivation) {
      // The graph has its parameters as float32, this has their decimals.
      const Activation said = ReadActivation(file, key, text);
      if (!SameParams(said, model->hidden_activation)) {
        Fail(file, key,
             "is " + Name(said) + ", that of the graph is " + Name(model->hidden_activation));
      }
      model->hidden_activation = said;
    } else if (key == kOnnxIds) {
      if (text != "names" && text != "integers") {
        Fail(file, key, "is '" + text + "', neither names nor integers");
      }
      *ids = text;
    }
  }
}

}  // namespace stint
