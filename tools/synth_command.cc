// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Seed -> synthetic click log with popularity and sequence structure, for the demo and for load.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "tools/arguments.h"
#include "tools/commands.h"
#include "tools/common.h"
#include "trainer/random.h"

namespace stint {
namespace {

struct SynthArguments {
  uint64_t sessions = 20000;
  uint64_t first_session = 0;
  uint64_t items = 2000;
  uint64_t seed = 1;
  std::string out = "-";
};

// A shop in which clicks follow each other. Items lie in clusters (categories) and each has a
// style; a session has a cluster, which it may change, and a taste, the style that it clicks most.
// Some items also have followers of their own. So a popularity list knows little, the last item a
// good part, and only the whole session tells the taste. Every session is a function of seed and
// number: logs of the same seed and items with other session numbers are more of the same shop.
class Shop {
 public:
  Shop(uint64_t seed, uint64_t items)
      : seed_(seed),
        items_(items),
        clusters_(std::max<uint64_t>(1, static_cast<uint64_t>(std::sqrt(items) / 2))) {
    const uint64_t largest = (items + clusters_ - 1) / clusters_;
    double sum = 0;
    for (uint64_t i = 0; i < std::max(largest, clusters_); ++i) {
      zipf_.push_back(sum += std::pow(static_cast<double>(i + 1), -0.9));
    }
  }

  // Appends the rows of a session.
  void AppendSession(uint64_t session, std::string* rows) const {
    const RandomCounter random(seed_, kSessionStream + session);
    uint64_t draw = 0;
    const auto unit = [&] { return random.Unit(draw++); };
    uint64_t cluster = Zipf(unit(), clusters_);
    const auto taste = static_cast<uint64_t>(unit() * kStyles);
    uint64_t item = Browse(cluster, unit());
    // Five minutes between starts of sessions, half a minute between clicks, in milliseconds.
    uint64_t time = kFirstMillisecond + session * 300000 + static_cast<uint64_t>(unit() * 300000);
    for (int click = 0; click < 60; ++click) {
      *rows += std::to_string(session + 1);
      *rows += '\t';
      *rows += std::to_string(item + 1);
      *rows += '\t';
      *rows += std::to_string(time);
      *rows += '\n';
      if (click > 0 && unit() < 0.22) break;  // 5.5 clicks on average, 2 at least
      time += 1000 + static_cast<uint64_t>(-30000 * std::log(1 - unit()));
      const double what = unit();
      if (what < 0.55) {
        item = BrowseStyle(cluster, taste, unit());
      } else if (what < 0.75) {
        item = Follower(cluster, item, unit());
      } else if (what < 0.92) {
        item = Browse(cluster, unit());
      } else if (what < 0.96) {
        cluster = Zipf(unit(), clusters_);
        item = BrowseStyle(cluster, taste, unit());
      }  // else the same item again
    }
  }

 private:
  static constexpr uint64_t kStyles = 6;
  static constexpr uint64_t kSessionStream = 1000;              // away from the trainer's streams
  static constexpr uint64_t kFirstMillisecond = 1767225600000;  // 2026-01-01

  // Cluster c has the items c, c + clusters, c + 2 clusters, ..., the popular ones first.
  uint64_t SizeOf(uint64_t cluster) const { return (items_ - cluster + clusters_ - 1) / clusters_; }
  uint64_t ItemOf(uint64_t cluster, uint64_t place) const { return cluster + place * clusters_; }

  // 0 .. size - 1 with P(i) ~ 1 / (i + 1)^0.9.
  uint64_t Zipf(double u, uint64_t size) const {
    const auto end = zipf_.begin() + static_cast<std::ptrdiff_t>(size);
    const auto found = std::upper_bound(zipf_.begin(), end, u * *(end - 1));
    return std::min(static_cast<uint64_t>(found - zipf_.begin()), size - 1);
  }

