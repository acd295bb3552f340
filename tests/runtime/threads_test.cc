// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// One model, many threads: every session gets the answers it gets alone, while models are opened,
// replaced and destroyed beside it. (stint_set_target() is for before the threads.)
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <barrier>
#include <cstdint>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/runtime/hot_path.h"

namespace stint {
namespace {

constexpr uint64_t kThreads = 16;
constexpr uint32_t kSteps = 150;

// Runs work(thread) on all threads, which start together.
template <class Work>
void OnThreads(const Work& work) {
  std::barrier start(static_cast<std::ptrdiff_t>(kThreads));
  std::vector<std::thread> threads;
  for (uint64_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      start.arrive_and_wait();
      work(t);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// What users get, one after the other: [users] hashes.
std::vector<uint64_t> Alone(const AlignedBytes& bytes, uint64_t users) {
  const ModelPointer model = OpenModel(bytes);
  std::vector<uint64_t> hashes;
  for (uint64_t user = 0; user < users; ++user) {
    hashes.push_back(HotPath(model.get()).Run(kSteps, user));
    EXPECT_GT(hashes.back(), HotPath::kFailed);
    EXPECT_TRUE(user == 0 || hashes[user] != hashes[0]);
  }
  return hashes;
}

void ExpectSameAnswersAsAlone(const AlignedBytes& bytes) {
  constexpr uint64_t kUsers = 2 * kThreads;
  const std::vector<uint64_t> alone = Alone(bytes, kUsers);
  std::vector<uint64_t> together(kUsers);
  const ModelPointer model = OpenModel(bytes);
  OnThreads([&](uint64_t t) {
    HotPath path(model.get());  // two users of a thread share its memory
    for (uint64_t user = t; user < kUsers; user += kThreads) {
      together[user] = path.Run(kSteps, user);
    }
  });
  EXPECT_EQ(together, alone);
}

TEST(Threads, SameAnswersAsAlone) {
  for (const bool names : {false, true}) {
    for (const DType dtype : {DType::kInt8, DType::kF32}) {
      const GruForm form = names ? GruForm::kResetBefore : GruForm::kResetAfter;
      const Parameters parameters = RandomParameters(990, {20, 24}, form, 4);
      ExpectSameAnswersAsAlone(
          BuildTestModel(parameters, names ? NameCatalog(990) : NumberCatalog(990), dtype));
    }
  }
}

TEST(Threads, OtherKinds) {
  for (const ModelKind& kind : ModelKinds()) {
    SCOPED_TRACE(kind.name);
    const Parameters parameters = RandomParameters(kind, 300, {20}, 4);
    ExpectSameAnswersAsAlone(BuildTestModel(kind, parameters, NumberCatalog(300)));
  }
}

AlignedBytes SmallModel(uint64_t seed) {
  const Parameters parameters = RandomParameters(300, {20}, GruForm::kResetAfter, seed);
  return BuildTestModel(parameters, NumberCatalog(300), DType::kInt8, {{1, 2, 3}});
}

// A file that is gone with the object.
class File {
 public:
  File(const char* name, const AlignedBytes& bytes)
      : path_(testing::TempDir() + "stint_threads_" + name + std::to_string(getpid())) {
    std::ofstream(path_, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
  }
  ~File() { std::remove(path_.c_str()); }
  File(const File&) = delete;
  const char* path() const { return path_.c_str(); }

 private:
  std::string path_;
};

// All threads open, verified and trusted, use and close models of the same two files at one time.
TEST(Threads, OpeningAtOneTime) {
  const AlignedBytes bytes[2] = {SmallModel(1), SmallModel(2)};
  const File files[2] = {{"a", bytes[0]}, {"b", bytes[1]}};
  const std::vector<uint64_t> alone[2] = {Alone(bytes[0], kThreads), Alone(bytes[1], kThreads)};
  EXPECT_NE(alone[0], alone[1]);
  std::vector<uint64_t> failures(kThreads);
  OnThreads([&](uint64_t t) {
    for (uint64_t round = 0; round < 4; ++round) {
      const uint64_t which = (t + round) % 2;
      stint_model* model = nullptr;
      stint_error error;
      failures[t] +=
          stint_model_open_file(files[which].path(), round % 4 < 2 ? 0 : STINT_OPEN_TRUSTED, &model,
                                &error) != STINT_OK;
      if (!model) continue;
      failures[t] += stint_model_self_test(model, &error) != STINT_OK;
      failures[t] += HotPath(model).Run(kSteps, t) != alone[which][t];
      stint_model_destroy(model);
      failures[t] += stint_model_open_buffer(bytes[which].data(), bytes[which].size() - 1, 0,
                                             &model, &error) != STINT_NOT_A_MODEL;
    }
  });
  EXPECT_EQ(failures, std::vector<uint64_t>(kThreads, 0));
}

// The model that a service answers with, as an owner of a stint_model would hold it.
class Current {
 public:
  using Pointer = std::shared_ptr<const stint_model>;

  Pointer Get() {
    const std::lock_guard lock(mutex_);
    return model_;
  }
  void Replace(Pointer next) {  // the old one goes with the last session that uses it
    const std::lock_guard lock(mutex_);
    model_.swap(next);
  }

 private:
  std::mutex mutex_;
  Pointer model_;
};

// One thread replaces the model again and again; 15 follow users, each a whole session long on the
// model that it began with.
TEST(Threads, AModelIsReplacedWhileOthersUseIt) {
  constexpr uint64_t kReplacements = 40;
  const AlignedBytes bytes[2] = {SmallModel(1), SmallModel(2)};
  const File files[2] = {{"old", bytes[0]}, {"new", bytes[1]}};
  const std::vector<uint64_t> alone[2] = {Alone(bytes[0], kThreads), Alone(bytes[1], kThreads)};
  std::atomic<uint64_t> opened{0}, destroyed{0}, failures{0}, runs[2] = {};
  std::atomic<bool> done{false};
  Current current;
  const auto open = [&](uint64_t version) {
    stint_model* model = nullptr;
    const uint32_t flags = version % 3 == 0 ? STINT_OPEN_TRUSTED : 0;
    failures +=
        stint_model_open_file(files[version % 2].path(), flags, &model, nullptr) != STINT_OK;
    ++opened;
    current.Replace(Current::Pointer(model, [&](const stint_model* old) {
      stint_model_destroy(const_cast<stint_model*>(old));
      ++destroyed;
    }));
  };
  open(0);
  OnThreads([&](uint64_t t) {
    if (t == 0) {
      // Each model is used before the next one comes.
      for (uint64_t version = 1; version <= kReplacements; ++version) {
        open(version);
        const uint64_t before = runs[version % 2];
        while (runs[version % 2] == before && failures == 0) std::this_thread::yield();
      }
      done = true;
      return;
    }
    while (!done) {
      const Current::Pointer model = current.Get();
      const uint64_t hash = HotPath(model.get()).Run(kSteps, t);
      const uint64_t which = hash == alone[1][t];
      failures += hash != alone[which][t];
      ++runs[which];
    }
  });
  EXPECT_EQ(failures, 0u);
  EXPECT_EQ(opened, kReplacements + 1);
  EXPECT_EQ(destroyed, kReplacements) << "the current one alone is left";
  EXPECT_GT(runs[0], 0u);
  EXPECT_GT(runs[1], 0u);
}

}  // namespace
}  // namespace stint
