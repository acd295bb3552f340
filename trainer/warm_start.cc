// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

#include "trainer/warm_start.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <utility>
#include <vector>

#include "schema/checksum.h"
#include "stint/stint.hpp"
#include "trainer/id_index.h"
#include "trainer/initialize.h"
#include "trainer/model_bytes.h"
#include "trainer/quantize.h"
#include "trainer/random.h"
#include "trainer/row_math.h"
#include "trainer/train_state.h"

namespace stint {
namespace {

constexpr char kNetworkArrays[] = "training/network/";
// Of Network::State(). The last three are there only with their options.
constexpr char kParametersArray[] = "parameters";
constexpr char kVelocityArray[] = "velocity";
constexpr char kMeanArray[] = "mean";
constexpr char kScaleMeanArray[] = "item_scale_mean";

// What of the network is not as `options` ask for; "" if all is.
std::string Differences(const stint_model_info& info, const Options& options) {
  std::string differences;
  const auto compare = [&](const char* name, const std::string& then, const std::string& now) {
    if (then == now) return;
    if (!differences.empty()) differences += "; ";
    differences += std::string("--") + name + ": " + then + " in the model, " + now + " now";
  };
  const auto list = [](const auto* units, size_t n) {
    std::string text;
    for (size_t i = 0; i < n; ++i) {
      if (i > 0) text += ',';
      text += std::to_string(units[i]);
    }
    return text;
  };
  compare("layers", list(info.units, info.layers),
          list(options.layers.data(), options.layers.size()));
  compare("gru-form", info.gru_form, Name(options.gru_form));
  compare("embedding", info.embedding, Name(options.embedding));
  if (options.embedding == Embedding::kSeparate) {
    const size_t width = NetworkShape::Of(options, 1).embedding_width;
    compare("embedding-width", std::to_string(info.embedding_width), std::to_string(width));
  }
  compare("hidden-activation", info.hidden_activation, Name(options.hidden_activation));
  compare("final-activation", info.final_activation, Name(options.final_activation));
  return differences;
}

Catalog CatalogOf(const Model& model, const stint_model_info& info) {
  Catalog catalog;
  catalog.ids.are_names = info.ids_are_names != 0;
  for (uint32_t item = 0; item < info.items; ++item) {
    uint32_t count = 0;
    stint_status status = stint_item_count(model.get(), item, &count);
    catalog.counts.push_back(std::max<uint32_t>(count, 1));  // the sampler wants them all
    if (catalog.ids.are_names) {
      const char* name = nullptr;
      size_t length = 0;
      if (status == STINT_OK) status = stint_item_name(model.get(), item, &name, &length);
      if (status == STINT_OK) catalog.ids.names.emplace_back(name, length);
    } else {
      int64_t id = 0;
      if (status == STINT_OK) status = stint_item_id(model.get(), item, &id);
      catalog.ids.numbers.push_back(id);
    }
    if (status != STINT_OK) throw std::logic_error("an opened model does not know its items");
  }
  return catalog;
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

DType DTypeOf(const std::string& name) {
  for (const DType dtype : {DType::kInt8, DType::kBf16, DType::kInt4}) {
    if (name == Name(dtype)) return dtype;
  }
  return DType::kF32;
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

std::vector<Matrix> AllMatrices(const Parameters& parameters) {
  std::vector<Matrix> all = parameters.Dense();
  all.insert(all.end(), {parameters.items, parameters.item_bias, parameters.inputs});
  return all;
}

// Copies a block laid out for fewer items to one for more; 4-byte elements of any kind.
void CopyBlock(const Parameters& old_layout, const void* from, const Parameters& layout, void* to) {
  const std::vector<Matrix> old_matrices = AllMatrices(old_layout), matrices = AllMatrices(layout);
  for (size_t i = 0; i < matrices.size(); ++i) {
    const Matrix &a = old_matrices[i], &b = matrices[i];
    for (size_t r = 0; r < a.rows; ++r) {
      const size_t source = static_cast<size_t>(a.Row(r) - old_layout.block());
      const size_t target = static_cast<size_t>(b.Row(r) - layout.block());
      std::memcpy(static_cast<char*>(to) + target * sizeof(float),
                  static_cast<const char*>(from) + source * sizeof(float), a.cols * sizeof(float));
    }
  }
}

// What an array of Network::State() is to a user; "" for what goes with another one.
std::string WordOf(const std::string& array) {
  if (array == kParametersArray) return "weights";
  if (array == "first") return "optimizer state";
  if (array == kVelocityArray) return "momentum";
  if (array == kMeanArray) return "running mean of the weights";
  if (array == "item_scale") return "item scale";
  return "";
}

void Add(const std::string& array, std::vector<std::string>* words) {
  const std::string word = WordOf(array);
  if (!word.empty()) words->push_back(word);
}

}  // namespace

WarmStart ReadWarmStart(const std::string& path, const Options& options) {
  const AlignedBytes bytes = ReadAligned(path);
  Model model;
  stint_error error = {};
  if (Model::FromBuffer(bytes.data(), bytes.size(), &model, &error) != STINT_OK) {
    throw std::runtime_error(path + ": " + error.message);
  }
  stint_model_info info = {};
  if (model.Describe(&info) != STINT_OK) throw std::logic_error(path + ": no description");
  const std::string differences = Differences(info, options);
  if (!differences.empty())
    throw std::runtime_error(path + ": cannot start from it: " + differences);
  WarmStart start;
  start.path = path;
  start.dtype = DTypeOf(info.dtype);
  start.layer_dtype = DTypeOf(info.layer_dtype);
  start.xxh3 = SectionChecksum(bytes.data(), bytes.size());
  start.catalog = CatalogOf(model, info);
  start.parameters = Parameters(NetworkShape::Of(options, info.items));
  ReadWeights(SectionsOf(model, bytes), start.dtype, start.layer_dtype, &start.parameters);
  return start;
}

void ExtendCatalog(const Catalog& old, Dataset* dataset) {
  const Catalog& recent = dataset->catalog;
  IdIndex index(old.ids);
  std::vector<uint32_t> place(recent.size());  // [items of the log] in the new catalog
  for (size_t i = 0; i < recent.size(); ++i) place[i] = index.Insert(recent.ids.ToString(i));
  Catalog catalog;
  catalog.ids = index.Release();
  catalog.counts = old.counts;
  catalog.counts.resize(catalog.ids.size());
  for (size_t i = 0; i < recent.size(); ++i) {
    const uint64_t sum = uint64_t{catalog.counts[place[i]]} + recent.counts[i];
    catalog.counts[place[i]] = static_cast<uint32_t>(std::min<uint64_t>(sum, UINT32_MAX));
  }
  for (Sessions* sessions : {&dataset->train, &dataset->validation}) {
    for (uint32_t& item : sessions->items) item = place[item];
  }
  dataset->catalog = std::move(catalog);
}

void FillFromModel(const WarmStart& old, const Options& options, Parameters* parameters) {
  Initialize(options, parameters);
  CopyBlock(old.parameters, old.parameters.block(), *parameters, parameters->block());
}

double CommonRowNorm(const Parameters& parameters) {
  constexpr double kTolerance = 0.02;
  const Matrix& items = parameters.items;
  std::vector<double> norms(items.rows);
  double sum = 0;
  for (size_t r = 0; r < items.rows; ++r) {
    norms[r] = RowNorm(items.Row(r), items.cols);
    sum += norms[r];
  }
  const double mean = sum / static_cast<double>(items.rows);
  const bool common = std::all_of(norms.begin(), norms.end(), [&](double norm) {
    return std::fabs(norm - mean) <= kTolerance * mean;
  });
  return common ? mean : 0;
}

uint64_t SeedAfter(const WarmStart& old, uint64_t seed) {
  return RandomCounter(seed, old.xxh3).Bits(0);
}

TakenOver FillFromCheckpoint(const Checkpoint& checkpoint, const WarmStart& old,
                             const Options& options, Network* network) try {
  const nlohmann::ordered_json& saved = checkpoint.header().at("training");
  const nlohmann::ordered_json& then = saved.at("options");
  const nlohmann::ordered_json now = nlohmann::ordered_json::parse(ToJson(options));
  nlohmann::ordered_json a, b;
  for (const char* key : {"layers", "gru-form", "embedding", "embedding-width", "hidden-activation",
                          "final-activation", "normalize-items", "optimizer"}) {
    a[key] = then.at(key);
    b[key] = now.at(key);
  }
  const std::string differences = OptionDifferences(a, b);
  if (!differences.empty()) checkpoint.Fail("cannot start from it: " + differences);
  if (saved.at("data").at("ids") != FingerprintOf(old.catalog.ids)) {
    checkpoint.Fail("cannot start from it: its items are not those of " + old.path);
  }
  const size_t old_bytes = old.parameters.block_floats() * sizeof(float);
  std::vector<char> block(old_bytes);
  TakenOver over;
  std::set<std::string> present;
  for (const StateArray& array : network->State()) {
    const std::string name = kNetworkArrays + array.name;
    if (array.name.rfind("hidden", 0) == 0) continue;  // of sessions of the old log
    present.insert(array.name);
    const bool optional =
        array.name == kVelocityArray || array.name == kMeanArray || array.name == kScaleMeanArray;
    if (optional && !checkpoint.Has(name)) {
      // Velocities are zero, and the means, made of the model's rounded weights, start anew.
      if (array.name == kMeanArray)
        std::memcpy(array.data, network->parameters().block(), array.bytes);
      if (array.name == kScaleMeanArray) {
        const float scale = network->item_scale();
        std::memcpy(array.data, &scale, array.bytes);
      }
      Add(array.name, &over.fresh);
      continue;
    }
    Add(array.name, &over.taken);
    if (array.bytes != network->parameters().block_floats() * sizeof(float)) {
      checkpoint.Read(name, array.data, array.bytes);
      continue;
    }
    checkpoint.Read(name, block.data(), old_bytes);
    CopyBlock(old.parameters, block.data(), network->parameters(), array.data);
  }
  for (const std::string& name : {std::string(kVelocityArray), std::string(kMeanArray)}) {
    if (!present.count(name) && checkpoint.Has(kNetworkArrays + name)) {
      Add(name, &over.left);
    }
  }
  return over;
} catch (const nlohmann::json::exception& e) {
  checkpoint.Fail(std::string("damaged checkpoint: header: ") + e.what());
}

}  // namespace stint
