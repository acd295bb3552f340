// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// STINT_OPEN_TRUSTED: the same model as verified, without a look at its sections; and whatever
// these hold, no crash and no read or write outside of an array.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include "tests/runtime/forgery.h"

namespace stint {
namespace {

ModelPointer OpenTrusted(const uint8_t* data, size_t size) {
  stint_model* model = nullptr;
  stint_error error;
  EXPECT_EQ(stint_model_open_buffer(data, size, STINT_OPEN_TRUSTED, &model, &error), STINT_OK)
      << error.message;
  return {model, stint_model_destroy};
}

// Everything a caller may do. Answers may mean nothing, but indices are indices.
void UseWrong(const stint_model* model) {
  stint_model_info info;
  ASSERT_EQ(stint_model_describe(model, &info), STINT_OK);
  stint_model_self_test(model, nullptr);
  const SessionPointer session = NewSession(model, 5), other = NewSession(model, 7);
  const uint32_t last = info.items - 1;
  const std::vector<uint32_t> some = {last, 0, last / 2, 0};
  const std::vector<uint64_t> bits((info.items + 63) / 64, 0xAAAAAAAAAAAAAAAA);
  std::vector<float> scores(info.items);
  std::vector<uint8_t> state;
  for (uint32_t step = 0; step < 12; ++step) {
    const uint32_t item = step * 5 % info.items;
    uint32_t found = 0;
    if (info.ids_are_names) {
      const char* name;
      size_t length;
      ASSERT_EQ(stint_item_name(model, item, &name, &length), STINT_OK);
      const std::string copy(name, length);  // so that the sanitizers see the bytes read
      if (stint_item_from_name(model, copy.data(), copy.size(), &found) == STINT_OK) {
        ASSERT_LT(found, info.items);
      }
      stint_observe_name(session.get(), copy.data(), copy.size());
      stint_observe_name(session.get(), "sku", 3);
    } else {
      int64_t id;
      ASSERT_EQ(stint_item_id(model, item, &id), STINT_OK);
      if (stint_item_from_id(model, id, &found) == STINT_OK) {
        ASSERT_LT(found, info.items);
      }
      stint_observe_id(session.get(), id);
      stint_observe_id(session.get(), step);
    }
    stint_recommend_options options = {};
    options.exclude_seen = step % 2;
    options.deny = some.data();
    options.deny_count = step % 3;
    options.allow = step % 4 == 3 ? some.data() : nullptr;
    options.allow_count = step % 4 == 3 ? some.size() : 0;
    options.allow_bits = step % 5 == 4 ? bits.data() : nullptr;
    stint_recommendation top[7];
    size_t count;
    ASSERT_EQ(stint_recommend(session.get(), 5, &options, top, &count), STINT_OK);
    ASSERT_LE(count, 5u);
    for (size_t i = 0; i < count; ++i) ASSERT_LT(top[i].item, info.items);
    uint32_t higher, equal;
    ASSERT_EQ(stint_rank(session.get(), item, &higher, &equal), STINT_OK);
    ASSERT_EQ(stint_scores(session.get(), scores.data()), STINT_OK);
    ASSERT_EQ(stint_item_scores(session.get(), some.data(), some.size(), scores.data()), STINT_OK);
    ASSERT_EQ(stint_item_probabilities(session.get(), some.data(), some.size(), scores.data()),
              STINT_OK);
    ASSERT_EQ(stint_top_probabilities(session.get(), top, count, scores.data()), STINT_OK);
    state.resize(stint_session_state_size(session.get()));
    size_t size;
    ASSERT_EQ(stint_session_export(session.get(), state.data(), state.size(), &size), STINT_OK);
    stint_session_import(other.get(), state.data(), size);
    ASSERT_EQ(stint_session_copy(session.get(), other.get()), STINT_OK);
    ASSERT_EQ(stint_recommend(other.get(), 7, nullptr, top, &count), STINT_OK);
    for (size_t i = 0; i < count; ++i) ASSERT_LT(top[i].item, info.items);
  }
}

void TryWrong(const Bytes& bytes) {
  const Copy copy(bytes);
  const ModelPointer model = OpenTrusted(copy.data(), copy.size());
  ASSERT_NE(model, nullptr);
  UseWrong(model.get());
}

// Answers of a session, folded into words.
std::vector<uint64_t> Answers(const stint_model* model, uint32_t items) {
  const SessionPointer session = NewSession(model, 10);
  std::vector<uint64_t> words;
  for (uint32_t step = 0; step < 8; ++step) {
    stint_recommendation top[10];
    float shares[10];
    size_t count = 0;
    EXPECT_EQ(stint_recommend(session.get(), 10, nullptr, top, &count), STINT_OK);
    EXPECT_EQ(stint_top_probabilities(session.get(), top, count, shares), STINT_OK);
    for (size_t i = 0; i < count; ++i) {
      words.push_back(uint64_t{top[i].item} << 32 | FloatBits(top[i].score));
      words.push_back(static_cast<uint64_t>(top[i].id));
      words.push_back(FloatBits(shares[i]));
    }
    EXPECT_EQ(stint_observe(session.get(), step * 3 % items), STINT_OK);
  }
  return words;
}

// ---- The same model

TEST(Trusted, SaysWhatTheVerifiedModelSays) {
  for (const Forgery& forgery : Forgeries()) {
    const Copy copy(forgery.bytes());
    const ModelPointer trusted = OpenTrusted(copy.data(), copy.size());
    stint_model* opened = nullptr;
    ASSERT_EQ(stint_model_from_buffer(copy.data(), copy.size(), &opened, nullptr), STINT_OK);
    const ModelPointer verified(opened, stint_model_destroy);
    stint_model_info a = {}, b = {};
    ASSERT_EQ(stint_model_describe(trusted.get(), &a), STINT_OK);
    ASSERT_EQ(stint_model_describe(verified.get(), &b), STINT_OK);
    EXPECT_GT(a.training_events, 0u);
    EXPECT_EQ(a.training_events, b.training_events);
    EXPECT_EQ(a.items, b.items);
    EXPECT_EQ(a.file_size, b.file_size);
    EXPECT_EQ(a.self_tests, b.self_tests);
    EXPECT_EQ(a.hyperparameters, b.hyperparameters);  // the same bytes of the file
    stint_section_info x, y;
    for (uint32_t i = 0; stint_model_section(verified.get(), i, &y) == STINT_OK; ++i) {
      ASSERT_EQ(stint_model_section(trusted.get(), i, &x), STINT_OK);
      EXPECT_EQ(x.xxh3, y.xxh3);
      EXPECT_EQ(x.offset, y.offset);
      EXPECT_EQ(x.size, y.size);
    }
    EXPECT_EQ(stint_model_self_test(trusted.get(), nullptr), STINT_OK);
    EXPECT_EQ(Answers(trusted.get(), a.items), Answers(verified.get(), b.items));
    Use(trusted.get());
    // A session goes from one to the other: its fingerprints are the stored checksums.
    const SessionPointer from = NewSession(trusted.get(), 5), to = NewSession(verified.get(), 5);
    ASSERT_EQ(stint_observe(from.get(), 4), STINT_OK);
    Bytes state(stint_session_state_size(from.get()));
    size_t size;
    ASSERT_EQ(stint_session_export(from.get(), state.data(), state.size(), &size), STINT_OK);
    EXPECT_EQ(stint_session_import(to.get(), state.data(), size), STINT_OK);
  }
}

TEST(Trusted, FlagsThatAreNotKnown) {
  const Copy copy(Forgeries()[0].bytes());
  for (const uint32_t flags : {2u, 3u, 0x80000000u, 0xFFFFFFFFu}) {
    stint_model* model = nullptr;
    stint_error error;
    EXPECT_EQ(stint_model_open_buffer(copy.data(), copy.size(), flags, &model, &error),
              STINT_INVALID_ARGUMENT);
    EXPECT_EQ(model, nullptr);
    EXPECT_NE(std::string(error.message).find("flags"), std::string::npos);
    EXPECT_EQ(stint_model_open_file("/none", flags, &model, &error), STINT_INVALID_ARGUMENT);
  }
  stint_model* model = nullptr;
  EXPECT_EQ(stint_model_open_file("/none", STINT_OPEN_TRUSTED, &model, nullptr), STINT_IO_ERROR);
  EXPECT_EQ(stint_model_open_file(nullptr, STINT_OPEN_TRUSTED, &model, nullptr),
            STINT_INVALID_ARGUMENT);
  EXPECT_EQ(stint_model_open_buffer(copy.data(), copy.size(), STINT_OPEN_TRUSTED, nullptr, nullptr),
            STINT_INVALID_ARGUMENT);
}

TEST(Trusted, CutsAndHeadersAreRefusedAllTheSame) {
  for (const Forgery& forgery : Forgeries()) {
    const auto status = [](const Bytes& bytes) {
      const Copy copy(bytes);
      stint_model* model = nullptr;
      const stint_status result =
          stint_model_open_buffer(copy.data(), copy.size(), STINT_OPEN_TRUSTED, &model, nullptr);
      stint_model_destroy(model);
      return result;
    };
    ASSERT_EQ(status(forgery.bytes()), STINT_OK);
    for (size_t size = 0; size < forgery.bytes().size(); size += size < 1000 ? 1 : 7) {
      const Bytes cut(forgery.bytes().begin(), forgery.bytes().begin() + size);
      ASSERT_NE(status(cut), STINT_OK) << size;
    }
    Bytes bytes = forgery.bytes();
    for (size_t at = 0; at < bytes.size(); ++at) {
      if (!forgery.InHeader(at)) continue;
      for (const uint8_t delta : {0x01, 0x80, 0xFF}) {
        bytes[at] ^= delta;
        ASSERT_NE(status(bytes), STINT_OK) << at;
        bytes[at] ^= delta;
      }
    }
  }
}

// ---- Nothing is touched

// A model of about `bytes` bytes, or as many of a cascade beside it.
AlignedBytes LargeModel(size_t bytes, bool names, Scoring scoring = Scoring::kScan) {
  constexpr size_t kUnits = 100;
  const size_t items = bytes / kUnits;
  const Parameters parameters = RandomParameters(items, {kUnits}, GruForm::kResetAfter, 1);
  if (scoring != Scoring::kScan) {
    const Catalog catalog = NumberCatalog(items);
    ExportInput input;
    input.parameters = &parameters;
    input.catalog = &catalog;
    input.scoring = scoring;
    input.cascade_columns = 48;
    input.self_test_sessions = {{1, 2, 3}};
    return BuildModel(input);
  }
  return BuildTestModel(parameters, names ? NameCatalog(items) : NumberCatalog(items), DType::kInt8,
                        {{1, 2, 3}});
}

// A model in memory of which the whole pages inside sections cannot be read until Unlock().
class LockedModel {
 public:
  explicit LockedModel(const AlignedBytes& file) : size_(file.size()) {
    void* const map =
        mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED) std::abort();
    data_ = static_cast<uint8_t*>(map);
    std::memcpy(data_, file.data(), size_);
    const ModelPointer model = OpenModel(file);
    const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    stint_section_info section;
    for (uint32_t i = 0; stint_model_section(model.get(), i, &section) == STINT_OK; ++i) {
      const size_t begin = (section.offset + page - 1) / page * page;
      const size_t end = (section.offset + section.size) / page * page;
      if (begin >= end) continue;
      locked_ += end - begin;
      if (mprotect(data_ + begin, end - begin, PROT_NONE) != 0) std::abort();
    }
  }
  ~LockedModel() { munmap(data_, size_); }
  LockedModel(const LockedModel&) = delete;
  void Unlock() {
    if (mprotect(data_, size_, PROT_READ) != 0) std::abort();
  }
  const uint8_t* data() const { return data_; }
  size_t size() const { return size_; }
  size_t locked() const { return locked_; }

