// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// All that the runtime computes with one model of each kind: the same bits on every SIMD target of
// this machine, and the bits written down in device_bits.h, which ./dev cpus compares on other
// CPUs.
#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "tests/device/device_bits.h"
#include "tests/device/device_models.h"
#include "tests/runtime/test_model.h"

namespace stint {
namespace {

TEST(Targets, SameBits) {
  const std::vector<DeviceModel> models = DeviceModels();
  std::vector<uint64_t> first;  // of the best target
  ForEachTarget([&] {
    std::vector<uint64_t> bits;
    for (const DeviceModel& model : models) {
      SCOPED_TRACE(model.name);
      const char* failed = nullptr;
      bits.push_back(DeviceBits(OpenModel(model.bytes).get(), &failed));
      EXPECT_EQ(failed, nullptr) << failed;
      if (first.empty()) continue;
      EXPECT_EQ(bits.back(), first[bits.size() - 1]) << "unlike the best target";
    }
    if (first.empty()) first = bits;
    EXPECT_EQ(HashOf(bits.data(), bits.size()), kDeviceBits)
        << std::hex << HashOf(bits.data(), bits.size());
  });
}

}  // namespace
}  // namespace stint
