// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Model files forged with right checksums: a status and a message, never a crash or a read outside
// the buffer.
#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "schema/panel.h"
#include "tests/runtime/forgery.h"

namespace stint {
namespace {

// ---- Each rule by itself

void Put(uint8_t* bytes, size_t index, float value) { std::memcpy(bytes + 4 * index, &value, 4); }
void Put(uint8_t* bytes, size_t index, uint32_t value) {
  std::memcpy(bytes + 4 * index, &value, 4);
}

void ExpectRefused(const Forgery& forgery, const std::string& section, const std::string& what,
                   const std::function<void(uint8_t*, size_t)>& change) {
  std::string message;
  EXPECT_EQ(Try(forgery.Changed(section, change), &message), STINT_CORRUPT)
      << section << ", " << what;
  EXPECT_NE(message.find(section), std::string::npos) << message;
  EXPECT_NE(message.find(what), std::string::npos) << message;
}

TEST(Forged, ForgedInt8Panels) {
  const Forgery& forgery = Forgeries()[0];
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  for (const char* name : {"layer0.input_weights", "layer0.hidden_weights", "layer1.input_weights",
                           "layer1.hidden_weights", "item_rows"}) {
    for (const float value : {nan, -nan, infinity, -1.0f, -0.0f, 1e16f}) {
      ExpectRefused(forgery, name, "scale of row 2", [&](uint8_t* b, size_t) { Put(b, 2, value); });
    }
    for (const float value : {nan, infinity, -infinity, 1e16f, -1e16f}) {
      ExpectRefused(forgery, name, "bias of row 3",
                    [&](uint8_t* b, size_t) { Put(b, kTileRows + 3, value); });
    }
    ExpectRefused(forgery, name, "code", [](uint8_t* b, size_t) { b[kInt8HeaderBytes + 5] = 0; });
    // All matrices here have fewer than 64 rows and columns that are no multiple of 4.
    ExpectRefused(forgery, name, "padding", [](uint8_t* b, size_t) { Put(b, 63, 1.0f); });
    ExpectRefused(forgery, name, "padding", [](uint8_t* b, size_t) { Put(b, 127, 1.0f); });
    ExpectRefused(forgery, name, "padding", [](uint8_t* b, size_t size) { b[size - 1] = 1; });
    ExpectRefused(forgery, name, "padding",
                  [](uint8_t* b, size_t size) { b[size - kStepBytes + 3] = 129; });
  }
}

TEST(Forged, ForgedF32Panels) {
  const Forgery& forgery = Forgeries()[1];
  const float infinity = std::numeric_limits<float>::infinity();
  const float values[] = {std::numeric_limits<float>::quiet_NaN(), infinity, -infinity, 1e16f};
  for (const float value : values) {
    ExpectRefused(forgery, "item_rows", "bias of row 8",
                  [&](uint8_t* b, size_t) { Put(b, 8, value); });
    ExpectRefused(forgery, "layer1.hidden_weights", "a weight of row 14",
                  [&](uint8_t* b, size_t) { Put(b, 3 * kTileRows + 14, value); });
  }
  ExpectRefused(forgery, "item_rows", "padding", [](uint8_t* b, size_t) { Put(b, 9, 1.0f); });
  ExpectRefused(forgery, "item_rows", "padding",
                [](uint8_t* b, size_t size) { Put(b, size / 4 - 1, 1.0f); });
}

void Put16(uint8_t* bytes, size_t at, uint16_t value) { std::memcpy(bytes + at, &value, 2); }

// Nine rows of five columns.
TEST(Forged, ForgedBf16Panels) {
  const Forgery forgery(DType::kBf16, GruForm::kResetAfter, true);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  ASSERT_EQ(forgery.section("item_rows").range.size, PanelTileBytes(PanelKind::kBf16, 5));
  for (const float value : {nan, -nan, 1e16f, -1e16f, std::numeric_limits<float>::infinity()}) {
    ExpectRefused(forgery, "item_rows", "bias of row 8",
                  [&](uint8_t* b, size_t) { Put(b, 8, value); });
  }
  // Infinity, NaN, -infinity, and the first beyond 1e15: of row 7, in a low half, column 3.
  const size_t at = kF32HeaderBytes + 3 * kBf16ColumnBytes + 2 * Bf16PlaceOf(7);
  for (const uint16_t bits : {0x7F80, 0x7FC0, 0xFF80, 0xFFFF, 0x5864, 0xD864}) {
    ExpectRefused(forgery, "item_rows", "a weight of row 7",
                  [&](uint8_t* b, size_t) { Put16(b, at, bits); });
  }
  EXPECT_EQ(Try(forgery.Changed("item_rows", [&](uint8_t* b, size_t) { Put16(b, at, 0x5863); })),
            STINT_OK);
  ExpectRefused(forgery, "item_rows", "padding", [](uint8_t* b, size_t) { Put(b, 9, 1.0f); });
  for (const size_t lane : {9, 32, 40, 63}) {  // in low and in high halves
    ExpectRefused(forgery, "item_rows", "padding", [&](uint8_t* b, size_t) {
      Put16(b, kF32HeaderBytes + 4 * kBf16ColumnBytes + 2 * Bf16PlaceOf(lane), 1);
    });
  }
}

TEST(Forged, ForgedInt4Panels) {
  const Forgery forgery(DType::kInt4, GruForm::kResetBefore, false);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  ASSERT_EQ(forgery.section("item_rows").range.size, PanelTileBytes(PanelKind::kInt4, 5));
  for (const float value : {nan, -nan, 1e16f, -1e16f, std::numeric_limits<float>::infinity()}) {
    ExpectRefused(forgery, "item_rows", "scale of row 8",
                  [&](uint8_t* b, size_t) { Put(b, 8, value); });
    ExpectRefused(forgery, "item_rows", "bias of row 0",
                  [&](uint8_t* b, size_t) { Put(b, kTileRows, value); });
  }
  const auto change = [&](size_t index, float value) {
    return Try(forgery.Changed("item_rows", [&](uint8_t* b, size_t) { Put(b, index, value); }));
  };
  EXPECT_EQ(change(3, -1.0f), STINT_OK);  // scales have either sign
  ExpectRefused(forgery, "item_rows", "padding", [](uint8_t* b, size_t) { Put(b, 9, -0.0f); });
  ExpectRefused(forgery, "item_rows", "padding", [](uint8_t* b, size_t) { Put(b, 127, 1.0f); });
  for (const size_t lane : {9, 16, 31, 32, 63}) {  // rows past the last, in any step and nibble
    ExpectRefused(forgery, "item_rows", "padding", [&](uint8_t* b, size_t) {
      const Int4Place place = Int4PlaceOf(lane);
      b[kInt8HeaderBytes + place.byte + 2] |= static_cast<uint8_t>(1 << place.shift);
    });
  }
  for (const size_t column : {5, 6, 7}) {  // past the last
    ExpectRefused(forgery, "item_rows", "padding", [&](uint8_t* b, size_t) {
      b[kInt8HeaderBytes + kInt4StepBytes + 4 * 3 + column % 4] |= 1;
    });
  }
}

// Fields of version 3, one wrong at a time, with right checksums.
TEST(Forged, ForgedFieldsOfVersion3) {
  const Forgery forgery(DType::kInt4, GruForm::kResetAfter, false);
  const auto refused = [&](stint_status status, const std::string& what,
                           const std::function<bool(schema::Model*)>& change) {
    Bytes bytes = forgery.bytes();
    ASSERT_TRUE(change(schema::GetMutableModel(bytes.data()))) << what << ": no such field";
    std::string message;
    EXPECT_EQ(Try(forgery.Seal(bytes), &message), status) << what;
    EXPECT_NE(message.find(what), std::string::npos) << message;
  };
  using Model = schema::Model;
  for (const uint32_t version : {1u, 2u}) {
    refused(STINT_CORRUPT, "with what version 3 brought",
            [&](Model* m) { return m->mutate_format_version(version); });
  }
  refused(STINT_CORRUPT, "kind of item rows is 4",
          [](Model* m) { return m->mutate_item_kind(static_cast<schema::ItemKind>(4)); });
  for (const auto kind : {schema::ItemKind::Layers, schema::ItemKind::Bf16}) {  // of other sizes
    refused(STINT_CORRUPT, "'item_rows'", [&](Model* m) { return m->mutate_item_kind(kind); });
  }
}

TEST(Forged, ForgedInputRows) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  for (const size_t index : {kSeparateInt8, kNoneInt8}) {
    const Forgery& forgery = Forgeries()[index];
    // Rows of 7 or 3 codes: 12 or 8 bytes with their scale, the last byte is padding.
    const size_t row = index == kSeparateInt8 ? 12 : 8;
    const size_t rows = index == kSeparateInt8 ? 9 : 27;
    ASSERT_EQ(forgery.section("input_rows").range.size, rows * row);
    for (const float value : {nan, -nan, infinity, -1.0f, -0.0f, 1e16f}) {
      ExpectRefused(forgery, "input_rows", "scale of row 8",
                    [&](uint8_t* b, size_t) { Put(b, 8 * row / 4, value); });
    }
    ExpectRefused(forgery, "input_rows", "a code of row 2 is -128",
                  [&](uint8_t* b, size_t) { b[2 * row + 6] = 0; });
    ExpectRefused(forgery, "input_rows", "padding of row " + std::to_string(rows - 1),
                  [](uint8_t* b, size_t size) { b[size - 1] = 129; });
  }
  for (const size_t index : {kSeparateF32, kNoneF32}) {
    for (const float value : {nan, infinity, -infinity, 1e16f, -1e16f}) {
      ExpectRefused(Forgeries()[index], "input_rows", "a weight of row 5",
                    [&](uint8_t* b, size_t) { Put(b, index == kNoneF32 ? 17 : 11, value); });
    }
  }
  // Panels of no columns: b_ih alone.
  const Forgery& none = Forgeries()[kNoneInt8];
  EXPECT_EQ(none.section("layer0.input_weights").range.size, kInt8HeaderBytes);
  ExpectRefused(none, "layer0.input_weights", "scale of row 0",
                [&](uint8_t* b, size_t) { Put(b, 0, -1.0f); });
  ExpectRefused(none, "layer0.input_weights", "bias of row 8",
                [&](uint8_t* b, size_t) { Put(b, kTileRows + 8, nan); });
  ExpectRefused(none, "layer0.input_weights", "padding",
                [](uint8_t* b, size_t) { Put(b, kTileRows + 9, 1.0f); });
  ExpectRefused(Forgeries()[kNoneF32], "layer0.input_weights", "bias of row 8",
                [&](uint8_t* b, size_t) { Put(b, 8, nan); });
}

// Fields of version 2, one wrong at a time, with right checksums.
TEST(Forged, ForgedFieldsOfVersion2) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  const auto refused = [](size_t index, const std::string& what,
                          const std::function<bool(schema::Model*)>& change) {
    Bytes bytes = Forgeries()[index].bytes();
    ASSERT_TRUE(change(schema::GetMutableModel(bytes.data()))) << what << ": no such field";
    std::string message;
    EXPECT_EQ(Try(Forgeries()[index].Seal(bytes), &message), STINT_CORRUPT) << what;
    EXPECT_NE(message.find(what), std::string::npos) << message;
  };
  using Model = schema::Model;
  using A = schema::Activation;
  const auto embedding = [](int kind) { return static_cast<schema::Embedding>(kind); };
  const auto activation = [](int kind) { return static_cast<A>(kind); };
  for (size_t index = kSeparateInt8; index <= kSeparateF32; ++index) {
    refused(index, "embedding is 3", [&](Model* m) { return m->mutate_embedding(embedding(3)); });
    refused(index, "hidden activation is 7",
            [&](Model* m) { return m->mutate_hidden_activation(activation(7)); });
    refused(index, "final activation is 255",
            [&](Model* m) { return m->mutate_final_activation(activation(255)); });
    refused(index, "version 1 with what version 2 brought",
            [](Model* m) { return m->mutate_format_version(1); });
    refused(index, "GRU form is 2",
            [](Model* m) { return m->mutate_gru_form(static_cast<schema::GruForm>(2)); });
    for (const float value : {nan, infinity, -infinity, -1.0f, 1.1e6f}) {
      refused(index, "alpha of the hidden",
              [&](Model* m) { return m->mutate_hidden_alpha(value); });
      refused(index, "scale of the hidden",
              [&](Model* m) { return m->mutate_hidden_scale(value); });
      refused(index, "alpha of the final", [&](Model* m) { return m->mutate_final_alpha(value); });
      refused(index, "scale of the final", [&](Model* m) { return m->mutate_final_scale(value); });
    }
    // Another embedding: the first layer's inputs do not fit.
    refused(index, "layer 0 has", [&](Model* m) { return m->mutate_embedding(embedding(0)); });
    refused(index, "layer 0 has", [&](Model* m) {
      return m->mutate_embedding(embedding(m->embedding() == schema::Embedding::None ? 1 : 2));
    });
    for (const uint32_t inputs : {0u, 1u, 6u, 16384u, 16385u, 0xFFFFFFFFu}) {
      refused(index, inputs == 0 ? "layer 0" : "layer", [&](Model* m) {
        schema::GruLayer* layer = m->mutable_layers()->GetMutableObject(0);
        return layer->mutate_inputs(inputs == layer->inputs() ? 3 : inputs);
      });
    }
  }
  // Parameters where the kind has none, and none where it has some.
  refused(kNoneInt8, "alpha of the hidden", [](Model* m) { return m->mutate_hidden_alpha(0.5f); });
  refused(kNoneInt8, "scale of the hidden", [](Model* m) { return m->mutate_hidden_scale(0.5f); });
  refused(kSeparateInt8, "alpha of the hidden", [](Model* m) { return m->mutate_hidden_alpha(0); });
  refused(kSeparateInt8, "scale of the hidden", [](Model* m) { return m->mutate_hidden_scale(0); });
  refused(kNoneF32, "hidden activation is softmax",
          [](Model* m) { return m->mutate_hidden_activation(A::Softmax); });
  // A shared embedding of the right width beside rows of its own.
  const Forgery twice(
      {"", Embedding::kSeparate, 5, GruForm::kResetAfter, DType::kInt8, {ActivationKind::kTanh}},
      false, {ActivationKind::kSoftmax});
  Bytes bytes = twice.bytes();
  ASSERT_TRUE(schema::GetMutableModel(bytes.data())->mutate_embedding(schema::Embedding::Shared));
  std::string message;
  EXPECT_EQ(Try(twice.Seal(bytes), &message), STINT_CORRUPT);
  EXPECT_NE(message.find("beside a shared embedding"), std::string::npos) << message;
  // ... and a separate one without.
  const Forgery without(
      {"", Embedding::kShared, 0, GruForm::kResetAfter, DType::kInt8, {ActivationKind::kRelu}},
      false, {ActivationKind::kSoftmax});
  bytes = without.bytes();
  ASSERT_TRUE(schema::GetMutableModel(bytes.data())->mutate_embedding(schema::Embedding::Separate));
  EXPECT_EQ(Try(without.Seal(bytes), &message), STINT_CORRUPT);
  EXPECT_NE(message.find("'input_rows' is missing"), std::string::npos) << message;
}

