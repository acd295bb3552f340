// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Text of values against the C and C++ libraries: floats are read back as they were, with no more
// digits than need be.
#include "runtime/text.h"

#include <gtest/gtest.h>

#include <charconv>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>

#include "trainer/random.h"

namespace stint {
namespace {

template <typename... Values>
std::string Text(const char* format, Values... values) {
  char text[300];
  const size_t length = Format(text, sizeof(text), format, values...);
  EXPECT_EQ(length, std::strlen(text));
  return text;
}

template <typename... Values>
void ExpectAsPrintf(const char* format, Values... values) {
  char expected[300];
  std::snprintf(expected, sizeof(expected), format, values...);
  EXPECT_EQ(Text(format, values...), expected);
}

TEST(Text, NumbersAndStrings) {
  for (const uint32_t x : {0u, 1u, 9u, 10u, 4294967295u}) {
    ExpectAsPrintf("%u items", x);
    ExpectAsPrintf("0x%x", x);
    ExpectAsPrintf("%05u|%d", x, static_cast<int>(x / 2));
  }
  ExpectAsPrintf("%d, %d", -1, std::numeric_limits<int>::min());
  for (const uint64_t x : {uint64_t{0}, uint64_t{1} << 32, ~uint64_t{0}}) {
    ExpectAsPrintf("%" PRIu64 " %016" PRIx64, x, x);
    ExpectAsPrintf("%zu", static_cast<size_t>(x));
    ExpectAsPrintf("%llu and %lu", static_cast<unsigned long long>(x),
                   static_cast<unsigned long>(x));
  }
  ExpectAsPrintf("%s: '%s'%s", "a", "", "bc");
  ExpectAsPrintf("%.2s|%.0s|%.200s", "abc", "abc", "abc");
}

TEST(Text, IsCutWhereThereIsNoRoom) {
  char text[8];
  std::memset(text, 'x', sizeof(text));
  EXPECT_EQ(Format(text, 5, "%s %u", "abc", 123u), 4u);
  EXPECT_STREQ(text, "abc ");
  EXPECT_EQ(text[5], 'x');
  EXPECT_EQ(Format(text, 1, "%u", 5u), 0u);
  EXPECT_STREQ(text, "");
}

std::string Shortest(float value) {
  char text[64];
  return std::string(text, std::to_chars(text, text + sizeof(text), value).ptr);
}

float FromBits(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

TEST(Text, FloatsAsToChars) {
  for (const float x :
       {0.0f, 1.0f, 0.5f, -0.5f, 0.1f, 20.0f, 100000.0f, 123456.0f, 1e6f, 1e10f, 0.001f, 1.0507f,
        1.67326f, 9.9999f, 1e-5f, 16777216.0f, 3.4028235e38f, 1.17549435e-38f}) {
    EXPECT_EQ(Text("%g", static_cast<double>(x)), Shortest(x));
  }
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(Text("%g %g %g", infinity, -infinity, std::numeric_limits<double>::quiet_NaN()),
            "inf -inf nan");
}

// All exponents, and what lies about powers of two and of ten.
TEST(Text, FloatsAreReadBack) {
  const RandomCounter random(1, 3);
  size_t longer = 0, count = 0;
  const auto check = [&](uint32_t bits) {
    const float value = FromBits(bits);
    if (!(value <= std::numeric_limits<float>::max())) return;
    const std::string text = Text("%g", static_cast<double>(value));
    ASSERT_EQ(std::strtof(text.c_str(), nullptr), value) << text;
    longer += text.size() > Shortest(value).size();
    ++count;
  };
  for (uint32_t i = 0; i < 300000; ++i) check(static_cast<uint32_t>(random.Bits(i)) >> 1);
  for (uint32_t exponent = 0; exponent < 255; ++exponent) {
    for (uint32_t i = 0; i < 9; ++i) check((exponent << 23) + i - (exponent > 0 ? 4 : 0));
  }
  for (int exponent = -45; exponent <= 38; ++exponent) {
    const float value = std::strtof(("1e" + std::to_string(exponent)).c_str(), nullptr);
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof(bits));
    for (uint32_t i = 0; i < 5 && bits > 2; ++i) check(bits + i - 2);
  }
  EXPECT_LE(longer, count / 1000);  // where the shortest lies just beside a middle
}

}  // namespace
}  // namespace stint
