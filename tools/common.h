// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// What the sub-commands share: exit statuses, models, ids, standard output. Uses the
// runtime alone.
#ifndef STINT_TOOLS_COMMON_H_
#define STINT_TOOLS_COMMON_H_

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stint/stint.hpp"

namespace stint {

enum ExitStatus {
  kExitOk = 0,
  kExitFailure = 1,        // training diverged, out of memory, a fault of stint itself
  kExitUsage = 2,          // the command line
  kExitData = 3,           // bad input, bad model, reading or writing failed
  kExitInterrupted = 130,  // as shells say it of SIGINT
};

// Throws std::runtime_error "path: what is wrong".
Model OpenModel(const std::string& path);
// Throws std::runtime_error "what: status message" unless `status` is STINT_OK.
void Check(stint_status status, const std::string& what);
stint_model_info Describe(const stint_model* model);

// What a network's size follows from, in the words of stint_model_info and of the trainer's
// options.
struct NetworkSize {
  std::vector<uint64_t> units;       // of each layer
  bool reset_after = true;           // of all layers, but the first under embedding "none"
  std::string embedding = "shared";  // "shared", "separate", "none"
  uint64_t embedding_width = 0;      // of "separate"
  uint64_t items = 0;
};

// Trainable numbers of a network: gates, biases, rows of inputs, rows of items and their biases.
uint64_t CountParameters(const NetworkSize& network);

// External ids as text. Integers are found by their value, in canonical form.
std::optional<uint32_t> FindItem(const stint_model* model, const std::string& id);
std::string ItemText(const stint_model* model, uint32_t item);
// A number or a string, as the model has it.
nlohmann::ordered_json ItemJson(const stint_model* model, uint32_t item);

// "a,b", with "" around what has commas itself: "\"a,b\",c" is two parts. False if a quote is not
// closed.
bool SplitList(const std::string& text, std::vector<std::string>* parts);

// Throws std::invalid_argument if the file to write is one that is read, by whatever name.
void CheckNotInput(const std::string& out, const std::string& in);

// Fails before long work, not after it, if `path` could not be written. Throws std::runtime_error
// "path: cannot be written: reason".
void CheckWritable(const std::string& path);

// All of `text` to standard output; throws std::runtime_error if that fails.
void WriteOutput(std::string_view text);
void WriteJson(const nlohmann::ordered_json& json);
// Indented; bytes that are not UTF-8 (ids may have any) become U+FFFD.
std::string JsonText(const nlohmann::ordered_json& json);
// Hyper-parameters or training summary of a model: the JSON object that the text is; if it is none
// {"text": the text}, and of one nested more than 100 deep only its beginning, as the JSON library
// copies and prints values by recursion.
nlohmann::ordered_json ParseModelText(const char* text);
// With its control bytes as "\x0a", so that it stays on its line and in its column.
std::string Escaped(std::string_view text);
// At most `most` bytes of it, whole UTF-8 characters, and "..." if that is not all.
std::string Shortened(std::string_view text, size_t most);
// "1,234,567".
std::string Grouped(uint64_t number);
// std::string by printf.
std::string Format(const char* format, ...) __attribute__((format(printf, 1, 2)));

}  // namespace stint

#endif  // STINT_TOOLS_COMMON_H_
