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
    ASSERT_EQ(sampler.cdf().size(), expected.size());
    for (size_t i = 0; i < expected.size(); ++i) {
      EXPECT_NEAR(sampler.cdf()[i], expected[i], 1e-15) << name << " " << i;
    }
    EXPECT_EQ(sampler.cdf().back(), 1);
  }
  EXPECT_GE(distributions, 4u);
}

TEST(NegativeSampler, FindsWhatABinarySearchFinds) {
  // Flat, steep, and with all the mass in one item early, late, and in the middle.
  std::vector<std::vector<uint32_t>> catalogs = {{1}, {3, 1}, std::vector<uint32_t>(1000, 7)};
  for (const size_t heavy : {size_t{0}, size_t{2500}, size_t{4999}}) {
    catalogs.emplace_back(5000, 1);
    catalogs.back()[heavy] = 4000000000u;
  }
  catalogs.emplace_back();
  for (uint32_t i = 1; i <= 3000; ++i) catalogs.back().push_back(1000000 / i);
  for (const std::vector<uint32_t>& counts : catalogs) {
    for (const double alpha : {0.0, 0.5, 1.0, 2.0}) {
      const NegativeSampler sampler(counts, alpha, 3);
      const auto cdf = sampler.cdf();
      const auto expected = [&](double u) {
        return static_cast<uint32_t>(std::upper_bound(cdf.begin(), cdf.end(), u) - cdf.begin());
      };
      for (size_t i = 0; i <= 4000; ++i) {
        const double u = std::min(static_cast<double>(i) / 4000, std::nextafter(1.0, 0.0));
        ASSERT_EQ(sampler.ItemAt(u), expected(u));
      }
      for (const double c : cdf) {  // at, just below and just above every step
        for (const double u : {std::nextafter(c, 0.0), c, std::nextafter(c, 1.0)}) {
          if (u < 1) {
            ASSERT_EQ(sampler.ItemAt(u), expected(u));
          }
        }
      }
    }
  }
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
