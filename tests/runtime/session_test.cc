// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Sessions: memory, reset, unknown items, ids and names, arguments out of range.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "tests/runtime/test_model.h"

namespace stint {
namespace {

class Session : public testing::Test {
 protected:
  void SetUp() override {
    parameters_ = RandomParameters(100, {12, 20}, GruForm::kResetAfter, 1);
    catalog_ = NumberCatalog(100);
    bytes_ = BuildTestModel(parameters_, catalog_, DType::kInt8);
    model_ = OpenModel(bytes_);
    session_ = NewSession(model_.get(), 10);
  }

  static std::vector<stint_recommendation> Top(stint_session* session, uint32_t k) {
    std::vector<stint_recommendation> top(k);
    size_t count = 0;
    EXPECT_EQ(stint_recommend(session, k, nullptr, top.data(), &count), STINT_OK);
    top.resize(count);
    return top;
  }
  static bool Same(const std::vector<stint_recommendation>& a,
                   const std::vector<stint_recommendation>& b) {
    if (a.size() != b.size()) return false;
    for (size_t i = 0; i < a.size(); ++i) {
      if (a[i].item != b[i].item || a[i].id != b[i].id ||
          FloatBits(a[i].score) != FloatBits(b[i].score)) {
        return false;
      }
    }
    return true;
  }

