// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The files of device_models -> their hash on every SIMD target of this CPU, or on the best one
// alone, compared with the one that all CPUs must give. Exit status 1 if one differs. Run on many
// CPUs by ./dev cpus.
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <vector>

#include "runtime/target_names.h"
#include "tests/device/device_bits.h"

namespace {

// 0 if a file cannot be opened or a call fails: told on stderr.
uint64_t BitsOfFile(const char* path) {
  stint_model* model = nullptr;
  stint_error error = {};
  if (stint_model_from_file(path, &model, &error) != STINT_OK) {
    std::fprintf(stderr, "device_bits: %s: %s\n", path, error.message);
    return 0;
  }
  const char* failed = nullptr;
  const uint64_t bits = stint::DeviceBits(model, &failed);
  if (failed) std::fprintf(stderr, "device_bits: %s: %s fails\n", path, failed);
  stint_model_destroy(model);
  return bits;
}

}  // namespace

int main(int argc, char** argv) {
  const bool best = argc > 1 && std::strcmp(argv[1], "--best") == 0;
  const int first = best ? 2 : 1;
  if (argc <= first) {
    std::fprintf(stderr,
                 "usage: device_bits [--best] MODEL...   (those of device_models, sorted)\n");
    return 2;
  }
  int targets = 0, wrong = 0;
  for (const char* target : stint::kTargetNames) {
    if (stint_set_target(best ? nullptr : target) != STINT_OK) continue;
    ++targets;
    std::vector<uint64_t> bits;
    for (int i = first; i < argc; ++i) bits.push_back(BitsOfFile(argv[i]));
    const uint64_t all = stint::HashOf(bits.data(), bits.size());
    const bool same = all == stint::kDeviceBits;
    std::printf("%-18s%016" PRIx64 "%s\n", stint_target(), all, same ? "" : "  DIFFERS");
    for (size_t i = 0; i < bits.size() && !same; ++i) {
      std::printf("  %016" PRIx64 "  %s\n", bits[i], argv[first + static_cast<int>(i)]);
    }
    wrong += same ? 0 : 1;
    if (best) break;
  }
  if (targets == 0) std::fprintf(stderr, "device_bits: no target of a known name\n");
  return targets == 0 || wrong != 0;
}
