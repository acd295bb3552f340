// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Every optimizer in every form of momentum, on dense arrays and on the touched rows of a table:
// against float64 and the golden vectors, at odd lengths, on every SIMD target.
#include "trainer/optimizer.h"

#include <bit>
#include <cmath>
#include <map>
#include <set>

#include "tests/reference/folders.h"
#include "tests/reference/kernels.h"
#include "tests/reference/safetensors.h"
#include "trainer/parameters.h"
#include "trainer/random.h"

namespace stint {
namespace {

using reference::Floats;
using reference::ForEachTarget;

constexpr Optimizer kOptimizers[] = {Optimizer::kSgd, Optimizer::kAdagrad, Optimizer::kRmsprop,
                                     Optimizer::kAdadelta, Optimizer::kAdam};

// An element and its slots in float64, from the formulas of the header.
struct Element {
  double w = 0, first = 0, second = 0, velocity = 0;
  int steps = 0;

  void Update(const OptimizerConfig& config, double summed_gradient) {
    const double g = config.gradient_scale * summed_gradient, epsilon = config.epsilon;
    const double mu = config.momentum, rate = config.learning_rate;
    const double e = Direction(config, g, epsilon) + config.l2 * w;
    if (mu == 0) {
      w -= rate * e;
    } else if (config.momentum_form == MomentumForm::kMean) {
      velocity = mu * velocity + (1 - mu) * e;
      w -= rate * velocity;
    } else {
      velocity = mu * velocity - rate * e;
      w += config.momentum_form == MomentumForm::kNesterov ? mu * velocity - rate * e : velocity;
    }
  }

  double Direction(const OptimizerConfig& config, double g, double epsilon) {
    const auto mean = [](double decay, double old, double x) {
      return decay * old + (1 - decay) * x;
    };
    switch (config.optimizer) {
      case Optimizer::kSgd:
        return g;
      case Optimizer::kAdagrad:
        first += g * g;
        return config.epsilon_place == EpsilonPlace::kInside ? g / std::sqrt(first + epsilon)
                                                             : g / (std::sqrt(first) + epsilon);
      case Optimizer::kRmsprop:
        first = mean(config.rho, first, g * g);
        return g / std::sqrt(first + epsilon);
      case Optimizer::kAdadelta: {
        first = mean(config.rho, first, g * g);
        const double k = (second + epsilon) / (first + epsilon);
        second = mean(config.rho, second, k * g * g);
        return g * std::sqrt(k);
      }
      case Optimizer::kAdam:
        ++steps;
        second = mean(config.beta1, second, g);
        first = mean(config.beta2, first, g * g);
        return second / (1 - std::pow(double{config.beta1}, steps)) /
               (std::sqrt(first / (1 - std::pow(double{config.beta2}, steps))) + epsilon);
    }
    return 0;
  }
};

// Every combination of an update's rules; no momentum where it is 0.
std::vector<OptimizerConfig> AllConfigs() {
  std::vector<OptimizerConfig> configs;
  for (const Optimizer optimizer : kOptimizers) {
    for (const EpsilonPlace place : {EpsilonPlace::kInside, EpsilonPlace::kOutside}) {
      if (place == EpsilonPlace::kOutside && optimizer != Optimizer::kAdagrad) continue;
      for (const MomentumForm form :
           {MomentumForm::kClassical, MomentumForm::kMean, MomentumForm::kNesterov}) {
        for (const float momentum : {0.0f, 0.4f}) {
          if (momentum == 0 && form != MomentumForm::kClassical) continue;
          for (const float l2 : {0.0f, 0.02f}) {
            for (const float scale : {1.0f, 0.3f}) {
              configs.push_back({.optimizer = optimizer,
                                 .momentum_form = form,
                                 .epsilon_place = place,
                                 .learning_rate = 0.1f,
                                 .momentum = momentum,
                                 .l2 = l2,
                                 .gradient_scale = scale});
            }
          }
        }
      }
    }
  }
  return configs;
}

std::string Described(const OptimizerConfig& config) {
  return std::string(Name(config.optimizer)) + " epsilon " + Name(config.epsilon_place) + " " +
         Name(config.momentum_form) + " " + std::to_string(config.momentum) + " l2 " +
         std::to_string(config.l2) + " scale " + std::to_string(config.gradient_scale);
}

// The arrays of a row or a table; NaN where the optimizer must not read.
struct Arrays {
  Floats w, first, second, velocity;
  std::vector<uint32_t> steps;

