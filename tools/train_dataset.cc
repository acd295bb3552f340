// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

#include "tools/train_dataset.h"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace stint {

DatasetOptions HowToDivide(const TrainArguments& arguments, size_t sessions) {
  const ValidationSplit& split = arguments.validate;
  DatasetOptions options{.validation_span = split.span};
  if (!split.ByCount()) return options;
  options.validation_sessions = split.sessions;
  if (options.validation_sessions == 0) {
    const double share = split.percent / 100 * static_cast<double>(sessions);
    options.validation_sessions = std::max<size_t>(1, static_cast<size_t>(share));
  }
  if (options.validation_sessions >= sessions) {
    throw std::runtime_error(arguments.LogNames() +
                             ": --validate-last leaves nothing to train on: the "
                             "log has " +
                             std::to_string(sessions) + (sessions == 1 ? " session" : " sessions"));
  }
  return options;
}

void CheckTrainable(const TrainArguments& arguments, const Dataset& dataset) {
  size_t sessions = 0;  // with at least one pair of input and target
  for (size_t s = 0; s < dataset.train.size(); ++s) sessions += dataset.train[s].size() > 1;
  if (sessions == 0) {
    throw std::runtime_error(arguments.LogNames() +
                             ": nothing to train on: no session has two events");
  }
  const NegativeSource source = arguments.options.negative_source;
  if (sessions < 2 && source == NegativeSource::kBatch) {
    throw std::runtime_error(arguments.LogNames() +
                             ": one session gives no negatives; set another --negative-source");
  }
  if (sessions < 2 && source == NegativeSource::kBoth && arguments.options.negatives == 0) {
    throw std::runtime_error(arguments.LogNames() +
                             ": one session gives no negatives; set --negatives");
  }
  if (arguments.Validates() && dataset.validation.Targets() == 0) {
    throw std::runtime_error(
        arguments.LogNames() +
        ": nothing to validate on: no session kept for it has two events "
        "with items of the training part; raise --validate-last or --validate-span");
  }
}

std::vector<std::vector<uint32_t>> SelfTestSessions(const Sessions& sessions) {
  constexpr size_t kTests = 8;
  constexpr size_t kLongest = 20;
  std::vector<std::vector<uint32_t>> tests;
  const size_t count = std::min(kTests, sessions.size());
  for (size_t t = 0; t < count; ++t) {
    const auto items = sessions[t * sessions.size() / count];
    tests.emplace_back(items.begin(), items.begin() + std::min(items.size(), kLongest));
  }
  return tests;
}

std::vector<std::vector<uint32_t>> CalibrationSessions(const Sessions& sessions) {
  constexpr size_t kClicks = 4096;
  constexpr size_t kLongest = 50;
  std::vector<std::vector<uint32_t>> beginnings;
  size_t clicks = 0;
  for (size_t n = 0; n < sessions.size() && clicks < kClicks; ++n) {
    const auto items = sessions[sessions.order[sessions.size() - 1 - n]];
    const size_t length = std::min(items.size(), kLongest);
    if (length == 0) continue;
    beginnings.emplace_back(items.begin(), items.begin() + static_cast<ptrdiff_t>(length));
    clicks += length;
  }
  return beginnings;
}

}  // namespace stint
