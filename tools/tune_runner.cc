// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// A plan of trials -> child processes that train them -> results in the study.
#include "tools/tune_runner.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <system_error>
#include <thread>

#include "tools/common.h"
#include "tools/tune_report.h"

namespace stint {
namespace {

using nlohmann::ordered_json;
using State = TrialResult::State;

volatile std::sig_atomic_t interrupted = 0;

extern "C" void OnTuneInterrupt(int) { interrupted = 1; }

std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// "stint train: what was wrong" without the name of the program.
std::string LastLine(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  text = text.substr(text.rfind('\n') + 1);  // npos + 1 is 0
  const std::string name = "stint train: ";
  if (text.rfind(name, 0) == 0) text = text.substr(name.size());
  return text.substr(0, text.find("; the last good state is in "));  // which is removed
}

// Figures of the epoch that counts from what `stint train --json` printed: of the best one, or with
// a cosine schedule of the last one. The rate falls to zero there, and only a run of as many epochs
// is the same training again. False if there are none.
bool ReadFigures(const std::string& path, Metric metric, Schedule schedule, TrialResult* result) {
  const ordered_json json = ordered_json::parse(ReadAll(path), nullptr, false);
  if (!json.is_object() || !json.contains("epoch_results")) return false;
  const std::string key = Name(metric);
  double best = -1;
  for (const ordered_json& epoch : json.at("epoch_results")) {
    ordered_json kept;
    for (const char* name : {"epoch", "loss", "recall@20", "mrr@20"}) {
      if (epoch.contains(name)) kept[name] = epoch.at(name);
    }
    result->epoch_results.push_back(kept);
    if (!epoch.contains(key)) continue;
    if (schedule != Schedule::kCosine && epoch.at(key).get<double>() <= best) continue;
    best = epoch.at(key);
    result->best_epoch = epoch.at("epoch");
    result->recall = epoch.at("recall@20");
    result->mrr = epoch.at("mrr@20");
  }
  return best >= 0;
}

}  // namespace

TuneRunner::TuneRunner(const TuneArguments& arguments, const Space& space, const SearchPlan& plan,
                       Study* study)
    : arguments_(arguments), space_(space), plan_(plan), study_(study) {
  const size_t all =
      arguments.threads > 0 ? arguments.threads : std::max(1u, std::thread::hardware_concurrency());
  threads_ = std::max<size_t>(1, all / arguments.workers);
  struct sigaction action = {};
  action.sa_handler = OnTuneInterrupt;
  for (const int signal : {SIGINT, SIGTERM}) {
    struct sigaction inherited = {};
    sigaction(signal, nullptr, &inherited);
    if (inherited.sa_handler != SIG_IGN) sigaction(signal, &action, nullptr);
  }
}

bool TuneRunner::Run() {
  for (size_t rung = 0; rung < plan_.rungs.size(); ++rung) {
    if (!RunRung(rung)) return false;
    RemoveCheckpoints(rung);
  }
  // What killed children may have left under names of their own.
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(study_->folder(), ignored)) {
    if (entry.path().filename().string().rfind("trial-", 0) == 0) {
      std::filesystem::remove_all(entry.path(), ignored);
    }
  }
  return true;
}

// Of the trials that do not go on to the next round.
void TuneRunner::RemoveCheckpoints(size_t rung) const {
  std::vector<size_t> next;
  if (rung + 1 < plan_.rungs.size()) next = TrialsOf(plan_, *study_, rung + 1);
  for (size_t trial = 0; trial < plan_.trials; ++trial) {
    if (std::binary_search(next.begin(), next.end(), trial)) continue;
    std::error_code ignored;  // a left-over folder costs room alone
    std::filesystem::remove_all(File(trial, "checkpoints"), ignored);
  }
}

bool TuneRunner::RunRung(size_t rung) {
  const size_t epochs = plan_.rungs[rung];
  std::vector<size_t> todo;
  for (const size_t trial : TrialsOf(plan_, *study_, rung)) {
    if (study_->Find(trial, epochs) == nullptr) todo.push_back(trial);
  }
  if (!todo.empty() && !arguments_.quiet) {
    std::fprintf(stderr, "round %zu of %zu: %zu %s to train for %zu %s\n", rung + 1,
                 plan_.rungs.size(), todo.size(), todo.size() == 1 ? "trial" : "trials", epochs,
                 epochs == 1 ? "epoch" : "epochs");
  }
  for (size_t next = 0; next < todo.size() || children_.size() > 0;) {
    while (next < todo.size() && children_.size() < arguments_.workers && interrupted == 0) {
      Start(todo[next++], epochs);
    }
    if (children_.size() == 0 && interrupted == 0) continue;  // all refused so far
    ChildResult child;
    if (!children_.Wait(&interrupted, &child)) {
      children_.Kill();
      for (const size_t trial : todo) Remove(trial);
      return false;
    }
    Finish(child, epochs);
  }
  return true;
}

