// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Mini-batch and negatives -> loss: a training step and its first half. The second half:
// network_backward.cc.
#include "trainer/network.h"

#include <omp.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <new>

#include "trainer/dropout.h"
#include "trainer/embedding.h"

namespace stint {

AlignedFloats::AlignedFloats(size_t size) : data_(hwy::AllocateAligned<float>(size)), size_(size) {
  if (data_ == nullptr) throw std::bad_alloc();
  std::memset(data_.get(), 0, size * sizeof(float));
}

Network::Network(const Options& options, std::span<const uint32_t> counts, Parameters parameters)
    : options_(options),
      team_(options.threads != 0 ? static_cast<int>(options.threads) : omp_get_max_threads()),
      loss_config_(LossConfig::Of(options)),
      optimizer_(OptimizerConfig::Of(options)),
      parameters_(std::move(parameters)),
      accumulators_(parameters_.shape),
      stride_(RoundUp(options.batch_size, kRowAlignment)),
      touched_(parameters_.items.rows) {
  if (options.momentum > 0) {
    velocities_ = Parameters(parameters_.shape);
  }
  if (options.logq > 0) {
    log_counts_.reserve(counts.size());
    for (uint32_t count : counts) {
      log_counts_.push_back(static_cast<float>(std::log(static_cast<double>(count))));
    }
  }
  const size_t width = parameters_.width();
  const size_t max_columns = options.batch_size + options.negatives;
  embedded_ = AlignedFloats(width * stride_);
  embedded_rows_ = AlignedFloats(stride_ * RowStride(width));
  d_embedded_ = AlignedFloats(width * stride_);
  if (options.dropout_embedding > 0) embedding_mask_ = AlignedFloats(width * stride_);
  scores_ = AlignedFloats(max_columns * stride_);
  partials_ = AlignedFloats(Blocks(max_columns, kColumnBlock) * kLossStatistics * stride_);
  statistics_ = AlignedFloats(kLossStatistics * stride_);
  d_hidden_parts_ = AlignedFloats(kMaxGroups * width * stride_);
  d_block_rows_ = AlignedFloats(kMaxGroups * kColumnBlock * RowStride(width));
  d_rows_ = AlignedFloats((max_columns + options.batch_size) * RowStride(width));
  layers_.resize(parameters_.layers.size());
  for (size_t l = 0; l < layers_.size(); ++l) {
    Layer& layer = layers_[l];
    const size_t units = parameters_.layers[l].units();
    const size_t inputs = parameters_.layers[l].inputs();
    const size_t cells = units * stride_;
    const bool reset_before = parameters_.layers[l].form == GruForm::kResetBefore;
    for (AlignedFloats* array : {&layer.old_hidden, &layer.reset, &layer.update, &layer.candidate,
                                 &layer.hidden, &layer.d_hidden}) {
      *array = AlignedFloats(cells);
    }
    for (AlignedFloats* array : {&layer.input_gates, &layer.hidden_gates, &layer.d_input_gates}) {
      *array = AlignedFloats(3 * cells);
    }
    for (AlignedFloats* array : {&layer.old_rows, &layer.hidden_rows}) {
      *array = AlignedFloats(stride_ * RowStride(units));
    }
    if (reset_before) {
      layer.reset_hidden = AlignedFloats(cells);
      layer.d_reset_hidden = AlignedFloats(cells);
      layer.reset_rows = AlignedFloats(stride_ * RowStride(units));
    } else {
      layer.d_hidden_gates = AlignedFloats(3 * cells);
    }
    if (options.dropout_hidden > 0) layer.mask = AlignedFloats(cells);
    layer.d_input_weights = AlignedFloats(3 * units * RowStride(inputs));
    layer.d_hidden_weights = AlignedFloats(3 * units * RowStride(units));
    layer.a = {.units = units,
               .batch = stride_,
               .input_gates = layer.input_gates.data(),
               .hidden_gates = layer.hidden_gates.data(),
               .old_hidden = layer.old_hidden.data(),
               .reset = layer.reset.data(),
               .update = layer.update.data(),
               .candidate = layer.candidate.data(),
               .reset_hidden = layer.reset_hidden.data(),
               .hidden = layer.hidden.data()};
  }
}

double Network::Step(const MiniBatch& batch, std::span<const uint32_t> negatives, uint64_t step) {
  DrawDropout(step);
  Forward(batch, negatives);
  const double loss = ComputeLoss();
  if (!(loss < kDivergedLoss)) return loss;  // NaN as well
  Backward();
  Update();
  return loss;
}

void Network::ResetHidden() {
  for (Layer& layer : layers_) {
    std::memset(layer.hidden.data(), 0, layer.hidden.size() * sizeof(float));
  }
}

void Network::DrawDropout(uint64_t step) {
  const auto draw = [&](RandomStream stream, size_t layer, double p, AlignedFloats& mask) {
    const RandomCounter random(options_.seed, static_cast<uint64_t>(stream) + layer);
    const size_t part = RoundUp(Blocks(mask.size(), kMaxGroups), 2);
    team_.Run(Blocks(mask.size(), part), [&](size_t t) {
      stint::DrawDropout(random, p, step, mask.size(), t * part,
                         std::min(mask.size(), (t + 1) * part), mask.data());
    });
  };
  if (embedding_mask_.size() > 0) {
    draw(RandomStream::kDropoutEmbedding, 0, options_.dropout_embedding, embedding_mask_);
  }
  for (size_t l = 0; l < layers_.size(); ++l) {
    if (layers_[l].mask.size() == 0) continue;
    draw(RandomStream::kDropoutHidden, l, options_.dropout_hidden, layers_[l].mask);
  }
}

void Network::Forward(const MiniBatch& batch, std::span<const uint32_t> negatives) {
  rows_ = batch.rows();
  columns_.assign(batch.targets.begin(), batch.targets.end());
  columns_.insert(columns_.end(), negatives.begin(), negatives.end());
  occurrences_ = columns_;
  occurrences_.insert(occurrences_.end(), batch.inputs.begin(), batch.inputs.end());
  touched_.Assign(occurrences_.data(), occurrences_.size());
  ForwardEmbedding();
  for (size_t l = 0; l < layers_.size(); ++l) ForwardLayer(l, batch);
  ForwardScores();
}

void Network::ForwardEmbedding() {
  const size_t width = parameters_.width();
  const uint32_t* inputs = occurrences_.data() + columns_.size();
  team_.Run(Blocks(width, kRowBlock), [&](size_t t) {
    const size_t begin = t * kRowBlock, end = std::min(width, begin + kRowBlock);
    EmbeddingForward(parameters_.items, inputs, rows_, stride_, begin, end, embedded_.data());
    if (embedding_mask_.size() > 0) {
      ApplyDropout(embedding_mask_.data(), begin * stride_, end * stride_, embedded_.data());
    }
  });
  SessionRows(embedded_.data(), width, stride_, 0, rows_, embedded_rows_.data(), RowStride(width));
}

const float* Network::LayerInput(size_t l) const {
  return l == 0 ? embedded_.data() : layers_[l - 1].hidden.data();
}

const float* Network::LayerInputRows(size_t l) const {
  return l == 0 ? embedded_rows_.data() : layers_[l - 1].hidden_rows.data();
}

void Network::ForwardLayer(size_t l, const MiniBatch& batch) {
  Layer& layer = layers_[l];
  const GruParameters& p = parameters_.layers[l];
  const size_t units = p.units();
  const bool reset_after = p.form == GruForm::kResetAfter;

  // The hidden state each row goes on from.
  for (size_t u = 0; u < units; ++u) {
    const float* from = layer.hidden.data() + u * stride_;
    float* to = layer.old_hidden.data() + u * stride_;
    for (size_t i = 0; i < rows_; ++i) {
      to[i] = batch.hidden_from[i] >= 0 ? from[batch.hidden_from[i]] : 0.0f;
    }
    std::fill(to + rows_, to + stride_, 0.0f);
  }
  SessionRows(layer.old_hidden.data(), units, stride_, 0, rows_, layer.old_rows.data(),
              RowStride(units));

  Rows input_rows = Rows::Of(p.input_weights);
  input_rows.bias = p.input_bias.data;
  Rows hidden_rows = Rows::Of(p.hidden_weights);
  if (reset_after) hidden_rows.bias = p.hidden_bias.data;
  const size_t hidden_gates = reset_after ? 3 * units : 2 * units;
  team_.Run(Blocks(3 * units, kRowBlock), [&](size_t t) {
    const size_t begin = t * kRowBlock, end = std::min(3 * units, begin + kRowBlock);
    RowsTimesMatrix(input_rows, begin, end, p.inputs(), LayerInput(l), stride_, stride_,
                    layer.input_gates.data(), stride_);
    RowsTimesMatrix(hidden_rows, std::min(begin, hidden_gates), std::min(end, hidden_gates), units,
                    layer.old_hidden.data(), stride_, stride_, layer.hidden_gates.data(), stride_);
  });

  const auto output = [&](size_t begin, size_t end) {
    if (layer.mask.size() > 0) {
      ApplyDropout(layer.mask.data(), begin * stride_, end * stride_, layer.hidden.data());
    }
  };
  if (reset_after) {
    team_.Run(Blocks(units, kRowBlock), [&](size_t t) {
      const size_t begin = t * kRowBlock, end = std::min(units, begin + kRowBlock);
      GruResetAfterForward(layer.a, begin, end);
      output(begin, end);
    });
  } else {
    GruResetBeforeForwardOpen(layer.a, 0, units);
    SessionRows(layer.reset_hidden.data(), units, stride_, 0, rows_, layer.reset_rows.data(),
                RowStride(units));
    team_.Run(Blocks(units, kRowBlock), [&](size_t t) {
      const size_t begin = t * kRowBlock, end = std::min(units, begin + kRowBlock);
      RowsTimesMatrix(hidden_rows, 2 * units + begin, 2 * units + end, units,
                      layer.reset_hidden.data(), stride_, stride_, layer.hidden_gates.data(),
                      stride_);
      GruResetBeforeForwardClose(layer.a, begin, end);
      output(begin, end);
    });
  }
  SessionRows(layer.hidden.data(), units, stride_, 0, rows_, layer.hidden_rows.data(),
              RowStride(units));
}

void Network::ForwardScores() {
  if (options_.logq > 0) {
    // q = count of the in-batch columns, count^alpha of the sampled ones (ALGORITHM section 6).
    const auto logq = static_cast<float>(options_.logq);
    const auto sampled = static_cast<float>(options_.logq * options_.sample_alpha);
    correction_.resize(columns_.size());
    for (size_t c = 0; c < columns_.size(); ++c) {
      correction_[c] = (c < rows_ ? logq : sampled) * log_counts_[columns_[c]];
    }
  }
  Rows rows = Rows::Of(parameters_.items);
  rows.index = columns_.data();
  rows.bias = parameters_.item_bias.data;
  team_.Run(Blocks(columns_.size(), kColumnBlock), [&](size_t t) {
    const size_t begin = t * kColumnBlock, end = std::min(columns_.size(), begin + kColumnBlock);
    RowsTimesMatrix(rows, begin, end, parameters_.width(), layers_.back().hidden.data(), stride_,
                    stride_, scores_.data(), stride_);
  });
}

LossBatch Network::ScoreBatch() const {
  return {.scores = scores_.data(),
          .correction = options_.logq > 0 ? correction_.data() : nullptr,
          .columns = columns_.size(),
          .rows = rows_,
          .batch = stride_,
          .weight = 1.0f / static_cast<float>(options_.batch_size)};
}

double Network::ComputeLoss() {
  const LossBatch batch = ScoreBatch();
  const size_t blocks = Blocks(batch.columns, kColumnBlock);
  LossTargets(loss_config_, batch, statistics_.data());
  const float* targets = statistics_.data() + kTarget * stride_;
  team_.Run(blocks, [&](size_t t) {
    const size_t begin = t * kColumnBlock, end = std::min(batch.columns, begin + kColumnBlock);
    LossPartial(loss_config_, batch, begin, end, targets,
                partials_.data() + t * kLossStatistics * stride_);
  });
  return LossCombine(loss_config_, batch, partials_.data(), blocks, statistics_.data());
}

}  // namespace stint
