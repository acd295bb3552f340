// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Inner loops of a step -> one set of functions a SIMD target.
#include "runtime/kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/kernels.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

#include "runtime/dot-inl.h"
#include "runtime/gru-inl.h"

HWY_BEFORE_NAMESPACE();
namespace stint {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

void Quantize(const float* x, size_t count, int8_t* room, QuantizedVector* out) {
  *out = QuantizeVector(x, count, room);
}

void Int8Product(const Panels& panels, size_t first, size_t last, const QuantizedVector& x,
                 float* out) {
  PanelProduct(panels, first, last, x, out);
}

void F32Product(const Panels& panels, size_t first, size_t last, const FloatVector& x, float* out) {
  PanelProduct(panels, first, last, x, out);
}

// Loads and stores of a counted number of lanes, in all rounds: a second loop for whole vectors
// doubles the code and gains nothing that a step shows.
void OpenGates(size_t units, const float* h, const float* b, float* a, float* reset_hidden) {
  const TileF32 d;
  const size_t lanes = hn::Lanes(d);
  for (size_t j = 0; j < 2 * units; j += lanes) {
    const size_t count = 2 * units - j;
    const auto sum = hn::Add(hn::LoadN(d, a + j, count), hn::LoadN(d, b + j, count));
    hn::StoreN(Sigmoid(d, sum), d, a + j, count);
  }
  if (!reset_hidden) return;
  for (size_t j = 0; j < units; j += lanes) {
    const size_t count = units - j;
    const auto rh = hn::Mul(hn::LoadN(d, a + j, count), hn::LoadN(d, h + j, count));
    hn::StoreN(rh, d, reset_hidden + j, count);
  }
}

// Candidates are kept within what a weight may be, so that no sum of products leaves the range of
// float (schema/panel.h) and no NaN arises: only forged or hopelessly grown models feel it.
void CloseGates(const ActivationParams& f, bool reset_after, size_t units, const float* a,
                const float* b, float* h) {
  const TileF32 d;
  const size_t lanes = hn::Lanes(d);
  const auto limit = hn::Set(d, kLargestWeight);
  for (size_t j = 0; j < units; j += lanes) {
    const size_t count = units - j;
    const auto z = hn::LoadN(d, a + units + j, count);
    const auto old = hn::LoadN(d, h + j, count);
    auto b_n = hn::LoadN(d, b + 2 * units + j, count);
    if (reset_after) b_n = hn::Mul(hn::LoadN(d, a + j, count), b_n);
    auto n = Activate(d, f, hn::Add(hn::LoadN(d, a + 2 * units + j, count), b_n));
    n = hn::IfThenElse(hn::Gt(n, limit), limit, n);
    n = hn::IfThenElse(hn::Lt(n, hn::Neg(limit)), hn::Neg(limit), n);
    const auto next = reset_after ? NextResetAfter(z, n, old) : NextResetBefore(z, n, old);
    hn::StoreN(next, d, h + j, count);
  }
}

void Fill(Kernels* kernels) {
  *kernels = {STINT_BYTE_DOT == 1, Quantize, Int8Product, F32Product, OpenGates, CloseGates};
}

}  // namespace HWY_NAMESPACE
}  // namespace stint
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace stint {
HWY_EXPORT(Fill);
Kernels GetKernels() {
  Kernels kernels;
  HWY_DYNAMIC_DISPATCH(Fill)(&kernels);
  return kernels;
}
}  // namespace stint
#endif
