// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Observing and recommending allocate nothing: every way to the heap is counted. The linker's
// --wrap (tests/CMakeLists.txt) sends the runtime's own calls of malloc and its kin here.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "tests/runtime/test_model.h"

namespace {
std::atomic<uint64_t> allocations{0};
}  // namespace

extern "C" {
void* __real_malloc(size_t size);
void* __real_calloc(size_t count, size_t size);
void* __real_realloc(void* block, size_t size);
void* __real_aligned_alloc(size_t alignment, size_t size);
int __real_posix_memalign(void** block, size_t alignment, size_t size);

void* __wrap_malloc(size_t size) {
  ++allocations;
  return __real_malloc(size);
}
void* __wrap_calloc(size_t count, size_t size) {
  ++allocations;
  return __real_calloc(count, size);
}
void* __wrap_realloc(void* block, size_t size) {
  ++allocations;
  return __real_realloc(block, size);
}
void* __wrap_aligned_alloc(size_t alignment, size_t size) {
  ++allocations;
  return __real_aligned_alloc(alignment, size);
}
int __wrap_posix_memalign(void** block, size_t alignment, size_t size) {
  ++allocations;
  return __real_posix_memalign(block, alignment, size);
}
}

// Every form that the runtime or the tests use: sanitizers have their own of those that are not
// here, and watch that pairs match. (Out of line: g++ 12 takes an inlined free() for a mismatch.)
void* operator new(size_t size, const std::nothrow_t&) noexcept {
  ++allocations;
  return __real_malloc(size ? size : 1);
}
void* operator new(size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  ++allocations;
  void* block = nullptr;
  return __real_posix_memalign(&block, static_cast<size_t>(alignment), size) == 0 ? block : nullptr;
}
void* operator new(size_t size) {
  void* block = operator new(size, std::nothrow);
  if (!block) throw std::bad_alloc();
  return block;
}
void* operator new(size_t size, std::align_val_t alignment) {
  void* block = operator new(size, alignment, std::nothrow);
  if (!block) throw std::bad_alloc();
  return block;
}
[[gnu::noinline]] void operator delete(void* block) noexcept { std::free(block); }
[[gnu::noinline]] void operator delete(void* block, size_t) noexcept { std::free(block); }
[[gnu::noinline]] void operator delete(void* block, std::align_val_t) noexcept { std::free(block); }
[[gnu::noinline]] void operator delete(void* block, size_t, std::align_val_t) noexcept {
  std::free(block);
}

