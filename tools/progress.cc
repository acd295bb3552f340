// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// How far a long run is -> a bar on a terminal, else a plain line now and then.
#include "tools/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "tools/common.h"

namespace stint {
namespace {

bool IsTerminal() {
  const char* term = std::getenv("TERM");
  return isatty(STDERR_FILENO) && term != nullptr && std::string_view(term) != "dumb";
}

size_t TerminalColumns() {
  winsize size = {};
  const bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : 80;
}

}  // namespace

std::string Duration(double seconds) {
  if (!(seconds >= 0 && seconds < 1e9)) return "?:??";
  const auto total = static_cast<uint64_t>(std::lround(seconds));
  if (total < 3600) {
    return Format("%u:%02u", unsigned(total / 60), unsigned(total % 60));
  }
  return Format("%u:%02u:%02u", unsigned(total / 3600), unsigned(total / 60 % 60),
                unsigned(total % 60));
}

ProgressLine::ProgressLine(bool quiet)
    : quiet_(quiet), terminal_(IsTerminal()), start_(Clock::now()), last_(start_) {}

bool ProgressLine::Due() {
  if (quiet_) return false;
  const Clock::time_point now = Clock::now();
  if (now - last_ < (terminal_ ? std::chrono::milliseconds(100) : std::chrono::seconds(10))) {
    return false;
  }
  last_ = now;
  return true;
}

void ProgressLine::Show(const TrainProgress& progress) {
  if (!Due()) return;
  what_.clear();
  const double speed = static_cast<double>(progress.targets) / std::max(progress.seconds, 1e-9);
  const double left = static_cast<double>(progress.epoch_targets - progress.targets);
  const double later =
      static_cast<double>(progress.epochs - progress.epoch) * double(progress.epoch_targets);
  std::string tail =
      Format("loss %.4f, %s events/s, %s left", progress.loss,
             Grouped(static_cast<uint64_t>(speed)).c_str(), Duration(left / speed).c_str());
  if (later > 0) tail += ", " + Duration((left + later) / speed) + " in all";
  Draw(Format("epoch %zu/%zu", progress.epoch, progress.epochs),
       static_cast<double>(progress.targets) / static_cast<double>(progress.epoch_targets), tail);
}

void ProgressLine::Show(const std::string& what, uint64_t done, uint64_t total, const char* unit) {
  if (quiet_) return;
  if (what != what_) {
    what_ = what;
    start_ = Clock::now();
  }
  if (!Due()) return;
  const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
  const double speed = static_cast<double>(done) / std::max(seconds, 1e-9);
  Draw(what, static_cast<double>(done) / static_cast<double>(total),
       Format("%s %s/s, %s left", Grouped(static_cast<uint64_t>(speed)).c_str(), unit,
              Duration(static_cast<double>(total - done) / speed).c_str()));
}

void ProgressLine::Draw(const std::string& head, double share, const std::string& tail) {
  std::string line = head + Format(" %3.0f%% ", 100 * share);
  if (!terminal_) {
    std::fprintf(stderr, "%s %s\n", line.c_str(), tail.c_str());
    return;
  }
  const size_t columns = TerminalColumns();
  const size_t used = line.size() + tail.size() + 4;
  if (used + 5 <= columns) {
    const size_t width = std::min<size_t>(columns - used, 30);
    const auto filled = static_cast<size_t>(share * static_cast<double>(width));
    line += '[';
    line.append(filled, '#').append(width - filled, '.') += "] ";
  }
  line = (line + tail).substr(0, columns - 1);
  std::fprintf(stderr, "\r%s\x1b[K", line.c_str());
  std::fflush(stderr);
  drawn_ = true;
}

void ProgressLine::Clear() {
  if (!drawn_) return;
  std::fprintf(stderr, "\r\x1b[K");
  std::fflush(stderr);
  drawn_ = false;
}

}  // namespace stint