 private:
  uint8_t* data_;
  size_t size_;
  size_t locked_ = 0;
};

TEST(Trusted, OpensWithoutReadingASection) {
  const auto check = [](const AlignedBytes& file) {
    LockedModel locked(file);
    ASSERT_GT(locked.locked(), file.size() * 9 / 10);
    const ModelPointer model = OpenTrusted(locked.data(), locked.size());
    ASSERT_NE(model, nullptr);
    locked.Unlock();
    EXPECT_EQ(stint_model_self_test(model.get(), nullptr), STINT_OK);
    EXPECT_EQ(Answers(model.get(), 1000), Answers(OpenModel(file).get(), 1000));
  };
  for (const bool names : {false, true}) check(LargeModel(2000000, names));
  for (const Scoring scoring : {Scoring::kInt8, Scoring::kExact}) {
    check(LargeModel(1000000, false, scoring));
  }
}

TEST(TrustedDeathTest, VerifyingReadsThem) {
  const LockedModel locked(LargeModel(2000000, false));
  stint_model* model;
  EXPECT_DEATH(stint_model_from_buffer(locked.data(), locked.size(), &model, nullptr), "");
}

#if defined(__linux__)
// Bytes of the mapping of `path` that this process has touched.
size_t ResidentBytes(const std::string& path) {
  std::ifstream maps("/proc/self/smaps");
  std::string line;
  bool inside = false;
  size_t bytes = 0;
  while (std::getline(maps, line)) {
    if (line.find('-') < line.find(' ')) inside = line.find(path) != std::string::npos;
    if (inside && line.rfind("Rss:", 0) == 0) bytes += std::stoul(line.substr(4)) * 1024;
  }
  return bytes;
}

TEST(Trusted, AFileOf50MegabytesStaysOnTheDisk) {
  const AlignedBytes file = LargeModel(48000000, false);
  ASSERT_GT(file.size(), 50000000u);
  const std::string path = testing::TempDir() + "stint_trusted." + std::to_string(getpid());
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(file.data()), static_cast<std::streamsize>(file.size()));
  stint_model* model = nullptr;
  ASSERT_EQ(stint_model_open_file(path.c_str(), STINT_OPEN_TRUSTED, &model, nullptr), STINT_OK);
  // The kernel maps what surrounds a page that is touched: up to 2 MiB for each of the sections'
  // ends in its largest pages.
  const size_t trusted = ResidentBytes(path);
  EXPECT_GT(trusted, 0u);
  EXPECT_LT(trusted, file.size() / 2);
  stint_model_destroy(model);
  EXPECT_EQ(ResidentBytes(path), 0u);
  ASSERT_EQ(stint_model_open_file(path.c_str(), 0, &model, nullptr), STINT_OK);
  EXPECT_GT(ResidentBytes(path), file.size() * 9 / 10);
  stint_model_destroy(model);
  unlink(path.c_str());
}
#endif

