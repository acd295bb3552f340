// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

#include "trainer/gru.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "trainer/gru.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

#include "runtime/activation-inl.h"
#include "runtime/gru-inl.h"
#include "trainer/parameters.h"

HWY_BEFORE_NAMESPACE();
namespace stint::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::CappedTag<float, kRowAlignment>;
using V = hn::Vec<D>;

// The candidate's activation. Tanh, which nearly all networks have, is an instantiation of its own,
// with no choice left in its loop.
template <bool kTanh>
HWY_INLINE ActivationParams CandidateActivation(const GruActivations& a) {
  return kTanh ? ActivationParams{ActivationKind::kTanh} : a.activation;
}
bool IsTanh(const GruActivations& a) { return a.activation.kind == ActivationKind::kTanh; }

// Elements [begin, end) of the gate blocks start `block` floats apart.
template <bool kTanh>
void GruResetAfterForwardAs(const GruActivations& a, size_t begin, size_t end) {
  const D d;
  const ActivationParams f = CandidateActivation<kTanh>(a);
  const size_t block = a.units * a.batch;
  for (size_t i = begin * a.batch; i < end * a.batch; i += hn::Lanes(d)) {
    V r, z, n, next;
    GateResetAfter(d, f, hn::Load(d, a.input_gates + i), hn::Load(d, a.input_gates + block + i),
                   hn::Load(d, a.input_gates + 2 * block + i), hn::Load(d, a.hidden_gates + i),
                   hn::Load(d, a.hidden_gates + block + i),
                   hn::Load(d, a.hidden_gates + 2 * block + i), hn::Load(d, a.old_hidden + i), r, z,
                   n, next);
    hn::Store(r, d, a.reset + i);
    hn::Store(z, d, a.update + i);
    hn::Store(n, d, a.candidate + i);
    hn::Store(next, d, a.hidden + i);
  }
}
void GruResetAfterForward(const GruActivations& a, size_t begin, size_t end) {
  IsTanh(a) ? GruResetAfterForwardAs<true>(a, begin, end)
            : GruResetAfterForwardAs<false>(a, begin, end);
}

void GruResetBeforeForwardOpen(const GruActivations& a, size_t begin, size_t end) {
  const D d;
  const size_t block = a.units * a.batch;
  for (size_t i = begin * a.batch; i < end * a.batch; i += hn::Lanes(d)) {
    V r, z, reset_hidden;
    GateResetBeforeOpen(d, hn::Load(d, a.input_gates + i), hn::Load(d, a.input_gates + block + i),
                        hn::Load(d, a.hidden_gates + i), hn::Load(d, a.hidden_gates + block + i),
                        hn::Load(d, a.old_hidden + i), r, z, reset_hidden);
    hn::Store(r, d, a.reset + i);
    hn::Store(z, d, a.update + i);
    hn::Store(reset_hidden, d, a.reset_hidden + i);
  }
}

template <bool kTanh>
void GruResetBeforeForwardCloseAs(const GruActivations& a, size_t begin, size_t end) {
  const D d;
  const ActivationParams f = CandidateActivation<kTanh>(a);
  const size_t block = a.units * a.batch;
  for (size_t i = begin * a.batch; i < end * a.batch; i += hn::Lanes(d)) {
    V n, next;
    GateResetBeforeClose(d, f, hn::Load(d, a.input_gates + 2 * block + i),
                         hn::Load(d, a.hidden_gates + 2 * block + i), hn::Load(d, a.old_hidden + i),
                         hn::Load(d, a.update + i), n, next);
    hn::Store(n, d, a.candidate + i);
    hn::Store(next, d, a.hidden + i);
  }
}
void GruResetBeforeForwardClose(const GruActivations& a, size_t begin, size_t end) {
  IsTanh(a) ? GruResetBeforeForwardCloseAs<true>(a, begin, end)
            : GruResetBeforeForwardCloseAs<false>(a, begin, end);
}

// x (1 - x): the derivative of the sigmoid by its value.
HWY_INLINE V SigmoidSlope(D d, V x) { return hn::Mul(x, hn::Sub(hn::Set(d, 1.0f), x)); }

