// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Patches between models of every kind make the new file, bit for bit; what is damaged or belongs
// elsewhere is refused.
#include "tools/convert/patch.h"

#include <gtest/gtest.h>

#include <cstring>
#include <stdexcept>

#include "schema/checksum.h"
#include "tests/message_of.h"
#include "tests/tools/patch_models.h"

namespace stint {
namespace {

constexpr ModelKind kInt8 = {"shared, int8",       Embedding::kShared, 0,
                             GruForm::kResetAfter, DType::kInt8,       {ActivationKind::kTanh}};
constexpr ModelKind kF32 = {"shared, f32",        Embedding::kShared, 0,
                            GruForm::kResetAfter, DType::kF32,        {ActivationKind::kTanh}};

std::vector<ModelKind> AllKinds() {
  std::vector<ModelKind> kinds = ModelKinds();
  kinds.push_back(kInt8);
  kinds.push_back(kF32);
  return kinds;
}

void ExpectRows(const PatchRows& rows, uint64_t same, uint64_t changed, uint64_t added,
                uint64_t gone) {
  EXPECT_EQ(rows.same, same);
  EXPECT_EQ(rows.changed, changed);
  EXPECT_EQ(rows.added, added);
  EXPECT_EQ(rows.gone, gone);
}

class EveryKind : public testing::TestWithParam<bool> {
 protected:
  template <class Body>
  void ForEach(const Body& body) {
    for (const ModelKind& kind : AllKinds()) {
      SCOPED_TRACE(kind.name);
      body(kind, MakeShop(kind, 150, {24, 20}, GetParam()));
    }
  }
};
INSTANTIATE_TEST_SUITE_P(Ids, EveryKind, testing::Bool(), [](const auto& info) {
  return std::string(info.param ? "Names" : "Numbers");
});

TEST_P(EveryKind, TheSameModel) {
  ForEach([](const ModelKind& kind, const Shop& shop) {
    const AlignedBytes bytes = Build(kind, shop);
    const MadePatch patch = RoundTrip(bytes, bytes);
    ExpectRows(patch.rows, 150, 0, 0, 0);
    EXPECT_LT(patch.bytes.size(), 3000u);
  });
}

TEST_P(EveryKind, ItemsComeGoAndMove) {
  ForEach([](const ModelKind& kind, const Shop& shop) {
    std::vector<size_t> rows;
    for (size_t i = 0; i < 150; ++i) {
      if (i % 10 != 3) rows.push_back((i * 7 + 11) % 150);
    }
    rows.insert(rows.begin() + 40, 151);
    rows.push_back(150);
    rows.push_back(152);
    const MadePatch patch = RoundTrip(Build(kind, shop), Build(kind, WithItems(shop, rows)));
    ExpectRows(patch.rows, 135, 0, 3, 15);
  });
}

TEST_P(EveryKind, OneItemChanges) {
  ForEach([](const ModelKind& kind, const Shop& shop) {
    Shop changed = shop;
    changed.parameters.items.Row(77)[3] += 0.5f;
    const MadePatch patch = RoundTrip(Build(kind, shop), Build(kind, changed));
    ExpectRows(patch.rows, 149, 1, 0, 0);
    if (shop.parameters.inputs.rows == 0) return;
    changed.parameters.inputs.Row(3)[1] += 0.5f;
    ExpectRows(RoundTrip(Build(kind, shop), Build(kind, changed)).rows, 148, 2, 0, 0);
  });
}

TEST_P(EveryKind, AllWeightsMove) {
  ForEach([](const ModelKind& kind, const Shop& shop) {
    Shop moved = WithItems(shop, Iota(157));
    Perturb(0.01, 3, &moved.parameters);
    moved.catalog.counts[5] += 9;
    const AlignedBytes old_model = Build(kind, shop);
    const AlignedBytes new_model = Build(kind, moved);
    const MadePatch patch = RoundTrip(old_model, new_model);
    EXPECT_EQ(patch.rows.same + patch.rows.changed, 150u);
    EXPECT_GT(patch.rows.changed, 140u);
    EXPECT_EQ(patch.rows.added, 7u);
    RoundTrip(new_model, old_model);
  });
}

// Kinds, networks and ids that have nothing in common but their being models.
TEST(Patch, BetweenKinds) {
  std::vector<AlignedBytes> models;
  bool names = false;
  for (const ModelKind& kind : AllKinds()) {
    models.push_back(Build(kind, MakeShop(kind, 60 + models.size(), {9, 12}, names)));
    names = !names;
  }
  models.push_back(Build(kInt8, MakeShop(kInt8, 64, {13}, false)));
  models.push_back(Build(kF32, MakeShop(kF32, 1, {13, 5, 4}, true)));
  for (size_t i = 0; i < models.size(); ++i) {
    for (const size_t step : {1u, 2u, 5u}) {
      SCOPED_TRACE(std::to_string(i) + " + " + std::to_string(step));
      RoundTrip(models[i], models[(i + step) % models.size()]);
    }
  }
}

// ---- Sizes

TEST(Patch, NewItemsCostTheirRows) {
  for (const ModelKind& kind : {kInt8, kF32}) {
    SCOPED_TRACE(kind.name);
    const Shop shop = MakeShop(kind, 5000, {64}, false);
    const AlignedBytes new_model = Build(kind, WithItems(shop, Iota(5100)));
    const MadePatch patch = RoundTrip(Build(kind, shop), new_model);
    ExpectRows(patch.rows, 5000, 0, 100, 0);
    EXPECT_LT(patch.bytes.size(), new_model.size() * 4 / 100);
  }
}

// Weights that move by a hundredth of their range move most int8 codes by one or none.
TEST(Patch, SmallMovesCostLess) {
  const Shop shop = MakeShop(kInt8, 3000, {64}, false);
  Shop moved = shop;
  Perturb(0.01, 4, &moved.parameters);
  const AlignedBytes new_model = Build(kInt8, moved);
  const MadePatch patch = RoundTrip(Build(kInt8, shop), new_model);
  EXPECT_GT(patch.rows.changed, 2990u);
  EXPECT_LT(patch.bytes.size(), new_model.size() * 35 / 100);
}

// A cascade's rows follow from the item rows, its projection and its scales.
TEST(Patch, CascadesCostLittle) {
  for (const Scoring scoring : {Scoring::kInt8, Scoring::kExact}) {
    ModelKind kind = kInt8;
    kind.scoring = scoring;
    const Shop shop = MakeShop(kind, 3000, {64}, false);
    Shop moved = shop;
    Perturb(0.01, 4, &moved.parameters);
    const AlignedBytes old_model = Build(kind, shop);
    const AlignedBytes new_model = Build(kind, moved);
    const size_t with = RoundTrip(old_model, new_model).bytes.size();
    // The same without the cascade.
    ModelKind plain = scoring == Scoring::kExact ? kF32 : kInt8;
    const AlignedBytes plain_model = Build(plain, moved);
    const size_t without = RoundTrip(Build(plain, shop), plain_model).bytes.size();
    const size_t cascade = new_model.size() - plain_model.size();
    EXPECT_GT(cascade, size_t{3000} * (64 + 16 + 18));
    EXPECT_LT(with, without + cascade / 5);
  }
}

// ---- Refusals

class Refusal : public testing::Test {
 protected:
  void SetUp() override {
    const Shop shop = MakeShop(kInt8, 40, {8}, true);
    old_ = Build(kInt8, shop);
    new_ = Build(kInt8, WithItems(shop, Iota(43)));
    patch_ = MakePatch({old_, "old.stint"}, {new_, "new.stint"}).bytes;
  }
  std::string Why(const std::vector<uint8_t>& patch) const {
    return MessageOf([&] { ApplyPatch({old_, "old.stint"}, patch, "p"); });
  }
  // With a size and a checksum that are right.
  static void Seal(std::vector<uint8_t>* patch) {
    const uint64_t size = patch->size();
    std::memcpy(patch->data() + 8, &size, sizeof(size));
    const uint64_t seal = SectionChecksum(patch->data(), size - 8);
    std::memcpy(patch->data() + size - 8, &seal, sizeof(seal));
  }
  template <class T>
  std::string WhyWith(size_t at, T value) const {
    std::vector<uint8_t> patch = patch_;
    std::memcpy(patch.data() + at, &value, sizeof(value));
    Seal(&patch);
    return Why(patch);
  }