// ---- Values of every wrong kind

TEST(Trusted, SectionsOfOneByte) {
  for (const Forgery& forgery : Forgeries()) {
    for (const uint8_t fill : {0x00, 0x01, 0x7F, 0x80, 0xFE, 0xFF}) {
      Bytes all = forgery.bytes();
      for (const Forgery::Section& s : forgery.sections()) {
        Bytes one = forgery.bytes();
        std::memset(one.data() + s.range.offset, fill, s.range.size);
        std::memset(all.data() + s.range.offset, fill, s.range.size);
        ASSERT_NO_FATAL_FAILURE(TryWrong(one)) << s.name << " of " << int{fill};
      }
      ForEachTarget([&] { TryWrong(all); });
      if (HasFatalFailure()) return;
    }
  }
}

TEST(Trusted, OffsetsAndOrderOutOfRange) {
  for (const Forgery& forgery : Forgeries()) {
    for (const char* name : {"id_order", "id_name_offsets"}) {
      for (const Forgery::Section& s : forgery.sections()) {
        if (s.name != name) continue;
        for (size_t i = 0; i < s.range.size / 4; ++i) {
          for (const uint32_t value : {9u, 10u, 0x7FFFFFFFu, 0x80000000u, 0xFFFFFFFEu, 0xFFFFFFFFu,
                                       static_cast<uint32_t>(forgery.bytes().size())}) {
            Bytes bytes = forgery.bytes();
            std::memcpy(bytes.data() + s.range.offset + 4 * i, &value, 4);
            ASSERT_NO_FATAL_FAILURE(TryWrong(bytes)) << name << "[" << i << "] = " << value;
          }
        }
      }
    }
  }
}

