// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Start values: bits of the golden seed-42 streams, bounds and moments of the drawn distributions,
// seeds.
#include "trainer/initialize.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "tests/reference/folders.h"
#include "tests/reference/safetensors.h"
#include "trainer/mt19937.h"

namespace stint {
namespace {

using reference::Safetensors;

constexpr Embedding kEmbeddings[] = {Embedding::kShared, Embedding::kSeparate, Embedding::kNone};
constexpr GruForm kForms[] = {GruForm::kResetAfter, GruForm::kResetBefore};

Parameters Start(const Options& options, size_t items) {
  Parameters parameters(NetworkShape::Of(options, items));
  Initialize(options, &parameters);
  return parameters;
}

bool SameBits(const Parameters& a, const Parameters& b) {
  return a.shape == b.shape && std::memcmp(a.block(), b.block(), a.block_floats() * 4) == 0;
}

// Columns [begin, end) of m, row by row.
std::vector<float> Columns(const Matrix& m, size_t begin, size_t end) {
  std::vector<float> values;
  for (size_t r = 0; r < m.rows; ++r) values.insert(values.end(), m.Row(r) + begin, m.Row(r) + end);
  return values;
}

std::vector<float> All(const Matrix& m) { return Columns(m, 0, m.cols); }

// Gate `gate` of m, [outputs, inputs] here, as the code of that form draws it: [outputs, inputs]
// (PyTorch) or [inputs, outputs] (Theano).
std::vector<float> GateBlock(const Matrix& m, size_t gate, GruForm form) {
  if (form == GruForm::kResetAfter) {
    const Matrix rows = {
        .data = m.Row(gate * m.rows / 3), .rows = m.rows / 3, .cols = m.cols, .stride = m.stride};
    return All(rows);
  }
  std::vector<float> values;
  for (size_t c = 0; c < m.cols; ++c) {
    for (size_t u = 0; u < m.rows / 3; ++u) values.push_back(m.Row(gate * m.rows / 3 + u)[c]);
  }
  return values;
}

bool IsZero(const Matrix& m) {
  return std::all_of(m.data, m.data + m.size(), [](float w) { return w == 0; });
}

TEST(InitializeTest, GoldenNumpyStream) {
  STINT_REQUIRE_PATH(reference::GoldenDir());
  const Safetensors file =
      reference::ReadSafetensors(reference::GoldenDir() + "/unit_mt19937.safetensors");
  NumpyRandom random(42);
  const std::vector<double> expected = file["rand16"].AsDouble();
  ASSERT_EQ(expected.size(), 16u);
  for (const double u : expected) ASSERT_EQ(random.Unit(), u);
  EXPECT_EQ(NumpyRandom(42).Unit(), 0.3745401188473625);
  for (const BlockRounding rounding : {BlockRounding::kFirst, BlockRounding::kLast}) {
    const std::string prefix = rounding == BlockRounding::kFirst ? "block_f32_" : "block_f64_";
    NumpyRandom blocks(42);
    for (const size_t rows : {16, 50, 12}) {
      const std::string name = prefix + std::to_string(rows) + "x16";
      EXPECT_EQ(blocks.Block(rows, 16, rounding), file[name].AsFloat()) << name;
    }
  }
}

// What the official PyTorch code starts from, to the last bit.
TEST(InitializeTest, GoldenStartOfTheTorchCode) {
  STINT_REQUIRE_PATH(reference::GoldenDir());
  for (const Embedding embedding : kEmbeddings) {
    const std::string name = embedding == Embedding::kShared     ? "init42_constrained_16"
                             : embedding == Embedding::kSeparate ? "init42_separate16_16"
                                                                 : "init42_none_16";
    SCOPED_TRACE(name);
    const Safetensors file =
        reference::ReadSafetensors(reference::GoldenDir() + "/" + name + ".safetensors");
    const Parameters p = Start(
        {.layers = {16}, .embedding = embedding, .initialization = Initialization::kCompat42}, 50);
    EXPECT_EQ(All(p.items), file["Wy"].AsFloat());
    EXPECT_EQ(All(p.item_bias), file["By"].AsFloat());
    const GruParameters& layer = p.layers[0];
    EXPECT_TRUE(IsZero(layer.input_bias));
    EXPECT_TRUE(IsZero(layer.hidden_bias));
    if (embedding == Embedding::kNone) {
      const std::vector<float> wx = file["g0.Wx"].AsFloat();    // [50, candidate | reset | update]
      const std::vector<float> wrz = file["g0.Wrz"].AsFloat();  // [16, reset | update]
      const std::vector<float> wh = file["g0.Wh"].AsFloat();    // [16, candidate]
      for (size_t item = 0; item < 50; ++item) {
        for (size_t u = 0; u < 16; ++u) {
          ASSERT_EQ(p.inputs.Row(item)[u], wx[item * 48 + 16 + u]);
          ASSERT_EQ(p.inputs.Row(item)[16 + u], wx[item * 48 + 32 + u]);
          ASSERT_EQ(p.inputs.Row(item)[32 + u], wx[item * 48 + u]);
        }
      }
      for (size_t u = 0; u < 16; ++u) {
        for (size_t h = 0; h < 16; ++h) {
          ASSERT_EQ(layer.hidden_weights.Row(u)[h], wrz[h * 32 + u]);
          ASSERT_EQ(layer.hidden_weights.Row(16 + u)[h], wrz[h * 32 + 16 + u]);
          ASSERT_EQ(layer.hidden_weights.Row(32 + u)[h], wh[h * 16 + u]);
        }
      }
      continue;
    }
    EXPECT_EQ(All(layer.input_weights), file["g0.W_ih"].AsFloat());
    EXPECT_EQ(All(layer.hidden_weights), file["g0.W_hh"].AsFloat());
    if (embedding == Embedding::kSeparate) {
      EXPECT_EQ(All(p.inputs), file["E"].AsFloat());
    }
  }
}

// The order of the draws where no published numbers exist: both forms, layers and embeddings of
// different widths.
TEST(InitializeTest, Compat42DrawsInTheOfficialOrder) {
  const size_t items = 23;
  for (const GruForm form : kForms) {
    for (const Embedding embedding : kEmbeddings) {
      SCOPED_TRACE(std::string(Name(form)) + " " + Name(embedding));
      Options options{.layers = {10, 7},
                      .gru_form = form,
                      .embedding = embedding,
                      .initialization = Initialization::kCompat42};
      if (embedding == Embedding::kSeparate) options.embedding_width = 5;
      const Parameters p = Start(options, items);
      const bool torch = form == GruForm::kResetAfter;
      NumpyRandom random(42);
      const auto next = [&](size_t inputs, size_t outputs) {
        return random.Block(inputs, outputs, torch ? BlockRounding::kFirst : BlockRounding::kLast);
      };
      const std::vector<size_t> gates =
          torch ? std::vector<size_t>{0, 1, 2} : std::vector<size_t>{2, 0, 1};
      if (embedding == Embedding::kSeparate) {
        EXPECT_EQ(All(p.inputs), next(items, 5));
      }
      if (embedding == Embedding::kNone) {
        EXPECT_EQ(Columns(p.inputs, 20, 30), next(items, 10));
        EXPECT_EQ(Columns(p.inputs, 0, 10), next(items, 10));
        EXPECT_EQ(Columns(p.inputs, 10, 20), next(items, 10));
      } else {
        const size_t inputs = embedding == Embedding::kSeparate ? 5 : 7;
        for (const size_t g : gates) {
          EXPECT_EQ(GateBlock(p.layers[0].input_weights, g, p.layers[0].form), next(inputs, 10));
        }
      }
      for (const size_t g : gates) {
        EXPECT_EQ(GateBlock(p.layers[0].hidden_weights, g, p.layers[0].form), next(10, 10));
      }
      for (const size_t g : gates) {
        EXPECT_EQ(GateBlock(p.layers[1].input_weights, g, p.layers[1].form), next(10, 7));
      }
      for (const size_t g : gates) {
        EXPECT_EQ(GateBlock(p.layers[1].hidden_weights, g, p.layers[1].form), next(7, 7));
      }
      EXPECT_EQ(All(p.items), next(items, 7));
      for (const Matrix& m : {p.item_bias, p.layers[0].input_bias, p.layers[1].input_bias}) {
        EXPECT_TRUE(IsZero(m));
      }
      options.seed = 7;  // is not used
      EXPECT_TRUE(SameBits(Start(options, items), p));
    }
  }
}

// Five standard deviations of the means of n squares and of n values; the padding is zero.
void ExpectMoments(const Matrix& m, double s, bool normal) {
  double sum = 0, squares = 0, largest = 0;
  for (const double w : All(m)) {
    sum += w;
    squares += w * w;
    largest = std::max(largest, std::abs(w));
  }
  for (size_t r = 0; r < m.rows; ++r) {
    for (size_t c = m.cols; c < m.stride; ++c) EXPECT_EQ(m.Row(r)[c], 0.0f);
  }
  const auto n = static_cast<double>(m.rows * m.cols);
  const double variance = normal ? s * s : s * s / 3;
  const double variance_of_squares = normal ? 2 * s * s * s * s : 4.0 / 45 * s * s * s * s;
  EXPECT_NEAR(sum / n, 0, 5 * std::sqrt(variance / n));
  EXPECT_NEAR(squares / n, variance, 5 * std::sqrt(variance_of_squares / n));
  if (normal) {
    EXPECT_GT(largest, 2.5 * s);
    EXPECT_LT(largest, 6 * s);
  } else {
    EXPECT_LE(largest, s * (1 + 1e-6));
    EXPECT_GT(largest, s * (1 - 20 / n));
  }
}

TEST(InitializeTest, MomentsOfEveryMatrix) {
  const size_t items = 300;
  for (const Initialization initialization : {Initialization::kUniform, Initialization::kNormal}) {
    for (const Embedding embedding : kEmbeddings) {
      for (const double sigma : {0.0, 0.25}) {
        SCOPED_TRACE(std::string(Name(initialization)) + " " + Name(embedding));
        Options options{.layers = {40, 60},
                        .embedding = embedding,
                        .initialization = initialization,
                        .init_sigma = sigma};
        if (embedding == Embedding::kSeparate) options.embedding_width = 20;
        const Parameters p = Start(options, items);
        const auto expect = [&](const Matrix& m, size_t fan_in, size_t fan_out) {
          const double s =
              sigma > 0 ? sigma : std::sqrt(6.0 / static_cast<double>(fan_in + fan_out));
          ExpectMoments(m, s, initialization == Initialization::kNormal);
        };
        if (embedding == Embedding::kShared) expect(p.layers[0].input_weights, 60, 40);
        if (embedding == Embedding::kSeparate) {
          expect(p.layers[0].input_weights, 20, 40);
          expect(p.inputs, items, 20);
        }
        if (embedding == Embedding::kNone) expect(p.inputs, items, 40);
        expect(p.layers[0].hidden_weights, 40, 40);
        expect(p.layers[1].input_weights, 40, 60);
        expect(p.layers[1].hidden_weights, 60, 60);
        expect(p.items, items, 60);
        EXPECT_TRUE(IsZero(p.item_bias));
        for (const GruParameters& layer : p.layers) {
          EXPECT_TRUE(IsZero(layer.input_bias));
          EXPECT_TRUE(IsZero(layer.hidden_bias));
        }
      }
    }
  }
}

// The share of draws below each of some values is that of the normal distribution, and neighbors
// (which come from the same two uniform numbers) are uncorrelated.
TEST(InitializeTest, NormalIsNormal) {
  const Parameters p =
      Start({.layers = {100}, .initialization = Initialization::kNormal, .init_sigma = 1.0}, 2000);
  const std::vector<float> draws = All(p.items);
  const auto n = static_cast<double>(draws.size());
  for (double x = -3; x <= 3; x += 0.5) {
    const auto below = std::count_if(draws.begin(), draws.end(), [&](float w) { return w < x; });
    const double expected = std::erfc(-x / std::sqrt(2.0)) / 2;
    EXPECT_NEAR(static_cast<double>(below) / n, expected,
                5 * std::sqrt(expected * (1 - expected) / n))
        << x;
  }
  for (const size_t lag : {1, 2, 100}) {
    double sum = 0;
    for (size_t i = lag; i < draws.size(); ++i) sum += double{draws[i]} * draws[i - lag];
    EXPECT_NEAR(sum / n, 0, 5 / std::sqrt(n)) << lag;
  }
}

TEST(InitializeTest, FollowsTheSeed) {
  for (const Initialization initialization : {Initialization::kUniform, Initialization::kNormal}) {
    for (const Embedding embedding : kEmbeddings) {
      Options options{
          .layers = {10}, .embedding = embedding, .initialization = initialization, .seed = 1};
      const Parameters a = Start(options, 30), b = Start(options, 30);
      options.seed = 2;
      EXPECT_TRUE(SameBits(a, b));
      EXPECT_FALSE(SameBits(a, Start(options, 30)));
    }
  }
}

// Same seed, same model, on any machine and in later versions: the bits of all start values.
uint64_t MixedBits(const Parameters& p) {
  uint64_t mixed = 0;
  for (size_t i = 0; i < p.block_floats(); ++i) {
    mixed = mixed * 0x9E3779B97F4A7C15u + std::bit_cast<uint32_t>(p.block()[i]);
  }
  return mixed;
}

TEST(InitializeTest, BitsArePinned) {
  Options options{.layers = {10, 7}};
  EXPECT_EQ(MixedBits(Start(options, 23)), 5405631883136135716u);
  options.initialization = Initialization::kNormal;
  EXPECT_EQ(MixedBits(Start(options, 23)), 8926053482496425280u);
}

}  // namespace
}  // namespace stint
