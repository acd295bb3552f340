// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The sampler against the golden draws, a binary search and the exact distribution.
#include "trainer/negative_sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "tests/reference/folders.h"
#include "tests/reference/safetensors.h"

namespace stint {
namespace {

TEST(NegativeSampler, GoldenDraws) {
  const std::string folder = reference::GoldenDir();
  STINT_REQUIRE_PATH(folder);
  const reference::Safetensors data = reference::ReadSafetensors(folder + "/data.safetensors");
  const NegativeSampler sampler(data["cdf"].AsDouble(), 1);
  const std::vector<double> u = data["u"].AsDouble();
  const std::vector<uint32_t> items = data["negatives"].AsUint32();
  for (size_t i = 0; i < u.size(); ++i) EXPECT_EQ(sampler.ItemAt(u[i]), items[i]) << u[i];
}

TEST(NegativeSampler, GoldenDistributions) {
  const std::string folder = reference::GoldenDir();
  STINT_REQUIRE_PATH(folder);
  const reference::Safetensors data = reference::ReadSafetensors(folder + "/data.safetensors");
  const std::vector<uint32_t> counts = data["counts"].AsUint32();
  size_t distributions = 0;
  for (const auto& [name, tensor] : data.tensors) {
    const std::string prefix = "cdf64.alpha";
    if (name.rfind(prefix, 0) != 0) continue;
    ++distributions;
    const NegativeSampler sampler(counts, std::stod(name.substr(prefix.size())), 1);
    const std::vector<double> expected = tensor.AsDouble();
    ASSERT_EQ(sampler.size(), expected.size());
    for (uint32_t i = 0; i < expected.size(); ++i) {
      EXPECT_NEAR(sampler.Cumulative(i), expected[i], 1e-15) << name << " " << i;
    }
    EXPECT_EQ(sampler.Cumulative(static_cast<uint32_t>(sampler.size() - 1)), 1);
  }
  EXPECT_GE(distributions, 4u);
}

// Flat, steep, and with all the mass in one item early, late, and in the middle.
std::vector<std::vector<uint32_t>> Catalogs() {
  std::vector<std::vector<uint32_t>> catalogs = {{1}, {3, 1}, std::vector<uint32_t>(1000, 7)};
  for (const size_t heavy : {size_t{0}, size_t{2500}, size_t{4999}}) {
    catalogs.emplace_back(5000, 1);
    catalogs.back()[heavy] = 4000000000u;
  }
  catalogs.emplace_back();
  for (uint32_t i = 1; i <= 3000; ++i) catalogs.back().push_back(1000000 / i);
  return catalogs;
}

TEST(NegativeSampler, FindsWhatABinarySearchFinds) {
  for (const std::vector<uint32_t>& counts : Catalogs()) {
    for (const double alpha : {0.0, 0.5, 1.0, 2.0}) {
      // A distribution in double, steps of 2^-53.
      std::vector<double> cdf;
      double sum = 0;
      for (const uint32_t count : counts) cdf.push_back(sum += std::pow(count, alpha));
      for (double& c : cdf) c = std::floor(c / sum * 0x1p53) * 0x1p-53;
      cdf.back() = 1;
      const NegativeSampler sampler(cdf, 3);
      const auto expected = [&](double u) {
        return static_cast<uint32_t>(std::upper_bound(cdf.begin(), cdf.end(), u) - cdf.begin());
      };
      for (size_t i = 0; i < 4000; ++i) {
        const double u = static_cast<double>(i) / 4096;
        ASSERT_EQ(sampler.ItemAt(u), expected(u));
      }
      ASSERT_EQ(sampler.ItemAt(std::nextafter(1.0, 0.0)), expected(std::nextafter(1.0, 0.0)));
      for (const double c : cdf) {  // at, just below and just above every step
        for (const double u : {c - 0x1p-53, c, c + 0x1p-53}) {
          if (u >= 0 && u < 1) {
            ASSERT_EQ(sampler.ItemAt(u), expected(u));
          }
        }
      }
    }
  }
}

// The intervals of the fixed-point distribution, from their ends.
TEST(NegativeSampler, EveryIntervalIsItsItem) {
  for (const std::vector<uint32_t>& counts : Catalogs()) {
    for (const double alpha : {0.0, 0.5, 0.75, 1.0}) {
      const NegativeSampler sampler(counts, alpha, 3);
      long double sum = 0;
      for (const uint32_t count : counts) sum += std::pow(static_cast<long double>(count), alpha);
      double before = 0;
      for (uint32_t i = 0; i < counts.size(); ++i) {
        const auto p = std::pow(static_cast<long double>(counts[i]), alpha) / sum;
        // 2^-64 of rounding at either end, then the double of the result.
        ASSERT_NEAR(sampler.Probability(i), static_cast<double>(p), 0x1p-63 + 1e-15 * p);
        // Of doubles, those at least 2^-53 inside the interval are surely the item's.
        if (sampler.Probability(i) > 0x1p-50) {
          ASSERT_EQ(sampler.ItemAt(before + 0x1p-52), i);
          ASSERT_EQ(sampler.ItemAt(sampler.Cumulative(i) - 0x1p-52), i);
        }
        before = sampler.Cumulative(i);
      }
      ASSERT_EQ(before, 1);
    }
  }
}

// 5 million items, of which most are rare: each has its probability to 1e-9 of itself.
TEST(NegativeSampler, ProbabilitiesOfMillionsOfItems) {
  constexpr uint32_t kItems = 5000000;
  constexpr double kAlpha = 0.75;
  std::vector<uint32_t> counts(kItems);
  const RandomCounter random(1, 99);
  for (uint32_t i = 0; i < kItems; ++i) {  // a power law, in no order
    counts[i] = static_cast<uint32_t>(std::min(1 / (random.Unit(i) + 1e-9), 2e8));
  }
  counts[kItems - 1] = 1;  // the newest
  const NegativeSampler sampler(counts, kAlpha, 1);
  long double sum = 0;
  for (const uint32_t count : counts) sum += std::pow(static_cast<long double>(count), 0.75L);
  double worst = 0;
  double rarest = 1;
  for (uint32_t i = 0; i < kItems; ++i) {
    const auto p = static_cast<double>(std::pow(static_cast<long double>(counts[i]), 0.75L) / sum);
    worst = std::max(worst, std::abs(sampler.Probability(i) / p - 1));
    rarest = std::min(rarest, p);
  }
  RecordProperty("worst_relative_error", std::to_string(worst * 1e15) + "e-15");
  EXPECT_LT(worst, 1e-9);
  EXPECT_LT(rarest, 1e-7);
  EXPECT_EQ(sampler.Cumulative(kItems - 1), 1);
}

TEST(NegativeSampler, TheSameDrawsEverywhere) {
  std::vector<uint32_t> counts(100000);
  for (uint32_t i = 0; i < counts.size(); ++i) counts[i] = 1 + 1000000 / (i + 1);
  std::vector<uint32_t> draws(100000);
  uint64_t hash = 0;
  for (const double alpha : {0.0, 0.3, 0.5, 0.75, 1.0}) {
    NegativeSampler(counts, alpha, 5).Sample(7, draws);
    for (const uint32_t item : draws) hash = MixBits(hash + item);
  }
  EXPECT_EQ(hash, 6953013919494866567u);
}

TEST(NegativeSampler, DrawsFollowTheDistribution) {
  const std::vector<uint32_t> counts = {1, 4, 9, 16, 100, 400, 25};
  const NegativeSampler sampler(counts, 0.5, 42);  // weights 1 2 3 4 10 20 5, sum 45
  std::vector<uint32_t> draws(450000);
  sampler.Sample(0, draws);
  std::vector<double> seen(counts.size());
  for (const uint32_t item : draws) ++seen.at(item);
  double chi_square = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    const double expected = std::sqrt(counts[i]) * 10000;
    chi_square += (seen[i] - expected) * (seen[i] - expected) / expected;
  }
  EXPECT_LT(chi_square, 22.5);  // 6 degrees of freedom: exceeded once in 1000 seeds
}

TEST(NegativeSampler, AStreamIsItsSeedAndPlace) {
  const std::vector<uint32_t> counts(300, 2);
  const NegativeSampler sampler(counts, 0.5, 7);
  std::vector<uint32_t> whole(1000);
  sampler.Sample(5, whole);
  std::vector<uint32_t> parts(1000);
  sampler.Sample(5, std::span(parts).first(333));
  sampler.Sample(5 + 333, std::span(parts).subspan(333));
  EXPECT_EQ(whole, parts);
  NegativeSampler(counts, 0.5, 8).Sample(5, parts);
  EXPECT_NE(whole, parts);
}

TEST(NegativeSampler, BadDistributions) {
  using Cdf = std::vector<double>;
  EXPECT_THROW(NegativeSampler(Cdf{}, 1), std::invalid_argument);
  EXPECT_THROW(NegativeSampler(Cdf{0.5, 0.4, 1}, 1), std::invalid_argument);
  EXPECT_THROW(NegativeSampler(Cdf{0.5, 0.9}, 1), std::invalid_argument);
  EXPECT_THROW(NegativeSampler(Cdf{0.5, 1.1}, 1), std::invalid_argument);
  EXPECT_THROW(NegativeSampler(Cdf{std::numeric_limits<double>::quiet_NaN(), 1}, 1),
               std::invalid_argument);
  EXPECT_THROW(NegativeSampler(std::vector<uint32_t>{}, 0.5, 1), std::invalid_argument);
  EXPECT_THROW(NegativeSampler(std::vector<uint32_t>{1, 0}, 0.5, 1), std::invalid_argument);
  EXPECT_THROW(NegativeSampler(std::vector<uint32_t>{10, 10}, 1e6, 1), std::invalid_argument);
}

}  // namespace
}  // namespace stint
