// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Probabilities against a softmax in float64 of the same scores, and their bits: on every target,
// for any set of items, and those written down here.
#include <gtest/gtest.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

#include "tests/runtime/scalar_model.h"
#include "tests/runtime/test_model.h"

namespace stint {
namespace {

// Of stint.h: 2e-6 is proven, what is seen stays below half of it.
constexpr double kRelativeError = 1e-6;

std::vector<double> Softmax64(const std::vector<float>& scores) {
  const double top = *std::max_element(scores.begin(), scores.end());
  std::vector<double> p;
  for (const float s : scores) p.push_back(std::exp(s - top));
  const double sum = std::accumulate(p.begin(), p.end(), 0.0);
  for (double& v : p) v /= sum;
  return p;
}

// Of all items.
std::vector<float> Probabilities(stint_session* session, size_t items) {
  std::vector<uint32_t> all(items);
  std::iota(all.begin(), all.end(), 0u);
  std::vector<float> p(items);
  EXPECT_EQ(stint_item_probabilities(session, all.data(), items, p.data()), STINT_OK);
  return p;
}

void CheckAgainstFloat64(stint_session* session, const std::vector<float>& scores) {
  const std::vector<float> p = Probabilities(session, scores.size());
  const std::vector<double> expected = Softmax64(scores);
  double largest = 0;
  for (size_t i = 0; i < p.size(); ++i) {
    if (expected[i] < 1e-37) {
      ASSERT_LE(p[i], 1.001e-37) << i;
      ASSERT_GE(p[i], 0.0f);
      continue;
    }
    largest = std::max(largest, std::fabs(p[i] - expected[i]) / expected[i]);
  }
  ASSERT_LE(largest, kRelativeError);
  ASSERT_NEAR(std::accumulate(p.begin(), p.end(), 0.0), 1.0, kRelativeError);
}

TEST(Probability, OfTheScalarModelsScores) {
  ForEachTarget([&] {
    for (const DType dtype : kDTypes) {
      for (const size_t items : {1, 2, 63, 64, 65, 700}) {
        const Parameters parameters = RandomParameters(items, {9}, GruForm::kResetAfter, items);
        const AlignedBytes bytes = BuildTestModel(parameters, NumberCatalog(items), dtype);
        const ModelPointer model = OpenModel(bytes);
        const SessionPointer session = NewSession(model.get(), 1);
        ScalarModel scalar(parameters, dtype);
        for (uint32_t step = 0; step < 4; ++step) {
          const uint32_t item = static_cast<uint32_t>(step % items);
          ASSERT_EQ(stint_observe(session.get(), item), STINT_OK);
          scalar.Step(item);
          CheckAgainstFloat64(session.get(), scalar.Scores());
          if (testing::Test::HasFatalFailure()) return;
        }
      }
    }
  });
}

// Rows of zeros score their bias: any scores can be had.
class GivenScores {
 public:
  explicit GivenScores(const std::vector<float>& scores) {
    Parameters parameters({.items = scores.size(), .layers = {4}});
    std::copy(scores.begin(), scores.end(), parameters.item_bias.Row(0));
    bytes_ = BuildTestModel(parameters, NumberCatalog(scores.size()), DType::kF32);
    model_ = OpenModel(bytes_);
    session_ = NewSession(model_.get(), 10);
    EXPECT_EQ(stint_observe(session_.get(), 0), STINT_OK);
  }
  stint_session* session() { return session_.get(); }

