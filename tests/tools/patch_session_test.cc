// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// A session goes on when its model is updated by a patch: its items are found by their ids. Where
// the layers are others its clicks are observed again.
#include <gtest/gtest.h>

#include <numeric>

#include "tests/runtime/state_bytes.h"
#include "tests/tools/patch_models.h"

namespace stint {
namespace {

constexpr uint32_t kItems = 80;
constexpr uint32_t kClicks = 12;

class UpdatedSession : public testing::TestWithParam<ModelKind> {
 protected:
  void SetUp() override {
    shop_ = MakeShop(GetParam(), kItems, {12, 9}, false);
    old_bytes_ = Build(GetParam(), shop_);
    old_ = stint::OpenModel(old_bytes_);
    session_ = Clicked(old_.get(), kItems, kClicks);
    state_ = Export(session_.get());
  }
  // What a device has after the update.
  AlignedBytes Updated(const Shop& shop) const {
    const AlignedBytes wanted = Build(GetParam(), shop);
    const MadePatch patch = MakePatch({old_bytes_, "old"}, {wanted, "new"});
    return ApplyPatch({old_bytes_, "old"}, patch.bytes, "patch").bytes;
  }

  Shop shop_;
  AlignedBytes old_bytes_;
  ModelPointer old_{nullptr, stint_model_destroy};
  SessionPointer session_{nullptr, stint_session_destroy};
  StateBytes state_;
};

std::vector<ModelKind> Kinds() {
  std::vector<ModelKind> kinds = ModelKinds();
  kinds.push_back({"shared, int8",
                   Embedding::kShared,
                   0,
                   GruForm::kResetAfter,
                   DType::kInt8,
                   {ActivationKind::kTanh}});
  return kinds;
}
INSTANTIATE_TEST_SUITE_P(Kinds, UpdatedSession, testing::ValuesIn(Kinds()), [](const auto& info) {
  std::string name = info.param.name;
  std::erase_if(name, [](char c) { return c == ' ' || c == ','; });
  return name + std::to_string(info.index);
});

TEST_P(UpdatedSession, SurvivesByItemId) {
  std::vector<size_t> rows;
  for (size_t i = 0; i < kItems; ++i) {
    if (i % 4 != 1) rows.push_back((i * 3 + 7) % kItems);  // gone, and in another order
  }
  rows.insert(rows.begin(), kItems + 1);
  rows.push_back(kItems);
  const AlignedBytes bytes = Updated(WithItems(shop_, rows));
  const ModelPointer model = stint::OpenModel(bytes);
  const uint32_t items = static_cast<uint32_t>(rows.size());
  const SessionPointer session = NewSession(model.get(), items);
  ASSERT_EQ(Import(state_, session.get()), STINT_OK);

  for (uint32_t layer = 0; layer < 2; ++layer) {
    const float *now, *before;
    uint32_t units = 0;
    ASSERT_EQ(stint_session_hidden(session.get(), layer, &now, &units), STINT_OK);
    ASSERT_EQ(stint_session_hidden(session_.get(), layer, &before, &units), STINT_OK);
    EXPECT_EQ(std::memcmp(now, before, units * sizeof(float)), 0);
  }
  // Left out are those seen that are still there, and no others.
  std::vector<uint32_t> expected(items);
  std::iota(expected.begin(), expected.end(), 0u);
  size_t kept = 0, gone = 0;
  for (uint32_t step = 0; step < kClicks; ++step) {
    const int64_t id = shop_.catalog.ids.numbers[Click(step, kItems)];
    uint32_t item = 0;
    if (stint_item_from_id(model.get(), id, &item) == STINT_OK) {
      kept += std::erase(expected, item);
    } else {
      ++gone;
    }
  }
  ASSERT_GT(kept, 0u);
  ASSERT_GT(gone, 0u);
  EXPECT_EQ(NotSeen(session.get(), items), expected);
  EXPECT_EQ(stint_session_observed(session.get()), kClicks);
  // And it goes on: the same click leads both to the same state.
  const int64_t next = shop_.catalog.ids.numbers[rows[5]];
  ASSERT_EQ(stint_observe_id(session.get(), next), STINT_OK);
  ASSERT_EQ(stint_observe_id(session_.get(), next), STINT_OK);
  const float *now, *before;
  uint32_t units = 0;
  ASSERT_EQ(stint_session_hidden(session.get(), 1, &now, &units), STINT_OK);
  ASSERT_EQ(stint_session_hidden(session_.get(), 1, &before, &units), STINT_OK);
  EXPECT_EQ(std::memcmp(now, before, units * sizeof(float)), 0);
}

// As PATCH.md says: the clicks, kept by the app, are observed once more.
TEST_P(UpdatedSession, OtherLayersTakeTheClicksAgain) {
  Shop trained = WithItems(shop_, Iota(kItems + 2));
  Perturb(0.05, 8, &trained.parameters);
  const AlignedBytes bytes = Updated(trained);
  const ModelPointer model = stint::OpenModel(bytes);
  const SessionPointer session = NewSession(model.get(), kItems + 2);
  const StateBytes empty = Export(session.get());
  ASSERT_EQ(Import(state_, session.get()), STINT_OTHER_MODEL);
  EXPECT_EQ(Export(session.get()), empty);
  std::vector<uint32_t> expected = {kItems, kItems + 1};
  for (uint32_t i = 0; i < kItems; ++i) expected.push_back(i);
  for (uint32_t step = 0; step < kClicks; ++step) {
    const int64_t id = shop_.catalog.ids.numbers[Click(step, kItems)];
    ASSERT_EQ(stint_observe_id(session.get(), id), STINT_OK);
    std::erase(expected, Click(step, kItems));  // indices stay in this update
  }
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(stint_session_observed(session.get()), kClicks);
  EXPECT_EQ(NotSeen(session.get(), kItems + 2), expected);
}

}  // namespace
}  // namespace stint
