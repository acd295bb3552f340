// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Trained parameters -> an open model of the runtime, in memory.
#ifndef STINT_TESTS_REFERENCE_MODEL_BRIDGE_H_
#define STINT_TESTS_REFERENCE_MODEL_BRIDGE_H_

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "stint/stint.h"
#include "trainer/export.h"

namespace stint::reference {

// The bytes of a model and the model over them.
class OpenModel {
 public:
  explicit OpenModel(const ExportInput& input) : bytes_(BuildModel(input)) {
    stint_error error = {};
    stint_model* model = nullptr;
    if (stint_model_from_buffer(bytes_.data(), bytes_.size(), &model, &error) != STINT_OK) {
      throw std::runtime_error(std::string("model: ") + error.message);
    }
    model_.reset(model);
  }
  OpenModel(const Parameters& parameters, const Catalog& catalog, DType dtype)
      : OpenModel(InputOf(parameters, catalog, dtype)) {}

  const stint_model* get() const { return model_.get(); }
  const AlignedBytes& bytes() const { return bytes_; }

 private:
  static ExportInput InputOf(const Parameters& parameters, const Catalog& catalog, DType dtype) {
    ExportInput input;
    input.parameters = &parameters;
    input.catalog = &catalog;
    input.dtype = dtype;
    return input;
  }
  struct Destroy {
    void operator()(stint_model* model) const { stint_model_destroy(model); }
  };
  AlignedBytes bytes_;
  std::unique_ptr<stint_model, Destroy> model_;
};

struct DestroySession {
  void operator()(stint_session* session) const { stint_session_destroy(session); }
};
using OpenSession = std::unique_ptr<stint_session, DestroySession>;

inline OpenSession CreateSession(const OpenModel& model, uint32_t max_k) {
  stint_session* session = nullptr;
  if (stint_session_create(model.get(), max_k, &session) != STINT_OK) {
    throw std::runtime_error("session: not created");
  }
  return OpenSession(session);
}

}  // namespace stint::reference

#endif  // STINT_TESTS_REFERENCE_MODEL_BRIDGE_H_