  AlignedBytes old_, new_;
  std::vector<uint8_t> patch_;
};

TEST_F(Refusal, WrongBase) {
  const auto why = [&](const AlignedBytes& base) {
    return MessageOf([&] { ApplyPatch({base, "other.stint"}, patch_, "p"); });
  };
  EXPECT_EQ(why(new_).rfind("other.stint: not the model that p was made for: " +
                                std::to_string(new_.size()) + " bytes with XXH3-64 ",
                            0),
            0u)
      << why(new_);
  EXPECT_NE(why(new_).find(" instead of " + std::to_string(old_.size()) + " bytes with XXH3-64 "),
            std::string::npos);
  AlignedBytes changed(old_.size());
  std::memcpy(changed.data(), old_.data(), old_.size());
  changed.data()[old_.size() / 2] ^= 1;
  EXPECT_NE(why(changed).find("not the model"), std::string::npos);
  EXPECT_NE(why(AlignedBytes(0)).find("0 bytes"), std::string::npos);
}

TEST_F(Refusal, AnyByteChanged) {
  for (size_t i = 0; i < patch_.size(); ++i) {
    std::vector<uint8_t> patch = patch_;
    patch[i] = static_cast<uint8_t>(patch[i] ^ 1 << i % 8);
    ASSERT_NE(Why(patch), "") << i;
  }
}

TEST_F(Refusal, AnyCut) {
  for (size_t size = 0; size < patch_.size(); ++size) {
    ASSERT_NE(Why({patch_.begin(), patch_.begin() + static_cast<ptrdiff_t>(size)}), "") << size;
  }
  std::vector<uint8_t> longer = patch_;
  longer.push_back(0);
  EXPECT_NE(Why(longer), "");
}

// Behind the checksum: an error, or, where a bit of it means nothing, the right model.
TEST_F(Refusal, ForgedBytes) {
  size_t refused = 0;
  for (size_t i = 4; i + 8 < patch_.size(); ++i) {
    for (const uint8_t flip : {1, 16, 128, 255}) {
      std::vector<uint8_t> patch = patch_;
      patch[i] = static_cast<uint8_t>(patch[i] ^ flip);
      Seal(&patch);
      try {
        const PatchedModel made = ApplyPatch({old_, "old.stint"}, patch, "p");
        ASSERT_TRUE(Text(made.bytes) == Text(new_)) << i;
      } catch (const std::runtime_error&) {
        ++refused;
      }
    }
  }
  EXPECT_GT(refused, patch_.size() * 3);
}

TEST_F(Refusal, ForgedCuts) {
  for (size_t size = 56; size < patch_.size(); ++size) {
    std::vector<uint8_t> patch(patch_.begin(), patch_.begin() + static_cast<ptrdiff_t>(size));
    Seal(&patch);
    ASSERT_NE(Why(patch), "") << size;
  }
}

TEST_F(Refusal, SaysWhy) {
  EXPECT_EQ(Why({}), "p: no patch of a stint model");
  EXPECT_EQ(Why({new_.data(), new_.data() + new_.size()}), "p: no patch of a stint model");
  EXPECT_EQ(WhyWith(4, uint32_t{2}), "p: patch format version 2, this program knows 1");
  EXPECT_EQ(WhyWith(32, uint64_t{0}), "p: a new model of 0 bytes");
  EXPECT_EQ(WhyWith(32, uint64_t{1} << 31), "p: a new model of 2147483648 bytes");
  EXPECT_EQ(WhyWith(32, ~uint64_t{0}), "p: a new model of 18446744073709551615 bytes");
  EXPECT_NE(WhyWith(32, uint64_t{new_.size() - 1}), "");
  EXPECT_NE(WhyWith(40, uint64_t{7}).find("instead of 0000000000000007"), std::string::npos);
  const std::string old_message = MessageOf([&] {
    MakePatch({AlignedBytes(0), "a.stint"}, {new_, "b.stint"});
  });
  EXPECT_EQ(old_message.rfind("a.stint: ", 0), 0u) << old_message;
  AlignedBytes noise(new_.size());
  std::memset(noise.data(), 3, noise.size());
  const std::string new_message = MessageOf([&] {
    MakePatch({old_, "a.stint"}, {noise, "b.stint"});
  });
  EXPECT_EQ(new_message.rfind("b.stint: ", 0), 0u) << new_message;
}

}  // namespace
}  // namespace stint
