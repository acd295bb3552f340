// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Kinds of options that the sub-commands share. Text that is no such value, or out of range, is
// refused while parsing, with option, value and range.
#ifndef STINT_TOOLS_ARGUMENTS_H_
#define STINT_TOOLS_ARGUMENTS_H_

#include <CLI/CLI.hpp>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

namespace stint {

struct ReadOptions;  // trainer/events.h

// An integer in [low, high] without sign or blanks. Throws CLI::ValidationError.
uint64_t ParseInteger(const std::string& option, const std::string& text, uint64_t low,
                      uint64_t high);
// "5,10,20", every part as above.
std::vector<uint64_t> ParseIntegers(const std::string& option, const std::string& text,
                                    uint64_t low, uint64_t high);
// Bytes: "1000000", "4G", "800K" or "4GiB" in powers of 1024, "4GB" in powers of 1000.
uint64_t ParseSize(const std::string& option, const std::string& text);
// A decimal number; its range is left to Validate(Options).
double ParseReal(const std::string& option, const std::string& text);

// In all of these `target` must outlive the parsing; its value is the default that --help shows.
template <typename T>
CLI::Option* AddInteger(CLI::App* app, const std::string& option, T* target, uint64_t low,
                        uint64_t high, const std::string& text) {
  return app
      ->add_option_function<std::string>(
          option,
          [=](const std::string& value) {
            *target = static_cast<T>(ParseInteger(option, value, low, high));
          },
          text)
      ->type_name("N")
      ->default_str(std::to_string(*target));
}

CLI::Option* AddReal(CLI::App* app, const std::string& option, double* target,
                     const std::string& text);

// The value whose Name() is `word`. Throws CLI::ValidationError with all names.
template <typename T>
T ParseName(const std::string& option, const std::string& word, const std::vector<T>& values) {
  std::string names;
  for (const T value : values) {
    if (word == Name(value)) return value;
    names += (names.empty() ? "" : ", ") + std::string(Name(value));
  }
  throw CLI::ValidationError(option, "'" + word + "' is none of " + names);
}

template <typename T>
CLI::Option* AddNamed(CLI::App* app, const std::string& option, std::initializer_list<T> values,
                      T* target, const std::string& text) {
  const std::vector<T> list = values;
  return app
      ->add_option_function<std::string>(
          option, [=](const std::string& word) { *target = ParseName(option, word, list); }, text)
      ->type_name("NAME")
      ->default_str(Name(*target));
}

// --session-column, --item-column, --time-column and --separator.
void AddReadOptions(CLI::App* app, ReadOptions* options);
// --threads.
void AddThreadsOption(CLI::App* app, size_t* threads);

}  // namespace stint

#endif  // STINT_TOOLS_ARGUMENTS_H_
