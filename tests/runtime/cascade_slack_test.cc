// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Cascades made by hand so that bounds are as low as real numbers allow: with what covers rounding
// their answers are right; without it (this test, compiled with a STINT_BOUND_SLACK of 0 together
// with cascade.cc, as runtime/cascade_slackless) some are wrong, and so they are where a file's
// bounds are a little too low.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "runtime/cascade.h"
#include "tests/runtime/cascade_model.h"
#include "tests/runtime/forgery.h"

namespace stint {
namespace {

#if defined(STINT_BOUND_SLACK)
constexpr bool kSlackless = STINT_BOUND_SLACK == 0;
#else
constexpr bool kSlackless = false;
#endif

constexpr size_t kItems = 200;

// The projection is the first unit vectors.
struct HandMade {
  size_t width, columns;
  float kappa = 1e-12f;
  std::vector<float> scale = std::vector<float>(kItems, 0.0f);  // of int8 rows
  std::vector<float> bias = std::vector<float>(kItems, 0.0f);   // all bfloat16
  std::vector<float> step = std::vector<float>(kItems, 0.0f);   // of 4-bit rows: bfloat16
  std::vector<int> codes;                                       // [items, width] of int8
  std::vector<int> nibbles;                                     // [items, columns]
  std::vector<float> mean;                                      // [width]
  std::vector<double> hidden;                                   // [width]

