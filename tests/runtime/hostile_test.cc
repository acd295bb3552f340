// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Damaged, cut, forged and foreign model files: a status and a message, never a crash or a read
// outside the buffer. Every buffer is exactly as long as the file, so that the sanitizers see it.
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "schema/checksum.h"
#include "schema/model_generated.h"
#include "schema/panel.h"
#include "tests/runtime/test_model.h"

namespace stint {
namespace {

using Bytes = std::vector<uint8_t>;

// A copy that starts `shift` bytes after a multiple of 64 and ends with its allocation.
class Copy {
 public:
  explicit Copy(const Bytes& bytes, size_t shift = 0) : shift_(shift), size_(bytes.size()) {
    void* block = nullptr;
    if (posix_memalign(&block, 64, shift + (size_ ? size_ : 1)) != 0) std::abort();
    block_ = static_cast<uint8_t*>(block);
    if (size_) std::memcpy(block_ + shift, bytes.data(), size_);
  }
  Copy(const Copy&) = delete;
  ~Copy() { std::free(block_); }
  const uint8_t* data() const { return block_ + shift_; }
  size_t size() const { return size_; }

 private:
  uint8_t* block_;
  size_t shift_, size_;
};

// Everything a caller may do with a model that opened. The answers of a forged one mean nothing,
// but they stay within the rules of the interface.
void Use(const stint_model* model) {
  stint_model_info info;
  ASSERT_EQ(stint_model_describe(model, &info), STINT_OK);
  ASSERT_LT(std::strlen(info.hyperparameters) + std::strlen(info.training_summary), info.file_size);
  stint_section_info section;
  for (uint32_t i = 0; stint_model_section(model, i, &section) == STINT_OK; ++i) {
    ASSERT_LE(section.offset + section.size, info.file_size);
  }
  const stint_status test = stint_model_self_test(model, nullptr);
  ASSERT_TRUE(test == STINT_OK || test == STINT_SELF_TEST_FAILED);
  const SessionPointer session = NewSession(model, 5);
  stint_recommendation top[5];
  size_t count;
  std::vector<float> scores(info.items);
  for (uint32_t item = 0; item < info.items; item += 1 + info.items / 4) {
    int64_t id;
    const char* name;
    size_t length;
    uint32_t found;
    if (info.ids_are_names) {
      ASSERT_EQ(stint_item_name(model, item, &name, &length), STINT_OK);
      ASSERT_EQ(stint_item_from_name(model, name, length, &found), STINT_OK);
    } else {
      ASSERT_EQ(stint_item_id(model, item, &id), STINT_OK);
      ASSERT_EQ(stint_item_from_id(model, id, &found), STINT_OK);
    }
    ASSERT_EQ(found, item);
    ASSERT_EQ(stint_recommend(session.get(), 5, nullptr, top, &count), STINT_OK);
    for (size_t i = 0; i < count; ++i) ASSERT_LT(top[i].item, info.items);
    ASSERT_EQ(stint_observe(session.get(), item), STINT_OK);
  }
  ASSERT_EQ(stint_scores(session.get(), scores.data()), STINT_OK);
  for (const float score : scores) ASSERT_EQ(score, score) << "NaN";
}

// Opens a copy; if that works, uses it.
stint_status Try(const Bytes& bytes, std::string* message = nullptr) {
  const Copy copy(bytes);
  stint_model* model = nullptr;
  stint_error error;
  const stint_status status = stint_model_from_buffer(copy.data(), copy.size(), &model, &error);
  EXPECT_EQ(status == STINT_OK, model != nullptr);
  EXPECT_EQ(error.status, status);
  EXPECT_EQ(error.message[0] == 0, status == STINT_OK) << error.message;
  EXPECT_LT(strnlen(error.message, sizeof(error.message)), sizeof(error.message));
  if (message) *message = error.message;
  if (model) Use(model);
  stint_model_destroy(model);
  return status;
}

// A model file that can be changed and sealed again, as a forger would. Knows the schema only
// through the C API and the checksums.
class Forgery {
 public:
  struct Section {
    std::string name;
    ByteRange range;
    size_t checksum;  // where it is stored
  };

  Forgery(DType dtype, GruForm form, bool names)
      : Forgery({"", Embedding::kShared, 0, form, dtype, {ActivationKind::kTanh}}, names,
                {ActivationKind::kSoftmax}) {}
  Forgery(const ModelKind& kind, bool names, const Activation& final) {
    const Parameters parameters = RandomParameters(kind, 9, {3, 5}, 8);
    const AlignedBytes file = BuildTestModel(parameters, names ? NameCatalog(9) : NumberCatalog(9),
                                             kind.dtype, {{1, 2, 3}, {}}, kind.hidden, final);
    bytes_.assign(file.data(), file.data() + file.size());
    const ModelPointer model = OpenModel(file);
    stint_section_info info;
    for (uint32_t i = 0; stint_model_section(model.get(), i, &info) == STINT_OK; ++i) {
      sections_.push_back({info.name, {info.offset, info.size}, Find(info.xxh3)});
    }
    for (size_t at = 0; at + 8 <= bytes_.size() && header_checksum_ == 0; at += 4) {
      uint64_t stored, computed;
      std::memcpy(&stored, &bytes_[at], 8);
      if (Checksum(bytes_, at, &computed) && computed == stored) header_checksum_ = at;
    }
    EXPECT_NE(header_checksum_, 0u) << "the checksum of the header was not found";
  }

