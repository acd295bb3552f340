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
  const Rows items = ColumnRows();
  const bool at_once = updates_at_once();
  const auto part = [&](size_t g) {
    return g == 0 ? layer.d_hidden.data() : d_parts_.data() + (g - 1) * width * stride_;
  };
  ForGroups(blocks, width, part, [&](size_t b, bool fresh, float* d_hidden) {
    float* d_rows = d_block_rows_.data() + team_.thread() * kColumnBlock * row_stride;
    const size_t begin = b * kColumnBlock, end = std::min(batch.columns, begin + kColumnBlock);
    LossGradient(loss_config_, batch, begin, end, partials_.data() + b * kLossStatistics * stride_,
                 statistics_.data());
    // Beside the first product come the slots of its rows, beside the second the next block's rows.
    // (At 512 units and 192 sessions, a thread: without, the second product takes 3.0 ms instead of
    // 3.6, but the update 1.4 instead of 0.8. Each product in a loop of its own: no faster.)
    const float* soon[kMaxSlots * kColumnBlock];
    RowsAhead slots(soon, at_once ? ItemSlots(begin, end, soon) : 0, width);
    products_.AddTransposedRowsTimesMatrix(items, begin, end, 0, width, scores_.data(), stride_,
                                           stride_, d_hidden, stride_, fresh, &slots);
    RowsAhead next(soon, at_once ? ItemRows(end, end + kColumnBlock, soon) : 0, width);
    products_.RowsTimesMatrix({.data = scores_.data() + begin * stride_, .stride = stride_}, 0,
                              end - begin, rows_, layer.hidden_rows.data(), row_stride, row_stride,
                              d_rows, row_stride, &next);
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
  });
}

// Calls run(block, fresh, part) for every block, whose sums are to be added to `part`, or begun
// there where it is fresh. part(g) [features, batch] is the partial sum of group g; that of group 0
// becomes the sum. The groups are always the same, whatever the threads.
template <class Part, class Run>
void Network::ForGroups(size_t blocks, size_t features, const Part& part, const Run& run) {
  const size_t groups = std::min(blocks, Groups(features));
  parts_sum_.Start(groups);
  // Each thread takes neighbours, so that their sums are in its cache.
  const auto threads = static_cast<size_t>(team_.threads());
  const size_t share = Blocks(groups, threads);
  team_.Run(threads * share, [&](size_t t) {
    const size_t g = t % threads * share + t / threads;
    if (g >= groups) return;
    const size_t first = g * blocks / groups;
    for (size_t b = first; b < (g + 1) * blocks / groups; ++b) run(b, b == first, part(g));
    parts_sum_.Finish(g, [&](size_t to, size_t from) {
      float* sum = part(to);
      const float* other = part(from);
      for (size_t i = 0; i < features * stride_; ++i) sum[i] += other[i];
    });
  });
}

