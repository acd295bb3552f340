// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Rows -> codes and panels, and back.
#include "trainer/quantize.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "schema/panel.h"
#include "tests/runtime/test_model.h"

namespace stint {
namespace {

TEST(Quantize, RowsRoundHalfToEven) {
  // Scale 1: codes are the values rounded.
  const float row[] = {127.0f, -127.0f, 0.5f, 1.5f, 2.5f, -0.5f, -1.5f, 3.49f, 0.0f, -0.0f};
  const int8_t expected[] = {127, -127, 0, 2, 2, 0, -2, 3, 0, 0};
  int8_t codes[10];
  EXPECT_EQ(QuantizeRow(row, 10, codes), 1.0f);
  for (size_t i = 0; i < 10; ++i) EXPECT_EQ(codes[i], expected[i]) << i;
}

TEST(Quantize, ErrorIsHalfAStepAndTheEndsAreReached) {
  const RandomCounter random(1, 1);
  for (uint64_t round = 0; round < 200; ++round) {
    const size_t cols = 1 + round % 70;
    const double size = std::exp(40 * random.Unit(round * 100 + 99) - 20);
    std::vector<float> row(cols);
    float largest = 0;
    for (size_t c = 0; c < cols; ++c) {
      row[c] = static_cast<float>(size * (2 * random.Unit(round * 100 + c) - 1));
      largest = std::max(largest, std::fabs(row[c]));
    }
    std::vector<int8_t> codes(cols);
    const float scale = QuantizeRow(row.data(), cols, codes.data());
    EXPECT_EQ(scale, largest / 127);
    int top = 0;
    for (size_t c = 0; c < cols; ++c) {
      EXPECT_NEAR(static_cast<double>(scale) * codes[c], row[c], 0.5000002 * scale);
      EXPECT_GE(codes[c], -127);
      top = std::max(top, std::abs(codes[c]));
    }
    EXPECT_EQ(top, 127);
  }
}

TEST(Quantize, ZeroAndTinyRows) {
  for (const float value : {0.0f, -0.0f, 1e-45f, 9e-31f}) {
    const std::vector<float> row(5, value);
    std::vector<int8_t> codes(5, 9);
    EXPECT_EQ(FloatBits(QuantizeRow(row.data(), 5, codes.data())), 0u);
    EXPECT_EQ(codes, std::vector<int8_t>(5, 0));
  }
}

TEST(Quantize, FourBitRows) {
  // Exact where the row has such levels, with the larger side in either sign.
  for (const float sign : {1.0f, -1.0f}) {
    std::vector<float> row;
    for (int level = -8; level <= 7; ++level) row.push_back(sign * 0.25f * level);
    std::vector<uint8_t> codes(row.size());
    const float scale = QuantizeRow4(row.data(), row.size(), codes.data());
    EXPECT_FLOAT_EQ(scale, sign * 0.25f);
    for (size_t c = 0; c < row.size(); ++c) EXPECT_EQ(codes[c], c);
  }
  const float zeros[] = {0.0f, -0.0f, 1e-31f};
  uint8_t codes[3] = {9, 9, 9};
  EXPECT_EQ(QuantizeRow4(zeros, 3, codes), 0.0f);
  EXPECT_EQ(codes[0] | codes[1] | codes[2], 0);
}

TEST(Quantize, FourBitErrors) {
  // Sixteen uniform levels of a Gaussian have a squared error of 1.15 % of the variance at best
  // (Max 1960, IRE Trans. Inf. Theory 6); a row of 100 fits its scale to itself and does better.
  const RandomCounter random(4, 4);
  uint64_t draw = 0;
  double error = 0, energy = 0;
  for (int round = 0; round < 300; ++round) {
    std::vector<float> row(100);
    for (float& w : row) {
      double sum = 0;
      for (int i = 0; i < 12; ++i) sum += random.Unit(draw++) - 0.5;
      w = static_cast<float>(sum);
    }
    std::vector<uint8_t> codes(row.size());
    const double scale = QuantizeRow4(row.data(), row.size(), codes.data());
    for (size_t c = 0; c < row.size(); ++c) {
      ASSERT_LE(codes[c], 15);
      const double miss = row[c] - scale * (codes[c] - 8);
      error += miss * miss;
      energy += double{row[c]} * row[c];
    }
  }
  EXPECT_LT(error / energy, 0.0115);
  EXPECT_GT(error / energy, 0.004);  // below it the test would measure something else
}

TEST(Quantize, Bf16RoundsHalfToEven) {
  const std::pair<float, uint16_t> cases[] = {{0.0f, 0x0000},       {-0.0f, 0x8000},
                                              {1.0f, 0x3F80},       {0x1.01p0f, 0x3F80},
                                              {0x1.03p0f, 0x3F82},  {0x1.010002p0f, 0x3F81},
                                              {-0x1.03p0f, 0xBF82}, {0x1.ffp0f, 0x4000},
                                              {1e15f, 0x5863},      {0x1.fffffep-127f, 0x0080},
                                              {0x1p-149f, 0x0000}};
  for (const auto& [weight, bits] : cases) EXPECT_EQ(RoundToBf16(weight), bits) << weight;
}

TEST(Quantize, ItemKindsComeBack) {
  for (const DType dtype : {DType::kBf16, DType::kInt4}) {
    for (const size_t rows : {1, 63, 64, 65, 200}) {
      for (const size_t cols : {1, 3, 4, 5, 100}) {
        Parameters in(rows, {cols}, GruForm::kResetAfter), out(rows, {cols}, GruForm::kResetAfter);
        const RandomCounter random(rows, cols);
        uint64_t draw = 0;
        Randomize(random, 3.0, &draw, &in.items);
        Randomize(random, 3.0, &draw, &in.item_bias);
        AlignedBytes bytes(PackedSize(dtype, rows, cols)), again(PackedSize(dtype, rows, cols));
        std::memset(bytes.data(), 0xCD, bytes.size());  // every byte must be written
        PackPanels("test", dtype, in.items, in.item_bias.data, bytes.data());
        PackPanels("test", dtype, in.items, in.item_bias.data, again.data());
        EXPECT_EQ(std::memcmp(bytes.data(), again.data(), bytes.size()), 0);
        UnpackPanels(dtype, bytes.data(), &out.items, out.item_bias.data);
        std::vector<uint8_t> codes(cols);
        for (size_t r = 0; r < rows; ++r) {
          const float scale = QuantizeRow4(in.items.Row(r), cols, codes.data());
          for (size_t c = 0; c < cols; ++c) {
            const float weight = in.items.Row(r)[c], found = out.items.Row(r)[c];
            if (dtype == DType::kInt4) {
              ASSERT_EQ(found, scale * static_cast<float>(codes[c] - 8)) << r << " " << c;
            } else {
              ASSERT_NEAR(found, weight, std::fabs(weight) / 256) << r << " " << c;
            }
          }
          ASSERT_EQ(out.item_bias.data[r], in.item_bias.data[r]);
        }
      }
    }
  }
}

TEST(Quantize, PanelsComeBack) {
  for (const DType dtype : {DType::kInt8, DType::kF32}) {
    for (const size_t rows : {1, 63, 64, 65, 200}) {
      for (const size_t cols : {1, 3, 4, 5, 100}) {
        Parameters in(rows, {cols}, GruForm::kResetAfter), out(rows, {cols}, GruForm::kResetAfter);
        const RandomCounter random(rows, cols);
        uint64_t draw = 0;
        Randomize(random, 3.0, &draw, &in.items);
        Randomize(random, 3.0, &draw, &in.item_bias);
        ASSERT_EQ(PackedSize(dtype, rows, cols) % 64, 0u);
        AlignedBytes bytes(PackedSize(dtype, rows, cols));
        std::memset(bytes.data(), 0xCD, bytes.size());  // every byte must be written
        PackPanels("test", dtype, in.items, in.item_bias.data, bytes.data());
        UnpackPanels(dtype, bytes.data(), &out.items, out.item_bias.data);
        std::vector<int8_t> codes(cols);
        for (size_t r = 0; r < rows; ++r) {
          const float scale = QuantizeRow(in.items.Row(r), cols, codes.data());
          for (size_t c = 0; c < cols; ++c) {
            const float expected = dtype == DType::kF32 ? in.items.Row(r)[c] : scale * codes[c];
            ASSERT_EQ(out.items.Row(r)[c], expected) << r << " " << c;
          }
          ASSERT_EQ(out.item_bias.data[r], in.item_bias.data[r]);
        }
        // Packing what was unpacked gives the same bytes: padding is always the same.
        AlignedBytes again(bytes.size());
        PackPanels("test", dtype, out.items, out.item_bias.data, again.data());
        if (dtype == DType::kF32) {
          EXPECT_EQ(std::memcmp(bytes.data(), again.data(), bytes.size()), 0);
        }
        const size_t lanes = rows % kTileRows;
        const uint8_t* last =
            bytes.data() + bytes.size() - PanelTileBytes(dtype == DType::kInt8, cols);
        for (size_t lane = lanes; lanes && lane < kTileRows; ++lane) {
          ASSERT_EQ(last[4 * lane] | last[4 * lane + 1] | last[4 * lane + 2] | last[4 * lane + 3],
                    0);
        }
      }
    }
  }
}

TEST(Quantize, RefusesWhatNoModelHolds) {
  Matrix m;
  std::vector<float> weights(16, 1.0f);
  m.data = weights.data();
  m.rows = 1;
  m.cols = m.stride = 16;
  AlignedBytes bytes(PackedSize(DType::kInt8, 1, 16));
  const float bad[] = {std::numeric_limits<float>::quiet_NaN(),
                       std::numeric_limits<float>::infinity(),
                       -std::numeric_limits<float>::infinity(), 1.1e15f, -1.1e15f};
  for (const float value : bad) {
    for (const DType dtype : {DType::kInt8, DType::kF32}) {
      weights[5] = value;
      try {
        PackPanels("item rows", dtype, m, nullptr, bytes.data());
        ADD_FAILURE() << value;
      } catch (const std::runtime_error& error) {
        EXPECT_EQ(std::string(error.what()).find("item rows: row 0, column 5 is "), 0u)
            << error.what();
      }
      weights[5] = 1.0f;
      try {
        PackPanels("item rows", dtype, m, &value, bytes.data());
        ADD_FAILURE() << value;
      } catch (const std::runtime_error& error) {
        EXPECT_EQ(std::string(error.what()).find("item rows: row 0, bias is "), 0u) << error.what();
      }
    }
  }
}

// Rows of a matrix, each in parts with a scale of its own, and back.
TEST(Quantize, RowsAndBack) {
  for (const size_t parts : {1, 3}) {
    for (const size_t cols : {1, 3, 4, 5, 17}) {
      const size_t rows = 5, width = parts * cols, stride = RoundUp(width, kRowAlignment);
      std::vector<float> weights(rows * stride), back(rows * stride);
      for (size_t r = 0; r < rows; ++r) {
        for (size_t c = 0; c < width; ++c) {  // parts differ in size a thousandfold
          weights[r * stride + c] = std::sin(static_cast<float>(r * 31 + c + 1)) *
                                    std::pow(1000.0f, static_cast<float>(c / cols));
        }
      }
      const Matrix in = {weights.data(), rows, width, stride};
      Matrix out = {back.data(), rows, width, stride};
      for (const DType dtype : {DType::kInt8, DType::kF32}) {
        const size_t size = RowsSize(dtype, rows, width, parts);
        EXPECT_EQ(size, dtype == DType::kF32 ? 4 * rows * width
                                             : rows * parts * (4 + (cols + 3) / 4 * 4));
        std::vector<uint8_t> bytes(size);
        PackRows("rows", dtype, in, parts, bytes.data());
        UnpackRows(dtype, bytes.data(), parts, &out);
        for (size_t r = 0; r < rows; ++r) {
          for (size_t part = 0; part < parts; ++part) {
            const float* a = in.Row(r) + part * cols;
            const float* b = out.Row(r) + part * cols;
            float largest = 0;
            for (size_t c = 0; c < cols; ++c) largest = std::max(largest, std::fabs(a[c]));
            const float half = dtype == DType::kF32 ? 0 : largest / 254 * 1.000001f;
            for (size_t c = 0; c < cols; ++c) EXPECT_NEAR(a[c], b[c], half) << r << " " << c;
          }
        }
      }
      weights[2 * stride] = std::numeric_limits<float>::infinity();
      std::vector<uint8_t> bytes(RowsSize(DType::kInt8, rows, width, parts));
      EXPECT_THROW(PackRows("rows", DType::kInt8, in, parts, bytes.data()), std::runtime_error);
    }
  }
}

}  // namespace
}  // namespace stint
