// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Losses and their gradients by the scores: against the float64 reference at odd sizes, scales
// and block cuts, against the golden vectors, and where float32 easily goes wrong; on every
// SIMD target.
#include "trainer/loss.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "tests/reference/folders.h"
#include "tests/reference/kernels.h"
#include "tests/reference/network.h"
#include "tests/reference/safetensors.h"
#include "trainer/parameters.h"

namespace stint {
namespace {

using reference::Array;
using reference::Floats;
using reference::ForEachTarget;
using reference::Settings;

struct Result {
  double loss = 0;
  Array gradient;           // [rows, columns]
  std::vector<float> bits;  // gradient as stored, [columns, batch]
};

LossConfig ConfigOf(const Settings& settings) {
  return {.loss = settings.loss,
          .activation = settings.final_activation.Params(),
          .bpreg = static_cast<float>(settings.bpreg)};
}

// The four stages over blocks of `block` columns. Padding lanes hold `padding`.
Result RunLoss(const Settings& settings, const Array& scores, const std::vector<float>& correction,
               size_t block, float weight, float padding = 0.5f) {
  const size_t rows = scores.rows, columns = scores.cols;
  const size_t batch = RoundUp(rows, kRowAlignment);
  Floats buffer(columns * batch, padding);
  for (size_t c = 0; c < columns; ++c) {
    for (size_t m = 0; m < rows; ++m) buffer[c * batch + m] = static_cast<float>(scores(m, c));
  }
  const LossConfig config = ConfigOf(settings);
  const LossBatch input = {.scores = buffer.data(),
                           .correction = correction.empty() ? nullptr : correction.data(),
                           .columns = columns,
                           .rows = rows,
                           .batch = batch,
                           .weight = weight};
  const size_t blocks = (columns + block - 1) / block;
  Floats statistics(kLossStatistics * batch, reference::kNan);
  Floats partials(blocks * kLossStatistics * batch, reference::kNan);
  LossTargets(config, input, statistics.data());
  for (size_t b = 0; b < blocks; ++b) {
    LossPartial(config, input, b * block, std::min(columns, (b + 1) * block),
                statistics.data() + kTarget * batch, partials.data() + b * kLossStatistics * batch);
  }
  Result result;
  result.loss = LossCombine(config, input, partials.data(), blocks, statistics.data());
  for (size_t b = 0; b < blocks; ++b) {
    LossGradient(config, input, b * block, std::min(columns, (b + 1) * block),
                 partials.data() + b * kLossStatistics * batch, statistics.data());
  }
  result.gradient = Array(rows, columns);
  for (size_t c = 0; c < columns; ++c) {
    for (size_t m = 0; m < rows; ++m) result.gradient(m, c) = buffer[c * batch + m];
    for (size_t lane = rows; lane < batch; ++lane) {
      EXPECT_EQ(buffer[c * batch + lane], 0.0f) << "padding lane " << lane << " column " << c;
    }
  }
  result.bits.assign(buffer.data(), buffer.data() + buffer.size());
  return result;
}

// What the float32 code is given, in float64: scores rounded, correction taken off.
Array Rounded(const Array& scores, const std::vector<float>& correction) {
  Array rounded = scores;
  for (size_t m = 0; m < scores.rows; ++m) {
    for (size_t c = 0; c < scores.cols; ++c) {
      rounded(m, c) = static_cast<float>(scores(m, c));
      if (!correction.empty()) rounded(m, c) -= correction[c];
    }
  }
  return rounded;
}

// `relative` is in units of the largest gradient of a row (its sums cancel), at least `weight`.
void ExpectClose(const Settings& settings, const Array& scores,
                 const std::vector<float>& correction, float weight, const Result& actual,
                 double relative) {
  Array gradient;
  const double loss =
      weight * reference::LossOfScores(settings, Rounded(scores, correction), &gradient);
  ASSERT_NEAR(actual.loss, loss, relative * std::max<double>(weight, std::abs(loss)));
  for (size_t m = 0; m < scores.rows; ++m) {
    double largest = 1;
    for (size_t c = 0; c < scores.cols; ++c) {
      largest = std::max(largest, std::abs(gradient(m, c)));
    }
    for (size_t c = 0; c < scores.cols; ++c) {
      ASSERT_NEAR(actual.gradient(m, c), weight * gradient(m, c), relative * weight * largest)
          << "row " << m << " column " << c;
    }
  }
}

struct Kind {
  const char* name;
  Settings settings;
};

std::vector<Kind> Kinds() {
  Settings xe;
  Settings linear;
  linear.loss = Loss::kBprMax;
  linear.final_activation = {ActivationKind::kLinear};
  linear.bpreg = 0.7;
  Settings elu = linear;
  elu.final_activation = {ActivationKind::kElu, 0.5};
  Settings elu1 = elu;
  elu1.final_activation.alpha = 1;
  elu1.bpreg = 0;
  return {{"cross-entropy", xe},
          {"bpr-max linear", linear},
          {"bpr-max elu-0.5", elu},
          {"bpr-max elu-1", elu1}};
}

Array RandomScores(size_t rows, size_t columns, double scale, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> uniform(-scale, scale);
  Array scores(rows, columns);
  for (double& s : scores.values) s = uniform(random);
  return scores;
}

TEST(LossTest, AgreesWithFloat64AtOddSizes) {
  ForEachTarget([](int64_t) {
    for (const Kind& kind : Kinds()) {
      for (const size_t rows : {1, 2, 5, 15, 16, 17, 33}) {
        for (const size_t negatives : {0, 1, 12, 31, 100}) {
          if (rows + negatives < 2) continue;
          for (const double scale : {0.1, 2.0, 8.0}) {
            for (const bool corrected : {false, true}) {
              SCOPED_TRACE(std::string(kind.name) + " rows " + std::to_string(rows) +
                           " negatives " + std::to_string(negatives) + " scale " +
                           std::to_string(scale) + (corrected ? " corrected" : ""));
              const size_t columns = rows + negatives;
              const Array scores = RandomScores(rows, columns, scale, rows * 100 + negatives);
              std::vector<float> correction;
              for (size_t c = 0; corrected && c < columns; ++c) {
                correction.push_back(0.8f * std::log(1.0f + static_cast<float>(c * 7 % 50)));
              }
              // One exponential is right to 1e-7, its argument to 2^-24 of up to 16.
              const Result result = RunLoss(kind.settings, scores, correction, 24, 0.125f);
              ExpectClose(kind.settings, scores, correction, 0.125f, result, 4e-6);
              if (::testing::Test::HasFatalFailure()) return;
            }
          }
        }
      }
    }
  });
}

// Blocks only split sums; the loss must not depend on where by more than rounding, and a block
// that holds nothing but a session's own target must not spoil BPR-max's maximum.
TEST(LossTest, AnyBlockSize) {
  ForEachTarget([](int64_t) {
    for (const Kind& kind : Kinds()) {
      const Array scores = RandomScores(9, 40, 3.0, 5);
      for (const size_t block : {1, 2, 7, 16, 39, 40, 1000}) {
        SCOPED_TRACE(std::string(kind.name) + " block " + std::to_string(block));
        ExpectClose(kind.settings, scores, {}, 1.0f,
                    RunLoss(kind.settings, scores, {}, block, 1.0f), 4e-6);
        if (::testing::Test::HasFatalFailure()) return;
      }
    }
  });
}

// The content of padding lanes reaches nothing.
TEST(LossTest, PaddingIsIgnored) {
  for (const Kind& kind : Kinds()) {
    const Array scores = RandomScores(5, 17, 3.0, 5);
    const Result zero = RunLoss(kind.settings, scores, {}, 8, 1.0f, 0.0f);
    for (const float padding : {-50.0f, 3.0f, 90.0f}) {
      const Result other = RunLoss(kind.settings, scores, {}, 8, 1.0f, padding);
      EXPECT_EQ(zero.loss, other.loss) << kind.name;
      EXPECT_EQ(zero.bits, other.bits) << kind.name;
    }
  }
}

// A target far below its negatives is what training has to mend: its gradient must not be lost.
// Needs a sigmoid that is right relative to its own, small, size.
TEST(LossTest, BprMaxPullsUpATargetFarBelow) {
  ForEachTarget([](int64_t) {
    for (const Kind& kind : Kinds()) {
      if (kind.settings.loss != Loss::kBprMax ||
          kind.settings.final_activation.kind != ActivationKind::kLinear) {
        continue;  // ELU bounds the distance from below, but not from above: next test
      }
      for (const double gap : {5.0, 10.0, 14.0, 18.0, 25.0, 40.0}) {
        SCOPED_TRACE(gap);
        Array scores = RandomScores(3, 20, 0.5, 9);
        for (size_t m = 0; m < 3; ++m) scores(m, m) = -gap;
        Settings settings = kind.settings;
        settings.bpreg = 0;
        ExpectClose(settings, scores, {}, 1.0f, RunLoss(settings, scores, {}, 7, 1.0f), 1e-5);
        if (::testing::Test::HasFatalFailure()) return;
      }
    }
  });
}

TEST(LossTest, BprMaxEluPullsUpATargetFarBelow) {
  ForEachTarget([](int64_t) {
    for (const double top : {10.0, 16.0, 25.0, 40.0}) {
      SCOPED_TRACE(top);
      Settings settings = Kinds()[2].settings;
      settings.bpreg = 0;
      Array scores = RandomScores(3, 20, 0.5, 9);
      for (size_t m = 0; m < 3; ++m) {
        for (size_t c = 0; c < 20; ++c) scores(m, c) += c == m ? 0 : top;
      }
      ExpectClose(settings, scores, {}, 1.0f, RunLoss(settings, scores, {}, 7, 1.0f), 1e-5);
      if (::testing::Test::HasFatalFailure()) return;
    }
  });
}

// The published code divides 0 by 0 where all negatives lie below -88; and scores of any size
// that float32 holds must give numbers.
TEST(LossTest, LargeScoresStayFinite) {
  ForEachTarget([](int64_t) {
    for (const Kind& kind : Kinds()) {
      for (const double offset : {-1e4, -500.0, -100.0, 0.0, 100.0, 500.0, 1e4}) {
        for (const double scale : {1.0, 100.0, 1e4}) {
          SCOPED_TRACE(std::string(kind.name) + " offset " + std::to_string(offset) + " scale " +
                       std::to_string(scale));
          Array scores = RandomScores(5, 21, scale, 11);
          for (double& s : scores.values) s += offset;
          const Result result = RunLoss(kind.settings, scores, {}, 8, 1.0f);
          ASSERT_TRUE(std::isfinite(result.loss));
          for (const double g : result.gradient.values) ASSERT_TRUE(std::isfinite(g));
        }
      }
    }
  });
}

// The far tail of cross-entropy: the gradient fades with the guard inside the logarithm
// (p_i + 1e-24) exactly as published.
TEST(LossTest, CrossEntropyFarBelow) {
  ForEachTarget([](int64_t) {
    for (const double gap : {20.0, 50.0, 55.0, 60.0, 80.0}) {
      SCOPED_TRACE(gap);
      Array scores = RandomScores(3, 20, 0.5, 9);
      for (size_t m = 0; m < 3; ++m) scores(m, m) = -gap;
      ExpectClose(Settings(), scores, {}, 1.0f, RunLoss(Settings(), scores, {}, 7, 1.0f), 2e-5);
      if (::testing::Test::HasFatalFailure()) return;
    }
  });
}

TEST(LossTest, NanInNanOut) {
  for (const Kind& kind : Kinds()) {
    Array scores = RandomScores(5, 21, 1, 11);
    scores(2, 9) = std::nan("");
    EXPECT_TRUE(std::isnan(RunLoss(kind.settings, scores, {}, 8, 1.0f).loss)) << kind.name;
    scores = RandomScores(5, 21, 1, 11);
    scores(2, 2) = std::nan("");
    EXPECT_TRUE(std::isnan(RunLoss(kind.settings, scores, {}, 8, 1.0f).loss)) << kind.name;
  }
}

TEST(LossTest, GoldenVectors) {
  STINT_REQUIRE_PATH(reference::GoldenDir());
  const auto file = reference::ReadSafetensors(reference::GoldenDir() + "/unit_losses.safetensors");
  struct Case {
    const char* key;
    Loss loss;
    Activation activation;
    double bpreg;
  };
  const Case cases[] = {
      {"cross-entropy.softmax.s0.r0", Loss::kCrossEntropy, {ActivationKind::kSoftmax}, 0},
      {"bpr-max.linear.s0.r0.0", Loss::kBprMax, {ActivationKind::kLinear}, 0},
      {"bpr-max.linear.s0.r0.7", Loss::kBprMax, {ActivationKind::kLinear}, 0.7},
      {"bpr-max.elu-0.5.s0.r0.7", Loss::kBprMax, {ActivationKind::kElu, 0.5}, 0.7},
      {"bpr-max.elu-1.s0.r1.95", Loss::kBprMax, {ActivationKind::kElu, 1}, 1.95},
  };
  ForEachTarget([&](int64_t) {
    for (const Case& c : cases) {
      for (const std::string m : {"m5", "m8"}) {
        const std::string key = std::string(c.key) + "." + m;
        SCOPED_TRACE(key);
        const auto& tensor = file["scores." + m];
        Array scores(tensor.dim(0), tensor.dim(1));
        scores.values = tensor.AsDouble();
        Settings settings;
        settings.loss = c.loss;
        settings.final_activation = c.activation;
        settings.bpreg = c.bpreg;
        const double loss = file["loss." + key].AsDouble()[0];
        const std::vector<double> gradient = file["grad." + key].AsDouble();
        // The float64 reference first: it is what all other tests here lean on.
        Array exact;
        ASSERT_NEAR(reference::LossOfScores(settings, scores, &exact), loss, 1e-11);
        const Result result = RunLoss(settings, scores, {}, 8, 1.0f);
        ASSERT_NEAR(result.loss, loss, 2e-6 * loss);
        for (size_t i = 0; i < gradient.size(); ++i) {
          ASSERT_NEAR(exact.values[i], gradient[i], 1e-12);
          ASSERT_NEAR(result.gradient.values[i], gradient[i],
                      2e-6 * std::max(1.0, std::abs(gradient[i])));
        }
      }
    }
  });
}

}  // namespace
}  // namespace stint
