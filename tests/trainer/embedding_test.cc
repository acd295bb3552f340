// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Item rows into a mini-batch, and the two layouts of a mini-batch into each other; at odd sizes
// and in parts.
#include "trainer/embedding.h"

#include <gtest/gtest.h>

#include "tests/reference/kernels.h"
#include "trainer/initialize.h"
#include "trainer/parameters.h"

namespace stint {
namespace {

using reference::Floats;

constexpr float kUntouched = 77.0f;

TEST(EmbeddingTest, RowsBecomeColumns) {
  reference::ForEachTarget([](int64_t) {
    for (const size_t width : {1, 3, 16, 17, 40}) {
      for (const size_t rows : {1, 2, 15, 16, 17, 33}) {
        SCOPED_TRACE("width " + std::to_string(width) + " rows " + std::to_string(rows));
        const size_t batch = RoundUp(rows, kRowAlignment) + kRowAlignment;
        Parameters p(9, {width}, GruForm::kResetBefore);
        Initialize(Options{.seed = 1}, &p);
        std::vector<uint32_t> inputs;
        for (size_t i = 0; i < rows; ++i) inputs.push_back(static_cast<uint32_t>(i * 5 % 9));
        Floats x(width * batch, kUntouched);
        const size_t begin = rows / 3, end = rows - rows / 4;
        Rows table = Rows::Of(p.items);
        table.index = inputs.data();
        EmbeddingForward(table, width, batch, begin, end, x.data());
        for (size_t c = 0; c < width; ++c) {
          for (size_t i = 0; i < batch; ++i) {
            const float expected = i < begin || i >= end ? kUntouched : p.items.Row(inputs[i])[c];
            ASSERT_EQ(x[c * batch + i], expected) << "feature " << c << " session " << i;
          }
        }
      }
    }
  });
}

TEST(EmbeddingTest, SessionRowsTransposesItsFeatures) {
  std::mt19937_64 random(1);
  for (const size_t features : {1, 15, 16, 31, 40}) {
    for (const size_t batch : {16, 32, 48}) {
      SCOPED_TRACE("features " + std::to_string(features) + " batch " + std::to_string(batch));
      const size_t stride = RoundUp(features + 1, kRowAlignment);
      Floats x(features * batch), rows(batch * stride, kUntouched);
      x.Randomize(random, 1);
      const size_t begin = features / 3, end = features - features / 4, n_rows = batch - 5;
      SessionRows(x.data(), n_rows, batch, begin, end, rows.data(), stride);
      for (size_t i = 0; i < batch; ++i) {
        for (size_t c = 0; c < stride; ++c) {
          const bool inside = i < n_rows && c >= begin && c < end;
          ASSERT_EQ(rows[i * stride + c], inside ? x[c * batch + i] : kUntouched);
        }
      }
    }
  }
}

TEST(EmbeddingTest, LanesGoOnWhereTheyCameFrom) {
  std::mt19937_64 random(2);
  constexpr size_t kFeatures = 7, kBatch = 16;
  Floats from(kFeatures * kBatch), to(kFeatures * kBatch, kUntouched);
  from.Randomize(random, 1);
  const std::vector<int32_t> rows = {3, -1, 15, 0, 3};
  std::vector<uint32_t> moved;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i] != static_cast<int32_t>(i)) moved.push_back(static_cast<uint32_t>(i));
  }
  GatherLanes(from.data(), rows.data(), moved, rows.size(), kBatch, 2, 6, to.data());
  for (size_t c = 0; c < kFeatures; ++c) {
    for (size_t i = 0; i < kBatch; ++i) {
      float expected = kUntouched;
      if (c >= 2 && c < 6) {
        expected = i < rows.size() && rows[i] >= 0 ? from[c * kBatch + static_cast<size_t>(rows[i])]
                                                   : 0.0f;
      }
      ASSERT_EQ(to[c * kBatch + i], expected) << c << " " << i;
    }
  }
}

}  // namespace
}  // namespace stint
