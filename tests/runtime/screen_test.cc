// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The screen of a tile with four vectors against the values of the tile: nothing is missed, on
// every target that has one, also where codes are as bad as they can be; and it says little in
// vain.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "runtime/batch.h"
#include "runtime/kernels.h"
#include "tests/runtime/test_model.h"

namespace stint {
namespace {

constexpr float kLowest = -std::numeric_limits<float>::infinity();

// Int8 panels of one tile, and four vectors as the target in use takes them.
class Screen {
 public:
  Screen(size_t columns, uint64_t seed)
      : columns_(columns), kernels_(GetKernels()), random_(seed, 5) {
    const size_t bytes = PanelTileBytes(true, columns);
    tile_ = AlignedBytes(bytes);
    float* const scales = reinterpret_cast<float*>(tile_.data());  // [64], then biases [64]
    for (size_t i = 0; i < 2 * kTileRows; ++i) {
      scales[i] = static_cast<float>(i < kTileRows ? Draw() * 0.01 : Draw() * 2 - 1);
    }
    scales[5] = 0;  // as rows past the last one have it
    for (size_t i = kInt8HeaderBytes; i < bytes; ++i) {
      tile_.data()[i] = static_cast<uint8_t>(1 + static_cast<int>(Draw() * 254.999));
    }
    panels_ = {tile_.data(), kTileRows, static_cast<uint32_t>(columns), 1, bytes};
    x_.resize(columns);
    for (size_t v = 0; v < kScreenVectors; ++v) {
      rooms_[v] = AlignedBytes(QuantizedBytes(columns));
      for (float& x : x_) x = static_cast<float>(Draw() * 2 - 1);
      SetVector(v, x_);
    }
  }

  void SetVector(size_t v, const std::vector<float>& x) {
    kernels_.quantize(x.data(), columns_, reinterpret_cast<int8_t*>(rooms_[v].data()),
                      &vectors_[v]);
  }

  // Rows take the code that adds most with the low plane of vector 0: what the slack is for.
  void TakeWorstCodes(uint32_t row) {
    for (size_t j = 0; j < columns_; ++j) {
      tile_.data()[kInt8HeaderBytes + j / kStepColumns * kStepBytes + row * kStepColumns +
                   j % kStepColumns] = vectors_[0].low[j] < 0 ? 1 : 255;
    }
  }

  // What the screen says with these thresholds; `slack` false: as if low planes added nothing.
  uint32_t Ask(const float* thresholds, bool slack = true) {
    ScreenVector x[kScreenVectors];
    for (size_t v = 0; v < kScreenVectors; ++v) {
      x[v] = PrepareScreen(vectors_[v], columns_);
      if (!slack) x[v].slack = 0;
    }
    return kernels_.int8_screen(panels_, 0, x, thresholds);
  }

  // values[64] of vector v.
  std::vector<float> Values(size_t v) {
    AlignedBytes room(kTileRows * sizeof(float));
    kernels_.int8_product(panels_, 0, 1, vectors_[v], reinterpret_cast<float*>(room.data()));
    std::vector<float> out(kTileRows);
    std::memcpy(out.data(), room.data(), room.size());
    return out;
  }

  // The largest bound of the tile's values with vector v, in double: see screen-inl.h.
  double LargestBound(size_t v) {
    const float* const scales = reinterpret_cast<const float*>(tile_.data());
    double most = -1e300;
    for (size_t row = 0; row < kTileRows; ++row) {
      int64_t high = 0, low = 0;
      for (size_t j = 0; j < columns_; ++j) {
        const int code =
            static_cast<int>(tile_.data()[kInt8HeaderBytes + j / kStepColumns * kStepBytes +
                                          row * kStepColumns + j % kStepColumns]) -
            128;
        high += code * vectors_[v].high[j];
        low += std::abs(vectors_[v].low[j]);
      }
      const double bound = 256.0 * static_cast<double>(high + (127 * low + 255) / 256);
      most = std::max(most, bound * scales[row] * vectors_[v].step + scales[kTileRows + row]);
    }
    return most;
  }

