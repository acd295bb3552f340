// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Cascades forged with right checksums: what is wrong with them is said, or they do no harm.
#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <limits>
#include <string>
#include <utility>

#include "schema/panel.h"
#include "tests/runtime/forgery.h"

namespace stint {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Changes a copy of the file's tables; `what` must be in the message.
void ExpectRefused(const Forgery& forgery, const std::string& what,
                   const std::function<bool(schema::Model*)>& change) {
  Bytes bytes = forgery.bytes();
  ASSERT_TRUE(change(schema::GetMutableModel(bytes.data()))) << what << ": no such field";
  std::string message;
  EXPECT_EQ(Try(forgery.Seal(std::move(bytes)), &message), STINT_CORRUPT) << what;
  EXPECT_NE(message.find(what), std::string::npos) << message;
}

// The same of the bytes of a section.
void ExpectRefused(const Forgery& forgery, const std::string& section, const std::string& what,
                   const std::function<void(uint8_t*)>& change) {
  std::string message;
  EXPECT_EQ(Try(forgery.Changed(section, [&](uint8_t* bytes, size_t) { change(bytes); }), &message),
            STINT_CORRUPT)
      << section << ", " << what;
  EXPECT_NE(message.find(section), std::string::npos) << message;
  EXPECT_NE(message.find(what), std::string::npos) << message;
}

template <typename T>
void Put(uint8_t* bytes, size_t at, T value) {
  std::memcpy(bytes + at, &value, sizeof(value));
}

// Gives a section of the tables another length.
bool Resize(const schema::Section* section, int more) {
  uint8_t* const bytes = const_cast<uint8_t*>(section->bytes()->data());
  const uint32_t size = section->bytes()->size() + static_cast<uint32_t>(more);
  std::memcpy(bytes - sizeof(size), &size, sizeof(size));
  return true;
}

TEST(ForgedCascade, Fields) {
  using Model = schema::Model;
  for (const size_t index : {kInt8Cascade, kExactCascade}) {
    const Forgery& forgery = Forgeries()[index];
    // Columns of no cascade, of another one, more than the rows are wide.
    for (const uint32_t columns : {0u, 3u, 5u, 8u, 512u, 516u, 0x7FFFFFFCu, 0xFFFFFFFCu}) {
      ExpectRefused(forgery, "a cascade of",
                    [&](Model* m) { return m->mutable_cascade()->mutate_columns(columns); });
    }
    for (const float value : {kNan, -kNan, kInfinity, -kInfinity, -1.0f, -1e-30f, 1e19f}) {
      ExpectRefused(forgery, "skew",
                    [&](Model* m) { return m->mutable_cascade()->mutate_skew(value); });
      const std::function<bool(schema::Cascade*)> changes[] = {
          [&](schema::Cascade* c) { return c->mutate_rho_unit(value); },
          [&](schema::Cascade* c) { return c->mutate_tau_unit(value); },
          [&](schema::Cascade* c) { return c->mutate_kappa(value); },
          [&](schema::Cascade* c) { return c->mutate_omega(value); },
          [&](schema::Cascade* c) { return c->mutate_largest_bias(value); },
          [&](schema::Cascade* c) { return c->mutate_mean_rho(value); },
          [&](schema::Cascade* c) { return c->mutate_mean_tau(value); },
      };
      for (const auto& change : changes) {
        ExpectRefused(forgery, "a bound of the cascade",
                      [&](Model* m) { return change(m->mutable_cascade()); });
      }
    }
    ExpectRefused(forgery, "skew",
                  [](Model* m) { return m->mutable_cascade()->mutate_skew(1.1f); });
    for (const uint32_t version : {1u, 2u}) {
      ExpectRefused(forgery, "with what version 3 brought",
                    [&](Model* m) { return m->mutate_format_version(version); });
    }
    for (const uint32_t seed : {9u, 10u, 0x7FFFFFFFu, 0xFFFFFFFFu}) {
      ExpectRefused(forgery, "seed " + std::to_string(seed) + " of 9 items", [&](Model* m) {
        m->mutable_cascade()->mutable_seeds()->Mutate(8, seed);
        return true;
      });
    }
  }
}

TEST(ForgedCascade, FieldsThatAreLegal) {
  const float values[] = {0.0f, 1e-45f, 1e-30f, 1.0f, 1e15f, kLargestNorm};
  for (const size_t index : {kInt8Cascade, kExactCascade}) {
    const Forgery& forgery = Forgeries()[index];
    for (const float value : values) {
      for (int field = 0; field < 5; ++field) {
        Bytes bytes = forgery.bytes();
        schema::Cascade* const c = schema::GetMutableModel(bytes.data())->mutable_cascade();
        const bool changed = field == 0   ? c->mutate_rho_unit(value)
                             : field == 1 ? c->mutate_tau_unit(value)
                             : field == 2 ? c->mutate_kappa(value)
                             : field == 3 ? c->mutate_omega(value)
                                          : c->mutate_largest_bias(value);
        ASSERT_TRUE(changed);
        const Bytes sealed = forgery.Seal(std::move(bytes));
        ForEachTarget([&] { ASSERT_EQ(Try(sealed), STINT_OK) << value << ", field " << field; });
        ASSERT_FALSE(HasFatalFailure());
      }
    }
  }
}

// One item as all seeds counts once: else it would stand for the k best.
TEST(ForgedCascade, SeedsThatRepeat) {
  for (const size_t index : {kInt8Cascade, kExactCascade}) {
    const Forgery& forgery = Forgeries()[index];
    for (uint32_t seed = 0; seed < 9; ++seed) {
      SCOPED_TRACE("seed " + std::to_string(seed));
      Bytes bytes = forgery.bytes();
      auto* const seeds = schema::GetMutableModel(bytes.data())->mutable_cascade()->mutable_seeds();
      ASSERT_EQ(seeds->size(), 9u);
      for (uint32_t i = 0; i < 9; ++i) seeds->Mutate(i, seed);
      const Copy file(forgery.Seal(std::move(bytes)));
      stint_model* opened = nullptr;
      ASSERT_EQ(stint_model_from_buffer(file.data(), file.size(), &opened, nullptr), STINT_OK);
      const ModelPointer model(opened, stint_model_destroy);
      for (uint32_t item = 0; item < 9; ++item) {
        const SessionPointer session = NewSession(model.get(), 5);
        ASSERT_EQ(stint_observe(session.get(), item), STINT_OK);
        std::vector<float> scores(9);
        ASSERT_EQ(stint_scores(session.get(), scores.data()), STINT_OK);
        std::vector<uint32_t> order = {0, 1, 2, 3, 4, 5, 6, 7, 8};
        std::stable_sort(order.begin(), order.end(),
                         [&](uint32_t a, uint32_t b) { return scores[a] > scores[b]; });
        for (int again = 0; again < 2; ++again) {
          stint_recommendation top[5];
          size_t count = 0;
          ASSERT_EQ(stint_recommend(session.get(), 5, nullptr, top, &count), STINT_OK);
          ASSERT_EQ(count, 5u);
          for (size_t i = 0; i < count; ++i) ASSERT_EQ(top[i].item, order[i]) << "place " << i;
        }
      }
    }
  }
}

TEST(ForgedCascade, SectionsOfOtherSizes) {
  const auto resized = [](const Forgery& forgery, auto get, int more) {
    // The checksums no longer matter: sizes come before them.
    Bytes bytes = forgery.bytes();
    Resize(get(schema::GetModel(bytes.data())), more);
    std::string message;
    const stint_status status = Try(bytes, &message);
    EXPECT_EQ(status, STINT_CORRUPT) << message;
    return message;
  };
  for (const size_t index : {kInt8Cascade, kExactCascade}) {
    const Forgery& forgery = Forgeries()[index];
    for (const int more : {-1, 1, -64, 64, -4096}) {
      const auto expect = [&](const std::string& name, const std::string& message) {
        EXPECT_TRUE(message.find(name) != std::string::npos ||
                    message.find("structure") != std::string::npos ||
                    message.find("flatbuffer") != std::string::npos)
            << name << ": " << message;
      };
      expect("cascade.projection",
             resized(
                 forgery, [](const schema::Model* m) { return m->cascade()->projection(); }, more));
      expect("cascade.codes",
             resized(
                 forgery, [](const schema::Model* m) { return m->cascade()->codes(); }, more));
      expect("cascade.rows",
             resized(
                 forgery, [](const schema::Model* m) { return m->cascade()->rows(); }, more));
      if (index == kExactCascade) {
        expect("item_biases",
               resized(
                   forgery, [](const schema::Model* m) { return m->item_biases(); }, more));
      }
    }
  }
}

TEST(ForgedCascade, BesideOtherItemRows) {
  const auto kind = [](schema::ItemKind value) {
    return [value](schema::Model* m) { return m->mutate_item_kind(value); };
  };
  // Panels of another size, or with biases twice; rows without biases.
  ExpectRefused(Forgeries()[kInt8Cascade], "item_rows", kind(schema::ItemKind::Bf16));
  ExpectRefused(Forgeries()[kInt8Cascade], "item_rows", kind(schema::ItemKind::F32Rows));
  ExpectRefused(Forgeries()[kExactCascade], "item_biases", kind(schema::ItemKind::Layers));
  ExpectRefused(Forgeries()[kExactCascade], "item_biases", kind(schema::ItemKind::Int4));
  ExpectRefused(Forgeries()[kExactCascade], "kind of item rows",
                kind(static_cast<schema::ItemKind>(4)));
  // Panels of floats: layers too, whose sizes do not fit either.
  ExpectRefused(Forgeries()[kInt8Cascade], "section",
                [](schema::Model* m) { return m->mutate_dtype(schema::DType::F32); });
}

TEST(ForgedCascade, Values) {
  for (const size_t index : {kInt8Cascade, kExactCascade}) {
    const Forgery& forgery = Forgeries()[index];
    const size_t row_bytes = CandidateRowBytes(5);
    for (const float value : {kNan, -kNan, kInfinity, -kInfinity}) {
      for (size_t field = 0; field < 4; ++field) {  // scale, bias, residual, 0
        ExpectRefused(forgery, "cascade.rows", "number " + std::to_string(field) + " of row 8",
                      [&](uint8_t* b) { Put(b, 9 * row_bytes - 16 + 4 * field, value); });
      }
      ExpectRefused(forgery, "cascade.projection", "a weight of row 4",
                    [&](uint8_t* b) { Put(b, (3 * 64 + 4) * 4, value); });
    }
    ExpectRefused(forgery, "cascade.rows", "number 0 of row 2",
                  [&](uint8_t* b) { Put(b, 3 * row_bytes - 16, -1.0f); });
    ExpectRefused(forgery, "cascade.rows", "number 1 of row 2",
                  [&](uint8_t* b) { Put(b, 3 * row_bytes - 12, 1e16f); });
    for (const uint16_t bits : {0x7F80, 0xFF80, 0x7FC0, 0xFFFF}) {
      ExpectRefused(forgery, "cascade.codes", "not finite",
                    [&](uint8_t* b) { Put(b, 4 * 8 + 2, bits); });  // a bias
      ExpectRefused(forgery, "cascade.codes", "not finite",
                    [&](uint8_t* b) { Put(b, kScanBoundBytes + 2 * 17, bits); });  // a step
    }
  }
}

}  // namespace
}  // namespace stint
