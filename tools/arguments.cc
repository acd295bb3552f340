// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Kinds of options that the sub-commands share.
#include "tools/arguments.h"

#include <algorithm>
#include <charconv>

#include "tools/common.h"
#include "trainer/events.h"

namespace stint {

uint64_t ParseInteger(const std::string& option, const std::string& text, uint64_t low,
                      uint64_t high) {
  uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (stop != end || error != std::errc() || number < low || number > high) {
    throw CLI::ValidationError(option, "'" + text + "' is not an integer in [" +
                                           std::to_string(low) + ", " + std::to_string(high) + "]");
  }
  return number;
}

std::vector<uint64_t> ParseIntegers(const std::string& option, const std::string& text,
                                    uint64_t low, uint64_t high) {
  std::vector<uint64_t> numbers;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    numbers.push_back(ParseInteger(option, text.substr(begin, end - begin), low, high));
    begin = end + 1;
  }
  return numbers;
}

uint64_t ParseSize(const std::string& option, const std::string& text) {
  constexpr uint64_t kBinary = 1024, kDecimal = 1000;
  const size_t end = std::min(text.find_first_not_of("0123456789"), text.size());
  const std::string unit = text.substr(end);
  const std::string letters = "KMGT";
  // "", "M", "MiB" or "MB".
  const size_t power = unit.empty() ? 0 : letters.find(unit[0]) + 1;  // 0: none of the letters
  const std::string rest = unit.empty() ? "" : unit.substr(1);
  const uint64_t base = rest == "B" ? kDecimal : kBinary;
  bool good = (unit.empty() || power > 0) && (rest.empty() || rest == "B" || rest == "iB");
  uint64_t number = 0;
  good &= std::from_chars(text.data(), text.data() + end, number).ec == std::errc();
  for (size_t i = 0; i < power && good; ++i) {
    good = number <= UINT64_MAX / base;
    number *= base;
  }
  if (!good || number < 1) {
    throw CLI::ValidationError(
        option, "'" + text + "' is not a size in [1, 16777216T), such as 8G, 1500M or 8589934592");
  }
  return number;
}

double ParseReal(const std::string& option, const std::string& text) {
  double number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (stop != end || error != std::errc()) {
    throw CLI::ValidationError(option, "'" + text + "' is not a number");
  }
  return number;
}

CLI::Option* AddReal(CLI::App* app, const std::string& option, double* target,
                     const std::string& text) {
  return app
      ->add_option_function<std::string>(
          option, [=](const std::string& value) { *target = ParseReal(option, value); }, text)
      ->type_name("X")
      ->default_str(Format("%g", *target));
}

void AddReadOptions(CLI::App* app, ReadOptions* options) {
  const auto add_column = [&](const char* option, std::string* target, const char* text) {
    app->add_option(option, *target, text)
        ->group("Click log")
        ->type_name("NAME")
        ->capture_default_str();
  };
  add_column("--session-column", &options->session_column, "Header name of the session ids");
  add_column("--item-column", &options->item_column, "Header name of the item ids");
  add_column("--time-column", &options->time_column,
             "Header name of the times: decimal numbers of any unit");
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
             throw CLI::ValidationError(
                 "--separator",
                 "'" + text + "' is neither one character nor tab, comma or semicolon");
           }
         },
         "What stands between fields: one character, or tab, comma, semicolon. Double quotes "
         "protect a field (RFC 4180) unless it is tab. If not given: tab if the header has one, "
         "else comma")
      ->group("Click log")
      ->type_name("CHAR");
}

void AddThreadsOption(CLI::App* app, size_t* threads) {
  AddInteger(app, "--threads", threads, 0, 1024,
             "Number of threads, 0 to 1024; 0 is one a core. Never changes the result");
}

}  // namespace stint