TEST(Forged, ForgedCatalogs) {
  for (const Forgery& forgery : Forgeries()) {
    ExpectRefused(forgery, "id_order", "item 9 of 9", [](uint8_t* b, size_t) { Put(b, 4, 9u); });
    ExpectRefused(forgery, "id_order", "do not rise",
                  [](uint8_t* b, size_t) { std::memcpy(b, b + 4, 4); });
    ExpectRefused(forgery, "id_order", "do not rise", [](uint8_t* b, size_t) {
      uint32_t first;
      std::memcpy(&first, b, 4);
      std::memcpy(b, b + 4, 4);
      std::memcpy(b + 4, &first, 4);
    });
  }
  const Forgery& names = Forgeries()[1];
  ExpectRefused(names, "id_name_offsets", "starts with", [](uint8_t* b, size_t) { Put(b, 0, 1u); });
  ExpectRefused(names, "id_name_offsets", "at item",
                [](uint8_t* b, size_t) { Put(b, 4, 0xFFFFFFFFu); });
  ExpectRefused(names, "id_name_offsets", "ends with",
                [](uint8_t* b, size_t) { Put(b, 9, 0xFFFFFFF0u); });
  // Two items of the same id.
  std::string message;
  const Bytes twins =
      Forgeries()[0].Changed("id_numbers", [](uint8_t* b, size_t) { std::memcpy(b, b + 8, 8); });
  EXPECT_EQ(Try(twins, &message), STINT_CORRUPT);
  EXPECT_NE(message.find("do not rise"), std::string::npos) << message;
}

