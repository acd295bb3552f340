// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The C API: checks arguments, calls the stages, turns keys into items, ids and scores.
#include <cstdlib>
#include <cstring>
#include <new>

#include "runtime/batch.h"
#include "runtime/filter.h"
#include "runtime/final_activation.h"
#include "runtime/item_ids.h"
#include "runtime/mapped_file.h"
#include "runtime/model.h"
#include "runtime/session.h"
#include "runtime/session_state.h"
#include "runtime/status.h"
#include "runtime/step.h"
#include "runtime/target.h"
#include "runtime/topk.h"
#include "runtime/version.h"
#include "stint/stint.h"

struct stint_model {
  stint::BoundModel model;
};
// A session's block starts with its SessionState.
struct stint_session {
  stint::SessionState state;
};

namespace {

using stint::BoundModel;
using stint::Fail;
using stint::SessionState;

// Takes over `file`, also where it fails.
stint_status Open(const uint8_t* data, size_t size, stint::MappedFile file, uint32_t flags,
                  stint_model** model, stint_error* error) {
  stint_model* opened = new (std::nothrow) stint_model();
  const bool trusted = (flags & STINT_OPEN_TRUSTED) != 0;
  stint_status status = opened ? stint::BindModel(data, size, trusted, &opened->model, error)
                               : Fail(error, STINT_OUT_OF_MEMORY, "no memory for the model");
  if (status != STINT_OK) {
    delete opened;
    stint::UnmapFile(&file);
    return status;
  }
  opened->model.file = file;
  stint::ChooseTarget();  // now, so that the first event pays nothing
  *model = opened;
  return STINT_OK;
}

// Arguments of the functions that open; *model and *error start out empty.
stint_status CheckOpen(const void* source, uint32_t flags, stint_model** model,
                       stint_error* error) {
  if (error) *error = stint_error();
  if (!model) return Fail(error, STINT_INVALID_ARGUMENT, "no place for the model");
  *model = nullptr;
  if (!source) return Fail(error, STINT_INVALID_ARGUMENT, "no data and no path");
  if ((flags & ~STINT_OPEN_TRUSTED) != 0) {
    return Fail(error, STINT_INVALID_ARGUMENT, "flags 0x%x are not known", flags);
  }
  return STINT_OK;
}

void* AllocateBlock(size_t size) {
  return ::operator new(size, std::align_val_t(STINT_SESSION_ALIGNMENT), std::nothrow);
}
void FreeBlock(void* block) { ::operator delete(block, std::align_val_t(STINT_SESSION_ALIGNMENT)); }

// Of calls with a list of items and room for a number each.
bool AreItems(const stint_session* session, const uint32_t* items, size_t count,
              const float* numbers) {
  if (!session || (count > 0 && (!items || !numbers))) return false;
  for (size_t i = 0; i < count; ++i) {
    if (items[i] >= session->state.model->items) return false;
  }
  return true;
}

// Of a batch: all there, of one model, good for k, and no two the same. The keys are scratch: each
// session notes its place there, where a later place of the same session overwrites it.
stint_status CheckSessions(stint_session* const* sessions, size_t count, uint32_t k) {
  for (size_t i = 0; i < count; ++i) {
    if (!sessions[i] || k > sessions[i]->state.max_k) return STINT_INVALID_ARGUMENT;
  }
  for (size_t i = 0; i < count; ++i) {
    if (sessions[i]->state.model != sessions[0]->state.model) return STINT_OTHER_MODEL;
    sessions[i]->state.keys[0] = i;
  }
  for (size_t i = 0; i < count; ++i) {
    if (sessions[i]->state.keys[0] != i) return STINT_INVALID_ARGUMENT;
  }
  return STINT_OK;
}

}  // namespace

