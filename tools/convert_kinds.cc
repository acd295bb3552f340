// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// A network and the kinds of model it may become -> a table of what they lose, and one of them.
#include "tools/convert_kinds.h"

#include <algorithm>
#include <cmath>
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

constexpr uint64_t kSeed = 42;        // of the bootstrap
constexpr size_t kFewSessions = 100;  // of which an interval says little

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

Answers Ask(const ConvertArguments& arguments, uint32_t k, const KindRow& row,
            const Sessions& sessions, const std::vector<uint32_t>& place) {
  Model model;
  stint_error error = {};
  Check(Model::FromBuffer(row.bytes.data(), row.bytes.size(), &model, &error),
        arguments.input + ": " + row.name + ": " + error.message);
  ProgressLine progress(arguments.quiet);
  AnswerOptions options;
  options.k = k;
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
    answers.push_back(
        again ? answers[0]
              : Ask(arguments, table->k, table->rows[r], sessions, r == 0 ? same : place));
  }
  const std::vector<Comparison> comparisons = Compare(answers[0], answers, table->k, kSeed);
  for (size_t r = 0; r < table->rows.size(); ++r) table->rows[r].measured = comparisons[r];
  // A session without a target measures nothing.
  const std::vector<uint64_t>& first = answers[0].first_target;
  for (size_t s = 0; s + 1 < first.size(); ++s) table->sessions += first[s] < first[s + 1] ? 1 : 0;
  table->targets = sessions.Targets();
  if (comparisons[0].recall.value == 0) {
    throw std::runtime_error(arguments.sessions + ": the input itself has none of the " +
                             Grouped(table->targets) + " targets among its " +
                             std::to_string(table->k) + " best: a loss cannot be measured");
  }
  if (table->sessions >= kFewSessions) return;
  const std::string few = arguments.sessions + ": " + Grouped(table->sessions) +
                          " sessions with a target: an interval of so few says little";
  if (arguments.max_loss) {
    throw std::runtime_error(few + ", --max-loss wants " + std::to_string(kFewSessions));
  }
  table->notes.push_back(few);
}

double WorstLoss(const KindRow& row) {
  return std::max(row.measured->recall_loss.high, row.measured->mrr_loss.high);
}

// What a row loses, as far as it is measured: what it seems to gain is chance.
double LossOf(const KindRow& row) {
  if (!row.measured) return 0;
  return std::max(row.measured->recall_loss.value, 0.0) +
         std::max(row.measured->mrr_loss.value, 0.0);
}

// Of two that fit, whether `a` is to be had rather than `b`, which has wider weights.
bool Better(const ConvertArguments& arguments, const KindRow& a, const KindRow& b) {
  if (arguments.max_loss) return a.bytes.size() < b.bytes.size();
  return LossOf(a) < LossOf(b);
}

// The row of --target-size and --max-loss.
size_t Choose(const ConvertArguments& arguments, const KindTable& table) {
  const size_t none = table.rows.size();
  size_t best = none;
  for (size_t r = table.first_is_input ? 1 : 0; r < table.rows.size(); ++r) {
    const KindRow& row = table.rows[r];
    if (arguments.target_size > 0 && row.bytes.size() > arguments.target_size) continue;
    if (arguments.max_loss && WorstLoss(row) > *arguments.max_loss) continue;
    if (best == none || Better(arguments, row, table.rows[best])) best = r;
  }
  return best;
}

// "; --keep-top N would fit", where a model of N items was made and does; "" if none was found by
// the bytes that half of the items take.
std::string ItemsThatFit(uint64_t target_size, const TrainedModel& model, const KindRow& row) {
  const size_t all = model.catalog.size();
  const auto bytes_of = [&](size_t items) {
    return static_cast<double>(BuildKind(KeepTop(model, items), row.kind, {}).size());
  };
  const double target = static_cast<double>(target_size);
  constexpr int kTries = 8;
  try {
    const double per_item =
        (static_cast<double>(row.bytes.size()) - bytes_of(std::max<size_t>(all / 2, 1))) /
        static_cast<double>(all - all / 2);
    double too_many = static_cast<double>(row.bytes.size()) - target;  // bytes
    double items = static_cast<double>(all);
    for (int i = 0; i < kTries && per_item > 0; ++i) {
      items = std::floor(items - std::max(1.0, too_many / per_item));
      if (!(items >= 1)) break;
      too_many = bytes_of(static_cast<size_t>(items)) - target;
      if (too_many <= 0) {
        return "; --keep-top " + std::to_string(static_cast<uint64_t>(items)) + " would fit";
      }
    }
  } catch (const std::runtime_error&) {  // the counts do not tell items apart
  }
  return "";
}