  HandMade(size_t width_in, size_t columns_in)
      : width(width_in),
        columns(columns_in),
        codes(kItems * width),
        nibbles(kItems * columns),
        mean(width),
        hidden(width) {}
};

// What a file's bounds are changed by, one at a time.
struct Lie {
  const char* name = "";
  int rho_levels = 0, tau_levels = 0;
  float rho_unit = 1, tau_unit = 1, kappa = 1;
};

// Of sizes [kItems, width, columns]: what the hand-made parts are put into.
const Forgery& Base(size_t width, size_t columns) {
  static std::vector<std::pair<std::pair<size_t, size_t>, Forgery>> all;
  for (const auto& [sizes, base] : all) {
    if (sizes == std::make_pair(width, columns)) return base;
  }
  const Parameters p = RandomParameters(kItems, {width}, GruForm::kResetAfter, 5);
  const Catalog catalog = NumberCatalog(kItems);
  const ExportInput input =
      CascadeExport(p, catalog, Scoring::kInt8, static_cast<uint32_t>(columns));
  all.reserve(8);
  all.push_back({{width, columns}, Forgery(BuildModel(input))});
  return all.back().second;
}

float Up(double x) { return x > 0 ? std::nextafter(static_cast<float>(x), INFINITY) : 0.0f; }

uint16_t Bf16(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, 4);
  EXPECT_EQ(bits & 0xFFFF, 0u) << x << " is no bfloat16";
  return static_cast<uint16_t>(bits >> 16);
}

// A bfloat16 near x.
float NearBf16(double x) {
  const float value = static_cast<float>(x);
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  bits &= 0xFFFF0000u;
  float out;
  std::memcpy(&out, &bits, 4);
  return out;
}

Bytes MakeFile(const HandMade& hand, const Lie& lie) {
  const Forgery& base = Base(hand.width, hand.columns);
  Bytes bytes = base.bytes();
  const auto at = [&](const char* name) { return bytes.data() + base.section(name).range.offset; };
  const auto put = [](uint8_t* to, size_t index, float x) { std::memcpy(to + 4 * index, &x, 4); };
  const size_t row_bytes = CandidateRowBytes(hand.width);
  const size_t tile_bytes = ScanTileBytes(hand.columns);
  std::vector<double> rho(kItems), tau(kItems);
  double omega = 0;
  float largest_bias = 0;
  std::memset(at("cascade.codes"), 0, base.section("cascade.codes").range.size);
  for (size_t i = 0; i < kItems; ++i) {
    uint8_t* const panel = at("item_rows") + i / 64 * PanelTileBytes(true, hand.width);
    put(panel, i % 64, hand.scale[i]);
    put(panel, 64 + i % 64, hand.bias[i]);
    uint8_t* const row = at("cascade.rows") + i * row_bytes;
    for (size_t j = 0; j < hand.width; ++j) {
      const uint8_t code = static_cast<uint8_t>(hand.codes[i * hand.width + j] + 128);
      panel[kInt8HeaderBytes + j / 4 * kStepBytes + i % 64 * 4 + j % 4] = code;
      row[j] = code;
    }
    put(row + row_bytes - 16, 0, hand.scale[i]);
    put(row + row_bytes - 16, 1, hand.bias[i]);

    double missed = 0, value_norm = 0, tail = 0;
    uint8_t* const tile = at("cascade.codes") + i / 64 * tile_bytes;
    for (size_t j = 0; j < hand.width; ++j) {
      const double w = double{hand.scale[i]} * hand.codes[i * hand.width + j] - hand.mean[j];
      if (j >= hand.columns) {
        tail += w * w;
        continue;
      }
      const int nibble = hand.nibbles[i * hand.columns + j];
      const double value = double{hand.step[i]} * (nibble - 7.5);
      missed += (w - value) * (w - value);
      value_norm += value * value;
      tile[kScanHeaderBytes + j / 4 * kScanStepBytes + i % 64 / 32 * 64 + i % 16 * 4 + j % 4] |=
          static_cast<uint8_t>(nibble << (i % 32 >= 16 ? 4 : 0));
    }
    const uint16_t step = Bf16(i % 32 >= 16 ? hand.step[i] / 16 : hand.step[i]);
    std::memcpy(tile + kScanBoundBytes + (i % 64 / 32 * 16 + i % 16) * 4 + (i % 32 >= 16 ? 0 : 2),
                &step, 2);
    rho[i] = std::sqrt(missed) + double{hand.kappa} * std::sqrt(value_norm);
    tau[i] = std::sqrt(tail);
    omega = std::max(omega, std::sqrt(value_norm));
    largest_bias = std::max(largest_bias, std::fabs(hand.bias[i]));
  }
  const float rho_unit = Up(*std::max_element(rho.begin(), rho.end()) / 255);
  const float tau_unit = Up(*std::max_element(tau.begin(), tau.end()) / 255);
  for (size_t i = 0; i < kItems; ++i) {
    const auto level = [](double value, float unit, int less) {
      const int up = unit > 0 ? static_cast<int>(std::ceil(value / double{unit})) : 0;
      return static_cast<uint32_t>(std::max(0, up - less));
    };
    const uint32_t bound = uint32_t{Bf16(hand.bias[i])} << 16 |
                           level(tau[i], tau_unit, lie.tau_levels) << 8 |
                           level(rho[i], rho_unit, lie.rho_levels);
    std::memcpy(at("cascade.codes") + i / 64 * tile_bytes + i % 64 * 4, &bound, 4);
  }
  uint8_t* const projection = at("cascade.projection");
  std::memset(projection, 0, base.section("cascade.projection").range.size);
  for (size_t r = 0; r <= hand.columns; ++r) {
    uint8_t* const tile = projection + r / 64 * PanelTileBytes(false, hand.width);
    for (size_t j = 0; j < hand.width; ++j) {
      const float value = r == hand.columns ? hand.mean[j] : j == r ? 1.0f : 0.0f;
      put(tile, (j + 1) * 64 + r % 64, value);
    }
  }
  schema::Cascade* const fields = schema::GetMutableModel(bytes.data())->mutable_cascade();
  EXPECT_TRUE(fields->mutate_skew(0.0f));
  EXPECT_TRUE(fields->mutate_rho_unit(rho_unit * lie.rho_unit));
  EXPECT_TRUE(fields->mutate_tau_unit(tau_unit * lie.tau_unit));
  EXPECT_TRUE(fields->mutate_kappa(hand.kappa * lie.kappa));
  EXPECT_TRUE(fields->mutate_omega(Up(omega)));
  EXPECT_TRUE(fields->mutate_largest_bias(largest_bias));
  return base.Seal(std::move(bytes));
}

// Answers of a scan of the int8 rows that the cascade does not give, over all targets. The best
// items are what the last answer was: the threshold is the k-th best score from the start on.
size_t WrongAnswers(const HandMade& hand, const Lie& lie = {}) {
  const Copy file(MakeFile(hand, lie));
  stint_model* opened = nullptr;
  stint_error error;
  EXPECT_EQ(stint_model_from_buffer(file.data(), file.size(), &opened, &error), STINT_OK)
      << error.message;
  const ModelPointer model(opened, stint_model_destroy);
  size_t wrong = 0;
  ForEachTarget([&] {
    const SessionPointer session = NewSession(model.get(), 20);
    SessionState* const s = StateOf(session.get());
    SetHidden(hand.hidden, s);
    BoundScan scan;
    ASSERT_TRUE(PrepareBounds(s, &scan));
    std::vector<float> scores(kItems);
    ASSERT_EQ(stint_scores(session.get(), scores.data()), STINT_OK);
    std::vector<uint32_t> order(kItems);
    for (uint32_t i = 0; i < kItems; ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(),
                     [&](uint32_t a, uint32_t b) { return scores[a] > scores[b]; });
    for (const uint32_t k : {1u, 5u, 20u}) {
      stint_recommendation top[20];
      size_t count = 0;
      std::copy_n(order.begin(), 20, s->seeds);
      s->seed_count = 20;
      ASSERT_EQ(stint_recommend(session.get(), k, nullptr, top, &count), STINT_OK);
      bool same = count == k;
      for (uint32_t i = 0; same && i < k; ++i) {
        same = top[i].item == order[i] && FloatBits(top[i].score) == FloatBits(scores[order[i]]);
      }
      wrong += !same;
    }
  });
  return wrong;
}

// ---- Rounding

// Rows are the mean and codes of 4 bits, exactly; the hidden state is 8-bit integers times a float.
// Scores are `bias` and a sum of which the mean row has the most.
HandMade Grid(size_t width, int mean, double bias, uint64_t seed) {
  HandMade hand(width, width);
  const RandomCounter random(seed, 12);
  uint64_t draw = 0;
  const float scale = NearBf16(1 + random.Unit(draw++));
  const double unit = 1 + random.Unit(draw++);
  double mean_sum = 0;
  for (size_t j = 0; j < width; ++j) {
    hand.hidden[j] =
        unit * (j % 8 == 7 ? 1.0 + static_cast<double>(random.Bits(draw++) % 3) : 127.0);
    hand.mean[j] = scale * static_cast<float>(mean);
    mean_sum += double{hand.mean[j]} * hand.hidden[j];
  }
  for (size_t i = 0; i < kItems; ++i) {
    hand.scale[i] = scale;
    hand.step[i] = 2 * scale;
    hand.bias[i] = NearBf16(bias * (mean == 0 ? double{scale} * unit : mean_sum));
    for (size_t j = 0; j < width; ++j) {
      const int nibble = j % 8 == 7 ? static_cast<int>(random.Bits(draw++) % 16) : 8;
      hand.nibbles[i * width + j] = nibble;
      hand.codes[i * width + j] = 2 * nibble - 15 + mean;
    }
  }
  return hand;
}

struct Rounding {
  const char* name;
  size_t width;
  int mean;
  double bias;  // times the mean row's product, or units of the sum
};
const Rounding kRoundings[] = {
    {"sum of the mean row", 256, 112, 0.0},       {"sum of the mean row, short", 64, 112, 0.0},
    {"mean row and bias cancel", 256, 112, -1.0}, {"large bias", 32, 0, 0x1p26},
    {"large negative bias", 32, 0, -0x1p25},      {"no mean, no bias", 128, 0, 0.0},
};

TEST(CascadeSlack, Rounding) {
  constexpr uint64_t kTrials = 40;
  for (const Rounding& rounding : kRoundings) {
    size_t wrong = 0;
    for (uint64_t trial = 0; trial < kTrials; ++trial) {
      wrong += WrongAnswers(Grid(rounding.width, rounding.mean, rounding.bias, trial));
      ASSERT_FALSE(HasFatalFailure());
    }
    std::printf("%-28s %zu wrong answers\n", rounding.name, wrong);
    if (!kSlackless) {
      EXPECT_EQ(wrong, 0u) << rounding.name;
    } else {
      EXPECT_GT(wrong, 0u) << rounding.name;
    }
  }
}

// ---- Bounds of the file

#if !defined(STINT_BOUND_SLACK)

// Each bound is reached by some item's score.
HandMade Reached(const std::string& what, uint64_t seed) {
  const RandomCounter random(seed, 13);
  uint64_t draw = 0;
  const bool is_tail = what == "tau";
  const bool is_vector = what == "kappa";
  HandMade hand(16, is_tail ? 8 : 16);
  const size_t best = static_cast<size_t>(random.Bits(draw++) % kItems);
  std::vector<int> sign(hand.width);
  for (int& s : sign) s = random.Bits(draw++) % 2 ? 1 : -1;
  double off = 0, norm = 0;
  for (size_t j = 0; j < hand.width; ++j) {
    // The best row's direction; with halves of the 8-bit unit where its codes are to gain by that.
    const bool is_inside = j < hand.columns;
    const double value = j == 0 ? 127.0 : 100.496;
    hand.hidden[j] = is_tail && is_inside ? 0.0 : sign[j] * (is_vector ? value : 100.0);
    norm += hand.hidden[j] * hand.hidden[j];
    off += is_vector && j > 0 ? 0.496 * 0.496 : 0.0;
  }
  if (is_vector) hand.kappa = Up(std::sqrt(off / norm) * 1.00001);
  if (!is_vector) hand.kappa = 1e-3f;  // of 1e-8 of the row here
  for (size_t i = 0; i < kItems; ++i) {
    const bool is_best = i == best;
    hand.scale[i] = 1.0f;
    // Codes near zero but for the vector's: all of a row is its residual.
    hand.step[i] = is_vector ? 2.0f : is_tail ? 0.0f : 0x1p-20f;
    for (size_t j = 0; j < hand.width; ++j) {
      const bool is_inside = j < hand.columns;
      const int size = is_vector ? 15 : 100;
      const int low = is_vector ? 15 : static_cast<int>(random.Bits(draw++) % 90);
      const int flip = is_best || random.Bits(draw++) % 3 ? 1 : -1;
      int code = sign[j] * flip * (is_best ? size : low);
      if (is_tail && is_inside) code = 0;
      hand.codes[i * hand.width + j] = code;
      if (is_inside) hand.nibbles[i * hand.columns + j] = is_vector ? (code + 15) / 2 : 7;
    }
  }
  return hand;
}

TEST(CascadeSlack, LowerBoundsInTheFile) {
  struct Case {
    const char* what;
    Lie lie;
  };
  std::vector<Case> cases;
  const auto add = [&](const char* what, const char* name, auto change) {
    cases.push_back({what, {}});
    cases.back().lie.name = name;
    change(&cases.back().lie);
  };
  add("rho", "two levels", [](Lie* lie) { lie->rho_levels = 2; });
  add("rho", "one level", [](Lie* lie) { lie->rho_levels = 1; });
  add("rho", "unit", [](Lie* lie) { lie->rho_unit = 0.9f; });
  add("tau", "two levels", [](Lie* lie) { lie->tau_levels = 2; });
  add("tau", "one level", [](Lie* lie) { lie->tau_levels = 1; });
  add("tau", "unit", [](Lie* lie) { lie->tau_unit = 0.9f; });
  add("kappa", "of the vector", [](Lie* lie) { lie->kappa = 1.2f; });
  add("kappa", "in rho", [](Lie* lie) { lie->rho_unit = 0.9f; });
  add("kappa", "ten levels of rho", [](Lie* lie) { lie->rho_levels = 10; });
  for (const Case& c : cases) {
    size_t right = 0, wrong = 0;
    for (uint64_t trial = 0; trial < 10; ++trial) {
      const HandMade hand = Reached(c.what, trial);
      right += WrongAnswers(hand);
      wrong += WrongAnswers(hand, c.lie);
      ASSERT_FALSE(HasFatalFailure());
    }
    std::printf("%-8s %-20s %zu wrong answers\n", c.what, c.lie.name, wrong);
    EXPECT_EQ(right, 0u) << c.what;
    EXPECT_GT(wrong, 0u) << c.what << ", " << c.lie.name;
  }
}

#endif

}  // namespace
}  // namespace stint