extern "C" {

const char* stint_version(void) { return STINT_VERSION; }
const char* stint_target(void) { return stint::TargetName(); }
stint_status stint_set_target(const char* name) { return stint::SetTarget(name); }

// ---- Model

stint_status stint_model_open_buffer(const void* data, size_t size, uint32_t flags,
                                     stint_model** model, stint_error* error) {
  STINT_RETURN_IF_ERROR(CheckOpen(data, flags, model, error));
  return Open(static_cast<const uint8_t*>(data), size, stint::MappedFile(), flags, model, error);
}

stint_status stint_model_open_file(const char* path, uint32_t flags, stint_model** model,
                                   stint_error* error) {
  STINT_RETURN_IF_ERROR(CheckOpen(path, flags, model, error));
  stint::MappedFile file;
  STINT_RETURN_IF_ERROR(stint::MapFile(path, &file, error));
  return Open(file.data, file.size, file, flags, model, error);
}

stint_status stint_model_from_buffer(const void* data, size_t size, stint_model** model,
                                     stint_error* error) {
  return stint_model_open_buffer(data, size, 0, model, error);
}

stint_status stint_model_from_file(const char* path, stint_model** model, stint_error* error) {
  return stint_model_open_file(path, 0, model, error);
}

void stint_model_destroy(stint_model* model) {
  if (!model) return;
  stint::UnmapFile(&model->model.file);
  delete model;
}

stint_status stint_model_describe(const stint_model* model, stint_model_info* info) {
  if (!model || !info) return STINT_INVALID_ARGUMENT;
  const BoundModel& m = model->model;
  info->format_version = m.format_version;
  info->items = m.items;
  info->layers = m.layers;
  info->units = m.units;
  info->gru_form = m.reset_after ? "reset_after" : "reset_before";
  info->final_activation = m.final_activation_name;
  info->dtype = ItemKindName(m.item_kind);
  info->ids_are_names = m.id_names ? 1 : 0;
  info->file_size = m.file_size;
  info->training_events = stint::TrainingEvents(m);
  info->self_tests = m.self_tests;
  info->hyperparameters = m.hyperparameters;
  info->training_summary = m.training_summary;
  const char* const embeddings[] = {"shared", "separate", "none"};
  info->embedding = embeddings[static_cast<unsigned>(m.embedding)];
  info->embedding_width = m.layer[0].inputs;
  info->hidden_activation = m.hidden_activation_name;
  info->layer_gru_forms = m.gru_forms;
  info->layer_dtype = m.int8 ? "int8" : "f32";
  info->cascade_columns = m.cascade.columns;
  info->scoring = m.cascade.columns == 0                        ? "scan"
                  : m.item_kind == stint::ItemRowKind::kF32Rows ? "exact"
                                                                : "int8";
  return STINT_OK;
}

stint_status stint_model_section(const stint_model* model, uint32_t index,
                                 stint_section_info* section) {
  if (!model || !section || index >= model->model.sections) return STINT_INVALID_ARGUMENT;
  const stint::Section& s = model->model.section[index];
  section->name = s.name;
  section->offset = static_cast<uint64_t>(s.data - model->model.data);
  section->size = s.size;
  section->xxh3 = s.xxh3;
  return STINT_OK;
}

stint_status stint_item_from_id(const stint_model* model, int64_t id, uint32_t* item) {
  if (!model || !item) return STINT_INVALID_ARGUMENT;
  if (!model->model.id_numbers) return STINT_UNSUPPORTED;
  return stint::FindId(model->model, id, item);
}

stint_status stint_item_from_name(const stint_model* model, const char* name, size_t length,
                                  uint32_t* item) {
  if (!model || !item || (!name && length > 0)) return STINT_INVALID_ARGUMENT;
  if (!model->model.id_names) return STINT_UNSUPPORTED;
  return stint::FindName(model->model, name, length, item);
}

stint_status stint_item_id(const stint_model* model, uint32_t item, int64_t* id) {
  if (!model || !id || item >= model->model.items) return STINT_INVALID_ARGUMENT;
  if (!model->model.id_numbers) return STINT_UNSUPPORTED;
  *id = model->model.id_numbers[item];
  return STINT_OK;
}

stint_status stint_item_name(const stint_model* model, uint32_t item, const char** name,
                             size_t* length) {
  if (!model || !name || !length || item >= model->model.items) return STINT_INVALID_ARGUMENT;
  const BoundModel& m = model->model;
  if (!m.id_names) return STINT_UNSUPPORTED;
  *name = reinterpret_cast<const char*>(stint::NameOf(m, item, length));
  return STINT_OK;
}

stint_status stint_item_count(const stint_model* model, uint32_t item, uint32_t* count) {
  if (!model || !count || item >= model->model.items) return STINT_INVALID_ARGUMENT;
  *count = model->model.counts[item];
  return STINT_OK;
}

// ---- Session

size_t stint_session_size(const stint_model* model, uint32_t max_k) {
  return model ? stint::SessionSize(model->model, max_k) : 0;
}

stint_status stint_session_init(const stint_model* model, uint32_t max_k, void* memory, size_t size,
                                stint_session** session) {
  if (!session) return STINT_INVALID_ARGUMENT;
  *session = nullptr;
  if (!model || !memory) return STINT_INVALID_ARGUMENT;
  const size_t needed = stint::SessionSize(model->model, max_k);
  if (needed == 0 || size < needed) return STINT_INVALID_ARGUMENT;
  if (reinterpret_cast<uintptr_t>(memory) % STINT_SESSION_ALIGNMENT != 0) return STINT_MISALIGNED;
  *session = reinterpret_cast<stint_session*>(stint::InitSession(model->model, max_k, memory));
  return STINT_OK;
}

stint_status stint_session_create(const stint_model* model, uint32_t max_k,
                                  stint_session** session) {
  if (!session) return STINT_INVALID_ARGUMENT;
  *session = nullptr;
  const size_t size = stint_session_size(model, max_k);
  if (size == 0) return STINT_INVALID_ARGUMENT;
  void* const block = AllocateBlock(size);
  if (!block) return STINT_OUT_OF_MEMORY;
  return stint_session_init(model, max_k, block, size, session);
}

void stint_session_destroy(stint_session* session) {
  if (session) FreeBlock(session);
}

stint_status stint_session_reset(stint_session* session) {
  if (!session) return STINT_INVALID_ARGUMENT;
  stint::ResetSession(&session->state);
  return STINT_OK;
}

stint_status stint_observe(stint_session* session, uint32_t item) {
  if (!session) return STINT_INVALID_ARGUMENT;
  SessionState& s = session->state;
  if (item >= s.model->items) {
    ++s.unknown;
    return STINT_UNKNOWN_ITEM;
  }
  stint::Step(item, &s);
  s.seen[item / 64] |= uint64_t{1} << item % 64;
  ++s.observed;
  return STINT_OK;
}

stint_status stint_observe_id(stint_session* session, int64_t id) {
  if (!session) return STINT_INVALID_ARGUMENT;
  if (!session->state.model->id_numbers) return STINT_UNSUPPORTED;
  uint32_t item = UINT32_MAX;  // no item has this index
  if (stint::FindId(*session->state.model, id, &item) != STINT_OK) item = UINT32_MAX;
  return stint_observe(session, item);
}

stint_status stint_observe_name(stint_session* session, const char* name, size_t length) {
  if (!session || (!name && length > 0)) return STINT_INVALID_ARGUMENT;
  if (!session->state.model->id_names) return STINT_UNSUPPORTED;
  uint32_t item = UINT32_MAX;
  if (stint::FindName(*session->state.model, name, length, &item) != STINT_OK) item = UINT32_MAX;
  return stint_observe(session, item);
}

uint64_t stint_session_observed(const stint_session* session) {
  return session ? session->state.observed : 0;
}

uint64_t stint_session_unknown(const stint_session* session) {
  return session ? session->state.unknown : 0;
}

stint_status stint_session_hidden(const stint_session* session, uint32_t layer,
                                  const float** hidden, uint32_t* units) {
  if (!session || !hidden || !units || layer >= session->state.model->layers) {
    return STINT_INVALID_ARGUMENT;
  }
  *hidden = session->state.hidden[layer];
  *units = session->state.model->units[layer];
  return STINT_OK;
}

// ---- Session state

size_t stint_session_state_size(const stint_session* session) {
  return session ? stint::StateSize(session->state) : 0;
}

stint_status stint_session_export(const stint_session* session, void* state, size_t capacity,
                                  size_t* size) {
  if (!size) return STINT_INVALID_ARGUMENT;
  *size = 0;
  if (!session || !state) return STINT_INVALID_ARGUMENT;
  const size_t needed = stint::StateSize(session->state);
  if (capacity < needed) return STINT_INVALID_ARGUMENT;
  stint::ExportState(session->state, static_cast<uint8_t*>(state));
  *size = needed;
  return STINT_OK;
}

stint_status stint_session_import(stint_session* session, const void* state, size_t size) {
  if (!session || !state) return STINT_INVALID_ARGUMENT;
  return stint::ImportState(static_cast<const uint8_t*>(state), size, &session->state);
}

stint_status stint_session_copy(const stint_session* from, stint_session* to) {
  if (!from || !to) return STINT_INVALID_ARGUMENT;
  if (from->state.model != to->state.model) return STINT_OTHER_MODEL;
  stint::CopyState(from->state, &to->state);
  return STINT_OK;
}

// ---- Recommendation

stint_status stint_recommend(stint_session* session, uint32_t k,
                             const stint_recommend_options* options, stint_recommendation* top,
                             size_t* count) {
  if (!count) return STINT_INVALID_ARGUMENT;
  *count = 0;
  if (!session || !top || k < 1 || k > session->state.max_k) return STINT_INVALID_ARGUMENT;
  const stint_recommend_options none = {};
  const stint_recommend_options& o = options ? *options : none;
  STINT_RETURN_IF_ERROR(stint::CheckOptions(o, session->state.model->items));
  *count = stint::Recommend(&session->state, k, o, top);
  return STINT_OK;
}

stint_status stint_recommend_batch(stint_session* const* sessions, size_t session_count, uint32_t k,
                                   const stint_recommend_options* options, size_t options_count,
                                   stint_parallel_for parallel_for, void* parallel_context,
                                   stint_recommendation* top, size_t* counts) {
  if (session_count == 0) return STINT_OK;
  if (!counts) return STINT_INVALID_ARGUMENT;
  std::memset(counts, 0, session_count * sizeof(*counts));
  if (!sessions || !top || k < 1 || (options_count > 0 && !options) ||
      (options_count > 1 && options_count != session_count)) {
    return STINT_INVALID_ARGUMENT;
  }
  STINT_RETURN_IF_ERROR(CheckSessions(sessions, session_count, k));
  for (size_t i = 0; i < options_count; ++i) {
    STINT_RETURN_IF_ERROR(stint::CheckOptions(options[i], sessions[0]->state.model->items));
  }
  const stint_recommend_options none = {};
  const stint::Batch batch = {[](stint_session* s) { return &s->state; },
                              sessions,
                              session_count,
                              k,
                              options_count > 0 ? options : &none,
                              options_count > 0 ? options_count : 1,
                              top,
                              counts};
  stint::RecommendBatch(batch, parallel_for, parallel_context);
  return STINT_OK;
}

stint_status stint_rank(stint_session* session, uint32_t item, uint32_t* higher, uint32_t* equal) {
  if (!session || !higher || !equal || item >= session->state.model->items) {
    return STINT_INVALID_ARGUMENT;
  }
  stint::Rank(item, &session->state, higher, equal);
  return STINT_OK;
}

stint_status stint_scores(stint_session* session, float* scores) {
  if (!session || !scores) return STINT_INVALID_ARGUMENT;
  stint::Scores(&session->state, scores);
  return STINT_OK;
}

stint_status stint_item_scores(stint_session* session, const uint32_t* items, size_t count,
                               float* scores) {
  if (!AreItems(session, items, count, scores)) return STINT_INVALID_ARGUMENT;
  stint::ItemScores(items, count, &session->state, scores);
  return STINT_OK;
}

stint_status stint_item_probabilities(stint_session* session, const uint32_t* items, size_t count,
                                      float* probabilities) {
  if (!AreItems(session, items, count, probabilities)) return STINT_INVALID_ARGUMENT;
  if (count == 0) return STINT_OK;
  const stint::Softmax softmax = stint::GetSoftmax(&session->state);
  stint::Probabilities(softmax, items, count, &session->state, probabilities);
  return STINT_OK;
}

stint_status stint_top_probabilities(stint_session* session, const stint_recommendation* top,
                                     size_t count, float* probabilities) {
  if (!session || (count > 0 && (!top || !probabilities))) return STINT_INVALID_ARGUMENT;
  for (size_t i = 0; i < count; ++i) {
    if (top[i].item >= session->state.model->items) return STINT_INVALID_ARGUMENT;
  }
  if (count == 0) return STINT_OK;
  const stint::Softmax softmax = stint::GetSoftmax(&session->state);
  uint32_t items[64];
  for (size_t first = 0; first < count; first += 64) {
    const size_t part = count - first < 64 ? count - first : 64;
    for (size_t i = 0; i < part; ++i) items[i] = top[first + i].item;
    stint::Probabilities(softmax, items, part, &session->state, probabilities + first);
  }
  return STINT_OK;
}

float stint_final_activation(const stint_model* model, float score) {
  return model ? stint::FinalActivation(model->model.final_activation, score) : score;
}

// ---- Self-test

stint_status stint_model_self_test(const stint_model* model, stint_error* error) {
  if (error) *error = stint_error();
  if (!model) return Fail(error, STINT_INVALID_ARGUMENT, "no model");
  uint32_t max_k = 1;
  for (uint32_t t = 0; t < model->model.self_tests; ++t) {
    const uint32_t k = stint::GetSelfTest(model->model, t).k;
    max_k = k > max_k ? k : max_k;
  }
  const size_t top_bytes = max_k * sizeof(stint_recommendation);
  stint_recommendation* const top =
      static_cast<stint_recommendation*>(::operator new(top_bytes, std::nothrow));
  stint_session* session = nullptr;
  stint_status status = top ? stint_session_create(model, max_k, &session) : STINT_OUT_OF_MEMORY;
  if (status != STINT_OK) Fail(error, status, "no memory for a session");
  for (uint32_t t = 0; status == STINT_OK && t < model->model.self_tests; ++t) {
    const stint::SelfTest test = stint::GetSelfTest(model->model, t);
    size_t count = 0;
    stint_session_reset(session);
    for (uint32_t i = 0; i < test.events; ++i) stint_observe(session, test.items[i]);
    stint_recommend(session, test.k, nullptr, top, &count);
    if (count != test.k) {
      status = Fail(error, STINT_SELF_TEST_FAILED, "self-test %u: %zu items instead of %u", t,
                    count, test.k);
    }
    for (uint32_t i = 0; status == STINT_OK && i < test.k; ++i) {
      if (top[i].item == test.top_items[i] &&
          std::memcmp(&top[i].score, &test.top_scores[i], sizeof(float)) == 0) {
        continue;
      }
      status = Fail(error, STINT_SELF_TEST_FAILED,
                    "self-test %u, place %u: item %u with score %g instead of item %u with %g", t,
                    i + 1, top[i].item, static_cast<double>(top[i].score), test.top_items[i],
                    static_cast<double>(test.top_scores[i]));
    }
  }
  stint_session_destroy(session);
  ::operator delete(top);
  return status;
}

}  // extern "C"
