// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// What `stint convert` refuses, with what words, and what it leaves as it was; what looks like it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>

#include "tests/tools/convert_fixture.h"

namespace stint {
namespace {

using ConvertRefusalTest = ConvertTest;

TEST_F(ConvertRefusalTest, WrongUsage) {
  const auto usage = [](const std::string& in, const std::string& out, const Words& more) {
    const std::string line = Error(in, out, more, 2);
    const std::string start = "stint convert: ";
    return line.substr(std::min(start.size(), line.size()));
  };
  const std::string hint = " (see stint convert --help)";
  EXPECT_EQ(
      usage("f32.stint", "x.bin", {}),
      "--out: '" + File("x.bin") + "' ends in none of .stint, .safetensors, .onnx, .json" + hint);
  EXPECT_EQ(usage("f32.stint", "x.stint", {"--max-loss", "1%"}),
            "--max-loss: needs --sessions to measure with" + hint);
  EXPECT_EQ(usage("f32.stint", "x.stint", {"--max-loss", "100%"}),
            "--max-loss: '100%' is no share from 0% up to 100%, such as 0.5%" + hint);
  EXPECT_EQ(usage("f32.stint", "x.stint", {"--target-size", "2XB"}),
            "--target-size: '2XB' is not a size in [1, 16777216T), such as 8G, 1500M or "
            "8589934592" +
                hint);
  EXPECT_EQ(usage("f32.stint", "x.stint", {"--target-size", "2MB", "--dtype", "int8"}),
            "--dtype or --layer-dtype: --target-size and --max-loss find the kind" + hint);
  EXPECT_EQ(usage("f32.stint", "x.json", {"--dtype", "int8"}),
            "--dtype, --layer-dtype, --scoring, --target-size, --max-loss: these are of a stint "
            "model, --out is of another kind" +
                hint);
  EXPECT_EQ(usage("f32.stint", "x.stint", {"--config", "c.json"}),
            "--config: not for stint model input" + hint);
  EXPECT_EQ(usage("f32.stint", "x.stint", {"--scoring", "int8"}),
            "--scoring int8: needs --dtype int8" + hint);
  Convert("f32.stint", "u.safetensors");
  EXPECT_EQ(usage("u.safetensors", "x.stint", {"--items", "i.tsv"}),
            "--config: needed for safetensors input" + hint);
  EXPECT_EQ(
      usage("f32.stint", "x.stint", {"--layer-dtype", "int8"}),
      "--layer-dtype int8: rows of f32 go over layers of f32, but with --scoring exact" + hint);
  EXPECT_EQ(usage("f32.stint", "x.stint", {"--dtype", "int8", "--layer-dtype", "f32"}),
            "--layer-dtype f32: rows of int8 go over layers of int8" + hint);
  EXPECT_EQ(usage("f32.stint", "x.stint", {"-k", "5"}),
            "-k: of what is measured with --sessions, or of an ONNX graph" + hint);
  EXPECT_EQ(usage("f32.stint", "x.stint", {"--threads", "5"}),
            "--threads: needs --sessions" + hint);
  EXPECT_EQ(usage("f32.stint", "x.stint", {"--padding-rows", "1"}),
            "--padding-rows: not for stint model input" + hint);
  EXPECT_EQ(usage("f32.stint", "x.stint", {"--max-loss", "0.5", "--sessions", File("test.tsv")}),
            "--max-loss: '0.5' is no share from 0% up to 100%, such as 0.5%" + hint);
  EXPECT_EQ(usage("f32.stint", "x.stint", {"--dtype", "int9"}),
            "--dtype: 'int9' is none of f32, bf16, int8, int4" + hint);
}

TEST_F(ConvertRefusalTest, BadFiles) {
  shared_->Write("text", "no model at all, whatever the name");
  EXPECT_EQ(Error("text", "x.stint", {}, 3),
            "stint convert: " + File("text") +
                ": neither a stint model nor safetensors, npz or (by its name) ONNX");
  EXPECT_EQ(Error("absent", "x.stint", {}, 3),
            "stint convert: " + File("absent") + ": cannot be opened: No such file or directory");
  std::string cut = ReadFile(File("f32.stint"));
  cut.resize(cut.size() / 2);
  shared_->Write("cut.stint", cut);
  EXPECT_NE(Error("cut.stint", "x.stint", {}, 3).find(File("cut.stint") + ": "), std::string::npos);
  EXPECT_NE(Error("f32.stint", "no/folder/x.stint", {}, 3).find("cannot be written"),
            std::string::npos);
}

// What is still to be read is not written over.
TEST_F(ConvertRefusalTest, InputsStay) {
  std::filesystem::copy(File("test.tsv"), File("log.stint"));
  const std::string log = ReadFile(File("log.stint"));
  RunResult run = RunStint(
      {"convert", File("f32.stint"), "-o", File("log.stint"), "--sessions", File("log.stint")});
  EXPECT_EQ(run.status, 2) << run.error;
  EXPECT_EQ(ReadFile(File("log.stint")), log);
  Convert("f32.stint", "stay.safetensors");
  const std::string tensors = ReadFile(File("stay.safetensors"));
  run = RunStint({"convert", File("stay.safetensors"), "--config", File("stay.config.json"),
                  "--items", File("stay.items.tsv"), "-o", File("stay.safetensors")});
  EXPECT_EQ(run.status, 2) << run.error;
  EXPECT_NE(run.error.find("would overwrite the input"), std::string::npos) << run.error;
  EXPECT_EQ(ReadFile(File("stay.safetensors")), tensors);
  // Also those that have the name of a model.
  std::filesystem::copy(File("stay.safetensors"), File("tensors.stint"));
  Convert("f32.stint", "stay.onnx");
  std::filesystem::create_symlink("stay.onnx", File("link.stint"));
  const std::string graph = ReadFile(File("stay.onnx"));
  for (const Words& words : {Words{File("tensors.stint"), "--config", File("stay.config.json"),
                                   "-o", File("tensors.stint")},
                             Words{File("stay.onnx"), "-o", File("link.stint")}}) {
    Words all = {"convert", "--items", File("stay.items.tsv")};
    all.insert(all.end(), words.begin(), words.end());
    run = RunStint(all);
    EXPECT_EQ(run.status, 2) << run.error;
    EXPECT_NE(run.error.find("would overwrite the input"), std::string::npos) << run.error;
  }
  EXPECT_EQ(ReadFile(File("tensors.stint")), tensors);
  EXPECT_EQ(ReadFile(File("stay.onnx")), graph);
}

// A header's size stands where a Python pickle has its mark: 640 reads as one of protocol 2.
TEST_F(ConvertRefusalTest, HeadersOfAnySize) {
  Convert("f32.stint", "one.safetensors");
  const Words beside = {"--config", File("one.config.json"), "--items", File("one.items.tsv")};
  Convert("one.safetensors", "one.stint", beside);
  const std::string whole = ReadFile(File("one.safetensors"));
  uint64_t header = 0;
  std::memcpy(&header, whole.data(), sizeof(header));
  size_t read = 0;
  for (const uint64_t size : {640, 896, 1152, 1408}) {
    if (size < header) continue;
    std::string padded(8, '\0');
    std::memcpy(padded.data(), &size, sizeof(size));
    padded += whole.substr(8, header) + std::string(size - header, ' ') + whole.substr(8 + header);
    shared_->Write("padded.safetensors", padded);
    Convert("padded.safetensors", "padded.stint", beside);
    EXPECT_EQ(ReadFile(File("padded.stint")), ReadFile(File("one.stint"))) << size;
    ++read;
  }
  EXPECT_GE(read, 2u);
  shared_->Write("pickle.pkl", std::string("\x80\x04\x95\0\0\0\0\0\0\0\0}", 12));
  EXPECT_NE(Error("pickle.pkl", "x.stint", {}, 3).find("a Python pickle"), std::string::npos);
}

// What an error quotes of a file stays on its line, and is no command to a terminal.
TEST_F(ConvertRefusalTest, ErrorsAreEscaped) {
  Convert("f32.stint", "names.safetensors");
  const std::string header =
      R"({"\u001b[31m\u009b\n":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
  std::string file(8, '\0');
  file[0] = static_cast<char>(header.size());
  shared_->Write("evil.safetensors", file + header + std::string(4, '\0'));
  const std::string error =
      Error("evil.safetensors", "x.stint",
            {"--config", File("names.config.json"), "--items", File("names.items.tsv")}, 3);
  EXPECT_NE(error.find("\\x1b[31m\\xc2\\x9b\\x0a"), std::string::npos) << error;
  for (const char c : error) ASSERT_GE(static_cast<unsigned char>(c), 0x20) << error;
}

}  // namespace
}  // namespace stint
