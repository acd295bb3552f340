// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Model files that can be changed and sealed again, and what opens and uses them: for tests of what
// a runtime says to a damaged or forged one. Every buffer is exactly as long as the file, so that
// the sanitizers see a read outside.
#ifndef STINT_TESTS_RUNTIME_FORGERY_H_
#define STINT_TESTS_RUNTIME_FORGERY_H_

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
inline void Use(const stint_model* model) {
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
inline stint_status Try(const Bytes& bytes, std::string* message = nullptr) {
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
    Take(BuildTestModel(parameters, names ? NameCatalog(9) : NumberCatalog(9), kind.dtype,
                        {{1, 2, 3}, {}}, kind.hidden, final));
  }
  explicit Forgery(const AlignedBytes& file) { Take(file); }

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
  void Take(const AlignedBytes& file) {
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

// A model with a cascade of four columns; the same network as the others.
inline AlignedBytes CascadeForgery(Scoring scoring, bool names) {
  const Parameters parameters = RandomParameters(9, {3, 5}, GruForm::kResetAfter, 8);
  const Catalog catalog = names ? NameCatalog(9) : NumberCatalog(9);
  ExportInput input;
  input.parameters = &parameters;
  input.catalog = &catalog;
  input.scoring = scoring;
  input.cascade_columns = 4;
  input.calibration_sessions = {{1, 2}, {3}, {4, 5, 6}};
  input.self_test_sessions = {{1, 2, 3}, {}};
  return BuildModel(input);
}

inline const std::vector<Forgery>& Forgeries() {
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
      // Of version 3.
      Forgery(DType::kBf16, GruForm::kResetAfter, true),
      Forgery(DType::kInt4, GruForm::kResetBefore, false),
      Forgery(CascadeForgery(Scoring::kInt8, false)),
      Forgery(CascadeForgery(Scoring::kExact, true)),
  };
  return all;
}
inline constexpr size_t kSeparateInt8 = 2, kNoneInt8 = 3, kNoneF32 = 4, kSeparateF32 = 5;
inline constexpr size_t kInt8Cascade = 8, kExactCascade = 9;

}  // namespace stint

#endif  // STINT_TESTS_RUNTIME_FORGERY_H_