TEST(Trusted, RandomBytesInSections) {
  const float specials[] = {std::numeric_limits<float>::quiet_NaN(),
                            std::numeric_limits<float>::infinity(),
                            -std::numeric_limits<float>::infinity(),
                            3e38f,
                            -3e38f,
                            1e-45f,
                            -0.0f};
  for (const Forgery& forgery : Forgeries()) {
    const RandomCounter random(23, forgery.bytes().size());
    uint64_t draw = 0;
    for (int round = 0; round < 300; ++round) {
      Bytes bytes = forgery.bytes();
      for (const Forgery::Section& s : forgery.sections()) {
        if (random.Bits(draw++) % 3 == 0) continue;
        const uint64_t kind = random.Bits(draw++) % 3;
        const uint64_t changes = 1 + random.Bits(draw++) % s.range.size;
        for (uint64_t c = 0; c < changes; ++c) {
          const size_t at = random.Bits(draw++) % s.range.size;
          uint8_t* const byte = bytes.data() + s.range.offset + at;
          if (kind == 0) {
            *byte = static_cast<uint8_t>(random.Bits(draw++));
          } else if (at / 4 * 4 + 4 <= s.range.size) {
            const float special = specials[random.Bits(draw++) % std::size(specials)];
            const uint32_t small = static_cast<uint32_t>(random.Bits(draw++) % 12);
            std::memcpy(byte - (at % 4), kind == 1 ? static_cast<const void*>(&special) : &small,
                        4);
          }
        }
      }
      ASSERT_NO_FATAL_FAILURE(TryWrong(bytes)) << round;
    }
  }
}

}  // namespace
}  // namespace stint
