// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// What a checkpoint says about a run besides its arrays: data, options, finished epochs.
#ifndef STINT_TRAINER_TRAIN_STATE_H_
#define STINT_TRAINER_TRAIN_STATE_H_

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "trainer/events.h"
#include "trainer/sessions.h"
#include "trainer/train.h"

namespace stint {

// {"events": ..., "sessions": ..., "items": ..., "xxh3": ...}: how many, and a checksum over all
// that a run can depend on.
nlohmann::ordered_json Fingerprint(const Catalog& catalog, const Sessions& sessions);
nlohmann::ordered_json Fingerprint(const Events& events);
// Of the items and their order alone.
std::string FingerprintOf(const Ids& ids);

// "the log: 203,114 events then, 203,115 now", or "" if they agree. `what`: "the log".
std::string DataDifference(const std::string& what, const nlohmann::ordered_json& saved,
                           const nlohmann::ordered_json& now);
// "--learning-rate: 0.05 in the checkpoint, 0.1 now; ...", every difference, or "". Keys are names
// of options. `ignored` is one that may differ.
std::string OptionDifferences(const nlohmann::ordered_json& saved,
                              const nlohmann::ordered_json& now, const std::string& ignored = "");

// Numbers keep their bits.
nlohmann::ordered_json ToJson(const std::vector<EpochResult>& epochs);
std::vector<EpochResult> EpochsFromJson(const nlohmann::ordered_json& json);

}  // namespace stint

#endif  // STINT_TRAINER_TRAIN_STATE_H_
