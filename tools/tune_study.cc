// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Results of trials <-> a folder that a study can be gone on with from.
#include "tools/tune_study.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "tools/common.h"
#include "trainer/export.h"
#include "trainer/random.h"

namespace stint {
namespace {

using nlohmann::ordered_json;
using State = TrialResult::State;

[[noreturn]] void Fail(const std::string& path, const std::string& what) {
  throw std::runtime_error(path + ": " + what + ": " + std::strerror(errno));
}

std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) Fail(path, "cannot be read");
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

TrialResult FromJson(const ordered_json& json) {
  TrialResult result;
  result.trial = json.at("trial");
  result.epochs = json.at("epochs");
  const std::string state = json.at("state");
  for (const State s : {State::kDone, State::kFailed, State::kRefused}) {
    if (state == Name(s)) result.state = s;
  }
  for (const auto& [name, value] : json.at("parameters").items()) {
    result.point.push_back({name, value});
  }
  result.error = json.at("error");
  result.best_epoch = json.at("best_epoch");
  result.recall = json.at("recall@20");
  result.mrr = json.at("mrr@20");
  result.seconds = json.at("seconds");
  result.epoch_results = json.at("epoch_results");
  return result;
}

}  // namespace

const char* Name(State state) {
  switch (state) {
    case State::kDone:
      return "done";
    case State::kFailed:
      return "failed";
    case State::kRefused:
      return "refused";
  }
  return "?";
}

ordered_json ToJson(const TrialResult& result) {
  ordered_json json = {{"trial", result.trial},
                       {"epochs", result.epochs},
                       {"state", Name(result.state)},
                       {"parameters", ordered_json::object()},
                       {"best_epoch", result.best_epoch},
                       {"recall@20", result.recall},
                       {"mrr@20", result.mrr},
                       {"seconds", result.seconds},
                       {"error", result.error},
                       {"epoch_results", result.epoch_results}};
  for (const Assignment& value : result.point) json["parameters"][value.name] = value.value;
  return json;
}

Study::Study(const std::string& folder, const ordered_json& description, bool resume)
    : folder_(folder), path_(folder + "/trials.jsonl") {
  if (mkdir(folder.c_str(), 0777) != 0 && errno != EEXIST) Fail(folder, "cannot be made");
  const bool is_new = access((folder + "/study.json").c_str(), F_OK) != 0;
  file_ = open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (file_ < 0) Fail(path_, "cannot be written");
  try {
    if (flock(file_, LOCK_EX | LOCK_NB) != 0) {
      throw std::runtime_error(folder + ": another stint tune is at this study");
    }
    if (is_new) {
      const std::string text = JsonText(description) + "\n";
      WriteFileAtomically(folder + "/study.json",
                          {reinterpret_cast<const unsigned char*>(text.data()), text.size()});
    } else {
      Describe(description, resume);
    }
    Load();
  } catch (...) {
    close(file_);
    throw;
  }
}

Study::~Study() { close(file_); }

// Is it the study that is there?
void Study::Describe(const ordered_json& description, bool resume) {
  const std::string path = folder_ + "/study.json";
  if (!resume) {
    throw std::runtime_error(folder_ + ": there is a study in it; --resume goes on with it");
  }
  const ordered_json saved = ordered_json::parse(ReadAll(path), nullptr, false);
  if (!saved.is_object()) throw std::runtime_error(path + ": damaged: no JSON object");
  std::string differences;
  const auto text = [](const ordered_json& json, const std::string& key) {
    return json.contains(key) ? json.at(key).dump() : std::string("not there");
  };
  const auto compare = [&](const std::string& key) {
    const std::string old = text(saved, key);
    const std::string now = text(description, key);
    if (old == now) return;
    differences += (differences.empty() ? "" : "; ") + key + " was " + old + ", is now " + now;
  };
  for (const auto& [key, value] : description.items()) compare(key);
  for (const auto& [key, value] : saved.items()) {
    if (!description.contains(key)) compare(key);
  }
  if (!differences.empty()) {
    throw std::runtime_error(folder_ + ": the study in it is another one: " + differences);
  }
}

// A last line without an end is what a killed process had begun to write: it is taken away.
void Study::Load() {
  const std::string text = ReadAll(path_);
  size_t begin = 0;
  for (size_t number = 1; begin < text.size(); ++number) {
    const size_t end = text.find('\n', begin);
    if (end == std::string::npos) break;
    try {
      TrialResult result = FromJson(ordered_json::parse(text.substr(begin, end - begin)));
      const std::pair<size_t, size_t> key = {result.trial, result.epochs};
      results_[key] = std::move(result);
    } catch (const nlohmann::json::exception& e) {
      throw std::runtime_error(path_ + ":" + std::to_string(number) + ": damaged: " + e.what());
    }
    begin = end + 1;
  }
  if (begin < text.size() && ftruncate(file_, static_cast<off_t>(begin)) != 0) {
    Fail(path_, "cannot be written");
  }
}

const TrialResult* Study::Find(size_t trial, size_t epochs) const {
  const auto found = results_.find({trial, epochs});
  return found == results_.end() ? nullptr : &found->second;
}

void Study::Add(const TrialResult& result) {
  const std::string line =
      ToJson(result).dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
  for (size_t done = 0; done < line.size();) {
    const ssize_t written = write(file_, line.data() + done, line.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) Fail(path_, "cannot be written");
    done += static_cast<size_t>(written);
  }
  if (fsync(file_) != 0 && errno != EINVAL) Fail(path_, "cannot be written");
  results_[{result.trial, result.epochs}] = result;
}

std::string FileFingerprint(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) Fail(path, "cannot be read");
  std::vector<char> buffer(1 << 20);
  uint64_t hash = 0;
  uint64_t size = 0;
  while (file.read(buffer.data(), static_cast<std::streamsize>(buffer.size())) ||
         file.gcount() > 0) {
    const auto got = static_cast<size_t>(file.gcount());
    std::memset(buffer.data() + got, 0, (8 - got % 8) % 8);
    for (size_t i = 0; i < got; i += 8) {
      uint64_t word;
      std::memcpy(&word, buffer.data() + i, 8);
      hash = MixBits(hash + word + 0x9E3779B97F4A7C15u);
    }
    size += got;
  }
  if (file.bad()) Fail(path, "reading failed");
  return Format("%llu bytes, %016llx", static_cast<unsigned long long>(size),
                static_cast<unsigned long long>(hash));
}

}  // namespace stint