// dn~ = dh (1 - z) f'(n~), dz~ = dh (h - n) z (1 - z), dr~ = dn~ b_n r (1 - r);
// d b_n = dn~ r, the rest of db equals da.
template <bool kTanh>
void GruResetAfterBackwardAs(const GruActivations& a, size_t begin, size_t end,
                             const float* d_hidden, float* d_input_gates, float* d_hidden_gates) {
  const D d;
  const ActivationParams f = CandidateActivation<kTanh>(a);
  const V one = hn::Set(d, 1.0f);
  const size_t block = a.units * a.batch;
  for (size_t i = begin * a.batch; i < end * a.batch; i += hn::Lanes(d)) {
    const V dh = hn::Load(d, d_hidden + i);
    const V h = hn::Load(d, a.old_hidden + i);
    const V r = hn::Load(d, a.reset + i);
    const V z = hn::Load(d, a.update + i);
    const V n = hn::Load(d, a.candidate + i);
    const V b_n = hn::Load(d, a.hidden_gates + 2 * block + i);
    const V d_n = hn::Mul(hn::Mul(dh, hn::Sub(one, z)), ActivationSlope(d, f, n));
    const V d_z = hn::Mul(hn::Mul(dh, hn::Sub(h, n)), SigmoidSlope(d, z));
    const V d_r = hn::Mul(hn::Mul(d_n, b_n), SigmoidSlope(d, r));
    hn::Store(d_r, d, d_input_gates + i);
    hn::Store(d_z, d, d_input_gates + block + i);
    hn::Store(d_n, d, d_input_gates + 2 * block + i);
    hn::Store(d_r, d, d_hidden_gates + i);
    hn::Store(d_z, d, d_hidden_gates + block + i);
    hn::Store(hn::Mul(d_n, r), d, d_hidden_gates + 2 * block + i);
  }
}
void GruResetAfterBackward(const GruActivations& a, size_t begin, size_t end, const float* d_hidden,
                           float* d_input_gates, float* d_hidden_gates) {
  IsTanh(a)
      ? GruResetAfterBackwardAs<true>(a, begin, end, d_hidden, d_input_gates, d_hidden_gates)
      : GruResetAfterBackwardAs<false>(a, begin, end, d_hidden, d_input_gates, d_hidden_gates);
}

// dn~ = dh z f'(n~), dz~ = dh (n - h) z (1 - z).
template <bool kTanh>
void GruResetBeforeBackwardOpenAs(const GruActivations& a, size_t begin, size_t end,
                                  const float* d_hidden, float* d_gates) {
  const D d;
  const ActivationParams f = CandidateActivation<kTanh>(a);
  const size_t block = a.units * a.batch;
  for (size_t i = begin * a.batch; i < end * a.batch; i += hn::Lanes(d)) {
    const V dh = hn::Load(d, d_hidden + i);
    const V h = hn::Load(d, a.old_hidden + i);
    const V z = hn::Load(d, a.update + i);
    const V n = hn::Load(d, a.candidate + i);
    hn::Store(hn::Mul(hn::Mul(dh, hn::Sub(n, h)), SigmoidSlope(d, z)), d, d_gates + block + i);
    hn::Store(hn::Mul(hn::Mul(dh, z), ActivationSlope(d, f, n)), d, d_gates + 2 * block + i);
  }
}
void GruResetBeforeBackwardOpen(const GruActivations& a, size_t begin, size_t end,
                                const float* d_hidden, float* d_gates) {
  IsTanh(a) ? GruResetBeforeBackwardOpenAs<true>(a, begin, end, d_hidden, d_gates)
            : GruResetBeforeBackwardOpenAs<false>(a, begin, end, d_hidden, d_gates);
}

// dr~ = d(r h) h r (1 - r).
void GruResetBeforeBackwardClose(const GruActivations& a, size_t begin, size_t end,
                                 const float* d_reset_hidden, float* d_gates) {
  const D d;
  for (size_t i = begin * a.batch; i < end * a.batch; i += hn::Lanes(d)) {
    const V h = hn::Load(d, a.old_hidden + i);
    const V r = hn::Load(d, a.reset + i);
    hn::Store(hn::Mul(hn::Mul(hn::Load(d, d_reset_hidden + i), h), SigmoidSlope(d, r)), d,
              d_gates + i);
  }
}

}  // namespace stint::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace stint {

HWY_EXPORT(GruResetAfterForward);
HWY_EXPORT(GruResetBeforeForwardOpen);
HWY_EXPORT(GruResetBeforeForwardClose);
HWY_EXPORT(GruResetAfterBackward);
HWY_EXPORT(GruResetBeforeBackwardOpen);
HWY_EXPORT(GruResetBeforeBackwardClose);

void GruResetAfterForward(const GruActivations& a, size_t begin, size_t end) {
  HWY_DYNAMIC_DISPATCH(GruResetAfterForward)(a, begin, end);
}
void GruResetBeforeForwardOpen(const GruActivations& a, size_t begin, size_t end) {
  HWY_DYNAMIC_DISPATCH(GruResetBeforeForwardOpen)(a, begin, end);
}
void GruResetBeforeForwardClose(const GruActivations& a, size_t begin, size_t end) {
  HWY_DYNAMIC_DISPATCH(GruResetBeforeForwardClose)(a, begin, end);
}
void GruResetAfterBackward(const GruActivations& a, size_t begin, size_t end, const float* d_hidden,
                           float* d_input_gates, float* d_hidden_gates) {
  HWY_DYNAMIC_DISPATCH(GruResetAfterBackward)
  (a, begin, end, d_hidden, d_input_gates, d_hidden_gates);
}
void GruResetBeforeBackwardOpen(const GruActivations& a, size_t begin, size_t end,
                                const float* d_hidden, float* d_gates) {
  HWY_DYNAMIC_DISPATCH(GruResetBeforeBackwardOpen)(a, begin, end, d_hidden, d_gates);
}
void GruResetBeforeBackwardClose(const GruActivations& a, size_t begin, size_t end,
                                 const float* d_reset_hidden, float* d_gates) {
  HWY_DYNAMIC_DISPATCH(GruResetBeforeBackwardClose)(a, begin, end, d_reset_hidden, d_gates);
}

}  // namespace stint
#endif  // HWY_ONCE
