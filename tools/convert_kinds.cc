// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// A network and the kinds of model it may become -> a table of what they lose, and one of them.
#include "tools/convert_kinds.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>
#include <stdexcept>

#include "stint/stint.hpp"
#include "tools/common.h"
#include "tools/progress.h"
#include "tools/train_dataset.h"
#include "trainer/id_index.h"
#include "trainer/quantize.h"

namespace stint {
namespace {

using nlohmann::ordered_json;

constexpr uint64_t kSeed = 42;  // of the bootstrap

// What is not said is as the input has it, as far as that goes with what is said.
ModelKind KindAskedFor(const ConvertArguments& arguments, const TrainedModel& input) {
  ModelKind kind;
  kind.dtype = arguments.dtype.value_or(input.dtype);
  const bool same = kind.dtype == input.dtype;
  const DType natural = LayerDType(kind.dtype);
  kind.layer_dtype = arguments.layer_dtype.value_or(same ? input.layer_dtype : natural);
  const bool has_cascade = kind.dtype == DType::kF32 || kind.dtype == DType::kInt8;
  kind.scoring = arguments.scoring.value_or(same && has_cascade ? input.scoring : Scoring::kScan);
  if (kind.scoring == Scoring::kInt8 && kind.dtype != DType::kInt8) {
    throw std::invalid_argument("--scoring int8: needs --dtype int8");
  }
  if (kind.scoring == Scoring::kExact && !has_cascade) {
    throw std::invalid_argument("--scoring exact: needs --dtype f32 or int8");
  }
  return kind;
}

// The sessions of the log in the terms of the input's catalog.
Sessions ReadLog(const ConvertArguments& arguments, const TrainedModel& input) {
  uint64_t unknown = 0;
  Sessions sessions =
      MapSessions(ReadEvents(arguments.sessions, arguments.read), input.catalog, &unknown);
  if (sessions.Targets() == 0) {
    throw std::runtime_error(arguments.sessions +
                             ": nothing to measure: no session has two events with items that the "
                             "model knows");
  }
  return sessions;
}

// Where the input's items stand in the model.
std::vector<uint32_t> PlacesOf(const Catalog& input, const Catalog& model) {
  const IdIndex index(model.ids);
  std::vector<uint32_t> place(input.size());
  for (size_t i = 0; i < place.size(); ++i) {
    const uint32_t found =
        input.ids.are_names ? index.Find(input.ids.names[i]) : index.Find(input.ids.numbers[i]);
    place[i] = found == kNoIndex ? kUnknownItem : found;
  }
  return place;
}

Answers Ask(const ConvertArguments& arguments, const KindRow& row, const Sessions& sessions,
            const std::vector<uint32_t>& place) {
  Model model;
  stint_error error = {};
  Check(Model::FromBuffer(row.bytes.data(), row.bytes.size(), &model, &error), row.name);
  ProgressLine progress(arguments.quiet);
  AnswerOptions options;
  options.k = arguments.k;
  options.threads = arguments.threads;
  options.progress = [&](uint64_t done, uint64_t total) {
    progress.Show("measuring " + row.name, done, total, "sessions");
  };
  return AnswersOf(model.get(), sessions, place, options);
}

bool SameBytes(const AlignedBytes& a, const AlignedBytes& b) {
  return a.size() == b.size() && std::equal(a.data(), a.data() + a.size(), b.data());
}

void Measure(const ConvertArguments& arguments, const TrainedModel& input,
             const TrainedModel& model, const Sessions& sessions, KindTable* table) {
  std::vector<uint32_t> same(input.catalog.size());
  std::iota(same.begin(), same.end(), 0u);
  const std::vector<uint32_t> place = PlacesOf(input.catalog, model.catalog);
  std::vector<Answers> answers;
  for (size_t r = 0; r < table->rows.size(); ++r) {
    const bool again = r > 0 && SameBytes(table->rows[0].bytes, table->rows[r].bytes);
    answers.push_back(again ? answers[0]
                            : Ask(arguments, table->rows[r], sessions, r == 0 ? same : place));
  }
  const std::vector<Comparison> comparisons = Compare(answers[0], answers, arguments.k, kSeed);
  for (size_t r = 0; r < table->rows.size(); ++r) table->rows[r].measured = comparisons[r];
  table->sessions = sessions.size();
  table->targets = sessions.Targets();
}

double WorstLoss(const KindRow& row) {
  return std::max(row.measured->recall_loss.high, row.measured->mrr_loss.high);
}

// The row of --target-size and --max-loss.
size_t Choose(const ConvertArguments& arguments, const KindTable& table) {
  const size_t none = table.rows.size();
  size_t best = none;
  for (size_t r = table.first_is_input ? 1 : 0; r < table.rows.size(); ++r) {
    const KindRow& row = table.rows[r];
    if (arguments.target_size > 0 && row.bytes.size() > arguments.target_size) continue;
    if (arguments.max_loss && WorstLoss(row) > *arguments.max_loss) continue;
    if (best == none) {
      best = r;
      continue;
    }
    const KindRow& other = table.rows[best];
    const bool better = arguments.max_loss ? row.bytes.size() < other.bytes.size()
                        : row.measured
                            ? row.measured->recall.value + row.measured->mrr.value >
                                  other.measured->recall.value + other.measured->mrr.value
                            : false;  // without figures: the widest weights
    if (better) best = r;
  }
  return best;
}

[[noreturn]] void NoneFits(const ConvertArguments& arguments, const TrainedModel& model,
                           const KindTable& table) {
  const auto begin = table.rows.begin() + (table.first_is_input ? 1 : 0);
  const auto smallest = std::min_element(begin, table.rows.end(), [](const auto& a, const auto& b) {
    return a.bytes.size() < b.bytes.size();
  });
  std::string message = arguments.input + ": no kind of model ";
  if (arguments.target_size > 0) {
    message += "of at most " + Grouped(arguments.target_size) + " bytes ";
  }
  if (arguments.max_loss) message += Format("that loses at most %g %% ", 100 * *arguments.max_loss);
  message += "among those of the table; the smallest, " + smallest->name + ", has " +
             Grouped(smallest->bytes.size()) + " bytes";
  if (arguments.target_size > 0 && smallest->bytes.size() > arguments.target_size) {
    const double share =
        static_cast<double>(arguments.target_size) / static_cast<double>(smallest->bytes.size());
    const double items = share * static_cast<double>(model.catalog.size());
    message +=
        ": --keep-top " + std::to_string(static_cast<uint64_t>(0.95 * items)) + " or so would fit";
  }
  throw std::runtime_error(message);
}

KindRow MakeRow(const TrainedModel& model, const ModelKind& kind,
                const std::vector<std::vector<uint32_t>>& calibration) {
  return {Name(kind), kind, BuildKind(model, kind, calibration), std::nullopt};
}

}  // namespace

KindTable ChooseKind(const ConvertArguments& arguments, const TrainedModel& input,
                     const TrainedModel& model, bool input_is_model) {
  std::optional<Sessions> sessions;
  if (!arguments.sessions.empty()) sessions = ReadLog(arguments, input);
  KindTable table;
  table.k = arguments.k;
  if (sessions) {
    table.first_is_input = true;
    KindRow as_is = {"the input as it is", {}, {}, std::nullopt};
    as_is.bytes = input_is_model ? ReadAligned(arguments.input) : BuildKind(input, ModelKind{}, {});
    if (!input_is_model) as_is.name = "the input as f32";
    table.rows.push_back(std::move(as_is));
  }
  const bool all = arguments.Searches() ||
                   (sessions && !arguments.dtype && !arguments.layer_dtype && !arguments.scoring);
  const ModelKind asked = KindAskedFor(arguments, input);
  if (all) {
    for (const ModelKind& kind : ScanKinds()) table.rows.push_back(MakeRow(model, kind, {}));
  }
  const auto has =
      std::find_if(table.rows.begin() + (table.first_is_input ? 1 : 0), table.rows.end(),
                   [&](const KindRow& row) { return row.kind == asked; });
  size_t asked_row = static_cast<size_t>(has - table.rows.begin());
  if (has == table.rows.end() && !arguments.Searches()) {
    std::vector<std::vector<uint32_t>> calibration = model.self_test_sessions;
    if (sessions && model.catalog.size() == input.catalog.size()) {
      calibration = CalibrationSessions(*sessions);
    }
    table.rows.push_back(MakeRow(model, asked, calibration));
    asked_row = table.rows.size() - 1;
  }
  if (sessions) Measure(arguments, input, model, *sessions, &table);
  table.chosen = arguments.Searches() ? Choose(arguments, table) : asked_row;
  if (table.chosen == table.rows.size()) {
    if (sessions) WriteOutput(TableText(table));
    NoneFits(arguments, model, table);
  }
  return table;
}

std::string TableText(const KindTable& table) {
  std::string text = Format(
      "%s sessions, %s targets; 95 %% intervals of %zu resamples of the sessions; losses and "
      "overlap "
      "against the first row\n\n%-24s %14s  %-25s %-25s %-22s %-22s %9s\n",
      Grouped(table.sessions).c_str(), Grouped(table.targets).c_str(), kResamples, "kind", "bytes",
      Format("recall@%u", table.k).c_str(), Format("MRR@%u", table.k).c_str(), "recall lost, %",
      "MRR lost, %", Format("top-%u", table.k).c_str());
  for (size_t r = 0; r < table.rows.size(); ++r) {
    const KindRow& row = table.rows[r];
    if (!row.measured) continue;
    const auto figure = [](const Measured& m) {
      return Format("%.5f [%.5f %.5f]", m.value, m.low, m.high);
    };
    const auto loss = [](const Measured& m) {
      return Format("%6.2f [%.2f %.2f]", 100 * m.value, 100 * m.low, 100 * m.high);
    };
    const bool chosen = table.chosen == r;
    text += Format("%-24s %14s  %-25s %-25s %-22s %-22s %7.2f %%%s\n", row.name.c_str(),
                   Grouped(row.bytes.size()).c_str(), figure(row.measured->recall).c_str(),
                   figure(row.measured->mrr).c_str(), loss(row.measured->recall_loss).c_str(),
                   loss(row.measured->mrr_loss).c_str(), 100 * row.measured->overlap,
                   chosen ? "  <- written" : "");
  }
  return text;
}

ordered_json TableJson(const KindTable& table) {
  ordered_json rows = ordered_json::array();
  const auto figure = [](const Measured& m) {
    return ordered_json{{"value", m.value}, {"low", m.low}, {"high", m.high}};
  };
  for (const KindRow& row : table.rows) {
    ordered_json json = {{"kind", row.name}, {"bytes", row.bytes.size()}};
    if (row.measured) {
      json["recall"] = figure(row.measured->recall);
      json["mrr"] = figure(row.measured->mrr);
      json["recall_loss"] = figure(row.measured->recall_loss);
      json["mrr_loss"] = figure(row.measured->mrr_loss);
      json["overlap"] = row.measured->overlap;
    }
    rows.push_back(json);
  }
  return rows;
}

}  // namespace stint
