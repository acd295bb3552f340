// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// A cascade gives the answers of a scan of the int8 model, or of brute force over the float rows,
// bit for bit: on every SIMD target, with every option, on rows made to mislead it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/runtime/cascade_model.h"

namespace stint {
namespace {

struct Shape {
  size_t items;
  std::vector<size_t> layers;
  uint32_t columns;  // of the cascade; 0: as the exporter chooses
};
const Shape kShapes[] = {{1, {4}, 4},       {63, {7}, 4},      {64, {16}, 8},   {65, {20, 33}, 16},
                         {1000, {100}, 48}, {3000, {130}, 64}, {3000, {24}, 24}};

std::vector<stint_recommendation> Recommend(stint_session* session, uint32_t k,
                                            const stint_recommend_options* options) {
  std::vector<stint_recommendation> top(k);
  size_t count = 0;
  EXPECT_EQ(stint_recommend(session, k, options, top.data(), &count), STINT_OK);
  top.resize(count);
  return top;
}

void ExpectSame(const std::vector<stint_recommendation>& a,
                const std::vector<stint_recommendation>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    ASSERT_EQ(a[i].item, b[i].item)
        << "place " << i << ", scores " << a[i].score << ", " << b[i].score;
    ASSERT_EQ(FloatBits(a[i].score), FloatBits(b[i].score)) << "place " << i;
  }
}

// Lists and bits of a catalog, by the number of the click.
class Options {
 public:
  Options(size_t items, uint64_t click) : bits_((items + 63) / 64) {
    for (size_t i = 0; i < 5; ++i) {
      deny_.push_back(static_cast<uint32_t>(MixBits(click * 31 + i) % items));
    }
    for (size_t i = 0; i < bits_.size(); ++i) bits_[i] = MixBits(click + 1000 + i);
    for (size_t i = 0; i < 1 + click % 40; ++i) {
      allow_.push_back(static_cast<uint32_t>(MixBits(click * 77 + i) % items));
    }
    if (click & 1) options_.exclude_seen = 1;
    if (click & 2) {
      options_.deny = deny_.data();
      options_.deny_count = deny_.size();
    }
    if (click & 4) options_.allow_bits = bits_.data();
    if ((click & 24) == 24) {
      options_.allow = allow_.data();
      options_.allow_count = allow_.size();
    }
  }
  const stint_recommend_options* get() const { return &options_; }
  bool Allows(const std::vector<uint32_t>& seen, uint32_t item) const {
    const auto in = [item](const uint32_t* list, size_t count) {
      return std::find(list, list + count, item) != list + count;
    };
    return !(options_.exclude_seen && in(seen.data(), seen.size())) &&
           !in(options_.deny, options_.deny_count) &&
           !(options_.allow_bits && !(bits_[item / 64] >> item % 64 & 1)) &&
           !(options_.allow && !in(options_.allow, options_.allow_count));
  }

