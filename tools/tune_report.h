// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Results of trials -> a table, a CSV file, JSON.
#ifndef STINT_TOOLS_TUNE_REPORT_H_
#define STINT_TOOLS_TUNE_REPORT_H_

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "tools/tune_search.h"
#include "tools/tune_study.h"

namespace stint {

// In all of these `ranking` is best first. Tab between columns: rank, trial, state, epochs asked
// for, best epoch, recall@20, mrr@20, a column for each parameter, error.
std::string TrialTable(const std::vector<const TrialResult*>& ranking);
// The same with commas, and the seconds that the last run took (RFC 4180).
std::string TrialCsv(const std::vector<const TrialResult*>& ranking);
nlohmann::ordered_json TrialsJson(const std::vector<const TrialResult*>& ranking);
// "trial 3, 4 epochs: recall@20 0.5123, MRR@20 0.2012 at epoch 4, 0:07".
std::string TrialLine(const TrialResult& result);

}  // namespace stint

#endif  // STINT_TOOLS_TUNE_REPORT_H_
