// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

#include "trainer/optimizer.h"

#include <limits>
#include <type_traits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "trainer/optimizer.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

#include "trainer/parameters.h"

#ifndef STINT_TRAINER_OPTIMIZER_CORRECTIONS_
#define STINT_TRAINER_OPTIMIZER_CORRECTIONS_
namespace stint {
namespace {

// What undoes the start of Adam's means at zero, at an update t: 1 / (1 - beta1^t) and
// 1 / (1 - beta2^t).
struct AdamCorrections {
  float mean = 1.0f;
  float square = 1.0f;
};

}  // namespace
}  // namespace stint
#endif

HWY_BEFORE_NAMESPACE();
namespace stint::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Where the step of an element goes from its direction.
enum class Velocity { kNone, kClassical, kMean, kNesterov };

// 1 / sqrt(x) for normal x > 0, relative error below 5e-7: a linear guess in the exponent and two
// Newton steps, their constants fitted for the smallest largest error (6.5e-4, then 3.2e-7 before
// rounding). Square root and division of the CPU take about 40 cycles a 512-bit vector here; an
// estimate instruction would differ from CPU to CPU.
template <class D, class V>
HWY_INLINE V InverseSqrt(D d, V x) {
  const hn::RebindToUnsigned<D> du;
  const V x1 = hn::Mul(hn::Set(d, 0.70425391f), x);
  const V x2 = hn::Mul(hn::Set(d, 0.50000016f), x);
  V y = hn::BitCast(d, hn::Sub(hn::Set(du, 0x5F1FF800u), hn::ShiftRight<1>(hn::BitCast(du, x))));
  y = hn::Mul(y, hn::NegMulAdd(hn::Mul(x1, y), y, hn::Set(d, 1.68215331f)));
  return hn::Mul(y, hn::NegMulAdd(hn::Mul(x2, y), y, hn::Set(d, 1.50000048f)));
}

// decay * mean + (1 - decay) * value.
template <class D, class V>
HWY_INLINE V Mean(D d, float decay, V mean, V value) {
  const auto rest = static_cast<float>(1.0 - static_cast<double>(decay));
  return hn::MulAdd(hn::Set(d, decay), mean, hn::Mul(hn::Set(d, rest), value));
}

// The direction of gradient g of the elements from `i` on; updates the slots.
template <Optimizer optimizer, EpsilonPlace epsilon_place, class D, class V>
HWY_INLINE V Direction(D d, const OptimizerConfig& config,
                       [[maybe_unused]] AdamCorrections corrections, const OptimizerSlots& slots,
                       [[maybe_unused]] size_t i, V g) {
  [[maybe_unused]] const V epsilon = hn::Set(d, config.epsilon);
  if constexpr (optimizer == Optimizer::kSgd) {
    return g;
  } else if constexpr (optimizer == Optimizer::kAdagrad) {
    const V a = hn::MulAdd(g, g, hn::Load(d, slots.first + i));
    hn::Store(a, d, slots.first + i);
    if constexpr (epsilon_place == EpsilonPlace::kInside) {
      return hn::Mul(g, InverseSqrt(d, hn::Add(a, epsilon)));
    } else {
      return hn::Div(g, hn::Add(hn::Sqrt(a), epsilon));
    }
  } else {
    const V square = hn::Mul(g, g);
    const float decay = optimizer == Optimizer::kAdam ? config.beta2 : config.rho;
    const V a = Mean(d, decay, hn::Load(d, slots.first + i), square);
    hn::Store(a, d, slots.first + i);
    if constexpr (optimizer == Optimizer::kRmsprop) {
      return hn::Mul(g, InverseSqrt(d, hn::Add(a, epsilon)));
    } else if constexpr (optimizer == Optimizer::kAdadelta) {
      const V b = hn::Load(d, slots.second + i);
      const V k = hn::Div(hn::Add(b, epsilon), hn::Add(a, epsilon));
      hn::Store(Mean(d, decay, b, hn::Mul(k, square)), d, slots.second + i);
      return hn::Mul(g, hn::Sqrt(k));
    } else {
      static_assert(optimizer == Optimizer::kAdam);
      const V b = Mean(d, config.beta1, hn::Load(d, slots.second + i), g);
      hn::Store(b, d, slots.second + i);
      const V root = hn::Sqrt(hn::Mul(a, hn::Set(d, corrections.square)));
      return hn::Div(hn::Mul(b, hn::Set(d, corrections.mean)), hn::Add(root, epsilon));
    }
  }
}

