// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// What a session state is to models other than the one that it comes from, and copies of sessions.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "schema/checksum.h"
#include "tests/runtime/state_bytes.h"

namespace stint {
namespace {

constexpr GruForm kAfter = GruForm::kResetAfter;
constexpr GruForm kBefore = GruForm::kResetBefore;

class OtherModel : public testing::Test {
 protected:
  void SetUp() override {
    bytes_ =
        BuildTestModel(RandomParameters(60, {11, 8}, kAfter, 3), NumberCatalog(60), DType::kInt8);
    model_ = OpenModel(bytes_);
    state_ = Export(Clicked(model_.get(), 60, 9).get());
  }

  // Imports into a session with clicks of its own; where it is refused, all is as before.
  stint_status Into(const AlignedBytes& bytes) {
    const ModelPointer model = OpenModel(bytes);
    const SessionPointer session = Clicked(model.get(), 30, 3);
    const std::vector<uint64_t> before = EverythingOf(session.get(), model.get());
    const stint_status status = Import(state_, session.get());
    const std::vector<uint64_t> after = EverythingOf(session.get(), model.get());
    EXPECT_EQ(before == after, status != STINT_OK);
    return status;
  }
  static std::vector<uint64_t> EverythingOf(const stint_session* session,
                                            const stint_model* model) {
    stint_model_info info;
    EXPECT_EQ(stint_model_describe(model, &info), STINT_OK);
    const SessionPointer wide = NewSession(model, info.items);
    EXPECT_EQ(stint_session_copy(session, wide.get()), STINT_OK);
    return Everything(wide.get(), model);
  }

