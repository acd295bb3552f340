// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Damaged, cut and forged session states: a status, and the session is as it was.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "schema/checksum.h"
#include "tests/runtime/state_bytes.h"

namespace stint {
namespace {

// Where things stand in a state (runtime/session_state.h).
constexpr size_t kVersion = 4, kSize = 8, kKind = 12, kLayers = 16, kCatalog = 24, kObserved = 32,
                 kUnknown = 40, kUnits = 48, kCount = 52, kHidden = 56;

void Put32(size_t at, uint32_t value, StateBytes* state) {
  for (size_t i = 0; i < 4; ++i) (*state)[at + i] = static_cast<uint8_t>(value >> 8 * i);
}
void Put64(size_t at, uint64_t value, StateBytes* state) {
  Put32(at, static_cast<uint32_t>(value), state);
  Put32(at + 4, static_cast<uint32_t>(value >> 32), state);
}
// Makes the checksum right, as a forger would.
void Seal(StateBytes* state) {
  const size_t end = state->size() - 8;
  Put64(end, SectionChecksum(state->data(), end), state);
}

// A model with numbers or names as ids, a state of its, and a session that it is imported into.
class HostileState : public testing::TestWithParam<bool> {
 protected:
  static constexpr uint32_t kItems = 70;

  void SetUp() override {
    const Parameters parameters = RandomParameters(kItems, {3, 5}, GruForm::kResetAfter, 6);
    bytes_ = BuildTestModel(parameters, GetParam() ? NameCatalog(kItems) : NumberCatalog(kItems),
                            DType::kInt8);
    model_ = OpenModel(bytes_);
    session_ = NewSession(model_.get(), kItems);
    for (const uint32_t item : {7u, 69u, 7u}) {
      ASSERT_EQ(stint_observe(session_.get(), item), STINT_OK);
    }
    const SessionPointer other = NewSession(model_.get(), kItems);
    for (const uint32_t item : {1u, 2u, 64u, 65u, 2u}) {
      ASSERT_EQ(stint_observe(other.get(), item), STINT_OK);
    }
    state_ = Export(other.get());
    before_ = Export(session_.get());
    everything_ = Everything(session_.get(), model_.get());
    items_ = kHidden + 8 * sizeof(float);
    item_bytes_ = 8;
    ASSERT_EQ(state_.size(), items_ + 4 * item_bytes_ + 8);
  }

  // Refused, and nothing has changed.
  void Refused(const StateBytes& state, stint_status expected) {
    ASSERT_EQ(Import(state, session_.get()), expected);
    ASSERT_EQ(Export(session_.get()), before_);
  }
  // The state, changed and sealed, is refused as corrupt.
  void Forged(const std::string& what, const std::function<void(StateBytes*)>& change) {
    SCOPED_TRACE(what);
    StateBytes state = state_;
    change(&state);
    ASSERT_NE(state, state_);
    Seal(&state);
    Refused(state, STINT_CORRUPT);
  }
  void TearDown() override { EXPECT_EQ(Everything(session_.get(), model_.get()), everything_); }

