// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Session-parallel mini-batches against the golden epochs and a direct simulation.
#include "trainer/minibatch.h"

#include <gtest/gtest.h>

#include <numeric>

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

}  // namespace
}  // namespace stint
