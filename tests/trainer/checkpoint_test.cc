// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Checkpoints: what was written comes back; damaged files are refused with path and reason.
#include "trainer/checkpoint.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/message_of.h"
#include "tests/temporary_folder.h"

namespace stint {
namespace {

struct Sample {
  std::vector<float> numbers = {1.5f, -2.0f, std::numeric_limits<float>::quiet_NaN()};
  std::vector<uint8_t> bytes = {1, 2, 3, 4, 5};

  CheckpointContent Content() const {
    CheckpointContent content;
    content.header["answer"] = 42;
    content.header["loss"] = BitsOf(0.1 + 0.2);
    content.arrays = {{"numbers", numbers.data(), numbers.size() * sizeof(float)},
                      {"nothing", nullptr, 0},
                      {"bytes", bytes.data(), bytes.size()}};
    return content;
  }
};

TEST(CheckpointTest, ComesBackAsItWas) {
  const TemporaryFolder folder;
  const Sample sample;
  WriteCheckpoint(folder / "a", sample.Content());
  const Checkpoint checkpoint(folder / "a");
  EXPECT_EQ(checkpoint.header().at("answer"), 42);
  EXPECT_EQ(DoubleOf(checkpoint.header().at("loss")), 0.1 + 0.2);
  std::vector<float> numbers(3);
  std::vector<uint8_t> bytes(5);
  checkpoint.Read("numbers", numbers.data(), 12);
  checkpoint.Read("bytes", bytes.data(), 5);
  checkpoint.Read("nothing", nullptr, 0);
  EXPECT_EQ(std::memcmp(numbers.data(), sample.numbers.data(), 12), 0);
  EXPECT_EQ(bytes, sample.bytes);
  EXPECT_TRUE(checkpoint.Has("nothing"));
  EXPECT_FALSE(checkpoint.Has("something"));
  EXPECT_EQ(checkpoint.Bytes("bytes"), 5u);
  EXPECT_EQ(MessageOf([&] { checkpoint.Read("something", nullptr, 0); }),
            (folder / "a") + ": it has no 'something'");
  EXPECT_EQ(MessageOf([&] { checkpoint.Read("bytes", bytes.data(), 4); }),
            (folder / "a") + ": 'bytes' has 5 bytes, this run needs 4");
  // The same content is the same file.
  WriteCheckpoint(folder / "b", sample.Content());
  EXPECT_EQ(ReadFile(folder / "a"), ReadFile(folder / "b"));
}

TEST(CheckpointTest, BitsOfEveryDouble) {
  for (const double value : {0.0, -0.0, 0.1, -1e308, 5e-324, std::nan(""), HUGE_VAL}) {
    const double back = DoubleOf(BitsOf(value));
    EXPECT_EQ(std::memcmp(&back, &value, sizeof(value)), 0) << value;
  }
  for (const char* text : {"", "0", "000000000000000g", "00000000000000001", "-000000000000001"}) {
    EXPECT_NE(MessageOf([&] { ParseHex(text); }), "") << text;
  }
}

// Every length, and every byte with each of its bits turned.
TEST(CheckpointTest, DamagedFilesAreRefused) {
  const TemporaryFolder folder;
  const std::string path = folder / "checkpoint";
  WriteCheckpoint(path, Sample().Content());
  const std::string good = ReadFile(path);
  const auto refused = [&](const std::string& bytes) {
    folder.Write("checkpoint", bytes);
    const std::string message = MessageOf([&] { Checkpoint checkpoint(path); });
    return message.compare(0, path.size() + 2, path + ": ") == 0;
  };
  for (size_t n = 0; n < good.size(); ++n) EXPECT_TRUE(refused(good.substr(0, n))) << n;
  for (size_t at = 0; at < good.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ (1 << bit));
      EXPECT_TRUE(refused(bad)) << at << " " << bit;
    }
  }
  EXPECT_TRUE(refused(good + '\0'));
  EXPECT_TRUE(refused(good + good));
  EXPECT_FALSE(refused(good));
  EXPECT_EQ(MessageOf([&] { Checkpoint checkpoint(folder / "none"); }),
            (folder / "none") + ": No such file or directory");
  EXPECT_NE(MessageOf([&] { Checkpoint checkpoint(folder.path().string()); }), "");
}

TEST(CheckpointTest, SaysWhatIsWrong) {
  const TemporaryFolder folder;
  const std::string path = folder / "checkpoint";
  WriteCheckpoint(path, Sample().Content());
  const std::string good = ReadFile(path);
  const auto message = [&](std::string bytes) {
    folder.Write("checkpoint", bytes);
    return MessageOf([&] { Checkpoint checkpoint(path); }).substr(path.size() + 2);
  };
  std::string bad = good;
  bad[8] = 2;
  EXPECT_EQ(message(bad), "checkpoint of format version 2; this stint reads version 1");
  bad = good;
  bad[0] = 's';
  EXPECT_EQ(message(bad), "not a checkpoint");
  EXPECT_EQ(message("STINT"), "damaged checkpoint: 5 bytes, the shortest has 32");
  EXPECT_EQ(
      message(good.substr(0, good.size() - 1)),
      "damaged checkpoint: cut off at " + std::to_string(good.size() - 1) + " bytes, in 'bytes'");
  bad = good;
  bad.back() = 9;
  EXPECT_EQ(message(bad), "damaged checkpoint: 'bytes': wrong checksum");
  bad = good;
  bad[40] ^= 1;
  EXPECT_EQ(message(bad), "damaged checkpoint: header: wrong checksum");
}

}  // namespace
}  // namespace stint
