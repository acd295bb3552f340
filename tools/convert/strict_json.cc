// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// JSON from outside -> a value of bounded depth in which no key stood twice.
#include "tools/convert/strict_json.h"

#include <set>
#include <stdexcept>
#include <vector>

namespace stint {

using nlohmann::ordered_json;

ordered_json ParseStrictJson(std::string_view text, const std::string& path) {
  std::vector<std::set<std::string>> keys;  // of the objects that are open
  const auto fail = [&](const std::string& reason) { throw std::runtime_error(path + reason); };
  const ordered_json::parser_callback_t check = [&](int depth, ordered_json::parse_event_t event,
                                                    ordered_json& parsed) {
    using Event = ordered_json::parse_event_t;
    if (depth > kDeepestJson) {
      fail(": nested more than " + std::to_string(kDeepestJson) + " deep");
    }
    if (event == Event::object_start) keys.emplace_back();
    if (event == Event::object_end) keys.pop_back();
    if (event == Event::key) {
      const std::string key = parsed.get<std::string>();
      if (!keys.back().insert(key).second) fail(": the key '" + key + "' stands twice");
      if (keys.back().size() > kMostJsonKeys) {
        fail(": an object of more than " + std::to_string(kMostJsonKeys) + " keys");
      }
    }
    return true;
  };
  try {
    return ordered_json::parse(text.begin(), text.end(), check);
  } catch (const ordered_json::exception& e) {
    const std::string message = e.what();  // "[json.exception.parse_error.101] parse error at ..."
    const size_t end = message.find("] ");
    throw std::runtime_error(
        path + ": no JSON: " + (end == std::string::npos ? message : message.substr(end + 2)));
  }
}

}  // namespace stint
