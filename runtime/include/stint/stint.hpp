// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// stint.h for C++17: objects that destroy themselves and inline calls. Nothing to link beyond stint
// itself, no exception: what can fail returns a stint_status, as in C.
//
//   stint::Model model;
//   stint::Session session;
//   if (stint::Model::FromFile("shop.stint", &model) != STINT_OK) ...
//   if (session.Create(model, 20) != STINT_OK) ...
//   session.ObserveId(4711);
//   stint_recommendation top[20];
//   size_t count;
//   session.Recommend(20, nullptr, top, &count);
//
// Both classes can be moved, not copied. A Session must be destroyed before its Model. An empty one
// (as made by the default constructor, or moved from) answers STINT_INVALID_ARGUMENT.
#ifndef STINT_STINT_HPP_
#define STINT_STINT_HPP_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "stint/stint.h"

namespace stint {

class Model {
 public:
  // Both replace (destroy) the model that *model held: its sessions must be gone. On failure *model
  // is empty. The buffer is borrowed: it outlives the model and starts at a multiple of 64 bytes.
  // Flags: 0 or STINT_OPEN_TRUSTED.
  static stint_status FromBuffer(const void* data, size_t size, Model* model,
                                 stint_error* error = nullptr, uint32_t flags = 0) {
    stint_model* opened = nullptr;
    const stint_status status = stint_model_open_buffer(data, size, flags, &opened, error);
    model->model_.reset(opened);
    return status;
  }
  static stint_status FromFile(const char* path, Model* model, stint_error* error = nullptr,
                               uint32_t flags = 0) {
    stint_model* opened = nullptr;
    const stint_status status = stint_model_open_file(path, flags, &opened, error);
    model->model_.reset(opened);
    return status;
  }

  const stint_model* get() const { return model_.get(); }
  explicit operator bool() const { return model_ != nullptr; }

  stint_status Describe(stint_model_info* info) const { return stint_model_describe(get(), info); }
  stint_status GetSection(uint32_t index, stint_section_info* section) const {
    return stint_model_section(get(), index, section);
  }
  stint_status SelfTest(stint_error* error = nullptr) const {
    return stint_model_self_test(get(), error);
  }

  stint_status ItemFromId(int64_t id, uint32_t* item) const {
    return stint_item_from_id(get(), id, item);
  }
  stint_status ItemFromName(std::string_view name, uint32_t* item) const {
    return stint_item_from_name(get(), name.data(), name.size(), item);
  }
  stint_status ItemId(uint32_t item, int64_t* id) const { return stint_item_id(get(), item, id); }
  // The view lives as long as the model.
  stint_status ItemName(uint32_t item, std::string_view* name) const {
    const char* bytes = nullptr;
    size_t length = 0;
    const stint_status status = stint_item_name(get(), item, &bytes, &length);
    *name = std::string_view(bytes, length);
    return status;
  }
  float FinalActivation(float score) const { return stint_final_activation(get(), score); }
  stint_status ItemCount(uint32_t item, uint32_t* count) const {
    return stint_item_count(get(), item, count);
  }

 private:
  struct Destroy {
    void operator()(stint_model* model) const { stint_model_destroy(model); }
  };
  std::unique_ptr<stint_model, Destroy> model_;
};

class Session {
 public:
  // In memory of its own; for the caller's memory use stint_session_init().
  stint_status Create(const Model& model, uint32_t max_k) {
    stint_session* created = nullptr;
    const stint_status status = stint_session_create(model.get(), max_k, &created);
    session_.reset(created);
    return status;
  }

  stint_session* get() const { return session_.get(); }
  explicit operator bool() const { return session_ != nullptr; }

  stint_status Reset() { return stint_session_reset(get()); }
  stint_status Observe(uint32_t item) { return stint_observe(get(), item); }
  stint_status ObserveId(int64_t id) { return stint_observe_id(get(), id); }
  stint_status ObserveName(std::string_view name) {
    return stint_observe_name(get(), name.data(), name.size());
  }
  uint64_t Observed() const { return stint_session_observed(get()); }
  uint64_t Unknown() const { return stint_session_unknown(get()); }
  stint_status Hidden(uint32_t layer, const float** hidden, uint32_t* units) const {
    return stint_session_hidden(get(), layer, hidden, units);
  }

  // The state as bytes, and back; CopyFrom() between sessions of one Model.
  size_t StateSize() const { return stint_session_state_size(get()); }
  stint_status Export(void* state, size_t capacity, size_t* size) const {
    return stint_session_export(get(), state, capacity, size);
  }
  stint_status Import(const void* state, size_t size) {
    return stint_session_import(get(), state, size);
  }
  stint_status CopyFrom(const Session& other) { return stint_session_copy(other.get(), get()); }

  stint_status Recommend(uint32_t k, const stint_recommend_options* options,
                         stint_recommendation* top, size_t* count) {
    return stint_recommend(get(), k, options, top, count);
  }
  stint_status Rank(uint32_t item, uint32_t* higher, uint32_t* equal) {
    return stint_rank(get(), item, higher, equal);
  }
  stint_status Scores(float* scores) { return stint_scores(get(), scores); }
  stint_status ItemScores(const uint32_t* items, size_t count, float* scores) {
    return stint_item_scores(get(), items, count, scores);
  }
  stint_status ItemProbabilities(const uint32_t* items, size_t count, float* probabilities) {
    return stint_item_probabilities(get(), items, count, probabilities);
  }
  stint_status TopProbabilities(const stint_recommendation* top, size_t count,
                                float* probabilities) {
    return stint_top_probabilities(get(), top, count, probabilities);
  }

 private:
  struct Destroy {
    void operator()(stint_session* session) const { stint_session_destroy(session); }
  };
  std::unique_ptr<stint_session, Destroy> session_;
};

// As stint_recommend_batch(); parallel_for(tasks, task) calls task(i) for each i below `tasks`, in
// any order and on any threads, and returns when all calls have:
//
//   stint::RecommendBatch(sessions, count, 20, nullptr, 0, top, counts,
//                         [&](size_t tasks, const auto& task) { pool.ForEach(tasks, task); });
template <class ParallelFor>
stint_status RecommendBatch(stint_session* const* sessions, size_t session_count, uint32_t k,
                            const stint_recommend_options* options, size_t options_count,
                            stint_recommendation* top, size_t* counts,
                            const ParallelFor& parallel_for) {
  const auto call = [](void* context, size_t tasks, void (*task)(void*, size_t),
                       void* task_context) {
    (*static_cast<const ParallelFor*>(context))(
        tasks, [task, task_context](size_t index) { task(task_context, index); });
  };
  return stint_recommend_batch(sessions, session_count, k, options, options_count, call,
                               const_cast<ParallelFor*>(&parallel_for), top, counts);
}
// All on the calling thread.
inline stint_status RecommendBatch(stint_session* const* sessions, size_t session_count, uint32_t k,
                                   const stint_recommend_options* options, size_t options_count,
                                   stint_recommendation* top, size_t* counts) {
  return stint_recommend_batch(sessions, session_count, k, options, options_count, nullptr, nullptr,
                               top, counts);
}

}  // namespace stint

#endif  // STINT_STINT_HPP_