// Moves w by e, the direction with its l2 term.
template <Velocity form, class D, class V>
HWY_INLINE V Moved(D d, const OptimizerConfig& config, [[maybe_unused]] const OptimizerSlots& slots,
                   [[maybe_unused]] size_t i, V w, V e) {
  const V rate = hn::Set(d, config.learning_rate);
  if constexpr (form == Velocity::kNone) {
    return hn::NegMulAdd(rate, e, w);
  } else {
    const V old = hn::Load(d, slots.velocity + i);
    const V momentum = hn::Set(d, config.momentum);
    const V v = form == Velocity::kMean ? Mean(d, config.momentum, old, e)
                                        : hn::NegMulAdd(rate, e, hn::Mul(momentum, old));
    hn::Store(v, d, slots.velocity + i);
    if constexpr (form == Velocity::kMean) return hn::NegMulAdd(rate, v, w);
    if constexpr (form == Velocity::kNesterov) {
      return hn::Add(w, hn::NegMulAdd(rate, e, hn::Mul(momentum, v)));
    }
    return hn::Add(w, v);
  }
}

// One update: of a row, or of a single element where the vector has one lane. `plain`: without l2
// and gradient_scale.
template <Optimizer optimizer, EpsilonPlace epsilon_place, Velocity form, bool plain, class D>
void Update(D d, const OptimizerConfig& shared_config, AdamCorrections corrections,
            const OptimizerSlots& shared_slots, const float* const* gradients, size_t occurrences,
            size_t n) {
  // Copies, which no store below can change: they stay in registers.
  const OptimizerConfig config = shared_config;
  const OptimizerSlots slots = shared_slots;
  const size_t lanes = hn::Lanes(d);
  for (size_t i = 0; i < n; i += lanes) {
    auto g = hn::Load(d, gradients[0] + i);
    for (size_t o = 1; o < occurrences; ++o) g = hn::Add(g, hn::Load(d, gradients[o] + i));
    // Whatever stands beyond the row's n gradients must not reach its padding.
    if (n - i < lanes) g = hn::IfThenElseZero(hn::FirstN(d, n - i), g);
    if constexpr (!plain) g = hn::Mul(g, hn::Set(d, config.gradient_scale));
    auto e = Direction<optimizer, epsilon_place>(d, config, corrections, slots, i, g);
    const auto w = hn::Load(d, slots.parameter + i);
    if constexpr (!plain) e = hn::MulAdd(hn::Set(d, config.l2), w, e);
    hn::Store(Moved<form>(d, config, slots, i, w, e), d, slots.parameter + i);
  }
}

template <Optimizer optimizer, EpsilonPlace epsilon_place, bool plain, class D>
void ChooseForm(D d, const OptimizerConfig& config, AdamCorrections corrections,
                const OptimizerSlots& slots, const float* const* gradients, size_t occurrences,
                size_t n) {
  const auto update = [&](auto form) HWY_ATTR {
    Update<optimizer, epsilon_place, form(), plain>(d, config, corrections, slots, gradients,
                                                    occurrences, n);
  };
  if (!config.HasVelocity()) {
    return update(std::integral_constant<Velocity, Velocity::kNone>());
  }
  switch (config.momentum_form) {
    case MomentumForm::kClassical:
      return update(std::integral_constant<Velocity, Velocity::kClassical>());
    case MomentumForm::kMean:
      return update(std::integral_constant<Velocity, Velocity::kMean>());
    case MomentumForm::kNesterov:
      return update(std::integral_constant<Velocity, Velocity::kNesterov>());
  }
}