  // An item of the cluster, of the cluster and style, one of three that follow an item.
  uint64_t Browse(uint64_t cluster, double u) const {
    return ItemOf(cluster, Zipf(u, SizeOf(cluster)));
  }
  uint64_t BrowseStyle(uint64_t cluster, uint64_t style, double u) const {
    const uint64_t size = SizeOf(cluster);
    if (style >= size) return Browse(cluster, u);
    return ItemOf(cluster, style + kStyles * Zipf(u, (size - style + kStyles - 1) / kStyles));
  }
  uint64_t Follower(uint64_t cluster, uint64_t item, double u) const {
    const uint64_t which = u < 0.5 ? 0 : u < 0.8 ? 1 : 2;
    const RandomCounter random(seed_, item + 1);
    return Browse(cluster, random.Unit((uint64_t{1} << 40) + which));
  }

  uint64_t seed_;
  uint64_t items_;
  uint64_t clusters_;
  std::vector<double> zipf_;  // cumulative weights, not normalized
};

// Writes text to a file or to standard output, through gzip if the name ends in ".gz".
// A regular file is put in place when it is complete.
class LogWriter {
 public:
  explicit LogWriter(const std::string& path) : path_(path == "-" ? "standard output" : path) {
    struct stat old = {};
    int fd = -1;
    if (path == "-") {
      fd = dup(STDOUT_FILENO);
    } else if (stat(path.c_str(), &old) == 0 && !S_ISREG(old.st_mode)) {
      fd = open(path.c_str(), O_WRONLY | O_CLOEXEC);
    } else {
      temporary_ = path + ".tmp" + std::to_string(getpid());
      fd = open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    }
    if (fd < 0) Fail(errno);
    const bool gzip = path.size() > 3 && path.compare(path.size() - 3, 3, ".gz") == 0;
    file_ = gzdopen(fd, gzip ? "wb6" : "wbT");  // T: no compression, plain bytes
    if (file_ == nullptr) {
      close(fd);
      Fail(ENOMEM);
    }
    gzbuffer(file_, 1 << 17);
  }
  ~LogWriter() {
    if (file_ != nullptr) gzclose(file_);
    if (!temporary_.empty()) unlink(temporary_.c_str());
  }
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  void Write(const std::string& text) {
    if (gzwrite(file_, text.data(), static_cast<unsigned>(text.size())) == 0) Fail(errno);
  }
  void Finish() {
    errno = 0;
    const int result = gzclose(file_);
    file_ = nullptr;
    if (result != Z_OK) Fail(errno != 0 ? errno : EIO);
    if (temporary_.empty()) return;
    if (std::rename(temporary_.c_str(), path_.c_str()) != 0) Fail(errno);
    temporary_.clear();
  }

 private:
  [[noreturn]] void Fail(int error) const {
    throw std::runtime_error(path_ + ": " + std::strerror(error));
  }
  std::string path_;
  std::string temporary_;
  gzFile file_ = nullptr;
};

int RunSynth(const SynthArguments& arguments) {
  const Shop shop(arguments.seed, arguments.items);
  LogWriter log(arguments.out);
  std::string rows = "SessionId\tItemId\tTime\n";
  for (uint64_t s = 0; s < arguments.sessions; ++s) {
    shop.AppendSession(arguments.first_session + s, &rows);
    if (rows.size() >= 1 << 16 || s + 1 == arguments.sessions) {
      log.Write(rows);
      rows.clear();
    }
  }
  log.Finish();
  return kExitOk;
}

}  // namespace

Command AddSynthCommand(CLI::App* cli) {
  auto arguments = std::make_shared<SynthArguments>();
  CLI::App* app = cli->add_subcommand(
      "synth",
      "Make a synthetic click log: popular and rare items, categories, and clicks that depend on "
      "the ones before. The same options give the same bytes everywhere.");
  AddInteger(app, "--sessions", &arguments->sessions, 1, 1000000000,
             "Number of sessions, 1 to 1000000000");
  AddInteger(app, "--first-session", &arguments->first_session, 0, 1000000000,
             "Sessions to pass over first, 0 to 1000000000: --first-session 20000 goes on where "
             "--sessions 20000 ended, more of the same shop, such as a test set");
  AddInteger(app, "--items", &arguments->items, 1, 100000000,
             "Number of items in the shop, 1 to 100000000");
  AddInteger(app, "--seed", &arguments->seed, 0, UINT64_MAX, "Which shop: any 64-bit number");
  app->add_option("--out", arguments->out,
                  "File to write, compressed if its name ends in .gz; - is standard output")
      ->capture_default_str();
  return {app, [arguments] { return RunSynth(*arguments); }};
}

}  // namespace stint
