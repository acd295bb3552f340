// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Options that `train` and `evaluate` share: how a click log is read, how many threads.
#ifndef STINT_TOOLS_LOG_OPTIONS_H_
#define STINT_TOOLS_LOG_OPTIONS_H_

#include <CLI/CLI.hpp>
#include <cstddef>
#include <string>
#include <vector>

#include "trainer/events.h"

namespace stint {

// Adds --session-column, --item-column, --time-column and --separator. `options` must outlive
// the parsing.
void AddReadOptions(CLI::App* app, ReadOptions* options);
void AddThreadsOption(CLI::App* app, size_t* threads);

// "5,10,20" with every part in [low, high]; throws CLI::ValidationError that names the option.
std::vector<size_t> ParseNumbers(const std::string& option, const std::string& text, size_t low,
                                 size_t high);

}  // namespace stint

#endif  // STINT_TOOLS_LOG_OPTIONS_H_
