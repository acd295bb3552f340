// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Loss of a mini-batch -> gradients, and already the update of items that occur once. The others:
// network_update.cc.
#include <hwy/cache_control.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "trainer/dropout.h"
#include "trainer/embedding.h"
#include "trainer/network.h"

namespace stint {

void Network::Backward() {
  BackwardScores();
  for (size_t l = layers_.size(); l-- > 0;) BackwardLayer(l);
  BackwardInputs();
}

// Gradient of the last hidden state, and of the scored item rows. A row that occurs only once in
// the mini-batch is needed nowhere else: it is updated at once, while it is in the cache, from a
// gradient that never goes to memory. (In a pass of its own the update took 29 % of a step, most of
// it waiting for accumulators and gradients.) The others wait for UpdateItems().
void Network::BackwardScores() {
  const LossBatch batch = ScoreBatch();
  Layer& layer = layers_.back();
  const size_t width = parameters_.width();
  const size_t row_stride = RowStride(width);
  const size_t blocks = Blocks(batch.columns, kColumnBlock);
  const size_t groups = std::min(blocks, Groups());
  const Rows items = ColumnRows();
  const bool at_once = updates_at_once();
  team_.Run(groups, [&](size_t g) {
    float* d_hidden = d_hidden_parts_.data() + g * width * stride_;
    float* d_rows = d_block_rows_.data() + team_.thread() * kColumnBlock * row_stride;
    std::memset(d_hidden, 0, width * stride_ * sizeof(float));
    const size_t last = std::min(batch.columns, (g + 1) * blocks / groups * kColumnBlock);
    for (size_t b = g * blocks / groups; b < (g + 1) * blocks / groups; ++b) {
      const size_t begin = b * kColumnBlock, end = std::min(batch.columns, begin + kColumnBlock);
      LossGradient(loss_config_, batch, begin, end,
                   partials_.data() + b * kLossStatistics * stride_, statistics_.data());
      products_.AddTransposedRowsTimesMatrix(items, begin, end, 0, width, scores_.data(), stride_,
                                             stride_, d_hidden, stride_);
      // Beside this product come the slots of its rows, and the rows of the next block.
      const float* soon[kMaxSlots * kColumnBlock];
      RowsAhead ahead(soon, at_once ? RowsNeeded(begin, end, last, soon) : 0, width);
      products_.RowsTimesMatrix({.data = scores_.data() + begin * stride_, .stride = stride_}, 0,
                                end - begin, rows_, layer.hidden_rows.data(), row_stride,
                                row_stride, d_rows, row_stride, &ahead);
      OnceUpdates biases;
      for (size_t c = begin; c < end; ++c) {
        if (at_once && c + kUpdatesAhead < end) PrefetchItem(columns_[c + kUpdatesAhead]);
        const float* gradient = d_rows + (c - begin) * row_stride;
        if (at_once && touched_.OccursOnce(columns_[c])) {
          UpdateItem(columns_[c], &gradient, 1);
          UpdateBias(columns_[c], gradient[width], &biases);
        } else {
          std::copy_n(gradient, row_stride, d_rows_.data() + c * row_stride);
        }
      }
      FlushBiases(&biases);
    }
  });
  team_.Run(Blocks(width, kRowBlock), [&](size_t t) {
    const size_t begin = t * kRowBlock * stride_;
    const size_t end = std::min(width * stride_, begin + kRowBlock * stride_);
    float* sum = layer.d_hidden.data();
    std::copy(d_hidden_parts_.data() + begin, d_hidden_parts_.data() + end, sum + begin);
    for (size_t g = 1; g < groups; ++g) {
      const float* part = d_hidden_parts_.data() + g * width * stride_;
      for (size_t i = begin; i < end; ++i) sum[i] += part[i];
    }
  });
}

void Network::BackwardLayer(size_t l) {
  Layer& layer = layers_[l];
  const GruParameters& p = parameters_.layers[l];
  const size_t units = p.units(), inputs = p.inputs();
  const bool reset_after = p.form == GruForm::kResetAfter;
  const float* d_input_gates = layer.d_input_gates.data();
  const float* d_hidden_gates = reset_after ? layer.d_hidden_gates.data() : d_input_gates;
  const Rows hidden_rows = Rows::Of(p.hidden_weights);

  team_.Run(Blocks(units, kRowBlock), [&](size_t t) {
    const size_t begin = t * kRowBlock, end = std::min(units, begin + kRowBlock);
    if (layer.mask.size() > 0) {
      ApplyDropout(layer.mask.data(), begin * stride_, end * stride_, layer.d_hidden.data());
    }
    if (reset_after) {
      GruResetAfterBackward(layer.a, begin, end, layer.d_hidden.data(), layer.d_input_gates.data(),
                            layer.d_hidden_gates.data());
    } else {
      GruResetBeforeBackwardOpen(layer.a, begin, end, layer.d_hidden.data(),
                                 layer.d_input_gates.data());
    }
  });
  if (!reset_after) {
    team_.Run(Blocks(units, kRowBlock), [&](size_t t) {
      const size_t begin = t * kRowBlock, end = std::min(units, begin + kRowBlock);
      float* d_reset = layer.d_reset_hidden.data();
      std::fill(d_reset + begin * stride_, d_reset + end * stride_, 0.0f);
      products_.AddTransposedRowsTimesMatrix(hidden_rows, 2 * units, 3 * units, begin, end,
                                             layer.d_input_gates.data(), stride_, stride_,
                                             d_reset + begin * stride_, stride_);
      GruResetBeforeBackwardClose(layer.a, begin, end, d_reset, layer.d_input_gates.data());
    });
  }

  // Gradient of the layer's input. (One-hot input: that of the gates.)
  float* d_input = l == 0 ? d_embedded_.data() : layers_[l - 1].d_hidden.data();
  const Rows input_rows = Rows::Of(p.input_weights);
  team_.Run(Blocks(inputs, kRowBlock), [&](size_t t) {
    const size_t begin = t * kRowBlock, end = std::min(inputs, begin + kRowBlock);
    std::fill(d_input + begin * stride_, d_input + end * stride_, 0.0f);
    products_.AddTransposedRowsTimesMatrix(input_rows, 0, 3 * units, begin, end, d_input_gates,
                                           stride_, stride_, d_input + begin * stride_, stride_);
  });

  // Gradient of its weights, which nothing needs any more: they are updated while it is in the
  // cache. (At 512 units the gradients alone are 6 MB.)
  const bool at_once = updates_at_once();
  team_.Run(Blocks(3 * units, kRowBlock), [&](size_t t) {
    const size_t begin = t * kRowBlock, end = std::min(3 * units, begin + kRowBlock);
    // Each thread has rows of its own, always the same: they stay in its cache.
    const size_t place = at_once ? team_.thread() * kRowBlock : begin;
    float* d_input_weights = layer.d_input_weights.data() + place * RowStride(inputs);
    float* d_hidden_weights = layer.d_hidden_weights.data() + place * RowStride(units);
    const float* soon[kMaxSlots * kRowBlock];
    RowsAhead of_inputs(soon, at_once ? UpdatedRows(p.input_weights, begin, end, soon) : 0, inputs);
    products_.RowsTimesMatrix({.data = d_input_gates + begin * stride_, .stride = stride_}, 0,
                              end - begin, rows_, LayerInputRows(l), RowStride(inputs),
                              RowStride(inputs), d_input_weights, RowStride(inputs), &of_inputs);
    RowsAhead of_hidden(soon, at_once ? UpdatedRows(p.hidden_weights, begin, end, soon) : 0, units);
    // The candidate's recurrent product takes r h in the reset_before form.
    const size_t middle = (reset_after ? end : std::clamp(2 * units, begin, end)) - begin;
    const Rows d_gates = {.data = d_hidden_gates + begin * stride_, .stride = stride_};
    products_.RowsTimesMatrix(d_gates, 0, middle, rows_, layer.old_rows.data(), RowStride(units),
                              RowStride(units), d_hidden_weights, RowStride(units), &of_hidden);
    products_.RowsTimesMatrix(d_gates, middle, end - begin, rows_, layer.reset_rows.data(),
                              RowStride(units), RowStride(units), d_hidden_weights,
                              RowStride(units), &of_hidden);
    if (at_once) UpdateGates(l, begin, end, d_input_weights, d_hidden_weights);
  });
}

// Gradient rows of the items that entered.
void Network::BackwardInputs() {
  const size_t width = input_width();
  const float* d_inputs = one_hot() ? layers_[0].d_input_gates.data() : d_embedded_.data();
  team_.Run(Blocks(width, kRowBlock), [&](size_t t) {
    const size_t begin = t * kRowBlock, end = std::min(width, begin + kRowBlock);
    if (embedding_mask_.size() > 0) {
      ApplyDropout(embedding_mask_.data(), begin * stride_, end * stride_, d_embedded_.data());
    }
    SessionRows(d_inputs, rows_, stride_, begin, end, d_input_rows_.data(), RowStride(width));
  });
}

}  // namespace stint
