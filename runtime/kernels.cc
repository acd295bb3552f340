// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Inner loops of steps and scans -> one set of functions a SIMD target.
#include "runtime/second_build.h"  // IWYU pragma: keep

#include "runtime/kernels.h"
#include "runtime/target.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/kernels.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

#include "runtime/dot-inl.h"
#include "runtime/gru-inl.h"
#include "runtime/item_tile-inl.h"
#include "runtime/screen-inl.h"
#include "runtime/softmax-inl.h"

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

uint64_t Compare(const float* HWY_RESTRICT values, float bound, uint64_t* equal) {
  const TileF32 d;
  const size_t lanes = hn::Lanes(d);
  const auto v = hn::Set(d, bound);
  uint64_t above = 0;
  uint64_t same = 0;
  for (size_t i = 0; i < kTileRows; i += lanes) {
    const auto x = hn::Load(d, values + i);
    above |= MaskBits(d, hn::Gt(x, v)) << i;
    same |= MaskBits(d, hn::Eq(x, v)) << i;
  }
  *equal = same;
  return above;
}

uint64_t Int8TileOf(const Panels& panels, size_t tile, const AnyVector& x, float threshold,
                    float* values) {
  return TileValues<true>(panels, tile, x.quantized, threshold, values);
}

uint64_t F32TileOf(const Panels& panels, size_t tile, const AnyVector& x, float threshold,
                   float* values) {
  return TileValues<true>(panels, tile, x.floats, threshold, values);
}

// Whole vectors alone, for which the arrays have room (session.h); what they reach past the units
// is left as it is, or zero where the array says so. All sigmoids, then all candidates: r, z and n
// of a vector of units in one round keep too few divisions under way (0.91 us for 100 units instead
// of 0.87).
void OpenGates(size_t units, const float* h, const float* b, float* a, float* reset_hidden) {
  const TileF32 d;
  const size_t lanes = hn::Lanes(d);
  for (size_t j = 0; j < 2 * units; j += lanes) {
    const auto input = hn::Load(d, a + j);
    const auto gate = Sigmoid(d, hn::Add(input, hn::Load(d, b + j)));
    hn::Store(hn::IfThenElse(hn::FirstN(d, 2 * units - j), gate, input), d, a + j);
  }
  if (!reset_hidden) return;
  for (size_t j = 0; j < units; j += lanes) {  // past the units h is zero
    hn::Store(hn::Mul(hn::Load(d, a + j), hn::Load(d, h + j)), d, reset_hidden + j);
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
    const auto z = hn::LoadU(d, a + units + j);
    const auto old = hn::Load(d, h + j);
    auto b_n = hn::LoadU(d, b + 2 * units + j);
    if (reset_after) b_n = hn::Mul(hn::Load(d, a + j), b_n);
    auto n = Activate(d, f, hn::Add(hn::LoadU(d, a + 2 * units + j), b_n));
    n = hn::IfThenElse(hn::Gt(n, limit), limit, n);
    n = hn::IfThenElse(hn::Lt(n, hn::Neg(limit)), hn::Neg(limit), n);
    const auto next = reset_after ? NextResetAfter(z, n, old) : NextResetBefore(z, n, old);
    hn::Store(hn::IfThenElseZero(hn::FirstN(d, units - j), next), d, h + j);
  }
}

float Largest(const float* HWY_RESTRICT values) {
  const TileF32 d;
  const size_t lanes = hn::Lanes(d);
  auto most = hn::Load(d, values);
  for (size_t i = lanes; i < kTileRows; i += lanes) most = hn::Max(most, hn::Load(d, values + i));
  return hn::ReduceMax(d, most);
}

void ExpMinusAll(size_t count, float base, float* values) {
  const TileF32 d;
  const auto b = hn::Set(d, base);
  for (size_t i = 0; i < count; i += hn::Lanes(d)) {
    const auto x = hn::LoadN(d, values + i, count - i);
    hn::StoreN(ExpMinus(d, x, b), d, values + i, count - i);
  }
}

// Those that multiply bytes: the ones that a second build has of its own.
void FillByteKernels(Kernels* kernels) {
  kernels->byte_planes = STINT_BYTE_DOT == 1;
  kernels->quantize = Quantize;
  kernels->int8_product = Int8Product;
  kernels->int8_tile = Int8TileOf;
  kernels->int4_tile = Int4Tile;
#if STINT_BYTE_DOT
  kernels->int8_screen = ScreenTile;
#else
  kernels->int8_screen = nullptr;
#endif
}

void Fill(Kernels* kernels) {
  FillByteKernels(kernels);
  kernels->f32_product = F32Product;
  kernels->f32_tile = F32TileOf;
  kernels->bf16_tile = Bf16Tile;
  kernels->compare = Compare;
  kernels->open_gates = OpenGates;
  kernels->close_gates = CloseGates;
  kernels->largest = Largest;
  kernels->exp_minus = ExpMinusAll;
}

}  // namespace HWY_NAMESPACE
}  // namespace stint
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace stint {
#if STINT_SECOND_BUILD
void FillSecondKernels(Kernels* kernels) { HWY_NAMESPACE::FillByteKernels(kernels); }
#else
HWY_EXPORT(Fill);
Kernels GetKernels() {
  Kernels kernels;
  HWY_DYNAMIC_DISPATCH(Fill)(&kernels);
#if STINT_HAS_SECOND_BUILD
  if (UsesSecondBuild()) FillSecondKernels(&kernels);
#endif
  return kernels;
}
#endif
}  // namespace stint
#endif
