// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Damaged, cut and foreign model files: a status and a message, never a crash or a read outside the
// buffer.
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "tests/runtime/forgery.h"

namespace stint {
namespace {

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
      EXPECT_NE(message.find("version " + std::to_string(kFormatVersion + 1)), std::string::npos)
          << message;
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

}  // namespace
}  // namespace stint