[[noreturn]] void NoneFits(const ConvertArguments& arguments, const TrainedModel& model,
                           const KindTable& table) {
  const auto begin = table.rows.begin() + (table.first_is_input ? 1 : 0);
  const auto smallest = std::min_element(begin, table.rows.end(), [](const auto& a, const auto& b) {
    return a.bytes.size() < b.bytes.size();
  });
  std::string message = arguments.input + ": no kind of model";
  if (arguments.target_size > 0) {
    message += " of at most " + Grouped(arguments.target_size) + " bytes";
  }
  if (arguments.max_loss) {
    message += Format(" that loses at most %g %% at the upper end of its interval",
                      100 * *arguments.max_loss);
  }
  message +=
      ": the smallest, " + smallest->name + ", has " + Grouped(smallest->bytes.size()) + " bytes";
  if (arguments.max_loss) {
    const auto least = std::min_element(begin, table.rows.end(), [](const auto& a, const auto& b) {
      return WorstLoss(a) < WorstLoss(b);
    });
    message +=
        Format(" and may lose %.2f %%; the one that loses least, %s, may lose %.2f %% and has ",
               100 * WorstLoss(*smallest), least->name.c_str(), 100 * WorstLoss(*least)) +
        Grouped(least->bytes.size()) + " bytes";
  }
  if (arguments.target_size > 0 && smallest->bytes.size() > arguments.target_size) {
    message += ItemsThatFit(arguments.target_size, model, *smallest);
  }
  throw std::runtime_error(message);
}

// Whether a kind has wider weights than the input ever had: they would say nothing more.
bool IsWider(const ModelKind& kind, const TrainedModel& input) {
  const auto bits = [](DType dtype) {
    return dtype == DType::kF32 ? 32 : dtype == DType::kBf16 ? 16 : dtype == DType::kInt8 ? 8 : 4;
  };
  return bits(kind.dtype) > bits(input.dtype) || bits(kind.layer_dtype) > bits(input.layer_dtype);
}

// What a cascade is fitted to: the log's clicks, else those of the test sessions, of the items that
// the model has.
std::vector<std::vector<uint32_t>> CalibrationOf(const ConvertInput& input,
                                                 const TrainedModel& model,
                                                 const std::optional<Sessions>& sessions) {
  std::vector<std::vector<uint32_t>> clicks;
  if (sessions) {
    clicks = CalibrationSessions(*sessions);
  } else if (input.tests) {
    for (const TestSession& test : input.tests->sessions) clicks.push_back(test.items);
  } else {
    return model.self_test_sessions;
  }
  const std::vector<uint32_t> place = PlacesOf(input.model.catalog, model.catalog);
  for (std::vector<uint32_t>& session : clicks) {
    for (uint32_t& item : session) item = place[item];
    std::erase(session, kUnknownItem);
  }
  return clicks;
}

KindRow MakeRow(const TrainedModel& model, const ModelKind& kind,
                const std::vector<std::vector<uint32_t>>& calibration) {
  return {Name(kind), kind, BuildKind(model, kind, calibration), std::nullopt};
}

}  // namespace

ModelKind KindAskedFor(const ConvertArguments& arguments, const TrainedModel& input) {
  ModelKind kind;
  kind.dtype = arguments.dtype.value_or(input.dtype);
  const bool same = kind.dtype == input.dtype;
  const DType natural = LayerDType(kind.dtype);
  kind.layer_dtype = arguments.layer_dtype.value_or(same ? input.layer_dtype : natural);
  const bool has_cascade = kind.dtype == DType::kF32 || kind.dtype == DType::kInt8;
  kind.scoring = arguments.scoring.value_or(same && has_cascade ? input.scoring : Scoring::kScan);
  // Float rows of an exact cascade may lie over int8 layers, those of a scan may not.
  if (!arguments.layer_dtype && kind.scoring == Scoring::kScan && kind.dtype == DType::kF32) {
    kind.layer_dtype = DType::kF32;
  }
  const bool exact = kind.scoring == Scoring::kExact;
  if (kind.layer_dtype != natural && !(has_cascade ? exact && kind.dtype == DType::kF32 : true)) {
    throw std::invalid_argument(std::string("--layer-dtype ") + Name(kind.layer_dtype) +
                                ": rows of " + Name(kind.dtype) + " go over layers of " +
                                Name(natural) +
                                (kind.dtype == DType::kF32 ? ", but with --scoring exact" : ""));
  }
  if (kind.scoring == Scoring::kInt8 && kind.dtype != DType::kInt8) {
    throw std::invalid_argument("--scoring int8: needs --dtype int8");
  }
  if (kind.scoring == Scoring::kExact && !has_cascade) {
    throw std::invalid_argument("--scoring exact: needs --dtype f32 or int8");
  }
  return kind;
}

