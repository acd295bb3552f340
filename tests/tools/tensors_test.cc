// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Files of tensors: values of every kind, and a reason, with file and tensor, for every broken one.
#include "tools/convert/tensors.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <zip.h>

#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/message_of.h"
#include "tests/temporary_folder.h"

namespace stint {
namespace {

AlignedBytes Aligned(std::string_view text) {
  AlignedBytes bytes(text.size());
  if (!text.empty()) std::memcpy(bytes.data(), text.data(), text.size());
  return bytes;
}

template <typename T>
std::string Bytes(std::initializer_list<T> values) {
  std::string bytes(values.size() * sizeof(T), '\0');
  std::memcpy(bytes.data(), std::data(values), bytes.size());
  return bytes;
}

std::string File(const std::string& header, const std::string& data) {
  const uint64_t length = header.size();
  return Bytes({length}) + header + data;
}

std::string Reason(const std::string& file) {
  return MessageOf([&] { ParseSafetensors(Aligned(file), "f"); });
}
std::string OneTensor(const std::string& entry, size_t bytes) {
  return File("{\"t\":" + entry + "}", std::string(bytes, '\0'));
}

TEST(SafetensorsTest, KindsOfFloat) {
  const std::string header = R"({"__metadata__":{"a":"b"},)"
                             R"("half":{"dtype":"F16","shape":[5],"data_offsets":[0,10]},)"
                             R"("brain":{"dtype":"BF16","shape":[1,2],"data_offsets":[10,14]},)"
                             R"("double":{"dtype":"F64","shape":[2],"data_offsets":[14,30]},)"
                             R"("whole":{"dtype":"I64","shape":[],"data_offsets":[30,38]},)"
                             R"("none":{"dtype":"F32","shape":[3,0],"data_offsets":[38,38]}})";
  // 1, -2, the smallest subnormal, the largest, -0; 1.5, -3; 1 + 2^-30, 1e-300; 7
  const std::string data = Bytes<uint16_t>({0x3C00, 0xC000, 0x0001, 0x7BFF, 0x8000}) +
                           Bytes<uint16_t>({0x3FC0, 0xC040}) +
                           Bytes<double>({1.0 + 0x1p-30, 1e-300}) + Bytes<int64_t>({7});
  const Tensors file = ParseSafetensors(Aligned(File(header, data)), "f");
  EXPECT_EQ(file.metadata.at("a"), "b");
  EXPECT_EQ(file.Floats("half"), (std::vector<float>{1, -2, 0x1p-24f, 65504, -0.0f}));
  EXPECT_EQ(file.Floats("brain"), (std::vector<float>{1.5f, -3}));
  EXPECT_EQ(file.Floats("double"), (std::vector<float>{1, 0}));
  EXPECT_EQ(file.Floats("none"), std::vector<float>());
  EXPECT_EQ(file.tensors.at("none").Shape(), "[3, 0]");
  EXPECT_EQ(MessageOf([&] { file.Floats("whole"); }),
            "f: tensor 'whole': elements are I64, weights are F64, F32, F16 or BF16");
  EXPECT_EQ(MessageOf([&] { file.Floats("other"); }), "f: tensor 'other': is not there");
}

TEST(SafetensorsTest, NumbersThatAreNoWeights) {
  for (const auto& [kind, data, shown] :
       std::vector<std::tuple<std::string, std::string, std::string>>{
           {"F32", Bytes<uint32_t>({0x7FC00000}), "nan"},
           {"F32", Bytes<uint32_t>({0xFF800000}), "-inf"},
           {"F16", Bytes<uint16_t>({0x7C00}), "inf"},
           {"BF16", Bytes<uint16_t>({0x7F80}), "inf"},
           {"F32", Bytes<float>({1.01e15f}), "1.01e+15"},
           {"F64", Bytes<double>({1e39}), "1e+39"}}) {
    const std::string n = std::to_string(data.size());
    const Tensors file =
        ParseSafetensors(Aligned(File("{\"t\":{\"dtype\":\"" + kind +
                                          "\",\"shape\":[1],\"data_offsets\":[0," + n + "]}}",
                                      data)),
                         "f");
    EXPECT_EQ(MessageOf([&] { file.Floats("t"); }),
              "f: tensor 't': element 0 is " + shown + ", weights are finite numbers up to 1e15");
  }
}

TEST(SafetensorsTest, WhatIsWrittenIsRead) {
  Tensors out("out");
  out.metadata["made by"] = "a test";
  out.Add("b", {2, 3}, {1, 2, 3, 4, 5, 6});
  out.Add("a", {1}, {-1.5f});
  const Tensors in = ParseSafetensors(Aligned(SafetensorsBytes(out)), "f");
  EXPECT_EQ(in.metadata, out.metadata);
  EXPECT_EQ(in.Floats("b"), out.Floats("b"));
  EXPECT_EQ(in.tensors.at("b").shape, (std::vector<uint64_t>{2, 3}));
  EXPECT_EQ(in.Floats("a"), std::vector<float>{-1.5f});
}

TEST(SafetensorsTest, HeadersThatLie) {
  EXPECT_EQ(Reason("1234567"), "f: no safetensors file: shorter than 8 bytes");
  EXPECT_EQ(Reason(Bytes<uint64_t>({3}) + "{}"),
            "f: no safetensors file: a header of 3 bytes in a file of 10");
  EXPECT_EQ(Reason(Bytes<uint64_t>({UINT64_MAX}) + "{}"),
            "f: no safetensors file: a header of 18446744073709551615 bytes in a file of 10");
  EXPECT_EQ(Reason(File("[]", "")), "f: the header is no JSON object");
  EXPECT_NE(Reason(File("{\"a\":", "")).find("f: header: no JSON: parse error"), std::string::npos);
  EXPECT_EQ(Reason(File(R"({"t":{},"t":{}})", "")), "f: header: the key 't' stands twice");
  EXPECT_EQ(Reason(File(R"({"__metadata__":[]})", "")), "f: __metadata__ is no object");
  EXPECT_EQ(Reason(File(R"({"__metadata__":{"a":1}})", "")), "f: __metadata__: 'a' is no string");
  const std::string deep = std::string(100000, '[') + std::string(100000, ']');
  for (const char* key : {"t", "dtype", "shape", "data_offsets"}) {
    const std::string nested = std::string("{\"") + key + "\":" + deep + "}";
    for (const std::string& header : {nested, "{\"t\":" + nested + "}"}) {
      EXPECT_EQ(Reason(File(header, "")), "f: header: nested more than 100 deep");
    }
  }
  std::string many = "{\"0\":0";
  for (int i = 1; i < 20000; ++i) many += ",\"" + std::to_string(i) + "\":0";
  EXPECT_EQ(Reason(File(many + "}", "")), "f: header: an object of more than 10000 keys");
  for (const auto& [entry, reason] : std::vector<std::pair<std::string, std::string>>{
           {R"([])", "is no object in the header"},
           {R"({"shape":[2],"data_offsets":[0,8]})", "lacks dtype"},
           {R"({"dtype":"F32","data_offsets":[0,8]})", "lacks shape"},
           {R"({"dtype":"F32","shape":[2]})", "lacks data_offsets"},
           {R"({"dtype":"F8","shape":[2],"data_offsets":[0,8]})", "dtype 'F8' is not known"},
           {R"({"dtype":"F32","shape":[2],"data_offsets":[0]})", "data_offsets are not two"},
           {R"({"dtype":"F32","shape":[-2],"data_offsets":[0,8]})",
            "a size of -2 is no whole number from 0 on"},
           {R"({"dtype":"F32","shape":[2.0],"data_offsets":[0,8]})",
            "a size of 2.0 is no whole number from 0 on"},
           {R"({"dtype":"F32","shape":[2],"data_offsets":[8,0]})",
            "bytes 8 to 0 of the data, which has 8"},
           {R"({"dtype":"F32","shape":[2],"data_offsets":[8,16]})",
            "bytes 8 to 16 of the data, which has 8"},
           {R"({"dtype":"F32","shape":[1],"data_offsets":[0,8]})",
            "shape [1] of F32 is not 8 bytes, which data_offsets give it"},
           {R"({"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]})",
            "shape [4611686018427387904, 4] of F32 is not 8 bytes, which data_offsets give it"},
           {R"({"dtype":"F32","shape":[1],"data_offsets":[4,8]})",
            "4 bytes before it belong to no tensor"}}) {
    EXPECT_EQ(Reason(OneTensor(entry, 8)), "f: tensor 't': " + reason) << entry;
  }
  EXPECT_EQ(Reason(OneTensor(R"({"dtype":"F32","shape":[1],"data_offsets":[0,4]})", 8)),
            "f: 4 bytes at the end belong to no tensor");
  EXPECT_EQ(Reason(File(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                        R"("b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
                        std::string(8, '\0'))),
            "f: tensor 'b': overlaps another tensor");
}

