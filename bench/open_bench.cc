// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Model file -> microseconds until it is open: trusted, and verified beside a plain loop that maps
// and reads the same bytes. The three take turns, so that a slow moment meets them all; figures are
// lower quartiles. The page cache is warm.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "bench/random_model.h"

namespace stint::bench {
namespace {

// Items and units: files of 5, 54 and 540 MB.
constexpr int64_t kShapes[][2] = {{43097, 100}, {390000, 128}, {3900000, 128}};

[[noreturn]] void Die(const char* what) {
  std::fprintf(stderr, "open_bench: %s\n", what);
  std::exit(1);
}

// A model file that goes with the object.
class ModelFile {
 public:
  ModelFile(size_t items, size_t units)
      : path_(std::filesystem::temp_directory_path() /
              ("stint_open_bench." + std::to_string(getpid()) + ".stint")) {
    const OpenModel model = RandomModel(items, {units}, DType::kInt8, 7);
    size_ = model.bytes.size();
    std::ofstream out(path_, std::ios::binary);
    out.write(reinterpret_cast<const char*>(model.bytes.data()),
              static_cast<std::streamsize>(size_));
    if (!out.flush()) Die("the model cannot be written");
  }
  ~ModelFile() { std::filesystem::remove(path_); }
  ModelFile(const ModelFile&) = delete;
  ModelFile& operator=(const ModelFile&) = delete;
  const char* path() const { return path_.c_str(); }
  size_t size() const { return size_; }

 private:
  std::filesystem::path path_;
  size_t size_ = 0;
};

// Maps the file and sums its words, no more.
void Read(const ModelFile& file) {
  const int descriptor = open(file.path(), O_RDONLY | O_CLOEXEC);
  void* const map = mmap(nullptr, file.size(), PROT_READ, MAP_SHARED, descriptor, 0);
  close(descriptor);
  if (map == MAP_FAILED) Die("the model cannot be mapped");
  const auto* const bytes = static_cast<const uint8_t*>(map);
  uint64_t sums[8] = {};
  for (size_t i = 0; i + sizeof(sums) <= file.size(); i += sizeof(sums)) {
    for (size_t j = 0; j < 8; ++j) {
      uint64_t word;
      std::memcpy(&word, bytes + i + j * sizeof(word), sizeof(word));
      sums[j] += word;
    }
  }
  benchmark::DoNotOptimize(sums);
  munmap(map, file.size());
}

void OpenAndClose(const ModelFile& file, uint32_t flags) {
  stint_model* model = nullptr;
  stint_error error;
  if (stint_model_open_file(file.path(), flags, &model, &error) != STINT_OK) Die(error.message);
  stint_model_destroy(model);
}

template <class Call>
void Time(const Call& call, std::vector<double>* microseconds) {
  const auto begin = std::chrono::steady_clock::now();
  call();
  const auto end = std::chrono::steady_clock::now();
  microseconds->push_back(std::chrono::duration<double, std::micro>(end - begin).count());
}

double LowerQuartile(std::vector<double>* values) {
  std::sort(values->begin(), values->end());
  return (*values)[values->size() / 4];
}

void Open(benchmark::State& state) {
  const ModelFile file(static_cast<size_t>(state.range(0)), static_cast<size_t>(state.range(1)));
  std::vector<double> read, verified, trusted;
  for (auto _ : state) {
    Time([&] { Read(file); }, &read);
    Time([&] { OpenAndClose(file, 0); }, &verified);
    Time([&] { OpenAndClose(file, STINT_OPEN_TRUSTED); }, &trusted);
  }
  const double read_us = LowerQuartile(&read), verified_us = LowerQuartile(&verified);
  state.counters["MB"] = static_cast<double>(file.size()) * 1e-6;
  state.counters["read_us"] = read_us;
  state.counters["verified_us"] = verified_us;
  state.counters["verified/read"] = verified_us / read_us;
  state.counters["verified_GB/s"] = static_cast<double>(file.size()) / verified_us * 1e-3;
  state.counters["trusted_us"] = LowerQuartile(&trusted);
}

}  // namespace
}  // namespace stint::bench

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  for (const auto& shape : stint::bench::kShapes) {
    benchmark::RegisterBenchmark("open/int8", stint::bench::Open)
        ->Args({shape[0], shape[1]})
        ->ArgNames({"items", "units"})
        ->Iterations(shape[0] > 1000000 ? 20 : 100)
        ->Unit(benchmark::kMicrosecond);
  }
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
