// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Observing and recommending make no system call: a child process that may only read, write, end
// and return from signals (seccomp strict mode) gives 100,000 recommendations on each SIMD target
// (10,000 of the rarer kinds of models), and they are those of a process that may do all. The
// kernel kills a child at any other call.
#include <gtest/gtest.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "tests/runtime/hot_path.h"

namespace stint {
namespace {

constexpr uint32_t kItems = 200;
constexpr uint32_t kRecommendations = 100000, kFewer = 10000;

// What a child leaves behind.
struct Outcome {
  bool ended;     // by itself
  int signal;     // else by this one
  uint64_t hash;  // of what it wrote, 0 if it wrote nothing
};

// Runs work() in a child that has given up all system calls but four; it returns a number.
template <class Work>
Outcome InSilence(const Work& work) {
  int ends[2];
  if (pipe(ends) != 0) std::abort();
  const pid_t child = fork();
  if (child < 0) std::abort();
  if (child == 0) {
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0) syscall(SYS_exit, 3);
    const uint64_t result = work();
    const ssize_t written = write(ends[1], &result, sizeof(result));
    syscall(SYS_exit, written == sizeof(result) ? 0 : 4);  // exit_group is not among the four
  }
  close(ends[1]);
  Outcome outcome = {false, 0, 0};
  if (read(ends[0], &outcome.hash, sizeof(outcome.hash)) != sizeof(outcome.hash)) outcome.hash = 0;
  close(ends[0]);
  int status = 0;
  if (waitpid(child, &status, 0) != child) std::abort();
  outcome.ended = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  outcome.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  return outcome;
}

// Whether this kernel has seccomp; its absence is a failure where env CI is set.
bool HasSeccomp() {
  const Outcome outcome = InSilence([] { return uint64_t{1}; });
  if (outcome.ended) return true;
  std::fprintf(stderr, "quiet_test: NOTHING WAS PROVED: this kernel has no seccomp strict mode\n");
  return false;
}
#define STINT_NEEDS_SECCOMP()                                                \
  if (!HasSeccomp()) {                                                       \
    if (std::getenv("CI") != nullptr) FAIL() << "no seccomp on this kernel"; \
    GTEST_SKIP() << "no seccomp on this kernel";                             \
  }                                                                          \
  static_assert(true, "")

void ExpectQuiet(const AlignedBytes& file, uint32_t steps) {
  uint64_t expected = 0;
  ForEachTarget([&] {
    const ModelPointer model = OpenModel(file);
    HotPath path(model.get());
    const Outcome outcome = InSilence([&] { return path.Run(steps, 7); });
    EXPECT_EQ(outcome.signal, 0) << "killed at a system call";
    ASSERT_TRUE(outcome.ended);
    EXPECT_GT(outcome.hash, HotPath::kFailed);
    if (expected == 0) expected = path.Run(steps, 7);
    EXPECT_EQ(outcome.hash, expected);
  });
}

TEST(Quiet, AnyOtherCallKills) {
  STINT_NEEDS_SECCOMP();
  const Outcome outcome = InSilence([] { return static_cast<uint64_t>(syscall(SYS_getpid)); });
  EXPECT_FALSE(outcome.ended);
  EXPECT_EQ(outcome.signal, SIGKILL);
  EXPECT_EQ(outcome.hash, 0u);
  // So does memory from the system, which a large vector takes.
  const Outcome allocates = InSilence([] {
    const std::vector<uint8_t> large(64 << 20, 1);
    return uint64_t{large[static_cast<size_t>(getpagesize())]};
  });
  EXPECT_EQ(allocates.signal, SIGKILL);
}

TEST(Quiet, FirstVersion) {
  STINT_NEEDS_SECCOMP();
  for (const bool names : {false, true}) {
    for (const DType dtype : {DType::kInt8, DType::kF32}) {
      SCOPED_TRACE(names);
      const GruForm form = names ? GruForm::kResetBefore : GruForm::kResetAfter;
      const Parameters parameters = RandomParameters(kItems, {12, 17}, form, 4);
      const Catalog catalog = names ? NameCatalog(kItems) : NumberCatalog(kItems);
      const bool rare = names == (dtype == DType::kInt8);
      ExpectQuiet(BuildTestModel(parameters, catalog, dtype), rare ? kFewer : kRecommendations);
    }
  }
}

TEST(Quiet, OtherKinds) {
  STINT_NEEDS_SECCOMP();
  for (const ModelKind& kind : ModelKinds()) {
    SCOPED_TRACE(kind.name);
    const Parameters parameters = RandomParameters(kind, kItems, {12}, 4);
    ExpectQuiet(BuildTestModel(kind, parameters, NumberCatalog(kItems)), kFewer);
  }
}

}  // namespace
}  // namespace stint
