// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Doubles -> their logarithms, powers, sines, by IEEE + - * / and square root alone: the same bits
// on every machine, where those of libm may differ in the last place.
#include "trainer/exact_math.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace stint {
namespace {

// Built without contraction to fused multiply-adds (trainer/CMakeLists.txt), which would give
// other bits on machines that have them.

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// ln 2 = high + low; high has 32 trailing zero bits, so that k * high is exact for |k| < 2^32.
constexpr TwoDoubles kLn2 = {0x1.62e42p-1, 0x1.fdf473de6af28p-22};
// 1 / ln 2.
constexpr TwoDoubles kLog2E = {0x1.71547652b82fep+0, 0x1.777d0ffda0d24p-56};

// T. J. Dekker, "A floating-point technique for extending the available precision" (1971): a * b
// without rounding. Magnitudes far from overflow and underflow.
TwoDoubles Product(double a, double b) {
  constexpr double kSplit = 134217729;  // 2^27 + 1
  const double ta = kSplit * a;
  const double tb = kSplit * b;
  const double a1 = ta - (ta - a);
  const double b1 = tb - (tb - b);
  const double a2 = a - a1;
  const double b2 = b - b1;
  const double product = a * b;
  return {product, ((a1 * b1 - product) + a1 * b2 + a2 * b1) + a2 * b2};
}

// D. E. Knuth, The Art of Computer Programming 2, 4.2.2, theorem B: a + b without rounding.
TwoDoubles Sum(double a, double b) {
  const double sum = a + b;
  const double part = sum - a;
  return {sum, (a - (sum - part)) + (b - part)};
}

// x = 2^exponent * mantissa, mantissa in [sqrt(1/2), sqrt(2)); x > 0 and finite.
struct Parts {
  int exponent;
  double mantissa;
};

Parts Split(double x) {
  int exponent = 0;
  if (x < std::numeric_limits<double>::min()) {
    x *= 0x1p54;
    exponent = -54;
  }
  uint64_t bits = std::bit_cast<uint64_t>(x);
  exponent += static_cast<int>(bits >> 52) - 1023;
  bits = (bits & ((uint64_t{1} << 52) - 1)) | (uint64_t{1023} << 52);
  double mantissa = std::bit_cast<double>(bits);
  if (mantissa > 0x1.6a09e667f3bcdp+0) {
    mantissa *= 0.5;
    ++exponent;
  }
  return {exponent, mantissa};
}

// ln m for m in [sqrt(1/2), sqrt(2)): with s = (m - 1) / (m + 1), 2 artanh(s) = 2 (s + s^3/3 +
// ...), |s| < 0.172, so that the first term left out, s^25/25, is below 2^-60 of the whole. In a
// pair: the first term dominates, and its rounding would be most of the error.
TwoDoubles LogOfMantissa(double m) {
  const double numerator = m - 1;  // exact
  const double denominator = m + 1;
  const double denominator_low = (1 - denominator) + m;
  const double s = numerator / denominator;
  const TwoDoubles back = Product(s, denominator);
  const double s_low = (((numerator - back.high) - back.low) - s * denominator_low) / denominator;
  const double q = s * s;
  double sum = 1.0 / 23;
  for (int n = 21; n >= 3; n -= 2) sum = sum * q + 1.0 / n;
  const double rest = 2 * s * q * sum + 2 * s_low;
  const double high = 2 * s + rest;
  return {high, (2 * s - high) + rest};
}

// e^t for |t| <= ln(2) / 2: Taylor to t^14 / 14!, the next term is below 2^-60.
double ExpOfFraction(double t) {
  constexpr double kFactorials[] = {2,         6,          24,         120,     720,
                                    5040,      40320,      362880,     3628800, 39916800,
                                    479001600, 6227020800, 87178291200};
  double sum = 0;
  for (int n = 12; n >= 0; --n) sum = sum * t + 1 / kFactorials[n];
  return 1 + (t + sum * t * t);
}

// x * 2^exponent for x in [1/2, 2] and |exponent| < 1100; rounds once.
double Scale(double x, int exponent) {
  const auto power = [](int e) {
    return std::bit_cast<double>(static_cast<uint64_t>(e + 1023) << 52);
  };
  if (exponent > 1023) return x * 0x1p1023 * power(exponent - 1023);
  if (exponent < -1000) return x * 0x1p-900 * power(exponent + 900);
  return x * power(exponent);
}

// 2^(high + low), |low| small beside 1.
double Exp2Of(double high, double low) {
  if (high > 1025) return kInfinity;
  if (high < -1080) return 0;
  const double whole = std::floor(high + 0.5);
  const double fraction = (high - whole) + low;  // the difference is exact
  return Scale(ExpOfFraction(fraction * 0x1.62e42fefa39efp-1), static_cast<int>(whole));
}

// sin(pi x) for |x| <= 1/4: Taylor to t^19 / 19!, the next term is below 2^-60 of the whole.
double SinOfEighth(double x) {
  const double t = x * 0x1.921fb54442d18p+1;
  const double q = t * t;
  double sum = 1;
  for (int n = 18; n >= 2; n -= 2) sum = 1 - sum * q / (n * (n + 1));
  return t * sum;
}

// cos(pi x) for |x| <= 1/4, likewise.
double CosOfEighth(double x) {
  const double t = x * 0x1.921fb54442d18p+1;
  const double q = t * t;
  double sum = 1;
  for (int n = 18; n >= 2; n -= 2) sum = 1 - sum * q / (n * (n - 1));
  return sum;
}

}  // namespace

