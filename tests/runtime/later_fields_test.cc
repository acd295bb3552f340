// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Files as a later version of the format may write them, of a format version that this runtime
// knows: what schema/README.md says of compatibility.
#include <flatbuffers/flatbuffers.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "schema/checksum.h"
#include "schema/model_generated.h"
#include "tests/runtime/forgery.h"

namespace stint {
namespace {

// The file with `added` more fields at the end of the Model table: its vtable moves to the end of
// the file and grows. What the new fields hold are numbers that stand in the table already.
Bytes WithFields(const Bytes& file, size_t added) {
  Bytes bytes = file;
  const uint32_t root = flatbuffers::ReadScalar<uint32_t>(bytes.data());
  const auto vtable =
      static_cast<size_t>(int64_t{root} - flatbuffers::ReadScalar<int32_t>(bytes.data() + root));
  const uint16_t size = flatbuffers::ReadScalar<uint16_t>(bytes.data() + vtable);
  const uint16_t items =
      flatbuffers::ReadScalar<uint16_t>(bytes.data() + vtable + schema::Model::VT_ITEMS);
  bytes.resize((bytes.size() + 63) / 64 * 64);
  const size_t moved = bytes.size();
  bytes.insert(bytes.end(), file.begin() + static_cast<ptrdiff_t>(vtable),
               file.begin() + static_cast<ptrdiff_t>(vtable + size));
  // All fields of today are there, so that the new ones get new slots.
  bytes.resize(moved + schema::Model::VT_CASCADE + 2);
  for (size_t i = 0; i < added; ++i) {
    bytes.push_back(static_cast<uint8_t>(items));
    bytes.push_back(static_cast<uint8_t>(items >> 8));
  }
  flatbuffers::WriteScalar(&bytes[moved], static_cast<uint16_t>(bytes.size() - moved));
  flatbuffers::WriteScalar(&bytes[root], static_cast<int32_t>(int64_t{root} - int64_t(moved)));
  schema::GetMutableModel(bytes.data())->mutate_file_size(bytes.size());
  return bytes;
}

TEST(LaterFields, NumbersThatThisRuntimeDoesNotKnowAreReadPast) {
  for (const Forgery& forgery : Forgeries()) {
    for (const size_t added : {0u, 1u, 9u}) {
      std::string message;
      EXPECT_EQ(Try(forgery.Seal(WithFields(forgery.bytes(), added)), &message), STINT_OK)
          << message;
    }
  }
}

// Its bytes are part of the header for a runtime that does not know the section: so it comes with
// a higher format version, or the file is damaged in the eyes of that runtime.
TEST(LaterFields, SectionsNeedAHigherVersion) {
  const Forgery& forgery = Forgeries()[0];
  Bytes bytes = forgery.bytes();
  bytes.resize((bytes.size() + 63) / 64 * 64);
  const ByteRange added = {bytes.size(), 64};
  bytes.resize(bytes.size() + added.size, 1);
  schema::GetMutableModel(bytes.data())->mutate_file_size(bytes.size());
  EXPECT_EQ(Try(forgery.Seal(bytes)), STINT_OK);  // as a part of the header

  std::vector<ByteRange> payloads = {added};
  for (const Forgery::Section& section : forgery.sections()) payloads.push_back(section.range);
  std::sort(payloads.begin(), payloads.end(),
            [](const ByteRange& a, const ByteRange& b) { return a.offset < b.offset; });
  uint64_t checksum = 0;
  ASSERT_TRUE(HeaderChecksum(bytes.data(), bytes.size(), forgery.header_checksum(), payloads.data(),
                             payloads.size(), &checksum));
  std::memcpy(&bytes[forgery.header_checksum()], &checksum, sizeof(checksum));
  std::string message;
  EXPECT_EQ(Try(bytes, &message), STINT_CORRUPT);
  EXPECT_NE(message.find("header: checksum"), std::string::npos) << message;

  schema::GetMutableModel(bytes.data())->mutate_format_version(kFormatVersion + 1);
  EXPECT_EQ(Try(bytes, &message), STINT_NEWER_VERSION) << message;
}

// Versions 1 and 2 with what a later one brought are refused, not read past: forged_test.cc. The
// other way round a higher version may hold a model that a lower one could.
TEST(LaterFields, AHigherVersionMayHoldALowerModel) {
  const Forgery& forgery = Forgeries()[0];
  for (uint32_t version = 1; version <= kFormatVersion; ++version) {
    Bytes bytes = forgery.bytes();
    ASSERT_TRUE(schema::GetMutableModel(bytes.data())->mutate_format_version(version));
    EXPECT_EQ(Try(forgery.Seal(bytes)), STINT_OK) << version;
  }
}

}  // namespace
}  // namespace stint