// ---- At random: the checks behind the checksums meet every kind of nonsense

TEST(Forged, EveryHeaderByteForged) {
  size_t opened = 0;
  for (const Forgery& forgery : Forgeries()) {
    for (size_t at = 0; at < forgery.bytes().size(); ++at) {
      if (!forgery.InHeader(at)) continue;
      for (const uint8_t delta : {0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xFF}) {
        Bytes bytes = forgery.bytes();
        bytes[at] ^= delta;
        opened += Try(forgery.Seal(std::move(bytes))) == STINT_OK;
        if (HasFatalFailure()) return;
      }
    }
  }
  // Padding, JSON text, self-tests: such changes are legal once the checksums are right. If none
  // opened, Seal() would not be what it says.
  EXPECT_GT(opened, 100u);
}

TEST(Forged, RandomForgeries) {
  const float specials[] = {std::numeric_limits<float>::quiet_NaN(),
                            std::numeric_limits<float>::infinity(),
                            1e15f,
                            -1e15f,
                            1e-45f,
                            3e38f};
  size_t opened = 0;
  for (const Forgery& forgery : Forgeries()) {
    const RandomCounter random(17, forgery.bytes().size());
    uint64_t draw = 0;
    for (int round = 0; round < 6000; ++round) {
      Bytes bytes = forgery.bytes();
      const int changes = 1 + static_cast<int>(random.Bits(draw++) % 3);
      for (int c = 0; c < changes; ++c) {
        const size_t at = random.Bits(draw++) % (bytes.size() - 8);
        const uint64_t value = random.Bits(draw++);
        switch (random.Bits(draw++) % 6) {
          case 0:  // a byte
            bytes[at] = static_cast<uint8_t>(value);
            break;
          case 1:  // a word
            std::memcpy(&bytes[at / 4 * 4], &value, 4);
            break;
          case 2:  // a small number
            bytes[at / 4 * 4] = static_cast<uint8_t>(value);
            break;
          case 3:  // a special float
            std::memcpy(&bytes[at / 4 * 4], &specials[value % std::size(specials)], 4);
            break;
          case 4:  // a run of one byte
            for (size_t i = at; i < bytes.size() && i < at + value % 40; ++i) bytes[i] = 0xFF;
            break;
          case 5: {  // a piece of the file elsewhere
            const size_t from = value % (bytes.size() - 8);
            std::memmove(&bytes[at], &forgery.bytes()[from], 8);
            break;
          }
        }
      }
      opened += Try(forgery.Seal(std::move(bytes))) == STINT_OK;
      if (HasFatalFailure()) return;
    }
  }
  EXPECT_GT(opened, 100u);
}

}  // namespace
}  // namespace stint