  Arrays(const OptimizerConfig& config, size_t n)
      : w(n),
        first(n, config.HasFirst() ? 0 : reference::kNan),
        second(n, config.HasSecond() ? 0 : reference::kNan),
        velocity(n, config.HasVelocity() ? 0 : reference::kNan),
        steps(config.HasSteps() ? n : 0) {}

  // Null where the optimizer has no such slot.
  OptimizerSlots At(const OptimizerConfig& config, size_t i) {
    return {.parameter = w.data() + i,
            .first = config.HasFirst() ? first.data() + i : nullptr,
            .second = config.HasSecond() ? second.data() + i : nullptr,
            .velocity = config.HasVelocity() ? velocity.data() + i : nullptr,
            .steps = config.HasSteps() ? steps.data() + i : nullptr};
  }
};

void ExpectRow(const OptimizerConfig& config, const Arrays& row, const std::vector<Element>& all) {
  for (size_t i = 0; i < all.size(); ++i) {
    const Element& x = all[i];
    // Directions other than SGD's are at most 1 / sqrt(1 - rho) and right to 6e-7.
    ASSERT_NEAR(row.w[i], x.w, 2e-6) << i;
    if (config.HasVelocity()) {
      ASSERT_NEAR(row.velocity[i], x.velocity, 2e-6) << i;
    }
    if (config.HasFirst()) {
      ASSERT_NEAR(row.first[i], x.first, 1e-6 * (1 + x.first)) << i;
    }
    if (config.HasSecond()) {
      ASSERT_NEAR(row.second[i], x.second, 1e-6) << i;
    }
  }
  for (size_t i = all.size(); i < row.w.size(); ++i) {
    ASSERT_EQ(row.w[i], 0.0f);
    if (config.HasFirst()) {
      ASSERT_EQ(row.first[i], 0.0f);
    }
    if (config.HasSecond()) {
      ASSERT_EQ(row.second[i], 0.0f);
    }
    if (config.HasVelocity()) {
      ASSERT_EQ(row.velocity[i], 0.0f);
    }
  }
}

TEST(OptimizerTest, UpdateAgreesWithFloat64) {
  ForEachTarget([](int64_t) {
    for (const OptimizerConfig& config : AllConfigs()) {
      for (const size_t n : {0, 1, 3, 15, 16, 17, 48, 100}) {
        for (const size_t occurrences : {1, 2, 9}) {
          SCOPED_TRACE(Described(config) + " n " + std::to_string(n) + " occurrences " +
                       std::to_string(occurrences));
          std::mt19937_64 random(n + occurrences);
          std::uniform_real_distribution<float> uniform(-1, 1);
          const size_t padded = RoundUp(n, kRowAlignment);
          Arrays row(config, padded), bias(config, 1);  // the bias is element 0 again
          std::vector<Element> expected(n);
          for (size_t i = 0; i < n; ++i) expected[i].w = row.w[i] = uniform(random);
          if (n > 0) bias.w[0] = row.w[0];
          uint32_t steps = 0;
          for (int step = 0; step < 5; ++step) {
            std::vector<Floats> gradients;
            std::vector<const float*> pointers;
            std::vector<float> sum(n);  // in the order of the occurrences
            for (size_t k = 0; k < occurrences; ++k) {
              gradients.emplace_back(padded, reference::kNan);  // what pads it must not matter
              for (size_t i = 0; i < n; ++i) {
                gradients.back()[i] = (step == 0 ? 1e-2f : 1.0f) * uniform(random);
                sum[i] += gradients.back()[i];
              }
            }
            for (const Floats& g : gradients) pointers.push_back(g.data());
            OptimizerSlots slots = row.At(config, 0);
            slots.steps = config.HasSteps() ? &steps : nullptr;
            UpdateRow(config, slots, pointers.data(), occurrences, n);
            ASSERT_EQ(steps, config.HasSteps() ? static_cast<uint32_t>(step + 1) : 0u);
            for (size_t i = 0; i < n; ++i) expected[i].Update(config, sum[i]);
            ExpectRow(config, row, expected);
            if (n == 0 || ::testing::Test::HasFatalFailure()) continue;
            UpdateOne(config, bias.At(config, 0), sum[0]);
            ASSERT_EQ(bias.w[0], row.w[0]);
            if (config.HasFirst()) {
              ASSERT_EQ(bias.first[0], row.first[0]);
            }
            if (config.HasSecond()) {
              ASSERT_EQ(bias.second[0], row.second[0]);
            }
            if (config.HasVelocity()) {
              ASSERT_EQ(bias.velocity[0], row.velocity[0]);
            }
            if (config.HasSteps()) {
              ASSERT_EQ(bias.steps[0], steps);
            }
          }
          if (::testing::Test::HasFatalFailure()) return;
        }
      }
    }
  });
}

// A zero gradient leaves all as it is, with no l2 and nothing in the velocity.
TEST(OptimizerTest, ZeroGradientIsNoStep) {
  ForEachTarget([](int64_t) {
    for (const OptimizerConfig& config : AllConfigs()) {
      if (config.l2 != 0) continue;
      SCOPED_TRACE(Described(config));
      Arrays row(config, 32);
      row.w.Fill(0.25f);
      const Floats g(32);
      const float* gradient = g.data();
      UpdateRow(config, row.At(config, 0), &gradient, 1, 32);
      for (size_t i = 0; i < 32; ++i) {
        ASSERT_EQ(row.w[i], 0.25f);
        if (config.HasFirst()) {
          ASSERT_EQ(row.first[i], 0.0f);
        }
        if (config.HasSecond()) {
          ASSERT_EQ(row.second[i], 0.0f);
        }
        if (config.HasVelocity()) {
          ASSERT_EQ(row.velocity[i], 0.0f);
        }
      }
    }
  });
}

// The direction must be right relative to its own size for tiny and huge accumulators alike.
TEST(OptimizerTest, DirectionAtAnyScale) {
  ForEachTarget([](int64_t) {
    for (const OptimizerConfig& config : AllConfigs()) {
      if (config.momentum > 0 || config.l2 > 0 || config.gradient_scale != 1) continue;
      SCOPED_TRACE(Described(config));
      for (double magnitude = 1e-17; magnitude < 1e17; magnitude *= 1.37) {
        const auto g = static_cast<float>(magnitude);
        Arrays one(config, 1);
        Element expected;
        UpdateOne(config, one.At(config, 0), g);
        expected.Update(config, g);
        ASSERT_NEAR(one.w[0], expected.w, 1e-6 * std::abs(expected.w)) << g;
      }
    }
  });
}

// Adam's corrections for rows of any age, up to where they are 1.
TEST(OptimizerTest, AdamCountsEveryRowsUpdates) {
  const OptimizerConfig config = {.optimizer = Optimizer::kAdam, .learning_rate = 1.0f};
  for (const uint32_t before : {0u, 1u, 9u, 1000u, 54321u, 4000000000u, 0xFFFFFFFFu}) {
    Arrays one(config, 1);
    one.steps[0] = before;
    UpdateOne(config, one.At(config, 0), 1.0f);
    EXPECT_EQ(one.steps[0], before == 0xFFFFFFFFu ? before : before + 1);
    const double t = one.steps[0], beta1 = config.beta1, beta2 = config.beta2;
    const double expected = (1 - beta1) / (1 - std::pow(beta1, t)) /
                            (std::sqrt((1 - beta2) / (1 - std::pow(beta2, t))) + 1e-6);
    EXPECT_NEAR(one.w[0], -expected, 1e-6 * expected) << before;
  }
}

// Models must have the same bits wherever there are fused multiply-adds.
TEST(OptimizerTest, BitsArePinned) {
  const std::map<Optimizer, uint64_t> expected = {{Optimizer::kSgd, 1562779602354763119u},
                                                  {Optimizer::kAdagrad, 3174597024937357478u},
                                                  {Optimizer::kRmsprop, 9841638127796730854u},
                                                  {Optimizer::kAdadelta, 11175692295867787130u},
                                                  {Optimizer::kAdam, 7158410691711585263u}};
  ForEachTarget([&](int64_t target) {
#if HWY_ARCH_X86
    if (target > HWY_AVX2) return;  // SSE: multiplies and adds
#endif
    (void)target;
    std::map<Optimizer, uint64_t> mixed;
    const RandomCounter random(1, 2);
    uint64_t drawn = 0;
    for (const OptimizerConfig& config : AllConfigs()) {
      Arrays row(config, 48);
      Floats g(48);
      for (int step = 0; step < 20; ++step) {
        for (size_t i = 0; i < 37; ++i) g[i] = static_cast<float>(random.Unit(drawn++) - 0.5);
        const float* gradient = g.data();
        UpdateRow(config, row.At(config, 0), &gradient, 1, 37);
      }
      uint64_t& bits = mixed[config.optimizer];
      for (size_t i = 0; i < 37; ++i) {
        bits = bits * 0x9E3779B97F4A7C15u + std::bit_cast<uint32_t>(row.w[i]);
      }
    }
    ASSERT_EQ(mixed, expected);
  });
}

// 6 steps on a 6 x 3 table; dense on all of it, sparse on its touched rows.
void ExpectGolden(const reference::Safetensors& file, const std::string& key, bool is_sparse,
                  const OptimizerConfig& config) {
  SCOPED_TRACE(key);
  const std::vector<float> w0 = file["w0"].AsFloat();              // [6, 3]
  const std::vector<float> dense = file["g_dense"].AsFloat();      // [6 steps, 6, 3]
  const std::vector<uint32_t> index = file["idx"].AsUint32();      // [6 steps, 5]
  const std::vector<float> occurrences = file["g_occ"].AsFloat();  // [6 steps, 5, 3]
  const size_t stride = kRowAlignment;
  Arrays table(config, 6 * stride);
  for (size_t i = 0; i < 18; ++i) table.w[i / 3 * stride + i % 3] = w0[i];
  TouchedRows touched(6);
  for (size_t step = 0; step < 6; ++step) {
    const size_t n = is_sparse ? 5 : 6;
    Floats g(n * stride);
    for (size_t i = 0; i < 3 * n; ++i) {
      g[i / 3 * stride + i % 3] = is_sparse ? occurrences[step * 15 + i] : dense[step * 18 + i];
    }
    const uint32_t every[] = {0, 1, 2, 3, 4, 5};
    touched.Assign(is_sparse ? index.data() + step * 5 : every, n);
    for (size_t s = 0; s < touched.size(); ++s) {
      std::vector<const float*> rows;
      for (const uint32_t* p = touched.begin(s); p != touched.end(s); ++p) {
        rows.push_back(g.data() + *p * stride);
      }
      UpdateRow(config, table.At(config, touched.item(s) * stride), rows.data(), rows.size(), 3);
    }
  }
  const std::vector<double> expected = file[key].AsDouble();
  for (size_t i = 0; i < 18; ++i) {
    ASSERT_NEAR(table.w[i / 3 * stride + i % 3], expected[i], 2e-6) << i;
  }
}

// unit_optim. Not ours are `adam_th` (one beta in both corrections, a defect of the original code)
// and `sparse_uncoalesced` (rows that occur twice are updated twice: ours are summed first).
TEST(OptimizerTest, GoldenVectors) {
  STINT_REQUIRE_PATH(reference::GoldenDir());
  const auto file = reference::ReadSafetensors(reference::GoldenDir() + "/unit_optim.safetensors");
  std::set<std::string> left;
  for (const auto& [key, tensor] : file.tensors) {
    const bool is_result = key.find(".mom") != std::string::npos;
    const bool is_ours = key.find("adam_th") == std::string::npos &&
                         key.find("sparse_uncoalesced") == std::string::npos;
    if (is_result && is_ours) left.insert(key);
  }
  EXPECT_EQ(left.size(), 40u);
  ForEachTarget([&](int64_t) {
    for (const bool is_sparse : {false, true}) {
      for (const Optimizer optimizer : kOptimizers) {
        for (const std::string momentum : {"0.0", "0.4"}) {
          for (const std::string l2 : {"0.0", "0.01"}) {
            const bool adadelta = optimizer == Optimizer::kAdadelta;
            const auto number = [&](const char* name) {
              return static_cast<float>(file.Number(name));
            };
            const OptimizerConfig config = {
                .optimizer = optimizer,
                .learning_rate = number(adadelta ? "lr_adadelta" : "lr"),
                .momentum = std::stof(momentum),
                .epsilon = number("eps"),
                .rho = number(adadelta ? "rho_adadelta" : "rho_rmsprop"),
                .beta1 = number("beta1"),
                .beta2 = number("beta2"),
                .l2 = std::stof(l2)};
            const std::string key = std::string(is_sparse ? "sparse." : "dense.") +
                                    Name(optimizer) + ".mom" + momentum + ".l2" + l2;
            ExpectGolden(file, key, is_sparse, config);
            if (::testing::Test::HasFatalFailure()) return;
            left.erase(key);
          }
        }
      }
    }
  });
  EXPECT_TRUE(left.empty()) << *left.begin();
}

}  // namespace
}  // namespace stint
