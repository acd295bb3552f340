// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Losses and their gradients by the scores: against the float64 reference at odd sizes, scales
// and block cuts, against the golden vectors, and where float32 easily goes wrong; on every
// SIMD target. Columns left out and row weights: loss_masks_test.cc.
#include "trainer/loss.h"

#include <cmath>
#include <map>
#include <stdexcept>
#include <utility>

#include "tests/reference/folders.h"
#include "tests/reference/safetensors.h"
#include "tests/trainer/loss_stages.h"

namespace stint {
namespace {

using reference::ForEachTarget;

LossCase Case(const LossKind& kind, Array scores, size_t block = 24) {
  LossCase c;
  c.settings = kind.settings;
  c.scores = std::move(scores);
  c.block = block;
  return c;
}

LossKind KindNamed(const std::string& name) {
  for (const LossKind& kind : LossKinds()) {
    if (kind.name == name) return kind;
  }
  throw std::invalid_argument(name);
}

TEST(LossTest, AgreesWithFloat64AtOddSizes) {
  ForEachTarget([](int64_t) {
    for (const LossKind& kind : LossKinds()) {
      for (const size_t rows : {1, 2, 5, 15, 16, 17, 33}) {
        for (const size_t negatives : {0, 1, 12, 31, 100}) {
          for (const double scale : {0.1, 2.0, 8.0}) {
            for (const bool corrected : {false, true}) {
              SCOPED_TRACE(kind.name + " rows " + std::to_string(rows) + " negatives " +
                           std::to_string(negatives) + " scale " + std::to_string(scale) +
                           (corrected ? " corrected" : ""));
              const size_t columns = rows + negatives;
              LossCase c = Case(kind, RandomScores(rows, columns, scale, rows * 100 + negatives));
              c.weight = 0.125f;
              for (size_t j = 0; corrected && j < columns; ++j) {
                c.correction.push_back(0.8f * std::log(1.0f + static_cast<float>(j * 7 % 50)));
              }
              // One exponential is right to 1e-7, its argument to 2^-24 of up to 16.
              ExpectClose(c, RunLoss(c), 4e-6);
              if (::testing::Test::HasFatalFailure()) return;
            }
          }
        }
      }
    }
  });
}

// The gradient is that of the loss: central differences of the reference's loss, in float64.
TEST(LossTest, GradientByDifferences) {
  ForEachTarget([](int64_t) {
    for (const LossKind& kind : LossKinds()) {
      LossCase c = Case(kind, RandomScores(4, 11, 2.0, 77), 6);
      for (double& s : c.scores.values) s = static_cast<float>(s);
      const LossResult result = RunLoss(c);
      constexpr double kStep = 1e-5;
      for (size_t i = 0; i < c.scores.values.size(); ++i) {
        const auto loss_at = [&](double offset) {
          Array moved = c.scores, unused;
          moved.values[i] += offset;
          return reference::LossOfScores(c.settings, moved, &unused);
        };
        const double slope = (loss_at(kStep) - loss_at(-kStep)) / (2 * kStep);
        ASSERT_NEAR(result.gradient.values[i], slope, 4e-6 * std::max(1.0, std::abs(slope)))
            << kind.name << " score " << i;
      }
    }
  });
}

// Blocks only split sums; the loss must not depend on where by more than rounding, and a block
// that holds nothing but a session's own target must not spoil BPR-max's maximum.
TEST(LossTest, AnyBlockSize) {
  ForEachTarget([](int64_t) {
    for (const LossKind& kind : LossKinds()) {
      for (const size_t block : {1, 2, 7, 16, 39, 40, 1000}) {
        SCOPED_TRACE(kind.name + " block " + std::to_string(block));
        const LossCase c = Case(kind, RandomScores(9, 40, 3.0, 5), block);
        ExpectClose(c, RunLoss(c), 4e-6);
        if (::testing::Test::HasFatalFailure()) return;
      }
    }
  });
}

// BPR multiplies factors up to 2 in a row: many columns must not overflow.
TEST(LossTest, ManyColumnsInOneBlock) {
  ForEachTarget([](int64_t) {
    for (const LossKind& kind : LossKinds()) {
      for (const double scale : {1e-3, 1.0}) {
        SCOPED_TRACE(kind.name + " scale " + std::to_string(scale));
        const LossCase c = Case(kind, RandomScores(3, 3000, scale, 5), 3000);
        ExpectClose(c, RunLoss(c), 2e-5);  // sums of 3000 in a row
        if (::testing::Test::HasFatalFailure()) return;
      }
    }
  });
}

// The content of padding lanes reaches nothing.
TEST(LossTest, PaddingIsIgnored) {
  for (const LossKind& kind : LossKinds()) {
    LossCase c = Case(kind, RandomScores(5, 17, 3.0, 5), 8);
    c.padding = 0;
    const LossResult zero = RunLoss(c);
    for (const float padding : {-50.0f, 3.0f, 90.0f}) {
      c.padding = padding;
      const LossResult other = RunLoss(c);
      EXPECT_EQ(zero.loss, other.loss) << kind.name;
      EXPECT_EQ(zero.bits, other.bits) << kind.name;
    }
  }
}

// The same bits for any vector width, wherever multiply-add is fused.
TEST(LossTest, SameBitsOnTargetsWithFma) {
  for (const LossKind& kind : LossKinds()) {
    const LossCase c = Case(kind, RandomScores(21, 150, 3.0, 5), 64);
    std::map<double, int> losses;
    std::vector<std::vector<float>> bits;
    ForEachTarget([&](int64_t target) {
#if HWY_ARCH_X86
      if (target > HWY_AVX2) return;  // no fused multiply-add below
#else
      (void)target;
#endif
      const LossResult result = RunLoss(c);
      ++losses[result.loss];
      bits.push_back(result.bits);
    });
    EXPECT_LE(losses.size(), 1u) << kind.name;
    for (const auto& b : bits) EXPECT_EQ(b, bits[0]) << kind.name;
  }
}

// A target far below its negatives is what training has to mend: its gradient must not be lost.
// Needs a sigmoid that is right relative to its own, small, size.
TEST(LossTest, BprMaxPullsUpATargetFarBelow) {
  ForEachTarget([](int64_t) {
    for (const double gap : {5.0, 10.0, 14.0, 18.0, 25.0, 40.0}) {
      SCOPED_TRACE(gap);
      LossCase c = Case(KindNamed("bpr-max linear"), RandomScores(3, 20, 0.5, 9), 7);
      for (size_t m = 0; m < 3; ++m) c.scores(m, m) = -gap;
      c.settings.bpreg = 0;
      ExpectClose(c, RunLoss(c), 1e-5);
      if (::testing::Test::HasFatalFailure()) return;
      // ELU bounds the distance from below, but not from above.
      c = Case(KindNamed("bpr-max elu-0.5"), RandomScores(3, 20, 0.5, 9), 7);
      c.settings.bpreg = 0;
      for (size_t m = 0; m < 3; ++m) {
        for (size_t j = 0; j < 20; ++j) c.scores(m, j) += j == m ? 0 : gap;
      }
      ExpectClose(c, RunLoss(c), 1e-5);
      if (::testing::Test::HasFatalFailure()) return;
    }
  });
}

// All negatives 80 below or above the target, some of them, or all scores equal. (The published
// code divides 0 by 0 where all negatives lie below -88.)
TEST(LossTest, ExtremeScores) {
  ForEachTarget([](int64_t) {
    for (const LossKind& kind : LossKinds()) {
      // Values of the guards: beyond them the float32 code keeps to 2^-100. The smoothed terms of
      // cross-entropy have no guard here (loss_softmax-inl.h).
      if (kind.settings.loss == Loss::kCrossEntropy && kind.settings.label_smoothing > 0) continue;
      for (const double target : {-80.0, -30.0, 0.5, 30.0, 80.0}) {
        for (const double others : {-80.0, -30.0, 0.5, 30.0, 80.0}) {
          for (const double spread : {0.0, 1.0}) {
            SCOPED_TRACE(kind.name + " target " + std::to_string(target) + " others " +
                         std::to_string(others) + " spread " + std::to_string(spread));
            LossCase c = Case(kind, RandomScores(3, 20, spread, 9), 7);
            for (size_t m = 0; m < 3; ++m) {
              for (size_t j = 0; j < 20; ++j) c.scores(m, j) += j == m ? target : others;
            }
            // Arguments of exponentials up to 160, right to 2^-24 of it.
            ExpectClose(c, RunLoss(c), 4e-5);
            if (::testing::Test::HasFatalFailure()) return;
          }
        }
      }
    }
  });
}

// Scores of any size that training meets must give numbers.
TEST(LossTest, LargeScoresStayFinite) {
  ForEachTarget([](int64_t) {
    for (const LossKind& kind : LossKinds()) {
      for (const double offset : {-1e4, -500.0, -100.0, 0.0, 100.0, 500.0, 1e4}) {
        for (const double scale : {1.0, 100.0, 1e4}) {
          SCOPED_TRACE(kind.name + " offset " + std::to_string(offset) + " scale " +
                       std::to_string(scale));
          LossCase c = Case(kind, RandomScores(5, 21, scale, 11), 8);
          for (double& s : c.scores.values) s += offset;
          const LossResult result = RunLoss(c);
          ASSERT_TRUE(std::isfinite(result.loss));
          for (const double g : result.gradient.values) ASSERT_TRUE(std::isfinite(g));
        }
      }
    }
  });
}

// The far tail of cross-entropy: the gradient fades with the guard inside the logarithm
// (p_i + 1e-24) exactly as published; that of xe_logit does not.
TEST(LossTest, CrossEntropyFarBelow) {
  ForEachTarget([](int64_t) {
    for (const LossKind& kind : LossKinds()) {
      if (kind.name != "cross-entropy smoothing 0.000000" && kind.settings.loss != Loss::kXeLogit) {
        continue;
      }
      for (const double gap : {20.0, 50.0, 55.0, 60.0, 80.0}) {
        SCOPED_TRACE(kind.name + " " + std::to_string(gap));
        LossCase c = Case(kind, RandomScores(3, 20, 0.5, 9), 7);
        for (size_t m = 0; m < 3; ++m) c.scores(m, m) = -gap;
        ExpectClose(c, RunLoss(c), 2e-5);
        if (::testing::Test::HasFatalFailure()) return;
      }
    }
  });
}

TEST(LossTest, NanInNanOut) {
  ForEachTarget([](int64_t) {
    for (const LossKind& kind : LossKinds()) {
      LossCase c = Case(kind, RandomScores(5, 21, 1, 11), 8);
      c.scores(2, 9) = std::nan("");
      EXPECT_TRUE(std::isnan(RunLoss(c).loss)) << kind.name;
      c.scores = RandomScores(5, 21, 1, 11);
      c.scores(2, 2) = std::nan("");
      EXPECT_TRUE(std::isnan(RunLoss(c).loss)) << kind.name;
    }
  });
}

// A key of unit_losses: "bpr-max.elu-0.5.s0.r0.7.m8".
LossCase GoldenCase(const reference::Safetensors& file, const std::string& key) {
  LossCase c;
  const auto part = [&](size_t from, const std::string& until) {
    return key.substr(from, key.find(until, from) - from);
  };
  const std::string loss = part(0, ".");
  const size_t at_activation = loss.size() + 1;
  const std::string activation = part(at_activation, ".s0");
  const size_t at_smoothing = at_activation + activation.size() + 2;
  const std::string smoothing = part(at_smoothing, ".r");
  const size_t at_bpreg = at_smoothing + smoothing.size() + 2;
  const std::string bpreg = part(at_bpreg, ".m");
  const std::string m = key.substr(at_bpreg + bpreg.size() + 1);
  bool found = false;
  for (const Loss l : {Loss::kCrossEntropy, Loss::kXeLogit, Loss::kBpr, Loss::kTop1, Loss::kTop1Max,
                       Loss::kBprMax}) {
    if (loss != Name(l)) continue;
    c.settings.loss = l;
    found = true;
  }
  EXPECT_TRUE(found) << key;
  c.settings.final_activation =
      ParseActivation(key, activation == "softmax_logit" ? "softmax" : activation);
  c.settings.label_smoothing = std::stod(smoothing);
  c.settings.bpreg = std::stod(bpreg);
  const auto& tensor = file["scores." + m];
  c.scores = Array(tensor.dim(0), tensor.dim(1));
  c.scores.values = tensor.AsDouble();
  c.block = 8;
  return c;
}

TEST(LossTest, GoldenVectors) {
  STINT_REQUIRE_PATH(reference::GoldenDir());
  const auto file = reference::ReadSafetensors(reference::GoldenDir() + "/unit_losses.safetensors");
  std::vector<std::string> keys;
  for (const auto& [name, tensor] : file.tensors) {
    if (name.rfind("loss.", 0) == 0) keys.push_back(name.substr(5));
  }
  ASSERT_EQ(keys.size(), 36u);
  ForEachTarget([&](int64_t) {
    for (const std::string& key : keys) {
      SCOPED_TRACE(key);
      const LossCase c = GoldenCase(file, key);
      const double loss = file["loss." + key].AsDouble()[0];
      const std::vector<double> gradient = file["grad." + key].AsDouble();
      // The float64 reference first: it is what all other tests here lean on.
      Array exact;
      ASSERT_NEAR(reference::LossOfScores(c.settings, c.scores, &exact), loss, 1e-11);
      const LossResult result = RunLoss(c);
      ASSERT_NEAR(result.loss, loss, 2e-6 * loss);
      for (size_t i = 0; i < gradient.size(); ++i) {
        ASSERT_NEAR(exact.values[i], gradient[i], 1e-12);
        ASSERT_NEAR(result.gradient.values[i], gradient[i],
                    2e-6 * std::max(1.0, std::abs(gradient[i])));
      }
    }
  });
}

// The values that the losses are computed from: LossTargets of every column in turn.
TEST(LossTest, GoldenActivations) {
  STINT_REQUIRE_PATH(reference::GoldenDir());
  const auto file = reference::ReadSafetensors(reference::GoldenDir() + "/unit_losses.safetensors");
  const std::vector<double> scores = file["scores.m8"].AsDouble();
  size_t tried = 0;
  for (const auto& entry : file.tensors) {
    const std::string& name = entry.first;  // clang 14 captures no structured binding
    if (name.rfind("act.", 0) != 0 || name.rfind("act.softmax", 0) == 0) continue;
    ++tried;
    const std::vector<double> expected = entry.second.AsDouble();
    ForEachTarget([&](int64_t) {
      for (const Loss loss : {Loss::kBpr, Loss::kTop1, Loss::kTop1Max, Loss::kBprMax}) {
        LossCase c;
        c.settings.loss = loss;
        c.settings.final_activation = ParseActivation(name, name.substr(4));
        c.scores = Array(scores.size(), scores.size());
        for (size_t i = 0; i < scores.size(); ++i) c.scores(i, i) = scores[i];
        LossMemory memory(c);
        Floats statistics(kLossStatistics * memory.lanes, reference::kNan);
        LossTargets(ConfigOf(c.settings), memory.batch, statistics.data());
        for (size_t i = 0; i < scores.size(); ++i) {
          ASSERT_NEAR(statistics[kTarget * memory.lanes + i], expected[i],
                      4e-7 * std::max(1.0, std::abs(expected[i])))
              << name << " score " << scores[i];
        }
      }
    });
  }
  EXPECT_EQ(tried, 7u);
}

}  // namespace
}  // namespace stint
