// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

#include "tools/train_checkpoint.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "tools/common.h"
#include "trainer/atomic_file.h"
#include "trainer/train_state.h"

namespace stint {
namespace {

using nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr char kStart[] = "checkpoint-";
constexpr char kEnd[] = ".stintck";
constexpr char kBest[] = "best.stintck";
constexpr size_t kKeptFiles = 2;

// The number in "checkpoint-120.stintck".
bool ParseName(const std::string& name, uint64_t* number) {
  const std::string start = kStart, end = kEnd;
  if (name.size() <= start.size() + end.size() || name.compare(0, start.size(), start) != 0 ||
      name.compare(name.size() - end.size(), end.size(), end) != 0) {
    return false;
  }
  const char* first = name.data() + start.size();
  const char* last = name.data() + name.size() - end.size();
  const auto result = std::from_chars(first, last, *number);
  return result.ec == std::errc() && result.ptr == last;
}

std::string TimeText(const EventTime& time) {
  std::string text = std::to_string(time.whole);
  if (time.nanos != 0) text += Format(".%09u", time.nanos);
  return text;
}

}  // namespace

CheckpointFolder::CheckpointFolder(const CheckpointArguments& arguments,
                                   std::function<void(const std::string&)> warn)
    : arguments_(arguments), warn_(std::move(warn)), last_(std::chrono::steady_clock::now()) {
  const std::string& folder = arguments.folder;
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw std::runtime_error(folder + ": cannot be made: " + error.message());
  lock_ = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (lock_ < 0) throw std::runtime_error(folder + ": " + std::strerror(errno));
  const bool taken = flock(lock_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  const bool ours = access(folder.c_str(), W_OK | X_OK) == 0;
  const int reason = errno;
  std::string refused;
  if (taken) {
    refused = "another run writes its checkpoints there";
  } else if (!ours) {
    refused = std::string("cannot be written: ") + std::strerror(reason);
  } else if (!arguments.resume && !All().empty()) {
    refused = "it holds checkpoints already; --resume goes on with them, or name another folder";
  }
  if (!refused.empty()) {
    close(lock_);
    throw std::runtime_error(folder + ": " + refused);
  }
  RemoveLeftOvers();
}

CheckpointFolder::~CheckpointFolder() {
  if (lock_ >= 0) close(lock_);
}

std::vector<CheckpointFolder::File> CheckpointFolder::List() const {
  std::vector<File> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(arguments_.folder)) {
    File file = {.path = entry.path().string()};
    if (ParseName(entry.path().filename().string(), &file.number)) files.push_back(file);
  }
  std::sort(files.begin(), files.end(),
            [](const File& a, const File& b) { return a.number > b.number; });
  return files;
}

// The best epoch was saved with all that a run needs to go on from there, too.
std::vector<std::string> CheckpointFolder::All() const {
  std::vector<std::string> paths;
  for (const File& file : List()) paths.push_back(file.path);
  const std::string best = (fs::path(arguments_.folder) / kBest).string();
  if (fs::exists(best)) paths.push_back(best);
  return paths;
}

// Parts that a killed run has left; ours is the lock.
void CheckpointFolder::RemoveLeftOvers() const {
  for (const fs::directory_entry& entry : fs::directory_iterator(arguments_.folder)) {
    const std::string name = entry.path().filename().string();
    const size_t end = name.find(kEnd);
    if (end == std::string::npos) continue;
    std::error_code ignored;
    if (IsLeftOver(name, name.substr(0, end + std::strlen(kEnd)))) {
      fs::remove(entry.path(), ignored);
    }
  }
}

std::optional<Checkpoint> CheckpointFolder::Newest(const ordered_json& description) {
  std::optional<Checkpoint> newest;
  for (const std::string& path : All()) {
    std::optional<Checkpoint> checkpoint;
    try {
      checkpoint.emplace(path);
    } catch (const std::runtime_error& e) {
      // Out of the way: by its number it would outlive the files to come.
      const std::string aside = path + ".damaged";
      if (std::rename(path.c_str(), aside.c_str()) != 0) {
        throw std::runtime_error(aside + ": " + std::strerror(errno));
      }
      warn_(std::string("warning: ") + e.what() + "; renamed to " + aside +
            (newest ? "" : ", trying the one before"));
      continue;
    }
    CheckSameRun(*checkpoint, description);
    if (!newest) newest = std::move(checkpoint);
  }
  return newest;
}

bool CheckpointFolder::Due(bool epoch_ended) {
  const CheckpointInterval& every = arguments_.every;
  if (epoch_ended) return ++epochs_ >= every.epochs && every.epochs > 0;
  if (every.minibatches > 0) return ++minibatches_ >= every.minibatches;
  if (every.seconds == 0) return false;
  const auto since = std::chrono::steady_clock::now() - last_;
  return std::chrono::duration<double>(since).count() >= double(every.seconds);
}

void CheckpointFolder::Save(const CheckpointContent& content, uint64_t number, SaveReason reason) {
  const std::string name =
      reason == SaveReason::kBest ? kBest : kStart + std::to_string(number) + kEnd;
  const std::string path = (fs::path(arguments_.folder) / name).string();
  try {
    WriteCheckpoint(path, content);
  } catch (const std::runtime_error& e) {
    warn_(std::string("warning: checkpoint not written, training goes on: ") + e.what());
  }
  if (reason == SaveReason::kBest) return;
  last_ = std::chrono::steady_clock::now();
  minibatches_ = epochs_ = 0;
  size_t kept = 0;
  for (const File& file : List()) {
    if (kept++ < kKeptFiles) continue;
    std::error_code ignored;  // one file too many is no reason to stop
    fs::remove(file.path, ignored);
  }
}

ordered_json RunDescription(const TrainArguments& arguments, const Events& events) {
  ordered_json options = ordered_json::parse(ToJson(arguments.options));
  const ValidationSplit& split = arguments.validate;
  options["dtype"] = Name(arguments.dtype);
  options["scoring"] = Name(arguments.scoring);
  options["validate-last"] =
      split.percent > 0 ? Format("%.17g%%", split.percent) : std::to_string(split.sessions);
  options["validate-span"] = TimeText(split.span);
  options["refit"] = arguments.refit;
  return {{"options", options}, {"log", Fingerprint(events)}};
}

void CheckSameRun(const Checkpoint& checkpoint, const ordered_json& now) try {
  const ordered_json& saved = checkpoint.header().at(kRunKey);
  const std::string data = DataDifference("the log", saved.at("log"), now.at("log"));
  if (!data.empty()) throw std::runtime_error(data);
  CheckOptions(saved.at("options"), now.at("options"));
  if (checkpoint.header().contains(kRefitKey)) {
    const std::string differences = OptionDifferences(saved.at("options"), now.at("options"));
    if (!differences.empty()) throw std::runtime_error(differences + " (the refit has begun)");
  }
} catch (const std::runtime_error& e) {
  checkpoint.Fail(std::string("cannot go on with it: ") + e.what());
} catch (const nlohmann::json::exception& e) {
  checkpoint.Fail(std::string("damaged checkpoint: header: ") + e.what());
}

void AddToContent(const TrainResult& result, CheckpointContent* content) {
  content->header[kRefitKey] = {{"epochs", ToJson(result.epochs)},
                                {"best_epoch", result.best_epoch},
                                {"steps", result.steps}};
  const Parameters& parameters = result.parameters;
  content->arrays.push_back(
      {kRefitArray, parameters.block(), parameters.block_floats() * sizeof(float)});
}

TrainResult ResultBeforeRefit(const Checkpoint& checkpoint, const NetworkShape& shape) try {
  const ordered_json& saved = checkpoint.header().at(kRefitKey);
  TrainResult result;
  result.epochs = EpochsFromJson(saved.at("epochs"));
  result.best_epoch = saved.at("best_epoch").get<size_t>();
  result.steps = saved.at("steps").get<uint64_t>();
  result.parameters = Parameters(shape);
  checkpoint.Read(kRefitArray, result.parameters.block(),
                  result.parameters.block_floats() * sizeof(float));
  if (result.best_epoch < 1 || result.best_epoch > result.epochs.size()) {
    checkpoint.Fail("damaged checkpoint: best epoch " + std::to_string(result.best_epoch));
  }
  return result;
} catch (const nlohmann::json::exception& e) {
  checkpoint.Fail(std::string("damaged checkpoint: header: ") + e.what());
}

}  // namespace stint
