// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

#include "bench/stint_engines.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "bench/bounds_scan.h"
#include "stint/stint.h"
#include "stint/stint.hpp"
#include "trainer/export.h"

namespace stint::bench {
namespace {

// A way to write the model and to ask it; the one place that says which there are.
struct Variant {
  const char* name;
  const char* note;
  const char* scanned;  // the section that every answer reads from its start to its end
  void (*choose)(ExportInput*);
  enum { kClick, kBatchOfClicks, kBoundsAlone } call = kClick;
};
constexpr size_t kBatch = 16;  // sessions that stint_recommend_batch() answers in one pass
constexpr Variant kF32 = {"stint_f32", "plain scan of float32 rows, float32 GRU", "item_rows",
                          [](ExportInput* input) { input->dtype = DType::kF32; }};
constexpr Variant kVariants[] = {
    {"stint_int8", "plain scan of int8 rows", "item_rows",
     [](ExportInput* input) { input->dtype = DType::kInt8; }},
    {"stint_int4", "plain scan of int4 rows, int8 GRU", "item_rows",
     [](ExportInput* input) { input->dtype = DType::kInt4; }},
    {"stint_bf16", "plain scan of bfloat16 rows, int8 GRU", "item_rows",
     [](ExportInput* input) { input->dtype = DType::kBf16; }},
    kF32,
    {"stint_int8_cascade", "cascade, exact in the int8 model", "cascade.codes",
     [](ExportInput* input) { input->scoring = Scoring::kInt8; }},
    {"stint_exact_cascade", "cascade, exact in the float32 rows, int8 GRU", "cascade.codes",
     [](ExportInput* input) { input->scoring = Scoring::kExact; }},
    {"stint_exact_f32_cascade", "cascade, exact in the float32 model, float32 GRU", "cascade.codes",
     [](ExportInput* input) {
       input->scoring = Scoring::kExact;
       input->dtype = DType::kF32;
     }},
    {"stint_bounds_alone", "the cascade's first stage alone: 4-bit codes to bounds of all items",
     "cascade.codes", [](ExportInput* input) { input->scoring = Scoring::kExact; },
     Variant::kBoundsAlone},
    {"stint_int8_batch", "16 sessions in a pass over int8 rows: microseconds a session",
     "item_rows", [](ExportInput* input) { input->dtype = DType::kInt8; }, Variant::kBatchOfClicks},
};

void Check(stint_status status) {
  if (status != STINT_OK) throw std::runtime_error(stint_status_message(status));
}

struct OpenedModel {
  AlignedBytes bytes;
  Model model;
};

std::shared_ptr<OpenedModel> Open(const Workload& work, const Variant& variant) {
  ExportInput input;
  input.parameters = &work.parameters;
  input.catalog = &work.catalog;
  variant.choose(&input);
  input.calibration_sessions = work.calibration;
  auto opened = std::make_shared<OpenedModel>();
  opened->bytes = BuildModel(input);
  stint_error error;
  if (Model::FromBuffer(opened->bytes.data(), opened->bytes.size(), &opened->model, &error) !=
      STINT_OK) {
    throw std::runtime_error(std::string(variant.name) + ": " + error.message);
  }
  return opened;
}

uint32_t LastLayer(const Model& model) {
  stint_model_info info;
  Check(model.Describe(&info));
  return info.layers - 1;
}

std::unique_ptr<Caller> MakeCaller(std::shared_ptr<OpenedModel> opened,
                                   const std::vector<Click>& clicks, uint32_t k) {
  struct State {
    std::shared_ptr<OpenedModel> opened;  // outlives the session
    Session session;
    std::vector<stint_recommendation> top;  // [k]
    size_t count = 0;
  };
  auto state = std::make_shared<State>();
  state->opened = std::move(opened);
  Check(state->session.Create(state->opened->model, k));
  state->top.resize(k);
  auto caller = std::make_unique<Caller>();
  Caller* self = caller.get();
  caller->prepare = [state, &clicks](size_t click) {
    if (clicks[click].first) Check(state->session.Reset());
  };
  caller->answer = [state, self, k, &clicks](size_t click) {
    Check(state->session.Observe(clicks[click].item));
    Check(state->session.Recommend(k, nullptr, state->top.data(), &state->count));
    self->items.resize(state->count);
    for (size_t i = 0; i < state->count; ++i) self->items[i] = state->top[i].item;
  };
  caller->hidden = [state](float* hidden) {
    const float* from;
    uint32_t units;
    Check(state->session.Hidden(LastLayer(state->opened->model), &from, &units));
    std::copy_n(from, units, hidden);
  };
  return caller;
}

// Each call answers kBatch sessions: the one of the click, and others that began elsewhere.
std::unique_ptr<Caller> MakeBatchCaller(std::shared_ptr<OpenedModel> opened,
                                        const std::vector<Click>& clicks, uint32_t k) {
  struct State {
    std::shared_ptr<OpenedModel> opened;  // outlives the sessions
    std::array<Session, kBatch> sessions;
    std::array<stint_session*, kBatch> pointers;
    std::vector<stint_recommendation> top;  // [sessions, k]
    std::array<size_t, kBatch> counts;
  };
  auto state = std::make_shared<State>();
  state->opened = std::move(opened);
  for (size_t s = 0; s < kBatch; ++s) {
    Check(state->sessions[s].Create(state->opened->model, k));
    state->pointers[s] = state->sessions[s].get();
  }
  state->top.resize(kBatch * k);
  auto caller = std::make_unique<Caller>();
  Caller* self = caller.get();
  const auto click_of = [&clicks](size_t click, size_t s) {
    return clicks[(click + s * (clicks.size() / kBatch)) % clicks.size()];
  };
  caller->prepare = [=](size_t click) {
    for (size_t s = 0; s < kBatch; ++s) {
      if (click_of(click, s).first) Check(state->sessions[s].Reset());
    }
  };
  caller->answer = [=](size_t click) {
    for (size_t s = 0; s < kBatch; ++s) {
      Check(state->sessions[s].Observe(click_of(click, s).item));
    }
    Check(stint_recommend_batch(state->pointers.data(), kBatch, k, nullptr, 0, nullptr, nullptr,
                                state->top.data(), state->counts.data()));
    self->items.resize(state->counts[0]);
    for (size_t i = 0; i < state->counts[0]; ++i) self->items[i] = state->top[i].item;
  };
  caller->hidden = [state](float* hidden) {
    const float* from;
    uint32_t units;
    Check(state->sessions[0].Hidden(LastLayer(state->opened->model), &from, &units));
    std::copy_n(from, units, hidden);
  };
  return caller;
}

// The first stage alone, of a session that has clicked.
std::unique_ptr<Caller> MakeBoundsCaller(std::shared_ptr<OpenedModel> opened,
                                         const std::vector<Click>& clicks, uint32_t k) {
  struct State {
    std::shared_ptr<OpenedModel> opened;  // outlives the session
    Session session;
    std::optional<BoundsScan> scan;
  };
  auto state = std::make_shared<State>();
  state->opened = std::move(opened);
  Check(state->session.Create(state->opened->model, k));
  state->scan.emplace(state->session.get());
  auto caller = std::make_unique<Caller>();
  caller->prepare = [state, k, &clicks](size_t click) {
    if (clicks[click].first) Check(state->session.Reset());
    Check(state->session.Observe(clicks[click].item));
    state->scan->Prepare(k);
  };
  caller->answer = [state](size_t) { benchmark::DoNotOptimize(state->scan->Run()); };
  caller->hidden = [](float*) {};
  return caller;
}

// Against the model's own scores of all items, sorted.
size_t WrongByOwnRows(const std::shared_ptr<OpenedModel>& opened, const Workload& work, uint32_t k,
                      size_t clicks) {
  Session session;
  Check(session.Create(opened->model, k));
  std::vector<float> scores(work.catalog.size());
  std::vector<stint_recommendation> top(k);
  std::vector<uint32_t> best;
  Selection selection;
  size_t wrong = 0;
  for (size_t c = 0; c < clicks; ++c) {
    if (work.clicks[c].first) Check(session.Reset());
    size_t count = 0;
    Check(session.Observe(work.clicks[c].item));
    Check(session.Recommend(k, nullptr, top.data(), &count));
    Check(session.Scores(scores.data()));
    selection.Best(scores.data(), scores.size(), k, &best);
    wrong += std::equal(best.begin(), best.end(), top.begin(), top.begin() + count,
                        [](uint32_t item, const auto& answer) { return item == answer.item; })
                 ? 0
                 : 1;
  }
  return wrong;
}

Engine MakeEngine(const Workload& work, const Variant& variant) {
  const std::shared_ptr<OpenedModel> opened = Open(work, variant);
  Engine engine;
  stint_section_info section;
  for (uint32_t i = 0; opened->model.GetSection(i, &section) == STINT_OK; ++i) {
    if (std::string_view(section.name) == variant.scanned) {
      engine.data = opened->bytes.data() + section.offset;
      engine.bytes = static_cast<double>(section.size);
    }
  }
  if (engine.data == nullptr) {
    throw std::runtime_error(std::string(variant.name) + ": no section " + variant.scanned);
  }
  engine.sessions = variant.call == Variant::kBatchOfClicks ? kBatch : 1;
  engine.is_part = variant.call == Variant::kBoundsAlone;
  engine.call = [opened, &work, &variant](uint32_t k) {
    switch (variant.call) {
      case Variant::kBatchOfClicks:
        return MakeBatchCaller(opened, work.clicks, k);
      case Variant::kBoundsAlone:
        return MakeBoundsCaller(opened, work.clicks, k);
      default:
        return MakeCaller(opened, work.clicks, k);
    }
  };
  if (engine.is_part) return engine;
  engine.wrong_by_own_rows = [opened, &work](uint32_t k, size_t clicks) {
    return WrongByOwnRows(opened, work, k, clicks);
  };
  return engine;
}

}  // namespace

std::vector<EngineKind> StintEngines() {
  std::vector<EngineKind> kinds;
  for (const Variant& variant : kVariants) {
    kinds.push_back({variant.name, variant.note, [&variant](const Source& source) {
                       return MakeEngine(*source.work, variant);
                     }});
  }
  return kinds;
}

std::vector<float> HiddenStates(const Workload& work) {
  const std::shared_ptr<OpenedModel> opened = Open(work, kF32);
  const size_t units = work.parameters.width();
  Session session;
  Check(session.Create(opened->model, 1));
  std::vector<float> states(work.clicks.size() * units);
  const uint32_t layer = LastLayer(opened->model);
  for (size_t c = 0; c < work.clicks.size(); ++c) {
    if (work.clicks[c].first) Check(session.Reset());
    Check(session.Observe(work.clicks[c].item));
    const float* hidden;
    uint32_t count;
    Check(session.Hidden(layer, &hidden, &count));
    std::copy_n(hidden, units, states.data() + c * units);
  }
  return states;
}

}  // namespace stint::bench
