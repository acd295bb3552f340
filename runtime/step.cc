// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// One item -> the session's next hidden state: embed, then one GRU layer after the other.
#include "runtime/step.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/step.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

#include "runtime/dot-inl.h"
#include "runtime/gru-inl.h"
#include "runtime/score-inl.h"

HWY_BEFORE_NAMESPACE();
namespace stint {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Calls body(j, load, store) for vectors of units; the last one is partial.
template <class Body>
HWY_INLINE void ForUnits(size_t units, const Body& body) {
  const TileF32 d;
  const size_t lanes = hn::Lanes(d);
  size_t j = 0;
  for (; j + lanes <= units; j += lanes) {
    body(
        j, [d](const float* p) HWY_ATTR { return hn::LoadU(d, p); },
        [d](hn::Vec<TileF32> v, float* p) HWY_ATTR { hn::StoreU(v, d, p); });
  }
  if (const size_t rest = units - j) {
    body(
        j, [d, rest](const float* p) HWY_ATTR { return hn::LoadN(d, p, rest); },
        [d, rest](hn::Vec<TileF32> v, float* p) HWY_ATTR { hn::StoreN(v, d, p, rest); });
  }
}

// Of the hidden states.
constexpr ActivationParams kTanhCandidate = {ActivationKind::kTanh};

// The gate arithmetic over all units: a = W_ih x + b_ih, b = W_hh h + b_hh, [3 units] each; h is
// replaced by the next hidden state. Out of line: int8 and f32 models share them.
HWY_NOINLINE inline void GatesAfter(size_t units, const float* a, const float* b, float* h) {
  const TileF32 d;
  ForUnits(units, [=](size_t j, auto load, auto store) HWY_ATTR {
    hn::Vec<TileF32> r, z, n, next;
    GateResetAfter(d, kTanhCandidate, load(a + j), load(a + units + j), load(a + 2 * units + j),
                   load(b + j), load(b + units + j), load(b + 2 * units + j), load(h + j), r, z, n,
                   next);
    store(next, h + j);
  });
}

// The first half of the other form: reset_hidden = r h, and z in place of a's reset rows, which
// are done with then.
HWY_NOINLINE inline void GatesOpen(size_t units, float* a, const float* b, const float* h,
                                   float* reset_hidden) {
  const TileF32 d;
  ForUnits(units, [=](size_t j, auto load, auto store) HWY_ATTR {
    hn::Vec<TileF32> r, z, rh;
    GateResetBeforeOpen(d, load(a + j), load(a + units + j), load(b + j), load(b + units + j),
                        load(h + j), r, z, rh);
    store(rh, reset_hidden + j);
    store(z, a + j);
  });
}

// The second half, with z in a's reset rows and W_n (r h) in b's candidate rows.
HWY_NOINLINE inline void GatesClose(size_t units, const float* a, const float* b, float* h) {
  const TileF32 d;
  ForUnits(units, [=](size_t j, auto load, auto store) HWY_ATTR {
    hn::Vec<TileF32> n, next;
    GateResetBeforeClose(d, kTanhCandidate, load(a + 2 * units + j), load(b + 2 * units + j),
                         load(h + j), load(a + j), n, next);
    store(next, h + j);
  });
}

// s->input_gates = W_ih x + b_ih on entry; h is replaced by the next hidden state.
template <class Vector>
HWY_INLINE void GruStep(const GruLayer& layer, bool reset_after, float* h, SessionState* s) {
  const size_t units = layer.units;
  const Panels& weights = layer.hidden_weights;
  float* const a = s->input_gates;
  float* const b = s->hidden_gates;
  const Vector x = ToVector(h, units, s, static_cast<Vector*>(nullptr));
  if (reset_after) {
    PanelProduct(weights, 0, weights.tiles, x, b);
    GatesAfter(units, a, b, h);
    return;
  }
  // The tile in which the candidate rows begin is computed twice: with h here for the gate rows in
  // it, with r h below. Whole tiles keep the kernel simple.
  PanelProduct(weights, 0, PanelTiles(2 * units), x, b);
  GatesOpen(units, a, b, h, s->reset_hidden);
  const Vector y = ToVector(s->reset_hidden, units, s, static_cast<Vector*>(nullptr));
  PanelProduct(weights, 2 * units / kTileRows, weights.tiles, y, b);
  GatesClose(units, a, b, h);
}

// The first layer's input: the item's own row, in the form it is stored in.
HWY_INLINE QuantizedVector Embed(uint32_t item, SessionState* s, QuantizedVector*) {
  return GatherInt8Row(s->model->item_rows, item, s->quantized);
}
HWY_INLINE FloatVector Embed(uint32_t item, SessionState* s, FloatVector*) {
  return GatherF32Row(s->model->item_rows, item, s->row);
}

template <class Vector>
HWY_INLINE void StepAs(uint32_t item, SessionState* s) {
  const BoundModel& model = *s->model;
  for (uint32_t l = 0; l < model.layers; ++l) {
    const GruLayer& layer = model.layer[l];
    const Vector x =
        l == 0 ? Embed(item, s, static_cast<Vector*>(nullptr))
               : ToVector(s->hidden[l - 1], layer.inputs, s, static_cast<Vector*>(nullptr));
    PanelProduct(layer.input_weights, 0, layer.input_weights.tiles, x, s->input_gates);
    GruStep<Vector>(layer, model.reset_after, s->hidden[l], s);
  }
}

void Step(uint32_t item, SessionState* s) {
  s->model->int8 ? StepAs<QuantizedVector>(item, s) : StepAs<FloatVector>(item, s);
}

}  // namespace HWY_NAMESPACE
}  // namespace stint
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace stint {
HWY_EXPORT(Step);
void Step(uint32_t item, SessionState* session) { HWY_DYNAMIC_DISPATCH(Step)(item, session); }
}  // namespace stint
#endif
