// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Command line of `stint convert` -> what is to be converted to what.
#include "tools/convert_arguments.h"

#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "tools/arguments.h"

namespace stint {
namespace {

constexpr std::pair<const char*, FileKind> kEndings[] = {
    {".stint", FileKind::kModel}, {".safetensors", FileKind::kSafetensors},
    {".npz", FileKind::kNpz},     {".onnx", FileKind::kOnnx},
    {".json", FileKind::kJson},
};

bool HasEnding(const std::string& path, const std::string& ending) {
  return path.size() > ending.size() && path.ends_with(ending);
}

// "0.5%". Without the sign it could mean either.
double ParseLoss(const std::string& text) {
  const bool percent = !text.empty() && text.back() == '%';
  const char* const end = text.data() + text.size() - (percent ? 1 : 0);
  double number = 0;
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (!percent || stop != end || error != std::errc() || !(number >= 0 && number < 100)) {
    throw CLI::ValidationError("--max-loss",
                               "'" + text + "' is no share from 0% up to 100%, such as 0.5%");
  }
  return number / 100;
}

template <typename T>
void AddChoice(CLI::App* app, const std::string& option, std::initializer_list<T> values,
               std::optional<T>* target, const std::string& text, const std::string& otherwise) {
  const std::vector<T> list = values;
  app->add_option_function<std::string>(
         option, [=](const std::string& word) { *target = ParseName(option, word, list); }, text)
      ->type_name("NAME")
      ->default_str(otherwise)
      ->group("Model");
}

void AddImportOptions(CLI::App* app, ConvertArguments* arguments) {
  const std::string group = "Networks from elsewhere";
  app->add_option("--config", arguments->config,
                  "What the tensors of a safetensors or npz file mean: JSON with the keys of "
                  "tools/convert/README.md (embedding, layers, convention, ...)")
      ->type_name("FILE")
      ->group(group);
  app->add_option(
         "--items", arguments->items,
         "The items in the order of the network's rows: TSV with the column ItemId and, if "
         "it is known, Count (events in training, for empty sessions)")
      ->type_name("FILE")
      ->group(group);
  AddInteger(app, "--padding-rows", &arguments->padding_rows, 0, INT32_MAX,
             "So many rows at the start of an ONNX graph's embedding belong to no item, as with "
             "padding_idx=0. (Of tensors the config says it.)")
      ->group(group);
  app->add_option("--test-sessions", arguments->test_sessions,
                  "Sessions with the scores that the network gives where it comes from: they are "
                  "replayed, and nothing is written if one differs by more than the file's "
                  "tolerance")
      ->type_name("FILE")
      ->group(group);
}

void AddModelOptions(CLI::App* app, ConvertArguments* arguments) {
  AddChoice(app, "--dtype", {DType::kF32, DType::kBf16, DType::kInt8, DType::kInt4},
            &arguments->dtype, "f32, bf16, int8 or int4: the item rows in the model file",
            "as the input is, f32 from elsewhere");
  AddChoice(app, "--layer-dtype", {DType::kF32, DType::kInt8}, &arguments->layer_dtype,
            "f32 or int8: the GRU layers. Rows of f32 go over layers of f32, of int8 over int8; "
            "bf16 and int4 over either. With --scoring exact, rows of f32 over either",
            "as the input is, or int8 where the rows are not f32");
  AddChoice(
      app, "--scoring", {Scoring::kScan, Scoring::kInt8, Scoring::kExact}, &arguments->scoring,
      "scan, int8 or exact: how the runtime finds a top-k, as for `stint train`. A cascade is "
      "fitted to the clicks of --sessions, or else to the sessions that the model is tested with",
      "as the input is where the kind has it, else scan");
  AddInteger(app, "--keep-top", &arguments->keep_top, 1, UINT32_MAX,
             "Keep so many items, those with the most training events")
      ->default_str("all")
      ->group("Model");
  app->add_option_function<std::string>(
         "--target-size",
         [arguments](const std::string& text) {
           arguments->target_size = ParseSize("--target-size", text);
         },
         "Find the kind of model: no larger than so many bytes, of those the one that loses least "
         "on --sessions, without them the one of the widest weights. 2MB is 2,000,000, 2M or 2MiB "
         "is 2,097,152")
      ->type_name("SIZE")
      ->group("Model");
  app->add_option_function<std::string>(
         "--max-loss",
         [arguments](const std::string& text) { arguments->max_loss = ParseLoss(text); },
         "Find the kind of model: the smallest that loses, of recall and of MRR, no more than this "
         "share; what counts is the upper end of the 95 % interval. Needs --sessions")
      ->type_name("SHARE")
      ->group("Model");
}

void AddMeasureOptions(CLI::App* app, ConvertArguments* arguments) {
  const std::string group = "Measuring";
  app->add_option("--sessions", arguments->sessions,
                  "Click log as for `stint evaluate`: prints bytes, recall and MRR with 95 % "
                  "intervals (bootstrap over sessions), loss against the input, and the overlap of "
                  "the top-k, for each kind, or for the one of --dtype")
      ->type_name("LOG")
      ->group(group);
  app->add_option_function<std::string>(
         "-k",
         [arguments](const std::string& text) {
           arguments->k = static_cast<uint32_t>(ParseInteger("-k", text, 1, 1000000));
           arguments->k_given = true;
         },
         "Items of a recommendation: of what is measured, and of an ONNX graph's TopK")
      ->type_name("N")
      ->default_str("20")
      ->group(group);
  AddThreadsOption(app, &arguments->threads);
  AddReadOptions(app, &arguments->read);
}

}  // namespace

const char* Name(FileKind kind) {
  switch (kind) {
    case FileKind::kModel:
      return "stint model";
    case FileKind::kSafetensors:
      return "safetensors";
    case FileKind::kNpz:
      return "npz";
    case FileKind::kOnnx:
      return "ONNX";
    case FileKind::kJson:
      return "JSON";
  }
  return "?";
}

std::string WithoutEnding(const std::string& path) {
  for (const auto& [ending, kind] : kEndings) {
    if (HasEnding(path, ending)) return path.substr(0, path.size() - std::strlen(ending));
  }
  return path;
}

FileKind KindOfInput(const std::string& path) {
  std::error_code unknown;
  if (std::filesystem::exists(path, unknown) && !std::filesystem::is_regular_file(path, unknown)) {
    throw std::runtime_error(path + ": is no regular file");
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error(path + ": cannot be opened: " + std::strerror(errno));
  char head[12] = {};
  file.read(head, sizeof(head));
  if (std::memcmp(head + 4, "STNT", 4) == 0) return FileKind::kModel;
  if (std::memcmp(head, "PK\x03\x04", 4) == 0) return FileKind::kNpz;
  // Before the pickle: the size of a header, which a file begins with, may be the mark of one; 640,
  // 896, 1152 and 1408 are. ONNX files say nothing of themselves but by their name.
  if (head[8] == '{' && !HasEnding(path, ".onnx")) return FileKind::kSafetensors;
  if (head[0] == '\x80' && head[1] >= 2 && head[1] <= 5) {
    throw std::runtime_error(path + ": a Python pickle: tools/python has exporters of these");
  }
  if (HasEnding(path, ".onnx")) return FileKind::kOnnx;
  throw std::runtime_error(path +
                           ": neither a stint model nor safetensors, npz or (by its name) ONNX");
}

FileKind KindOfOutput(const std::string& path) {
  for (const auto& [ending, kind] : kEndings) {
    if (kind != FileKind::kNpz && HasEnding(path, ending)) return kind;
  }
  throw std::invalid_argument("--out: '" + path +
                              "' ends in none of .stint, .safetensors, .onnx, .json");
}

void AddConvertOptions(CLI::App* app, ConvertArguments* arguments) {
  app->add_option("INPUT", arguments->input,
                  "A stint model, or a network from elsewhere: .safetensors, .npz or .onnx")
      ->required();
  app->add_option(
         "-o,--out", arguments->out,
         "File to write, by its ending: .stint, .safetensors (and .config.json, .items.tsv "
         "beside it), .onnx (and .items.tsv beside it) or .json (of the model's schema)")
      ->required();
  AddImportOptions(app, arguments);
  AddModelOptions(app, arguments);
  AddMeasureOptions(app, arguments);
  app->add_flag("--quiet", arguments->quiet, "Print errors, and the table of --sessions, alone");
  app->add_flag("--json", arguments->json,
                "Print one JSON object: out, bytes, kind, items, largest_difference, kinds, ...");
}

void CheckConvertArguments(const ConvertArguments& arguments) {
  const auto refuse = [](bool wrong, const char* message) {
    if (wrong) throw std::invalid_argument(message);
  };
  const bool model = KindOfOutput(arguments.out) == FileKind::kModel;
  const bool kind = arguments.dtype || arguments.layer_dtype || arguments.scoring;
  refuse(
      !model && (kind || arguments.Searches()),
      "--dtype, --layer-dtype, --scoring, --target-size, --max-loss: these are of a stint model, "
      "--out is of another kind");
  refuse(!model && !arguments.sessions.empty(), "--sessions: --out is no stint model");
  refuse(arguments.Searches() && (arguments.dtype || arguments.layer_dtype),
         "--dtype or --layer-dtype: --target-size and --max-loss find the kind");
  refuse(arguments.Searches() && arguments.scoring && *arguments.scoring != Scoring::kScan,
         "--scoring: --target-size and --max-loss find the smallest kind, which is a scan's");
  refuse(arguments.k_given && arguments.sessions.empty() &&
             KindOfOutput(arguments.out) != FileKind::kOnnx,
         "-k: of what is measured with --sessions, or of an ONNX graph");
  refuse(arguments.max_loss && arguments.sessions.empty(),
         "--max-loss: needs --sessions to measure with");
}

}  // namespace stint
