// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Gate inputs and the old hidden state -> gates, candidate and the next hidden state, lane by
// lane. The trainer computes with these; the runtime's kernels (kernels.cc) do the same operations
// on the same numbers in more passes, so that they agree to the bit.
//
// a_* = W_ih x + b_ih and b_* = W_hh h + b_hh, by gate; h = the old hidden state of the units; f =
// the activation of the candidate (a kernel hands a constant over where it can: the choice then
// costs nothing).
// Multiply and add apart, as in math-inl.h: the same bits on every target.

#if defined(STINT_RUNTIME_GRU_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef STINT_RUNTIME_GRU_INL_H_
#undef STINT_RUNTIME_GRU_INL_H_
#else
#define STINT_RUNTIME_GRU_INL_H_
#endif

#include <hwy/highway.h>

#include "runtime/activation-inl.h"
#include "runtime/activation.h"
#include "runtime/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace stint {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// The next hidden state: z weighs the old state in the one form, the candidate in the other.
template <class V>
HWY_INLINE V NextResetAfter(V z, V n, V h) {
  return hn::Add(n, hn::Mul(z, hn::Sub(h, n)));
}
template <class V>
HWY_INLINE V NextResetBefore(V z, V n, V h) {
  return hn::Add(h, hn::Mul(z, hn::Sub(n, h)));
}

// Reset after the recurrent product (arXiv 1406.1078 as cuDNN and PyTorch compute it):
//   r = sigmoid(a_r + b_r), z = sigmoid(a_z + b_z), n = f(a_n + r b_n),
//   next = (1 - z) n + z h = n + z (h - n)            z weighs the old state.
template <class D, class V>
HWY_INLINE void GateResetAfter(D d, const ActivationParams& f, V a_r, V a_z, V a_n, V b_r, V b_z,
                               V b_n, V h, V& r, V& z, V& n, V& next) {
  r = Sigmoid(d, hn::Add(a_r, b_r));
  z = Sigmoid(d, hn::Add(a_z, b_z));
  n = Activate(d, f, hn::Add(a_n, hn::Mul(r, b_n)));
  next = NextResetAfter(z, n, h);
}

// Reset before the recurrent product (arXiv 1511.06939, eq. 1-4), first half:
//   r = sigmoid(a_r + b_r), z = sigmoid(a_z + b_z), reset_hidden = r h.
// The caller then computes b_n = W_n reset_hidden over all units.
template <class D, class V>
HWY_INLINE void GateResetBeforeOpen(D d, V a_r, V a_z, V b_r, V b_z, V h, V& r, V& z,
                                    V& reset_hidden) {
  r = Sigmoid(d, hn::Add(a_r, b_r));
  z = Sigmoid(d, hn::Add(a_z, b_z));
  reset_hidden = hn::Mul(r, h);
}

// Second half: n = f(a_n + b_n), next = (1 - z) h + z n = h + z (n - h): z weighs the candidate.
template <class D, class V>
HWY_INLINE void GateResetBeforeClose(D d, const ActivationParams& f, V a_n, V b_n, V h, V z, V& n,
                                     V& next) {
  n = Activate(d, f, hn::Add(a_n, b_n));
  next = NextResetBefore(z, n, h);
}

}  // namespace HWY_NAMESPACE
}  // namespace stint
HWY_AFTER_NAMESPACE();

#endif  // STINT_RUNTIME_GRU_INL_H_