template <class D>
void ChooseOptimizer(D d, const OptimizerConfig& config, AdamCorrections corrections,
                     const OptimizerSlots& slots, const float* const* gradients, size_t occurrences,
                     size_t n) {
  constexpr auto kInside = EpsilonPlace::kInside, kOutside = EpsilonPlace::kOutside;
  switch (config.optimizer) {
    case Optimizer::kSgd:
      return ChooseForm<Optimizer::kSgd, kInside, false>(d, config, corrections, slots, gradients,
                                                         occurrences, n);
    case Optimizer::kAdagrad:
      if (config.epsilon_place == kOutside) {
        return ChooseForm<Optimizer::kAdagrad, kOutside, false>(d, config, corrections, slots,
                                                                gradients, occurrences, n);
      }
      if (config.l2 == 0 && config.gradient_scale == 1) {
        return ChooseForm<Optimizer::kAdagrad, kInside, true>(d, config, corrections, slots,
                                                              gradients, occurrences, n);
      }
      return ChooseForm<Optimizer::kAdagrad, kInside, false>(d, config, corrections, slots,
                                                             gradients, occurrences, n);
    case Optimizer::kRmsprop:
      return ChooseForm<Optimizer::kRmsprop, kInside, false>(d, config, corrections, slots,
                                                             gradients, occurrences, n);
    case Optimizer::kAdadelta:
      return ChooseForm<Optimizer::kAdadelta, kInside, false>(d, config, corrections, slots,
                                                              gradients, occurrences, n);
    case Optimizer::kAdam:
      return ChooseForm<Optimizer::kAdam, kInside, false>(d, config, corrections, slots, gradients,
                                                          occurrences, n);
  }
}

void UpdateRow(const OptimizerConfig& config, AdamCorrections corrections,
               const OptimizerSlots& slots, const float* const* gradients, size_t occurrences,
               size_t n) {
  ChooseOptimizer(hn::CappedTag<float, kRowAlignment>(), config, corrections, slots, gradients,
                  occurrences, n);
}

void UpdateOne(const OptimizerConfig& config, AdamCorrections corrections,
               const OptimizerSlots& slots, float gradient) {
  const float* gradients = &gradient;
  ChooseOptimizer(hn::CappedTag<float, 1>(), config, corrections, slots, &gradients, 1, 1);
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

namespace {

// x^n by repeated squaring: pow() may differ from one C library to the next.
double Power(double x, uint32_t n) {
  double power = 1;
  for (; n > 0; n >>= 1, x *= x) {
    if (n & 1) power *= x;
  }
  return power;
}

// Counts the update where the optimizer does.
AdamCorrections NextStep(const OptimizerConfig& config, const OptimizerSlots& slots) {
  if (!config.HasSteps()) return {};
  if (*slots.steps < std::numeric_limits<uint32_t>::max()) ++*slots.steps;
  return {static_cast<float>(1 / (1 - Power(config.beta1, *slots.steps))),
          static_cast<float>(1 / (1 - Power(config.beta2, *slots.steps)))};
}

}  // namespace

void UpdateRow(const OptimizerConfig& config, const OptimizerSlots& slots,
               const float* const* gradients, size_t occurrences, size_t n) {
  const AdamCorrections corrections = NextStep(config, slots);
  HWY_DYNAMIC_DISPATCH(UpdateRow)(config, corrections, slots, gradients, occurrences, n);
}

void UpdateOne(const OptimizerConfig& config, const OptimizerSlots& slots, float gradient) {
  HWY_DYNAMIC_DISPATCH(UpdateOne)(config, NextStep(config, slots), slots, gradient);
}

}  // namespace stint
#endif  // HWY_ONCE
