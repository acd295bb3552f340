// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

#include "bench/stint_engines.h"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "stint/stint.h"
#include "stint/stint.hpp"
#include "trainer/export.h"

namespace stint::bench {
namespace {

// A way to write the model; the one place that says which there are.
struct Variant {
  const char* name;
  const char* note;
  const char* scanned;  // the section that every answer reads from its start to its end
  void (*choose)(ExportInput*);
};
constexpr Variant kVariants[] = {
    {"stint_int8", "plain scan of int8 rows", "item_rows",
     [](ExportInput* input) { input->dtype = DType::kInt8; }},
    {"stint_f32", "plain scan of float32 rows, float32 GRU", "item_rows",
     [](ExportInput* input) { input->dtype = DType::kF32; }},
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
  engine.call = [opened, &work](uint32_t k) { return MakeCaller(opened, work.clicks, k); };
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
  const std::shared_ptr<OpenedModel> opened = Open(work, kVariants[1]);
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
