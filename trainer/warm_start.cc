// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

#include "trainer/warm_start.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <utility>
#include <vector>

#include "trainer/id_index.h"
#include "trainer/initialize.h"
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
std::string Differences(const TrainedModel& model, const Options& options) {
  std::string differences;
  const auto compare = [&](const char* name, const std::string& then, const std::string& now) {
    if (then == now) return;
    if (!differences.empty()) differences += "; ";
    differences += std::string("--") + name + ": " + then + " in the model, " + now + " now";
  };
  const auto list = [](const std::vector<size_t>& units) {
    std::string text;
    for (const size_t n : units) {
      if (!text.empty()) text += ',';
      text += std::to_string(n);
    }
    return text;
  };
  const NetworkShape& then = model.parameters.shape;
  const NetworkShape now = NetworkShape::Of(options, then.items);
  compare("layers", list(then.layers), list(now.layers));
  compare("gru-form", Name(then.gru_form), Name(now.gru_form));
  compare("embedding", Name(then.embedding), Name(now.embedding));
  if (now.embedding == Embedding::kSeparate) {
    // A shared row is as wide as the last layer, a one-hot input has no width.
    const size_t width =
        then.embedding == Embedding::kShared ? then.layers.back() : then.embedding_width;
    compare("embedding-width", std::to_string(width), std::to_string(now.embedding_width));
  }
  const auto compare_activation = [&](const char* name, const Activation& a, const Activation& b) {
    const ActivationParams then_params = a.Params(),
                           now_params = b.Params();  // floats, as in the file
    const bool same = then_params.kind == now_params.kind &&
                      then_params.alpha == now_params.alpha &&
                      then_params.scale == now_params.scale;
    if (!same) compare(name, Name(a), Name(b));
  };
  compare_activation("hidden-activation", model.hidden_activation, options.hidden_activation);
  compare_activation("final-activation", model.final_activation, options.final_activation);
  return differences;
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

TrainedModel ReadWarmStart(const std::string& path, const Options& options) {
  TrainedModel start = ReadTrainedModel(path);
  const std::string differences = Differences(start, options);
  if (!differences.empty())
    throw std::runtime_error(path + ": cannot start from it: " + differences);
  for (uint32_t& count : start.catalog.counts) count = std::max<uint32_t>(count, 1);  // the sampler
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

void FillFromModel(const TrainedModel& old, const Options& options, Parameters* parameters) {
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

uint64_t SeedAfter(const TrainedModel& old, uint64_t seed) {
  return RandomCounter(seed, old.xxh3).Bits(0);
}

TakenOver FillFromCheckpoint(const Checkpoint& checkpoint, const TrainedModel& old,
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
