// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Mini-batch and negatives -> loss: a training step and its first half. Then: network_backward.cc
// and network_update.cc.
#include "trainer/network.h"

#include <algorithm>

#include "trainer/dropout.h"
#include "trainer/embedding.h"
#include "trainer/exact_math.h"
#include "trainer/row_math.h"

namespace stint {

double Network::Step(const MiniBatch& batch, std::span<const uint32_t> negatives, uint64_t step,
                     const Beside& beside) {
  DrawDropout(step);
  Forward(batch, negatives, beside);
  const double loss = ComputeLoss();
  if (!(loss < kDivergedLoss)) return loss;  // NaN as well
  Backward();
  Update();
  ++done_;
  if (mean_ && done_ % WeightMean::kInterval == 0) {
    mean_->Update(parameters_, item_scale_[0], &team_);
  }
  return loss;
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

void Network::Forward(const MiniBatch& batch, std::span<const uint32_t> negatives,
                      const Beside& beside) {
  AssignColumns(batch, negatives);
  if (options_.normalize_items) NormalizeRows();
  GatherInputs(batch);
  for (size_t l = 0; l < layers_.size(); ++l) ForwardLayer(l);
  ForwardScores(beside);
}

void Network::AssignColumns(const MiniBatch& batch, std::span<const uint32_t> negatives) {
  rows_ = batch.rows();
  columns_.assign(batch.targets.begin(), batch.targets.end());
  columns_.insert(columns_.end(), negatives.begin(), negatives.end());
  inputs_ = batch.inputs;
  occurrences_ = columns_;
  if (shared()) occurrences_.insert(occurrences_.end(), inputs_.begin(), inputs_.end());
  moved_.clear();
  for (size_t i = 0; i < rows_; ++i) {
    if (batch.hidden_from[i] != static_cast<int32_t>(i)) moved_.push_back(static_cast<uint32_t>(i));
  }
  std::fill(target_items_.begin(), target_items_.end(), -1);
  std::copy(batch.targets.begin(), batch.targets.end(), target_items_.begin());
}

// row / |row| and scale * row / |row| of every column and, if shared, every input.
void Network::NormalizeRows() {
  const Matrix& items = parameters_.items;
  const size_t n = occurrences_.size();
  team_.Run(Blocks(n, kColumnBlock), [&](size_t t) {
    for (size_t o = t * kColumnBlock; o < std::min(n, (t + 1) * kColumnBlock); ++o) {
      const float* row = items.Row(occurrences_[o]);
      row_norms_[o] = RowNorm(row, items.cols);
      const float inverse = 1.0f / row_norms_[o];
      float* unit = unit_rows_.data() + o * items.stride;
      float* scaled = scaled_rows_.data() + o * items.stride;
      for (size_t c = 0; c < items.cols; ++c) {
        unit[c] = row[c] * inverse;
        scaled[c] = unit[c] * item_scale_[0];
      }
    }
  });
  column_bias_.resize(columns_.size());
  for (size_t c = 0; c < columns_.size(); ++c) {
    column_bias_[c] = parameters_.item_bias.data[columns_[c]];
  }
}

Rows Network::ColumnRows() const {
  Rows rows = Rows::Of(parameters_.items);
  if (options_.normalize_items) {
    rows.data = scaled_rows_.data();
    rows.bias = column_bias_.data();
  } else {
    rows.index = columns_.data();
    rows.bias = parameters_.item_bias.data;
  }
  return rows;
}

// What enters the first layer for sessions [begin, end), whole vectors of them; 0 where there is
// none.
void Network::EmbedSessions(const Rows& rows, size_t begin, size_t end) {
  const size_t width = input_width();
  const size_t last = std::clamp(rows_, begin, end);
  EmbeddingForward(rows, width, stride_, begin, last, embedded_.data());
  for (size_t c = 0; c < width; ++c) {
    float* feature = embedded_.data() + c * stride_;
    std::fill(feature + last, feature + end, 0.0f);
    if (embedding_mask_.size() > 0) {
      ApplyDropout(embedding_mask_.data() + c * stride_, begin, end, feature);
    }
  }
  if (one_hot()) return;
  SessionRows(embedded_.data() + begin, last - begin, stride_, 0, width,
              embedded_rows_.data() + begin * RowStride(width), RowStride(width));
}

// What enters the first layer, and the hidden states that the rows go on from.
void Network::GatherInputs(const MiniBatch& batch) {
  Rows rows = Rows::Of(parameters_.InputRows());
  rows.index = inputs_.data();
  if (shared() && options_.normalize_items) {
    rows.data = scaled_rows_.data() + columns_.size() * rows.stride;
    rows.index = nullptr;
  }
  const size_t input_tasks = Blocks(stride_, kRowAlignment);
  size_t tasks = input_tasks;
  for (const Layer& layer : layers_) tasks += Blocks(layer.a.units, kRowBlock);
  team_.Run(tasks, [&](size_t t) {
    if (t < input_tasks) {
      EmbedSessions(rows, t * kRowAlignment, (t + 1) * kRowAlignment);
      return;
    }
    t -= input_tasks;
    size_t l = 0;
    for (; t >= Blocks(layers_[l].a.units, kRowBlock); ++l)
      t -= Blocks(layers_[l].a.units, kRowBlock);
    Layer& layer = layers_[l];
    const size_t units = layer.a.units;
    const size_t begin = t * kRowBlock, end = std::min(units, begin + kRowBlock);
    GatherLanes(layer.hidden.data(), batch.hidden_from.data(), moved_, rows_, stride_, begin, end,
                layer.old_hidden.data());
    SessionRows(layer.old_hidden.data(), rows_, stride_, begin, end, layer.old_rows.data(),
                RowStride(units));
  });
}

const float* Network::LayerInput(size_t l) const {
  return l == 0 ? embedded_.data() : layers_[l - 1].hidden.data();
}

const float* Network::LayerInputRows(size_t l) const {
  return l == 0 ? embedded_rows_.data() : layers_[l - 1].hidden_rows.data();
}

void Network::ForwardLayer(size_t l) {
  Layer& layer = layers_[l];
  const GruParameters& p = parameters_.layers[l];
  const size_t units = p.units();
  const bool reset_after = p.form == GruForm::kResetAfter;

  Rows input_rows = Rows::Of(p.input_weights);
  input_rows.bias = p.input_bias.data;
  Rows hidden_rows = Rows::Of(p.hidden_weights);
  if (reset_after) hidden_rows.bias = p.hidden_bias.data;
  const auto output = [&](size_t begin, size_t end) {
    if (layer.mask.size() > 0) {
      ApplyDropout(layer.mask.data(), begin * stride_, end * stride_, layer.hidden.data());
    }
    SessionRows(layer.hidden.data(), rows_, stride_, begin, end, layer.hidden_rows.data(),
                RowStride(units));
  };
  // All gates of a unit together: what is made of them finds them in the cache.
  team_.Run(UnitBlocks(units), [&](size_t t) {
    const size_t begin = UnitBlockBegin(units, t), end = UnitBlockBegin(units, t + 1);
    for (size_t gate = 0; gate < 3; ++gate) {
      const size_t first = gate * units + begin, last = gate * units + end;
      products_.RowsTimesMatrix(input_rows, first, last, p.inputs(), LayerInput(l), stride_,
                                stride_, layer.input_gates.data(), stride_);
      if (p.inputs() == 0) {  // one-hot: the gathered rows are the product
        float* gates = layer.input_gates.data();
        for (size_t i = first * stride_; i < last * stride_; ++i) gates[i] += embedded_.data()[i];
      }
    }
    for (size_t gate = 0; gate < (reset_after ? 3 : 2); ++gate) {
      products_.RowsTimesMatrix(hidden_rows, gate * units + begin, gate * units + end, units,
                                layer.old_hidden.data(), stride_, stride_,
                                layer.hidden_gates.data(), stride_);
    }
    if (reset_after) {
      GruResetAfterForward(layer.a, begin, end);
      output(begin, end);
    } else {
      GruResetBeforeForwardOpen(layer.a, begin, end);
      SessionRows(layer.reset_hidden.data(), rows_, stride_, begin, end, layer.reset_rows.data(),
                  RowStride(units));
    }
  });
  if (reset_after) return;
  team_.Run(UnitBlocks(units), [&](size_t t) {
    const size_t begin = UnitBlockBegin(units, t), end = UnitBlockBegin(units, t + 1);
    products_.RowsTimesMatrix(hidden_rows, 2 * units + begin, 2 * units + end, units,
                              layer.reset_hidden.data(), stride_, stride_,
                              layer.hidden_gates.data(), stride_);
    GruResetBeforeForwardClose(layer.a, begin, end);
    output(begin, end);
  });
}

// Correction of columns [begin, end). Official: q = count of the in-batch columns, count^alpha of
// the sampled ones (ALGORITHM section 6); mixture: the expected number of times that the item is
// in the mini-batch.
void Network::CorrectScores(size_t begin, size_t end) {
  if (options_.logq_form == LogqForm::kMixture) {
    const auto in_batch = static_cast<double>(rows_);
    const auto sampled = static_cast<double>(columns_.size() - rows_);
    for (size_t c = begin; c < end; ++c) {
      const size_t item = columns_[c];
      const double expected = in_batch * mixture_in_batch_[item] + sampled * mixture_sampled_[item];
      correction_[c] = static_cast<float>(options_.logq * Log(expected));
    }
    return;
  }
  const auto logq = static_cast<float>(options_.logq);
  const auto sampled = static_cast<float>(options_.logq * options_.sample_alpha);
  for (size_t c = begin; c < end; ++c) {
    correction_[c] = (c < rows_ ? logq : sampled) * log_counts_[columns_[c]];
  }
}

void Network::ForwardScores(const Beside& beside) {
  const Rows rows = ColumnRows();
  const size_t blocks = Blocks(columns_.size(), kColumnBlock);
  if (options_.logq > 0) correction_.resize(columns_.size());
  // Which items occur where is not needed before BackwardScores(): one more task beside the others.
  touched_.Reserve(occurrences_.size());
  if (!shared()) touched_inputs_.Reserve(inputs_.size());
  team_.Run(1 + blocks + beside.tasks, [&](size_t t) {
    if (t > blocks) return beside.run(t - blocks - 1);
    if (t == 0) {
      touched_.Assign(occurrences_.data(), occurrences_.size());
      if (!shared()) touched_inputs_.Assign(inputs_.data(), inputs_.size());
      return;
    }
    const size_t begin = (t - 1) * kColumnBlock;
    const size_t end = std::min(columns_.size(), begin + kColumnBlock);
    if (options_.logq > 0) CorrectScores(begin, end);
    products_.RowsTimesMatrix(rows, begin, end, parameters_.width(), layers_.back().hidden.data(),
                              stride_, stride_, scores_.data(), stride_);
  });
}

LossBatch Network::ScoreBatch() const {
  const NegativeSource source = options_.negative_source;
  return {.scores = scores_.data(),
          .correction = options_.logq > 0 ? correction_.data() : nullptr,
          .columns = columns_.size(),
          .rows = rows_,
          .batch = stride_,
          .weight = 1.0f / static_cast<float>(options_.batch_size),
          .items = reinterpret_cast<const int32_t*>(columns_.data()),
          .targets = target_items_.data(),
          .exclude_batch = source == NegativeSource::kSampled || source == NegativeSource::kAll,
          .exclude_hits = options_.remove_hits || source == NegativeSource::kAll,
          .thresholds = options_.hardest > 0 ? thresholds_.data() : nullptr};
}

double Network::ComputeLoss() {
  if (options_.hardest > 0) {
    const LossBatch all = ScoreBatch();
    team_.Run(stride_ / kRowAlignment, [&](size_t t) {
      HardestThresholds(all, options_.hardest, t * kRowAlignment, (t + 1) * kRowAlignment,
                        thresholds_.data());
    });
  }
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