// ---- npz

std::string Npy(const std::string& dictionary, const std::string& data, char version = 1) {
  std::string header = dictionary + "\n";
  const uint16_t length = static_cast<uint16_t>(header.size());
  std::string file = "\x93NUMPY";
  file += version;
  file += '\0';
  file += version == 1 ? Bytes({length}) : Bytes({uint32_t{length}});
  return file + header + data;
}

// An archive of these entries, stored or deflated.
std::string Zip(const std::vector<std::pair<std::string, std::string>>& entries,
                int32_t method = ZIP_CM_DEFLATE) {
  const TemporaryFolder folder;
  const std::string path = folder / "a.npz";
  int error = 0;
  zip_t* const archive = zip_open(path.c_str(), ZIP_CREATE, &error);
  EXPECT_NE(archive, nullptr);
  for (const auto& [name, bytes] : entries) {
    zip_source_t* const source = zip_source_buffer(archive, bytes.data(), bytes.size(), 0);
    const zip_int64_t index = zip_file_add(archive, name.c_str(), source, 0);
    EXPECT_GE(index, 0);
    EXPECT_EQ(zip_set_file_compression(archive, static_cast<zip_uint64_t>(index), method, 0), 0);
  }
  EXPECT_EQ(zip_close(archive), 0);
  return ReadFile(path);
}

