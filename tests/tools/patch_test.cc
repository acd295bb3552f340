// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Patches between models of every kind make the new file, bit for bit; what is damaged or belongs
// elsewhere is refused.
#include "tools/convert/patch.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <stdexcept>

#include "schema/checksum.h"
#include "tests/message_of.h"
#include "tests/tools/patch_models.h"
#include "tools/convert/patch_flags.h"
#include "tools/convert/patch_layout.h"

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

// ---- Counts, flags

// What has no older self to be compared with has changed, also where it is zero as guessed.
TEST(Patch, RowsOfAnotherShapeHaveChanged) {
  ModelKind separate = kF32;
  separate.embedding = Embedding::kSeparate;
  separate.embedding_width = 7;
  const Shop shared = MakeShop(kF32, 30, {9}, false);
  Shop inputs = MakeShop(separate, 30, {9}, false);
  const Matrix& rows = inputs.parameters.inputs;
  std::memset(rows.Row(0), 0, rows.rows * rows.stride * sizeof(float));
  for (size_t i = 0; i < 30; ++i) CopyRow(shared.parameters.items, i, inputs.parameters.items, i);
  CopyRow(shared.parameters.item_bias, 0, inputs.parameters.item_bias, 0);
  const AlignedBytes a = Build(kF32, shared);
  const AlignedBytes b = Build(separate, inputs);
  ExpectRows(RoundTrip(a, b).rows, 0, 30, 0, 0);  // input rows come, all zero
  ExpectRows(RoundTrip(b, a).rows, 0, 30, 0, 0);  // and go
  Shop zero = MakeShop(kF32, 30, {12}, false);
  for (size_t i = 0; i < 30; ++i) {
    std::memset(zero.parameters.items.Row(i), 0, zero.parameters.items.stride * sizeof(float));
    zero.parameters.item_bias.Row(0)[i] = 0;
  }
  ExpectRows(RoundTrip(a, Build(kF32, zero)).rows, 0, 30, 0, 0);  // rows of another width
}

TEST(PatchFlags, AreThirdsOfOctavesOfTheMean) {
  EXPECT_EQ(FlagOf(0, 0), 1);  // heads alone
  for (const uint64_t numbers : {1u, 3u, 64u, 100u, 65535u}) {
    for (uint64_t sum = 0; sum < uint64_t{1} << 32; sum = sum * 5 / 4 + 1) {
      const double mean = static_cast<double>(sum) / static_cast<double>(numbers);
      const double exact = 3 * std::log2(1 + mean);
      // Thirds of octaves begin within 2^-12 of where they should.
      const int low = static_cast<int>(std::floor(exact - 0.001));
      const int high = static_cast<int>(std::floor(exact + 0.001));
      const int flag = FlagOf(sum, numbers);
      ASSERT_TRUE(flag == 1 + low || flag == 1 + high) << sum << " / " << numbers;
    }
  }
  EXPECT_EQ(FlagOf(100, 100), 4);  // exactly an octave
  EXPECT_EQ(FlagOf(99, 100), 3);
  EXPECT_EQ(FlagOf(300, 100), 7);
  EXPECT_EQ(FlagOf((uint64_t{1} << 48) - 1, 65536), 97);  // the most that there is
}

