// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The input of `stint convert`, of whatever kind -> a network with its catalog.
#include "tools/convert_input.h"

#include <stdexcept>

#include "stint/stint.hpp"
#include "tools/common.h"
#include "tools/convert/import_network.h"
#include "tools/convert/item_list.h"
#include "tools/convert/model_kind.h"
#include "tools/convert/onnx_import.h"
#include "tools/convert/tensors.h"

namespace stint {
namespace {

void CheckOptions(const ConvertArguments& arguments, FileKind kind) {
  const auto need = [&](const std::string& value, const char* option, bool takes) {
    if (takes == !value.empty()) return;
    throw std::invalid_argument(std::string(option) + (takes ? ": needed for " : ": not for ") +
                                Name(kind) + " input");
  };
  const bool tensors = kind == FileKind::kSafetensors || kind == FileKind::kNpz;
  need(arguments.config, "--config", tensors);
  need(arguments.items, "--items", kind != FileKind::kModel);
  if (arguments.padding_rows > 0 && kind != FileKind::kOnnx) {
    throw std::invalid_argument(std::string("--padding-rows: not for ") + Name(kind) + " input" +
                                (tensors ? ": the config's padding_rows says it" : ""));
  }
}

std::string ShapeLine(const TrainedModel& model, const char* kind) {
  const NetworkShape& shape = model.parameters.shape;
  std::string units;
  for (const size_t n : shape.layers) units += (units.empty() ? "" : ", ") + Grouped(n);
  return Format("read %s: %s, %s items, GRU of %s units, %s, embedding %s", model.path.c_str(),
                kind, Grouped(shape.items).c_str(), units.c_str(), Name(shape.FormOf(0)),
                Name(shape.embedding));
}

// Catalog and sessions to test the model with, of a network from elsewhere.
void ReadItems(const ConvertArguments& arguments, const std::string& ids, ConvertInput* input,
               const std::function<void(const std::string&)>& say) {
  ItemList list = ReadItemList(arguments.items, input->model.parameters.shape.items, ids);
  if (!list.has_counts) {
    say(arguments.items +
        ": no column Count: all items count once, an empty session recommends the first ones");
  }
  input->model.catalog = std::move(list.catalog);
}

void ReadTests(const ConvertArguments& arguments, ConvertInput* input,
               const std::function<void(const std::string&)>& say) {
  TrainedModel& model = input->model;
  if (arguments.test_sessions.empty()) {
    if (input->kind != FileKind::kModel) {
      say("no --test-sessions: that the network was read as it was meant is not tested");
      model.self_test_sessions = MadeUpSessions(model.parameters.shape.items);
    }
    return;
  }
  input->tests = ReadTestSessions(arguments.test_sessions, model.catalog);
  // A model proves itself as it is, a network from elsewhere as it was read.
  TrainedModel plain = model;
  plain.self_test_sessions.clear();
  const bool as_it_is = input->kind == FileKind::kModel;
  const AlignedBytes bytes =
      as_it_is ? ReadAligned(arguments.input) : BuildKind(plain, ModelKind{}, {});
  Model opened;
  stint_error error = {};
  Check(Model::FromBuffer(bytes.data(), bytes.size(), &opened, &error),
        arguments.input + ": " + error.message);
  try {
    input->largest_difference = Replay(*input->tests, model.catalog, opened.get());
  } catch (const std::runtime_error& e) {
    if (as_it_is) throw;
    throw std::runtime_error(e.what() + std::string(": the network was not read as it was meant"));
  }
  say(Format("%s: %s sessions replayed, scores at most %.3g apart", arguments.test_sessions.c_str(),
             Grouped(input->tests->sessions.size()).c_str(), input->largest_difference));
  if (input->kind == FileKind::kModel) return;
  constexpr size_t kMost = 64;  // in the file, to prove itself on a device
  for (const TestSession& test : input->tests->sessions) {
    if (model.self_test_sessions.size() < kMost) model.self_test_sessions.push_back(test.items);
  }
}

}  // namespace

ConvertInput ReadConvertInput(const ConvertArguments& arguments,
                              const std::function<void(const std::string&)>& say) {
  ConvertInput input;
  input.kind = KindOfInput(arguments.input);
  // PyTorch's files are archives too: what reads npz says so, and which exporter is theirs.
  if (input.kind == FileKind::kNpz && arguments.config.empty()) ReadNpz(arguments.input);
  CheckOptions(arguments, input.kind);
  std::string ids;
  switch (input.kind) {
    case FileKind::kModel:
      input.model = ReadTrainedModel(arguments.input);
      break;
    case FileKind::kOnnx:
      input.model = ReadOnnx(arguments.input, arguments.padding_rows, &ids);
      break;
    default: {
      const ImportConfig config = ReadImportConfig(arguments.config);
      ids = config.ids;
      input.model = ImportNetwork(input.kind == FileKind::kNpz ? ReadNpz(arguments.input)
                                                               : ReadSafetensors(arguments.input),
                                  config);
    }
  }
  say(ShapeLine(input.model, Name(input.kind)));
  if (input.kind != FileKind::kModel) ReadItems(arguments, ids, &input, say);
  ReadTests(arguments, &input, say);
  return input;
}

}  // namespace stint
