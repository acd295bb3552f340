// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// JSON from outside -> a value of bounded depth in which no key stood twice.
#ifndef STINT_TOOLS_CONVERT_STRICT_JSON_H_
#define STINT_TOOLS_CONVERT_STRICT_JSON_H_

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace stint {

// The library frees and prints values by recursion, and looks for a key among all of its object.
inline constexpr int kDeepestJson = 100;
inline constexpr size_t kMostJsonKeys = 10000;

// Throws std::runtime_error "path: reason" for what is no JSON, is nested deeper or has larger
// objects than that, or has a key twice in an object: readers differ in which one they take.
nlohmann::ordered_json ParseStrictJson(std::string_view text, const std::string& path);

}  // namespace stint

#endif  // STINT_TOOLS_CONVERT_STRICT_JSON_H_