void TuneRunner::Start(size_t trial, size_t epochs) {
  const std::vector<Assignment> point = DrawPoint(space_, arguments_.search_seed, trial);
  try {
    const GivenOptions given = OptionsOf(arguments_, point, nullptr);
    std::vector<std::string> more = arguments_.validate.words;
    more.insert(more.end(), {"--json", "--quiet"});
    // Each round goes on where the one before ended; a cosine schedule would be another one.
    if (plan_.rungs.size() > 1 && given.options.schedule != Schedule::kCosine) {
      more.insert(more.end(), {"--checkpoint", File(trial, "checkpoints"), "--checkpoint-every",
                               "1000000e", "--resume"});
    }
    const std::vector<std::string> words =
        TrainWords(given, epochs, File(trial, "stint"), threads_, more);
    children_.Start(trial, words, File(trial, "json"), File(trial, "error"), arguments_.timeout);
  } catch (const std::invalid_argument& e) {
    TrialResult result;
    result.trial = trial;
    result.epochs = epochs;
    result.state = State::kRefused;
    result.point = point;
    result.error = e.what();
    study_->Add(result);
    Show(result);
  }
}

void TuneRunner::Finish(const ChildResult& child, size_t epochs) {
  TrialResult result;
  result.trial = child.tag;
  result.epochs = epochs;
  result.point = DrawPoint(space_, arguments_.search_seed, child.tag);
  result.seconds = child.seconds;
  const Schedule schedule = OptionsOf(arguments_, result.point, nullptr).options.schedule;
  const bool measured = ReadFigures(File(child.tag, "json"), plan_.metric, schedule, &result);
  const std::string message = LastLine(ReadAll(File(child.tag, "error")));
  Remove(child.tag);
  if (child.late) {
    result.error = Format("took longer than %g s", arguments_.timeout);
  } else if (child.signal != 0) {
    result.error = Format("ended by signal %d (%s)", child.signal, strsignal(child.signal));
  } else if (child.status == kExitData) {
    throw std::runtime_error(Format("trial %zu: ", child.tag) + message);
  } else if (child.status != kExitOk) {
    result.error = message.empty() ? Format("exit status %d", child.status) : message;
  } else if (!measured) {
    result.error = "nothing was measured";
  } else {
    result.state = State::kDone;
  }
  study_->Add(result);
  Show(result);
}

bool TuneRunner::TrainBest(const TrialResult& best) {
  if (!arguments_.quiet) {
    std::fprintf(stderr, "trial %zu is best: training it on all sessions for %zu %s\n", best.trial,
                 best.best_epoch, best.best_epoch == 1 ? "epoch" : "epochs");
  }
  std::vector<std::string> more;
  if (arguments_.quiet) more.push_back("--quiet");
  const std::vector<std::string> words =
      TrainWords(OptionsOf(arguments_, best.point, nullptr), best.best_epoch, arguments_.out,
                 threads_ * arguments_.workers, more);
  // Its standard output would be ours; it has nothing to say there.
  children_.Start(best.trial, words, "/dev/null", "", 0);
  ChildResult child;
  if (!children_.Wait(&interrupted, &child)) {
    children_.Kill();
    std::fprintf(stderr,
                 "stint tune: interrupted: %s is not written; the same command with "
                 "--resume trains it again\n",
                 arguments_.out.c_str());
    return false;
  }
  if (child.status != kExitOk) {
    throw std::runtime_error(arguments_.out + ": the best trial failed on all sessions: " +
                             (child.signal != 0 ? Format("signal %d", child.signal)
                                                : Format("exit status %d", child.status)));
  }
  return true;
}

std::vector<std::string> TuneRunner::TrainWords(const GivenOptions& given, size_t epochs,
                                                const std::string& out, size_t threads,
                                                const std::vector<std::string>& more) const {
  std::vector<std::string> words = {"train"};
  words.insert(words.end(), {"--out", out, "--epochs", std::to_string(epochs), "--threads",
                             std::to_string(threads), "--dtype", Name(arguments_.dtype),
                             "--scoring", Name(arguments_.scoring)});
  const std::string params = ParamsOf(given);
  if (!params.empty()) words.insert(words.end(), {"--params", params});
  const std::vector<std::string> read = ReadWords(arguments_.read);
  words.insert(words.end(), read.begin(), read.end());
  words.insert(words.end(), more.begin(), more.end());
  words.push_back("--");  // a log's name may begin with a dash
  words.insert(words.end(), arguments_.logs.begin(), arguments_.logs.end());
  return words;
}

std::string TuneRunner::File(size_t trial, const char* ending) const {
  return study_->folder() + Format("/trial-%zu.", trial) + ending;
}

void TuneRunner::Remove(size_t trial) const {
  for (const char* ending : {"stint", "stint.diverged", "json", "error"}) {
    unlink(File(trial, ending).c_str());
  }
}

void TuneRunner::Show(const TrialResult& result) {
  if (arguments_.quiet) return;
  std::string line = TrialLine(result);
  const std::vector<const TrialResult*> ranking = Ranking(plan_, *study_);
  if (!ranking.empty() && ranking.front()->state == State::kDone) {
    const TrialResult& best = *ranking.front();
    line += Format("; best so far: trial %zu, %s %.4f", best.trial, Name(plan_.metric),
                   plan_.Value(best));
  }
  std::fprintf(stderr, "%s\n", line.c_str());
}

}  // namespace stint
