// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// One item -> the session's next hidden state: embed, then one GRU layer after the other. Plain
// code around the kernels of the SIMD target in use.
#include "runtime/step.h"

#include <cstring>

#include "runtime/hidden.h"
#include "runtime/kernels.h"
#include "runtime/rows.h"

namespace stint {
namespace {

class Stepper {
 public:
  explicit Stepper(SessionState* session)
      : kernels_(GetKernels()),
        s_(session),
        model_(*session->model),
        back_(session->observed % 2 != 0) {}

  void Step(uint32_t item) const {
    for (uint32_t l = 0; l < model_.layers; ++l) {
      if (model_.layer[l].reset_after) {
        ResetAfter(item, l);
      } else {
        ResetBefore(item, l);
      }
      if (s_->quantized_hidden) s_->quantized_hidden[l].fresh = false;
    }
  }

 private:
  // Int8 models make it in the session's scratch, so only one is alive at a time.
  AnyVector ToVector(const float* x, size_t count) const {
    AnyVector out = {{}, {x}};
    if (model_.int8) kernels_.quantize(x, count, s_->quantized, &out.quantized);
    return out;
  }

  AnyVector Hidden(uint32_t l) const { return HiddenVector(kernels_, l, model_.int8, s_); }

  // Tiles [first, last) of rows x vector + bias: tiles [first, last) of out.
  void Product(const Panels& panels, size_t first, size_t last, const AnyVector& x,
               float* out) const {
    if (model_.int8) {
      kernels_.int8_product(panels, first, last, x.quantized, out + first * kTileRows);
    } else {
      kernels_.f32_product(panels, first, last, x.floats, out + first * kTileRows);
    }
  }

  // The same, but every second step from the last tile to the first.
  void ProductThereOrBack(const Panels& panels, size_t tiles, const AnyVector& x,
                          float* out) const {
    if (!back_) return Product(panels, 0, tiles, x, out);
    for (size_t t = tiles; t-- > 0;) Product(panels, t, t + 1, x, out);
  }

  // a = W_ih x + b_ih, and the first `tiles` of b = W_hh h + b_hh. One step ends with the matrix
  // with which the next one begins, and goes through it the other way: what the caches still hold
  // of it is used before it is pushed out. Where they hold a part of the weights it saves 12 to
  // 23 % of a step (512 units after a scan of 1 MB), elsewhere it costs nothing.
  void Products(uint32_t item, uint32_t l, size_t tiles) const {
    const GruLayer& layer = model_.layer[l];
    const Panels& hidden = layer.hidden_weights;
    if (back_) ProductThereOrBack(hidden, tiles, Hidden(l), s_->hidden_gates);
    if (layer.inputs == 0) {
      OneHotGates(item, layer);
    } else {
      ProductThereOrBack(layer.input_weights, layer.input_weights.tiles,
                         l == 0 ? Embed(item) : Hidden(l - 1), s_->input_gates);
    }
    if (!back_) ProductThereOrBack(hidden, tiles, Hidden(l), s_->hidden_gates);
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
      case ItemRowKind::kF32Rows:  // where it lies
        x = reinterpret_cast<const float*>(rows.data) + size_t{item} * rows.cols;
        break;
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

  void ResetAfter(uint32_t item, uint32_t l) const {
    Products(item, l, model_.layer[l].hidden_weights.tiles);
    const size_t units = model_.units[l];
    float* const h = s_->hidden[l];
    kernels_.open_gates(units, h, s_->hidden_gates, s_->input_gates, nullptr);
    kernels_.close_gates(model_.hidden_activation, true, units, s_->input_gates, s_->hidden_gates,
                         h);
  }

  // The tile in which the candidate rows begin is computed twice unless the units are a multiple
  // of 32: with h for the gate rows in it, then, out of the innermost cache, with r h. At 100 units
  // that is a twentieth of the step; a kernel that takes another vector by row would cost more code
  // than it is worth.
  void ResetBefore(uint32_t item, uint32_t l) const {
    const Panels& weights = model_.layer[l].hidden_weights;
    const size_t units = model_.units[l];
    float* const h = s_->hidden[l];
    Products(item, l, PanelTiles(2 * units));
    kernels_.open_gates(units, h, s_->hidden_gates, s_->input_gates, s_->reset_hidden);
    Product(weights, 2 * units / kTileRows, weights.tiles, ToVector(s_->reset_hidden, units),
            s_->hidden_gates);
    kernels_.close_gates(model_.hidden_activation, false, units, s_->input_gates, s_->hidden_gates,
                         h);
  }

  const Kernels kernels_;
  SessionState* const s_;
  const BoundModel& model_;
  const bool back_;  // the way through the weights
};

}  // namespace

void Step(uint32_t item, SessionState* session) { Stepper(session).Step(item); }

}  // namespace stint