  const Bytes& bytes() const { return bytes_; }
  const std::vector<Section>& sections() const { return sections_; }
  size_t header_checksum() const { return header_checksum_; }

  bool InHeader(size_t at) const {
    for (const Section& s : sections_) {
      if (at >= s.range.offset && at < s.range.offset + s.range.size) return false;
    }
    return true;
  }
  const Section& section(const std::string& name) const {
    for (const Section& s : sections_) {
      if (s.name == name) return s;
    }
    ADD_FAILURE() << "no section " << name;
    return sections_[0];
  }

  // Makes the checksums right again after any change.
  Bytes Seal(Bytes bytes) const {
    for (const Section& s : sections_) {
      const uint64_t sum = SectionChecksum(bytes.data() + s.range.offset, s.range.size);
      std::memcpy(&bytes[s.checksum], &sum, 8);
    }
    uint64_t sum;
    EXPECT_TRUE(Checksum(bytes, header_checksum_, &sum));
    std::memcpy(&bytes[header_checksum_], &sum, 8);
    return bytes;
  }

  // `change` gets the bytes of a section; the file is sealed again.
  template <class Change>
  Bytes Changed(const std::string& name, const Change& change) const {
    Bytes bytes = bytes_;
    const ByteRange range = section(name).range;
    change(bytes.data() + range.offset, range.size);
    return Seal(std::move(bytes));
  }

 private:
  size_t Find(uint64_t value) const {
    for (size_t at = 0; at + 8 <= bytes_.size(); at += 4) {
      if (std::memcmp(&bytes_[at], &value, 8) == 0) return at;
    }
    ADD_FAILURE() << "a section's checksum was not found";
    return 0;
  }
  bool Checksum(const Bytes& bytes, size_t field, uint64_t* checksum) const {
    std::vector<ByteRange> ranges;
    for (const Section& s : sections_) ranges.push_back(s.range);
    std::sort(ranges.begin(), ranges.end(),
              [](const ByteRange& a, const ByteRange& b) { return a.offset < b.offset; });
    return HeaderChecksum(bytes.data(), bytes.size(), field, ranges.data(), ranges.size(),
                          checksum);
  }

