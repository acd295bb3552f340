// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Command lines of stint -> child processes of the same executable, several at a time.
#include "tools/tune_process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <stdexcept>

extern char** environ;

namespace stint {
namespace {

// Waiting so long between looks costs nothing beside a training run.
constexpr timespec kPause = {0, 10'000'000};

// posix_spawn's two helpers, released whatever happens.
struct SpawnSetting {
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  SpawnSetting() {
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
  }
  ~SpawnSetting() {
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
  }
};

}  // namespace

void EndWithParent() {
  const char* parent = std::getenv(kParentVariable);
  if (parent == nullptr) return;
#ifdef __linux__
  prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
  if (std::to_string(getppid()) != parent) _exit(1);  // it is gone already
  unsetenv(kParentVariable);
}

void Children::Start(size_t tag, const std::vector<std::string>& arguments, const std::string& out,
                     const std::string& error, double timeout) {
  std::vector<std::string> words = {"stint"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const std::string parent = std::string(kParentVariable) + "=" + std::to_string(getpid());
  std::vector<char*> environment = {const_cast<char*>(parent.c_str())};
  for (char** entry = environ; *entry != nullptr; ++entry) environment.push_back(*entry);
  environment.push_back(nullptr);

  SpawnSetting setting;
  constexpr int kFlags = O_WRONLY | O_CREAT | O_TRUNC;
  posix_spawn_file_actions_addopen(&setting.files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  if (!out.empty()) {
    posix_spawn_file_actions_addopen(&setting.files, STDOUT_FILENO, out.c_str(), kFlags, 0666);
  }
  if (!error.empty()) {
    posix_spawn_file_actions_addopen(&setting.files, STDERR_FILENO, error.c_str(), kFlags, 0666);
  }
  // A group of its own: Ctrl-C reaches us alone, and we end the children. Signals that we catch or
  // ignore are as in a new program.
  sigset_t defaults;
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGINT);
  sigaddset(&defaults, SIGTERM);
  posix_spawnattr_setsigdefault(&setting.attributes, &defaults);
  posix_spawnattr_setpgroup(&setting.attributes, 0);
  posix_spawnattr_setflags(&setting.attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
  pid_t pid = 0;
  const int code = posix_spawn(&pid, "/proc/self/exe", &setting.files, &setting.attributes,
                               argv.data(), environment.data());
  if (code != 0) {
    throw std::runtime_error(std::string("a trial cannot be started: ") + std::strerror(code));
  }
  running_.push_back({tag, pid, Clock::now(), timeout, false});
}

bool Children::Wait(const volatile int* stop, ChildResult* result) {
  while (!running_.empty() && *stop == 0) {
    for (size_t i = 0; i < running_.size(); ++i) {
      Child& child = running_[i];
      const double seconds = std::chrono::duration<double>(Clock::now() - child.start).count();
      int status = 0;
      const pid_t ended = waitpid(child.pid, &status, WNOHANG);
      if (ended == child.pid || (ended < 0 && errno != EINTR)) {
        *result = {.tag = child.tag, .late = child.late, .seconds = seconds};
        if (ended == child.pid && WIFEXITED(status)) result->status = WEXITSTATUS(status);
        if (ended == child.pid && WIFSIGNALED(status)) result->signal = WTERMSIG(status);
        running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(i));
        return true;
      }
      if (child.timeout > 0 && seconds > child.timeout && !child.late) {
        child.late = true;
        kill(child.pid, SIGKILL);
      }
    }
    nanosleep(&kPause, nullptr);
  }
  return false;
}

void Children::Kill() {
  for (const Child& child : running_) kill(child.pid, SIGKILL);
  for (const Child& child : running_) {
    int status = 0;
    while (waitpid(child.pid, &status, 0) < 0 && errno == EINTR) {
    }
  }
  running_.clear();
}

}  // namespace stint
