// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Learning rates over training: end points, steps, monotony, known values.
#include "trainer/schedule.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <numbers>

namespace stint {
namespace {

TEST(ScheduleTest, ConstantStays) {
  Options options{.learning_rate = 0.07, .epochs = 10};
  for (const double done : {0.0, 0.3, 5.0, 10.0}) EXPECT_EQ(LearningRateAt(options, done), 0.07);
}

TEST(ScheduleTest, StepFallsAtWholeEpochs) {
  Options options{.learning_rate = 0.8,
                  .schedule = Schedule::kStep,
                  .schedule_factor = 0.5,
                  .schedule_epochs = 3,
                  .epochs = 10};
  EXPECT_EQ(LearningRateAt(options, 0), 0.8);
  EXPECT_EQ(LearningRateAt(options, 2.999), 0.8);
  EXPECT_EQ(LearningRateAt(options, 3), 0.4);
  EXPECT_EQ(LearningRateAt(options, 5.999), 0.4);
  EXPECT_EQ(LearningRateAt(options, 6), 0.2);
  EXPECT_EQ(LearningRateAt(options, 9.5), 0.1);
  options.schedule_factor = 0.7;
  EXPECT_NEAR(LearningRateAt(options, 8), 0.8 * 0.49, 1e-15);
  EXPECT_NEAR(LearningRateAt(options, 10), 0.8 * 0.343, 1e-15);
  options.schedule_factor = 1;
  EXPECT_EQ(LearningRateAt(options, 10), 0.8);
}

TEST(ScheduleTest, CosineFallsFromTheRateToZero) {
  const Options options{.learning_rate = 0.1, .schedule = Schedule::kCosine, .epochs = 4};
  EXPECT_EQ(LearningRateAt(options, 0), 0.1);
  EXPECT_EQ(LearningRateAt(options, 2), 0.05);
  EXPECT_EQ(LearningRateAt(options, 4), 0);
  double last = 0.1;
  for (int i = 1; i <= 4000; ++i) {
    const double done = i / 1000.0;
    const double rate = LearningRateAt(options, done);
    EXPECT_LT(rate, last) << done;
    EXPECT_NEAR(rate, 0.05 * (1 + std::cos(std::numbers::pi * done / 4)), 1e-16) << done;
    last = rate;
  }
  // A share of an epoch that was rounded past the end.
  EXPECT_EQ(LearningRateAt(options, std::nextafter(4.0, 5.0)), 0);
}

TEST(ScheduleTest, WarmUpRisesLinearly) {
  Options options{.learning_rate = 0.2, .warmup_epochs = 0.5, .epochs = 4};
  EXPECT_EQ(LearningRateAt(options, 0), 0);
  EXPECT_EQ(LearningRateAt(options, 0.125), 0.05);
  EXPECT_EQ(LearningRateAt(options, 0.25), 0.1);
  EXPECT_EQ(LearningRateAt(options, 0.5), 0.2);
  EXPECT_EQ(LearningRateAt(options, 4), 0.2);
  // On top of either schedule.
  options.schedule = Schedule::kCosine;
  EXPECT_NEAR(LearningRateAt(options, 0.25), 0.05 * (1 + std::cos(std::numbers::pi / 16)), 1e-16);
  EXPECT_NEAR(LearningRateAt(options, 1), 0.1 * (1 + std::cos(std::numbers::pi / 4)), 1e-16);
  options.schedule = Schedule::kStep;
  options.schedule_factor = 0.5;
  options.warmup_epochs = 2;
  EXPECT_EQ(LearningRateAt(options, 1), 0.05);  // half of the second epoch's half
  EXPECT_EQ(LearningRateAt(options, 2), 0.05);
}

// The same bits on any machine.
TEST(ScheduleTest, BitsArePinned) {
  const Options options{.learning_rate = 0.05, .schedule = Schedule::kCosine, .epochs = 7};
  uint64_t mixed = 0;
  for (int i = 0; i <= 7000; ++i) {
    mixed = mixed * 0x9E3779B97F4A7C15u +
            std::bit_cast<uint64_t>(LearningRateAt(options, static_cast<double>(i) / 1000));
  }
  EXPECT_EQ(mixed, 578648043244666617u);
}

}  // namespace
}  // namespace stint