std::string NpzReason(const std::string& file) {
  return MessageOf([&] { ParseNpz(Aligned(file), "f"); });
}

constexpr char kPlain[] = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";

TEST(NpzTest, ReadsArraysOfEitherOrder) {
  const std::string data = Bytes<float>({1, 2, 3, 4, 5, 6});
  for (const int32_t method : {ZIP_CM_STORE, ZIP_CM_DEFLATE}) {
    const Tensors file = ParseNpz(
        Aligned(Zip({{"rows.npy", Npy(kPlain, data)},
                     {"columns.npy",
                      Npy("{'fortran_order': True, 'shape': (2, 3), 'descr': '<f4'}", data, 2)},
                     {"one", Npy("{'descr': '<f8', 'fortran_order': False, 'shape': (), }",
                                 Bytes<double>({8}), 3)}},
                    method)),
        "f");
    EXPECT_EQ(file.Floats("rows"), (std::vector<float>{1, 2, 3, 4, 5, 6}));
    EXPECT_EQ(file.Floats("columns"), (std::vector<float>{1, 3, 5, 2, 4, 6}));
    EXPECT_EQ(file.Floats("one"), std::vector<float>{8});
    EXPECT_EQ(file.tensors.at("columns").shape, (std::vector<uint64_t>{2, 3}));
  }
}

TEST(NpzTest, ThreeAxesInColumnOrder) {
  const Tensors file = ParseNpz(
      Aligned(Zip({{"t.npy", Npy("{'descr': '<f4', 'fortran_order': True, 'shape': (1, 2, 2)}",
                                 Bytes<float>({1, 2, 3, 4}))}})),
      "f");
  EXPECT_EQ(file.Floats("t"), (std::vector<float>{1, 3, 2, 4}));
}

