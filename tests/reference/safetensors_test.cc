// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The reader that all golden tests stand on: right values, and a clear error on any broken file.
#include "tests/reference/safetensors.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace stint::reference {
namespace {

// A file with this header text and data.
std::vector<uint8_t> File(const std::string& header, const std::vector<uint8_t>& data) {
  std::string bytes(8, '\0');
  for (size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>(header.size() >> (8 * i));
  bytes += header;
  bytes.append(data.begin(), data.end());
  return {bytes.begin(), bytes.end()};
}

const char kHeader[] = R"({"__metadata__":{"steps":"20","tag":"xe"},)"
                       R"("a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},)"
                       R"("b":{"dtype":"I32","shape":[1],"data_offsets":[8,12]},)"
                       R"("c":{"dtype":"U8","shape":[2],"data_offsets":[12,14]}})";
// 1.5f, -2.0f; -7; 1, 255
const std::vector<uint8_t> kData = {0,    0,    0xC0, 0x3F, 0,    0, 0,
                                    0xC0, 0xF9, 0xFF, 0xFF, 0xFF, 1, 255};

TEST(SafetensorsTest, ReadsValuesShapesAndOptions) {
  const Safetensors file = ParseSafetensors(File(kHeader, kData), "x");
  EXPECT_EQ(file["a"].shape, (std::vector<size_t>{1, 2}));
  EXPECT_EQ(file["a"].AsDouble(), (std::vector<double>{1.5, -2.0}));
  EXPECT_EQ(file["a"].AsFloat(), (std::vector<float>{1.5f, -2.0f}));
  EXPECT_EQ(file["b"].AsInt32(), (std::vector<int32_t>{-7}));
  EXPECT_EQ(file["b"].AsDouble(), (std::vector<double>{-7.0}));
  EXPECT_EQ(file["c"].AsUint32(), (std::vector<uint32_t>{1, 255}));
  EXPECT_EQ(file.Option("tag"), "xe");
  EXPECT_EQ(file.Number("steps"), 20.0);
  EXPECT_TRUE(file.Has("a"));
  EXPECT_FALSE(file.Has("__metadata__"));
}

TEST(SafetensorsTest, RefusesWhatWouldChangeAValue) {
  const Safetensors file = ParseSafetensors(File(kHeader, kData), "x");
  EXPECT_THROW(file["a"].AsInt32(), std::runtime_error);   // float as integer
  EXPECT_THROW(file["b"].AsUint32(), std::runtime_error);  // negative
  EXPECT_THROW(file["b"].AsFloat(), std::runtime_error);   // integer as float
  EXPECT_THROW(file["d"], std::runtime_error);
  EXPECT_THROW(file.Option("none"), std::runtime_error);
  EXPECT_THROW(file.Number("tag"), std::runtime_error);
}

TEST(SafetensorsTest, EveryCutIsAnError) {
  const std::vector<uint8_t> whole = File(kHeader, kData);
  for (size_t n = 0; n < whole.size(); ++n) {
    const std::vector<uint8_t> cut(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(n));
    EXPECT_THROW(ParseSafetensors(cut, "x"), std::runtime_error) << n;
  }
}

TEST(SafetensorsTest, LyingHeadersAreErrors) {
  for (const char* entry : {
           R"({"dtype":"F32","shape":[2],"data_offsets":[0,4]})",   // shape says 8 bytes
           R"({"dtype":"F32","shape":[2],"data_offsets":[8,0]})",   // backwards
           R"({"dtype":"F32","shape":[2],"data_offsets":[8,16]})",  // past the end
           R"({"dtype":"F32","shape":[-2],"data_offsets":[0,8]})",  // negative
           R"({"dtype":"BF16","shape":[4],"data_offsets":[0,8]})",  // unknown kind
           R"({"dtype":"F32","shape":[2],"data_offsets":[0]})",     // one offset
           R"({"dtype":"F32","shape":[2]})",                        // none
           R"({"shape":[2],"data_offsets":[0,8]})",                 // no kind
           R"([])",
           // 2^62 * 4 * 4 wraps round to 0.
           R"({"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]})",
           R"({"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,8]})",
       }) {
    const std::string header = std::string("{\"t\":") + entry + "}";
    EXPECT_THROW(ParseSafetensors(File(header, std::vector<uint8_t>(8)), "x"), std::runtime_error)
        << entry;
  }
  EXPECT_THROW(ParseSafetensors(File("[1]", {}), "x"), std::runtime_error);
  EXPECT_THROW(ParseSafetensors(File("{", {}), "x"), std::runtime_error);
  EXPECT_THROW(ParseSafetensors(File(R"({"__metadata__":{"a":1}})", {}), "x"), std::runtime_error);
  EXPECT_THROW(ReadSafetensors("no/such/file"), std::runtime_error);
}

}  // namespace
}  // namespace stint::reference
