// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// What answers a click: stint with a kind of model, or a peer. Made for one workload, asked by one
// or more callers at the same time.
#ifndef STINT_BENCH_ENGINE_H_
#define STINT_BENCH_ENGINE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bench/catalogs.h"

namespace stint::bench {

// A user of an engine, on one thread. Clicks are those of the workload, by number.
struct Caller {
  std::function<void(size_t click)> prepare;  // not timed
  std::function<void(size_t click)> answer;   // timed: fills `items`
  // The hidden state that the last answer was for, [units]; not timed.
  std::function<void(float* hidden)> hidden;
  std::vector<uint32_t> items;  // [k] best first
};

struct Engine {
  // What an answer reads at least. Peers lay the bytes out as they like: null.
  double bytes = 0;
  const uint8_t* data = nullptr;
  // Sessions that a call answers in one pass over the bytes. `items` and `hidden` of a caller are
  // those of the session of the click.
  size_t sessions = 1;
  // A call is a part of an answer: it has no items to compare with the right ones.
  bool is_part = false;
  std::function<std::unique_ptr<Caller>(uint32_t k)> call;
  // Answers that are not the exact top-k of the engine's own (rounded) rows, of the first `clicks`;
  // empty where an engine cannot tell.
  std::function<size_t(uint32_t k, size_t clicks)> wrong_by_own_rows;
};

// What engines are made of.
struct Source {
  const Workload* work = nullptr;
  const float* hidden = nullptr;  // [clicks, units] of the float32 model, for peers
};

struct EngineKind {
  std::string name;
  std::string note;  // what a reader of its figures must know; may be empty
  std::function<Engine(const Source&)> make;
};

// The k best of scores[n], best first, ties by lower index: for peers that give scores alone. Looks
// at blocks of scores, and only into those that have one above the k-th best so far.
class Selection {
 public:
  void Best(const float* scores, size_t n, uint32_t k, std::vector<uint32_t>* items);

 private:
  std::vector<std::pair<float, uint32_t>> heap_;
};

}  // namespace stint::bench

#endif  // STINT_BENCH_ENGINE_H_
