// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// One item -> the session's next hidden state: embed, then one GRU layer after the other. Plain
// code around the kernels of the SIMD target in use.
#include "runtime/step.h"

#include <cstring>

#include "runtime/kernels.h"
#include "runtime/rows.h"

namespace stint {
namespace {

class Stepper {
 public:
  explicit Stepper(SessionState* session)
      : kernels_(GetKernels()), s_(session), model_(*session->model) {}

  void Step(uint32_t item) const {
    for (uint32_t l = 0; l < model_.layers; ++l) {
      const GruLayer& layer = model_.layer[l];
      if (layer.inputs == 0) {
        OneHotGates(item, layer);
      } else {
        const AnyVector x = l == 0 ? Embed(item) : ToVector(s_->hidden[l - 1], layer.inputs);
        Product(layer.input_weights, 0, layer.input_weights.tiles, x, s_->input_gates);
      }
      GruStep(layer, s_->hidden[l]);
    }
  }

 private:
  // Int8 models make it in the session's scratch, so only one is alive at a time.
  AnyVector ToVector(const float* x, size_t count) const {
    AnyVector out = {{}, {x}};
    if (model_.int8) kernels_.quantize(x, count, s_->quantized, &out.quantized);
    return out;
  }

  // Tiles [first, last) of rows x vector + bias: out[64 (last - first)].
  void Product(const Panels& panels, size_t first, size_t last, const AnyVector& x,
               float* out) const {
    if (model_.int8) {
      kernels_.int8_product(panels, first, last, x.quantized, out);
    } else {
      kernels_.f32_product(panels, first, last, x.floats, out);
    }
  }

  // The first layer's input: the item's own row, in the form it is stored in.
  AnyVector Embed(uint32_t item) const {
    const Rows& rows = model_.input_rows;
    if (!rows.data) return EmbedShared(item);
    if (model_.int8) {
      return {GatherInt8Row(Locate(rows, item), kernels_.byte_planes, s_->quantized), {}};
    }
    // Where it lies: rows are floats one after the other.
    return {{}, {reinterpret_cast<const float*>(rows.data + item * rows.row_bytes)}};
  }

  // The scoring matrix' row. Codes are a quantized vector as they are; floats become one anew.
  AnyVector EmbedShared(uint32_t item) const {
    const Panels& rows = model_.item_rows;
    const float* x = nullptr;
    switch (model_.item_kind) {
      case ItemRowKind::kInt8:
        return {GatherInt8Row(Locate(rows, item), kernels_.byte_planes, s_->quantized), {}};
      case ItemRowKind::kInt4:
        if (model_.int8) {
          return {GatherInt4Row(rows, item, kernels_.byte_planes, s_->quantized), {}};
        }
        x = WidenInt4Row(rows, item, s_->row).values;
        break;
      case ItemRowKind::kBf16:
        x = GatherBf16Row(rows, item, s_->row).values;
        break;
      case ItemRowKind::kF32:
        x = GatherF32Row(rows, item, s_->row).values;
        break;
      case ItemRowKind::kF32Rows:
        break;  // refused when a model opens
    }
    return ToVector(x, rows.cols);
  }

  // One-hot input: W_ih x is the item's three rows, b_ih stands in panels of no columns.
  void OneHotGates(uint32_t item, const GruLayer& layer) const {
    const Panels& biases = layer.input_weights;
    const size_t header = static_cast<size_t>(PanelTileBytes(model_.int8, 0));
    for (size_t t = 0; t < biases.tiles; ++t) {  // the biases end a header
      std::memcpy(s_->input_gates + t * kTileRows,
                  biases.data + (t + 1) * header - kTileRows * sizeof(float),
                  kTileRows * sizeof(float));
    }
    for (uint32_t gate = 0; gate < 3; ++gate) {
      AddRow(model_.input_rows, model_.int8, 3 * item + gate,
             s_->input_gates + gate * size_t{layer.units});
    }
  }

  // input_gates = W_ih x + b_ih on entry; h is replaced by the next hidden state.
  void GruStep(const GruLayer& layer, float* h) const {
    const size_t units = layer.units;
    const Panels& weights = layer.hidden_weights;
    float* const a = s_->input_gates;
    float* const b = s_->hidden_gates;
    const AnyVector x = ToVector(h, units);
    if (layer.reset_after) {
      Product(weights, 0, weights.tiles, x, b);
      kernels_.open_gates(units, h, b, a, nullptr);
    } else {
      // The tile in which the candidate rows begin is computed twice: with h here for the gate
      // rows in it, with r h below. Whole tiles keep the kernel simple.
      Product(weights, 0, PanelTiles(2 * units), x, b);
      kernels_.open_gates(units, h, b, a, s_->reset_hidden);
      const AnyVector y = ToVector(s_->reset_hidden, units);
      const size_t first = 2 * units / kTileRows;
      Product(weights, first, weights.tiles, y, b + first * kTileRows);
    }
    kernels_.close_gates(model_.hidden_activation, layer.reset_after, units, a, b, h);
  }

  const Kernels kernels_;
  SessionState* const s_;
  const BoundModel& model_;
};

}  // namespace

void Step(uint32_t item, SessionState* session) { Stepper(session).Step(item); }

}  // namespace stint
