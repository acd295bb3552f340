// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// A network of any kind -> a stint model of any kind, or what other engines read.
#include <cstdio>
#include <list>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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
#include "trainer/atomic_file.h"
#include "trainer/model_bytes.h"

namespace stint {
namespace {

using nlohmann::ordered_json;

std::string KeptLine(const Catalog& all, const Catalog& kept) {
  const auto events = [](const Catalog& catalog) {
    return std::accumulate(catalog.counts.begin(), catalog.counts.end(), uint64_t{0});
  };
  return "kept " + Grouped(kept.size()) + " of " + Grouped(all.size()) + " items, " +
         Format("%.1f %% of the training events",
                100.0 * static_cast<double>(events(kept)) / static_cast<double>(events(all)));
}

// What is written must not be what is still to be read, but for a model that replaces itself.
void RefuseOverwriting(const ConvertArguments& arguments) {
  std::vector<std::string> written = {arguments.out};
  const FileKind kind = KindOfOutput(arguments.out);
  const std::string beside = WithoutEnding(arguments.out);
  if (kind == FileKind::kSafetensors) written.push_back(beside + ".config.json");
  if (kind == FileKind::kSafetensors || kind == FileKind::kOnnx) {
    written.push_back(beside + ".items.tsv");
  }
  std::vector<std::string> inputs = {arguments.config, arguments.items, arguments.test_sessions,
                                     arguments.sessions};
  if (kind != FileKind::kModel || KindOfInput(arguments.input) != FileKind::kModel) {
    inputs.push_back(arguments.input);
  }
  for (const std::string& out : written) {
    for (const std::string& in : inputs) {
      if (!in.empty()) CheckNotInput(out, in);
    }
  }
}

class Conversion {
 public:
  explicit Conversion(const ConvertArguments& arguments) : arguments_(arguments) {}

  int Run() {
    RefuseOverwriting(arguments_);
    CheckWritable(arguments_.out);
    ConvertInput input =
        ReadConvertInput(arguments_, [this](const std::string& line) { Say(line); });
    json_ = {{"input", arguments_.input}, {"input_kind", Name(input.kind)}};
    if (input.tests) json_["largest_difference"] = input.largest_difference;
    TrainedModel kept;
    const bool fewer = arguments_.keep_top > 0 && arguments_.keep_top < input.model.catalog.size();
    if (fewer) kept = KeepTop(input.model, arguments_.keep_top);
    const TrainedModel& model = fewer ? kept : input.model;
    if (fewer) Say(KeptLine(input.model.catalog, model.catalog));
    json_["items"] = model.catalog.size();
    switch (KindOfOutput(arguments_.out)) {
      case FileKind::kModel:
        WriteModel(input, model);
        break;
      case FileKind::kSafetensors:
        WriteTensors(model);
        break;
      case FileKind::kOnnx:
        WriteTexts({{arguments_.out, OnnxBytes(model, arguments_.k)},
                    {WithoutEnding(arguments_.out) + ".items.tsv", ItemListText(model.catalog)}});
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
                  const std::string& kind) {
    WriteFileAtomically(path, bytes);
    Wrote(path, bytes.size(), kind + ", ");
  }
  // All of them, made before the first is written, and written before one takes an old one's place.
  void WriteTexts(const std::vector<std::pair<std::string, std::string>>& files) {
    std::list<AtomicFile> written;
    for (const auto& [path, text] : files) {
      written.emplace_back(path).Write(text.data(), text.size());
    }
    for (AtomicFile& file : written) file.Commit();
    for (const auto& [path, text] : files) Wrote(path, text.size(), "");
  }
  void Wrote(const std::string& path, size_t size, const std::string& kind) {
    Say("wrote " + path + ": " + kind + Grouped(size) + " bytes");
    if (path == arguments_.out) {
      json_["out"] = path;
      json_["bytes"] = size;
    }
  }

  void WriteModel(const ConvertInput& input, const TrainedModel& model) {
    const KindTable table = ChooseKind(arguments_, input, model);
    const KindRow& row = table.rows[table.chosen];
    for (const std::string& note : table.notes) Say(note);
    if (!arguments_.sessions.empty() && !arguments_.json) WriteOutput(TableText(table));
    WriteBytes(arguments_.out, {row.bytes.data(), row.bytes.size()}, row.name);
    json_["kind"] = row.name;
    json_["kinds"] = TableJson(table);
  }

  void WriteTensors(const TrainedModel& model) {
    const std::string beside = WithoutEnding(arguments_.out);
    WriteTexts({{arguments_.out, SafetensorsBytes(NetworkTensors(model))},
                {beside + ".config.json", NetworkConfig(model)},
                {beside + ".items.tsv", ItemListText(model.catalog)}});
  }

  // Of the input's own file where that is what is wanted.
  void WriteSchemaJson(const ConvertInput& input, const TrainedModel& model, bool fewer) {
    if (input.kind == FileKind::kModel && !fewer) {
      WriteTexts({{arguments_.out, ModelJson(ReadAligned(arguments_.input))}});
      return;
    }
    const AlignedBytes bytes =
        BuildKind(model, KindAskedFor(arguments_, input.model), model.self_test_sessions);
    WriteTexts({{arguments_.out, ModelJson(bytes)}});
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
  return {app, [app, arguments] {
            for (const char* option : {"--threads", "--session-column", "--item-column",
                                       "--time-column", "--separator"}) {
              if (app->count(option) > 0 && arguments->sessions.empty()) {
                throw std::invalid_argument(std::string(option) + ": needs --sessions");
              }
            }
            CheckConvertArguments(*arguments);
            return Conversion(*arguments).Run();
          }};
}

}  // namespace stint
