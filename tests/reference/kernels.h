// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// What tests of kernels share: every SIMD target of this CPU, aligned arrays whose ends are
// guarded, random values.
#ifndef STINT_TESTS_REFERENCE_KERNELS_H_
#define STINT_TESTS_REFERENCE_KERNELS_H_

#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace stint::reference {

// SIMD targets of this CPU, best first (a smaller bit is a better target).
inline std::vector<int64_t> CpuTargets() {
  hwy::SetSupportedTargetsForTest(0);
  std::vector<int64_t> targets;
  for (int64_t rest = hwy::SupportedTargets(); rest != 0; rest &= rest - 1) {
    targets.push_back(rest & -rest);
  }
  return targets;
}

// Calls `test(bit)` with dynamic dispatch limited to each target and the ones below it, so that
// a unit which leaves a target out runs what it would run on a CPU without it.
template <class Test>
void ForEachTarget(const Test& test) {
  const std::vector<int64_t> targets = CpuTargets();
  ASSERT_FALSE(targets.empty());
  for (const int64_t target : targets) {
    int64_t allowed = 0;
    for (const int64_t other : targets) {
      if (other >= target) allowed |= other;
    }
    hwy::SetSupportedTargetsForTest(allowed);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    {
      SCOPED_TRACE(hwy::TargetName(target));
      test(target);
    }
    if (::testing::Test::HasFatalFailure()) break;
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

// Floats at a 64-byte boundary that end exactly where they end, so that address sanitizer
// sees a read or write past them.
class Floats {
 public:
  explicit Floats(size_t n, float value = 0.0f)
      : size_(n), data_(new (std::align_val_t(64)) float[n == 0 ? 1 : n]) {
    Fill(value);
  }
  void Fill(float value) {
    for (size_t i = 0; i < size_; ++i) data_.get()[i] = value;
  }
  void Randomize(std::mt19937_64& random, float scale) {
    std::uniform_real_distribution<float> uniform(-scale, scale);
    for (size_t i = 0; i < size_; ++i) data_.get()[i] = uniform(random);
  }
  float* data() { return data_.get(); }
  const float* data() const { return data_.get(); }
  size_t size() const { return size_; }
  float& operator[](size_t i) { return data_.get()[i]; }
  float operator[](size_t i) const { return data_.get()[i]; }

 private:
  struct Free {
    void operator()(float* p) const { ::operator delete[](p, std::align_val_t(64)); }
  };
  size_t size_;
  std::unique_ptr<float[], Free> data_;
};

inline constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

}  // namespace stint::reference

#endif  // STINT_TESTS_REFERENCE_KERNELS_H_
