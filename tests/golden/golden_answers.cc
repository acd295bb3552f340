// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// A model -> the name that says what it is, and a hash of what it answers.
#include "tests/golden/golden_answers.h"

#include <cstring>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <vector>

#include "schema/checksum.h"

namespace stint {
namespace {

using SessionPointer = std::unique_ptr<stint_session, void (*)(stint_session*)>;

constexpr uint32_t kTop = 20;

void Check(stint_status status, const char* call) {
  if (status != STINT_OK) {
    throw std::runtime_error(std::string(call) + ": " + stint_status_message(status));
  }
}

stint_model_info Describe(const stint_model* model) {
  stint_model_info info;
  Check(stint_model_describe(model, &info), "stint_model_describe");
  return info;
}

// Hashed are 32-bit words, little-endian.
class Recorder {
 public:
  explicit Recorder(const stint_model* model) : model_(model), info_(Describe(model)) {}

  void Catalog() {
    for (uint32_t item = 0; item < info_.items; ++item) {
      uint32_t count = 0;
      Check(stint_item_count(model_, item, &count), "stint_item_count");
      Add(count);
      if (info_.ids_are_names) {
        const char* name = nullptr;
        size_t length = 0;
        Check(stint_item_name(model_, item, &name, &length), "stint_item_name");
        for (size_t i = 0; i < length; ++i) Add(uint32_t{static_cast<uint8_t>(name[i])});
        Add(static_cast<uint32_t>(length));
      } else {
        int64_t id = 0;
        Check(stint_item_id(model_, item, &id), "stint_item_id");
        Add(id);
      }
    }
  }

  // Sessions of 12, 5 and 1 events.
  void Sessions() {
    stint_session* made = nullptr;
    Check(stint_session_create(model_, kTop, &made), "stint_session_create");
    const SessionPointer owner(made, stint_session_destroy);
    uint32_t number = 0;
    for (const uint32_t events : {12u, 5u, 1u}) {
      Check(stint_session_reset(made), "stint_session_reset");
      for (uint32_t event = 0; event < events; ++event) {
        Answers(made);
        Check(stint_observe(made, ++number * 7919 % info_.items), "stint_observe");
        Hidden(made);
      }
      Answers(made);
    }
  }

  uint64_t Hash() const {
    return SectionChecksum(reinterpret_cast<const uint8_t*>(words_.data()),
                           words_.size() * sizeof(words_[0]));
  }

 private:
  void Add(uint32_t word) { words_.push_back(word); }
  void Add(int64_t id) {
    words_.push_back(static_cast<uint32_t>(id));
    words_.push_back(static_cast<uint32_t>(id >> 32));
  }
  void Add(float value) {
    uint32_t word;
    std::memcpy(&word, &value, sizeof(word));
    words_.push_back(word);
  }

  void Hidden(const stint_session* session) {
    for (uint32_t layer = 0; layer < info_.layers; ++layer) {
      const float* hidden = nullptr;
      uint32_t units = 0;
      Check(stint_session_hidden(session, layer, &hidden, &units), "stint_session_hidden");
      for (uint32_t j = 0; j < units; ++j) Add(hidden[j]);
    }
  }

  void Answers(stint_session* session) {
    std::vector<float> scores(info_.items);
    Check(stint_scores(session, scores.data()), "stint_scores");
    for (const float score : scores) {
      Add(score);
      Add(stint_final_activation(model_, score));
    }
    Top(session, kTop);
    Top(session, 1);  // cascades leave more out
  }

  void Top(stint_session* session, uint32_t k) {
    stint_recommendation top[kTop];
    size_t count = 0;
    Check(stint_recommend(session, k, nullptr, top, &count), "stint_recommend");
    Add(static_cast<uint32_t>(count));
    for (size_t i = 0; i < count; ++i) {
      Add(top[i].id);
      Add(top[i].item);
      Add(top[i].score);
    }
  }

  const stint_model* const model_;
  const stint_model_info info_;
  std::vector<uint32_t> words_;
};

}  // namespace

std::string GoldenName(const stint_model* model) {
  const stint_model_info info = Describe(model);
  const std::string dtype = info.dtype, layers = info.layer_dtype, scoring = info.scoring,
                    form = info.gru_form;
  std::ostringstream name;
  name << "v" << info.format_version << "_" << dtype;
  if (dtype != layers) name << "-over-" << layers;
  if (scoring != "scan") name << "-" << (scoring == "int8" ? "cascade" : scoring);
  name << "_" << info.embedding << "_" << (form == "reset_after" ? "after" : "before");
  name << "_" << info.hidden_activation << "_" << info.final_activation;
  name << (info.ids_are_names ? "_names_" : "_numbers_");
  for (uint32_t layer = 0; layer < info.layers; ++layer) {
    name << (layer > 0 ? "x" : "") << info.units[layer];
  }
  return name.str();
}

uint64_t GoldenAnswers(const stint_model* model) {
  Recorder recorder(model);
  recorder.Catalog();
  recorder.Sessions();
  return recorder.Hash();
}

}  // namespace stint
