// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// One item -> the session's next hidden state: embed, then one GRU layer after the other.
#include "runtime/step.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/step.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

#include <cstring>

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

// Tanh of the candidates, the hot case, has loops of its own: a constant here costs nothing.
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

// The end of either form with any activation: n = f(a_n + b_n), b_n = r (W_n h + b_hn) or
// W_n (r h), z in a's reset rows. One loop for both forms and for partial vectors: small before
// fast. Candidates are kept within what a weight may be, so that no sum of products leaves the
// range of float (schema/panel.h) and no NaN arises: only forged or hopelessly grown models feel
// it.
HWY_NOINLINE inline void GatesEnd(const ActivationParams& f, bool reset_after, size_t units,
                                  const float* a, const float* b_n, float* h) {
  const TileF32 d;
  const auto limit = hn::Set(d, kLargestWeight);
  for (size_t j = 0; j < units; j += hn::Lanes(d)) {
    const size_t count = units - j < hn::Lanes(d) ? units - j : hn::Lanes(d);
    const auto z = hn::LoadN(d, a + j, count);
    const auto old = hn::LoadN(d, h + j, count);
    const auto a_n = hn::LoadN(d, a + 2 * units + j, count);
    auto n = Activate(d, f, hn::Add(a_n, hn::LoadN(d, b_n + j, count)));
    n = hn::IfThenElse(hn::Gt(n, limit), limit, n);
    n = hn::IfThenElse(hn::Lt(n, hn::Neg(limit)), hn::Neg(limit), n);
    const auto next = reset_after ? NextResetAfter(z, n, old) : NextResetBefore(z, n, old);
    hn::StoreN(next, d, h + j, count);
  }
}

// s->input_gates = W_ih x + b_ih on entry; h is replaced by the next hidden state.
template <class Vector>
HWY_INLINE void GruStep(const GruLayer& layer, float* h, SessionState* s) {
  const size_t units = layer.units;
  const ActivationParams& f = s->model->hidden_activation;
  const bool tanh = f.kind == ActivationKind::kTanh;
  const Panels& weights = layer.hidden_weights;
  float* const a = s->input_gates;
  float* const b = s->hidden_gates;
  const Vector x = ToVector(h, units, s, static_cast<Vector*>(nullptr));
  if (layer.reset_after) {
    PanelProduct(weights, 0, weights.tiles, x, b);
    if (tanh) {
      GatesAfter(units, a, b, h);
    } else {  // GatesOpen's product is r (W_n h + b_hn) here
      GatesOpen(units, a, b, b + 2 * units, s->reset_hidden);
      GatesEnd(f, true, units, a, s->reset_hidden, h);
    }
    return;
  }
  // The tile in which the candidate rows begin is computed twice: with h here for the gate rows in
  // it, with r h below. Whole tiles keep the kernel simple.
  PanelProduct(weights, 0, PanelTiles(2 * units), x, b);
  GatesOpen(units, a, b, h, s->reset_hidden);
  const Vector y = ToVector(s->reset_hidden, units, s, static_cast<Vector*>(nullptr));
  PanelProduct(weights, 2 * units / kTileRows, weights.tiles, y, b);
  if (tanh) {
    GatesClose(units, a, b, h);
  } else {
    GatesEnd(f, false, units, a, b + 2 * units, h);
  }
}

// The first layer's input: the item's own row, in the form it is stored in.
HWY_INLINE QuantizedVector Embed(uint32_t item, SessionState* s, QuantizedVector*) {
  const BoundModel& model = *s->model;
  const Int8Row row =
      model.input_rows.data ? Locate(model.input_rows, item) : Locate(model.item_rows, item);
  return GatherInt8Row(row, s->quantized);
}
HWY_INLINE FloatVector Embed(uint32_t item, SessionState* s, FloatVector*) {
  const BoundModel& model = *s->model;
  if (!model.input_rows.data) return GatherF32Row(model.item_rows, item, s->row);
  // Where it lies: rows are floats one after the other.
  return {
      reinterpret_cast<const float*>(model.input_rows.data + item * model.input_rows.row_bytes)};
}

// One-hot input: W_ih x is the item's three rows, b_ih stands in panels of no columns.
HWY_NOINLINE inline void OneHotGates(uint32_t item, const GruLayer& layer, SessionState* s) {
  const BoundModel& model = *s->model;
  const Panels& biases = layer.input_weights;
  const size_t header = PanelTileBytes(model.int8, 0);
  for (size_t t = 0; t < biases.tiles; ++t) {  // the biases end a header
    std::memcpy(s->input_gates + t * kTileRows,
                biases.data + (t + 1) * header - kTileRows * sizeof(float),
                kTileRows * sizeof(float));
  }
  for (uint32_t gate = 0; gate < 3; ++gate) {
    AddRow(model.input_rows, model.int8, 3 * item + gate,
           s->input_gates + gate * size_t{layer.units});
  }
}

template <class Vector>
HWY_INLINE void StepAs(uint32_t item, SessionState* s) {
  const BoundModel& model = *s->model;
  for (uint32_t l = 0; l < model.layers; ++l) {
    const GruLayer& layer = model.layer[l];
    if (layer.inputs == 0) {
      OneHotGates(item, layer, s);
    } else {
      const Vector x =
          l == 0 ? Embed(item, s, static_cast<Vector*>(nullptr))
                 : ToVector(s->hidden[l - 1], layer.inputs, s, static_cast<Vector*>(nullptr));
      PanelProduct(layer.input_weights, 0, layer.input_weights.tiles, x, s->input_gates);
    }
    GruStep<Vector>(layer, s->hidden[l], s);
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
