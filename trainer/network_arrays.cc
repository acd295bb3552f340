// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Options and parameters -> the arrays of a network; and what of them later steps or a model depend
// on.
#include <omp.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "trainer/exact_math.h"
#include "trainer/network.h"
#include "trainer/row_math.h"

namespace stint {

namespace {

// The item's share of all counts to the power of alpha.
std::vector<double> Shares(std::span<const uint32_t> counts, double alpha) {
  std::vector<double> shares;
  shares.reserve(counts.size());
  double sum = 0;
  for (const uint32_t count : counts) {
    shares.push_back(Pow(static_cast<double>(count), alpha));
    sum += shares.back();
  }
  for (double& share : shares) share /= sum;
  return shares;
}

}  // namespace

Network::Network(const Options& options, std::span<const uint32_t> counts, Parameters parameters)
    : options_(options),
      products_(options.matmul),
      team_(options.threads != 0 ? static_cast<int>(options.threads) : omp_get_max_threads()),
      loss_config_(LossConfig::Of(options)),
      optimizer_(OptimizerConfig::Of(options)),
      parameters_(std::move(parameters)),
      stride_(RoundUp(options.batch_size, kRowAlignment)),
      touched_(parameters_.items.rows),
      touched_inputs_(parameters_.inputs.rows) {
  if (optimizer_.HasFirst()) first_ = Parameters(parameters_.shape);
  if (optimizer_.HasSecond()) second_ = Parameters(parameters_.shape);
  if (optimizer_.HasVelocity()) velocities_ = Parameters(parameters_.shape);
  if (optimizer_.HasSteps()) steps_.resize(parameters_.block_floats());
  if (options.logq > 0 && options.logq_form == LogqForm::kMixture) {
    mixture_in_batch_ = Shares(counts, 1);
    mixture_sampled_ = Shares(counts, options.sample_alpha);
  } else if (options.logq > 0) {
    log_counts_.reserve(counts.size());
    for (uint32_t count : counts) {
      log_counts_.push_back(static_cast<float>(Log(static_cast<double>(count))));
    }
  }
  const size_t width = parameters_.width();
  const size_t samples = options.negative_source == NegativeSource::kAll ? counts.size()
                         : options.UsesSamples()                         ? options.negatives
                                                                         : 0;
  const size_t max_columns = options.batch_size + samples;
  const size_t inputs = parameters_.layers[0].inputs();
  target_items_.resize(stride_);
  embedded_ = AlignedFloats(input_width() * stride_);
  embedded_rows_ = AlignedFloats(stride_ * RowStride(inputs));
  SetOnes(inputs, &embedded_rows_);
  d_embedded_ = AlignedFloats(input_width() * stride_);
  if (options.dropout_embedding > 0) embedding_mask_ = AlignedFloats(input_width() * stride_);
  if (options.hardest > 0) thresholds_ = AlignedFloats(stride_);
  if (options.normalize_items) {
    item_scale_[0] = static_cast<float>(options.item_scale);
    item_scale_slots_.resize(3);
    unit_rows_ = AlignedFloats((max_columns + options.batch_size) * parameters_.items.stride);
    scaled_rows_ = AlignedFloats(unit_rows_.size());
    row_norms_.resize(max_columns + options.batch_size);
  }
  if (options.ema_decay > 0) mean_.emplace(parameters_, item_scale_[0], options.ema_decay);
  scores_ = AlignedFloats(max_columns * stride_);
  partials_ = AlignedFloats(Blocks(max_columns, kColumnBlock) * kLossStatistics * stride_);
  statistics_ = AlignedFloats(kLossStatistics * stride_);
  size_t widest = width;
  for (const GruParameters& layer : parameters_.layers) widest = std::max(widest, layer.inputs());
  d_parts_ = AlignedFloats((kMaxGroups - 1) * widest * stride_);
  const auto threads = static_cast<size_t>(team_.threads());
  d_block_rows_ = AlignedFloats(threads * kColumnBlock * RowStride(width));
  d_rows_ = AlignedFloats(max_columns * RowStride(width));
  d_input_rows_ = AlignedFloats(options.batch_size * RowStride(input_width()));
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
      SetOnes(units, array);
    }
    if (reset_before) {
      layer.reset_hidden = AlignedFloats(cells);
      layer.d_reset_hidden = AlignedFloats(cells);
      layer.reset_rows = AlignedFloats(stride_ * RowStride(units));
      SetOnes(units, &layer.reset_rows);
    } else {
      layer.d_hidden_gates = AlignedFloats(3 * cells);
    }
    if (options.dropout_hidden > 0) layer.mask = AlignedFloats(cells);
    const size_t gradient_rows = updates_at_once() ? threads * kMaxUnitBlock : 3 * units;
    layer.d_input_weights = AlignedFloats(gradient_rows * RowStride(inputs));
    layer.d_hidden_weights = AlignedFloats(gradient_rows * RowStride(units));
    layer.a = {.units = units,
               .batch = stride_,
               .input_gates = layer.input_gates.data(),
               .hidden_gates = layer.hidden_gates.data(),
               .old_hidden = layer.old_hidden.data(),
               .reset = layer.reset.data(),
               .update = layer.update.data(),
               .candidate = layer.candidate.data(),
               .reset_hidden = layer.reset_hidden.data(),
               .hidden = layer.hidden.data(),
               .activation = options.hidden_activation.Params()};
  }
}

// The 1 behind the features of every session: a product with the rows then yields the gradient of
// the bias too.
void Network::SetOnes(size_t features, AlignedFloats* rows) const {
  for (size_t i = 0; i < stride_; ++i) rows->data()[i * RowStride(features) + features] = 1.0f;
}

std::vector<StateArray> Network::State() {
  std::vector<StateArray> state;
  const auto add = [&](const std::string& name, auto* data, size_t n) {
    if (n > 0) state.push_back({name, data, n * sizeof(*data)});
  };
  const auto add_block = [&](const char* name, const Parameters& p) {
    add(name, p.block(), p.block_floats());
  };
  add_block("parameters", parameters_);
  add_block("first", first_);
  add_block("second", second_);
  add_block("velocity", velocities_);
  add("steps", steps_.data(), steps_.size());
  for (size_t l = 0; l < layers_.size(); ++l) {
    add("hidden." + std::to_string(l), layers_[l].hidden.data(), layers_[l].hidden.size());
  }
  add("done", &done_, 1);
  if (mean_) add_block("mean", mean_->mean());
  if (options_.normalize_items) {
    add("item_scale", item_scale_.data(), item_scale_.size());
    add("item_scale_slots", item_scale_slots_.data(), item_scale_slots_.size());
    add("item_scale_steps", &item_scale_steps_, 1);
    if (mean_) add("item_scale_mean", &mean_->scale(), 1);
  }
  return state;
}

void Network::ResetHidden() {
  for (Layer& layer : layers_) {
    std::memset(layer.hidden.data(), 0, layer.hidden.size() * sizeof(float));
  }
}

Parameters Network::Exported() const {
  const uint64_t steps = done_ % WeightMean::kInterval;  // that the mean has not seen
  Parameters exported = mean_ ? mean_->After(parameters_, steps) : parameters_;
  if (!options_.normalize_items) return exported;
  const float scale = mean_ ? mean_->ScaleAfter(item_scale_[0], steps) : item_scale_[0];
  const Matrix& items = exported.items;
  for (size_t item = 0; item < items.rows; ++item) {
    float* row = items.Row(item);
    const float factor = scale / RowNorm(row, items.cols);
    for (size_t c = 0; c < items.cols; ++c) row[c] *= factor;
  }
  return exported;
}

}  // namespace stint
