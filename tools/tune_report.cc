// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Results of trials -> a table, a CSV file, JSON.
#include "tools/tune_report.h"

#include <nlohmann/json.hpp>

#include "tools/common.h"
#include "tools/progress.h"

namespace stint {
namespace {

using State = TrialResult::State;
using Row = std::vector<std::string>;

// Header and rows; `with_seconds` because a table that is the same for the same study has none.
std::vector<Row> Rows(const std::vector<const TrialResult*>& ranking, bool with_seconds) {
  std::vector<Row> rows;
  if (ranking.empty()) return rows;
  Row head = {"rank", "trial", "state", "epochs", "best_epoch", "recall@20", "mrr@20"};
  if (with_seconds) head.push_back("seconds");
  for (const Assignment& value : ranking.front()->point) head.push_back(value.name);
  head.push_back("error");
  rows.push_back(head);
  for (const TrialResult* result : ranking) {
    const bool done = result->state == State::kDone;
    Row row = {std::to_string(rows.size()),
               std::to_string(result->trial),
               Name(result->state),
               std::to_string(result->epochs),
               done ? std::to_string(result->best_epoch) : "",
               done ? Format("%.6f", result->recall) : "",
               done ? Format("%.6f", result->mrr) : ""};
    if (with_seconds) row.push_back(Format("%.2f", result->seconds));
    for (const Assignment& value : result->point) row.push_back(value.value);
    row.push_back(result->error);
    rows.push_back(row);
  }
  return rows;
}

std::string CsvField(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string field = "\"";
  for (const char c : text) {
    field += c;
    if (c == '"') field += c;
  }
  return field + '"';
}

std::string TableField(std::string text) {
  for (char& c : text) {
    if (c == '\t' || c == '\n' || c == '\r') c = ' ';
  }
  return text;
}

template <class F>
std::string Joined(const std::vector<Row>& rows, char separator, const F& field) {
  std::string text;
  for (const Row& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      if (i > 0) text += separator;
      text += field(row[i]);
    }
    text += '\n';
  }
  return text;
}

}  // namespace

std::string TrialTable(const std::vector<const TrialResult*>& ranking) {
  return Joined(Rows(ranking, false), '\t', TableField);
}

std::string TrialCsv(const std::vector<const TrialResult*>& ranking) {
  return Joined(Rows(ranking, true), ',', CsvField);
}

nlohmann::ordered_json TrialsJson(const std::vector<const TrialResult*>& ranking) {
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const TrialResult* result : ranking) json.push_back(ToJson(*result));
  return json;
}

std::string TrialLine(const TrialResult& result) {
  const std::string head = Format("trial %zu, %zu %s: ", result.trial, result.epochs,
                                  result.epochs == 1 ? "epoch" : "epochs");
  if (result.state != State::kDone) return head + Name(result.state) + ": " + result.error;
  return head + Format("recall@20 %.4f, MRR@20 %.4f at epoch %zu, %s", result.recall, result.mrr,
                       result.best_epoch, Duration(result.seconds).c_str());
}

}  // namespace stint
