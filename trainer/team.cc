// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

#include "trainer/team.h"

#include <hwy/cache_control.h>
#include <omp.h>

namespace stint {
namespace {

// Looks at an atomic before sleeping on it; a pause takes some 20 to 60 ns.
constexpr int kSpins = 1000;

// Waits until `value` is no longer `old`, and returns what it is then.
uint32_t WaitForChange(const std::atomic<uint32_t>& value, uint32_t old) {
  for (int i = 0; i < kSpins; ++i) {
    const uint32_t now = value.load(std::memory_order_acquire);
    if (now != old) return now;
    hwy::Pause();
  }
  value.wait(old, std::memory_order_acquire);
  return value.load(std::memory_order_acquire);
}

}  // namespace

size_t Team::thread() const {
  return threads_ == 1 ? 0 : static_cast<size_t>(omp_get_thread_num());
}

bool Team::IsCaller() { return omp_get_thread_num() == 0; }

void Team::Claim(uint32_t generation) {
  uint64_t ticket = ticket_.load(std::memory_order_acquire);
  for (;;) {
    const auto left = static_cast<uint32_t>(ticket);
    if (ticket >> 32 != generation || left == 0) return;
    // While a task is left, these three are its job's: RunJob() does not touch them. If another
    // thread takes the last one meanwhile, they may be the next job's, but then the claim fails.
    const uint32_t tasks = tasks_.load(std::memory_order_relaxed);
    const Call call = call_.load(std::memory_order_relaxed);
    const void* f = f_.load(std::memory_order_relaxed);
    if (!ticket_.compare_exchange_weak(ticket, ticket - 1, std::memory_order_acq_rel)) continue;
    call(f, tasks - left);
    if (finished_.fetch_add(1, std::memory_order_acq_rel) + 1 == tasks) finished_.notify_one();
    ticket = ticket_.load(std::memory_order_acquire);
  }
}

void Team::RunJob(size_t tasks, Call call, const void* f) {
  const auto n = static_cast<uint32_t>(tasks);
  const uint32_t generation = generation_.load(std::memory_order_relaxed) + 1;
  call_.store(call, std::memory_order_relaxed);
  f_.store(f, std::memory_order_relaxed);
  tasks_.store(n, std::memory_order_relaxed);
  finished_.store(0, std::memory_order_relaxed);
  ticket_.store(uint64_t{generation} << 32 | n, std::memory_order_release);
  generation_.store(generation, std::memory_order_release);
  generation_.notify_all();
  Claim(generation);
  for (uint32_t done; (done = finished_.load(std::memory_order_acquire)) != n;) {
    WaitForChange(finished_, done);
  }
}

void Team::Work() {
  uint32_t seen = generation_.load(std::memory_order_acquire);
  while (!closing_.load(std::memory_order_acquire)) {
    Claim(seen);
    seen = WaitForChange(generation_, seen);
  }
}

void Team::Close() {
  closing_.store(true, std::memory_order_release);
  generation_.fetch_add(1, std::memory_order_release);
  generation_.notify_all();
}

}  // namespace stint