KindTable ChooseKind(const ConvertArguments& arguments, const ConvertInput& input,
                     const TrainedModel& model) {
  const TrainedModel& whole = input.model;
  const bool input_is_model = input.kind == FileKind::kModel;
  std::optional<Sessions> sessions;
  if (!arguments.sessions.empty()) sessions = ReadLog(arguments, whole);
  KindTable table;
  table.k = static_cast<uint32_t>(std::min<size_t>(arguments.k, whole.catalog.size()));
  if (sessions) {
    table.first_is_input = true;
    KindRow as_is = {input_is_model ? "the input" : "the input, as f32", {}, {}, std::nullopt};
    as_is.bytes = input_is_model ? ReadAligned(arguments.input) : BuildKind(whole, ModelKind{}, {});
    table.rows.push_back(std::move(as_is));
  }
  const bool all = arguments.Searches() ||
                   (sessions && !arguments.dtype && !arguments.layer_dtype && !arguments.scoring);
  const ModelKind asked = KindAskedFor(arguments, whole);
  for (const ModelKind& kind : ScanKinds()) {
    if (all && !IsWider(kind, whole)) table.rows.push_back(MakeRow(model, kind, {}));
  }
  const auto has =
      std::find_if(table.rows.begin() + (table.first_is_input ? 1 : 0), table.rows.end(),
                   [&](const KindRow& row) { return row.kind == asked; });
  size_t asked_row = static_cast<size_t>(has - table.rows.begin());
  if (has == table.rows.end() && !arguments.Searches()) {
    table.rows.push_back(MakeRow(model, asked, CalibrationOf(input, model, sessions)));
    asked_row = table.rows.size() - 1;
  }
  if (sessions) Measure(arguments, whole, model, *sessions, &table);
  table.chosen = arguments.Searches() ? Choose(arguments, table) : asked_row;
  if (table.chosen == table.rows.size()) {
    if (sessions && !arguments.json) WriteOutput(TableText(table));
    NoneFits(arguments, model, table);
  }
  if (whole.scoring != Scoring::kScan && table.rows[table.chosen].kind.scoring == Scoring::kScan) {
    table.notes.push_back(std::string("the input's cascade (scoring ") + Name(whole.scoring) +
                          ") is left out: this kind finds a top-k by a scan");
  }
  return table;
}

std::string TableText(const KindTable& table) {
  std::string text = Format(
      "%s sessions with %s targets; 95 %% intervals of %zu resamples of the sessions; losses and "
      "overlap "
      "against the first row; what goes below 0 is gained\n\n%-20s %12s  %-22s  %-22s  %-19s  "
      "%-19s  %s\n",
      Grouped(table.sessions).c_str(), Grouped(table.targets).c_str(), kResamples, "kind", "bytes",
      Format("recall@%u", table.k).c_str(), Format("MRR@%u", table.k).c_str(), "recall lost, %",
      "MRR lost, %", Format("top-%u shared", table.k).c_str());
  for (size_t r = 0; r < table.rows.size(); ++r) {
    const KindRow& row = table.rows[r];
    if (!row.measured) continue;
    const auto figure = [](const Measured& m) {
      return Format("%.4f [%.4f %.4f]", m.value, m.low, m.high);
    };
    const auto loss = [](const Measured& m) {
      return Format("%6.2f [%.2f %.2f]", 100 * m.value, 100 * m.low, 100 * m.high);
    };
    const bool chosen = table.chosen == r;
    text += Format("%-20s %12s  %-22s  %-22s  %-19s  %-19s  %6.2f %%%s\n", row.name.c_str(),
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
