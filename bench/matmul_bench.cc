// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The three products around the scores, as a training step calls them (64 gathered item rows at a
// time, one thread): float32 and, where the CPU has it, bfloat16 in the same run.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "trainer/aligned_floats.h"
#include "trainer/matmul.h"
#include "trainer/matmul_bf16.h"

namespace stint::bench {
namespace {

constexpr size_t kItems = 43097;
constexpr size_t kBlock = 64;  // Network's columns in a task

enum class Product { kScores, kHiddenGradient, kRowGradients };

struct Kernels {
  decltype(&RowsTimesMatrix) rows;
  decltype(&AddTransposedRowsTimesMatrix) transposed;
};

AlignedFloats RandomFloats(size_t size, std::mt19937_64& random) {
  AlignedFloats floats(size);
  std::uniform_real_distribution<float> uniform(-1, 1);
  for (size_t i = 0; i < size; ++i) floats.data()[i] = uniform(random);
  return floats;
}

void Multiply(benchmark::State& state, Product product, Kernels kernels, size_t units,
              size_t batch) {
  std::mt19937_64 random(1);
  const size_t columns = (2048 + batch) / kBlock * kBlock;
  const size_t batch_stride = RoundUp(batch, kRowAlignment);
  const size_t stride = RoundUp(units + 1, kRowAlignment);
  AlignedFloats items = RandomFloats(kItems * stride, random);              // [items, stride]
  AlignedFloats hidden = RandomFloats(stride * batch_stride, random);       // [units, batch]
  AlignedFloats hidden_rows = RandomFloats(batch_stride * stride, random);  // [batch, units]
  AlignedFloats scores = RandomFloats(columns * batch_stride, random);      // [columns, batch]
  AlignedFloats d_hidden(stride * batch_stride);                            // [units, batch]
  AlignedFloats d_rows(kBlock * stride);                                    // [block, units]
  std::vector<uint32_t> index(columns);
  for (auto _ : state) {
    // Other items each time: their rows come from memory, as in training.
    for (uint32_t& item : index) item = static_cast<uint32_t>(random() % kItems);
    const Rows rows = {.data = items.data(), .stride = stride, .index = index.data()};
    for (size_t c = 0; c < columns; c += kBlock) {
      switch (product) {
        case Product::kScores:
          kernels.rows(rows, c, c + kBlock, units, hidden.data(), batch_stride, batch_stride,
                       scores.data(), batch_stride, nullptr);
          break;
        case Product::kHiddenGradient:
          kernels.transposed(rows, c, c + kBlock, 0, units, scores.data(), batch_stride,
                             batch_stride, d_hidden.data(), batch_stride, /*fresh=*/c == 0,
                             nullptr);
          break;
        case Product::kRowGradients:
          kernels.rows({.data = scores.data() + c * batch_stride, .stride = batch_stride}, 0,
                       kBlock, batch, hidden_rows.data(), stride, stride, d_rows.data(), stride,
                       nullptr);
          break;
      }
    }
    benchmark::ClobberMemory();
  }
  const double flops = 2.0 * static_cast<double>(columns * batch * units);
  state.counters["GFLOP/s"] = benchmark::Counter(
      flops * 1e-9 * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

void Register() {
  struct Shape {
    size_t units, batch;
  };
  for (const Shape shape : {Shape{100, 32}, {224, 80}, {480, 48}, {512, 192}}) {
    const auto add = [&](const char* name, Product product) {
      const std::string shape_name =
          "/units:" + std::to_string(shape.units) + "/batch:" + std::to_string(shape.batch);
      const auto with = [&](const char* type, Kernels kernels) {
        benchmark::RegisterBenchmark((name + shape_name + type).c_str(), Multiply, product, kernels,
                                     shape.units, shape.batch)
            ->Unit(benchmark::kMicrosecond);
      };
      with("/f32", {RowsTimesMatrix, AddTransposedRowsTimesMatrix});
      if (HasBf16Products()) {
        with("/bf16", {RowsTimesMatrixBf16, AddTransposedRowsTimesMatrixBf16});
      }
    };
    add("scores", Product::kScores);
    add("hidden_gradient", Product::kHiddenGradient);
    add("row_gradients", Product::kRowGradients);
  }
}

}  // namespace
}  // namespace stint::bench

int main(int argc, char** argv) {
  benchmark::AddCustomContext("bfloat16", stint::HasBf16Products() ? "yes" : "not on this CPU");
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  stint::bench::Register();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
