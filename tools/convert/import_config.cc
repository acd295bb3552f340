// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// gru4rec.json -> what the tensors of a network mean.
#include "tools/convert/import_config.h"

#include <algorithm>
#include <stdexcept>

#include "schema/panel.h"
#include "tools/convert/strict_json.h"
#include "trainer/model_bytes.h"

namespace stint {
namespace {

using nlohmann::ordered_json;

constexpr char kFormat[] = "stint-network";

// Reads the keys of an object, each once; what is left over is an error.
class Keys {
 public:
  Keys(const ordered_json& object, std::string path) : object_(object), path_(std::move(path)) {}

  [[noreturn]] void Fail(const std::string& key, const std::string& reason) const {
    throw std::runtime_error(path_ + ": key '" + key + "': " + reason);
  }
  bool Has(const std::string& key) const { return object_.contains(key); }
  const ordered_json& Get(const std::string& key) {
    if (!Has(key)) Fail(key, "is not there");
    known_.insert(key);
    return object_.at(key);
  }
  std::string Text(const std::string& key) {
    const ordered_json& value = Get(key);
    if (!value.is_string()) Fail(key, value.dump() + " is no string");
    return value.get<std::string>();
  }
  bool Truth(const std::string& key) {
    const ordered_json& value = Get(key);
    if (!value.is_boolean()) Fail(key, value.dump() + " is neither true nor false");
    return value.get<bool>();
  }
  bool TruthOr(const std::string& key, bool otherwise) { return Has(key) ? Truth(key) : otherwise; }
  uint64_t Number(const std::string& key, const ordered_json& value, uint64_t low,
                  uint64_t high) const {
    if (!value.is_number_unsigned() || value.get<uint64_t>() < low ||
        value.get<uint64_t>() > high) {
      Fail(key, value.dump() + " is no whole number from " + std::to_string(low) + " to " +
                    std::to_string(high));
    }
    return value.get<uint64_t>();
  }
  std::vector<std::string> Texts(const std::string& key) {
    std::vector<std::string> texts;
    if (!Has(key)) return texts;
    const ordered_json& list = Get(key);
    if (!list.is_array()) Fail(key, "is no list");
    for (const ordered_json& value : list) {
      if (!value.is_string()) Fail(key, value.dump() + " is no string");
      texts.push_back(value.get<std::string>());
    }
    return texts;
  }
  std::string Object(const std::string& key) {
    if (!Has(key)) return "{}";
    const ordered_json& value = Get(key);
    if (!value.is_object()) Fail(key, "is no object");
    return value.dump();
  }
  void RefuseOthers() const {
    for (const auto& [key, value] : object_.items()) {
      if (known_.count(key) == 0) Fail(key, "is not known");
    }
  }