TEST(NpzTest, ArraysThatLie) {
  const std::string data(24, '\0');
  for (const auto& [npy, reason] : std::vector<std::pair<std::string, std::string>>{
           {"NUMPY", "is no npy file"},
           {Npy(kPlain, data, 4), "npy version 4, not 1 to 3"},
           {Npy(kPlain, data).substr(0, 30), "an npy header of 60 bytes in a file of 30"},
           {Npy(kPlain, data + "x"), "shape [2, 3] of '<f4' is not the 25 bytes that are there"},
           {Npy("{'descr': '>f4', 'fortran_order': False, 'shape': (2, 3), }", data),
            "elements of kind '>f4': little-endian numbers are wanted ('<f4', '<f8', '<f2', "
            "'<i8', ...)"},
           {Npy("{'descr': '|O', 'fortran_order': False, 'shape': (2, 3), }", data),
            "elements of kind '|O': little-endian numbers are wanted ('<f4', '<f8', '<f2', "
            "'<i8', ...)"},
           {Npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2, 3), }", data),
            "npy header: elements of several fields"},
           {Npy("{'descr': '<f4', 'shape': (2, 3), }", data),
            "npy header: descr, fortran_order and shape, and no more, are wanted"},
           {Npy("{'descr': '<f4', 'descr': '<f4', 'shape': (2, 3), }", data),
            "npy header: key 'descr'"},
           {Npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, -3), }", data),
            "npy header: a size is missing before -3), }\n"},
           {Npy("{'descr': '<f4', 'fortran_order': False, 'shape': (9999999999999999999,), }",
                data),
            "npy header: a size of 9999999999999999999,"},
           {Npy("{'descr': '<f4', 'fortran_order': False, 'shape': "
                "(4294967296, 4294967296, 4), }",
                data),
            "shape [4294967296, 4294967296, 4] of '<f4' is not the 24 bytes that are there"},
           {Npy("{'descr': '<f4", data), "npy header: a quote is not closed"},
       }) {
    EXPECT_EQ(NpzReason(Zip({{"t.npy", npy}})), "f: tensor 't': " + reason) << npy;
  }
}

TEST(NpzTest, ArchivesThatLie) {
  const std::string npy = Npy(kPlain, std::string(24, '\0'));
  EXPECT_EQ(NpzReason(Zip({{"t.npy", npy}, {"t", npy}})),
            "f: tensor 't': stands twice in the archive");
  EXPECT_NE(NpzReason("PK\x03\x04 and no more").find("f: no npz file: "), std::string::npos);
  EXPECT_NE(NpzReason("").find("f: no npz file: "), std::string::npos);
  const std::string good = Zip({{"t.npy", npy}}, ZIP_CM_STORE);
  for (size_t n = 0; n < good.size(); ++n) {
    EXPECT_NE(NpzReason(good.substr(0, n)), "") << n;  // cut
  }
  // A byte of the data that the archive's checksum does not have.
  std::string changed = good;
  changed[changed.find("NUMPY") + 75] ^= 1;
  EXPECT_EQ(MessageOf([&] { ParseNpz(Aligned(changed), "f").Floats("t"); }),
            "f: tensor 't': CRC error");
  // A gigabyte of zeros in a megabyte may be; one in a hundred bytes cannot, whatever both headers
  // of the archive say.
  std::string bomb = Zip({{"t.npy", npy}});
  const uint32_t huge = 0x70000000;
  std::memcpy(bomb.data() + bomb.rfind("PK\x01\x02") + 24, &huge, 4);
  std::memcpy(bomb.data() + 22, &huge, 4);
  EXPECT_NE(NpzReason(bomb).find("f: tensor 't': 1879048192 bytes promised by "), std::string::npos)
      << NpzReason(bomb);
}

// What is not asked for is not unpacked: a small archive of much is refused by shapes alone.
TEST(NpzTest, UnpacksWhatIsAskedFor) {
  const uint64_t elements = 1 << 26;  // 256 MiB
  const std::string zeros = Npy("{'descr': '<f4', 'fortran_order': False, 'shape': (67108864,)}",
                                std::string(elements * 4, '\0'));
  const AlignedBytes bytes = Aligned(Zip({{"a.npy", zeros}}));
  EXPECT_LT(bytes.size(), 1u << 20);
  rusage before = {}, after = {};
  getrusage(RUSAGE_SELF, &before);
  AlignedBytes copy(bytes.size());
  std::memcpy(copy.data(), bytes.data(), bytes.size());
  const Tensors file = ParseNpz(std::move(copy), "f");
  getrusage(RUSAGE_SELF, &after);
  EXPECT_EQ(file.tensors.at("a").size(), elements);
  EXPECT_EQ(file.tensors.at("a").Shape(), "[67108864]");
  EXPECT_LT(after.ru_utime.tv_sec + after.ru_stime.tv_sec,
            before.ru_utime.tv_sec + before.ru_stime.tv_sec + 2);
}

}  // namespace
}  // namespace stint
