// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The files of device_models -> their hash on every SIMD target of this CPU, or on the best one
// alone, compared with the one that all CPUs must give. Exit status 1 if one differs. Run on many
// CPUs by ./dev cpus.
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <vector>

#include "runtime/target_names.h"
#include "tests/device/device_bits.h"

namespace {

// A file's bytes from a multiple of 64 on, as a model wants them. The runtime's own reader needs a
// system that maps files; wasm has none.
struct File {
  std::vector<uint8_t> room;
  uint8_t* data = nullptr;
  size_t size = 0;
};
bool ReadFile(const char* path, File* file) {
  std::FILE* const stream = std::fopen(path, "rb");
  if (!stream) return false;
  std::fseek(stream, 0, SEEK_END);
  file->size = static_cast<size_t>(std::ftell(stream));
  std::rewind(stream);
  file->room.resize(file->size + 63);
  file->data = file->room.data() + (64 - reinterpret_cast<uintptr_t>(file->room.data()) % 64) % 64;
  const bool whole = std::fread(file->data, 1, file->size, stream) == file->size;
  std::fclose(stream);
  return whole;
}

// 0 if a file cannot be opened or a call fails: told on stderr.
uint64_t BitsOfFile(const char* path) {
  File file;
  if (!ReadFile(path, &file)) {
    std::fprintf(stderr, "device_bits: %s: cannot be read\n", path);
    return 0;
  }
  stint_model* model = nullptr;
  stint_error error = {};
  if (stint_model_from_buffer(file.data, file.size, &model, &error) != STINT_OK) {
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