 private:
  std::vector<uint32_t> deny_, allow_;
  std::vector<uint64_t> bits_;
  stint_recommend_options options_ = {};
};

constexpr uint32_t kTops[] = {1, 20, 100, 1000};
constexpr uint64_t kClicks = 40;

TEST(Cascade, GivesTheAnswersOfTheInt8Model) {
  for (const Shape& shape : kShapes) {
    for (const RowKind& rows : RowKinds()) {
      SCOPED_TRACE(std::to_string(shape.items) + " items, " + rows.name);
      Parameters p = RandomParameters(shape.items, shape.layers, GruForm::kResetAfter, 5);
      rows.fill(RandomCounter(6, 7), &p);
      const Catalog catalog = NumberCatalog(shape.items);
      const AlignedBytes plain = BuildModel(CascadeExport(p, catalog, Scoring::kScan, 0));
      const AlignedBytes fast =
          BuildModel(CascadeExport(p, catalog, Scoring::kInt8, shape.columns));
      const ModelPointer plain_model = OpenModel(plain);
      const ModelPointer fast_model = OpenModel(fast);
      ForEachTarget([&] {
        const SessionPointer a = NewSession(plain_model.get(), 1000);
        const SessionPointer b = NewSession(fast_model.get(), 1000);
        for (uint64_t click = 0; click < kClicks; ++click) {
          SCOPED_TRACE("click " + std::to_string(click));
          if (click % 13 == 12) {
            ASSERT_EQ(stint_session_reset(a.get()), STINT_OK);
            ASSERT_EQ(stint_session_reset(b.get()), STINT_OK);
          }
          const uint32_t item = static_cast<uint32_t>(MixBits(click) % shape.items);
          ASSERT_EQ(stint_observe(a.get(), item), STINT_OK);
          ASSERT_EQ(stint_observe(b.get(), item), STINT_OK);
          const Options options(shape.items, click);
          const uint32_t k = kTops[click % 4];
          ExpectSame(Recommend(b.get(), k, options.get()), Recommend(a.get(), k, options.get()));
          if (testing::Test::HasFatalFailure()) return;
        }
      });
      if (testing::Test::HasFatalFailure()) return;
    }
  }
}

// The definition of a float row's score (runtime/cascade_kernels.h), written once more.
float FloatScore(const Parameters& p, uint32_t item, const float* hidden) {
  double sums[8] = {};
  for (size_t j = 0; j < p.width(); ++j) {
    sums[j % 8] += double{p.items.Row(item)[j]} * double{hidden[j]};
  }
  const double even = (sums[0] + sums[4]) + (sums[2] + sums[6]);
  const double odd = (sums[1] + sums[5]) + (sums[3] + sums[7]);
  return static_cast<float>((even + odd) + double{p.item_bias.Row(0)[item]});
}

TEST(Cascade, GivesTheAnswersOfBruteForceOverFloatRows) {
  for (const DType layers : {DType::kInt8, DType::kF32}) {
    for (const Shape& shape : kShapes) {
      for (const RowKind& rows : RowKinds()) {
        SCOPED_TRACE(std::to_string(shape.items) + " items, " + rows.name);
        Parameters p = RandomParameters(shape.items, shape.layers, GruForm::kResetAfter, 5);
        rows.fill(RandomCounter(6, 7), &p);
        const Catalog catalog = NumberCatalog(shape.items);
        ExportInput input = CascadeExport(p, catalog, Scoring::kExact, shape.columns);
        input.dtype = layers;
        const AlignedBytes bytes = BuildModel(input);
        const ModelPointer model = OpenModel(bytes);
        ForEachTarget([&] {
          const SessionPointer session = NewSession(model.get(), 1000);
          std::vector<uint32_t> seen;
          std::vector<float> scores(shape.items);
          for (uint64_t click = 0; click < kClicks; ++click) {
            SCOPED_TRACE("click " + std::to_string(click));
            const uint32_t item = static_cast<uint32_t>(MixBits(click) % shape.items);
            ASSERT_EQ(stint_observe(session.get(), item), STINT_OK);
            seen.push_back(item);
            const float* hidden = nullptr;
            uint32_t units = 0;
            const uint32_t last = static_cast<uint32_t>(shape.layers.size()) - 1;
            ASSERT_EQ(stint_session_hidden(session.get(), last, &hidden, &units), STINT_OK);
            const Options options(shape.items, click);
            const uint32_t k = kTops[click % 4];
            std::vector<stint_recommendation> expected;
            for (uint32_t i = 0; i < shape.items; ++i) {
              const float score = FloatScore(p, i, hidden);
              if (options.Allows(seen, i)) expected.push_back({0, i, score});
              scores[i] = score;
            }
            std::stable_sort(expected.begin(), expected.end(),
                             [](const auto& a, const auto& b) { return a.score > b.score; });
            expected.resize(std::min<size_t>(k, expected.size()));
            ExpectSame(Recommend(session.get(), k, options.get()), expected);
            if (testing::Test::HasFatalFailure()) return;
            std::vector<float> all(shape.items);
            ASSERT_EQ(stint_scores(session.get(), all.data()), STINT_OK);
            for (uint32_t i = 0; i < shape.items; ++i) {
              ASSERT_EQ(FloatBits(all[i]), FloatBits(scores[i])) << "item " << i;
            }
          }
        });
        if (testing::Test::HasFatalFailure()) return;
      }
    }
  }
}

// A session goes on when the target changes, whatever the last one left in its scratch.
TEST(Cascade, ATargetMayChangeWithinASession) {
  const std::vector<std::string> names = TargetNames();
  for (const size_t width : {20u, 100u, 112u, 128u}) {
    for (const Scoring scoring : {Scoring::kInt8, Scoring::kExact}) {
      SCOPED_TRACE(std::to_string(width) + " units");
      const Parameters p = RandomParameters(3000, {width}, GruForm::kResetAfter, 5);
      const Catalog catalog = NumberCatalog(3000);
      const AlignedBytes bytes = BuildModel(CascadeExport(p, catalog, scoring, 16));
      const ModelPointer model = OpenModel(bytes);
      const SessionPointer session = NewSession(model.get(), 20);
      std::vector<float> scores(3000);
      for (uint32_t click = 0; click < 12 * names.size(); ++click) {
        // Each after each other: steps of 1, of 2, ...
        const std::string& name = names[click * (1 + click / names.size()) % names.size()];
        SCOPED_TRACE("click " + std::to_string(click) + ", target " + name);
        ASSERT_EQ(stint_set_target(name.c_str()), STINT_OK);
        ASSERT_EQ(stint_observe(session.get(), static_cast<uint32_t>(MixBits(click) % 3000)),
                  STINT_OK);
        ASSERT_EQ(stint_scores(session.get(), scores.data()), STINT_OK);
        std::vector<stint_recommendation> expected;
        for (uint32_t i = 0; i < 3000; ++i) expected.push_back({0, i, scores[i]});
        std::stable_sort(expected.begin(), expected.end(),
                         [](const auto& a, const auto& b) { return a.score > b.score; });
        expected.resize(20);
        ExpectSame(Recommend(session.get(), 20, nullptr), expected);
        if (HasFatalFailure()) return;
      }
    }
  }
  ASSERT_EQ(stint_set_target(nullptr), STINT_OK);
}

}  // namespace
}  // namespace stint
