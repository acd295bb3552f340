// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Nothing -> the models whose results must have the same bits on every CPU: one of each kind that a
// file may hold, small, the same on every machine that makes them.
#ifndef STINT_TESTS_DEVICE_DEVICE_MODELS_H_
#define STINT_TESTS_DEVICE_DEVICE_MODELS_H_

#include <string>
#include <vector>

#include "trainer/model_bytes.h"

namespace stint {

struct DeviceModel {
  std::string name;  // a file name without its ending
  AlignedBytes bytes;
};

// In a fixed order: kDeviceBits is the hash of all.
std::vector<DeviceModel> DeviceModels();

}  // namespace stint

#endif  // STINT_TESTS_DEVICE_DEVICE_MODELS_H_
