// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

#include "trainer/activation.h"

#include <charconv>
#include <stdexcept>
#include <string_view>
#include <vector>

namespace stint {
namespace {

struct Form {
  const char* name;
  ActivationKind kind;
  std::vector<double> defaults;  // of the parameters, in the order of the text
};

const std::vector<Form>& Forms() {
  static const std::vector<Form> forms = {{"softmax", ActivationKind::kSoftmax, {}},
                                          {"linear", ActivationKind::kLinear, {}},
                                          {"relu", ActivationKind::kRelu, {}},
                                          {"tanh", ActivationKind::kTanh, {}},
                                          {"leaky", ActivationKind::kLeakyRelu, {0.01}},
                                          {"elu", ActivationKind::kElu, {1.0}},
                                          {"selu", ActivationKind::kSelu, {1.0507, 1.67326}}};
  return forms;
}

std::string Number(double value) {
  char text[400];  // without an exponent, whose sign would be a dash
  const auto end = std::to_chars(text, text + sizeof(text), value, std::chars_format::fixed).ptr;
  return std::string(text, end);
}

// "0.5-1.6" -> numbers. False if a part is none: signs and exponents are no part of the form.
bool ParseParameters(std::string_view text, std::vector<double>* values) {
  while (true) {
    const size_t dash = text.find('-');
    const std::string_view part = text.substr(0, dash);
    double value = 0;
    const auto result =
        std::from_chars(part.data(), part.data() + part.size(), value, std::chars_format::fixed);
    if (result.ec != std::errc() || result.ptr != part.data() + part.size()) return false;
    values->push_back(value);
    if (dash == std::string_view::npos) return true;
    text.remove_prefix(dash + 1);
  }
}

}  // namespace

Activation ParseActivation(const std::string& option, const std::string& text) {
  const size_t dash = text.find('-');
  const std::string name = text.substr(0, dash);
  for (const Form& form : Forms()) {
    if (name != form.name) continue;
    std::vector<double> values;
    const bool given = dash != std::string::npos;
    if (given && (!ParseParameters(std::string_view(text).substr(dash + 1), &values) ||
                  values.size() != form.defaults.size())) {
      throw std::invalid_argument(option + ": '" + text + "': " + name + " takes " +
                                  (form.defaults.empty()
                                       ? std::string("no parameter")
                                       : std::to_string(form.defaults.size()) +
                                             (form.defaults.size() == 1 ? " number" : " numbers") +
                                             ", each after a dash"));
    }
    if (!given) values = form.defaults;
    for (const double value : values) {
      if (!(value > 0 && value <= 1e6)) {
        throw std::invalid_argument(option + ": '" + text + "': " + Number(value) +
                                    " is not in (0, 1e6]");
      }
    }
    Activation activation{.kind = form.kind};
    if (!values.empty()) activation.alpha = values.back();
    if (values.size() == 2) activation.scale = values[0];
    return activation;
  }
  throw std::invalid_argument(option + ": '" + text +
                              "' is none of softmax, linear, relu, tanh, leaky-ALPHA, elu-ALPHA, "
                              "selu-SCALE-ALPHA");
}

std::string Name(const Activation& activation) {
  for (const Form& form : Forms()) {
    if (form.kind != activation.kind) continue;
    std::string text = form.name;
    if (form.defaults.size() == 2) text.append("-").append(Number(activation.scale));
    if (!form.defaults.empty()) text.append("-").append(Number(activation.alpha));
    return text;
  }
  return "?";
}

}  // namespace stint
