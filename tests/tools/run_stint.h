// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// A command line -> exit status and output of the built `stint`, run as a process of its own.
#ifndef STINT_TESTS_TOOLS_RUN_STINT_H_
#define STINT_TESTS_TOOLS_RUN_STINT_H_

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "tests/temporary_folder.h"

namespace stint {

struct RunResult {
  int status = -1;    // exit status; -1 if a signal ended it
  int signal = 0;     // that signal
  std::string out;    // standard output
  std::string error;  // standard error

  // Lines of standard error, without the end of the last one.
  std::string ErrorLine() const {
    return !error.empty() && error.back() == '\n' ? error.substr(0, error.size() - 1) : error;
  }
};

// What differs from a plain run.
struct RunSetting {
  std::string input;                 // standard input
  std::string out_path;              // standard output goes there; "closed" closes it,
                                     // "broken pipe" is a pipe that nobody reads
  rlim_t file_size = RLIM_INFINITY;  // RLIMIT_FSIZE, bytes
  bool ignore_interrupts = false;    // SIGINT and SIGTERM, as nohup does with SIGHUP
  bool terminal = false;             // standard error is a terminal of 100 columns
  std::vector<std::pair<std::string, std::string>> environment;
  // Called with the process while it runs; see WaitForText().
  std::function<void(pid_t pid, const std::string& error_path)> meanwhile;
};

inline RunResult RunStint(const std::vector<std::string>& arguments,
                          const RunSetting& setting = {}) {
  const TemporaryFolder folder;
  const std::string in = folder.Write("in", setting.input);
  const std::string out = folder.Write("out", "");
  const std::string error = folder.Write("error", "");
  std::vector<std::string> words = {STINT_CLI};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);

  const int terminal = setting.terminal ? posix_openpt(O_RDWR | O_NOCTTY) : -1;
  std::string terminal_name;
  if (setting.terminal) {
    const winsize size = {24, 100, 0, 0};
    EXPECT_EQ(grantpt(terminal) | unlockpt(terminal) | ioctl(terminal, TIOCSWINSZ, &size), 0);
    terminal_name = ptsname(terminal);
  }
  const pid_t pid = fork();
  if (pid == 0) {
    // Only the standard streams, without the caller's other files.
    dup2(open(in.c_str(), O_RDONLY), STDIN_FILENO);
    const std::string& error_path = setting.terminal ? terminal_name : error;
    dup2(open(error_path.c_str(), O_RDWR | O_APPEND | O_NOCTTY), STDERR_FILENO);
    const std::string& target = setting.out_path.empty() ? out : setting.out_path;
    if (target == "closed") {
      close(STDOUT_FILENO);
    } else if (target == "broken pipe") {
      int ends[2];
      if (pipe(ends) != 0) _exit(126);
      dup2(ends[1], STDOUT_FILENO);
    } else {
      dup2(open(target.c_str(), O_WRONLY), STDOUT_FILENO);
    }
    for (int fd = 3; fd < 64; ++fd) close(fd);
    if (setting.file_size != RLIM_INFINITY) {
      const rlimit limit = {setting.file_size, setting.file_size};
      setrlimit(RLIMIT_FSIZE, &limit);
    }
    if (setting.ignore_interrupts) {
      std::signal(SIGINT, SIG_IGN);
      std::signal(SIGTERM, SIG_IGN);
    }
    unsetenv("STINT_TARGET");
    for (const auto& [name, value] : setting.environment) setenv(name.c_str(), value.c_str(), 1);
    execv(STINT_CLI, argv.data());
    _exit(127);
  }
  RunResult result;
  if (pid < 0) {
    ADD_FAILURE() << "fork";
    return result;
  }
  if (setting.meanwhile) setting.meanwhile(pid, error);
  std::string shown;
  if (setting.terminal) {  // read all the time: a terminal holds only some KiB
    char piece[4096];
    for (ssize_t got; (got = read(terminal, piece, sizeof(piece))) > 0 || errno == EINTR;) {
      shown.append(piece, static_cast<size_t>(std::max<ssize_t>(got, 0)));
    }
    close(terminal);
  }
  int status = 0;
  EXPECT_EQ(waitpid(pid, &status, 0), pid);
  if (WIFEXITED(status)) result.status = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
  result.out = ReadFile(out);
  result.error = setting.terminal ? shown : ReadFile(error);
  return result;
}

// Waits until the file holds `text`, for at most a minute.
inline bool WaitForText(const std::string& path, const std::string& text) {
  for (int i = 0; i < 6000; ++i) {
    if (ReadFile(path).find(text) != std::string::npos) return true;
    const timespec pause = {0, 10000000};
    nanosleep(&pause, nullptr);
  }
  return false;
}

}  // namespace stint

#endif  // STINT_TESTS_TOOLS_RUN_STINT_H_
