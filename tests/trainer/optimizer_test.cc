// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Adagrad with momentum on dense arrays and on the touched rows of a table: against float64 and
// the golden vectors, at odd lengths, on every SIMD target.
#include "trainer/optimizer.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>

#include "tests/reference/folders.h"
#include "tests/reference/kernels.h"
#include "tests/reference/network.h"
#include "tests/reference/safetensors.h"
#include "trainer/parameters.h"

namespace stint {
namespace {

using reference::Floats;
using reference::ForEachTarget;

TEST(OptimizerTest, UpdateAgreesWithFloat64) {
  ForEachTarget([](int64_t) {
    for (const size_t n : {0, 1, 3, 15, 16, 17, 48, 100}) {
      for (const float momentum : {0.0f, 0.4f}) {
        for (const size_t occurrences : {1, 2, 3, 9}) {
          SCOPED_TRACE("n " + std::to_string(n) + " momentum " + std::to_string(momentum) +
                       " occurrences " + std::to_string(occurrences));
          std::mt19937_64 random(n + occurrences);
          const size_t padded = RoundUp(n, kRowAlignment);
          Floats w(padded), acc(padded), v(padded, momentum > 0 ? 0.0f : reference::kNan);
          std::uniform_real_distribution<float> uniform(-1, 1);
          for (size_t i = 0; i < n; ++i) w[i] = uniform(random);
          std::vector<double> w64(w.data(), w.data() + n), acc64(n), v64(n);
          float one[3] = {n > 0 ? w[0] : 0, 0, 0};  // element 0 again, as a bias
          reference::Settings settings;
          settings.learning_rate = 0.1f;
          settings.momentum = momentum;
          settings.epsilon = 1e-6f;
          const OptimizerConfig config = {.learning_rate = 0.1f, .momentum = momentum};
          for (int step = 0; step < 5; ++step) {
            std::vector<Floats> gradients;
            std::vector<const float*> pointers;
            std::vector<double> sum(n);
            for (size_t k = 0; k < occurrences; ++k) {
              gradients.emplace_back(padded, reference::kNan);  // what pads it must not matter
              for (size_t i = 0; i < n; ++i) {
                gradients.back()[i] = (step == 0 ? 1e-4f : 1.0f) * uniform(random);
                sum[i] += gradients.back()[i];
              }
            }
            for (const Floats& g : gradients) pointers.push_back(g.data());
            UpdateRow(config, {.parameter = w.data(), .first = acc.data(), .velocity = v.data()},
                      pointers.data(), occurrences, n);
            for (size_t i = n; i < padded; ++i) {
              ASSERT_EQ(w[i], 0.0f);
              ASSERT_EQ(acc[i], 0.0f);
              if (momentum > 0) {
                ASSERT_EQ(v[i], 0.0f);
              }
            }
            for (size_t i = 0; i < n; ++i) {
              reference::AdagradUpdate(settings, sum[i], &acc64[i], &v64[i], &w64[i]);
              // The direction is at most 1; sums of 9 cancel to about 1e-6 of their terms, which
              // counts for more where the accumulator is small.
              ASSERT_NEAR(acc[i], acc64[i], 1e-6 * (acc64[i] + occurrences * 1e-1)) << i;
              ASSERT_NEAR(w[i], w64[i], 2e-6) << i;
              if (momentum > 0) {
                ASSERT_NEAR(v[i], v64[i], 1e-6) << i;
              }
            }
            if (n == 0) continue;
            float g = 0;
            for (const Floats& part : gradients) g += part[0];
            UpdateOne(config, {.parameter = &one[0], .first = &one[1], .velocity = &one[2]}, g);
            ASSERT_EQ(one[0], w[0]);
            ASSERT_EQ(one[1], acc[0]);
          }
        }
      }
    }
  });
}

// A zero gradient leaves parameter and accumulator as they are, and nothing else moves.
TEST(OptimizerTest, ZeroGradientIsNoStep) {
  ForEachTarget([](int64_t) {
    Floats w(32, 0.25f), acc(32), v(32), g(32);
    const float* gradient = g.data();
    UpdateRow({.learning_rate = 0.1f, .momentum = 0.4f},
              {.parameter = w.data(), .first = acc.data(), .velocity = v.data()}, &gradient, 1, 32);
    for (size_t i = 0; i < 32; ++i) {
      EXPECT_EQ(w[i], 0.25f);
      EXPECT_EQ(acc[i], 0.0f);
      EXPECT_EQ(v[i], 0.0f);
    }
  });
}

TEST(OptimizerTest, TouchedRowsKeepEveryOccurrenceInOrder) {
  std::mt19937_64 random(4);
  TouchedRows touched(40);
  // Many rounds with one object: what an earlier round left must not show.
  for (size_t round = 0; round < 200; ++round) {
    const size_t n = random() % 90;
    std::vector<uint32_t> occurrences(n);
    for (uint32_t& item : occurrences) item = static_cast<uint32_t>(random() % 40);
    touched.Assign(occurrences.data(), n);
    std::vector<uint32_t> order;
    std::map<uint32_t, std::vector<uint32_t>> expected;
    for (size_t i = 0; i < n; ++i) {
      if (expected.count(occurrences[i]) == 0) order.push_back(occurrences[i]);
      expected[occurrences[i]].push_back(static_cast<uint32_t>(i));
    }
    ASSERT_EQ(touched.size(), order.size());
    for (size_t s = 0; s < touched.size(); ++s) {
      ASSERT_EQ(touched.item(s), order[s]);
      ASSERT_EQ(std::vector<uint32_t>(touched.begin(s), touched.end(s)), expected[order[s]]);
    }
  }
}

// The direction must be right relative to its own size for tiny and huge accumulators alike.
TEST(OptimizerTest, DirectionAtAnyScale) {
  ForEachTarget([](int64_t) {
    for (double magnitude = 1e-17; magnitude < 1e17; magnitude *= 1.37) {
      const auto g = static_cast<float>(magnitude);
      float w = 0, acc = 0, v = 0;
      UpdateOne({.learning_rate = 1.0f}, {.parameter = &w, .first = &acc, .velocity = &v}, g);
      const double expected =
          -static_cast<double>(g) / std::sqrt(static_cast<double>(g) * g + double{1e-6f});
      ASSERT_NEAR(w, expected, 1e-6 * std::abs(expected)) << g;
    }
  });
}

// unit_optim: 6 steps on a 6 x 3 table; dense on all of it, sparse on its touched rows.
TEST(OptimizerTest, GoldenVectors) {
  STINT_REQUIRE_PATH(reference::GoldenDir());
  const auto file = reference::ReadSafetensors(reference::GoldenDir() + "/unit_optim.safetensors");
  const auto w0 = file["w0"].AsDouble();          // [6, 3]
  const auto dense = file["g_dense"].AsDouble();  // [6 steps, 6, 3]
  const auto index = file["idx"].AsUint32();      // [6 steps, 5]
  const auto sparse = file["g_occ"].AsDouble();   // [6 steps, 5, 3]
  const size_t stride = kRowAlignment;
  ForEachTarget([&](int64_t) {
    for (const std::string momentum : {"0.0", "0.4"}) {
      for (const bool is_sparse : {false, true}) {
        const std::string key =
            std::string(is_sparse ? "sparse" : "dense") + ".adagrad.mom" + momentum + ".l20.0";
        SCOPED_TRACE(key);
        const OptimizerConfig config = {.learning_rate = static_cast<float>(file.Number("lr")),
                                        .momentum = std::stof(momentum),
                                        .epsilon = static_cast<float>(file.Number("eps"))};
        Floats w(6 * stride), acc(6 * stride), v(6 * stride);
        for (size_t i = 0; i < 18; ++i) w[i / 3 * stride + i % 3] = static_cast<float>(w0[i]);
        TouchedRows touched(6);
        for (size_t step = 0; step < 6; ++step) {
          if (is_sparse) {
            Floats g(5 * stride);
            for (size_t i = 0; i < 15; ++i) {
              g[i / 3 * stride + i % 3] = static_cast<float>(sparse[step * 15 + i]);
            }
            touched.Assign(index.data() + step * 5, 5);
            for (size_t s = 0; s < touched.size(); ++s) {
              std::vector<const float*> rows;
              for (const uint32_t* p = touched.begin(s); p != touched.end(s); ++p) {
                rows.push_back(g.data() + *p * stride);
              }
              const size_t at = touched.item(s) * stride;
              UpdateRow(
                  config,
                  {.parameter = w.data() + at, .first = acc.data() + at, .velocity = v.data() + at},
                  rows.data(), rows.size(), 3);
            }
          } else {
            Floats g(6 * stride);
            for (size_t i = 0; i < 18; ++i) {
              g[i / 3 * stride + i % 3] = static_cast<float>(dense[step * 18 + i]);
            }
            const float* gradient = g.data();
            UpdateRow(config, {.parameter = w.data(), .first = acc.data(), .velocity = v.data()},
                      &gradient, 1, 6 * stride);
          }
        }
        const auto expected = file[key].AsDouble();
        for (size_t i = 0; i < 18; ++i) {
          ASSERT_NEAR(w[i / 3 * stride + i % 3], expected[i], 1e-6) << i;
        }
      }
    }
  });
}

}  // namespace
}  // namespace stint
