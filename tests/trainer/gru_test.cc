// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The gate arithmetic of a mini-batch, forward and backward, against the published equations
// in float64, on every SIMD target.
#include "trainer/gru.h"

#include <cmath>
#include <cstring>

#include "tests/reference/activation.h"
#include "tests/reference/kernels.h"
#include "trainer/parameters.h"

namespace stint {
namespace {

using reference::Floats;
using reference::ForEachTarget;

// Sigmoid and tanh of the runtime are within 3e-7; a handful of products of values up to 4
// follow.
constexpr double kTolerance = 3e-6;

double Sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// All arrays of a layer, with a guard row behind each.
struct Layer {
  Layer(size_t units, size_t batch, float scale, uint64_t seed)
      : input_gates((3 * units) * batch),
        hidden_gates((3 * units) * batch),
        old_hidden(units * batch),
        reset(units * batch, -9),
        update(units * batch, -9),
        candidate(units * batch, -9),
        reset_hidden(units * batch, -9),
        hidden(units * batch, -9) {
    std::mt19937_64 random(seed);
    input_gates.Randomize(random, scale);
    hidden_gates.Randomize(random, scale);
    old_hidden.Randomize(random, 1);
    a = {units,        batch,         input_gates.data(), hidden_gates.data(), old_hidden.data(),
         reset.data(), update.data(), candidate.data(),   reset_hidden.data(), hidden.data()};
  }
  Floats input_gates, hidden_gates, old_hidden, reset, update, candidate, reset_hidden, hidden;
  GruActivations a;
};

template <class Check>
void ForEachShape(const Check& check) {
  ForEachTarget([&](int64_t) {
    for (const size_t units : {1, 2, 3, 7, 16, 33}) {
      for (const size_t batch : {16, 32, 48, 80}) {
        for (const float scale : {1.0f, 12.0f, 1e4f}) {
          SCOPED_TRACE("units " + std::to_string(units) + " batch " + std::to_string(batch) +
                       " scale " + std::to_string(scale));
          check(units, batch, scale);
          if (::testing::Test::HasFatalFailure()) return;
        }
      }
    }
  });
}

TEST(GruTest, ResetAfterForward) {
  ForEachShape([](size_t units, size_t batch, float scale) {
    Layer l(units, batch, scale, units + batch);
    const size_t cut = units / 2;
    GruResetAfterForward(l.a, 0, cut);
    for (size_t i = cut * batch; i < units * batch; ++i) ASSERT_EQ(l.hidden[i], -9.0f);
    GruResetAfterForward(l.a, cut, units);
    const size_t gate = units * batch;
    for (size_t i = 0; i < gate; ++i) {
      const double r = Sigmoid(l.input_gates[i] + double{l.hidden_gates[i]});
      const double z = Sigmoid(l.input_gates[gate + i] + double{l.hidden_gates[gate + i]});
      const double n = std::tanh(l.input_gates[2 * gate + i] + r * l.hidden_gates[2 * gate + i]);
      ASSERT_NEAR(l.reset[i], r, kTolerance);
      ASSERT_NEAR(l.update[i], z, kTolerance);
      // The argument of tanh is as exact as a float32 of its size can be.
      ASSERT_NEAR(l.candidate[i], n, kTolerance * std::max(1.0f, scale));
      ASSERT_NEAR(l.hidden[i], (1 - z) * l.candidate[i] + z * l.old_hidden[i], kTolerance);
    }
  });
}

TEST(GruTest, ResetBeforeForward) {
  ForEachShape([](size_t units, size_t batch, float scale) {
    Layer l(units, batch, scale, 3 * units + batch);
    const size_t gate = units * batch, cut = units / 3;
    GruResetBeforeForwardOpen(l.a, 0, cut);
    GruResetBeforeForwardOpen(l.a, cut, units);
    for (size_t i = 0; i < gate; ++i) {
      const double r = Sigmoid(l.input_gates[i] + double{l.hidden_gates[i]});
      ASSERT_NEAR(l.reset[i], r, kTolerance);
      ASSERT_NEAR(l.reset_hidden[i], r * l.old_hidden[i], kTolerance);
    }
    // The caller's product Wh_n (r h) stands in the candidate's hidden gates by now.
    GruResetBeforeForwardClose(l.a, 0, cut);
    GruResetBeforeForwardClose(l.a, cut, units);
    for (size_t i = 0; i < gate; ++i) {
      const double z = Sigmoid(l.input_gates[gate + i] + double{l.hidden_gates[gate + i]});
      const double n =
          std::tanh(l.input_gates[2 * gate + i] + double{l.hidden_gates[2 * gate + i]});
      ASSERT_NEAR(l.update[i], z, kTolerance);
      ASSERT_NEAR(l.candidate[i], n, kTolerance);
      ASSERT_NEAR(l.hidden[i], (1 - z) * l.old_hidden[i] + z * n, kTolerance);
    }
  });
}

TEST(GruTest, ResetAfterBackward) {
  ForEachShape([](size_t units, size_t batch, float scale) {
    Layer l(units, batch, std::min(scale, 12.0f), 5 * units + batch);
    GruResetAfterForward(l.a, 0, units);
    const size_t gate = units * batch, cut = units / 2;
    std::mt19937_64 random(1);
    Floats d_hidden(gate), d_a(3 * gate, -9), d_b(3 * gate, -9);
    d_hidden.Randomize(random, 1);
    GruResetAfterBackward(l.a, 0, cut, d_hidden.data(), d_a.data(), d_b.data());
    GruResetAfterBackward(l.a, cut, units, d_hidden.data(), d_a.data(), d_b.data());
    for (size_t i = 0; i < gate; ++i) {
      const double r = l.reset[i], z = l.update[i], n = l.candidate[i], h = l.old_hidden[i];
      const double d = d_hidden[i], b_n = l.hidden_gates[2 * gate + i];
      const double d_n = d * (1 - z) * (1 - n * n);
      ASSERT_NEAR(d_a[2 * gate + i], d_n, kTolerance);
      ASSERT_NEAR(d_b[2 * gate + i], d_n * r, kTolerance);
      ASSERT_NEAR(d_a[gate + i], d * (h - n) * z * (1 - z), kTolerance);
      ASSERT_EQ(d_b[gate + i], d_a[gate + i]);
      ASSERT_NEAR(d_a[i], d_n * b_n * r * (1 - r), kTolerance);
      ASSERT_EQ(d_b[i], d_a[i]);
    }
  });
}

TEST(GruTest, ResetBeforeBackward) {
  ForEachShape([](size_t units, size_t batch, float scale) {
    Layer l(units, batch, std::min(scale, 12.0f), 7 * units + batch);
    GruResetBeforeForwardOpen(l.a, 0, units);
    GruResetBeforeForwardClose(l.a, 0, units);
    const size_t gate = units * batch, cut = units / 2;
    std::mt19937_64 random(2);
    Floats d_hidden(gate), d_reset_hidden(gate), d_gates(3 * gate, -9);
    d_hidden.Randomize(random, 1);
    d_reset_hidden.Randomize(random, 1);
    GruResetBeforeBackwardOpen(l.a, 0, cut, d_hidden.data(), d_gates.data());
    GruResetBeforeBackwardOpen(l.a, cut, units, d_hidden.data(), d_gates.data());
    GruResetBeforeBackwardClose(l.a, 0, cut, d_reset_hidden.data(), d_gates.data());
    GruResetBeforeBackwardClose(l.a, cut, units, d_reset_hidden.data(), d_gates.data());
    for (size_t i = 0; i < gate; ++i) {
      const double r = l.reset[i], z = l.update[i], n = l.candidate[i], h = l.old_hidden[i];
      const double d = d_hidden[i];
      ASSERT_NEAR(d_gates[2 * gate + i], d * z * (1 - n * n), kTolerance);
      ASSERT_NEAR(d_gates[gate + i], d * (n - h) * z * (1 - z), kTolerance);
      ASSERT_NEAR(d_gates[i], d_reset_hidden[i] * h * r * (1 - r), kTolerance);
    }
  });
}

// Every activation of the candidate, value and gradient. The gradients of the gate inputs are
// central differences of the next state by the published equations, in float64.
struct Gates {
  double a_r, a_z, a_n, b_r, b_z, b_n, h;

