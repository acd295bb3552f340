// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// What the sub-commands share: exit statuses, models, ids, standard output.
#include "tools/common.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <system_error>

namespace stint {

Model OpenModel(const std::string& path) {
  Model model;
  stint_error error = {};
  if (Model::FromFile(path.c_str(), &model, &error) != STINT_OK) {
    const std::string message = error.message;
    const bool names_file = message.rfind(path.substr(0, 200) + ":", 0) == 0;
    throw std::runtime_error(names_file ? message : path + ": " + message);
  }
  return model;
}

void Check(stint_status status, const std::string& what) {
  if (status != STINT_OK) throw std::runtime_error(what + ": " + stint_status_message(status));
}

stint_model_info Describe(const stint_model* model) {
  stint_model_info info = {};
  Check(stint_model_describe(model, &info), "model");
  return info;
}

uint64_t CountParameters(const NetworkSize& network) {
  const bool one_hot = network.embedding == "none";
  const uint64_t width = network.units.back();
  uint64_t inputs = width;  // shared: the items' rows
  if (one_hot) inputs = 0;
  if (network.embedding == "separate") inputs = network.embedding_width;
  uint64_t count = network.items * (width + 1);
  if (network.embedding != "shared") {
    count += network.items * (one_hot ? 3 * network.units[0] : inputs);
  }
  for (size_t l = 0; l < network.units.size(); ++l) {
    const uint64_t n = network.units[l];
    const bool reset_after = network.reset_after && !(one_hot && l == 0);
    count += 3 * n * (inputs + n + (reset_after ? 2 : 1));
    inputs = n;
  }
  return count;
}

std::optional<uint32_t> FindItem(const stint_model* model, const std::string& id) {
  uint32_t item = 0;
  stint_status status = STINT_UNKNOWN_ITEM;
  if (Describe(model).ids_are_names) {
    status = stint_item_from_name(model, id.data(), id.size(), &item);
  } else {
    int64_t number = 0;
    const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), number);
    // "007" and "7" are different ids in a log, so they are here.
    const bool canonical =
        error == std::errc() && end == id.data() + id.size() && std::to_string(number) == id;
    if (canonical) status = stint_item_from_id(model, number, &item);
  }
  if (status == STINT_UNKNOWN_ITEM) return std::nullopt;
  Check(status, "item '" + id + "'");
  return item;
}

std::string ItemText(const stint_model* model, uint32_t item) {
  if (Describe(model).ids_are_names) {
    const char* name = nullptr;
    size_t length = 0;
    Check(stint_item_name(model, item, &name, &length), "item name");
    return {name, length};
  }
  int64_t id = 0;
  Check(stint_item_id(model, item, &id), "item id");
  return std::to_string(id);
}

nlohmann::ordered_json ItemJson(const stint_model* model, uint32_t item) {
  if (Describe(model).ids_are_names) return ItemText(model, item);
  int64_t id = 0;
  Check(stint_item_id(model, item, &id), "item id");
  return id;
}

bool SplitList(const std::string& text, std::vector<std::string>* parts) {
  parts->clear();
  if (text.empty()) return true;
  parts->emplace_back();
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"' && quoted && i + 1 < text.size() && text[i + 1] == '"') {
      parts->back() += text[++i];
    } else if (text[i] == '"' && (quoted || parts->back().empty())) {
      quoted = !quoted;
    } else if (text[i] == ',' && !quoted) {
      parts->emplace_back();
    } else {
      parts->back() += text[i];
    }
  }
  return !quoted;
}

void CheckNotInput(const std::string& out, const std::string& in) {
  std::error_code absent;  // what is not there is not the same
  if (out == in || std::filesystem::equivalent(out, in, absent)) {
    throw std::invalid_argument("'" + out + "' would overwrite the input '" + in + "'");
  }
}

void CheckWritable(const std::string& path) {
  struct stat old = {};
  const bool exists = stat(path.c_str(), &old) == 0;
  int error = 0;
  if (exists && S_ISDIR(old.st_mode)) {
    error = EISDIR;
  } else if (exists && !S_ISREG(old.st_mode)) {  // a pipe or a device is written to as it is
    error = access(path.c_str(), W_OK) == 0 ? 0 : errno;
  } else {
    std::string probe = path + ".probeXXXXXX";
    const int file = mkstemp(probe.data());
    error = file < 0 ? errno : 0;
    if (file >= 0) {
      close(file);
      unlink(probe.c_str());
    }
  }
  if (error != 0) throw std::runtime_error(path + ": cannot be written: " + std::strerror(error));
}

void WriteOutput(std::string_view text) {
  // Straight to the descriptor: every failure shows here, none is left to exit().
  while (!text.empty()) {
    const ssize_t written = write(STDOUT_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      throw std::runtime_error(std::string("standard output: ") + std::strerror(errno));
    }
    text.remove_prefix(static_cast<size_t>(written));
  }
}

std::string JsonText(const nlohmann::ordered_json& json) {
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

void WriteJson(const nlohmann::ordered_json& json) { WriteOutput(JsonText(json) + "\n"); }

nlohmann::ordered_json ParseModelText(const char* text) {
  using nlohmann::ordered_json;
  constexpr int kDeepest = 100;
  constexpr size_t kShown = 60;
  bool deep = false;
  const ordered_json::parser_callback_t check = [&](int depth, auto, const auto&) {
    deep |= depth > kDeepest;
    return !deep;
  };
  ordered_json json = ordered_json::parse(text, check, /*allow_exceptions=*/false);
  if (deep) return {{"text", Shortened(text, kShown)}};
  return json.is_object() ? json : ordered_json{{"text", text}};
}

std::string Escaped(std::string_view text) {
  std::string escaped;
  const auto byte = [&](size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  for (size_t i = 0; i < text.size();) {
    // U+0080 to U+009F are controls too: a terminal may take U+009B for ESC [.
    const bool two = byte(i) == 0xc2 && byte(i + 1) >= 0x80 && byte(i + 1) < 0xa0;
    const bool one = byte(i) < 0x20 || byte(i) == 0x7f;
    for (const size_t end = i + (two ? 2 : 1); i < end; ++i) {
      escaped += one || two ? Format("\\x%02x", byte(i)) : std::string(1, text[i]);
    }
  }
  return escaped;
}

std::string Shortened(std::string_view text, size_t most) {
  if (text.size() <= most) return std::string(text);
  size_t end = most;
  const auto continues = [&](size_t at) {
    return (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;
  };
  while (end > 0 && most - end < 3 && continues(end)) --end;
  return std::string(text.substr(0, end)) + "...";
}

std::string Grouped(uint64_t number) {
  std::string text = std::to_string(number);
  for (size_t i = text.size(); i > 3; i -= 3) text.insert(i - 3, 1, ',');
  return text;
}

std::string Format(const char* format, ...) {
  std::va_list arguments;
  va_start(arguments, format);
  std::va_list again;
  va_copy(again, arguments);
  std::string text(static_cast<size_t>(std::vsnprintf(nullptr, 0, format, arguments)), '\0');
  std::vsnprintf(text.data(), text.size() + 1, format, again);
  va_end(again);
  va_end(arguments);
  return text;
}

}  // namespace stint
