// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// tanh, sigmoid, exp of every SIMD target against long double, and against each other bit for bit.
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tests/runtime/math_test.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

#include "runtime/math-inl.h"
#include "tests/runtime/test_model.h"

HWY_BEFORE_NAMESPACE();
namespace stint {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Which of the functions of math-inl.h.
void Apply(int function, const float* in, float* out, size_t count) {
  const hn::ScalableTag<float> d;
  const size_t lanes = hn::Lanes(d);
  for (size_t i = 0; i < count; i += lanes) {
    const size_t n = count - i < lanes ? count - i : lanes;
    const auto x = hn::LoadN(d, in + i, n);
    hn::StoreN(function == 0   ? Tanh(d, x)
               : function == 1 ? Sigmoid(d, x)
                               : Exp(d, x),
               d, out + i, n);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace stint
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace stint {
HWY_EXPORT(Apply);

std::vector<float> Values(int function, const std::vector<float>& in) {
  std::vector<float> out(in.size());
  HWY_DYNAMIC_DISPATCH(Apply)(function, in.data(), out.data(), in.size());
  return out;
}

namespace {

constexpr int kTanh = 0, kSigmoid = 1, kExp = 2;

// Every 4099th float of all, both signs, no NaN, and the range in which gates live densely.
std::vector<float> Sweep() {
  std::vector<float> in;
  for (uint64_t bits = 0; bits <= 0xFF800000u; bits += 4099) {
    const uint32_t b = static_cast<uint32_t>(bits);
    float x;
    std::memcpy(&x, &b, sizeof(x));
    if (!std::isnan(x)) in.push_back(x);
  }
  for (int i = -200000; i <= 200000; ++i) in.push_back(static_cast<float>(i) * 1e-4f);
  for (const float x : {-87.3f, -87.3f, 88.7f, 9.0f, -9.0f, 0.0f, -0.0f}) {
    in.push_back(x);
    in.push_back(std::nextafter(x, 1e9f));
    in.push_back(std::nextafter(x, -1e9f));
  }
  return in;
}

// The function's values in long double, computed once: it is slow.
std::vector<long double> Exact(const std::vector<float>& in, long double (*function)(long double)) {
  std::vector<long double> out;
  for (const float x : in) out.push_back(function(x));
  return out;
}

TEST(Math, TanhIsCloseOnEveryTarget) {
  const std::vector<float> in = Sweep();
  const std::vector<long double> exact = Exact(in, [](long double x) { return std::tanh(x); });
  ForEachTarget([&] {
    const std::vector<float> out = Values(kTanh, in);
    long double worst = 0, worst_relative = 0;
    for (size_t i = 0; i < in.size(); ++i) {
      worst = std::max(worst, std::fabs(out[i] - exact[i]));
      if (std::fabs(in[i]) >= std::numeric_limits<float>::min()) {
        worst_relative = std::max(worst_relative, std::fabs(out[i] / exact[i] - 1));
      }
      ASSERT_LE(std::fabs(out[i]), 1.0f) << in[i];
      ASSERT_EQ(std::signbit(out[i]), std::signbit(in[i])) << in[i];
    }
    EXPECT_LE(worst, 4e-7L);  // as runtime/math-inl.h states
    EXPECT_LE(worst_relative, 4e-7L);
  });
}

TEST(Math, SigmoidIsCloseOnEveryTarget) {
  const std::vector<float> in = Sweep();
  const std::vector<long double> exact =
      Exact(in, [](long double x) { return 1 / (1 + std::exp(-x)); });
  ForEachTarget([&] {
    const std::vector<float> out = Values(kSigmoid, in);
    long double worst = 0;
    for (size_t i = 0; i < in.size(); ++i) {
      worst = std::max(worst, std::fabs(out[i] - exact[i]));
      ASSERT_TRUE(out[i] >= 0 && out[i] <= 1) << in[i];
    }
    EXPECT_LE(worst, 2e-7L);
  });
}

TEST(Math, ExpIsCloseOnEveryTarget) {
  const std::vector<float> in = Sweep();
  const std::vector<long double> exact = Exact(in, [](long double x) { return std::exp(x); });
  ForEachTarget([&] {
    const std::vector<float> out = Values(kExp, in);
    const float largest = Values(kExp, {88.7f})[0];
    long double worst = 0;
    for (size_t i = 0; i < in.size(); ++i) {
      if (in[i] < -87.3f) {
        ASSERT_EQ(FloatBits(out[i]), 0u) << in[i];
      } else if (in[i] > 88.7f) {
        ASSERT_EQ(out[i], largest) << in[i];
      } else {
        worst = std::max(worst, std::fabs(out[i] / exact[i] - 1));
      }
    }
    EXPECT_LE(worst, 1e-7L);
  });
}

TEST(Math, SpecialValues) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  ForEachTarget([&] {
    for (const int function : {kTanh, kSigmoid, kExp}) {
      const std::vector<float> out = Values(function, {nan, -nan, infinity, -infinity, 0.0f});
      EXPECT_TRUE(std::isnan(out[0]) && std::isnan(out[1])) << function;
      EXPECT_TRUE(std::isfinite(out[2]) && std::isfinite(out[3])) << function;
      EXPECT_EQ(out[4], function == kTanh ? 0.0f : function == kSigmoid ? 0.5f : 1.0f);
    }
    EXPECT_EQ(Values(kSigmoid, {-infinity})[0], 0.5f + 0.5f * Values(kTanh, {-infinity})[0]);
    EXPECT_EQ(FloatBits(Values(kExp, {-infinity})[0]), 0u);
  });
}

TEST(Math, SameBitsOnEveryTarget) {
  const std::vector<float> in = Sweep();
  for (const int function : {kTanh, kSigmoid, kExp}) {
    std::vector<float> first;
    ForEachTarget([&] {
      const std::vector<float> out = Values(function, in);
      if (first.empty()) first = out;
      ASSERT_EQ(std::memcmp(first.data(), out.data(), out.size() * sizeof(float)), 0) << function;
    });
  }
}

}  // namespace
}  // namespace stint
#endif