  double ResetAfter(const Activation& f) const {
    const double r = Sigmoid(a_r + b_r), z = Sigmoid(a_z + b_z);
    return (1 - z) * reference::Activate(f, a_n + r * b_n) + z * h;
  }
  double ResetBeforeClose(const Activation& f) const {
    const double z = Sigmoid(a_z + b_z);
    return (1 - z) * h + z * reference::Activate(f, a_n + b_n);
  }
};

template <class Next>
double Slope(Gates at, double Gates::*input, const Next& next) {
  constexpr double kStep = 1e-5;
  Gates up = at, down = at;
  up.*input += kStep;
  down.*input -= kStep;
  return (next(up) - next(down)) / (2 * kStep);
}

TEST(GruTest, EveryActivation) {
  constexpr size_t kUnits = 7, kBatch = 48, kGate = kUnits * kBatch;
  ForEachTarget([](int64_t) {
    for (const char* name :
         {"tanh", "linear", "relu", "leaky-0.1", "elu-0.5", "elu-1", "selu-1.0507-1.67326"}) {
      SCOPED_TRACE(name);
      const Activation f = ParseActivation("--hidden-activation", name);
      Layer after(kUnits, kBatch, 3, 11), before(kUnits, kBatch, 3, 12);
      after.a.activation = before.a.activation = f.Params();
      GruResetAfterForward(after.a, 0, kUnits);
      GruResetBeforeForwardOpen(before.a, 0, kUnits);
      GruResetBeforeForwardClose(before.a, 0, kUnits);
      std::mt19937_64 random(3);
      Floats d_hidden(kGate), d_a(3 * kGate), d_b(3 * kGate), d_gates(3 * kGate);
      d_hidden.Randomize(random, 1);
      GruResetAfterBackward(after.a, 0, kUnits, d_hidden.data(), d_a.data(), d_b.data());
      GruResetBeforeBackwardOpen(before.a, 0, kUnits, d_hidden.data(), d_gates.data());
      const auto gates = [](const Layer& l, size_t i) {
        return Gates{l.input_gates[i],  l.input_gates[kGate + i],  l.input_gates[2 * kGate + i],
                     l.hidden_gates[i], l.hidden_gates[kGate + i], l.hidden_gates[2 * kGate + i],
                     l.old_hidden[i]};
      };
      // States up to 6 here, and products of them.
      const double tolerance = 4 * kTolerance;
      for (size_t i = 0; i < kGate; ++i) {
        const double d = d_hidden[i];
        Gates g = gates(after, i);
        const auto next_after = [&](const Gates& x) { return d * x.ResetAfter(f); };
        ASSERT_NEAR(after.hidden[i], g.ResetAfter(f), tolerance);
        ASSERT_NEAR(d_a[i], Slope(g, &Gates::a_r, next_after), tolerance);
        ASSERT_NEAR(d_a[kGate + i], Slope(g, &Gates::a_z, next_after), tolerance);
        ASSERT_NEAR(d_a[2 * kGate + i], Slope(g, &Gates::a_n, next_after), tolerance);
        ASSERT_NEAR(d_b[2 * kGate + i], Slope(g, &Gates::b_n, next_after), tolerance);
        g = gates(before, i);
        const auto next_before = [&](const Gates& x) { return d * x.ResetBeforeClose(f); };
        ASSERT_NEAR(before.hidden[i], g.ResetBeforeClose(f), tolerance);
        ASSERT_NEAR(d_gates[kGate + i], Slope(g, &Gates::a_z, next_before), tolerance);
        ASSERT_NEAR(d_gates[2 * kGate + i], Slope(g, &Gates::a_n, next_before), tolerance);
      }
    }
  });
}

// A mini-batch must not depend on the SIMD target where products and sums are not fused
// differently: the gates are the runtime's, which promises the same bits everywhere.
TEST(GruTest, ForwardBitsAreTheSameOnEveryTarget) {
  Layer expected(33, 48, 3, 1), expected_before(33, 48, 3, 2);
  GruResetAfterForward(expected.a, 0, 33);
  GruResetBeforeForwardOpen(expected_before.a, 0, 33);
  GruResetBeforeForwardClose(expected_before.a, 0, 33);
  ForEachTarget([&](int64_t) {
    Layer l(33, 48, 3, 1), before(33, 48, 3, 2);
    GruResetAfterForward(l.a, 0, 33);
    GruResetBeforeForwardOpen(before.a, 0, 33);
    GruResetBeforeForwardClose(before.a, 0, 33);
    EXPECT_EQ(0, std::memcmp(l.hidden.data(), expected.hidden.data(), 4 * l.hidden.size()));
    EXPECT_EQ(
        0, std::memcmp(before.hidden.data(), expected_before.hidden.data(), 4 * l.hidden.size()));
  });
}

}  // namespace
}  // namespace stint
