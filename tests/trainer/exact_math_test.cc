// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Own logarithms and powers against those of libm in long double, and their bits.
#include "trainer/exact_math.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "trainer/random.h"

namespace stint {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
// Where long double is double (not on x86), the reference itself has 1e-16 and more.
constexpr double kTolerance = 1e-15;

double RelativeError(double got, long double expected) {
  if (expected == 0) return std::abs(got);
  return static_cast<double>(std::abs((got - expected) / expected));
}

// Normal doubles of every magnitude.
double AnyMagnitude(const RandomCounter& random, uint64_t draw) {
  return std::ldexp(1 + random.Unit(2 * draw),
                    static_cast<int>(random.Bits(2 * draw + 1) % 2046) - 1022);
}

TEST(ExactMath, LogarithmsMatchLibm) {
  const RandomCounter random(1, 1);
  for (uint64_t i = 0; i < 200000; ++i) {
    const double far = AnyMagnitude(random, i);
    const double near = 0.5 + 1.5 * random.Unit(i);
    const double nearest = 1 + std::ldexp(random.Unit(i) - 0.5, -static_cast<int>(i % 45));
    for (const double x : {far, near, nearest, static_cast<double>(i + 1)}) {
      ASSERT_LT(RelativeError(Log(x), std::log(static_cast<long double>(x))), kTolerance) << x;
      ASSERT_LT(RelativeError(Log2(x), std::log2(static_cast<long double>(x))), kTolerance) << x;
    }
  }
  for (int e = -1074; e <= 1023; ++e) EXPECT_EQ(Log2(std::ldexp(1.0, e)), e);
  EXPECT_LT(RelativeError(Log(0x1.8p-1073), std::log(0x1.8p-1073L)), kTolerance);
  EXPECT_EQ(Log(1), 0);
  EXPECT_EQ(Log(0), -kInfinity);
  EXPECT_EQ(Log2(0), -kInfinity);
  EXPECT_EQ(Log(kInfinity), kInfinity);
  EXPECT_TRUE(std::isnan(Log(-1)));
  EXPECT_TRUE(std::isnan(Log2(-kInfinity)));
  EXPECT_TRUE(std::isnan(Log(std::nan(""))));
}

TEST(ExactMath, SinesMatchLibm) {
  const long double pi = std::acos(-1.0L);
  const RandomCounter random(3, 1);
  for (uint64_t i = 0; i < 200000; ++i) {
    const double unit = 2 * random.Unit(i) - 1;
    const double tiny = std::ldexp(unit, -static_cast<int>(i % 60));
    ASSERT_LT(RelativeError(SinPi(tiny), std::sin(pi * tiny)), kTolerance) << tiny;
    for (const double x : {unit, 0.5 + tiny, 1 + tiny, 1000 * unit}) {
      // libm's arguments are rounded to 64 bits.
      ASSERT_NEAR(SinPi(x), std::sin(pi * x), kTolerance * (1 + std::abs(x))) << x;
      ASSERT_NEAR(CosPi(x), std::cos(pi * x), kTolerance * (1 + std::abs(x))) << x;
    }
    const double quarter = 0.5 + unit / 4;
    ASSERT_LT(RelativeError(CosPi(quarter), -std::sin(pi * (quarter - 0.5L))), kTolerance) << unit;
  }
  for (int i = -8; i <= 8; ++i) {
    const double sine[] = {0, 1, 0, -1};
    EXPECT_EQ(SinPi(i / 2.0), sine[(i + 8) % 4]) << i;
    EXPECT_EQ(CosPi(i / 2.0), sine[(i + 9) % 4]) << i;
  }
  EXPECT_TRUE(std::isnan(SinPi(kInfinity)));
  EXPECT_TRUE(std::isnan(CosPi(std::nan(""))));
}

TEST(ExactMath, ExponentialsMatchLibm) {
  const RandomCounter random(2, 1);
  for (uint64_t i = 0; i < 200000; ++i) {
    const double unit = 2 * random.Unit(i) - 1;
    for (const double x :
         {708 * unit, 20 * unit, unit, std::ldexp(unit, -static_cast<int>(i % 60))}) {
      ASSERT_LT(RelativeError(Exp(x), std::exp(static_cast<long double>(x))), kTolerance) << x;
      ASSERT_LT(RelativeError(Exp2(x), std::exp2(static_cast<long double>(x))), kTolerance) << x;
    }
  }
  for (int e = -1074; e <= 1023; ++e) EXPECT_EQ(Exp2(e), std::ldexp(1.0, e));
  EXPECT_EQ(Exp(0), 1);
  EXPECT_EQ(Exp2(1024), kInfinity);
  EXPECT_EQ(Exp(709.79), kInfinity);
  EXPECT_LT(RelativeError(Exp(709.78), std::exp(static_cast<long double>(709.78))), kTolerance);
  EXPECT_NEAR(Exp(-740), std::exp(-740.0), 0x1p-1074);
  EXPECT_EQ(Exp(-746), 0);
  EXPECT_EQ(Exp2(-1076), 0);
  for (const auto function : {Exp, Exp2}) {
    EXPECT_EQ(function(kInfinity), kInfinity);
    EXPECT_EQ(function(-kInfinity), 0);
    EXPECT_TRUE(std::isnan(function(std::nan(""))));
  }
}

TEST(ExactMath, PowersMatchLibm) {
  const RandomCounter random(3, 1);
  for (uint64_t i = 0; i < 200000; ++i) {
    const double y = 4 * random.Unit(3 * i) - 2;
    const double count = static_cast<double>(1 + (random.Bits(3 * i + 1) >> (32 + i % 32)));
    for (const double x : {count, random.Unit(3 * i + 2) + 0x1p-60, static_cast<double>(1 + i)}) {
      const auto expected = std::pow(static_cast<long double>(x), static_cast<long double>(y));
      ASSERT_LT(RelativeError(Pow(x, y), expected), 2 * kTolerance) << x << " ^ " << y;
      ASSERT_LT(RelativeError(Pow(x, 0.75), std::pow(static_cast<long double>(x), 0.75L)),
                kTolerance);
    }
    ASSERT_EQ(Pow(count, 0), 1);
    ASSERT_EQ(Pow(count, 0.5), std::sqrt(count));
    ASSERT_EQ(Pow(count, 1), count);
    ASSERT_EQ(Pow(count, 2), count * count);
    // The error grows with the exponent of the power.
    const double tens = 40 * y;
    const auto power = std::pow(1 + static_cast<long double>(i % 99), tens);
    ASSERT_LT(RelativeError(Pow(1 + static_cast<double>(i % 99), tens), power), 80 * kTolerance);
  }
  EXPECT_EQ(Pow(0, 0.3), 0);
  EXPECT_EQ(Pow(0, -0.3), kInfinity);
  EXPECT_EQ(Pow(kInfinity, 0.3), kInfinity);
  EXPECT_EQ(Pow(kInfinity, -0.3), 0);
  EXPECT_EQ(Pow(10, 1e6), kInfinity);
  EXPECT_EQ(Pow(10, -1e6), 0);
  EXPECT_EQ(Pow(10, kInfinity), kInfinity);
  EXPECT_EQ(Pow(0.1, kInfinity), 0);
  EXPECT_EQ(Pow(1, 1e300), 1);
  EXPECT_EQ(Pow(4, 1.5), 8);
  EXPECT_TRUE(std::isnan(Pow(-1, 0.3)));
  EXPECT_TRUE(std::isnan(Pow(2, std::nan(""))));
}

TEST(ExactMath, SumsAndQuotientsOfTwoDoubles) {
  // A sum that one double would round at every step: 1 + n * 2^-60.
  TwoDoubles sum = {1, 0};
  for (int n = 0; n < 100000; ++n) sum = Add(sum, 0x1p-60);
  EXPECT_EQ(sum.high - 1, std::round(100000 * 0x1p-8) * 0x1p-52);
  EXPECT_EQ((sum.high - 1) + sum.low, 100000 * 0x1p-60);
  for (int n = 1; n < 1000; ++n) {
    const TwoDoubles third = Divide({static_cast<double>(n), 0}, {3.0 * n, 0});
    EXPECT_EQ(third.high, 1.0 / 3);
    EXPECT_NEAR(third.low, 0x1p-54 / 3, 0x1p-105);  // 1/3 ends in a third of the unit 2^-54
    const TwoDoubles one = Divide(sum, sum);
    EXPECT_EQ(one.high, 1);
    EXPECT_NEAR(one.low, 0, 0x1p-100);
  }
}

// What every machine and compiler must give, to the bit.
TEST(ExactMath, TheSameBitsEverywhere) {
  const RandomCounter random(4, 1);
  uint64_t hash = 0;
  for (uint64_t i = 0; i < 20000; ++i) {
    const double x = AnyMagnitude(random, i);
    const double y = 40 * random.Unit(i) - 20;
    for (const double value :
         {Log(x), Log2(x), Exp(y), Exp2(y), Pow(x, y / 40), Pow(i + 1.0, 0.75)}) {
      hash = MixBits(hash + std::bit_cast<uint64_t>(value));
    }
  }
  EXPECT_EQ(hash, 6520154472791971773u);
}

}  // namespace
}  // namespace stint
