// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Session-parallel mini-batches against the golden epochs and a direct simulation.
#include "trainer/minibatch.h"

#include <gtest/gtest.h>

#include <numeric>
#include <stdexcept>

#include "tests/reference/folders.h"
#include "tests/reference/safetensors.h"
#include "trainer/random.h"

namespace stint {
namespace {

Sessions MakeSessionsOfLengths(const std::vector<size_t>& lengths) {
  Sessions sessions;
  sessions.offsets.push_back(0);
  for (size_t s = 0; s < lengths.size(); ++s) {
    for (size_t i = 0; i < lengths[s]; ++i) {
      sessions.items.push_back(static_cast<uint32_t>(100 * s + i));
    }
    sessions.offsets.push_back(sessions.items.size());
    sessions.order.push_back(static_cast<uint32_t>(s));
  }
  return sessions;
}

TEST(MiniBatch, GoldenEpochs) {
  const std::string folder = reference::GoldenDir();
  STINT_REQUIRE_PATH(folder);
  const reference::Safetensors data = reference::ReadSafetensors(folder + "/data.safetensors");
  const Dataset dataset = MakeDataset(ReadEvents(folder + "/train.tsv", {}), 0);
  struct Case {
    const char* name;
    size_t batch_size, minimum_rows;
  };
  for (const Case& c : {Case{"batches", 8, 1}, Case{"b1", 1, 1}, Case{"b3", 3, 1},
                        Case{"b8_ns0", 8, 2}, Case{"b512", 512, 1}}) {
    SCOPED_TRACE(c.name);
    const std::string name = c.name;
    const std::vector<uint32_t> rows = data[name + ".rows"].AsUint32();
    const std::vector<int32_t> inputs = data[name + ".in_idx"].AsInt32();
    const std::vector<int32_t> targets = data[name + ".out_idx"].AsInt32();
    const std::vector<int32_t> from = data[name + ".h_from"].AsInt32();
    const size_t columns = data[name + ".in_idx"].dim(1);
    MiniBatchIterator iterator(dataset.train, c.batch_size, c.minimum_rows);
    for (int epoch = 0; epoch < 2; ++epoch, iterator.Restart()) {
      MiniBatch batch;
      for (size_t step = 0; step < rows.size(); ++step) {
        ASSERT_TRUE(iterator.Next(&batch)) << step;
        ASSERT_EQ(batch.rows(), rows[step]) << step;
        for (size_t r = 0; r < batch.rows(); ++r) {
          EXPECT_EQ(static_cast<int32_t>(batch.inputs[r]), inputs[step * columns + r]);
          EXPECT_EQ(static_cast<int32_t>(batch.targets[r]), targets[step * columns + r]);
          EXPECT_EQ(batch.hidden_from[r], from[step * columns + r]) << step << " " << r;
        }
      }
      EXPECT_FALSE(iterator.Next(&batch));
      EXPECT_EQ(batch.rows(), 0u);
    }
  }
}

TEST(MiniBatch, SessionsOfOneEventGiveTheirSlotBackInTurn) {
  // Slots 0 and 1 finish together; session 2 has one event, so its slot waits until session
  // 3 has gone to slot 1.
  const Sessions sessions = MakeSessionsOfLengths({2, 2, 1, 2, 2});
  MiniBatchIterator iterator(sessions, 2, 1);
  MiniBatch batch;
  ASSERT_TRUE(iterator.Next(&batch));
  EXPECT_EQ(batch.inputs, (std::vector<uint32_t>{0, 100}));
  ASSERT_TRUE(iterator.Next(&batch));
  EXPECT_EQ(batch.inputs, (std::vector<uint32_t>{400, 300}));
  EXPECT_EQ(batch.hidden_from, (std::vector<int32_t>{-1, -1}));
  EXPECT_FALSE(iterator.Next(&batch));
}

TEST(MiniBatch, NothingToTrainOn) {
  MiniBatch batch;
  for (const auto& lengths : {std::vector<size_t>{}, {1}, {1, 1, 1}, {0, 0}}) {
    const Sessions sessions = MakeSessionsOfLengths(lengths);
    MiniBatchIterator iterator(sessions, 4, 1);
    EXPECT_FALSE(iterator.Next(&batch));
    iterator.Restart();
    EXPECT_FALSE(iterator.Next(&batch));
  }
  const Sessions sessions = MakeSessionsOfLengths({5});
  MiniBatchIterator iterator(sessions, 4, 2);  // one row is too few
  EXPECT_FALSE(iterator.Next(&batch));
}

// Whatever the lengths: each pair comes once, and the hidden state goes on inside a session.
TEST(MiniBatch, CoversEveryPairOnce) {
  const RandomCounter random(1, 1);
  uint64_t draw = 0;
  for (int round = 0; round < 200; ++round) {
    std::vector<size_t> lengths(random.Bits(draw++) % 40);
    for (size_t& length : lengths) length = random.Bits(draw++) % 6;
    const Sessions sessions = MakeSessionsOfLengths(lengths);
    const size_t batch_size = 1 + random.Bits(draw++) % 50;
    MiniBatchIterator iterator(sessions, batch_size, 1);
    MiniBatch batch;
    std::vector<uint32_t> previous_targets;
    std::vector<std::vector<bool>> seen(lengths.size(), std::vector<bool>(6));
    uint64_t pairs = 0;
    while (iterator.Next(&batch)) {
      ASSERT_LE(batch.rows(), std::min(batch_size, lengths.size()));
      for (size_t r = 0; r < batch.rows(); ++r, ++pairs) {
        ASSERT_EQ(batch.targets[r], batch.inputs[r] + 1);
        const size_t at = batch.inputs[r] % 100;
        ASSERT_FALSE(seen[batch.inputs[r] / 100][at]);
        seen[batch.inputs[r] / 100][at] = true;
        if (at == 0) {
          ASSERT_EQ(batch.hidden_from[r], -1);
        } else {
          ASSERT_EQ(previous_targets.at(static_cast<size_t>(batch.hidden_from[r])),
                    batch.inputs[r]);
        }
      }
      previous_targets = batch.targets;
    }
    ASSERT_EQ(pairs, sessions.Targets());
  }
}

TEST(MiniBatch, GoesByTheGivenOrder) {
  const Sessions sessions = MakeSessionsOfLengths({3, 2, 2, 2});
  MiniBatchIterator iterator(sessions, 2, 1);
  const std::vector<uint32_t> order = {3, 0, 2, 1};
  iterator.Restart(order);
  for (int epoch = 0; epoch < 2; ++epoch, iterator.Restart()) {
    MiniBatch batch;
    ASSERT_TRUE(iterator.Next(&batch));
    EXPECT_EQ(batch.inputs, (std::vector<uint32_t>{300, 0}));
    ASSERT_TRUE(iterator.Next(&batch));
    EXPECT_EQ(batch.inputs, (std::vector<uint32_t>{200, 1}));
    EXPECT_EQ(batch.hidden_from, (std::vector<int32_t>{-1, 1}));
    ASSERT_TRUE(iterator.Next(&batch));
    EXPECT_EQ(batch.inputs, (std::vector<uint32_t>{100}));
    EXPECT_FALSE(iterator.Next(&batch));
  }
  EXPECT_THROW(iterator.Restart(std::vector<uint32_t>{0, 1, 2}), std::invalid_argument);
}

// Saved after any mini-batch and loaded into another iterator: the same mini-batches follow.
TEST(MiniBatch, GoesOnFromASavedState) {
  const RandomCounter random(2, 1);
  std::vector<size_t> lengths(60);
  for (size_t s = 0; s < lengths.size(); ++s) lengths[s] = random.Bits(s) % 6;
  const Sessions sessions = MakeSessionsOfLengths(lengths);
  for (const size_t batch_size : {1, 7, 60}) {
    const std::vector<uint32_t> order = EpochOrder(sessions, SessionOrder::kRandom, 5, 3);
    MiniBatchIterator whole(sessions, batch_size, 1);
    whole.Restart(order);
    std::vector<MiniBatchIterator::State> states = {whole.Save()};
    std::vector<MiniBatch> batches(1);
    while (whole.Next(&batches.back())) {
      states.push_back(whole.Save());
      batches.emplace_back();
    }
    batches.pop_back();
    ASSERT_GT(batches.size(), 3u);
    MiniBatchIterator other(sessions, batch_size, 1);
    other.Restart(order);
    MiniBatch batch;
    for (size_t from = states.size(); from-- > 0;) {
      other.Load(states[from]);
      EXPECT_EQ(other.Save(), states[from]);
      for (size_t b = from; b < batches.size(); ++b) {
        ASSERT_TRUE(other.Next(&batch));
        ASSERT_EQ(batch.inputs, batches[b].inputs);
        ASSERT_EQ(batch.targets, batches[b].targets);
        ASSERT_EQ(batch.hidden_from, batches[b].hidden_from);
      }
      EXPECT_FALSE(other.Next(&batch));
    }
  }
}

TEST(MiniBatch, RefusesStatesOfOtherSessions) {
  const Sessions sessions = MakeSessionsOfLengths({3, 2, 1, 4, 2});
  MiniBatchIterator iterator(sessions, 2, 1);
  MiniBatch batch;
  ASSERT_TRUE(iterator.Next(&batch));
  const MiniBatchIterator::State good = iterator.Save();
  ASSERT_EQ(good.slots, (std::vector<MiniBatchIterator::Slot>{{0, 1, 0}, {3, 0, -1}}));
  ASSERT_EQ(good.next_session, 4u);
  using State = MiniBatchIterator::State;
  const std::vector<State> bad = {
      {6, good.slots},                           // more sessions than there are
      {1, good.slots},                           // fewer visited than in work
      {4, {{0, 1, 0}, {3, 0, -1}, {4, 0, -1}}},  // more rows than the batch size
      {4, {{5, 0, -1}}},                         // no such session
      {4, {{0, 2, 0}}},                          // its last event
      {4, {{0, UINT32_MAX, 0}}},                 // behind its end
      {4, {{2, 0, -1}}},                         // no pair in it
      {4, {{0, 1, -1}}},                         // an old session without hidden state
      {4, {{0, 0, 1}}},                          // a new one with
      {4, {{0, 1, 2}}},                          // from a row that cannot be
      {4, {{0, 1, -2}}},
      {4, {{3, 1, 0}, {3, 1, 1}}},  // one session twice
  };
  for (size_t i = 0; i < bad.size(); ++i) {
    EXPECT_THROW(iterator.Load(bad[i]), std::runtime_error) << i;
    EXPECT_EQ(iterator.Save(), good) << i;
  }
  iterator.Load(good);
  EXPECT_TRUE(iterator.Next(&batch));
}

}  // namespace
}  // namespace stint
