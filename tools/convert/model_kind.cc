// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// A network -> model files of the kinds that the runtime has, and networks of fewer items.
#include "tools/convert/model_kind.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>

#include "trainer/export.h"
#include "trainer/quantize.h"
#include "trainer/random.h"

namespace stint {
namespace {

void CopyRow(const Matrix& from, size_t row, const Matrix& to, size_t to_row) {
  std::copy_n(from.Row(row), from.cols, to.Row(to_row));
}

void CopyLayers(const Parameters& from, const Parameters& to) {
  const std::vector<Matrix> a = from.Dense(), b = to.Dense();
  for (size_t m = 0; m < a.size(); ++m) {
    for (size_t r = 0; r < a[m].rows; ++r) CopyRow(a[m], r, b[m], r);
  }
}

// Item indices, most events first, of which the first `items` are put back into order.
std::vector<uint32_t> Frequent(const Catalog& catalog, size_t items) {
  std::vector<uint32_t> order(catalog.size());
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(),
                   [&](uint32_t a, uint32_t b) { return catalog.counts[a] > catalog.counts[b]; });
  order.resize(items);
  std::sort(order.begin(), order.end());
  return order;
}

}  // namespace

std::string Name(const ModelKind& kind) {
  std::string name = Name(kind.dtype);
  if (kind.layer_dtype != LayerDType(kind.dtype)) {
    name.append(" over ").append(Name(kind.layer_dtype)).append(" layers");
  }
  if (kind.scoring != Scoring::kScan) name.append(", scoring ").append(Name(kind.scoring));
  return name;
}

std::vector<ModelKind> ScanKinds() {
  return {{DType::kF32, DType::kF32},   {DType::kBf16, DType::kF32}, {DType::kBf16, DType::kInt8},
          {DType::kInt8, DType::kInt8}, {DType::kInt4, DType::kF32}, {DType::kInt4, DType::kInt8}};
}

AlignedBytes BuildKind(const TrainedModel& model, const ModelKind& kind,
                       const std::vector<std::vector<uint32_t>>& calibration) {
  // Rows of f32 lie over int8 layers where they are of an exact cascade beside int8 layers.
  const bool exact = kind.scoring == Scoring::kExact;
  DType dtype = kind.dtype;
  if (exact && dtype == DType::kF32) dtype = kind.layer_dtype;
  const DType natural = LayerDType(dtype);
  const bool f32_layers = kind.layer_dtype == DType::kF32 && natural != DType::kF32;
  if (kind.layer_dtype != natural && !f32_layers) {
    throw std::runtime_error(model.path + ": item rows of " + Name(kind.dtype) +
                             " over layers of " + Name(kind.layer_dtype) +
                             ": there is no such kind");
  }
  ExportInput input;
  input.parameters = &model.parameters;
  input.catalog = &model.catalog;
  input.dtype = dtype;
  input.f32_layers = f32_layers;
  input.final_activation = model.final_activation;
  input.hidden_activation = model.hidden_activation;
  input.hyperparameters = model.hyperparameters;
  input.training_summary = model.training_summary;
  input.self_test_sessions = model.self_test_sessions;
  input.scoring = kind.scoring;
  input.calibration_sessions = calibration;
  try {
    return BuildModel(input);
  } catch (const std::runtime_error& e) {
    throw std::runtime_error(model.path + ": " + e.what());
  }
}

TrainedModel KeepTop(const TrainedModel& model, size_t items) {
  const Catalog& catalog = model.catalog;
  const auto [least, most] = std::minmax_element(catalog.counts.begin(), catalog.counts.end());
  if (*least == *most) {
    throw std::runtime_error(model.path + ": all items have the same count of " +
                             std::to_string(*least) + ": none stands out to be kept");
  }
  const std::vector<uint32_t> kept = Frequent(catalog, std::min(items, catalog.size()));
  TrainedModel smaller = model;
  NetworkShape shape = model.parameters.shape;
  shape.items = kept.size();
  smaller.parameters = Parameters(shape);
  const Parameters &from = model.parameters, &to = smaller.parameters;
  CopyLayers(from, to);
  smaller.catalog = {};
  smaller.catalog.ids.are_names = catalog.ids.are_names;
  std::vector<uint32_t> place(catalog.size(), UINT32_MAX);
  for (size_t i = 0; i < kept.size(); ++i) {
    const uint32_t item = kept[i];
    place[item] = static_cast<uint32_t>(i);
    CopyRow(from.items, item, to.items, i);
    to.item_bias.data[i] = from.item_bias.data[item];
    if (from.inputs.rows > 0) CopyRow(from.inputs, item, to.inputs, i);
    smaller.catalog.counts.push_back(catalog.counts[item]);
    if (catalog.ids.are_names) {
      smaller.catalog.ids.names.push_back(catalog.ids.names[item]);
    } else {
      smaller.catalog.ids.numbers.push_back(catalog.ids.numbers[item]);
    }
  }
  for (std::vector<uint32_t>& session : smaller.self_test_sessions) {
    for (uint32_t& item : session) item = place[item];
    std::erase(session, UINT32_MAX);
  }
  // What is left must still test something.
  std::erase_if(smaller.self_test_sessions, [](const auto& session) { return session.empty(); });
  if (smaller.self_test_sessions.empty() && !model.self_test_sessions.empty()) {
    smaller.self_test_sessions = MadeUpSessions(kept.size());
  }
  return smaller;
}

std::vector<std::vector<uint32_t>> MadeUpSessions(size_t items) {
  constexpr size_t kSessions = 16;
  constexpr uint64_t kSeed = 20260101, kStream = 1;
  const RandomCounter random(kSeed, kStream);
  uint64_t draw = 0;
  std::vector<std::vector<uint32_t>> sessions(kSessions);
  for (size_t s = 0; s < kSessions; ++s) {  // the first is empty: popularity
    for (size_t e = 0; e < s; ++e) {
      const double item = random.Unit(draw++) * static_cast<double>(items);
      sessions[s].push_back(
          static_cast<uint32_t>(std::min<size_t>(static_cast<size_t>(item), items - 1)));
    }
  }
  return sessions;
}

}  // namespace stint