  Bytes bytes_;
  std::vector<Section> sections_;
  size_t header_checksum_ = 0;
};

const std::vector<Forgery>& Forgeries() {
  static const std::vector<Forgery> all = {
      Forgery(DType::kInt8, GruForm::kResetAfter, false),
      Forgery(DType::kF32, GruForm::kResetBefore, true),
      // Of version 2.
      Forgery({"",
               Embedding::kSeparate,
               7,
               GruForm::kResetAfter,
               DType::kInt8,
               {ActivationKind::kSelu, 1.6, 1.05}},
              false, {ActivationKind::kLeakyRelu, 0.1}),
      Forgery(
          {"", Embedding::kNone, 0, GruForm::kResetAfter, DType::kInt8, {ActivationKind::kTanh}},
          false, {ActivationKind::kSelu, 1.6, 1.05}),
      Forgery({"", Embedding::kNone, 0, GruForm::kResetAfter, DType::kF32, {ActivationKind::kRelu}},
              true, {ActivationKind::kSoftmax}),
      Forgery({"",
               Embedding::kSeparate,
               2,
               GruForm::kResetBefore,
               DType::kF32,
               {ActivationKind::kElu, 0.5}},
              false, {ActivationKind::kElu, 0.5}),
  };
  return all;
}
constexpr size_t kSeparateInt8 = 2, kNoneInt8 = 3, kNoneF32 = 4, kSeparateF32 = 5;

TEST(Hostile, TheFileItselfOpens) {
  for (const Forgery& forgery : Forgeries()) {
    EXPECT_EQ(Try(forgery.bytes()), STINT_OK);
    EXPECT_EQ(forgery.Seal(forgery.bytes()), forgery.bytes());
    EXPECT_LT(forgery.bytes().size(), 32768u);
  }
}

TEST(Hostile, EveryCut) {
  for (const Forgery& forgery : Forgeries()) {
    for (size_t size = 0; size < forgery.bytes().size(); ++size) {
      std::string message;
      const Bytes cut(forgery.bytes().begin(), forgery.bytes().begin() + size);
      const stint_status status = Try(cut, &message);
      ASSERT_TRUE(status == STINT_NOT_A_MODEL || status == STINT_CORRUPT)
          << size << ": " << message;
    }
  }
}

TEST(Hostile, EverySingleByteChange) {
  for (const Forgery& forgery : Forgeries()) {
    Bytes bytes = forgery.bytes();
    for (size_t at = 0; at < bytes.size(); ++at) {
      const uint8_t before = bytes[at];
      // All values of the first two files; of the others one bit and all bits of each byte.
      const bool all = &forgery - Forgeries().data() < 2;
      for (unsigned value = 0; value < 256; ++value) {
        if (value == before) continue;
        if (!all && value != (before ^ 0xFFu) && value != (before ^ 1u << at % 8)) continue;
        bytes[at] = static_cast<uint8_t>(value);
        std::string message;
        ASSERT_NE(Try(bytes, &message), STINT_OK) << "byte " << at << " = " << value;
        ASSERT_FALSE(message.empty());
      }
      bytes[at] = before;
    }
  }
}

TEST(Hostile, AppendedBytes) {
  Bytes bytes = Forgeries()[0].bytes();
  for (const size_t more : {1, 8, 64, 4096}) {
    bytes.resize(Forgeries()[0].bytes().size() + more);
    EXPECT_EQ(Try(bytes), STINT_CORRUPT);
  }
}

TEST(Hostile, Misaligned) {
  for (size_t shift = 1; shift < 64; ++shift) {
    const Copy copy(Forgeries()[0].bytes(), shift);
    stint_model* model;
    stint_error error;
    ASSERT_EQ(stint_model_from_buffer(copy.data(), copy.size(), &model, &error), STINT_MISALIGNED);
    ASSERT_NE(std::string(error.message).find(std::to_string(shift)), std::string::npos);
    ASSERT_EQ(model, nullptr);
  }
}

TEST(Hostile, NewerVersion) {
  for (const Forgery& forgery : Forgeries()) {
    // The version is the one header field whose change to the next one gives that status, also
    // where every checksum is right.
    size_t places = 0;
    for (size_t at = 8; at + 4 <= forgery.bytes().size(); at += 4) {
      uint32_t value;
      std::memcpy(&value, &forgery.bytes()[at], 4);
      if (!forgery.InHeader(at) || value < 1 || value > kFormatVersion) continue;
      Bytes bytes = forgery.bytes();
      bytes[at] = kFormatVersion + 1;
      std::string message;
      if (Try(bytes, &message) != STINT_NEWER_VERSION) continue;
      ++places;
      EXPECT_NE(message.find("version 3"), std::string::npos) << message;
      EXPECT_EQ(Try(forgery.Seal(bytes)), STINT_NEWER_VERSION);
      bytes[at] = 0;
      EXPECT_EQ(Try(forgery.Seal(bytes)), STINT_CORRUPT);
    }
    EXPECT_EQ(places, 1u);
  }
}

TEST(Hostile, OtherKindsOfFiles) {
  const size_t sizes[] = {0, 1, 7, 8, 63, 64, 65, 1000};
  for (const size_t size : sizes) {
    for (const std::string start : {"",
                                    "\x7f"
                                    "ELF",
                                    "\x89PNG\r\n\x1a\n", "GGUF", "PK\3\4"}) {
      for (const uint8_t fill : {0x00, 0x41, 0xFF}) {
        Bytes bytes(size, fill);
        for (size_t i = 0; i < start.size() && i < size; ++i) {
          bytes[i] = static_cast<uint8_t>(start[i]);
        }
        EXPECT_EQ(Try(bytes), STINT_NOT_A_MODEL);
        if (size >= 64) {  // the right identifier and nothing else
          std::memcpy(&bytes[4], "STNT", 4);
          const stint_status status = Try(bytes);
          EXPECT_TRUE(status == STINT_CORRUPT || status == STINT_NOT_A_MODEL) << status;
        }
      }
    }
  }
  Bytes other = Forgeries()[0].bytes();  // a FlatBuffer of another schema
  std::memcpy(&other[4], "TFL3", 4);
  EXPECT_EQ(Try(other), STINT_NOT_A_MODEL);
}

// ---- Forged with right checksums: each rule by itself

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

TEST(Hostile, ForgedInt8Panels) {
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

TEST(Hostile, ForgedF32Panels) {
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

TEST(Hostile, ForgedInputRows) {
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
TEST(Hostile, ForgedFieldsOfVersion2) {
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

TEST(Hostile, ForgedCatalogs) {
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

// ---- Forged at random: the checks behind the checksums meet every kind of nonsense

TEST(Hostile, EveryHeaderByteForged) {
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

TEST(Hostile, RandomForgeries) {
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
