// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Results of trials <-> a folder that a study can be gone on with from.
#ifndef STINT_TOOLS_TUNE_STUDY_H_
#define STINT_TOOLS_TUNE_STUDY_H_

#include <cstddef>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "tools/official_names.h"

namespace stint {

// One training run of a trial.
struct TrialResult {
  size_t trial = 0;
  size_t epochs = 0;  // asked for
  enum class State { kDone, kFailed, kRefused } state = State::kFailed;
  std::vector<Assignment> point;  // in the words of the space
  std::string error;              // unless kDone
  size_t best_epoch = 0;          // by the metric of the study
  double recall = 0;              // recall@20 and MRR@20 of that epoch
  double mrr = 0;
  double seconds = 0;
  nlohmann::ordered_json epoch_results =
      nlohmann::ordered_json::array();  // epoch, loss, recall@20, mrr@20
};

const char* Name(TrialResult::State state);  // done, failed, refused
nlohmann::ordered_json ToJson(const TrialResult& result);

// The folder: study.json says what is studied, trials.jsonl has a line for each finished run.
class Study {
 public:
  // Makes or opens the folder and locks it. Throws std::runtime_error if it holds a study and not
  // `resume`, one of another description (its keys are named), or another process is at it.
  Study(const std::string& folder, const nlohmann::ordered_json& description, bool resume);
  ~Study();
  Study(const Study&) = delete;
  Study& operator=(const Study&) = delete;

  // nullptr if that run has not been done.
  const TrialResult* Find(size_t trial, size_t epochs) const;
  // On the disk when it returns. Throws std::runtime_error.
  void Add(const TrialResult& result);
  const std::string& folder() const { return folder_; }
  size_t size() const { return results_.size(); }

 private:
  void Describe(const nlohmann::ordered_json& description, bool resume);
  void Load();

  std::string folder_;
  std::string path_;  // of trials.jsonl
  int file_ = -1;
  std::map<std::pair<size_t, size_t>, TrialResult> results_;  // by trial and epochs
};

// A number that tells files of other content apart. Throws std::runtime_error.
std::string FileFingerprint(const std::string& path);

}  // namespace stint

#endif  // STINT_TOOLS_TUNE_STUDY_H_
