// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Many short parallel loops -> one team of OpenMP threads that stays together.
//
// A mini-batch is about ten loops of some ten microseconds. As OpenMP loops of their own they
// wait for every thread at every end, by spinning for milliseconds: with another program on
// one of two cores, training fell from 721 to 112 mini-batches/s. Here the caller takes part,
// tasks are claimed one by one, and a thread that is not running is not waited for unless it
// holds a task; waiting threads spin for some ten microseconds and then sleep.
#ifndef STINT_TRAINER_TEAM_H_
#define STINT_TRAINER_TEAM_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <type_traits>

namespace stint {

class Team {
 public:
  // `threads` >= 1 takes part in all, the caller of Run() among them.
  explicit Team(int threads) : threads_(threads) {}
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  int threads() const { return threads_; }
  // Inside of a task: which of the threads runs it, from 0 on. For scratch memory alone: results
  // must not depend on it.
  size_t thread() const;

  // Calls `body()` on this thread while the other threads of an OpenMP team stand by for Run().
  // An exception of `body` comes out here.
  template <class F>
  void Open(const F& body) {
    if (threads_ == 1 || open_) return body();
    std::exception_ptr error;
    open_ = true;
#pragma omp parallel num_threads(threads_)
    {
      if (IsCaller()) {
        try {
          body();
        } catch (...) {
          error = std::current_exception();
        }
        Close();
      } else {
        Work();
      }
    }
    open_ = false;
    closing_.store(false, std::memory_order_relaxed);
    if (error) std::rethrow_exception(error);
  }

  // Runs task(0) to task(tasks - 1) in any order on any of the threads and returns when all are
  // done. Tasks must not throw. Opens the team for itself if it is not open.
  template <class F>
  void Run(size_t tasks, const F& task) {
    if (threads_ == 1 || tasks <= 1) {
      for (size_t t = 0; t < tasks; ++t) task(t);
    } else if (!open_) {
      Open([&] { Run(tasks, task); });
    } else {
      RunJob(
          tasks, [](const void* f, size_t t) { (*static_cast<const F*>(f))(t); }, &task);
    }
  }

 private:
  using Call = void (*)(const void* f, size_t task);

  static bool IsCaller();
  void RunJob(size_t tasks, Call call, const void* f);
  void Work();
  void Close();
  // Claims and runs tasks of job `generation` until none is left.
  void Claim(uint32_t generation);

  const int threads_;
  bool open_ = false;
  // The job; changes only when no task of the one before is unfinished.
  std::atomic<Call> call_{nullptr};
  std::atomic<const void*> f_{nullptr};
  std::atomic<uint32_t> tasks_{0};
  // Generation of the job << 32 | tasks not claimed yet. (The next task instead of those left would
  // not do: a thread could hold the old ticket against the next job's larger number of tasks.)
  alignas(64) std::atomic<uint64_t> ticket_{0};
  alignas(64) std::atomic<uint32_t> generation_{0};  // what sleeping threads wait on
  alignas(64) std::atomic<uint32_t> finished_{0};
  std::atomic<bool> closing_{false};
};

}  // namespace stint

#endif  // STINT_TRAINER_TEAM_H_
