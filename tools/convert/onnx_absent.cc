// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Stands for ONNX in a build without it (-DSTINT_ONNX=OFF).
#include <stdexcept>

#include "tools/convert/onnx_export.h"
#include "tools/convert/onnx_import.h"

namespace stint {
namespace {

[[noreturn]] void Refuse(const std::string& path) {
  throw std::runtime_error(path + ": this build of stint has no ONNX (STINT_ONNX=OFF)");
}

}  // namespace

TrainedModel ReadOnnx(const std::string& path, size_t, std::string*) { Refuse(path); }
TrainedModel ParseOnnx(std::span<const uint8_t>, const std::string& path, size_t, std::string*) {
  Refuse(path);
}
std::string OnnxBytes(const TrainedModel& model, uint32_t) { Refuse(model.path); }

}  // namespace stint
