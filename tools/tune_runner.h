// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// A plan of trials -> child processes that train them -> results in the study.
#ifndef STINT_TOOLS_TUNE_RUNNER_H_
#define STINT_TOOLS_TUNE_RUNNER_H_

#include <cstddef>
#include <string>
#include <vector>

#include "tools/tune_arguments.h"
#include "tools/tune_process.h"
#include "tools/tune_search.h"
#include "tools/tune_study.h"

namespace stint {

class TuneRunner {
 public:
  // All must outlive the runner. Catches SIGINT and SIGTERM from here on.
  TuneRunner(const TuneArguments& arguments, const Space& space, const SearchPlan& plan,
             Study* study);

  // Runs what the study lacks. False if interrupted; the children are gone then. Throws
  // std::runtime_error if a trial meets bad data or a disk that cannot be written, which the next
  // ones would meet too.
  bool Run();
  // Trains a trial on all sessions and writes the model. False if interrupted.
  bool TrainBest(const TrialResult& best);

 private:
  bool RunRung(size_t rung);
  void Start(size_t trial, size_t epochs);
  void Finish(const ChildResult& child, size_t epochs);
  std::vector<std::string> TrainWords(const GivenOptions& given, size_t epochs,
                                      const std::string& out, size_t threads,
                                      const std::vector<std::string>& more) const;
  std::string File(size_t trial, const char* ending) const;
  void Remove(size_t trial) const;
  void RemoveCheckpoints(size_t rung) const;
  void Show(const TrialResult& result);

  const TuneArguments& arguments_;
  const Space& space_;
  const SearchPlan& plan_;
  Study* study_;
  Children children_;
  size_t threads_ = 1;  // of one worker
};

}  // namespace stint

#endif  // STINT_TOOLS_TUNE_RUNNER_H_