// Gradient of the layer's input, and of its weights. Once the gradients of a block of units' gates
// are there, nothing but the block needs its weights any more: they are read for the gradient of
// the input and updated while they and their own gradients are in the cache. (At 512 units those
// gradients alone are 6 MB. The rows of the three gates as one chunk of the product: no faster.)
void Network::BackwardLayer(size_t l) {
  Layer& layer = layers_[l];
  const GruParameters& p = parameters_.layers[l];
  const size_t units = p.units(), inputs = p.inputs();
  const bool reset_after = p.form == GruForm::kResetAfter;
  const size_t blocks = UnitBlocks(units);
  const auto drop = [&](size_t begin, size_t end) {
    if (layer.mask.size() == 0) return;
    ApplyDropout(layer.mask.data(), begin * stride_, end * stride_, layer.d_hidden.data());
  };
  if (!reset_after) {  // the reset gate's gradient needs the candidate's of all units
    team_.Run(blocks, [&](size_t t) {
      const size_t begin = UnitBlockBegin(units, t), end = UnitBlockBegin(units, t + 1);
      drop(begin, end);
      GruResetBeforeBackwardOpen(layer.a, begin, end, layer.d_hidden.data(),
                                 layer.d_input_gates.data());
    });
    team_.Run(blocks, [&](size_t t) {
      const size_t begin = UnitBlockBegin(units, t), end = UnitBlockBegin(units, t + 1);
      float* d_reset = layer.d_reset_hidden.data();
      products_.AddTransposedRowsTimesMatrix(
          Rows::Of(p.hidden_weights), 2 * units, 3 * units, begin, end, layer.d_input_gates.data(),
          stride_, stride_, d_reset + begin * stride_, stride_, /*fresh=*/true);
      GruResetBeforeBackwardClose(layer.a, begin, end, d_reset, layer.d_input_gates.data());
    });
  }

  // (One-hot input has no weights; its gradient is that of the gates.)
  float* d_input = l == 0 ? d_embedded_.data() : layers_[l - 1].d_hidden.data();
  const auto part = [&](size_t g) {
    return g == 0 ? d_input : d_parts_.data() + (g - 1) * inputs * stride_;
  };
  ForGroups(blocks, inputs, part, [&](size_t block, bool fresh, float* d_input_part) {
    const size_t begin = UnitBlockBegin(units, block), end = UnitBlockBegin(units, block + 1);
    if (reset_after) {
      drop(begin, end);
      GruResetAfterBackward(layer.a, begin, end, layer.d_hidden.data(), layer.d_input_gates.data(),
                            layer.d_hidden_gates.data());
    }
    for (size_t gate = 0; gate < 3; ++gate) {
      const size_t first = gate * units + begin, last = gate * units + end;
      products_.AddTransposedRowsTimesMatrix(Rows::Of(p.input_weights), first, last, 0, inputs,
                                             layer.d_input_gates.data(), stride_, stride_,
                                             d_input_part, stride_, fresh && gate == 0);
    }
    for (size_t gate = 0; gate < 3; ++gate) {
      const size_t first = gate * units + begin, last = gate * units + end;
      BackwardWeights(p.input_weights, p.input_bias, first, last, layer.d_input_gates.data(),
                      LayerInputRows(l), &layer.d_input_weights);
    }
    for (size_t gate = 0; gate < 3; ++gate) {
      const size_t first = gate * units + begin, last = gate * units + end;
      // The candidate's recurrent product takes r h in the reset_before form.
      const bool of_reset = gate == 2 && !reset_after;
      BackwardWeights(p.hidden_weights, p.hidden_bias, first, last,
                      (reset_after ? layer.d_hidden_gates : layer.d_input_gates).data(),
                      (of_reset ? layer.reset_rows : layer.old_rows).data(),
                      &layer.d_hidden_weights);
    }
  });
}

// Gradient of rows [begin, end) of a layer's weights, by the gradients of their gates and
// what they were multiplied with, session by session; and their update, where it need not wait.
void Network::BackwardWeights(const Matrix& weights, const Matrix& bias, size_t begin, size_t end,
                              const float* d_gates, const float* input_rows,
                              AlignedFloats* d_weights) {
  const size_t stride = RowStride(weights.cols);
  const bool at_once = updates_at_once();
  // Each thread has rows of its own, always the same: they stay in its cache.
  float* gradient = d_weights->data() + (at_once ? team_.thread() * kMaxUnitBlock : begin) * stride;
  const float* soon[kMaxSlots * kMaxUnitBlock];
  RowsAhead ahead(soon, at_once ? UpdatedRows(weights, begin, end, soon) : 0, weights.cols);
  products_.RowsTimesMatrix({.data = d_gates + begin * stride_, .stride = stride_}, 0, end - begin,
                            rows_, input_rows, stride, stride, gradient, stride, &ahead);
  if (at_once) UpdateGates(weights, bias, begin, end, gradient);
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
