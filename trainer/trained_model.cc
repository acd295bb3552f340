// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// A model file -> the network in it as the trainer has networks.
#include "trainer/trained_model.h"

#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "schema/checksum.h"
#include "stint/stint.hpp"
#include "trainer/export.h"
#include "trainer/quantize.h"

namespace stint {
namespace {

// The value whose Name() is `name`.
template <typename T>
T FromName(const char* name, std::initializer_list<T> values) {
  for (const T value : values) {
    if (std::strcmp(name, Name(value)) == 0) return value;
  }
  throw std::logic_error(std::string("an opened model says '") + name + "'");
}

DType DTypeOf(const char* name) {
  return FromName(name, {DType::kF32, DType::kInt8, DType::kBf16, DType::kInt4});
}

// The places of the weights in the file.
std::map<std::string, const uint8_t*> SectionsOf(const Model& model, const AlignedBytes& bytes) {
  std::map<std::string, const uint8_t*> sections;
  stint_section_info section;
  for (uint32_t i = 0; model.GetSection(i, &section) == STINT_OK; ++i) {
    sections[section.name] = bytes.data() + section.offset;
  }
  return sections;
}

void ReadWeights(const std::map<std::string, const uint8_t*>& sections, DType item_dtype,
                 DType dtype, Parameters* parameters) {
  for (size_t l = 0; l < parameters->layers.size(); ++l) {
    GruParameters& layer = parameters->layers[l];
    const std::string name = "layer" + std::to_string(l);
    Matrix input_weights = layer.input_weights;
    input_weights.rows = 3 * layer.units();  // of no columns under one-hot input: the biases alone
    UnpackPanels(dtype, sections.at(name + ".input_weights"), &input_weights,
                 layer.input_bias.data);
    UnpackPanels(dtype, sections.at(name + ".hidden_weights"), &layer.hidden_weights,
                 layer.hidden_bias.rows > 0 ? layer.hidden_bias.data : nullptr);
  }
  if (const auto biases = sections.find("item_biases"); biases != sections.end()) {
    // Item rows that are floats, one after the other.
    UnpackRows(DType::kF32, sections.at("item_rows"), 1, &parameters->items);
    std::memcpy(parameters->item_bias.data, biases->second, parameters->items.rows * sizeof(float));
  } else {
    UnpackPanels(item_dtype, sections.at("item_rows"), &parameters->items,
                 parameters->item_bias.data);
  }
  if (parameters->inputs.rows > 0) {
    const size_t parts = parameters->shape.embedding == Embedding::kNone ? 3 : 1;
    UnpackRows(dtype, sections.at("input_rows"), parts, &parameters->inputs);
  }
}

// The text, or, if it is no JSON object as models are written with, an object that has it. The
// runtime takes any text; one that is nested without end is none that a program of ours wrote.
std::string AsObject(const char* text) {
  constexpr int kDeepest = 100;
  bool deep = false;
  const nlohmann::json::parser_callback_t check = [&](int depth, auto, const auto&) {
    deep |= depth > kDeepest;
    return !deep;
  };
  const nlohmann::json json = nlohmann::json::parse(text, check, /*allow_exceptions=*/false);
  if (json.is_object() && !deep) return text;
  constexpr size_t kMost = 10000;
  return nlohmann::json{{"text", std::string(text).substr(0, kMost)}}.dump(
      -1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

Catalog ReadCatalog(const stint_model* model) {
  const auto must = [](stint_status status) {
    if (status != STINT_OK) throw std::logic_error("an opened model does not know its items");
  };
  stint_model_info info = {};
  must(stint_model_describe(model, &info));
  Catalog catalog;
  catalog.ids.are_names = info.ids_are_names != 0;
  catalog.counts.resize(info.items);
  for (uint32_t item = 0; item < info.items; ++item) {
    must(stint_item_count(model, item, &catalog.counts[item]));
    if (catalog.ids.are_names) {
      const char* name = nullptr;
      size_t length = 0;
      must(stint_item_name(model, item, &name, &length));
      catalog.ids.names.emplace_back(name, length);
    } else {
      must(stint_item_id(model, item, &catalog.ids.numbers.emplace_back()));
    }
  }
  return catalog;
}

NetworkShape ShapeOf(const stint_model_info& info) {
  NetworkShape shape;
  shape.items = info.items;
  shape.layers.assign(info.units, info.units + info.layers);
  shape.gru_form = FromName(info.gru_form, {GruForm::kResetAfter, GruForm::kResetBefore});
  shape.embedding =
      FromName(info.embedding, {Embedding::kShared, Embedding::kSeparate, Embedding::kNone});
  if (shape.embedding == Embedding::kSeparate) shape.embedding_width = info.embedding_width;
  return shape;
}

TrainedModel ParseTrainedModel(const AlignedBytes& bytes, const std::string& path) {
  Model model;
  stint_error error = {};
  if (Model::FromBuffer(bytes.data(), bytes.size(), &model, &error) != STINT_OK) {
    throw std::runtime_error(path + ": " + error.message);
  }
  stint_model_info info = {};
  if (model.Describe(&info) != STINT_OK) throw std::logic_error(path + ": no description");
  TrainedModel trained;
  trained.path = path;
  trained.dtype = DTypeOf(info.dtype);
  trained.layer_dtype = DTypeOf(info.layer_dtype);
  trained.scoring = FromName(info.scoring, {Scoring::kScan, Scoring::kInt8, Scoring::kExact});
  ReadActivations(bytes.data(), &trained.hidden_activation, &trained.final_activation);
  trained.hyperparameters = AsObject(info.hyperparameters);
  trained.training_summary = AsObject(info.training_summary);
  trained.self_test_sessions = ReadSelfTests(bytes.data());
  trained.xxh3 = SectionChecksum(bytes.data(), bytes.size());
  trained.catalog = ReadCatalog(model.get());
  trained.parameters = Parameters(ShapeOf(info));
  ReadWeights(SectionsOf(model, bytes), trained.dtype, trained.layer_dtype, &trained.parameters);
  return trained;
}

TrainedModel ReadTrainedModel(const std::string& path) {
  return ParseTrainedModel(ReadAligned(path), path);
}

}  // namespace stint
