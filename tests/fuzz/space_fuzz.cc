// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Bytes -> a space of parameters -> points. Every point lies in the space, and options of training
// take or refuse it as a command line's.
#include <CLI/Error.hpp>
#include <algorithm>
#include <charconv>
#include <stdexcept>

#include "tests/fuzz/fuzz.h"
#include "tools/official_names.h"
#include "tools/tune_space.h"

namespace stint::fuzz {
namespace {

void CheckInside(const SpaceParameter& parameter, const Assignment& value) {
  Require(value.name == parameter.name, "values stand in the order of parameters", value.name);
  if (parameter.kind == SpaceParameter::Kind::kCategorical) {
    const auto& choices = parameter.choices;
    Require(std::find(choices.begin(), choices.end(), value.value) != choices.end(),
            "a value is one of the choices", value.value);
    return;
  }
  double number = 0;
  const char* end = value.value.data() + value.value.size();
  const auto result = std::from_chars(value.value.data(), end, number);
  Require(result.ec == std::errc() && result.ptr == end, "a value is a number", value.value);
  // Six digits are written of it.
  const double slack = 1e-5 * std::max(std::abs(parameter.low), std::abs(parameter.high));
  Require(number >= parameter.low - slack && number <= parameter.high + slack,
          "a value lies between the ends", value.value);
}

void CheckPoint(const std::vector<Assignment>& point) {
  GivenOptions given;
  std::vector<std::string> notes;
  try {
    Assign("trial", point, &given, &notes);
    Complete(&given);
  } catch (const std::invalid_argument&) {  // parameters that do not go together
  } catch (const CLI::ParseError&) {
  }
}

}  // namespace

std::vector<std::string> Seeds() {
  return {
      "{\"name\": \"layers\", \"dtype\": \"int\", \"values\": [64, 512], \"step\": 32}\n"
      "{\"name\": \"learning_rate\", \"dtype\": \"float\", \"values\": [0.01, 0.25], \"log\": "
      "true}\n\n"
      "{\"name\": \"final_act\", \"dtype\": \"categorical\", \"values\": [\"elu-0.5\", \"elu-1\", "
      "\"linear\"]}\n",
      "{\"name\":\"dropout_p_embed\",\"dtype\":\"float\",\"values\":[0.0,0.5],\"step\":0.05}\r\n"
      "{\"name\":\"constrained_embedding\",\"dtype\":\"categorical\",\"values\":[true,false]}",
      "{\"name\":\"batch_size\",\"dtype\":\"int\",\"values\":[32,256],\"log\":true,\"step\":null}\n"
      "{\"name\":\"bpreg\",\"dtype\":\"float\",\"values\":[0,2],\"step\":0.05,\"log\":false}\n"
      "{\"name\":\"elu_param\",\"dtype\":\"categorical\",\"values\":[0.5,1,0]}",
      "{\"name\":\"seed\",\"dtype\":\"int\",\"values\":[0,9007199254740992]}",
      "{\"name\":\"adapt_params\",\"dtype\":\"categorical\",\"values\":[\"0.9/0.99\",null]}",
      "{\"name\":\"momentum\",\"dtype\":\"float\",\"values\":[0.5,0.1]}\nnonsense",
  };
}

}  // namespace stint::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace stint;
  using namespace stint::fuzz;
  const MemoryFile file({reinterpret_cast<const char*>(data), size});
  Space space;
  try {
    space = ReadSpace(file.path());
  } catch (const std::runtime_error& e) {
    Require(std::string(e.what()).rfind(file.path() + ":", 0) == 0, "a reason says where",
            e.what());
    return 0;
  }
  Require(!space.parameters.empty() && space.parameters.size() == space.json.size(),
          "every line is a parameter");
  for (uint64_t trial = 0; trial < 4; ++trial) {
    const std::vector<Assignment> point = DrawPoint(space, 7, trial);
    Require(point.size() == space.parameters.size(), "a point has every parameter");
    for (size_t p = 0; p < point.size(); ++p) CheckInside(space.parameters[p], point[p]);
    CheckPoint(point);
  }
  return 0;
}