TEST(PatchFlags, OrderRows) {
  EXPECT_EQ(RowsByFlag({3, 0, 255, 3, 1, 0}), (std::vector<uint32_t>{1, 5, 4, 0, 3, 2}));
  EXPECT_TRUE(RowsByFlag({}).empty());
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
  const AlignedBytes third = Build(kF32, MakeShop(kF32, 3, {8}, true));
  EXPECT_EQ(why(third).rfind("other.stint: not the model that p was made for: " +
                                 std::to_string(third.size()) + " bytes with XXH3-64 ",
                             0),
            0u)
      << why(third);
  EXPECT_NE(why(third).find(" instead of " + std::to_string(old_.size()) + " bytes with XXH3-64 "),
            std::string::npos);
  EXPECT_EQ(why(new_), "other.stint: is already the model that p makes");
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

// Patches that would make apply work or allocate without end, all with sizes and checksums that
// are right: they are refused before.
class Forged : public Refusal {
 protected:
  static PatchSection Rows(const std::string& name, RowForm form, uint64_t rows, uint32_t cols) {
    PatchSection section;
    section.name = name;
    section.coding = SectionCoding::kRows;
    section.shape = {form, rows, cols};
    section.size = section.shape.Bytes();
    return section;
  }
  // The header of `patch_` with another size of the new file, and these streams.
  std::vector<uint8_t> Patch(uint64_t new_size, const PatchLayout& layout,
                             const std::vector<std::vector<uint8_t>>& streams) const {
    std::vector<uint8_t> patch(patch_.begin(), patch_.begin() + sizeof(PatchHeader));
    std::memcpy(patch.data() + offsetof(PatchHeader, new_size), &new_size, sizeof(new_size));
    AppendStream(WriteLayout(layout), &patch);
    for (const std::vector<uint8_t>& stream : streams) AppendStream(stream, &patch);
    patch.resize(patch.size() + kPatchSealBytes);
    Seal(&patch);
    return patch;
  }
};

TEST_F(Forged, RowsWithoutBytes) {
  const std::vector<uint8_t> flags(1 << 20, 200);
  PatchLayout layout;
  for (int i = 0; i < 64; ++i) {
    layout.sections.push_back(Rows(std::to_string(i) + "x", RowForm::kF32Rows, flags.size(), 0));
  }
  std::vector<std::vector<uint8_t>> streams = {std::vector<uint8_t>(1000), {}};
  streams.insert(streams.end(), 64, flags);
  EXPECT_EQ(Why(Patch(1000, layout, streams)),
            "p: section '0x': 1048576 rows of 0 do not make 0 bytes");
  layout.sections = {Rows("x", RowForm::kF32Rows, 0x7FFFFFFF, 0)};
  EXPECT_EQ(Why(Patch(64, layout, {std::vector<uint8_t>(64), {}, {1}})),
            "p: section 'x': 2147483647 rows of 0 do not make 0 bytes");
  for (const RowForm form :
       {RowForm::kInt8Panels, RowForm::kF32Panels, RowForm::kBf16Panels, RowForm::kInt4Panels,
        RowForm::kInt8Rows, RowForm::kScanTiles, RowForm::kCandidateRows}) {
    layout.sections = {Rows("x", form, 64, 0)};
    const std::string why = Why(Patch(1 << 16, layout, {}));
    EXPECT_NE(why.find("64 rows of 0"), std::string::npos) << why;
  }
  layout.sections = {Rows("x", RowForm::kWords, 0, 0)};
  EXPECT_EQ(Why(Patch(64, layout, {std::vector<uint8_t>(64), {}, {}})),
            "p: section 'x': 0 rows of 0 do not make 0 bytes");
}

TEST_F(Forged, FilesBeyondWhatThePatchCanMake) {
  const std::vector<uint8_t> patch = Patch(0x7FFFFFFF, {}, {{1, 2, 3}});
  const uint64_t most = MostNewBytes(old_.size(), patch.size());
  EXPECT_EQ(Why(patch), "p: a new model of 2147483647 bytes, not up to " + std::to_string(most) +
                            " as an old one of " + std::to_string(old_.size()) +
                            " and a patch of " + std::to_string(patch.size()) + " may make");
  EXPECT_EQ(Why(Patch(1 << 20, {}, {{1, 2, 3}})),
            "p: bytes outside of the sections: 3, not 1048576");
}

// Streams that say what they cannot hold.
TEST_F(Forged, StreamsBeyondTheirBytes) {
  std::vector<uint8_t> patch = Patch(1 << 20, {}, {std::vector<uint8_t>(1000)});
  uint32_t list_bytes;
  std::memcpy(&list_bytes, patch.data() + sizeof(PatchHeader) + 4, sizeof(list_bytes));
  uint8_t* const rest = patch.data() + sizeof(PatchHeader) + 8 + list_bytes;
  const uint32_t declared = 1 << 20;
  std::memcpy(rest, &declared, sizeof(declared));
  Seal(&patch);
  EXPECT_EQ(Why(patch).rfind("p: a stream of 1048576 bytes in ", 0), 0u) << Why(patch);
  // Flags of fewer rows than there are.
  PatchLayout layout;
  layout.sections = {Rows("x", RowForm::kWords, 1 << 18, 0)};
  EXPECT_EQ(Why(Patch(1 << 20, layout, {{}, {}, {1, 2}})),
            "p: section 'x': a stream of 2 bytes, not 262144");
  layout.items = 1000;
  EXPECT_EQ(Why(Patch(1 << 20, layout, {{}, {}})), "p: a stream of 0 bytes, not 4000");
}

// The item rows are projected for each of them.
TEST_F(Forged, CascadesTwice) {
  PatchLayout layout;
  layout.sections = {Rows("a", RowForm::kScanTiles, 64, 4), Rows("b", RowForm::kScanTiles, 64, 4)};
  EXPECT_EQ(Why(Patch(1 << 16, layout, {})), "p: sections 'a' and 'b' of one cascade");
  layout.sections = {Rows("a", RowForm::kScanTiles, 64, 5000)};
  EXPECT_EQ(Why(Patch(1 << 20, layout, {})), "p: section 'a': 5000 columns");
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
