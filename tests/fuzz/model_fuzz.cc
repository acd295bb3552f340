// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Bytes -> model file, through the C API: open, describe, observe, recommend. Damaged files are a
// status and a message; with checksums that were forged too the answers stay within the rules of
// the interface, and those of int8 weights have the same bits on the best and on the lowest target.
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "schema/checksum.h"
#include "schema/model_generated.h"
#include "tests/fuzz/fuzz.h"
#include "tests/runtime/test_model.h"

namespace stint::fuzz {
namespace {

// Of the mode.
constexpr uint8_t kSealed = 1;    // checksums are made right first
constexpr uint8_t kFromFile = 2;  // opened by its path
constexpr uint8_t kTrusted = 4;   // opened without a look at its sections

// Aligned as a model must be, and exactly as long as the file, so that sanitizers see the end.
struct Free {
  void operator()(void* block) const { std::free(block); }
};
using Block = std::unique_ptr<uint8_t, Free>;

Block CopyOf(std::string_view bytes) {
  void* block = nullptr;
  const size_t size = bytes.empty() ? 1 : bytes.size();
  Require(posix_memalign(&block, 64, size) == 0, "posix_memalign()");
  if (!bytes.empty()) std::memcpy(block, bytes.data(), bytes.size());
  return Block(static_cast<uint8_t*>(block));
}

// Makes the checksums right, as a forger would, where the structure holds.
void Seal(uint8_t* data, size_t size) {
  flatbuffers::Verifier verifier(data, size, 8, 2000);
  if (size < 64 || !schema::VerifyModelBuffer(verifier)) return;
  schema::Model* model = schema::GetMutableModel(data);
  std::vector<schema::Section*> sections = {
      model->mutable_item_rows(), model->mutable_id_numbers(),      model->mutable_id_names(),
      model->mutable_id_order(),  model->mutable_id_name_offsets(), model->mutable_counts(),
      model->mutable_input_rows()};
  for (size_t l = 0; l < model->layers()->size(); ++l) {
    schema::GruLayer* layer = model->mutable_layers()->GetMutableObject(l);
    sections.push_back(layer->mutable_input_weights());
    sections.push_back(layer->mutable_hidden_weights());
  }
  std::vector<ByteRange> ranges;
  for (schema::Section* section : sections) {
    if (section == nullptr) continue;
    const uint8_t* bytes = section->bytes()->data();
    section->mutate_xxh3(SectionChecksum(bytes, section->bytes()->size()));
    ranges.push_back({static_cast<size_t>(bytes - data), section->bytes()->size()});
  }
  std::sort(ranges.begin(), ranges.end(),
            [](const ByteRange& a, const ByteRange& b) { return a.offset < b.offset; });
  const uint8_t* field = reinterpret_cast<const flatbuffers::Table*>(model)->GetAddressOf(
      schema::Model::VT_HEADER_XXH3);
  uint64_t checksum = 0;
  if (field != nullptr && HeaderChecksum(data, size, static_cast<size_t>(field - data),
                                         ranges.data(), ranges.size(), &checksum)) {
    model->mutate_header_xxh3(checksum);
  }
}

void CheckDescription(const stint_model* model, stint_model_info* info) {
  Require(stint_model_describe(model, info) == STINT_OK, "a model can be described");
  Require(
      std::strlen(info->hyperparameters) + std::strlen(info->training_summary) < info->file_size,
      "texts end inside the file");
  stint_section_info section;
  for (uint32_t i = 0; stint_model_section(model, i, &section) == STINT_OK; ++i) {
    Require(section.offset <= info->file_size && section.size <= info->file_size - section.offset,
            "sections lie inside the file", section.name);
  }
  const stint_status test = stint_model_self_test(model, nullptr);
  Require(test == STINT_OK || test == STINT_SELF_TEST_FAILED, "self-tests end",
          stint_status_message(test));
}

void CheckIds(const stint_model* model, const stint_model_info& info, uint32_t item) {
  uint32_t found = UINT32_MAX;
  if (info.ids_are_names != 0) {
    const char* name = nullptr;
    size_t length = 0;
    Require(stint_item_name(model, item, &name, &length) == STINT_OK, "an item has a name");
    Require(stint_item_from_name(model, name, length, &found) == STINT_OK, "a name has an item");
  } else {
    int64_t id = 0;
    Require(stint_item_id(model, item, &id) == STINT_OK, "an item has a number");
    Require(stint_item_from_id(model, id, &found) == STINT_OK, "a number has an item");
  }
  Require(found == item, "an id leads back to its item");
}

void CheckTop(stint_session* session, uint32_t items) {
  stint_recommendation top[5];
  size_t count = 0;
  stint_recommend_options options = {};
  options.exclude_seen = 1;
  Require(stint_recommend(session, 5, &options, top, &count) == STINT_OK, "it recommends");
  for (size_t i = 0; i < count; ++i) {
    Require(top[i].item < items, "what it recommends is of the catalog");
    Require(i == 0 || top[i - 1].score > top[i].score ||
                (top[i - 1].score == top[i].score && top[i - 1].item < top[i].item),
            "the best one comes first, ties by item");
  }
  float probabilities[5];
  Require(stint_top_probabilities(session, top, count, probabilities) == STINT_OK, "it shares");
  for (size_t i = 0; i < count; ++i) {
    Require(probabilities[i] >= 0 && probabilities[i] <= 1.00001f, "a share is within [0, 1]");
    float score = 0;
    Require(stint_item_scores(session, &top[i].item, 1, &score) == STINT_OK, "it scores an item");
    Require(score == top[i].score, "one item has the score that it has among all");
  }
}

// A session of a few items, [items] scores at its end.
std::vector<float> Walk(const stint_model* model, const stint_model_info& info) {
  stint_session* created = nullptr;
  Require(stint_session_create(model, 5, &created) == STINT_OK, "a session can be created");
  const SessionPointer session(created, stint_session_destroy);
  std::vector<float> scores(info.items);
  for (uint32_t item = 0; item < info.items; item += 1 + info.items / 4) {
    CheckIds(model, info, item);
    CheckTop(session.get(), info.items);
    Require(stint_observe(session.get(), item) == STINT_OK, "an item can be observed");
  }
  Require(stint_scores(session.get(), scores.data()) == STINT_OK, "items have scores");
  for (const float score : scores) {
    Require(!std::isnan(score), "no score is NaN");
    stint_final_activation(model, score);
  }
  return scores;
}

// The same of a trusted model, whose sections may hold anything: answers mean nothing, indices are
// indices.
void WalkTrusted(const stint_model* model) {
  stint_model_info info;
  CheckDescription(model, &info);
  stint_session* created = nullptr;
  Require(stint_session_create(model, 5, &created) == STINT_OK, "a session can be created");
  const SessionPointer session(created, stint_session_destroy);
  std::vector<float> scores(info.items);
  for (uint32_t item = 0; item < info.items; item += 1 + info.items / 4) {
    uint32_t found = 0;
    if (info.ids_are_names != 0) {
      const char* name = nullptr;
      size_t length = 0;
      Require(stint_item_name(model, item, &name, &length) == STINT_OK, "an item has a name");
      const std::string copy(name, length);
      stint_observe_name(session.get(), copy.data(), copy.size());
      if (stint_item_from_name(model, copy.data(), copy.size(), &found) != STINT_OK) found = 0;
    } else {
      int64_t id = 0;
      Require(stint_item_id(model, item, &id) == STINT_OK, "an item has a number");
      stint_observe_id(session.get(), id);
      if (stint_item_from_id(model, id, &found) != STINT_OK) found = 0;
    }
    Require(found < info.items, "an id leads to an item");
    stint_recommendation top[5];
    size_t count = 0;
    Require(stint_recommend(session.get(), 5, nullptr, top, &count) == STINT_OK, "it recommends");
    for (size_t i = 0; i < count; ++i) {
      Require(top[i].item < info.items, "what it recommends is of the catalog");
    }
    float probabilities[5];
    Require(stint_top_probabilities(session.get(), top, count, probabilities) == STINT_OK,
            "it shares");
    Require(stint_observe(session.get(), item) == STINT_OK, "an item can be observed");
  }
  Require(stint_scores(session.get(), scores.data()) == STINT_OK, "items have scores");
}

// Everything a caller may do with a model that opened.
void Use(const stint_model* model) {
  static const std::vector<std::string> targets = TargetNames();
  stint_model_info info;
  CheckDescription(model, &info);
  const std::vector<float> scores = Walk(model, info);
  if (std::strcmp(info.dtype, "int8") != 0) return;
  Require(stint_set_target(targets.back().c_str()) == STINT_OK, "the lowest target is there");
  const std::vector<float> others = Walk(model, info);
  Require(stint_set_target(nullptr) == STINT_OK, "the best target is there");
  Require(std::memcmp(scores.data(), others.data(), scores.size() * sizeof(float)) == 0,
          "int8 scores have the same bits on all targets");
}

}  // namespace

std::vector<std::string> Seeds() {
  std::vector<std::string> seeds;
  const auto add = [&](uint8_t mode, const AlignedBytes& file) {
    std::string& seed = seeds.emplace_back(1, static_cast<char>(mode));
    seed.append(reinterpret_cast<const char*>(file.data()), file.size());
  };
  const Activation finals[] = {
      {ActivationKind::kSoftmax}, {ActivationKind::kElu, 0.5}, {ActivationKind::kLeakyRelu, 0.1}};
  bool names = false;
  for (const ModelKind& kind : ModelKinds()) {
    const Parameters parameters = RandomParameters(kind, 9, {3, 5}, 8);
    const Catalog catalog = names ? NameCatalog(9) : NumberCatalog(9);
    const AlignedBytes file = BuildTestModel(kind, parameters, catalog, {{1, 2, 3}, {}},
                                             finals[seeds.size() % std::size(finals)]);
    add(kSealed, file);
    if (kind.scoring != Scoring::kScan) add(kTrusted | kSealed, file);
    names = !names;
  }
  // As a model of version 1 has it.
  const Parameters parameters = RandomParameters(5, {4}, GruForm::kResetAfter, 3);
  for (const DType dtype : {DType::kInt8, DType::kF32}) {
    const AlignedBytes file = BuildTestModel(parameters, NumberCatalog(5), dtype, {{0, 1}});
    add(0, file);
    add(kSealed, file);
    add(kFromFile, file);
    add(kTrusted, file);
    add(kTrusted | kFromFile | kSealed, file);
  }
  return seeds;
}

}  // namespace stint::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace stint;
  using namespace stint::fuzz;
  const Input input = Split(data, size);
  const Block block = CopyOf(input.bytes);
  if ((input.mode & kSealed) != 0) Seal(block.get(), input.bytes.size());
  stint_model* opened = nullptr;
  stint_error error;
  stint_status status = STINT_OK;
  const uint32_t flags = (input.mode & kTrusted) != 0 ? STINT_OPEN_TRUSTED : 0;
  if ((input.mode & kFromFile) != 0) {
    const MemoryFile file({reinterpret_cast<const char*>(block.get()), input.bytes.size()});
    status = stint_model_open_file(file.path().c_str(), flags, &opened, &error);
  } else {
    status = stint_model_open_buffer(block.get(), input.bytes.size(), flags, &opened, &error);
  }
  const ModelPointer model(opened, stint_model_destroy);
  Require((status == STINT_OK) == (opened != nullptr), "a model, or a status that says why not");
  Require(error.status == status, "the status is in the error too");
  const size_t length = strnlen(error.message, sizeof(error.message));
  Require(length < sizeof(error.message), "a message ends");
  Require((length == 0) == (status == STINT_OK), "a message says what is wrong", error.message);
  if (opened != nullptr) flags != 0 ? WalkTrusted(opened) : Use(opened);
  return 0;
}
