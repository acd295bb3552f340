// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// JSON lines -> a space of training parameters; number of a trial -> a point in it.
#include "tools/tune_space.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <stdexcept>

#include "tools/common.h"
#include "trainer/random.h"

namespace stint {
namespace {

using nlohmann::ordered_json;
using Kind = SpaceParameter::Kind;

constexpr double kLargestInt = 9007199254740992;  // 2^53: exact as a double

// The text of a choice, as the papers' code writes it: True, 100/50, 0.5.
std::string ChoiceText(const ordered_json& value) {
  if (value.is_boolean()) return value.get<bool>() ? "True" : "False";
  if (value.is_null()) return "None";
  if (value.is_number()) return value.dump();
  if (!value.is_string()) throw std::runtime_error("values: " + value.dump() + " is no choice");
  const std::string text = value.get<std::string>();
  if (text.find(',') != std::string::npos) {
    throw std::runtime_error("values: '" + text + "' has a comma; lists have / between, as 100/50");
  }
  return text;
}

double Number(const char* key, const ordered_json& value, bool whole) {
  if (!value.is_number()) {
    throw std::runtime_error(std::string(key) + ": " + value.dump() + " is not a number");
  }
  const double number = value.get<double>();
  if (!std::isfinite(number) ||
      (whole && (number != std::floor(number) || std::fabs(number) > kLargestInt))) {
    throw std::runtime_error(std::string(key) + ": " + value.dump() + " is not " +
                             (whole ? "an integer, as dtype int asks for" : "finite"));
  }
  return number;
}

void ReadRange(const ordered_json& object, SpaceParameter* parameter) {
  const ordered_json& values = object.at("values");
  const bool whole = parameter->kind == Kind::kInt;
  if (values.size() != 2) {
    throw std::runtime_error("values: " + values.dump() + " is not [low, high]");
  }
  parameter->low = Number("values", values[0], whole);
  parameter->high = Number("values", values[1], whole);
  if (parameter->low > parameter->high) {
    throw std::runtime_error("values: " + values.dump() + " is not [low, high]: it falls");
  }
  if (const auto step = object.find("step"); step != object.end() && !step->is_null()) {
    parameter->step = Number("step", *step, whole);
    if (!(parameter->step > 0))
      throw std::runtime_error("step: " + step->dump() + " is not above 0");
  }
  if (const auto log = object.find("log"); log != object.end() && !log->is_null()) {
    if (!log->is_boolean()) throw std::runtime_error("log: " + log->dump() + " is no truth value");
    parameter->log = log->get<bool>();
  }
  if (parameter->log && parameter->low <= 0) {
    throw std::runtime_error("log: the range " + values.dump() + " does not lie above 0");
  }
  if (parameter->log && parameter->step > (whole ? 1 : 0)) {
    throw std::runtime_error("log: does not go with step " + object.at("step").dump());
  }
}

// What a user's hand may have put there, checked by setting it alone.
void TryValue(const std::string& name, const std::string& text) {
  if (name == "adapt_params") return;  // has a meaning only beside adapt
  GivenOptions given;
  std::vector<std::string> notes;
  Assign("values", {{name, text}}, &given, &notes);
  try {
    Complete(&given);
  } catch (const OptionError& e) {
    // Out of range is so always; what does not go with the other defaults may go with others.
    if (e.kind() == OptionError::Kind::kRange) throw;
  }
}

std::string NumberText(const SpaceParameter& parameter, double value) {
  if (parameter.kind == Kind::kInt) return Format("%.0f", value);
  // Steps of 0.05 are not exact: 12 digits make 0.15 of them. Without steps 6 are enough.
  return Format(parameter.step > 0 ? "%.12g" : "%.6g", value);
}

SpaceParameter ReadParameter(const ordered_json& object) {
  if (!object.is_object()) throw std::runtime_error("not a JSON object");
  for (const auto& [key, value] : object.items()) {
    if (key != "name" && key != "dtype" && key != "values" && key != "step" && key != "log") {
      throw std::runtime_error("'" + key + "' is none of name, dtype, values, step, log");
    }
  }
  for (const char* key : {"name", "dtype", "values"}) {
    if (!object.contains(key)) throw std::runtime_error(std::string(key) + " is missing");
  }
  if (!object.at("name").is_string()) {
    throw std::runtime_error("name: " + object.at("name").dump() + " is not a text");
  }
  SpaceParameter parameter;
  parameter.name = object.at("name");
  if (!IsKnownName(parameter.name)) {
    throw std::runtime_error("no parameter '" + parameter.name + "'; there are " + KnownNames());
  }
  const ordered_json& values = object.at("values");
  if (!values.is_array() || values.empty()) {
    throw std::runtime_error("values: " + values.dump() + " is not a list");
  }
  const ordered_json& dtype = object.at("dtype");
  if (dtype == "categorical") {
    parameter.kind = Kind::kCategorical;
    for (const char* key : {"step", "log"}) {
      const auto found = object.find(key);
      if (found != object.end() && *found != ordered_json() && *found != ordered_json(false)) {
        throw std::runtime_error(std::string(key) + ": a categorical parameter has none");
      }
    }
    for (const ordered_json& value : values) parameter.choices.push_back(ChoiceText(value));
    for (const std::string& choice : parameter.choices) TryValue(parameter.name, choice);
    return parameter;
  }
  if (dtype != "int" && dtype != "float") {
    throw std::runtime_error("dtype: " + dtype.dump() + " is none of int, float, categorical");
  }
  parameter.kind = dtype == "int" ? Kind::kInt : Kind::kFloat;
  ReadRange(object, &parameter);
  for (const double end : {parameter.low, parameter.high}) {
    TryValue(parameter.name, NumberText(parameter, end));
  }
  return parameter;
}

double DrawNumber(const SpaceParameter& parameter, double unit) {
  const double low = parameter.low;
  const double high = parameter.high;
  const bool whole = parameter.kind == Kind::kInt;
  if (parameter.log) {
    // Whole numbers get the same width of the line in front of and behind them.
    const double from = std::log(whole ? low - 0.5 : low);
    const double to = std::log(whole ? high + 0.5 : high);
    const double value = std::exp(from + unit * (to - from));
    return std::clamp(whole ? std::round(value) : value, low, high);
  }
  const double step = whole && parameter.step == 0 ? 1 : parameter.step;
  if (step == 0) return low + unit * (high - low);
  const double last = std::floor((high - low) / step + 1e-9);
  return low + step * std::min(last, std::floor(unit * (last + 1)));
}

}  // namespace

Space ReadSpace(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error(path + ": cannot be read: " + std::strerror(errno));
  Space space;
  space.json = ordered_json::array();
  std::string line;
  for (size_t number = 1; std::getline(file, line); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    const std::string where = path + ":" + std::to_string(number) + ": ";
    try {
      const ordered_json object = ordered_json::parse(line);
      space.parameters.push_back(ReadParameter(object));
      space.json.push_back(object);
    } catch (const nlohmann::json::parse_error&) {
      throw std::runtime_error(where + "not a JSON object: " + line.substr(0, 100));
    } catch (const std::exception& e) {
      throw std::runtime_error(where + e.what());
    }
    const std::string& name = space.parameters.back().name;
    for (size_t i = 0; i + 1 < space.parameters.size(); ++i) {
      if (space.parameters[i].name == name) {
        throw std::runtime_error(where + name + ": is in an earlier line too");
      }
    }
  }
  if (file.bad()) throw std::runtime_error(path + ": reading failed");
  if (space.parameters.empty()) throw std::runtime_error(path + ": no parameter in it");
  return space;
}

std::vector<Assignment> DrawPoint(const Space& space, uint64_t seed, uint64_t trial) {
  const RandomCounter random(seed, trial);
  std::vector<Assignment> point;
  for (size_t p = 0; p < space.parameters.size(); ++p) {
    const SpaceParameter& parameter = space.parameters[p];
    const double unit = random.Unit(p);
    if (parameter.kind == Kind::kCategorical) {
      const size_t count = parameter.choices.size();
      const auto choice = static_cast<size_t>(unit * static_cast<double>(count));
      point.push_back({parameter.name, parameter.choices[std::min(choice, count - 1)]});
    } else {
      point.push_back({parameter.name, NumberText(parameter, DrawNumber(parameter, unit))});
    }
  }
  return point;
}

}  // namespace stint