 private:
  const ordered_json& object_;
  std::string path_;
  std::set<std::string> known_;
};

GruConvention ReadConvention(Keys* keys, const std::string& path) {
  const std::string word = keys->Text("convention");
  if (!keys->Has("reset_after")) return ConventionOf(path, word, nullptr);
  const bool reset_after = keys->Truth("reset_after");
  return ConventionOf(path, word, &reset_after);
}

void ReadConventions(Keys* keys, ImportConfig* config) {
  if (!keys->Has("layer_conventions")) {
    config->conventions.assign(config->layers.size(), ReadConvention(keys, config->path));
    return;
  }
  for (const char* key : {"convention", "reset_after"}) {
    if (keys->Has(key)) keys->Fail(key, "does not go with layer_conventions");
  }
  const ordered_json& list = keys->Get("layer_conventions");
  if (!list.is_array() || list.size() != config->layers.size()) {
    keys->Fail("layer_conventions", "is no list of one object for each of the " +
                                        std::to_string(config->layers.size()) + " layers");
  }
  for (const ordered_json& object : list) {
    if (!object.is_object()) keys->Fail("layer_conventions", object.dump() + " is no object");
    const std::string path = config->path + ": layer_conventions";
    Keys of_layer(object, path);
    config->conventions.push_back(ReadConvention(&of_layer, path));
    of_layer.RefuseOthers();
  }
}

Activation ReadActivation(Keys* keys, const std::string& key, const Activation& otherwise) {
  if (!keys->Has(key)) return otherwise;
  try {
    return ParseActivation(key, keys->Text(key));
  } catch (const std::invalid_argument& e) {
    const std::string reason = e.what();  // starts with the key
    const std::string start = key + ": ";
    keys->Fail(key, reason.rfind(start, 0) == 0 ? reason.substr(start.size()) : reason);
  }
}

}  // namespace

GruConvention ConventionOf(const std::string& path, const std::string& word,
                           const bool* reset_after) {
  const bool either = word == "keras" || word == "onnx" || word == "stint";
  if (either != (reset_after != nullptr) && (either || word == "pytorch" || word == "theano")) {
    throw std::runtime_error(path + ": convention '" + word + "'" +
                             (either ? " needs the key 'reset_after', true or false"
                                     : " does not go with the key 'reset_after'"));
  }
  using enum Gate;
  GruConvention c;
  c.name = word;
  if (either) {
    c.name += *reset_after ? " with reset_after true" : " with reset_after false";
    c.form = *reset_after ? GruForm::kResetAfter : GruForm::kResetBefore;
  }
  const auto gates = [&](Gate first, Gate second, Gate third) {
    c.gates[0] = first, c.gates[1] = second, c.gates[2] = third;
  };
  if (word == "pytorch" || word == "stint") {
    gates(kReset, kUpdate, kCandidate);
    c.update_weighs_old = c.form == GruForm::kResetAfter;
  } else if (word == "keras") {
    gates(kUpdate, kReset, kCandidate);
    c.gates_are_columns = true;
    if (*reset_after) c.joined_biases = GruConvention::Joined::kMay;
  } else if (word == "theano") {
    gates(kCandidate, kReset, kUpdate);
    c.update_weighs_old = false;
    c.form = GruForm::kResetBefore;
    c.gates_are_columns = true;
    c.split_hidden = true;
  } else if (word == "onnx") {
    gates(kUpdate, kReset, kCandidate);
    c.leading_axis = true;
    c.joined_biases = GruConvention::Joined::kMust;
  } else {
    throw std::runtime_error(path + ": convention '" + word +
                             "' is none of pytorch, keras, theano, onnx, stint");
  }
  return c;
}

ImportConfig ParseImportConfig(const std::string& text, const std::string& path) {
  const ordered_json json = ParseStrictJson(text, path);
  if (!json.is_object()) throw std::runtime_error(path + ": is no JSON object");
  Keys keys(json, path);
  if (keys.Text("format") != kFormat) keys.Fail("format", std::string("is not ") + kFormat);
  keys.Number("version", keys.Get("version"), 1, 1);
  ImportConfig config;
  config.path = path;
  const std::string embedding = keys.Text("embedding");
  bool found = false;
  for (const Embedding value : {Embedding::kShared, Embedding::kSeparate, Embedding::kNone}) {
    if (embedding != Name(value)) continue;
    config.embedding = value;
    found = true;
  }
  if (!found) keys.Fail("embedding", "'" + embedding + "' is none of shared, separate, none");
  const ordered_json& layers = keys.Get("layers");
  if (!layers.is_array() || layers.empty() || layers.size() > kMaxLayers) {
    keys.Fail("layers", layers.dump() + " is no list of the units of 1 to 16 layers");
  }
  for (const ordered_json& units : layers) {
    config.layers.push_back(keys.Number("layers", units, 1, kMaxUnits));
  }
  ReadConventions(&keys, &config);
  config.gru_biases = keys.TruthOr("gru_biases", true);
  config.item_biases = keys.TruthOr("item_biases", true);
  config.hidden_activation = ReadActivation(&keys, "hidden_activation", config.hidden_activation);
  config.final_activation = ReadActivation(&keys, "final_activation", config.final_activation);
  if (config.hidden_activation.kind == ActivationKind::kSoftmax) {
    keys.Fail("hidden_activation", "softmax is none of hidden states");
  }
  if (keys.Has("padding_rows")) {
    config.padding_rows = keys.Number("padding_rows", keys.Get("padding_rows"), 0, kMaxItems);
  }
  if (keys.Has("ids")) {
    config.ids = keys.Text("ids");
    if (config.ids != "names" && config.ids != "integers") {
      keys.Fail("ids", "'" + config.ids + "' is neither names nor integers");
    }
  }
  if (keys.Has("tensors")) {
    const ordered_json& names = keys.Get("tensors");
    if (!names.is_object()) keys.Fail("tensors", "is no object");
    for (const auto& [ours, theirs] : names.items()) {
      if (!theirs.is_string()) keys.Fail("tensors", "the name of '" + ours + "' is no string");
      config.tensors[ours] = theirs.get<std::string>();
    }
  }
  for (const std::string& name : keys.Texts("transposed")) config.transposed.insert(name);
  for (const std::string& name : keys.Texts("ignored")) config.ignored.insert(name);
  config.hyperparameters = keys.Object("hyperparameters");
  config.training_summary = keys.Object("training_summary");
  keys.RefuseOthers();
  return config;
}

ImportConfig ReadImportConfig(const std::string& path) {
  const AlignedBytes bytes = ReadAligned(path);
  return ParseImportConfig({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path);
}

}  // namespace stint
