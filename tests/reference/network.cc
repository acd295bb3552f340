// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The training step of GRU4Rec in float64, one scalar at a time (arXiv 1511.06939 and
// 1706.03847).
#include "tests/reference/network.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>
#include <utility>

#include "tests/reference/cell.h"

namespace stint::reference {
namespace {

using Vector = std::vector<double>;

double Mask(const Array& mask, size_t row, size_t column) {
  return mask.values.empty() ? 1.0 : mask(row, column);
}

Vector Row(const Array& array, size_t row) {
  Vector values(array.cols);
  for (size_t c = 0; c < array.cols; ++c) values[c] = array(row, c);
  return values;
}

double Dot(const Vector& a, const Vector& b) {
  double sum = 0;
  for (size_t c = 0; c < a.size(); ++c) sum += a[c] * b[c];
  return sum;
}

// Adds `values` to a row; returns the sum of their squares.
double AddToRow(const Vector& values, size_t row, Array* array) {
  for (size_t c = 0; c < values.size(); ++c) (*array)(row, c) += values[c];
  return Dot(values, values);
}

// The item's row as it enters the network and is scored by: scale * row / |row| where items are
// normalized.
Vector ItemRow(const Settings& settings, const Weights& weights, size_t item) {
  Vector row = Row(weights.items, item);
  if (!settings.normalize_items) return row;
  const double factor = weights.item_scale(0, 0) / std::sqrt(Dot(row, row));
  for (double& x : row) x *= factor;
  return row;
}

// Gradient of ItemRow() -> that of the row itself and, added, of the scale.
Vector ItemRowBackward(const Settings& settings, const Weights& weights, size_t item,
                       const Vector& d_entered, Weights* gradient) {
  if (!settings.normalize_items) return d_entered;
  Vector unit = Row(weights.items, item);
  const double length = std::sqrt(Dot(unit, unit));
  for (double& x : unit) x /= length;
  const double along = Dot(unit, d_entered);
  if (settings.learn_item_scale) gradient->item_scale(0, 0) += along;
  Vector d_row(unit.size());
  for (size_t c = 0; c < unit.size(); ++c) {
    d_row[c] = weights.item_scale(0, 0) / length * (d_entered[c] - along * unit[c]);
  }
  return d_row;
}

bool IsOneHot(const Weights& weights) { return weights.shape.embedding == Embedding::kNone; }
bool IsShared(const Weights& weights) { return weights.shape.embedding == Embedding::kShared; }

// What enters the first layer; of one-hot input Wi x itself.
Vector EmbeddedInput(const Settings& settings, const Weights& weights, size_t item) {
  return IsShared(weights) ? ItemRow(settings, weights, item) : Row(weights.inputs, item);
}

// Wi x of a layer [3 units].
Vector InputProduct(const Weights& weights, size_t l, const Vector& x) {
  if (l == 0 && IsOneHot(weights)) return x;
  const Array& w = weights.layers[l].input_weights;
  Vector product(w.rows);
  for (size_t row = 0; row < w.rows; ++row) product[row] = Dot(Row(w, row), x);
  return product;
}

// Its gradient -> that of x; adds to that of Wi.
Vector InputProductBackward(const Weights& weights, size_t l, const Vector& x,
                            const Vector& d_product, Weights* gradient) {
  if (l == 0 && IsOneHot(weights)) return d_product;
  const Array& w = weights.layers[l].input_weights;
  Vector d_x(w.cols);
  for (size_t row = 0; row < w.rows; ++row) {
    for (size_t c = 0; c < w.cols; ++c) {
      d_x[c] += w(row, c) * d_product[row];
      gradient->layers[l].input_weights(row, c) += d_product[row] * x[c];
    }
  }
  return d_x;
}

// What logQ takes from the score of each column (ALGORITHM section 6): logq * log q. The true
// number of rows tells in-batch columns from sampled ones, in small mini-batches too.
Vector LogqCorrection(const Settings& settings, const StepInput& input) {
  const std::vector<uint32_t> columns = input.Columns();
  Vector correction(columns.size());
  if (settings.logq == 0) return correction;
  double in_batch = 0, sampled = 0;
  for (const double count : settings.counts) {
    in_batch += count;
    sampled += std::pow(count, settings.sample_alpha);
  }
  const double rows = static_cast<double>(input.rows());
  const double negatives = static_cast<double>(input.negatives.size());
  for (size_t j = 0; j < columns.size(); ++j) {
    const double count = settings.counts.at(columns[j]);
    const double power = std::pow(count, settings.sample_alpha);
    const double q = settings.logq_form == LogqForm::kMixture
                         ? rows * count / in_batch + negatives * power / sampled
                     : j < input.rows() ? count
                                        : power;
    correction[j] = settings.logq * std::log(q);
  }
  return correction;
}

}  // namespace

std::vector<uint32_t> StepInput::Columns() const {
  std::vector<uint32_t> columns = targets;
  columns.insert(columns.end(), negatives.begin(), negatives.end());
  return columns;
}

Array CountedColumns(const Settings& settings, const StepInput& input, const Array& corrected) {
  const NegativeSource source = settings.negative_source;
  const bool all = source == NegativeSource::kAll;
  const bool no_batch = all || source == NegativeSource::kSampled;
  const bool no_hits = all || settings.remove_hits;
  const std::vector<uint32_t> columns = input.Columns();
  Array counted(corrected.rows, corrected.cols);
  for (size_t i = 0; i < input.rows(); ++i) {
    Vector left;  // scores of the negatives that count
    for (size_t j = 0; j < columns.size(); ++j) {
      const bool out =
          j != i && ((no_batch && j < input.rows()) || (no_hits && columns[j] == input.targets[i]));
      counted(i, j) = out ? 0 : 1;
      if (!out && j != i) left.push_back(corrected(i, j));
    }
    if (settings.hardest == 0 || left.size() <= settings.hardest) continue;
    std::sort(left.begin(), left.end(), std::greater<>());
    const double threshold = left[settings.hardest - 1];
    for (size_t j = 0; j < columns.size(); ++j) {
      if (j != i && corrected(i, j) < threshold) counted(i, j) = 0;
    }
  }
  return counted;
}

StepOutput Evaluate(const Settings& settings, const Weights& weights,
                    const std::vector<Array>& hidden, const StepInput& input, Weights* gradient) {
  const size_t rows = input.rows(), n_layers = weights.layers.size();
  const std::vector<uint32_t> columns = input.Columns();

  // Forward: item row -> layers -> scores.
  StepOutput output;
  for (const LayerWeights& layer : weights.layers) output.hidden.emplace_back(rows, layer.units());
  output.scores = Array(rows, columns.size());
  std::vector<std::vector<Vector>> layer_inputs(rows);  // [rows][layers], after dropout
  std::vector<std::vector<Cell>> cells(rows);           // [rows][layers]
  for (size_t m = 0; m < rows; ++m) {
    Vector x = EmbeddedInput(settings, weights, input.inputs[m]);
    for (size_t c = 0; c < x.size(); ++c) x[c] *= Mask(input.embedding_mask, m, c);
    for (size_t l = 0; l < n_layers; ++l) {
      const LayerWeights& layer = weights.layers[l];
      Vector old_state(layer.units());
      if (input.hidden_from[m] >= 0) {
        old_state = Row(hidden.at(l), static_cast<size_t>(input.hidden_from[m]));
      }
      layer_inputs[m].push_back(x);
      cells[m].push_back(CellForward(layer, settings.hidden_activation, InputProduct(weights, l, x),
                                     std::move(old_state)));
      x = cells[m].back().state;
      for (size_t u = 0; u < x.size(); ++u) {
        if (!input.hidden_masks.empty()) x[u] *= Mask(input.hidden_masks[l], m, u);
        output.hidden[l](m, u) = x[u];
      }
    }
    for (size_t j = 0; j < columns.size(); ++j) {
      output.scores(m, j) =
          Dot(ItemRow(settings, weights, columns[j]), x) + weights.item_bias(0, columns[j]);
    }
  }

  // Loss.
  const Vector correction = LogqCorrection(settings, input);
  Array corrected = output.scores;
  for (size_t j = 0; j < columns.size(); ++j) {
    for (size_t m = 0; m < rows; ++m) corrected(m, j) -= correction[j];
  }
  Array d_scores;
  const double batch_size = static_cast<double>(settings.batch_size);
  output.loss =
      LossOfScores(settings, corrected, &d_scores, CountedColumns(settings, input, corrected)) /
      batch_size;
  if (gradient == nullptr) return output;
  for (double& d : d_scores.values) d /= batch_size;

  // Backward, in the reverse order.
  *gradient = ZerosLike(weights);
  double squares = 0;  // of the rows' gradients
  const Array& last = output.hidden.back();
  for (size_t j = 0; j < columns.size(); ++j) {
    Vector d_entered(weights.items.cols);
    double d_bias = 0;
    for (size_t m = 0; m < rows; ++m) {
      for (size_t c = 0; c < last.cols; ++c) d_entered[c] += d_scores(m, j) * last(m, c);
      d_bias += d_scores(m, j);
    }
    const Vector d_row = ItemRowBackward(settings, weights, columns[j], d_entered, gradient);
    squares += AddToRow(d_row, columns[j], &gradient->items);
    gradient->item_bias(0, columns[j]) += d_bias;
    squares += d_bias * d_bias;
  }
  for (size_t m = 0; m < rows; ++m) {
    Vector d_x(last.cols);
    for (size_t j = 0; j < columns.size(); ++j) {
      const Vector entered = ItemRow(settings, weights, columns[j]);
      for (size_t c = 0; c < d_x.size(); ++c) d_x[c] += d_scores(m, j) * entered[c];
    }
    for (size_t l = n_layers; l-- > 0;) {
      if (!input.hidden_masks.empty()) {
        for (size_t u = 0; u < d_x.size(); ++u) d_x[u] *= Mask(input.hidden_masks[l], m, u);
      }
      const Vector d_product = CellBackward(weights.layers[l], settings.hidden_activation,
                                            cells[m][l], d_x, &gradient->layers[l]);
      d_x = InputProductBackward(weights, l, layer_inputs[m][l], d_product, gradient);
    }
    for (size_t c = 0; c < d_x.size(); ++c) d_x[c] *= Mask(input.embedding_mask, m, c);
    const size_t item = input.inputs[m];
    squares += IsShared(weights) ? AddToRow(ItemRowBackward(settings, weights, item, d_x, gradient),
                                            item, &gradient->items)
                                 : AddToRow(d_x, item, &gradient->inputs);
  }
  for (const auto& [name, array] : gradient->Named()) {
    const bool is_table =
        array == &gradient->items || array == &gradient->item_bias || array == &gradient->inputs;
    if (!is_table) squares += Dot(array->values, array->values);
  }
  output.gradient_norm = std::sqrt(squares);
  return output;
}

ReferenceNetwork::ReferenceNetwork(Settings s, Weights initial)
    : settings(std::move(s)),
      weights(std::move(initial)),
      gradient(ZerosLike(weights)),
      accumulators(ZerosLike(weights)),
      second(ZerosLike(weights)),
      velocities(ZerosLike(weights)),
      steps(ZerosLike(weights)) {
  for (const LayerWeights& layer : weights.layers) hidden.emplace_back(0, layer.units());
}

StepOutput ReferenceNetwork::Step(const StepInput& input) {
  StepOutput output = Evaluate(settings, weights, hidden, input, &gradient);
  hidden = output.hidden;
  const double factor = ClipFactor(settings, output.gradient_norm);

  // Rows are updated where the step used them, once each; the slots of the others rest.
  const std::vector<uint32_t> columns = input.Columns();
  const std::set<size_t> scored(columns.begin(), columns.end());
  const std::set<size_t> entered(input.inputs.begin(), input.inputs.end());
  std::set<size_t> used = scored;
  if (IsShared(weights)) used.insert(entered.begin(), entered.end());
  const auto w = weights.Named(), g = gradient.Named(), first = accumulators.Named(),
             other = second.Named(), velocity = velocities.Named(), step = steps.Named();
  for (size_t a = 0; a < w.size(); ++a) {
    const Array* array = w[a].second;
    if (array == &weights.item_scale && !settings.learn_item_scale) continue;
    for (size_t i = 0; i < array->values.size(); ++i) {
      const size_t row = i / array->cols;
      if (array == &weights.items && used.count(row) == 0) continue;
      if (array == &weights.inputs && entered.count(row) == 0) continue;
      if (array == &weights.item_bias && scored.count(i) == 0) continue;
      const Slots slots = {&first[a].second->values[i], &other[a].second->values[i],
                           &velocity[a].second->values[i], &step[a].second->values[i]};
      UpdateWeight(settings, factor * g[a].second->values[i], slots, &w[a].second->values[i]);
    }
  }
  return output;
}

std::vector<Array> Observe(const Weights& weights, uint32_t item, const std::vector<Array>& hidden,
                           const Settings& settings) {
  Vector x = EmbeddedInput(settings, weights, item);
  std::vector<Array> next;
  for (size_t l = 0; l < weights.layers.size(); ++l) {
    x = CellForward(weights.layers[l], settings.hidden_activation, InputProduct(weights, l, x),
                    hidden[l].values)
            .state;
    next.emplace_back(1, x.size());
    next.back().values = x;
  }
  return next;
}

Array ScoreAll(const Weights& weights, const Array& last_hidden, const Settings& settings) {
  Array scores(1, weights.items.rows);
  for (size_t i = 0; i < scores.cols; ++i) {
    scores(0, i) = Dot(ItemRow(settings, weights, i), last_hidden.values) + weights.item_bias(0, i);
  }
  return scores;
}

}  // namespace stint::reference
