// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Nothing -> the models whose results must have the same bits on every CPU.
#include "tests/device/device_models.h"

#include <utility>

#include "tests/runtime/test_model.h"

namespace stint {
namespace {

constexpr size_t kItems = 1111;
// Neither is a multiple of what a vector or a step of columns holds.
const std::vector<size_t> kLayers = {37, 50};

}  // namespace

std::vector<DeviceModel> DeviceModels() {
  std::vector<DeviceModel> models;
  const Catalog numbers = NumberCatalog(kItems);
  for (const DType dtype : {DType::kInt8, DType::kF32}) {
    for (const GruForm form : {GruForm::kResetAfter, GruForm::kResetBefore}) {
      const Parameters parameters = RandomParameters(kItems, kLayers, form, 2026);
      models.push_back({std::string(dtype == DType::kInt8 ? "int8" : "f32") +
                            (form == GruForm::kResetAfter ? "-reset-after" : "-reset-before"),
                        BuildTestModel(parameters, numbers, dtype, {}, {ActivationKind::kTanh},
                                       {ActivationKind::kElu, 0.5})});
    }
  }
  // Embeddings and hidden activations, of either dtype.
  for (const ModelKind& kind : ModelKinds()) {
    std::string name = kind.name;  // as "none, tanh"
    for (char& c : name) c = c == ' ' ? '-' : c;
    name.erase(name.find(','), 1);
    models.push_back(
        {name, BuildTestModel(kind, RandomParameters(kind, kItems, kLayers, 2026), numbers)});
  }
  // One column block and a tail; more columns than 16-bit levels allow (dot-inl.h); names for ids.
  const Parameters wide = RandomParameters(300, {193}, GruForm::kResetAfter, 7);
  models.push_back({"int8-wide", BuildTestModel(wide, NameCatalog(300), DType::kInt8)});
  const Parameters widest = RandomParameters(70, {560}, GruForm::kResetBefore, 8);
  models.push_back({"int8-widest", BuildTestModel(widest, NameCatalog(70), DType::kInt8)});
  return models;
}

}  // namespace stint
