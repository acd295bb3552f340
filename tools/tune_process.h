// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Command lines of stint -> child processes of the same executable, several at a time.
#ifndef STINT_TOOLS_TUNE_PROCESS_H_
#define STINT_TOOLS_TUNE_PROCESS_H_

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace stint {

// A child is given the number of its parent's process in this environment variable; it then ends
// with the parent, however that ends. For main(): does so if the variable is set.
inline constexpr char kParentVariable[] = "STINT_PARENT";
void EndWithParent();

struct ChildResult {
  size_t tag = 0;      // as given to Start()
  int status = -1;     // exit status; -1 if a signal ended it
  int signal = 0;      // that signal
  bool late = false;   // ended by us for taking too long
  double seconds = 0;  // how long it ran
};

class Children {
 public:
  ~Children() { Kill(); }
  size_t size() const { return running_.size(); }
  // Starts `stint arguments...` without a shell; standard output and error go to these files, or
  // are ours if empty. `timeout` in seconds, 0 is none. Throws std::runtime_error.
  void Start(size_t tag, const std::vector<std::string>& arguments, const std::string& out,
             const std::string& error, double timeout);
  // Waits until one ends; also returns, with false, when `stop` (set by a signal) becomes nonzero.
  bool Wait(const volatile int* stop, ChildResult* result);
  // Ends all at once.
  void Kill();

 private:
  using Clock = std::chrono::steady_clock;
  struct Child {
    size_t tag;
    pid_t pid;
    Clock::time_point start;
    double timeout;
    bool late;
  };
  std::vector<Child> running_;
};

}  // namespace stint

#endif  // STINT_TOOLS_TUNE_PROCESS_H_
