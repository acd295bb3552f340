// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Gradients of a mini-batch -> updated parameters: the last part of a training step.
#include <hwy/cache_control.h>

#include <algorithm>
#include <cmath>

#include "trainer/network.h"
#include "trainer/row_math.h"

namespace stint {

OptimizerSlots Network::SlotsOf(const Matrix& m, size_t offset) {
  // The slots lie in blocks laid out alike.
  float* at = m.data + offset;
  const ptrdiff_t place = at - parameters_.block();
  const auto slot = [&](const Parameters& p) {
    return p.block() == nullptr ? nullptr : p.block() + place;
  };
  return {.parameter = at,
          .first = slot(first_),
          .second = slot(second_),
          .velocity = slot(velocities_),
          .steps = steps_.empty() ? nullptr : steps_.data() + place};
}

void Network::Update() {
  if (options_.normalize_items) BackwardNormalize();
  if (options_.clip_norm > 0) ClipGradients();
  if (!updates_at_once()) {
    for (size_t l = 0; l < layers_.size(); ++l) {
      const size_t rows = 3 * layers_[l].a.units;
      team_.Run(Blocks(rows, kRowBlock), [&](size_t t) {
        const size_t begin = t * kRowBlock;
        const size_t end = std::min(rows, begin + kRowBlock);
        const GruParameters& p = parameters_.layers[l];
        UpdateGates(p.input_weights, p.input_bias, begin, end,
                    layers_[l].d_input_weights.data() + begin * RowStride(p.inputs()));
        UpdateGates(p.hidden_weights, p.hidden_bias, begin, end,
                    layers_[l].d_hidden_weights.data() + begin * RowStride(p.units()));
      });
    }
  }
  UpdateItems();
  if (!shared()) UpdateInputs();
  if (options_.normalize_items && options_.learn_item_scale) {
    float* slots = item_scale_slots_.data();
    UpdateOne(optimizer_,
              {.parameter = item_scale_.data(),
               .first = slots,
               .second = slots + 1,
               .velocity = slots + 2,
               .steps = &item_scale_steps_},
              static_cast<float>(d_item_scale_));
  }
}

// Gradients by scale * row / |row| -> gradients by row, and the update of the scale:
// e = s w / |w|, u = w / |w|: dw = s / |w| (de - u <u, de>), ds = <u, de>.
void Network::BackwardNormalize() {
  const Matrix& items = parameters_.items;
  const size_t n = occurrences_.size();
  std::vector<double> d_scales(Blocks(n, kColumnBlock));
  team_.Run(d_scales.size(), [&](size_t t) {
    for (size_t o = t * kColumnBlock; o < std::min(n, (t + 1) * kColumnBlock); ++o) {
      float* d_row = GradientRow(o);
      const float* unit = unit_rows_.data() + o * items.stride;
      const double along = RowProduct(unit, d_row, items.cols);
      d_scales[t] += along;
      const float factor = item_scale_[0] / row_norms_[o];
      const auto part = static_cast<float>(along);
      for (size_t c = 0; c < items.cols; ++c) d_row[c] = factor * (d_row[c] - unit[c] * part);
    }
  });
  d_item_scale_ = 0;
  for (const double d : d_scales) d_item_scale_ += d;
}

// All gradients are scaled down together if their norm, that of every occurrence of a row by
// itself, is above the limit (Pascanu et al., ICML 2013; ALGORITHM section 8).
void Network::ClipGradients() {
  const size_t width = parameters_.width();
  const size_t column_blocks = Blocks(columns_.size(), kColumnBlock);
  std::vector<double> squares(column_blocks + 1 + layers_.size());
  const auto squared_norm = [](const float* row, size_t n) { return RowProduct(row, row, n); };
  team_.Run(squares.size(), [&](size_t t) {
    double& sum = squares[t];
    if (t < column_blocks) {  // rows and the biases behind them
      for (size_t c = t * kColumnBlock; c < std::min(columns_.size(), (t + 1) * kColumnBlock);
           ++c) {
        sum += squared_norm(d_rows_.data() + c * RowStride(width), width + 1);
      }
    } else if (t == column_blocks) {
      for (size_t i = 0; i < rows_; ++i) {
        sum += squared_norm(d_input_rows_.data() + i * RowStride(input_width()), input_width());
      }
    } else {
      const Layer& layer = layers_[t - column_blocks - 1];
      const GruParameters& p = parameters_.layers[t - column_blocks - 1];
      for (size_t row = 0; row < 3 * p.units(); ++row) {
        sum += squared_norm(layer.d_input_weights.data() + row * RowStride(p.inputs()),
                            p.inputs() + 1);
        sum += squared_norm(layer.d_hidden_weights.data() + row * RowStride(p.units()),
                            p.units() + (p.hidden_bias.rows > 0 ? 1 : 0));
      }
    }
  });
  double sum = options_.learn_item_scale ? d_item_scale_ * d_item_scale_ : 0.0;
  for (const double square : squares) sum += square;
  optimizer_.gradient_scale = ClipScale(sum, options_.clip_norm);
}

// Rows [begin, end) of a layer's weights and their biases, by gradients that begin with row
// `begin`.
void Network::UpdateGates(const Matrix& weights, const Matrix& bias, size_t begin, size_t end,
                          const float* gradient) {
  OnceUpdates biases;
  for (size_t row = begin; row < end; ++row, gradient += RowStride(weights.cols)) {
    if (weights.cols > 0) {  // one-hot input has none, and its slots would be those behind it
      UpdateRow(optimizer_, SlotsOf(weights, row * weights.stride), &gradient, 1, weights.cols);
    }
    if (bias.rows > 0) UpdateElement(SlotsOf(bias, row), gradient[weights.cols], &biases);
  }
  FlushBiases(&biases);
}

// The slots of columns [begin, end).
size_t Network::ItemSlots(size_t begin, size_t end, const float** rows) const {
  size_t n = 0;
  for (const Parameters* slots : {&first_, &second_, &velocities_}) {
    if (slots->block() == nullptr) continue;
    const ptrdiff_t away = slots->block() - parameters_.block();
    for (size_t c = begin; c < end; ++c) rows[n++] = parameters_.items.Row(columns_[c]) + away;
  }
  return n;
}

// The rows of columns [begin, end), as far as there are any.
size_t Network::ItemRows(size_t begin, size_t end, const float** rows) const {
  size_t n = 0;
  for (size_t c = begin; c < std::min(columns_.size(), end); ++c) {
    rows[n++] = parameters_.items.Row(columns_[c]);
  }
  return n;
}

// Rows [begin, end) of a matrix and of its slots.
size_t Network::UpdatedRows(const Matrix& m, size_t begin, size_t end, const float** rows) const {
  size_t n = 0;
  for (const Parameters* slots : {&parameters_, &first_, &second_, &velocities_}) {
    if (slots->block() == nullptr) continue;
    const ptrdiff_t away = slots->block() - parameters_.block();
    for (size_t r = begin; r < end; ++r) rows[n++] = m.Row(r) + away;
  }
  return n;
}

// From the second-level cache into the first.
void Network::PrefetchItem(size_t item) const {
  const float* row = parameters_.items.Row(item);
  const float* bias = parameters_.item_bias.data + item;
  for (const Parameters* slots : {&parameters_, &first_, &second_, &velocities_}) {
    if (slots->block() == nullptr) continue;
    const ptrdiff_t away = slots->block() - parameters_.block();
    for (size_t c = 0; c < parameters_.width(); c += kRowAlignment) hwy::Prefetch(row + away + c);
    hwy::Prefetch(bias + away);
  }
}

void Network::UpdateBias(size_t item, float gradient, OnceUpdates* updates) {
  UpdateElement(SlotsOf(parameters_.item_bias, item), gradient, updates);
}

// One element has the same chain of operations as 16 side by side, and its latency: so they are
// collected. Adam, with a step count each, is not worth it.
void Network::UpdateElement(const OptimizerSlots& slots, float gradient, OnceUpdates* updates) {
  if (optimizer_.HasSteps()) return UpdateOne(optimizer_, slots, gradient);
  const size_t i = updates->size++;
  updates->slots[i] = slots;
  updates->gradient[i] = gradient;
  updates->parameter[i] = *slots.parameter;
  if (slots.first != nullptr) updates->first[i] = *slots.first;
  if (slots.second != nullptr) updates->second[i] = *slots.second;
  if (slots.velocity != nullptr) updates->velocity[i] = *slots.velocity;
  if (updates->size == OnceUpdates::kCapacity) FlushBiases(updates);
}

void Network::FlushBiases(OnceUpdates* updates) {
  if (updates->size == 0) return;
  const float* gradient = updates->gradient;
  UpdateRow(optimizer_,
            {.parameter = updates->parameter,
             .first = updates->first,
             .second = updates->second,
             .velocity = updates->velocity},
            &gradient, 1, updates->size);
  for (size_t i = 0; i < updates->size; ++i) {
    const OptimizerSlots& slots = updates->slots[i];
    *slots.parameter = updates->parameter[i];
    if (slots.first != nullptr) *slots.first = updates->first[i];
    if (slots.second != nullptr) *slots.second = updates->second[i];
    if (slots.velocity != nullptr) *slots.velocity = updates->velocity[i];
  }
  updates->size = 0;
}

void Network::UpdateItem(size_t item, const float* const* gradients, size_t occurrences) {
  UpdateRow(optimizer_, SlotsOf(parameters_.items, item * parameters_.items.stride), gradients,
            occurrences, parameters_.width());
}

// Makes room in gradients_ for those of the item that occurs most, a thread; a line of the cache
// lies between two threads. (For as many as there are columns it would be much more than they need
// where all items are columns.)
size_t Network::GradientsStride(const TouchedRows& touched) {
  constexpr size_t kLine = 64 / sizeof(const float*);
  const size_t stride = RoundUp(touched.most(), kLine) + kLine;
  const size_t needed = static_cast<size_t>(team_.threads()) * stride;
  if (gradients_.size() < needed) gradients_.resize(needed);
  return stride;
}

// Each distinct item that BackwardScores() has left, once, with the sum over its occurrences as
// target, negative and input; its bias only where it was scored.
void Network::UpdateItems() {
  const size_t width = parameters_.width();
  const bool at_once = updates_at_once();
  const size_t stride = GradientsStride(touched_);
  team_.Run(Blocks(touched_.size(), kColumnBlock), [&](size_t t) {
    size_t left[kColumnBlock], n = 0;
    for (size_t slot = t * kColumnBlock; slot < std::min(touched_.size(), (t + 1) * kColumnBlock);
         ++slot) {
      const bool once = touched_.end(slot) - touched_.begin(slot) == 1;
      if (!at_once || !once || *touched_.begin(slot) >= columns_.size()) left[n++] = slot;
    }
    const float** gradients = gradients_.data() + team_.thread() * stride;
    OnceUpdates biases;
    for (size_t i = 0; i < n; ++i) {
      if (i + kItemsAhead < n) PrefetchItem(touched_.item(left[i + kItemsAhead]));
      size_t occurrences = 0;
      float d_bias = 0.0f;
      bool scored = false;
      for (const uint32_t* at = touched_.begin(left[i]); at != touched_.end(left[i]); ++at) {
        const float* gradient = GradientRow(*at);
        gradients[occurrences++] = gradient;
        if (*at >= columns_.size()) continue;
        d_bias += gradient[width];
        scored = true;
      }
      const size_t item = touched_.item(left[i]);
      UpdateItem(item, gradients, occurrences);
      if (scored) UpdateBias(item, d_bias, &biases);
    }
    FlushBiases(&biases);
  });
}

// Each distinct item that entered, once, where input rows are not the scored rows.
void Network::UpdateInputs() {
  const Matrix& inputs = parameters_.inputs;
  const size_t stride = GradientsStride(touched_inputs_);
  team_.Run(Blocks(touched_inputs_.size(), kRowBlock), [&](size_t t) {
    const float** gradients = gradients_.data() + team_.thread() * stride;
    for (size_t slot = t * kRowBlock; slot < std::min(touched_inputs_.size(), (t + 1) * kRowBlock);
         ++slot) {
      size_t occurrences = 0;
      for (const uint32_t* at = touched_inputs_.begin(slot); at != touched_inputs_.end(slot);
           ++at) {
        gradients[occurrences++] = d_input_rows_.data() + *at * RowStride(inputs.cols);
      }
      UpdateRow(optimizer_, SlotsOf(inputs, touched_inputs_.item(slot) * inputs.stride), gradients,
                occurrences, inputs.cols);
    }
  });
}

// Gradient of an occurrence's row: of a column, or of an input that shares its row.
float* Network::GradientRow(size_t occurrence) const {
  const size_t stride = RowStride(parameters_.width());
  return occurrence < columns_.size()
             ? d_rows_.data() + occurrence * stride
             : d_input_rows_.data() + (occurrence - columns_.size()) * stride;
}

}  // namespace stint
