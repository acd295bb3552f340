// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Command line of `stint convert` -> what is to be converted to what.
#ifndef STINT_TOOLS_CONVERT_ARGUMENTS_H_
#define STINT_TOOLS_CONVERT_ARGUMENTS_H_

#include <CLI/CLI.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "trainer/events.h"
#include "trainer/options.h"

namespace stint {

struct ConvertArguments {
  std::string input;
  std::string out;
  // Of networks that come as tensors.
  std::string config;
  std::string items;
  std::string test_sessions;
  size_t padding_rows = 0;  // of ONNX
  // Of the model that is written; what is not said is as the input has it, or f32 and scan.
  std::optional<DType> dtype;
  std::optional<DType> layer_dtype;
  std::optional<Scoring> scoring;
  size_t keep_top = 0;             // 0: all items
  uint64_t target_size = 0;        // bytes; 0: any
  std::optional<double> max_loss;  // share, in [0, 1)
  // What is measured with it.
  std::string sessions;  // click log; "": nothing is measured
  ReadOptions read;
  uint32_t k = 20;
  bool k_given = false;
  size_t threads = 0;
  bool json = false;
  bool quiet = false;

  // Whether the kind of model is to be found, not given.
  bool Searches() const { return target_size > 0 || max_loss.has_value(); }
};

// Options of `app`, which `arguments` outlives.
void AddConvertOptions(CLI::App* app, ConvertArguments* arguments);
// Throws std::invalid_argument for options that do not go together.
void CheckConvertArguments(const ConvertArguments& arguments);

// What files are: by their first bytes, and ONNX by its name. Throws std::runtime_error.
enum class FileKind { kModel, kSafetensors, kNpz, kOnnx, kJson };
FileKind KindOfInput(const std::string& path);
// By the end of the name. Throws std::invalid_argument.
FileKind KindOfOutput(const std::string& path);
const char* Name(FileKind kind);

// "model" of "dir/model.safetensors", with its folder: what files beside it start with.
std::string WithoutEnding(const std::string& path);

}  // namespace stint

#endif  // STINT_TOOLS_CONVERT_ARGUMENTS_H_
