// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

#include "trainer/network.h"

#include <hwy/cache_control.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "trainer/dropout.h"
#include "trainer/embedding.h"

namespace stint {
namespace {

// Score columns handled together: their item rows (64 x 400 bytes at 100 units) and scores fit
// the first-level cache.
constexpr size_t kColumnBlock = 64;
// Partial sums of the hidden state's gradient, added in order: as many as threads can share.
constexpr size_t kMaxGroups = 16;
// Gate rows, features and units in a task.
constexpr size_t kRowBlock = 32;

size_t Blocks(size_t n, size_t block) { return (n + block - 1) / block; }

// Floats in a session's row of features with a 1 behind, padded.
size_t RowStride(size_t features) { return RoundUp(features + 1, kRowAlignment); }

}  // namespace

AlignedFloats::AlignedFloats(size_t size) : data_(hwy::AllocateAligned<float>(size)), size_(size) {
  if (data_ == nullptr) throw std::bad_alloc();
  std::memset(data_.get(), 0, size * sizeof(float));
}

Network::Network(const Options& options, std::span<const uint32_t> counts, Parameters parameters)
    : options_(options),
      team_(options.threads != 0 ? static_cast<int>(options.threads) : omp_get_max_threads()),
      loss_config_(LossConfig::Of(options)),
      adagrad_(AdagradConfig::Of(options)),
      parameters_(std::move(parameters)),
      accumulators_(parameters_.items.rows, options.layers, parameters_.form),
      stride_(RoundUp(options.batch_size, kRowAlignment)),
      touched_(parameters_.items.rows) {
  if (options.momentum > 0) {
    velocities_ = Parameters(parameters_.items.rows, options.layers, parameters_.form);
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
    const bool reset_before = parameters_.form == GruForm::kResetBefore;
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
  const bool reset_after = parameters_.form == GruForm::kResetAfter;

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

void Network::Backward() {
  BackwardScores();
  for (size_t l = layers_.size(); l-- > 0;) BackwardLayer(l);
  const size_t width = parameters_.width();
  if (embedding_mask_.size() > 0) {
    ApplyDropout(embedding_mask_.data(), 0, width * stride_, d_embedded_.data());
  }
  EmbeddingBackward(d_embedded_.data(), width, stride_, 0, rows_,
                    d_rows_.data() + columns_.size() * RowStride(width), RowStride(width));
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
  const size_t groups = std::min(blocks, kMaxGroups);
  Rows items = Rows::Of(parameters_.items);
  items.index = columns_.data();
  team_.Run(groups, [&](size_t g) {
    float* d_hidden = d_hidden_parts_.data() + g * width * stride_;
    float* d_rows = d_block_rows_.data() + g * kColumnBlock * row_stride;
    std::memset(d_hidden, 0, width * stride_ * sizeof(float));
    for (size_t b = g * blocks / groups; b < (g + 1) * blocks / groups; ++b) {
      const size_t begin = b * kColumnBlock, end = std::min(batch.columns, begin + kColumnBlock);
      for (size_t c = begin; c < end; ++c) PrefetchSlots(columns_[c]);
      LossGradient(loss_config_, batch, begin, end, statistics_.data());
      AddTransposedRowsTimesMatrix(items, begin, end, 0, width, scores_.data(), stride_, stride_,
                                   d_hidden, stride_);
      RowsTimesMatrix({.data = scores_.data() + begin * stride_, .stride = stride_}, 0, end - begin,
                      rows_, layer.hidden_rows.data(), row_stride, row_stride, d_rows, row_stride);
      for (size_t c = begin; c < end; ++c) {
        const float* gradient = d_rows + (c - begin) * row_stride;
        if (touched_.OccursOnce(columns_[c])) {
          UpdateItem(columns_[c], &gradient, 1);
          AdagradUpdateOne(adagrad_, SlotsOf(parameters_.item_bias, columns_[c]), gradient[width]);
        } else {
          std::copy_n(gradient, row_stride, d_rows_.data() + c * row_stride);
        }
      }
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
  const bool reset_after = parameters_.form == GruForm::kResetAfter;
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
      AddTransposedRowsTimesMatrix(hidden_rows, 2 * units, 3 * units, begin, end,
                                   layer.d_input_gates.data(), stride_, stride_,
                                   d_reset + begin * stride_, stride_);
      GruResetBeforeBackwardClose(layer.a, begin, end, d_reset, layer.d_input_gates.data());
    });
  }

  // Gradient of the layer's input, and of its weights.
  float* d_input = l == 0 ? d_embedded_.data() : layers_[l - 1].d_hidden.data();
  const Rows input_rows = Rows::Of(p.input_weights);
  const size_t input_tasks = Blocks(inputs, kRowBlock);
  team_.Run(input_tasks + Blocks(3 * units, kRowBlock), [&](size_t t) {
    if (t < input_tasks) {
      const size_t begin = t * kRowBlock, end = std::min(inputs, begin + kRowBlock);
      std::fill(d_input + begin * stride_, d_input + end * stride_, 0.0f);
      AddTransposedRowsTimesMatrix(input_rows, 0, 3 * units, begin, end, d_input_gates, stride_,
                                   stride_, d_input + begin * stride_, stride_);
      return;
    }
    const size_t begin = (t - input_tasks) * kRowBlock;
    const size_t end = std::min(3 * units, begin + kRowBlock);
    RowsTimesMatrix({.data = d_input_gates, .stride = stride_}, begin, end, rows_,
                    LayerInputRows(l), RowStride(inputs), RowStride(inputs),
                    layer.d_input_weights.data(), RowStride(inputs));
    // The candidate's recurrent product takes r h in the reset_before form.
    const size_t middle = reset_after ? end : std::clamp(2 * units, begin, end);
    const Rows d_gates = {.data = d_hidden_gates, .stride = stride_};
    RowsTimesMatrix(d_gates, begin, middle, rows_, layer.old_rows.data(), RowStride(units),
                    RowStride(units), layer.d_hidden_weights.data(), RowStride(units));
    RowsTimesMatrix(d_gates, middle, end, rows_, layer.reset_rows.data(), RowStride(units),
                    RowStride(units), layer.d_hidden_weights.data(), RowStride(units));
  });
}

AdagradSlots Network::SlotsOf(const Matrix& m, size_t offset) const {
  // The slots lie in blocks laid out alike.
  float* at = m.data + offset;
  const ptrdiff_t place = at - parameters_.layers[0].input_weights.data;
  return {.parameter = at,
          .accumulator = accumulators_.layers[0].input_weights.data + place,
          .velocity =
              velocities_.layers.empty() ? at : velocities_.layers[0].input_weights.data + place};
}

void Network::Update() {
  for (size_t l = 0; l < layers_.size(); ++l) UpdateLayer(l);
  UpdateItems();
}

void Network::UpdateLayer(size_t l) {
  const Layer& layer = layers_[l];
  const GruParameters& p = parameters_.layers[l];
  const auto update = [&](const Matrix& weights, const Matrix& bias, const AlignedFloats& d,
                          size_t row) {
    const float* gradient = d.data() + row * RowStride(weights.cols);
    AdagradUpdateRow(adagrad_, SlotsOf(weights, row * weights.stride), &gradient, 1, weights.cols);
    if (bias.rows > 0) AdagradUpdateOne(adagrad_, SlotsOf(bias, row), gradient[weights.cols]);
  };
  team_.Run(Blocks(3 * p.units(), kRowBlock), [&](size_t t) {
    for (size_t row = t * kRowBlock; row < std::min(3 * p.units(), (t + 1) * kRowBlock); ++row) {
      update(p.input_weights, p.input_bias, layer.d_input_weights, row);
      update(p.hidden_weights, p.hidden_bias, layer.d_hidden_weights, row);
    }
  });
}

void Network::PrefetchSlots(size_t item) const {
  const AdagradSlots row = SlotsOf(parameters_.items, item * parameters_.items.stride);
  for (size_t c = 0; c < parameters_.width(); c += kRowAlignment) {
    hwy::Prefetch(row.accumulator + c);
    if (adagrad_.momentum > 0) hwy::Prefetch(row.velocity + c);
  }
}

void Network::UpdateItem(size_t item, const float* const* gradients, size_t occurrences) {
  AdagradUpdateRow(adagrad_, SlotsOf(parameters_.items, item * parameters_.items.stride), gradients,
                   occurrences, parameters_.width());
}

// Each distinct item that BackwardScores() has left, once, with the sum over its occurrences as
// target, negative and input; its bias only where it was scored.
void Network::UpdateItems() {
  const size_t width = parameters_.width();
  team_.Run(Blocks(touched_.size(), kColumnBlock), [&](size_t t) {
    std::vector<const float*> gradients;
    for (size_t slot = t * kColumnBlock; slot < std::min(touched_.size(), (t + 1) * kColumnBlock);
         ++slot) {
      const size_t occurrences = touched_.end(slot) - touched_.begin(slot);
      if (occurrences == 1 && *touched_.begin(slot) < columns_.size()) continue;
      gradients.clear();
      float d_bias = 0.0f;
      bool scored = false;
      for (const uint32_t* at = touched_.begin(slot); at != touched_.end(slot); ++at) {
        gradients.push_back(d_rows_.data() + *at * RowStride(width));
        if (*at >= columns_.size()) continue;
        d_bias += gradients.back()[width];
        scored = true;
      }
      const size_t item = touched_.item(slot);
      UpdateItem(item, gradients.data(), occurrences);
      if (scored) AdagradUpdateOne(adagrad_, SlotsOf(parameters_.item_bias, item), d_bias);
    }
  });
}

}  // namespace stint