  Parameters parameters_;
  Catalog catalog_;
  AlignedBytes bytes_;
  ModelPointer model_{nullptr, stint_model_destroy};
  SessionPointer session_{nullptr, stint_session_destroy};
};

TEST_F(Session, ResetIsLikeNew) {
  const auto fresh = Top(session_.get(), 10);
  ASSERT_EQ(stint_observe(session_.get(), 5), STINT_OK);
  ASSERT_EQ(stint_observe(session_.get(), 100), STINT_UNKNOWN_ITEM);
  const auto after = Top(session_.get(), 10);
  EXPECT_FALSE(Same(fresh, after));
  EXPECT_EQ(stint_session_observed(session_.get()), 1u);
  EXPECT_EQ(stint_session_unknown(session_.get()), 1u);

  ASSERT_EQ(stint_session_reset(session_.get()), STINT_OK);
  EXPECT_EQ(stint_session_observed(session_.get()), 0u);
  EXPECT_EQ(stint_session_unknown(session_.get()), 0u);
  for (uint32_t layer = 0; layer < 2; ++layer) {
    const float* hidden;
    uint32_t units;
    ASSERT_EQ(stint_session_hidden(session_.get(), layer, &hidden, &units), STINT_OK);
    for (uint32_t j = 0; j < units; ++j) EXPECT_EQ(FloatBits(hidden[j]), 0u);
  }
  EXPECT_TRUE(Same(fresh, Top(session_.get(), 10)));
  ASSERT_EQ(stint_observe(session_.get(), 5), STINT_OK);
  EXPECT_TRUE(Same(after, Top(session_.get(), 10)));
  // Nothing is seen after a reset but what came after it.
  const SessionPointer wide = NewSession(model_.get(), 1000);
  ASSERT_EQ(stint_observe(wide.get(), 5), STINT_OK);
  ASSERT_EQ(stint_session_reset(wide.get()), STINT_OK);
  ASSERT_EQ(stint_observe(wide.get(), 6), STINT_OK);
  stint_recommend_options options = {};
  options.exclude_seen = 1;
  std::vector<stint_recommendation> all(1000);
  size_t count;
  ASSERT_EQ(stint_recommend(wide.get(), 1000, &options, all.data(), &count), STINT_OK);
  EXPECT_EQ(count, 99u);
  for (size_t i = 0; i < count; ++i) EXPECT_NE(all[i].item, 6u);
}

TEST_F(Session, UnknownItemsChangeNothing) {
  const SessionPointer other = NewSession(model_.get(), 10);
  for (const uint32_t item : {1u, 2u, 3u}) {
    ASSERT_EQ(stint_observe(session_.get(), item), STINT_OK);
    ASSERT_EQ(stint_observe(other.get(), item), STINT_OK);
    ASSERT_EQ(stint_observe(other.get(), 100 + item), STINT_UNKNOWN_ITEM);
    ASSERT_EQ(stint_observe(other.get(), UINT32_MAX), STINT_UNKNOWN_ITEM);
  }
  EXPECT_EQ(stint_session_observed(other.get()), 3u);
  EXPECT_EQ(stint_session_unknown(other.get()), 6u);
  EXPECT_TRUE(Same(Top(session_.get(), 10), Top(other.get(), 10)));
}

TEST_F(Session, OnlyUnknownItemsRecommendByPopularity) {
  ASSERT_EQ(stint_observe(session_.get(), 4000), STINT_UNKNOWN_ITEM);
  const auto top = Top(session_.get(), 3);
  for (const stint_recommendation& r : top) {
    EXPECT_EQ(r.score, static_cast<float>(catalog_.counts[r.item]));
  }
  EXPECT_GE(top[0].score, top[1].score);
}

TEST_F(Session, ByIdAndByIndexAreTheSame) {
  const SessionPointer other = NewSession(model_.get(), 10);
  for (uint32_t item = 0; item < 100; item += 9) {
    ASSERT_EQ(stint_observe(session_.get(), item), STINT_OK);
    ASSERT_EQ(stint_observe_id(other.get(), catalog_.ids.numbers[item]), STINT_OK);
  }
  EXPECT_EQ(stint_observe_id(other.get(), 12345), STINT_UNKNOWN_ITEM);
  EXPECT_EQ(stint_observe_id(other.get(), INT64_MIN), STINT_UNKNOWN_ITEM);
  EXPECT_EQ(stint_observe_id(other.get(), INT64_MAX), STINT_UNKNOWN_ITEM);
  EXPECT_EQ(stint_session_unknown(other.get()), 3u);
  EXPECT_EQ(stint_observe_name(other.get(), "x", 1), STINT_UNSUPPORTED);
  EXPECT_EQ(stint_session_unknown(other.get()), 3u);
  EXPECT_TRUE(Same(Top(session_.get(), 10), Top(other.get(), 10)));
}

TEST_F(Session, ByName) {
  Catalog names = NameCatalog(100);
  names.ids.names[7] = "";                       // empty,
  names.ids.names[8] = std::string("a\0b", 3);   // with a zero byte,
  names.ids.names[9] = "\xff\xfe";               // not in UTF-8,
  names.ids.names[10] = "sku";                   // a prefix of others
  names.ids.names[11] = std::string(5000, 'x');  // long
  const AlignedBytes bytes = BuildTestModel(parameters_, names, DType::kInt8);
  const ModelPointer model = OpenModel(bytes);
  const SessionPointer other = NewSession(model.get(), 10);
  for (uint32_t item = 0; item < 100; ++item) {
    const std::string& name = names.ids.names[item];
    uint32_t found = 999;
    ASSERT_EQ(stint_item_from_name(model.get(), name.data(), name.size(), &found), STINT_OK);
    ASSERT_EQ(found, item);
    ASSERT_EQ(stint_observe(session_.get(), item), STINT_OK);
    ASSERT_EQ(stint_observe_name(other.get(), name.data(), name.size()), STINT_OK);
    const char* bytes_of_name;
    size_t length;
    ASSERT_EQ(stint_item_name(model.get(), item, &bytes_of_name, &length), STINT_OK);
    ASSERT_EQ(std::string(bytes_of_name, length), name);
  }
  for (const std::string& name : {std::string("sku-"), std::string("zzz"), std::string("\0", 1)}) {
    uint32_t found;
    EXPECT_EQ(stint_item_from_name(model.get(), name.data(), name.size(), &found),
              STINT_UNKNOWN_ITEM);
    EXPECT_EQ(stint_observe_name(other.get(), name.data(), name.size()), STINT_UNKNOWN_ITEM);
  }
  EXPECT_EQ(stint_session_unknown(other.get()), 3u);
  EXPECT_EQ(stint_observe_id(other.get(), 7), STINT_UNSUPPORTED);
  int64_t id;
  EXPECT_EQ(stint_item_id(model.get(), 1, &id), STINT_UNSUPPORTED);
  uint32_t item;
  EXPECT_EQ(stint_item_from_id(model.get(), 1, &item), STINT_UNSUPPORTED);
  const auto top = Top(other.get(), 10);
  const auto expected = Top(session_.get(), 10);
  ASSERT_EQ(top.size(), expected.size());
  for (size_t i = 0; i < top.size(); ++i) {
    EXPECT_EQ(top[i].item, expected[i].item);
    EXPECT_EQ(top[i].id, 0);
  }
}

TEST_F(Session, InTheCallersMemory) {
  for (const uint32_t max_k : {1u, 10u, 64u, 1000u}) {
    const size_t size = stint_session_size(model_.get(), max_k);
    ASSERT_GT(size, 0u);
    // Exactly as large as asked for, and full of rubbish: the sanitizers see any step past it.
    AlignedBytes memory(size);
    std::memset(memory.data(), 0xAB, size);
    stint_session* session = nullptr;
    EXPECT_EQ(stint_session_init(model_.get(), max_k, memory.data(), size - 1, &session),
              STINT_INVALID_ARGUMENT);
    EXPECT_EQ(session, nullptr);
    EXPECT_EQ(stint_session_init(model_.get(), max_k, memory.data() + 8, size, &session),
              STINT_MISALIGNED);
    ASSERT_EQ(stint_session_init(model_.get(), max_k, memory.data(), size, &session), STINT_OK);
    const SessionPointer own = NewSession(model_.get(), max_k);
    EXPECT_TRUE(Same(Top(session, max_k), Top(own.get(), max_k)));
    for (const uint32_t item : {3u, 99u, 0u}) {
      ASSERT_EQ(stint_observe(session, item), STINT_OK);
      ASSERT_EQ(stint_observe(own.get(), item), STINT_OK);
    }
    EXPECT_TRUE(Same(Top(session, max_k), Top(own.get(), max_k)));
  }
}

// Blocks exactly as large as asked for, for every kind of model on every target.
TEST_F(Session, OfEveryKindInTheCallersMemory) {
  for (const ModelKind& kind : ModelKinds()) {
    SCOPED_TRACE(kind.name);
    for (const std::vector<size_t>& layers : {std::vector<size_t>{13}, {50, 7}, {7, 50}}) {
      const Parameters parameters = RandomParameters(kind, 100, layers, 5);
      const AlignedBytes bytes = BuildTestModel(kind, parameters, catalog_);
      const ModelPointer model = OpenModel(bytes);
      const size_t size = stint_session_size(model.get(), 10);
      std::vector<stint_recommendation> first;
      ForEachTarget([&] {
        AlignedBytes memory(size);
        std::memset(memory.data(), 0xAB, size);
        stint_session* session = nullptr;
        ASSERT_EQ(stint_session_init(model.get(), 10, memory.data(), size, &session), STINT_OK);
        for (const uint32_t item : {3u, 99u, 0u, 64u}) {
          ASSERT_EQ(stint_observe(session, item), STINT_OK);
        }
        const auto top = Top(session, 10);
        EXPECT_EQ(top.size(), 10u);
        if (first.empty()) first = top;
        EXPECT_TRUE(Same(top, first));
        ASSERT_EQ(stint_session_reset(session), STINT_OK);
        for (const uint32_t item : {3u, 99u, 0u, 64u}) {
          ASSERT_EQ(stint_observe(session, item), STINT_OK);
        }
        EXPECT_TRUE(Same(Top(session, 10), first));
      });
    }
  }
}

TEST_F(Session, ArgumentsOutOfRange) {
  stint_session* created = session_.get();
  EXPECT_EQ(stint_session_size(nullptr, 1), 0u);
  EXPECT_EQ(stint_session_size(model_.get(), 0), 0u);
  EXPECT_EQ(stint_session_create(model_.get(), 0, &created), STINT_INVALID_ARGUMENT);
  EXPECT_EQ(created, nullptr);
  EXPECT_EQ(stint_session_create(nullptr, 1, &created), STINT_INVALID_ARGUMENT);
  EXPECT_EQ(stint_session_create(model_.get(), 1, nullptr), STINT_INVALID_ARGUMENT);
  EXPECT_EQ(stint_session_reset(nullptr), STINT_INVALID_ARGUMENT);
  EXPECT_EQ(stint_observe(nullptr, 0), STINT_INVALID_ARGUMENT);
  EXPECT_EQ(stint_observe_id(nullptr, 0), STINT_INVALID_ARGUMENT);
  EXPECT_EQ(stint_observe_name(nullptr, "", 0), STINT_INVALID_ARGUMENT);
  EXPECT_EQ(stint_session_observed(nullptr), 0u);
  EXPECT_EQ(stint_session_unknown(nullptr), 0u);
  stint_session_destroy(nullptr);

  const float* hidden;
  uint32_t units;
  EXPECT_EQ(stint_session_hidden(session_.get(), 2, &hidden, &units), STINT_INVALID_ARGUMENT);
  EXPECT_EQ(stint_session_hidden(nullptr, 0, &hidden, &units), STINT_INVALID_ARGUMENT);

  stint_recommendation top[11];
  size_t count = 7;
  EXPECT_EQ(stint_recommend(session_.get(), 11, nullptr, top, &count), STINT_INVALID_ARGUMENT);
  EXPECT_EQ(count, 0u);
  EXPECT_EQ(stint_recommend(session_.get(), 0, nullptr, top, &count), STINT_INVALID_ARGUMENT);
  EXPECT_EQ(stint_recommend(session_.get(), 1, nullptr, nullptr, &count), STINT_INVALID_ARGUMENT);
  EXPECT_EQ(stint_recommend(session_.get(), 1, nullptr, top, nullptr), STINT_INVALID_ARGUMENT);
  EXPECT_EQ(stint_recommend(nullptr, 1, nullptr, top, &count), STINT_INVALID_ARGUMENT);
  const uint32_t deny[] = {1, 100};
  stint_recommend_options options = {};
  options.deny = deny;
  options.deny_count = 2;
  EXPECT_EQ(stint_recommend(session_.get(), 10, &options, top, &count), STINT_INVALID_ARGUMENT);
  options.deny = nullptr;
  EXPECT_EQ(stint_recommend(session_.get(), 10, &options, top, &count), STINT_INVALID_ARGUMENT);
  options.deny_count = 0;
  EXPECT_EQ(stint_recommend(session_.get(), 10, &options, top, &count), STINT_OK);
  EXPECT_EQ(count, 10u);

  uint32_t higher, equal;
  EXPECT_EQ(stint_rank(session_.get(), 100, &higher, &equal), STINT_INVALID_ARGUMENT);
  EXPECT_EQ(stint_rank(session_.get(), 0, nullptr, &equal), STINT_INVALID_ARGUMENT);
  EXPECT_EQ(stint_rank(nullptr, 0, &higher, &equal), STINT_INVALID_ARGUMENT);
  EXPECT_EQ(stint_scores(session_.get(), nullptr), STINT_INVALID_ARGUMENT);
  EXPECT_EQ(stint_scores(nullptr, &top[0].score), STINT_INVALID_ARGUMENT);
}

TEST_F(Session, HugeKIsOnlyAsLargeAsTheCatalog) {
  EXPECT_EQ(stint_session_size(model_.get(), UINT32_MAX), stint_session_size(model_.get(), 100));
  const SessionPointer session = NewSession(model_.get(), UINT32_MAX);
  ASSERT_TRUE(session);
  std::vector<stint_recommendation> top(100);
  size_t count;
  ASSERT_EQ(stint_recommend(session.get(), UINT32_MAX, nullptr, top.data(), &count), STINT_OK);
  EXPECT_EQ(count, 100u);
}

}  // namespace
}  // namespace stint