  AlignedBytes bytes_;
  ModelPointer model_{nullptr, stint_model_destroy};
  StateBytes state_;
};

TEST_F(OtherModel, OtherLayersRefuse) {
  const Catalog catalog = NumberCatalog(60);
  EXPECT_EQ(Into(bytes_), STINT_OK);
  const std::vector<size_t> layers = {11, 8};
  // The same ids after an update of the weights.
  EXPECT_EQ(Into(BuildTestModel(RandomParameters(60, layers, kAfter, 4), catalog, DType::kInt8)),
            STINT_OTHER_MODEL);
  Parameters one_weight = RandomParameters(60, layers, kAfter, 3);
  one_weight.Dense()[1].Row(0)[0] += 0.25f;
  EXPECT_EQ(Into(BuildTestModel(one_weight, catalog, DType::kInt8)), STINT_OTHER_MODEL);
  EXPECT_EQ(Into(BuildTestModel(RandomParameters(60, layers, kBefore, 3), catalog, DType::kInt8)),
            STINT_OTHER_MODEL);
  EXPECT_EQ(Into(BuildTestModel(RandomParameters(60, layers, kAfter, 3), catalog, DType::kF32)),
            STINT_OTHER_MODEL);
  EXPECT_EQ(Into(BuildTestModel(RandomParameters(60, layers, kAfter, 3), catalog, DType::kInt8, {},
                                {ActivationKind::kRelu})),
            STINT_OTHER_MODEL);
  for (const std::vector<size_t>& shape : {std::vector<size_t>{11}, {8, 11}, {11, 8, 8}, {19}}) {
    EXPECT_EQ(Into(BuildTestModel(RandomParameters(60, shape, kAfter, 3), catalog, DType::kInt8)),
              STINT_OTHER_MODEL);
  }
}

TEST_F(OtherModel, TheSameLayersTakeIt) {
  Parameters parameters = RandomParameters(60, {11, 8}, kAfter, 3);
  const Catalog catalog = NumberCatalog(60);
  // Another file with the same weights: test sessions, final activation.
  EXPECT_EQ(Into(BuildTestModel(parameters, catalog, DType::kInt8, {{1, 2}},
                                {ActivationKind::kTanh}, {ActivationKind::kElu, 0.5})),
            STINT_OK);
  parameters.items.Row(5)[0] += 0.5f;  // other item rows are scored with the same hidden state
  EXPECT_EQ(Into(BuildTestModel(parameters, catalog, DType::kInt8)), STINT_OK);
}

// Items that moved, came and went: those seen are found by their ids.
TEST_F(OtherModel, OfAnotherCatalog) {
  const Catalog old = NumberCatalog(60);
  Catalog catalog = NumberCatalog(50);
  for (size_t i = 0; i < 50; ++i) catalog.ids.numbers[i] = old.ids.numbers[(i * 7 + 12) % 53];
  catalog.ids.numbers[20] = 123456;  // new
  const AlignedBytes bytes =
      BuildTestModel(RandomParameters(50, {11, 8}, kAfter, 3), catalog, DType::kInt8);
  const ModelPointer model = OpenModel(bytes);
  std::vector<uint32_t> expected(50);
  std::iota(expected.begin(), expected.end(), 0u);
  size_t gone = 0;
  for (uint32_t step = 0; step < 9; ++step) {
    uint32_t item;
    if (stint_item_from_id(model.get(), old.ids.numbers[Click(step, 60)], &item) == STINT_OK) {
      expected.erase(std::remove(expected.begin(), expected.end(), item), expected.end());
    } else {
      ++gone;
    }
  }
  ASSERT_GT(gone, 0u);
  ASSERT_LT(expected.size(), 49u);
  const SessionPointer session = NewSession(model.get(), 50);
  ASSERT_EQ(Import(state_, session.get()), STINT_OK);
  EXPECT_EQ(NotSeen(session.get(), 50), expected);
  EXPECT_EQ(stint_session_observed(session.get()), 9u);
  EXPECT_EQ(stint_session_unknown(session.get()), 3u);
  const SessionPointer before = Clicked(model_.get(), 60, 9);
  for (uint32_t layer = 0; layer < 2; ++layer) {
    const float *a, *b;
    uint32_t units;
    ASSERT_EQ(stint_session_hidden(session.get(), layer, &a, &units), STINT_OK);
    ASSERT_EQ(stint_session_hidden(before.get(), layer, &b, &units), STINT_OK);
    EXPECT_EQ(std::memcmp(a, b, units * sizeof(float)), 0);
  }
  // And once more from there.
  const SessionPointer again = NewSession(model.get(), 50);
  ASSERT_EQ(Import(Export(session.get()), again.get()), STINT_OK);
  EXPECT_EQ(Everything(again.get(), model.get()), Everything(session.get(), model.get()));
}

// Items are found by their names, wherever they stand; what is gone is left out.
TEST_F(OtherModel, NamesAreFoundInAnotherCatalog) {
  const Parameters parameters = RandomParameters(60, {11, 8}, kAfter, 3);
  EXPECT_EQ(Into(BuildTestModel(parameters, NameCatalog(60), DType::kInt8)), STINT_OTHER_MODEL)
      << "numbers into names";
  const Catalog catalog = NameCatalog(60);
  const AlignedBytes bytes = BuildTestModel(parameters, catalog, DType::kInt8);
  const ModelPointer model = OpenModel(bytes);
  const SessionPointer before = Clicked(model.get(), 60, 9);
  state_ = Export(before.get());
  EXPECT_EQ(Into(bytes), STINT_OK);
  EXPECT_EQ(Into(bytes_), STINT_OTHER_MODEL) << "names into numbers";
  std::set<std::string> seen;
  for (uint32_t step = 0; step < 9; ++step) seen.insert(catalog.ids.names[Click(step, 60)]);
  // Other names at the same places, the same ones at other places, more and fewer of them.
  Catalog reversed = catalog, renamed = catalog, fewer = NameCatalog(40), more = NameCatalog(70);
  std::reverse(reversed.ids.names.begin(), reversed.ids.names.end());
  renamed.ids.names[Click(0, 60)] += "x";
  for (const Catalog& other : {reversed, renamed, fewer, more}) {
    const AlignedBytes other_bytes =
        BuildTestModel(RandomParameters(other.size(), {11, 8}, kAfter, 3), other, DType::kInt8);
    const ModelPointer other_model = OpenModel(other_bytes);
    const SessionPointer session = NewSession(other_model.get(), 70);
    ASSERT_EQ(Import(state_, session.get()), STINT_OK);
    const uint32_t items = static_cast<uint32_t>(other.size());
    const std::vector<uint32_t> left = NotSeen(session.get(), items);
    for (uint32_t item = 0; item < items; ++item) {
      EXPECT_NE(std::binary_search(left.begin(), left.end(), item),
                seen.count(other.ids.names[item]) != 0)
          << other.ids.names[item];
    }
    EXPECT_EQ(stint_session_observed(session.get()), 9u);
    const float *a = nullptr, *b = nullptr;
    uint32_t units = 0;
    ASSERT_EQ(stint_session_hidden(session.get(), 1, &a, &units), STINT_OK);
    ASSERT_EQ(stint_session_hidden(before.get(), 1, &b, &units), STINT_OK);
    EXPECT_EQ(std::memcmp(a, b, units * sizeof(float)), 0);
  }
}

// What a library of version 1 wrote: indices, of the same catalog alone.
TEST_F(OtherModel, NamesOfVersionOne) {
  const Parameters parameters = RandomParameters(60, {11, 8}, kAfter, 3);
  Catalog catalog = NameCatalog(60);
  const AlignedBytes bytes = BuildTestModel(parameters, catalog, DType::kInt8);
  const ModelPointer model = OpenModel(bytes);
  const SessionPointer before = Clicked(model.get(), 60, 9);
  StateBytes old = Export(before.get());
  const std::vector<uint32_t> left = NotSeen(before.get(), 60);
  old[4] = 1;   // version
  old[12] = 1;  // kind
  const size_t items = 56 + 19 * sizeof(float);
  const uint32_t count = old[52];
  old.resize(items + 4 * count + 8);
  old[8] = static_cast<uint8_t>(old.size());
  old[9] = static_cast<uint8_t>(old.size() >> 8);
  size_t at = items;
  for (uint32_t item = 0; item < 60; ++item) {
    if (std::binary_search(left.begin(), left.end(), item)) continue;
    old[at] = static_cast<uint8_t>(item);
    old[at + 1] = old[at + 2] = old[at + 3] = 0;
    at += 4;
  }
  ASSERT_EQ(at + 8, old.size());
  const uint64_t checksum = SectionChecksum(old.data(), at);
  std::memcpy(old.data() + at, &checksum, 8);
  state_ = old;
  EXPECT_EQ(Into(bytes), STINT_OK);
  const SessionPointer session = NewSession(model.get(), 60);
  ASSERT_EQ(Import(old, session.get()), STINT_OK);
  EXPECT_EQ(Everything(session.get(), model.get()), Everything(before.get(), model.get()));
  catalog.ids.names[59] += "x";
  EXPECT_EQ(Into(BuildTestModel(parameters, catalog, DType::kInt8)), STINT_OTHER_MODEL);
}

// ---- Copies

TEST_F(OtherModel, CopyIsTheSameSession) {
  const SessionPointer from = Clicked(model_.get(), 60, 9);
  const SessionPointer to = Clicked(model_.get(), 60, 2);
  ASSERT_EQ(stint_session_copy(from.get(), to.get()), STINT_OK);
  ASSERT_EQ(stint_session_copy(from.get(), from.get()), STINT_OK);
  EXPECT_EQ(Export(from.get()), state_);
  for (uint32_t step = 0; step < 4; ++step) {
    EXPECT_EQ(Everything(to.get(), model_.get()), Everything(from.get(), model_.get()));
    ASSERT_EQ(stint_observe(from.get(), 3 * step), STINT_OK);
    ASSERT_EQ(stint_observe(to.get(), 3 * step), STINT_OK);
  }
  ASSERT_EQ(stint_observe(to.get(), 50), STINT_OK);  // they go on apart
  EXPECT_NE(Export(to.get()), Export(from.get()));
  // A smaller maximum stays, and what the larger one found last does not reach into it.
  const SessionPointer narrow = NewSession(model_.get(), 2);
  ASSERT_EQ(stint_session_copy(from.get(), narrow.get()), STINT_OK);
  EXPECT_EQ(Export(narrow.get()), Export(from.get()));
  stint_recommendation top[3], all[3];
  size_t count;
  EXPECT_EQ(stint_recommend(narrow.get(), 3, nullptr, top, &count), STINT_INVALID_ARGUMENT);
  ASSERT_EQ(stint_recommend(narrow.get(), 2, nullptr, top, &count), STINT_OK);
  ASSERT_EQ(stint_recommend(from.get(), 3, nullptr, all, &count), STINT_OK);
  EXPECT_EQ(top[0].item, all[0].item);
  EXPECT_EQ(top[1].item, all[1].item);
}

TEST_F(OtherModel, CopyStaysInOneModel) {
  const AlignedBytes again = CopyOf(bytes_);
  const ModelPointer model = OpenModel(again);
  const SessionPointer from = Clicked(model_.get(), 60, 9);
  const SessionPointer to = Clicked(model.get(), 60, 2);
  const StateBytes before = Export(to.get());
  EXPECT_EQ(stint_session_copy(from.get(), to.get()), STINT_OTHER_MODEL);
  EXPECT_EQ(Export(to.get()), before);
}

TEST_F(OtherModel, ArgumentsOutOfRange) {
  const SessionPointer session = Clicked(model_.get(), 60, 9);
  size_t size = 7;
  uint8_t byte;
  EXPECT_EQ(stint_session_state_size(nullptr), 0u);
  EXPECT_EQ(stint_session_export(nullptr, &byte, 1, &size), STINT_INVALID_ARGUMENT);
  EXPECT_EQ(size, 0u);
  EXPECT_EQ(stint_session_export(session.get(), nullptr, 2000, &size), STINT_INVALID_ARGUMENT);
  EXPECT_EQ(stint_session_export(session.get(), &byte, 2000, nullptr), STINT_INVALID_ARGUMENT);
  EXPECT_EQ(stint_session_import(nullptr, &byte, 1), STINT_INVALID_ARGUMENT);
  EXPECT_EQ(stint_session_import(session.get(), nullptr, 1), STINT_INVALID_ARGUMENT);
  EXPECT_EQ(stint_session_copy(nullptr, session.get()), STINT_INVALID_ARGUMENT);
  EXPECT_EQ(stint_session_copy(session.get(), nullptr), STINT_INVALID_ARGUMENT);
  EXPECT_EQ(Export(session.get()), state_);
}

}  // namespace
}  // namespace stint