namespace stint {
namespace {

TEST(NoAlloc, TheCounterCounts) {
  uint64_t before = allocations;
  void* volatile object = ::operator new(4);  // volatile: a pair of calls may be left out
  ::operator delete(object);
  EXPECT_GT(allocations, before);
  before = allocations;
  void* volatile block = std::malloc(10);
  std::free(block);
  EXPECT_GT(allocations, before);
  const Parameters parameters = RandomParameters(70, {9}, GruForm::kResetAfter, 4);
  const AlignedBytes bytes = BuildTestModel(parameters, NumberCatalog(70), DType::kInt8);
  before = allocations;
  const ModelPointer model = OpenModel(bytes);
  EXPECT_GT(allocations, before) << "opening allocates: the count reaches into the runtime";
  before = allocations;
  const SessionPointer session = NewSession(model.get(), 5);
  EXPECT_GT(allocations, before);
}

TEST(NoAlloc, SessionsNeverAllocate) {
  for (const bool names : {false, true}) {
    for (const DType dtype : {DType::kInt8, DType::kF32}) {
      for (const GruForm form : {GruForm::kResetAfter, GruForm::kResetBefore}) {
        const Parameters parameters = RandomParameters(3000, {20, 33}, form, 4);
        const Catalog catalog = names ? NameCatalog(3000) : NumberCatalog(3000);
        const AlignedBytes bytes = BuildTestModel(parameters, catalog, dtype);
        const ModelPointer model = OpenModel(bytes);
        const size_t size = stint_session_size(model.get(), 200);
        AlignedBytes memory(size), other(size);
        std::vector<uint8_t> state(1000);
        std::vector<stint_recommendation> top(200);
        std::vector<float> scores(3000);
        const std::vector<uint32_t> deny = {1, 2, 2999};
        const std::vector<uint32_t> few = {5, 2999, 5, 700};
        std::vector<uint32_t> many;
        for (uint32_t i = 0; i < 3000; i += 2) many.push_back(i);
        const std::vector<uint64_t> bits((3000 + 63) / 64, 0x8000000000000123);
        ForEachTarget([&] {
          uint64_t failures = 0;
          const uint64_t before = allocations;
          stint_session* session;
          failures += stint_session_init(model.get(), 200, memory.data(), size, &session);
          stint_session* copy;
          failures += stint_session_init(model.get(), 200, other.data(), size, &copy);
          for (uint32_t step = 0; step < 40; ++step) {
            const uint32_t item = step * 71;
            size_t count;
            uint32_t higher, equal, units;
            const float* hidden;
            stint_recommend_options options = {};
            options.exclude_seen = step % 2;
            options.deny = deny.data();
            options.deny_count = deny.size();
            const std::vector<uint32_t>& allow = step % 4 < 2 ? few : many;
            options.allow = step % 3 == 0 ? nullptr : allow.data();
            options.allow_count = step % 3 == 0 ? 0 : allow.size();
            options.allow_bits = step % 5 < 2 ? bits.data() : nullptr;
            failures += stint_recommend(session, 1 + step * 5, &options, top.data(), &count);
            failures += stint_top_probabilities(session, top.data(), count, scores.data());
            failures += stint_item_scores(session, few.data(), few.size(), scores.data());
            failures += stint_item_probabilities(session, few.data(), few.size(), scores.data());
            if (names) {
              const std::string& name = catalog.ids.names[item];
              failures += stint_observe_name(session, name.data(), name.size());
            } else {
              failures += stint_observe_id(session, catalog.ids.numbers[item]);
            }
            failures += stint_observe(session, 5000) != STINT_UNKNOWN_ITEM;
            failures += stint_rank(session, item, &higher, &equal);
            failures += stint_scores(session, scores.data());
            failures += stint_session_hidden(session, 1, &hidden, &units);
            size_t state_size;
            failures += stint_session_export(session, state.data(), state.size(), &state_size);
            failures += stint_session_import(copy, state.data(), state_size);
            failures += stint_session_import(copy, state.data(), state_size - 1) != STINT_CORRUPT;
            failures += stint_session_copy(copy, session);
            if (step == 20) failures += stint_session_reset(session);
          }
          const uint64_t after = allocations;
          EXPECT_EQ(after, before);
          EXPECT_EQ(failures, 0u);
        });
      }
    }
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
      const uint64_t before = allocations;
      for (uint32_t step = 0; step < 20; ++step) {
        stint_recommend_options options[13] = {};
        for (uint32_t i = 0; i < 13; ++i) {
          if (i > 0) failures += stint_observe(sessions[i], (step * 71 + i * 31) % 3000);
          options[i].exclude_seen = i % 2;
          options[i].allow = i % 5 == 2 ? few.data() : nullptr;
          options[i].allow_count = i % 5 == 2 ? few.size() : 0;
          options[i].allow_bits = i % 4 == 3 ? bits.data() : nullptr;
        }
        failures +=
            stint_recommend_batch(sessions.data(), 13, 1 + step * 5, options, 13,
                                  step % 2 ? InTurn : nullptr, nullptr, top.data(), counts.data());
      }
      const uint64_t after = allocations;
      EXPECT_EQ(after, before);
      EXPECT_EQ(failures, 0u);
    });
  }
}

TEST(NoAlloc, NorDoOtherKindsOfModels) {
  for (const ModelKind& kind : ModelKinds()) {
    SCOPED_TRACE(kind.name);
    const Parameters parameters = RandomParameters(kind, 500, {20, 33}, 4);
    const AlignedBytes bytes =
        BuildTestModel(parameters, NumberCatalog(500), kind.dtype, {}, kind.hidden);
    const ModelPointer model = OpenModel(bytes);
    const size_t size = stint_session_size(model.get(), 20);
    AlignedBytes memory(size);
    std::vector<stint_recommendation> top(20);
    ForEachTarget([&] {
      uint64_t failures = 0;
      const uint64_t before = allocations;
      stint_session* session;
      failures += stint_session_init(model.get(), 20, memory.data(), size, &session);
      for (uint32_t step = 0; step < 20; ++step) {
        size_t count;
        failures += stint_observe(session, step * 23);
        failures += stint_recommend(session, 20, nullptr, top.data(), &count);
        failures += !(stint_final_activation(model.get(), top[0].score) == top[0].score);
      }
      const uint64_t after = allocations;
      EXPECT_EQ(after, before);
      EXPECT_EQ(failures, 0u);
    });
  }
}

}  // namespace
}  // namespace stint
