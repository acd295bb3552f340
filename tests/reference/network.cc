// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The training step of GRU4Rec in float64, one scalar at a time (arXiv 1511.06939 and
// 1706.03847).
#include "tests/reference/network.h"

#include <cmath>
#include <set>
#include <stdexcept>

namespace stint::reference {
namespace {

// Inside the logarithm of both losses, as in the published code.
constexpr double kLogGuard = 1e-24;

double Sigmoid(double x) {
  // The exponent is never positive, so neither branch overflows.
  if (x >= 0) return 1 / (1 + std::exp(-x));
  const double e = std::exp(x);
  return e / (1 + e);
}

// What a layer computed for one row and its backward pass needs again.
struct Cell {
  std::vector<double> input;                     // [inputs], after dropout
  std::vector<double> old_state;                 // [units]
  std::vector<double> reset, update, candidate;  // [units]
  std::vector<double> gated;  // [units] reset_after: (Wh h + bh)_n; reset_before: r * h
  std::vector<double> state;  // [units] before dropout
};

double Dot(const Array& weights, size_t row, const std::vector<double>& x) {
  double sum = 0;
  for (size_t c = 0; c < x.size(); ++c) sum += weights(row, c) * x[c];
  return sum;
}

Cell CellForward(GruForm form, const LayerWeights& layer, std::vector<double> input,
                 std::vector<double> old_state) {
  const size_t units = layer.units();
  Cell cell;
  cell.input = std::move(input);
  cell.old_state = std::move(old_state);
  for (auto* v : {&cell.reset, &cell.update, &cell.candidate, &cell.gated, &cell.state}) {
    v->resize(units);
  }
  const bool after = form == GruForm::kResetAfter;
  const auto from_input = [&](size_t row) {
    return Dot(layer.input_weights, row, cell.input) + layer.input_bias(0, row);
  };
  const auto from_state = [&](size_t row, const std::vector<double>& state) {
    return Dot(layer.hidden_weights, row, state) + (after ? layer.hidden_bias(0, row) : 0.0);
  };
  for (size_t u = 0; u < units; ++u) {
    cell.reset[u] = Sigmoid(from_input(u) + from_state(u, cell.old_state));
    cell.update[u] = Sigmoid(from_input(units + u) + from_state(units + u, cell.old_state));
    cell.gated[u] =
        after ? from_state(2 * units + u, cell.old_state) : cell.reset[u] * cell.old_state[u];
  }
  for (size_t u = 0; u < units; ++u) {
    const double recurrent =
        after ? cell.reset[u] * cell.gated[u] : from_state(2 * units + u, cell.gated);
    const double n = std::tanh(from_input(2 * units + u) + recurrent);
    const double z = cell.update[u];
    cell.candidate[u] = n;
    // The two published forms disagree on what the update gate weighs.
    cell.state[u] =
        after ? (1 - z) * n + z * cell.old_state[u] : (1 - z) * cell.old_state[u] + z * n;
  }
  return cell;
}

// d loss / d state -> d loss / d input; adds to the layer's gradient. The old state is a
// constant: there is no back-propagation through time.
std::vector<double> CellBackward(GruForm form, const LayerWeights& layer, const Cell& cell,
                                 const std::vector<double>& d_state, LayerWeights* gradient) {
  const size_t units = layer.units();
  const bool after = form == GruForm::kResetAfter;
  // Gradients by what goes into the gate functions, rows reset, update, candidate: of the
  // product with the input and of the product with the state.
  std::vector<double> d_input_product(3 * units), d_state_product(3 * units);
  for (size_t u = 0; u < units; ++u) {
    const double r = cell.reset[u], z = cell.update[u], n = cell.candidate[u],
                 h = cell.old_state[u];
    const double d_z = d_state[u] * (after ? h - n : n - h);
    const double d_n = d_state[u] * (after ? 1 - z : z);
    d_input_product[units + u] = d_z * z * (1 - z);
    d_input_product[2 * units + u] = d_n * (1 - n * n);
    if (after) d_input_product[u] = d_input_product[2 * units + u] * cell.gated[u] * r * (1 - r);
  }
  if (!after) {  // through Wh_n (r * h)
    for (size_t u = 0; u < units; ++u) {
      double d_gated = 0;
      for (size_t v = 0; v < units; ++v) {
        d_gated += layer.hidden_weights(2 * units + v, u) * d_input_product[2 * units + v];
      }
      const double r = cell.reset[u];
      d_input_product[u] = d_gated * cell.old_state[u] * r * (1 - r);
    }
  }
  for (size_t row = 0; row < 3 * units; ++row) {
    const bool gated_row = row >= 2 * units;
    d_state_product[row] = after && gated_row ? d_input_product[row] * cell.reset[row - 2 * units]
                                              : d_input_product[row];
    const std::vector<double>& state = !after && gated_row ? cell.gated : cell.old_state;
    for (size_t c = 0; c < units; ++c) {
      gradient->hidden_weights(row, c) += d_state_product[row] * state[c];
    }
    for (size_t c = 0; c < layer.inputs(); ++c) {
      gradient->input_weights(row, c) += d_input_product[row] * cell.input[c];
    }
    gradient->input_bias(0, row) += d_input_product[row];
    if (after) gradient->hidden_bias(0, row) += d_state_product[row];
  }
  std::vector<double> d_input(layer.inputs());
  for (size_t c = 0; c < d_input.size(); ++c) {
    for (size_t row = 0; row < 3 * units; ++row) {
      d_input[c] += layer.input_weights(row, c) * d_input_product[row];
    }
  }
  return d_input;
}

double Mask(const Array& mask, size_t row, size_t column) {
  return mask.values.empty() ? 1.0 : mask(row, column);
}

// Row `i` of cross-entropy over soft-max: -log(p_i + guard).
double CrossEntropyRow(const std::vector<double>& s, size_t i, std::vector<double>* d_s) {
  double top = s[0];
  for (const double x : s) top = std::max(top, x);
  double sum = 0;
  for (const double x : s) sum += std::exp(x - top);
  const double p_target = std::exp(s[i] - top) / sum;
  for (size_t j = 0; j < s.size(); ++j) {
    const double p = std::exp(s[j] - top) / sum;
    (*d_s)[j] = (p - (j == i ? 1 : 0)) * p_target / (p_target + kLogGuard);
  }
  return -std::log(p_target + kLogGuard);
}

// Row `i` of BPR-max on activated scores y: -log(sum_j w_j sigmoid(y_i - y_j) + guard) +
// bpreg * sum_j w_j y_j^2 with w the soft-max over j != i. `d_y` is by the activated scores.
double BprMaxRow(double bpreg, const std::vector<double>& y, size_t i, std::vector<double>* d_y) {
  const size_t n = y.size();
  if (n < 2) throw std::invalid_argument("bpr-max without a negative");
  double top = -INFINITY;
  for (size_t j = 0; j < n; ++j) {
    if (j != i) top = std::max(top, y[j]);
  }
  std::vector<double> w(n), q(n);
  double sum = 0;
  for (size_t j = 0; j < n; ++j) {
    w[j] = j == i ? 0 : std::exp(y[j] - top);
    sum += w[j];
  }
  double agreement = 0, penalty = 0;
  for (size_t j = 0; j < n; ++j) {
    w[j] /= sum;
    q[j] = Sigmoid(y[i] - y[j]);
    agreement += w[j] * q[j];
    penalty += w[j] * y[j] * y[j];
  }
  double d_target = 0;
  for (size_t j = 0; j < n; ++j) {
    if (j == i) continue;
    const double slope = w[j] * q[j] * (1 - q[j]);
    (*d_y)[j] = -(w[j] * (q[j] - agreement) - slope) / (agreement + kLogGuard) +
                bpreg * (w[j] * (y[j] * y[j] - penalty) + 2 * w[j] * y[j]);
    d_target -= slope / (agreement + kLogGuard);
  }
  (*d_y)[i] = d_target;
  return -std::log(agreement + kLogGuard) + bpreg * penalty;
}

}  // namespace

Weights::Weights(size_t n_items, const std::vector<size_t>& units, GruForm gru_form)
    : form(gru_form), items(n_items, units.back()), item_bias(1, n_items) {
  size_t inputs = units.back();
  for (const size_t h : units) {
    LayerWeights layer;
    layer.input_weights = Array(3 * h, inputs);
    layer.hidden_weights = Array(3 * h, h);
    layer.input_bias = Array(1, 3 * h);
    if (form == GruForm::kResetAfter) layer.hidden_bias = Array(1, 3 * h);
    layers.push_back(std::move(layer));
    inputs = h;
  }
}

std::vector<std::pair<std::string, Array*>> Weights::Named() {
  std::vector<std::pair<std::string, Array*>> named;
  for (size_t l = 0; l < layers.size(); ++l) {
    const std::string prefix = "layers." + std::to_string(l) + ".";
    named.emplace_back(prefix + "input_weights", &layers[l].input_weights);
    named.emplace_back(prefix + "hidden_weights", &layers[l].hidden_weights);
    named.emplace_back(prefix + "input_bias", &layers[l].input_bias);
    if (form == GruForm::kResetAfter) {
      named.emplace_back(prefix + "hidden_bias", &layers[l].hidden_bias);
    }
  }
  named.emplace_back("items", &items);
  named.emplace_back("item_bias", &item_bias);
  return named;
}

std::vector<std::pair<std::string, const Array*>> Weights::Named() const {
  std::vector<std::pair<std::string, const Array*>> named;
  for (const auto& [name, array] : const_cast<Weights*>(this)->Named()) {
    named.emplace_back(name, array);
  }
  return named;
}

std::vector<size_t> UnitsOf(const Weights& weights) {
  std::vector<size_t> units;
  for (const LayerWeights& layer : weights.layers) units.push_back(layer.units());
  return units;
}

std::vector<uint32_t> StepInput::Columns() const {
  std::vector<uint32_t> columns = targets;
  columns.insert(columns.end(), negatives.begin(), negatives.end());
  return columns;
}

double LossOfScores(const Settings& settings, const Array& scores, Array* gradient) {
  if (gradient != nullptr) *gradient = Array(scores.rows, scores.cols);
  double loss = 0;
  for (size_t i = 0; i < scores.rows; ++i) {
    std::vector<double> y(scores.cols), slope(scores.cols, 1.0), d_y(scores.cols);
    for (size_t j = 0; j < y.size(); ++j) {
      y[j] = scores(i, j);
      if (settings.final_activation.kind == ActivationKind::kElu && y[j] < 0) {
        slope[j] = settings.final_activation.alpha * std::exp(y[j]);
        y[j] = settings.final_activation.alpha * std::expm1(y[j]);
      }
    }
    loss += settings.loss == Loss::kCrossEntropy ? CrossEntropyRow(y, i, &d_y)
                                                 : BprMaxRow(settings.bpreg, y, i, &d_y);
    if (gradient == nullptr) continue;
    for (size_t j = 0; j < y.size(); ++j) (*gradient)(i, j) = d_y[j] * slope[j];
  }
  return loss;
}

StepOutput Evaluate(const Settings& settings, const Weights& weights,
                    const std::vector<Array>& hidden, const StepInput& input, Weights* gradient) {
  const size_t rows = input.rows(), n_layers = weights.layers.size(), width = weights.items.cols;
  const std::vector<uint32_t> columns = input.Columns();

  // Forward: item row -> layers -> scores.
  StepOutput output;
  for (const LayerWeights& layer : weights.layers) output.hidden.emplace_back(rows, layer.units());
  output.scores = Array(rows, columns.size());
  std::vector<std::vector<Cell>> cells(rows);
  for (size_t m = 0; m < rows; ++m) {
    std::vector<double> x(width);
    for (size_t c = 0; c < width; ++c) {
      x[c] = weights.items(input.inputs[m], c) * Mask(input.embedding_mask, m, c);
    }
    for (size_t l = 0; l < n_layers; ++l) {
      const LayerWeights& layer = weights.layers[l];
      std::vector<double> old_state(layer.units());
      if (input.hidden_from[m] >= 0) {
        for (size_t u = 0; u < old_state.size(); ++u) {
          old_state[u] = hidden.at(l)(static_cast<size_t>(input.hidden_from[m]), u);
        }
      }
      cells[m].push_back(CellForward(weights.form, layer, x, old_state));
      x = cells[m].back().state;
      for (size_t u = 0; u < x.size(); ++u) {
        if (!input.hidden_masks.empty()) x[u] *= Mask(input.hidden_masks[l], m, u);
        output.hidden[l](m, u) = x[u];
      }
    }
    for (size_t j = 0; j < columns.size(); ++j) {
      output.scores(m, j) = Dot(weights.items, columns[j], x) + weights.item_bias(0, columns[j]);
    }
  }

  // Loss. The true number of rows tells in-batch columns from sampled ones, in small batches too.
  Array corrected = output.scores;
  for (size_t j = 0; settings.logq != 0 && j < columns.size(); ++j) {
    const double count = settings.counts.at(columns[j]);
    const double q = j < rows ? count : std::pow(count, settings.sample_alpha);
    for (size_t m = 0; m < rows; ++m) corrected(m, j) -= settings.logq * std::log(q);
  }
  Array d_scores;
  const double batch_size = static_cast<double>(settings.batch_size);
  output.loss = LossOfScores(settings, corrected, &d_scores) / batch_size;
  if (gradient == nullptr) return output;

  // Backward, in the reverse order.
  for (const auto& [name, array] : gradient->Named()) {
    array->values.assign(array->values.size(), 0.0);
  }
  for (size_t m = 0; m < rows; ++m) {
    const Array& last = output.hidden.back();
    std::vector<double> d_x(width);
    for (size_t j = 0; j < columns.size(); ++j) {
      const double d_s = d_scores(m, j) / batch_size;
      for (size_t c = 0; c < width; ++c) {
        d_x[c] += d_s * weights.items(columns[j], c);
        gradient->items(columns[j], c) += d_s * last(m, c);
      }
      gradient->item_bias(0, columns[j]) += d_s;
    }
    for (size_t l = n_layers; l-- > 0;) {
      if (!input.hidden_masks.empty()) {
        for (size_t u = 0; u < d_x.size(); ++u) d_x[u] *= Mask(input.hidden_masks[l], m, u);
      }
      d_x = CellBackward(weights.form, weights.layers[l], cells[m][l], d_x, &gradient->layers[l]);
    }
    for (size_t c = 0; c < width; ++c) {
      gradient->items(input.inputs[m], c) += d_x[c] * Mask(input.embedding_mask, m, c);
    }
  }
  return output;
}

void AdagradUpdate(const Settings& settings, double gradient, double* accumulator, double* velocity,
                   double* weight) {
  *accumulator += gradient * gradient;
  const double direction = gradient / std::sqrt(*accumulator + settings.epsilon);
  *velocity = settings.momentum * *velocity - settings.learning_rate * direction;
  *weight += *velocity;
}

namespace {

Weights ZerosLike(const Weights& weights) {
  return Weights(weights.items.rows, UnitsOf(weights), weights.form);
}

}  // namespace

ReferenceNetwork::ReferenceNetwork(Settings s, Weights initial)
    : settings(std::move(s)),
      weights(std::move(initial)),
      gradient(ZerosLike(weights)),
      accumulators(ZerosLike(weights)),
      velocities(ZerosLike(weights)) {
  for (const LayerWeights& layer : weights.layers) hidden.emplace_back(0, layer.units());
}

StepOutput ReferenceNetwork::Step(const StepInput& input) {
  StepOutput output = Evaluate(settings, weights, hidden, input, &gradient);
  hidden = output.hidden;

  // Item rows are updated where the step used them, once each; velocities of others rest.
  const std::vector<uint32_t> columns = input.Columns();
  const std::set<uint32_t> scored(columns.begin(), columns.end());
  std::set<uint32_t> used = scored;
  used.insert(input.inputs.begin(), input.inputs.end());
  const auto weight = weights.Named(), accumulator = accumulators.Named(),
             velocity = velocities.Named(), slope = gradient.Named();
  for (size_t a = 0; a < weight.size(); ++a) {
    Array& w = *weight[a].second;
    const bool is_items = &w == &weights.items, is_bias = &w == &weights.item_bias;
    for (size_t r = 0; r < w.rows; ++r) {
      if (is_items && used.count(static_cast<uint32_t>(r)) == 0) continue;
      for (size_t c = 0; c < w.cols; ++c) {
        if (is_bias && scored.count(static_cast<uint32_t>(c)) == 0) continue;
        AdagradUpdate(settings, (*slope[a].second)(r, c), &(*accumulator[a].second)(r, c),
                      &(*velocity[a].second)(r, c), &w(r, c));
      }
    }
  }
  return output;
}

std::vector<Array> Observe(const Weights& weights, uint32_t item,
                           const std::vector<Array>& hidden) {
  std::vector<double> x(weights.items.cols);
  for (size_t c = 0; c < x.size(); ++c) x[c] = weights.items(item, c);
  std::vector<Array> next;
  for (size_t l = 0; l < weights.layers.size(); ++l) {
    x = CellForward(weights.form, weights.layers[l], x, hidden[l].values).state;
    next.emplace_back(1, x.size());
    next.back().values = x;
  }
  return next;
}

Array ScoreAll(const Weights& weights, const Array& last_hidden) {
  Array scores(1, weights.items.rows);
  for (size_t i = 0; i < scores.cols; ++i) {
    scores(0, i) = Dot(weights.items, i, last_hidden.values) + weights.item_bias(0, i);
  }
  return scores;
}

}  // namespace stint::reference
