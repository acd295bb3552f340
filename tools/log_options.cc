// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Options that `train` and `evaluate` share: how a click log is read, how many threads.
#include "tools/log_options.h"

#include <charconv>

#include "tools/common.h"

namespace stint {

void AddReadOptions(CLI::App* app, ReadOptions* options) {
  app->add_option("--session-column", options->session_column, "Header name of the session ids")
      ->group("Click log")
      ->capture_default_str();
  app->add_option("--item-column", options->item_column, "Header name of the item ids")
      ->group("Click log")
      ->capture_default_str();
  app->add_option("--time-column", options->time_column,
                  "Header name of the times: decimal numbers of any unit, for they only order")
      ->group("Click log")
      ->capture_default_str();
  app->add_option_function<std::string>(
         "--separator",
         [options](const std::string& text) {
           if (text == "tab" || text == "\\t") {
             options->separator = '\t';
           } else if (text == "comma") {
             options->separator = ',';
           } else if (text == "semicolon") {
             options->separator = ';';
           } else if (text.size() == 1 && text != "\"" && text != "\n" && text != "\r") {
             options->separator = text[0];
           } else {
             throw CLI::ValidationError("--separator", "'" + text +
                                                           "' is neither one character nor tab, "
                                                           "comma or semicolon");
           }
         },
         "What stands between fields: one character, or tab, comma, semicolon. Double quotes "
         "protect a field (RFC 4180) unless it is tab [tab if the header has one, else comma]")
      ->group("Click log")
      ->type_name("CHAR");
}

void AddThreadsOption(CLI::App* app, size_t* threads) {
  app->add_option("--threads", *threads,
                  "Number of threads, 0 to 1024; 0 is one a core. Never changes the result")
      ->check(CLI::Range(size_t{0}, size_t{1024}))
      ->capture_default_str();
}

std::vector<size_t> ParseNumbers(const std::string& option, const std::string& text, size_t low,
                                 size_t high) {
  std::vector<size_t> numbers;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    size_t number = 0;
    const char* stop = text.data() + end;
    const auto [parsed, error] = std::from_chars(text.data() + begin, stop, number);
    if (begin == end || parsed != stop || error != std::errc() || number < low || number > high) {
      throw CLI::ValidationError(option, "'" + text.substr(begin, end - begin) +
                                             "' is not a number in [" + std::to_string(low) + ", " +
                                             std::to_string(high) + "]");
    }
    numbers.push_back(number);
    begin = end + 1;
  }
  return numbers;
}

}  // namespace stint