  AlignedBytes bytes_;
  ModelPointer model_{nullptr, stint_model_destroy};
  SessionPointer session_{nullptr, stint_session_destroy};
  StateBytes state_, before_;
  std::vector<uint64_t> everything_;
  size_t items_, item_bytes_;
};

TEST_P(HostileState, EveryCut) {
  for (size_t size = 0; size < state_.size(); ++size) {
    StateBytes cut(state_.begin(), state_.begin() + size);
    Refused(cut, STINT_CORRUPT);
    if (size < kHidden + 8) continue;
    Seal(&cut);
    Refused(cut, STINT_CORRUPT);
    Put32(kSize, static_cast<uint32_t>(size), &cut);
    Seal(&cut);
    Refused(cut, STINT_CORRUPT);
  }
  for (size_t more = 1; more < 20; ++more) {
    StateBytes longer = state_;
    longer.resize(state_.size() + more);
    Refused(longer, STINT_CORRUPT);
    Put32(kSize, static_cast<uint32_t>(longer.size()), &longer);
    Seal(&longer);
    Refused(longer, STINT_CORRUPT);
  }
}

TEST_P(HostileState, EverySingleByteChange) {
  for (size_t at = 0; at < state_.size(); ++at) {
    for (unsigned value = 0; value < 256; ++value) {
      StateBytes state = state_;
      if (state[at] == value) continue;
      state[at] = static_cast<uint8_t>(value);
      const bool newer = at == kVersion ? value > 2 : at > kVersion && at < kSize && value > 0;
      SCOPED_TRACE("byte " + std::to_string(at) + " = " + std::to_string(value));
      ASSERT_NO_FATAL_FAILURE(Refused(state, newer ? STINT_NEWER_VERSION : STINT_CORRUPT));
    }
  }
}

// What a forger can get through is a session like others.
TEST_P(HostileState, EverySingleByteChangeSealed) {
  const SessionPointer victim = NewSession(model_.get(), kItems);
  size_t accepted = 0;
  for (size_t at = 0; at < state_.size() - 8; ++at) {
    for (unsigned value = 0; value < 256; ++value) {
      StateBytes state = state_;
      if (state[at] == value) continue;
      state[at] = static_cast<uint8_t>(value);
      Seal(&state);
      const StateBytes before = Export(victim.get());
      const stint_status status = Import(state, victim.get());
      if (status != STINT_OK) {
        ASSERT_TRUE(status == STINT_CORRUPT || status == STINT_NEWER_VERSION ||
                    status == STINT_OTHER_MODEL);
        ASSERT_EQ(Export(victim.get()), before);
        continue;
      }
      ++accepted;
      ASSERT_TRUE(at >= kCatalog) << at;
      float scores[kItems];
      ASSERT_EQ(stint_scores(victim.get(), scores), STINT_OK);
      for (const float score : scores) ASSERT_TRUE(std::isfinite(score));
      ASSERT_GE(NotSeen(victim.get(), kItems).size(), kItems - 4u);
      ASSERT_EQ(stint_observe(victim.get(), 3), STINT_OK);
    }
  }
  EXPECT_GT(accepted, 0u);
}

TEST_P(HostileState, ForgedValues) {
  const float infinity = std::numeric_limits<float>::infinity();
  for (const float value : {std::nanf(""), infinity, -infinity, 3e38f, -1e15f, 2.5f}) {
    for (size_t j = 0; j < 8; ++j) {
      Forged("hidden state", [&](StateBytes* s) { Put32(kHidden + 4 * j, FloatBits(value), s); });
    }
  }
  Forged("kind", [&](StateBytes* s) { Put32(kKind, GetParam() ? 1 : 2, s); });
  Forged("kind", [&](StateBytes* s) { Put32(kKind, 3, s); });
  Forged("kind", [&](StateBytes* s) { Put32(kKind, UINT32_MAX, s); });
  Forged("version", [&](StateBytes* s) { Put32(kVersion, 0, s); });
  Forged("version", [&](StateBytes* s) { Put32(kVersion, GetParam() ? 1 : 2, s); });
  Forged("observed", [&](StateBytes* s) { Put64(kObserved, 3, s); });
  Forged("observed", [&](StateBytes* s) { Put64(kObserved, UINT64_MAX, s); });
  Forged("unknown", [&](StateBytes* s) { Put64(kUnknown, uint64_t{1} << 63, s); });
  for (const uint32_t size : {0u, 1u, 63u, UINT32_MAX}) {
    Forged("size", [&](StateBytes* s) { Put32(kSize, size, s); });
  }
  // Among them products and sums that wrap in 32 bits to the right size.
  for (const uint32_t wrap : {0u, 1u << 29, 1u << 30, 1u << 31, 0u - 16u}) {
    for (const uint32_t more : {3u, 4u, 5u}) {
      if (wrap + more == 4) continue;
      Forged("count", [&](StateBytes* s) { Put32(kCount, wrap + more, s); });
      Forged("count", [&](StateBytes* s) {
        Put64(kObserved, UINT64_MAX / 2, s);
        Put32(kCount, wrap + more, s);
        (*s)[kCatalog] ^= 1;  // items that are unknown may then be
      });
      Forged("units", [&](StateBytes* s) { Put32(kUnits, 4 + wrap + more, s); });
    }
  }
  // Hidden units for items, all sizes right.
  Forged("units", [&](StateBytes* s) {
    Put32(kUnits, 8 + static_cast<uint32_t>(item_bytes_) / 4, s);
    Put32(kCount, 3, s);
  });
  Forged("empty with hidden states", [&](StateBytes* s) {
    s->erase(s->begin() + items_, s->begin() + items_ + 4 * item_bytes_);
    Put32(kSize, static_cast<uint32_t>(s->size()), s);
    Put64(kObserved, 0, s);
    Put32(kCount, 0, s);
  });
}

TEST_P(HostileState, ForgedItems) {
  const auto put = [&](size_t i, uint64_t item, StateBytes* s) {
    const size_t at = items_ + i * item_bytes_;
    int64_t id = static_cast<int64_t>(item);
    if (GetParam()) {
      Put64(at, item, s);
    } else {
      stint_item_id(model_.get(), static_cast<uint32_t>(item), &id);  // unknown ones as they are
      Put64(at, static_cast<uint64_t>(id), s);
    }
  };
  const auto at = [&](StateBytes* s, size_t i) { return s->begin() + items_ + i * item_bytes_; };
  Forged("twice", [&](StateBytes* s) { std::copy_n(at(s, 0), item_bytes_, at(s, 1)); });
  Forged("falling", [&](StateBytes* s) { std::swap_ranges(at(s, 0), at(s, 1), at(s, 1)); });
  for (const uint64_t none : {uint64_t{kItems}, uint64_t{127}, uint64_t{1} << 31,
                              uint64_t{UINT32_MAX}, UINT64_MAX / 2, UINT64_MAX}) {
    for (const size_t i : {0, 3}) {
      Forged("no item", [&](StateBytes* s) { put(i, none, s); });
    }
  }
}

TEST_P(HostileState, OtherModels) {
  for (const size_t at : {kLayers, kLayers + 7}) {
    StateBytes state = state_;
    state[at] ^= 1;
    Seal(&state);
    Refused(state, STINT_OTHER_MODEL);
  }
  StateBytes state = state_;  // of the other kind, all sizes right
  Put32(kVersion, 1, &state);
  Put32(kKind, GetParam() ? 0 : 1, &state);
  Put32(kCount, GetParam() ? 4 : 8, &state);
  Put64(kObserved, 100, &state);
  Seal(&state);
  Refused(state, STINT_OTHER_MODEL);
  if (!GetParam()) return;
  state = state_;  // indices of another catalog
  Put32(kVersion, 1, &state);
  Put32(kKind, 1, &state);
  Put32(kCount, 8, &state);
  Put64(kObserved, 100, &state);
  state[kCatalog] ^= 1;
  Seal(&state);
  Refused(state, STINT_OTHER_MODEL);
}

// Of another catalog names must be in order all the same: they are searched for.
TEST_P(HostileState, NamesOutOfOrder) {
  if (!GetParam()) return;
  for (const size_t with : {1u, 2u, 3u}) {
    Forged("order", [&](StateBytes* s) {
      (*s)[kCatalog] ^= 1;
      std::swap_ranges(s->begin() + items_, s->begin() + items_ + 8,
                       s->begin() + items_ + 8 * with);
    });
  }
}

// A newer version is called that whatever else it holds.
TEST_P(HostileState, NewerVersion) {
  for (const uint32_t version : {3u, 256u, UINT32_MAX}) {
    StateBytes state = state_;
    Put32(kVersion, version, &state);
    state.resize(3 * state.size(), 0x55);
    Refused(state, STINT_NEWER_VERSION);
  }
}

TEST_P(HostileState, OtherBytes) {
  for (const size_t size : {0, 1, 4, 63, 64, 65, 1000, 100000}) {
    for (const uint8_t fill : {0x00, 0x53, 0xFF}) Refused(StateBytes(size, fill), STINT_CORRUPT);
  }
  Refused(StateBytes(bytes_.data(), bytes_.data() + bytes_.size()), STINT_CORRUPT);  // a model
}

INSTANTIATE_TEST_SUITE_P(Ids, HostileState, testing::Bool(),
                         [](const auto& info) { return info.param ? "names" : "numbers"; });

}  // namespace
}  // namespace stint
