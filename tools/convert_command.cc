// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// A network of any kind -> a stint model of any kind, or what other engines read.
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>

#include "stint/stint.hpp"
#include "tools/commands.h"
#include "tools/common.h"
#include "tools/convert/export_network.h"
#include "tools/convert/item_list.h"
#include "tools/convert/onnx_export.h"
#include "tools/convert/schema_json.h"
#include "tools/convert_arguments.h"
#include "tools/convert_input.h"
#include "tools/convert_kinds.h"
#include "trainer/model_bytes.h"

namespace stint {
namespace {

using nlohmann::ordered_json;

class Conversion {
 public:
  explicit Conversion(const ConvertArguments& arguments) : arguments_(arguments) {}

  int Run() {
    CheckWritable(arguments_.out);
    ConvertInput input =
        ReadConvertInput(arguments_, [this](const std::string& line) { Say(line); });
    json_ = {{"input", arguments_.input}, {"input_kind", Name(input.kind)}};
    if (input.tests) json_["largest_difference"] = input.largest_difference;
    TrainedModel kept;
    const bool fewer = arguments_.keep_top > 0 && arguments_.keep_top < input.model.catalog.size();
    if (fewer) kept = KeepTop(input.model, arguments_.keep_top);
    const TrainedModel& model = fewer ? kept : input.model;
    json_["items"] = model.catalog.size();
    switch (KindOfOutput(arguments_.out)) {
      case FileKind::kModel:
        WriteModel(input, model);
        break;
      case FileKind::kSafetensors:
        WriteTensors(model);
        break;
      case FileKind::kOnnx:
        WriteText(arguments_.out, OnnxBytes(model, arguments_.k));
        WriteText(WithoutEnding(arguments_.out) + ".items.tsv", ItemListText(model.catalog));
        break;
      default:
        WriteSchemaJson(input, model, fewer);
    }
    if (arguments_.json) WriteJson(json_);
    return kExitOk;
  }

 private:
  void Say(const std::string& line) const {
    if (!arguments_.quiet) std::fprintf(stderr, "%s\n", line.c_str());
  }

  void WriteBytes(const std::string& path, std::span<const uint8_t> bytes,
                  const std::string& kind = "") {
    WriteFileAtomically(path, bytes);
    Say("wrote " + path + ": " + (kind.empty() ? "" : kind + ", ") + Grouped(bytes.size()) +
        " bytes");
    if (path == arguments_.out) {
      json_["out"] = path;
      json_["bytes"] = bytes.size();
    }
  }
  void WriteText(const std::string& path, std::string_view text) {
    WriteBytes(path, {reinterpret_cast<const uint8_t*>(text.data()), text.size()});
  }

  void WriteModel(const ConvertInput& input, const TrainedModel& model) {
    const KindTable table =
        ChooseKind(arguments_, input.model, model, input.kind == FileKind::kModel);
    const KindRow& row = table.rows[table.chosen];
    if (!arguments_.sessions.empty() && !arguments_.json) WriteOutput(TableText(table));
    WriteBytes(arguments_.out, {row.bytes.data(), row.bytes.size()}, row.name);
    json_["kind"] = row.name;
    json_["kinds"] = TableJson(table);
  }

  void WriteTensors(const TrainedModel& model) {
    const std::string beside = WithoutEnding(arguments_.out);
    WriteText(arguments_.out, SafetensorsBytes(NetworkTensors(model)));
    WriteText(beside + ".json", NetworkConfig(model));
    WriteText(beside + ".items.tsv", ItemListText(model.catalog));
  }

  // Of the input's own file where that is what is wanted.
  void WriteSchemaJson(const ConvertInput& input, const TrainedModel& model, bool fewer) {
    if (input.kind == FileKind::kModel && !fewer) {
      WriteText(arguments_.out, ModelJson(ReadAligned(arguments_.input)));
      return;
    }
    const ModelKind kind = {model.dtype, model.layer_dtype, Scoring::kScan};
    WriteText(arguments_.out, ModelJson(BuildKind(model, kind, {})));
  }

  const ConvertArguments& arguments_;
  ordered_json json_;
};

}  // namespace

Command AddConvertCommand(CLI::App* cli) {
  auto arguments = std::make_shared<ConvertArguments>();
  CLI::App* app = cli->add_subcommand(
      "convert",
      "Turn a network that was trained elsewhere into a stint model, a stint model into another "
      "kind or a smaller one, and a stint model into what other engines read. What tensors mean "
      "is said in a config, never guessed: tools/convert/README.md.");
  AddConvertOptions(app, arguments.get());
  return {app, [arguments] {
            CheckConvertArguments(*arguments);
            return Conversion(*arguments).Run();
          }};
}

}  // namespace stint
