// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Vectors of gate inputs or scores -> their activation, and the slope by its value. Trainer and
// runtime both compute with these. Same rules as math-inl.h: the same bits on every target.

#if defined(STINT_RUNTIME_ACTIVATION_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef STINT_RUNTIME_ACTIVATION_INL_H_
#undef STINT_RUNTIME_ACTIVATION_INL_H_
#else
#define STINT_RUNTIME_ACTIVATION_INL_H_
#endif

#include <hwy/highway.h>

#include "runtime/activation.h"
#include "runtime/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace stint {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// f(x). Softmax needs all scores of a row: here it is x itself.
template <class D, class V>
HWY_INLINE V Activate(D d, const ActivationParams& f, V x) {
  if (f.kind == ActivationKind::kTanh) return Tanh(d, x);
  if (f.kind == ActivationKind::kSoftmax || f.kind == ActivationKind::kLinear) return x;
  const V alpha = hn::Set(d, f.alpha);
  V below = hn::Zero(d);
  V above = x;
  if (f.kind == ActivationKind::kLeakyRelu) {
    below = hn::Mul(alpha, x);
  } else if (f.kind != ActivationKind::kRelu) {
    below = hn::Mul(alpha, hn::Sub(Exp(d, x), hn::Set(d, 1.0f)));
  }
  if (f.kind == ActivationKind::kSelu) {
    const V scale = hn::Set(d, f.scale);
    below = hn::Mul(scale, below);
    above = hn::Mul(scale, above);
  }
  return hn::IfThenElse(hn::Lt(x, hn::Zero(d)), below, above);
}

// f'(x) from y = f(x). At the kink of ReLU and leaky ReLU, x = 0, the slope on the left for ReLU
// (0, as frameworks take it) and the slope on the right for leaky ReLU, ELU and SELU.
template <class D, class V>
HWY_INLINE V ActivationSlope(D d, const ActivationParams& f, V y) {
  const V one = hn::Set(d, 1.0f);
  if (f.kind == ActivationKind::kTanh) return hn::Sub(one, hn::Mul(y, y));
  if (f.kind == ActivationKind::kSoftmax || f.kind == ActivationKind::kLinear) return one;
  const V zero = hn::Zero(d);
  if (f.kind == ActivationKind::kRelu) {
    return hn::IfThenElse(hn::Gt(y, zero), one, zero);
  }
  const V alpha = hn::Set(d, f.alpha);
  V below = alpha;
  V above = one;
  if (f.kind == ActivationKind::kElu) below = hn::Add(y, alpha);
  if (f.kind == ActivationKind::kSelu) {
    above = hn::Set(d, f.scale);
    below = hn::Add(y, hn::Mul(above, alpha));  // scale alpha e^x = y + scale alpha
  }
  return hn::IfThenElse(hn::Lt(y, zero), below, above);
}

}  // namespace HWY_NAMESPACE
}  // namespace stint
HWY_AFTER_NAMESPACE();

#endif  // STINT_RUNTIME_ACTIVATION_INL_H_
