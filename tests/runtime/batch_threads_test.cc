// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// A batch whose tasks run in threads of the caller: each session gets the answers it gets alone.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

#include "tests/runtime/twins.h"

namespace stint {
namespace {

void WithThreads(size_t tasks, const std::function<void(size_t)>& task) {
  std::atomic<size_t> next{0};
  std::vector<std::thread> threads;
  for (size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (size_t i; (i = next++) < tasks;) task(i);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(BatchThreads, SameAnswersAsAlone) {
  const Parameters parameters = RandomParameters(2500, {24}, GruForm::kResetAfter, 6);
  const AlignedBytes bytes = BuildTestModel(parameters, NumberCatalog(2500), DType::kInt8);
  for (const size_t sessions : {1, 4, 5, 30, 63, 64, 100, 150}) {
    Twins twins(bytes, sessions, 20);
    for (uint64_t round = 0; round < 3; ++round) {
      twins.Click(round);
      twins.Compare(20, 2, round * 1000, WithThreads);
      if (HasFatalFailure()) return;
    }
  }
}

}  // namespace
}  // namespace stint
