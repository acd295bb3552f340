// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The team of threads: every task of every job runs exactly once, whatever the threads do in
// between, and Run() returns when all are done, not before.
#include "trainer/team.h"

#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <stdexcept>
#include <vector>

namespace stint {
namespace {

// Short jobs of changing size one after another are what a mini-batch is, and where a claim by a
// thread that fell behind could land in the next job.
void RunJobs(Team* team, size_t jobs, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<std::atomic<uint32_t>> runs(40);
  for (size_t job = 0; job < jobs; ++job) {
    const size_t tasks = random() % 3 == 0 ? random() % 40 : random() % 4;
    for (auto& r : runs) r.store(0, std::memory_order_relaxed);
    team->Run(tasks, [&](size_t t) { runs[t].fetch_add(1, std::memory_order_relaxed); });
    for (size_t t = 0; t < runs.size(); ++t) {
      ASSERT_EQ(runs[t].load(std::memory_order_relaxed), t < tasks ? 1u : 0u)
          << "job " << job << " of " << tasks << " tasks, task " << t;
    }
  }
}

TEST(TeamTest, EveryTaskRunsOnceInAnOpenTeam) {
  for (const int threads : {1, 2, 3, 4, 9}) {
    SCOPED_TRACE(threads);
    Team team(threads);
    EXPECT_EQ(team.threads(), threads);
    team.Open([&] { RunJobs(&team, 20000, static_cast<uint64_t>(threads)); });
    if (HasFatalFailure()) return;
  }
}

TEST(TeamTest, OpensForASingleJob) {
  for (const int threads : {1, 2, 4}) {
    SCOPED_TRACE(threads);
    Team team(threads);
    RunJobs(&team, 200, static_cast<uint64_t>(threads));
    if (HasFatalFailure()) return;
  }
}

TEST(TeamTest, ResultsOfTasksAreVisibleToTheCaller) {
  Team team(4);
  team.Open([&] {
    std::vector<uint64_t> values(64);  // not atomic: Run() must order them
    for (uint64_t round = 1; round < 3000; ++round) {
      team.Run(values.size(), [&](size_t t) { values[t] += round + t; });
      if (round % 500 != 0) continue;
      for (size_t t = 0; t < values.size(); ++t) {
        ASSERT_EQ(values[t], round * (round + 1) / 2 + round * t);
      }
    }
  });
}

TEST(TeamTest, AnExceptionOfTheBodyComesOutAndTheTeamGoesOn) {
  Team team(3);
  EXPECT_THROW(team.Open([&] {
    team.Run(5, [](size_t) {});
    throw std::runtime_error("x");
  }),
               std::runtime_error);
  team.Open([&] { RunJobs(&team, 100, 1); });
}

}  // namespace
}  // namespace stint
