// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The folder of --checkpoint: when to write what, which files stay, and which one --resume takes.
#ifndef STINT_TOOLS_TRAIN_CHECKPOINT_H_
#define STINT_TOOLS_TRAIN_CHECKPOINT_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tools/train_arguments.h"
#include "trainer/checkpoint.h"
#include "trainer/events.h"
#include "trainer/train.h"

namespace stint {

// checkpoint-<mini-batches so far>.stintck, of which the newest two stay, and best.stintck.
class CheckpointFolder {
 public:
  // Makes the folder if need be and locks it against other runs. Throws std::runtime_error, also
  // if there are checkpoints and the run is to start anew. `warn` prints a line.
  CheckpointFolder(const CheckpointArguments& arguments,
                   std::function<void(const std::string&)> warn);
  ~CheckpointFolder();
  CheckpointFolder(const CheckpointFolder&) = delete;
  CheckpointFolder& operator=(const CheckpointFolder&) = delete;

  // The newest file that is whole; damaged ones are renamed, with a warning. Throws, as
  // CheckSameRun(), if any file of the folder is of another run: it could be taken later.
  std::optional<Checkpoint> Newest(const nlohmann::ordered_json& description);
  // Whether it is time for the next one; asked after every mini-batch and after every epoch.
  bool Due(bool epoch_ended);
  // Writes a checkpoint; a failure is a warning, for it must not end the run.
  void Save(const CheckpointContent& content, uint64_t number, SaveReason reason);

 private:
  struct File {
    uint64_t number = 0;
    std::string path;
  };
  std::vector<File> List() const;        // newest first
  std::vector<std::string> All() const;  // their paths, then that of the best epoch
  void RemoveLeftOvers() const;

  const CheckpointArguments& arguments_;
  std::function<void(const std::string&)> warn_;
  int lock_ = -1;  // the open folder
  std::chrono::steady_clock::time_point last_;
  uint64_t minibatches_ = 0;  // since the last one
  uint64_t epochs_ = 0;       // that ended since the last one
};

// What the command itself puts into a checkpoint: {"options": all that changes the model, "log":
// fingerprint}.
nlohmann::ordered_json RunDescription(const TrainArguments& arguments, const Events& events);
// Throws std::runtime_error, "path: cannot go on: ..." with every difference, if the checkpoint is
// of another run. Epochs may differ as Train() allows, but not in a refit.
void CheckSameRun(const Checkpoint& checkpoint, const nlohmann::ordered_json& now);

// Keys and names in the file. In the second phase it holds the result of the first.
inline constexpr char kRunKey[] = "run";
inline constexpr char kRefitKey[] = "before_refit";
inline constexpr char kRefitArray[] = "before_refit/parameters";

// The result of a validated run, for checkpoints of the refit that comes after it. The array is
// borrowed.
void AddToContent(const TrainResult& result, CheckpointContent* content);
// `shape` of its parameters.
TrainResult ResultBeforeRefit(const Checkpoint& checkpoint, const NetworkShape& shape);

}  // namespace stint

#endif  // STINT_TOOLS_TRAIN_CHECKPOINT_H_
