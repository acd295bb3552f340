// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Observing and recommending allocate nothing, take no lock and call no system: every function of
// libc that does is counted. (quiet_test.cc: calls that go around libc.) Opening allocates one
// object and no more, whatever the size of the file.
#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <mutex>
#include <new>
#include <shared_mutex>
#include <string>

#include "tests/runtime/counted_calls.h"
#include "tests/runtime/hot_path.h"

namespace stint {
namespace {

// Calls counted while work() ran.
template <class Work>
CallCounts During(const Work& work) {
  const CallCounts before = CountedCalls();
  work();
  const CallCounts after = CountedCalls();
  return {after.allocations - before.allocations, after.bytes - before.bytes,
          after.locks - before.locks, after.system_calls - before.system_calls};
}

TEST(NoAlloc, TheCountersCount) {
  // volatile: a pair of calls may be left out.
  void* volatile block = nullptr;
  EXPECT_EQ(During([&] { block = std::malloc(10); }).bytes, 10u);
  EXPECT_EQ(During([&] { block = std::realloc(block, 20); }).bytes, 20u);
  std::free(block);
  EXPECT_EQ(During([&] { block = std::calloc(5, 8); }).bytes, 40u);
  std::free(block);
  EXPECT_EQ(During([&] { block = std::aligned_alloc(64, 128); }).bytes, 128u);
  std::free(block);
  EXPECT_EQ(During([&] { block = ::operator new(4); }).bytes, 4u);
  ::operator delete(block);
  EXPECT_EQ(During([&] { block = ::operator new(4, std::nothrow); }).allocations, 1u);
  ::operator delete(block);
  EXPECT_EQ(During([&] { block = ::operator new(64, std::align_val_t(64)); }).allocations, 1u);
  ::operator delete(block, std::align_val_t(64));
  std::mutex mutex;
  EXPECT_EQ(During([&] { mutex.lock(), mutex.unlock(); }).locks, 1u);
  std::shared_mutex shared;
  EXPECT_EQ(During([&] { shared.lock_shared(), shared.unlock_shared(); }).locks, 1u);
  EXPECT_EQ(During([&] { shared.lock(), shared.unlock(); }).locks, 1u);
  EXPECT_EQ(During([] { syscall(SYS_getpid); }).system_calls, 1u);
  EXPECT_EQ(During([] { sbrk(0); }).system_calls, 1u);
  EXPECT_EQ(During([] {
              static const std::string made_once(std::getenv("PATH") ? "a" : "b");
              EXPECT_FALSE(made_once.empty());
            }).locks,
            1u);
}

// Also that the counts reach into the runtime.
TEST(NoAlloc, OpeningMakesOneObject) {
  for (const size_t items : {70, 200000}) {
    const Parameters parameters = RandomParameters(items, {9}, GruForm::kResetAfter, 4);
    const AlignedBytes bytes = BuildTestModel(parameters, NumberCatalog(items), DType::kInt8);
    for (const uint32_t flags : {0u, STINT_OPEN_TRUSTED}) {
      stint_model* model = nullptr;
      const CallCounts open = During([&] {
        EXPECT_EQ(stint_model_open_buffer(bytes.data(), bytes.size(), flags, &model, nullptr),
                  STINT_OK);
      });
      EXPECT_EQ(open.allocations, 1u);
      EXPECT_LT(open.bytes, 16384u);
      EXPECT_EQ(open.system_calls, 0u);
      stint_session* session = nullptr;
      const CallCounts create =
          During([&] { EXPECT_EQ(stint_session_create(model, 5, &session), STINT_OK); });
      EXPECT_EQ(create.allocations, 1u);
      EXPECT_EQ(create.bytes, stint_session_size(model, 5));
      stint_session_destroy(session);
      stint_model_destroy(model);
    }
  }
}

void ExpectQuiet(const AlignedBytes& file) {
  const ModelPointer model = OpenModel(file);
  HotPath path(model.get());
  AlignedBytes memory(stint_session_size(model.get(), 7));
  ForEachTarget([&] {
    uint64_t hash = 0;
    stint_status status = STINT_OK;
    const CallCounts counts = During([&] {
      stint_session* session;
      status = stint_session_init(model.get(), 7, memory.data(), memory.size(), &session);
      hash = path.Run(120, 7);
    });
    EXPECT_EQ(status, STINT_OK);
    EXPECT_GT(hash, HotPath::kFailed);
    EXPECT_EQ(counts.allocations, 0u);
    EXPECT_EQ(counts.locks, 0u);
    EXPECT_EQ(counts.system_calls, 0u);
  });
}

TEST(NoAlloc, FirstVersion) {
  for (const bool names : {false, true}) {
    for (const DType dtype : {DType::kInt8, DType::kF32}) {
      for (const GruForm form : {GruForm::kResetAfter, GruForm::kResetBefore}) {
        const Parameters parameters = RandomParameters(3000, {20, 33}, form, 4);
        ExpectQuiet(
            BuildTestModel(parameters, names ? NameCatalog(3000) : NumberCatalog(3000), dtype));
      }
    }
  }
}

TEST(NoAlloc, OtherKinds) {
  for (const ModelKind& kind : ModelKinds()) {
    SCOPED_TRACE(kind.name);
    const Parameters parameters = RandomParameters(kind, 500, {20, 33}, 4);
    ExpectQuiet(BuildTestModel(kind, parameters, NumberCatalog(500)));
  }
}

// The parallel_for of a caller without threads.
void InTurn(void*, size_t tasks, void (*task)(void*, size_t), void* task_context) {
  for (size_t i = 0; i < tasks; ++i) task(task_context, i);
}

TEST(NoAlloc, NorDoBatches) {
  for (const DType dtype : {DType::kInt8, DType::kF32}) {
    const Parameters parameters = RandomParameters(3000, {20}, GruForm::kResetAfter, 4);
    const AlignedBytes bytes = BuildTestModel(parameters, NumberCatalog(3000), dtype);
    const ModelPointer model = OpenModel(bytes);
    std::vector<SessionPointer> owners;
    std::vector<stint_session*> sessions;
    for (size_t i = 0; i < 13; ++i) {
      owners.push_back(NewSession(model.get(), 100));
      sessions.push_back(owners.back().get());
    }
    std::vector<stint_recommendation> top(13 * 100);
    std::vector<size_t> counts(13);
    const std::vector<uint32_t> few = {5, 2999, 5, 700};
    const std::vector<uint64_t> bits((3000 + 63) / 64, 0x8000000000000123);
    ForEachTarget([&] {
      uint64_t failures = 0;
      const CallCounts calls = During([&] {
        for (uint32_t step = 0; step < 20; ++step) {
          stint_recommend_options options[13] = {};
          for (uint32_t i = 0; i < 13; ++i) {
            if (i > 0) failures += stint_observe(sessions[i], (step * 71 + i * 31) % 3000);
            options[i].exclude_seen = i % 2;
            options[i].allow = i % 5 == 2 ? few.data() : nullptr;
            options[i].allow_count = i % 5 == 2 ? few.size() : 0;
            options[i].allow_bits = i % 4 == 3 ? bits.data() : nullptr;
          }
          failures += stint_recommend_batch(sessions.data(), 13, 1 + step * 5, options, 13,
                                            step % 2 ? InTurn : nullptr, nullptr, top.data(),
                                            counts.data());
        }
      });
      EXPECT_EQ(calls.Sum(), 0u);
      EXPECT_EQ(failures, 0u);
    });
  }
}

}  // namespace
}  // namespace stint
