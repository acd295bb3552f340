// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Model file -> what is in it: header, sizes, sections, training summary, chosen SIMD target.
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "stint/stint.h"
#include "tools/commands.h"
#include "tools/common.h"

namespace stint {
namespace {

using nlohmann::ordered_json;

struct InspectArguments {
  std::string model;
  bool json = false;
};

// Rows and columns of the matrix or list in a section, and what it is made of: schema/README.md.
struct SectionForm {
  std::vector<uint64_t> shape;
  std::string kind;
};

SectionForm FormOf(const std::string& name, const stint_model_info& info) {
  const uint64_t items = info.items, width = info.units[info.layers - 1];
  const std::string layers = info.layer_dtype, rows = info.dtype;
  if (name.rfind("layer", 0) == 0) {
    const size_t dot = name.find('.');
    const size_t l = std::stoul(name.substr(5, dot - 5));
    const uint64_t units = info.units[l];
    const uint64_t inputs = l > 0 ? info.units[l - 1] : info.embedding_width;
    return {{3 * units, name.substr(dot + 1) == "input_weights" ? inputs : units},
            layers + " panels"};
  }
  if (name == "item_rows") {
    const bool floats = std::string(info.scoring) == "exact";
    return {{items, width}, floats ? "f32 rows" : rows + " panels"};
  }
  if (name == "input_rows") {
    if (info.embedding_width > 0) return {{items, info.embedding_width}, layers + " rows"};
    return {{3 * items, info.units[0]}, layers + " rows"};
  }
  if (name == "item_biases") return {{items}, "f32"};
  if (name == "id_numbers") return {{items}, "int64"};
  if (name == "id_name_offsets") return {{items + 1}, "uint32"};
  if (name == "id_order" || name == "counts") return {{items}, "uint32"};
  if (name == "cascade.projection")
    return {{info.cascade_columns + uint64_t{1}, width}, "f32 panels"};
  if (name == "cascade.codes") return {{items, info.cascade_columns}, "4-bit scan tiles"};
  if (name == "cascade.rows") return {{items, width}, "int8 candidate rows"};
  return {{}, name == "id_names" ? "text" : ""};
}

std::string ShapeText(const ordered_json& shape) {
  std::string text;
  for (const ordered_json& n : shape) {
    if (!text.empty()) text += " x ";
    text += Grouped(n.get<uint64_t>());
  }
  return text;
}

ordered_json ToJson(const std::string& path, const stint_model* model) {
  const stint_model_info info = Describe(model);
  ordered_json json;
  json["model"] = path;
  json["format_version"] = info.format_version;
  json["file_size"] = info.file_size;
  json["dtype"] = info.dtype;
  json["layer_dtype"] = info.layer_dtype;
  json["scoring"] = info.scoring;
  json["cascade_columns"] = info.cascade_columns;
  json["gru_form"] = info.gru_form;
  json["layers"] = std::vector<uint32_t>(info.units, info.units + info.layers);
  json["layer_gru_forms"] =
      std::vector<std::string>(info.layer_gru_forms, info.layer_gru_forms + info.layers);
  json["embedding"] = info.embedding;
  json["embedding_width"] = info.embedding_width;
  json["hidden_activation"] = info.hidden_activation;
  json["final_activation"] = info.final_activation;
  json["items"] = info.items;
  json["parameters"] =
      CountParameters({.units = std::vector<uint64_t>(info.units, info.units + info.layers),
                       .reset_after = std::string(info.gru_form) == "reset_after",
                       .embedding = info.embedding,
                       .embedding_width = info.embedding_width,
                       .items = info.items});
  json["ids"] = info.ids_are_names ? "names" : "integers";
  json["training_events"] = info.training_events;
  json["self_tests"] = info.self_tests;
  json["session_size"] = stint_session_size(model, 20);
  json["hyperparameters"] = ParseModelText(info.hyperparameters);
  json["training_summary"] = ParseModelText(info.training_summary);
  json["scanned_bytes"] = 0;  // here, so that it does not stand behind the sections
  json["sections"] = ordered_json::array();
  // What every top-k reads from its first byte to its last.
  const char* const scanned = info.cascade_columns > 0 ? "cascade.codes" : "item_rows";
  stint_section_info section = {};
  for (uint32_t i = 0; stint_model_section(model, i, &section) == STINT_OK; ++i) {
    if (std::strcmp(section.name, scanned) == 0) json["scanned_bytes"] = section.size;
    const SectionForm form = FormOf(section.name, info);
    json["sections"].push_back({{"name", section.name},
                                {"shape", form.shape},
                                {"kind", form.kind},
                                {"offset", section.offset},
                                {"size", section.size},
                                {"xxh3", Format("%016llx", (unsigned long long)section.xxh3)}});
  }
  json["target"] = stint_target();
  json["version"] = stint_version();
  return json;
}

// One "key: value" a line under `title`; objects in objects are indented further.
void AppendObject(const std::string& title, const ordered_json& object, int indent,
                  std::string* text) {
  const std::string margin(static_cast<size_t>(indent), ' ');
  *text += margin + Escaped(title) + "\n";
  for (const auto& [key, value] : object.items()) {
    if (value.is_object()) {
      AppendObject(key, value, indent + 2, text);
    } else {
      const std::string shown =
          value.is_string() ? value.get<std::string>()
                            : value.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
      *text += margin + Format("  %-20s  ", Escaped(key).c_str()) + Escaped(shown) + "\n";
    }
  }
}

std::string ToText(const ordered_json& json) {
  std::string text;
  const auto line = [&](const char* key, const std::string& value) {
    text += Format("%-18s", key) + value + "\n";
  };
  const auto number = [&](const char* key) { return Grouped(json.at(key).get<uint64_t>()); };
  const auto word = [&](const char* key) { return json.at(key).get<std::string>(); };
  line("model", word("model"));
  line("format version", number("format_version"));
  line("file size", number("file_size") + " bytes");
  line("weights", word("dtype") == word("layer_dtype")
                      ? word("dtype")
                      : word("dtype") + " item rows, " + word("layer_dtype") + " layers");
  const uint64_t columns = json.at("cascade_columns").get<uint64_t>();
  line("scoring",
       (columns > 0 ? "cascade " + word("scoring") + ", " + Grouped(columns) + " columns of codes"
                    : word("scoring")) +
           ", " + number("scanned_bytes") + " bytes scanned for a top-k");
  std::string layers, forms;
  for (const auto& units : json.at("layers")) {
    layers += (layers.empty() ? "" : ", ") + std::to_string(units.get<uint32_t>());
  }
  bool mixed = false;
  for (const auto& form : json.at("layer_gru_forms")) {
    forms += (forms.empty() ? "" : ", ") + form.get<std::string>();
    mixed |= form != json.at("layer_gru_forms")[0];
  }
  if (!mixed) forms = json.at("layer_gru_forms")[0].get<std::string>();
  line("GRU", layers + " units, " + forms);
  line("hidden activation", word("hidden_activation"));
  const uint64_t width = json.at("embedding_width").get<uint64_t>();
  line("embedding",
       word("embedding") + (width > 0 ? ", " + Grouped(width) + " wide" : ": one-hot input"));
  line("final activation", word("final_activation") + " (in training)");
  line("items", number("items") + ", ids are " + word("ids"));
  line("parameters", number("parameters"));
  line("training events", number("training_events"));
  line("self-tests", number("self_tests"));
  line("session", number("session_size") + " bytes each, for the 20 best");
  line("SIMD target", word("target"));
  line("stint", word("version"));
  text += Format("\n%-22s %16s  %-19s %13s %13s  %s\n", "section", "shape", "kind", "offset",
                 "bytes", "XXH3-64");
  for (const auto& section : json.at("sections")) {
    text += Format(
        "%-22s %16s  %-19s %13s %13s  %s\n", section.at("name").get<std::string>().c_str(),
        ShapeText(section.at("shape")).c_str(), section.at("kind").get<std::string>().c_str(),
        Grouped(section.at("offset").get<uint64_t>()).c_str(),
        Grouped(section.at("size").get<uint64_t>()).c_str(),
        section.at("xxh3").get<std::string>().c_str());
  }
  text += "\n";
  AppendObject("hyperparameters", json.at("hyperparameters"), 0, &text);
  text += "\n";
  AppendObject("training", json.at("training_summary"), 0, &text);
  return text;
}

int RunInspect(const InspectArguments& arguments) {
  const Model model = OpenModel(arguments.model);
  const ordered_json json = ToJson(arguments.model, model.get());
  if (arguments.json) {
    WriteJson(json);
  } else {
    WriteOutput(ToText(json));
  }
  return kExitOk;
}

}  // namespace

Command AddInspectCommand(CLI::App* cli) {
  auto arguments = std::make_shared<InspectArguments>();
  CLI::App* app = cli->add_subcommand(
      "inspect",
      "Show what a model file holds: network, sizes, sections with their checksums, how it was "
      "trained; and the SIMD target that this machine runs it with.");
  app->add_option("MODEL", arguments->model, "Model file")->required();
  app->add_flag("--json", arguments->json, "Print one JSON object instead of text");
  return {app, [arguments] { return RunInspect(*arguments); }};
}

}  // namespace stint
