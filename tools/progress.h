// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// How far a long run is -> a bar on a terminal, else a plain line now and then; on standard
// error.
#ifndef STINT_TOOLS_PROGRESS_H_
#define STINT_TOOLS_PROGRESS_H_

#include <chrono>
#include <cstdint>
#include <string>

#include "trainer/train.h"

namespace stint {

class ProgressLine {
 public:
  // `quiet`: shows nothing at all.
  explicit ProgressLine(bool quiet);
  ~ProgressLine() { Clear(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // Calls may come as often as they like: a terminal is drawn ten times a second, a plain
  // line printed every ten seconds.
  void Show(const TrainProgress& progress);
  void Show(const std::string& what, uint64_t done, uint64_t total, const char* unit);
  // Takes the bar away, before other lines are printed.
  void Clear();

 private:
  using Clock = std::chrono::steady_clock;
  bool Due();
  void Draw(const std::string& head, double share, const std::string& tail);

  bool quiet_;
  bool terminal_;
  bool drawn_ = false;
  Clock::time_point start_;  // of what Show(what, ...) counts
  std::string what_;
  Clock::time_point last_;
};

// "0:07", "12:34", "3:02:01".
std::string Duration(double seconds);

}  // namespace stint

#endif  // STINT_TOOLS_PROGRESS_H_
