// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Writes the models of device_models.h into a folder, as 01-NAME.stint and so on: device_bits reads
// them, on this machine or another.
#include <cstdio>
#include <exception>
#include <fstream>
#include <stdexcept>
#include <string>

#include "tests/device/device_models.h"

int main(int argc, char** argv) try {
  if (argc != 2) {
    std::fprintf(stderr, "usage: device_models FOLDER\n");
    return 2;
  }
  int number = 0;
  for (const stint::DeviceModel& model : stint::DeviceModels()) {
    char prefix[16];
    std::snprintf(prefix, sizeof(prefix), "/%02d-", ++number);
    const std::string path = argv[1] + (prefix + model.name) + ".stint";
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char*>(model.bytes.data()),
               static_cast<std::streamsize>(model.bytes.size()));
    if (!file.flush()) throw std::runtime_error(path + ": cannot be written");
  }
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "device_models: %s\n", error.what());
  return 1;
}
