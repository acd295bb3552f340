// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Bytes -> session state, through the C API. What is refused changes nothing; what is taken, also
// with a size and a checksum that were forged, is a session that goes on within the rules of the
// interface, and is exported as the bytes that it came from.
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "schema/checksum.h"
#include "tests/fuzz/fuzz.h"
#include "tests/runtime/test_model.h"

namespace stint::fuzz {
namespace {

// Of the mode: a bit, and above it the number of the model.
constexpr uint8_t kSealed = 1;  // size and checksum are made right first
constexpr size_t kModels = 4;
constexpr uint32_t kItems = 70;

// Where they stand (runtime/session_state.h).
constexpr size_t kSizeAt = 8, kCatalogAt = 24;

struct Opened {
  AlignedBytes bytes;
  ModelPointer model{nullptr, stint_model_destroy};
};

const stint_model* ModelOf(uint8_t mode) {
  static const std::vector<Opened> models = [] {
    std::vector<Opened> all(kModels);
    for (size_t m = 0; m < kModels; ++m) {
      // Hidden states without a bound in the last two.
      const ModelKind kind = {"",
                              Embedding::kShared,
                              0,
                              m % 2 == 0 ? GruForm::kResetAfter : GruForm::kResetBefore,
                              m == 1 ? DType::kF32 : DType::kInt8,
                              {m < 2 ? ActivationKind::kTanh : ActivationKind::kLinear}};
      all[m].bytes = BuildTestModel(RandomParameters(kind, kItems, {3, 5}, m),
                                    m % 2 == 0 ? NumberCatalog(kItems) : NameCatalog(kItems),
                                    kind.dtype, {}, kind.hidden);
      all[m].model = OpenModel(all[m].bytes);
    }
    return all;
  }();
  return models[(mode >> 1) % kModels].model.get();
}

SessionPointer Clicked(const stint_model* model, uint32_t clicks) {
  SessionPointer session = NewSession(model, 5);
  for (uint32_t i = 0; i < clicks; ++i) {
    Require(stint_observe(session.get(), i * 37 % kItems) == STINT_OK, "an item can be observed");
  }
  return session;
}

std::string Export(const stint_session* session) {
  std::string state(stint_session_state_size(session), '\0');
  size_t size = 0;
  Require(stint_session_export(session, state.data(), state.size(), &size) == STINT_OK &&
              size == state.size(),
          "a session can be exported");
  return state;
}

void Put(uint64_t value, size_t bytes, size_t at, std::string* state) {
  for (size_t i = 0; i < bytes; ++i) (*state)[at + i] = static_cast<char>(value >> 8 * i);
}
void Seal(std::string* state) {
  if (state->size() < kSizeAt + 4 + 8) return;
  Put(state->size(), 4, kSizeAt, state);
  const size_t end = state->size() - 8;
  Put(SectionChecksum(reinterpret_cast<const uint8_t*>(state->data()), end), 8, end, state);
}

void GoOn(stint_session* session) {
  for (uint32_t step = 0; step < 2; ++step) {
    float scores[kItems];
    Require(stint_scores(session, scores) == STINT_OK, "items have scores");
    for (const float score : scores) Require(std::isfinite(score), "scores are finite");
    stint_recommendation top[5];
    size_t count = 0;
    stint_recommend_options options = {};
    options.exclude_seen = 1;
    Require(stint_recommend(session, 5, &options, top, &count) == STINT_OK, "it recommends");
    for (size_t i = 0; i < count; ++i) {
      Require(top[i].item < kItems, "what it recommends is of the catalog");
      Require(i == 0 || top[i - 1].score >= top[i].score, "the best one comes first");
    }
    Require(stint_observe(session, step) == STINT_OK, "an item can be observed");
  }
}

}  // namespace

std::vector<std::string> Seeds() {
  std::vector<std::string> seeds;
  for (uint8_t mode = 0; mode < 2 * kModels; ++mode) {
    for (const uint32_t clicks : {0u, 1u, 6u, 100u}) {
      std::string seed(1, static_cast<char>(mode));
      seed.append(Export(Clicked(ModelOf(mode), clicks).get()));
      seeds.push_back(seed);
    }
  }
  return seeds;
}

}  // namespace stint::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace stint;
  using namespace stint::fuzz;
  const Input input = Split(data, size);
  std::string state(input.bytes);
  if ((input.mode & kSealed) != 0) Seal(&state);
  const stint_model* const model = ModelOf(input.mode);
  const SessionPointer session = Clicked(model, 3);
  const std::string before = Export(session.get());
  // In memory of exactly its size, so that sanitizers see a read beyond it.
  const std::vector<uint8_t> exact(state.begin(), state.end());
  const uint8_t nothing = 0;
  const stint_status status =
      stint_session_import(session.get(), exact.empty() ? &nothing : exact.data(), exact.size());
  const std::string after = Export(session.get());
  if (status != STINT_OK) {
    Require(status == STINT_CORRUPT || status == STINT_NEWER_VERSION || status == STINT_OTHER_MODEL,
            "the status says why not", stint_status_message(status));
    Require(after == before, "what is refused changes nothing");
    return 0;
  }
  // Of another catalog there may be items that this one has not.
  if (state.compare(kCatalogAt, 8, after, kCatalogAt, 8) == 0) {
    Require(after == state, "a state comes back as it was");
  }
  const SessionPointer again = Clicked(model, 1);
  Require(stint_session_import(again.get(), after.data(), after.size()) == STINT_OK &&
              Export(again.get()) == after,
          "what is exported can be imported");
  GoOn(session.get());
  return 0;
}