 private:
  AlignedBytes bytes_;
  ModelPointer model_{nullptr, stint_model_destroy};
  SessionPointer session_{nullptr, stint_session_destroy};
};

TEST(Probability, OfHardScores) {
  std::vector<std::vector<float>> cases;
  for (const size_t items : {1, 64, 1000, 20000}) {
    std::vector<float> rising(items), falling(items), flat(items, 3.25f), large(items), wide(items);
    std::vector<float> crowd(items, -0.3f), steps(items), tiny(items);
    for (size_t i = 0; i < items; ++i) {
      const double unit = static_cast<double>(MixBits(i) >> 11) * 0x1p-53;
      rising[i] = static_cast<float>(i) * 0.01f;
      falling[i] = static_cast<float>(items - i) * 0.37f;
      large[i] = static_cast<float>(1e4 + 5 * unit);  // exp() of it is no float
      wide[i] = static_cast<float>(400 * unit - 200);
      steps[i] = 15.9f * static_cast<float>(i / 64);  // just inside the window, tile by tile
      tiny[i] = static_cast<float>(unit * 1e-30);
    }
    crowd[items - 1] = 13.7f;  // one against all, at the end
    std::vector<float> negative = large;
    for (float& s : negative) s = -s;
    cases.insert(cases.end(), {rising, falling, flat, large, wide, crowd, steps, tiny, negative});
    for (float& s : steps) s *= 1.1f;  // just outside
    cases.push_back(steps);
  }
  cases.push_back({1e15f, -1e15f, 1e15f});  // the largest that a file may hold
  cases.push_back({-1e15f, -1e15f});
  ForEachTarget([&] {
    for (const std::vector<float>& scores : cases) {
      SCOPED_TRACE(&scores - cases.data());
      CheckAgainstFloat64(GivenScores(scores).session(), scores);
      if (testing::Test::HasFatalFailure()) return;
    }
  });
}

TEST(Probability, SetsAndOrderDoNotMatter) {
  const size_t items = 500;
  const Parameters parameters = RandomParameters(items, {11}, GruForm::kResetAfter, 5);
  for (const DType dtype : kDTypes) {
    const AlignedBytes bytes = BuildTestModel(parameters, NumberCatalog(items), dtype);
    const ModelPointer model = OpenModel(bytes);
    const SessionPointer session = NewSession(model.get(), 200);
    for (const bool clicked : {false, true}) {
      if (clicked) {
        ASSERT_EQ(stint_observe(session.get(), 4), STINT_OK);
      }
      const std::vector<float> all = Probabilities(session.get(), items);
      for (size_t count = 1; count <= 40; ++count) {
        std::vector<uint32_t> asked(count);
        std::vector<float> some(count);
        for (size_t i = 0; i < count; ++i) asked[i] = MixBits(count * 77 + i) % items;
        ASSERT_EQ(stint_item_probabilities(session.get(), asked.data(), count, some.data()),
                  STINT_OK);
        for (size_t i = 0; i < count; ++i) {
          ASSERT_EQ(FloatBits(some[i]), FloatBits(all[asked[i]]));
        }
      }
      std::vector<stint_recommendation> top(200);
      size_t count;
      ASSERT_EQ(stint_recommend(session.get(), 200, nullptr, top.data(), &count), STINT_OK);
      std::vector<float> some(count);
      ASSERT_EQ(stint_top_probabilities(session.get(), top.data(), count, some.data()), STINT_OK);
      for (size_t i = 0; i < count; ++i) {
        ASSERT_EQ(FloatBits(some[i]), FloatBits(all[top[i].item]));
        ASSERT_LE(some[i], some[i > 0 ? i - 1 : 0]);
      }
    }
  }
}

TEST(Probability, AnEmptySessionSharesByPopularity) {
  Parameters parameters({.items = 4, .layers = {4}});
  Catalog catalog = NumberCatalog(4);
  catalog.counts = {30, 0, 10, 60};
  const AlignedBytes bytes = BuildTestModel(parameters, catalog, DType::kInt8);
  const ModelPointer model = OpenModel(bytes);
  const SessionPointer session = NewSession(model.get(), 4);
  EXPECT_EQ(Probabilities(session.get(), 4), (std::vector<float>{0.3f, 0.0f, 0.1f, 0.6f}));
}

TEST(Probability, WrittenDown) {
  // Made on x86-64 (AVX3_SPR), 2026-11; see targets_test.cc.
  const uint64_t expected[] = {0xa43d91a26bfac136, 0xacb696efae064e78, 0x7c6d964245c80919,
                               0x32d93847ad85862};  // [DType]
  for (const DType dtype : kDTypes) {
    const Parameters parameters = RandomParameters(1111, {37, 50}, GruForm::kResetAfter, 2026);
    const AlignedBytes bytes = BuildTestModel(parameters, NumberCatalog(1111), dtype);
    ForEachTarget([&] {
      const ModelPointer model = OpenModel(bytes);
      const SessionPointer session = NewSession(model.get(), 1);
      std::vector<float> values;
      for (uint32_t step = 0; step < 20; ++step) {
        const std::vector<float> p = Probabilities(session.get(), 1111);
        values.insert(values.end(), p.begin(), p.end());
        ASSERT_EQ(stint_observe(session.get(), MixBits(step) % 1111), STINT_OK);
      }
      const uint64_t hash = XXH3_64bits(values.data(), values.size() * sizeof(float));
      EXPECT_EQ(hash, expected[static_cast<size_t>(dtype)]) << std::hex << hash;
    });
  }
}

}  // namespace
}  // namespace stint