double Log(double x) {
  if (!(x > 0)) return x == 0 ? -kInfinity : kNan;
  if (x == kInfinity) return x;
  const Parts parts = Split(x);
  const TwoDoubles log = LogOfMantissa(parts.mantissa);
  return parts.exponent * kLn2.high + (log.high + (parts.exponent * kLn2.low + log.low));
}

double Log2(double x) {
  if (!(x > 0)) return x == 0 ? -kInfinity : kNan;
  if (x == kInfinity) return x;
  const Parts parts = Split(x);
  const TwoDoubles log = LogOfMantissa(parts.mantissa);
  const TwoDoubles log2 = Product(log.high, kLog2E.high);
  return parts.exponent +
         (log2.high + (log2.low + (log.high * kLog2E.low + log.low * kLog2E.high)));
}

double Exp(double x) {
  if (std::isnan(x)) return x;
  if (x > 710) return kInfinity;
  if (x < -750) return 0;
  const double whole = std::floor(x * kLog2E.high + 0.5);
  const double t = (x - whole * kLn2.high) - whole * kLn2.low;
  return Scale(ExpOfFraction(t), static_cast<int>(whole));
}

double Exp2(double x) { return std::isnan(x) ? x : Exp2Of(x, 0); }

double Pow(double x, double y) {
  if (y == 0) return 1;
  if (std::isnan(y) || !(x >= 0)) return kNan;
  if (y == 1) return x;
  if (y == 0.5) return std::sqrt(x);
  if (y == 2) return x * x;
  if (y == -1) return 1 / x;
  if (x == 1) return 1;
  if (x == 0 || x == kInfinity) return (x == 0) == (y > 0) ? 0 : kInfinity;
  if (y > 1e18 || y < -1e18) return (x > 1) == (y > 0) ? kInfinity : 0;
  // y * (exponent + log2 mantissa), the first product without rounding: it is the large one.
  const Parts parts = Split(x);
  const TwoDoubles log = LogOfMantissa(parts.mantissa);
  const TwoDoubles log2 = Product(log.high, kLog2E.high);
  const double log2_low = log2.low + (log.high * kLog2E.low + log.low * kLog2E.high);
  const TwoDoubles of_exponent = Product(y, parts.exponent);
  const TwoDoubles of_mantissa = Product(y, log2.high);
  const TwoDoubles sum = Sum(of_exponent.high, of_mantissa.high);
  return Exp2Of(sum.high, sum.low + (of_exponent.low + of_mantissa.low + y * log2_low));
}

double SinPi(double x) {
  double r = x - 2 * std::floor(x / 2 + 0.5);  // in [-1, 1); exact
  if (r > 0.5) r = 1 - r;
  if (r < -0.5) r = -1 - r;
  if (r > 0.25) return CosOfEighth(0.5 - r);
  if (r < -0.25) return -CosOfEighth(0.5 + r);
  return SinOfEighth(r);
}

double CosPi(double x) {
  const double r = std::abs(x - 2 * std::floor(x / 2 + 0.5));  // in [0, 1]; exact
  if (r > 0.75) return -CosOfEighth(1 - r);
  if (r > 0.25) return SinOfEighth(0.5 - r);
  return CosOfEighth(r);
}

TwoDoubles Add(TwoDoubles sum, double term) {
  const TwoDoubles high = Sum(sum.high, term);
  return Sum(high.high, high.low + sum.low);
}

TwoDoubles Divide(TwoDoubles x, TwoDoubles by) {
  const double first = x.high / by.high;
  // What is left over: x - first * by.
  const TwoDoubles product = Product(first, by.high);
  const double rest = ((x.high - product.high) - product.low) + (x.low - first * by.low);
  return Sum(first, rest / by.high);
}

}  // namespace stint
