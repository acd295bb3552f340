// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

#include "trainer/optimizer.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "trainer/optimizer.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

#include <algorithm>

#include "trainer/parameters.h"

HWY_BEFORE_NAMESPACE();
namespace stint::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// 1 / sqrt(x) for normal x > 0, relative error below 3e-7: a linear guess in the exponent and
// three Newton steps. Square root and division of the CPU take about 40 cycles a 512-bit vector
// here, this takes 6; an estimate instruction would differ from CPU to CPU.
template <class D, class V>
HWY_INLINE V InverseSqrt(D d, V x) {
  const hn::RebindToUnsigned<D> du;
  const V half_x = hn::Mul(hn::Set(d, 0.5f), x);
  const V three_halves = hn::Set(d, 1.5f);
  V y = hn::BitCast(d, hn::Sub(hn::Set(du, 0x5F3759DFu), hn::ShiftRight<1>(hn::BitCast(du, x))));
  for (int i = 0; i < 3; ++i) {
    y = hn::Mul(y, hn::NegMulAdd(hn::Mul(half_x, y), y, three_halves));
  }
  return y;
}

// One vector of an update by gradient g.
template <class D>
HWY_INLINE void UpdateVector(D d, const OptimizerConfig& config, hn::Vec<D> g, float* parameter,
                             float* first, float* velocity) {
  const auto sum = hn::MulAdd(g, g, hn::Load(d, first));
  hn::Store(sum, d, first);
  const auto direction = hn::Mul(g, InverseSqrt(d, hn::Add(sum, hn::Set(d, config.epsilon))));
  const auto rate = hn::Set(d, config.learning_rate);
  if (config.momentum > 0) {
    const auto v =
        hn::NegMulAdd(rate, direction, hn::Mul(hn::Set(d, config.momentum), hn::Load(d, velocity)));
    hn::Store(v, d, velocity);
    hn::Store(hn::Add(hn::Load(d, parameter), v), d, parameter);
  } else {
    hn::Store(hn::NegMulAdd(rate, direction, hn::Load(d, parameter)), d, parameter);
  }
}

void UpdateRow(const OptimizerConfig& config, const OptimizerSlots& slots,
               const float* const* gradients, size_t occurrences, size_t n) {
  const hn::CappedTag<float, kRowAlignment> d;
  for (size_t i = 0; i < n; i += hn::Lanes(d)) {
    auto g = hn::Load(d, gradients[0] + i);
    for (size_t o = 1; o < occurrences; ++o) g = hn::Add(g, hn::Load(d, gradients[o] + i));
    // Whatever stands beyond the row's n gradients must not reach its padding.
    if (n - i < hn::Lanes(d)) g = hn::IfThenElseZero(hn::FirstN(d, n - i), g);
    UpdateVector(d, config, g, slots.parameter + i, slots.first + i, slots.velocity + i);
  }
}

void UpdateOne(const OptimizerConfig& config, const OptimizerSlots& slots, float gradient) {
  const hn::CappedTag<float, 1> d;
  UpdateVector(d, config, hn::Set(d, gradient), slots.parameter, slots.first, slots.velocity);
}

}  // namespace stint::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace stint {

HWY_EXPORT(UpdateRow);
HWY_EXPORT(UpdateOne);

OptimizerConfig OptimizerConfig::Of(const Options& options) {
  return {.optimizer = options.optimizer,
          .momentum_form = options.momentum_form,
          .epsilon_place = options.epsilon_place,
          .learning_rate = static_cast<float>(options.learning_rate),
          .momentum = static_cast<float>(options.momentum),
          .epsilon = static_cast<float>(options.epsilon),
          .rho = static_cast<float>(options.rho),
          .beta1 = static_cast<float>(options.beta1),
          .beta2 = static_cast<float>(options.beta2),
          .l2 = static_cast<float>(options.l2)};
}

void UpdateRow(const OptimizerConfig& config, const OptimizerSlots& slots,
               const float* const* gradients, size_t occurrences, size_t n) {
  HWY_DYNAMIC_DISPATCH(UpdateRow)(config, slots, gradients, occurrences, n);
}

void UpdateOne(const OptimizerConfig& config, const OptimizerSlots& slots, float gradient) {
  HWY_DYNAMIC_DISPATCH(UpdateOne)(config, slots, gradient);
}

void TouchedRows::Assign(const uint32_t* occurrences, size_t n) {
  if (++stamp_ == 0) {  // wrapped: forget all old stamps
    std::fill(stamp_of_.begin(), stamp_of_.end(), 0);
    stamp_ = 1;
  }
  items_.clear();
  starts_.assign(1, 0);
  for (size_t i = 0; i < n; ++i) {
    const uint32_t item = occurrences[i];
    if (stamp_of_[item] != stamp_) {
      stamp_of_[item] = stamp_;
      slot_of_[item] = static_cast<uint32_t>(items_.size());
      items_.push_back(item);
      starts_.push_back(0);
    }
    ++starts_[slot_of_[item] + 1];  // a count, for the moment
  }
  for (size_t s = 0; s < items_.size(); ++s) starts_[s + 1] += starts_[s];
  positions_.resize(n);
  for (size_t i = 0; i < n; ++i) positions_[starts_[slot_of_[occurrences[i]]]++] = i;
  // Every start has moved on to its row's end, the next row's start: move back.
  for (size_t s = items_.size(); s > 0; --s) starts_[s] = starts_[s - 1];
  starts_[0] = 0;
}

}  // namespace stint
#endif  // HWY_ONCE