  double Draw() { return random_.Unit(draws_++); }

 private:
  size_t columns_;
  Kernels kernels_;
  RandomCounter random_;
  uint64_t draws_ = 0;
  AlignedBytes tile_;
  Panels panels_;
  std::vector<float> x_;
  AlignedBytes rooms_[kScreenVectors];
  QuantizedVector vectors_[kScreenVectors];
};

constexpr size_t kColumns[] = {1, 3, 4, 7, 64, 100, 129, 520, 521, 2000};

template <class Body>
void ForEachScreen(const Body& body) {
  ForEachTarget([&] {
    const Kernels kernels = GetKernels();
    ASSERT_EQ(kernels.int8_screen != nullptr, kernels.byte_planes);
    if (!kernels.int8_screen) return;
    for (const size_t columns : kColumns) {
      SCOPED_TRACE(columns);
      body(columns);
    }
  });
}

TEST(Screen, MissesNothing) {
  ForEachScreen([](size_t columns) {
    for (uint64_t seed = 0; seed < 20; ++seed) {
      Screen screen(columns, seed * 100 + columns);
      float thresholds[kScreenVectors];
      for (size_t v = 0; v < kScreenVectors; ++v) {
        const std::vector<float> values = screen.Values(v);
        const float most = *std::max_element(values.begin(), values.end());
        thresholds[v] = std::nextafter(most, kLowest);
      }
      EXPECT_EQ(screen.Ask(thresholds), 15u);
      for (float& t : thresholds) t = kLowest;
      EXPECT_EQ(screen.Ask(thresholds), 15u);
    }
  });
}

TEST(Screen, SaysNothingAboveItsBound) {
  ForEachScreen([](size_t columns) {
    for (uint64_t seed = 0; seed < 20; ++seed) {
      Screen screen(columns, seed * 100 + columns);
      for (size_t v = 0; v < kScreenVectors; ++v) {
        float thresholds[kScreenVectors];
        std::fill_n(thresholds, kScreenVectors, 3e38f);
        const double bound = screen.LargestBound(v), room = 1e-5 * (1 + std::abs(bound));
        thresholds[v] = static_cast<float>(bound + room);
        EXPECT_EQ(screen.Ask(thresholds), 0u) << v;
        thresholds[v] = static_cast<float>(bound - room);
        EXPECT_EQ(screen.Ask(thresholds), 1u << v);
      }
    }
  });
}

// Codes that make the most of the low plane: the bound holds, and would not without its slack.
TEST(Screen, SlackIsNeeded) {
  size_t missed = 0, asked = 0;
  ForEachScreen([&](size_t columns) {
    for (uint64_t seed = 0; seed < 20; ++seed) {
      Screen screen(columns, seed * 100 + columns);
      for (uint32_t row = 0; row < kTileRows; ++row) screen.TakeWorstCodes(row);
      const std::vector<float> values = screen.Values(0);
      const float most = *std::max_element(values.begin(), values.end());
      const float thresholds[kScreenVectors] = {std::nextafter(most, kLowest), 3e38f, 3e38f, 3e38f};
      EXPECT_EQ(screen.Ask(thresholds), 1u);
      ++asked;
      missed += screen.Ask(thresholds, /*slack=*/false) == 0;
    }
  });
  EXPECT_GE(missed, asked / 2);
}

TEST(Screen, ZeroVector) {
  ForEachScreen([](size_t columns) {
    Screen screen(columns, 1);
    screen.SetVector(2, std::vector<float>(columns, 0.0f));
    const std::vector<float> values = screen.Values(2);  // the biases
    const float most = *std::max_element(values.begin(), values.end());
    float thresholds[kScreenVectors] = {3e38f, 3e38f, most, 3e38f};
    EXPECT_EQ(screen.Ask(thresholds), 0u);
    thresholds[2] = std::nextafter(most, kLowest);
    EXPECT_EQ(screen.Ask(thresholds), 4u);
  });
}

}  // namespace
}  // namespace stint
