// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

#include "tests/reference/loss.h"

#include <algorithm>
#include <cmath>

#include "tests/reference/activation.h"

namespace stint::reference {
namespace {

// Inside the logarithms of cross-entropy and BPR-max, as in the published code.
constexpr double kLogGuard = 1e-24;

// Softmax of v, with `skip` (an index, or v.size()) left out.
std::vector<double> Softmax(const std::vector<double>& v, size_t skip) {
  double top = -INFINITY, sum = 0;
  for (size_t j = 0; j < v.size(); ++j) {
    if (j != skip) top = std::max(top, v[j]);
  }
  std::vector<double> p(v.size());
  for (size_t j = 0; j < v.size(); ++j) {
    if (j != skip) p[j] = std::exp(v[j] - top);
    sum += p[j];
  }
  for (double& x : p) x /= sum;
  return p;
}

// The functions below: the loss of one row whose counted columns have the values `y` (activated
// scores; raw ones for the cross-entropies), the target's first; `d_y` gets the gradient.

// sum_j t_j l_j, l = -log(p + guard), t = 1 - smoothing for the target, smoothing / (n - 1) else.
double CrossEntropyRow(const Settings& settings, const std::vector<double>& s,
                       std::vector<double>* d_s) {
  const size_t n = s.size();
  if (n < 2) return 0;
  const bool guarded = settings.loss == Loss::kCrossEntropy;
  const std::vector<double> p = Softmax(s, n);
  const double top = *std::max_element(s.begin(), s.end());
  double sum = 0;
  for (const double x : s) sum += std::exp(x - top);
  double loss = 0, pull = 0;
  std::vector<double> weight(n);  // t_j p_j / (p_j + guard)
  for (size_t j = 0; j < n; ++j) {
    const double t = j == 0 ? 1 - settings.label_smoothing
                            : settings.label_smoothing / static_cast<double>(n - 1);
    loss += t * (guarded ? -std::log(p[j] + kLogGuard) : std::log(sum) - (s[j] - top));
    weight[j] = guarded ? t * p[j] / (p[j] + kLogGuard) : t;
    pull += weight[j];
  }
  for (size_t j = 0; j < n; ++j) (*d_s)[j] = p[j] * pull - weight[j];
  return loss;
}

// sum over all columns of -log sigmoid(y_0 - y_j).
double BprRow(const std::vector<double>& y, std::vector<double>* d_y) {
  double loss = 0;
  for (size_t j = 0; j < y.size(); ++j) {
    const double x = y[j] - y[0];
    loss += std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x)));
    if (j == 0) continue;
    (*d_y)[j] = Sigmoid(x);
    (*d_y)[0] -= Sigmoid(x);
  }
  return loss;
}

// The mean over all columns of sigmoid(y_j - y_0) + sigmoid(y_j^2), less the target's share of
// the second term.
double Top1Row(const std::vector<double>& y, std::vector<double>* d_y) {
  const double n = static_cast<double>(y.size());
  double loss = 0.5 / n;  // sigmoid(0) of the target
  for (size_t j = 1; j < y.size(); ++j) {
    const double a = Sigmoid(y[j] - y[0]), b = Sigmoid(y[j] * y[j]);
    loss += (a + b) / n;
    (*d_y)[j] = (a * (1 - a) + 2 * y[j] * b * (1 - b)) / n;
    (*d_y)[0] -= a * (1 - a) / n;
  }
  return loss;
}

// sum_j w_j (sigmoid(y_j - y_0) + sigmoid(y_j^2)), w the softmax of the negatives.
double Top1MaxRow(const std::vector<double>& y, std::vector<double>* d_y) {
  if (y.size() < 2) return 0;
  const std::vector<double> w = Softmax(y, 0);
  std::vector<double> term(y.size()), slope(y.size());
  double loss = 0;
  for (size_t j = 1; j < y.size(); ++j) {
    const double a = Sigmoid(y[j] - y[0]), b = Sigmoid(y[j] * y[j]);
    term[j] = a + b;
    slope[j] = a * (1 - a) + 2 * y[j] * b * (1 - b);
    (*d_y)[0] -= w[j] * a * (1 - a);
    loss += w[j] * term[j];
  }
  for (size_t j = 1; j < y.size(); ++j) (*d_y)[j] = w[j] * (term[j] - loss + slope[j]);
  return loss;
}

// -log(sum_j w_j sigmoid(y_0 - y_j) + guard) + bpreg sum_j w_j y_j^2, w the softmax of the
// negatives.
double BprMaxRow(double bpreg, const std::vector<double>& y, std::vector<double>* d_y) {
  if (y.size() < 2) return 0;
  const std::vector<double> w = Softmax(y, 0);
  std::vector<double> q(y.size());
  double agreement = 0, penalty = 0;
  for (size_t j = 1; j < y.size(); ++j) {
    q[j] = Sigmoid(y[0] - y[j]);
    agreement += w[j] * q[j];
    penalty += w[j] * y[j] * y[j];
  }
  for (size_t j = 1; j < y.size(); ++j) {
    const double slope = w[j] * q[j] * (1 - q[j]);
    (*d_y)[j] = -(w[j] * (q[j] - agreement) - slope) / (agreement + kLogGuard) +
                bpreg * (w[j] * (y[j] * y[j] - penalty) + 2 * w[j] * y[j]);
    (*d_y)[0] -= slope / (agreement + kLogGuard);
  }
  return -std::log(agreement + kLogGuard) + bpreg * penalty;
}

double RowLoss(const Settings& settings, const std::vector<double>& y, std::vector<double>* d_y) {
  switch (settings.loss) {
    case Loss::kCrossEntropy:
    case Loss::kXeLogit:
      return CrossEntropyRow(settings, y, d_y);
    case Loss::kBpr:
      return BprRow(y, d_y);
    case Loss::kTop1:
      return Top1Row(y, d_y);
    case Loss::kTop1Max:
      return Top1MaxRow(y, d_y);
    case Loss::kBprMax:
      return BprMaxRow(settings.bpreg, y, d_y);
  }
  return NAN;
}

}  // namespace

double LossOfScores(const Settings& settings, const Array& scores, Array* gradient,
                    const Array& counted) {
  const Activation& f = settings.final_activation;
  const bool activated = f.kind != ActivationKind::kSoftmax;
  *gradient = Array(scores.rows, scores.cols);
  double loss = 0;
  for (size_t i = 0; i < scores.rows; ++i) {
    std::vector<size_t> columns = {i};  // that count, the target's first
    for (size_t j = 0; j < scores.cols; ++j) {
      if (j != i && (counted.values.empty() || counted(i, j) != 0)) columns.push_back(j);
    }
    std::vector<double> y, d_y(columns.size());
    for (const size_t j : columns) {
      y.push_back(activated ? Activate(f, scores(i, j)) : scores(i, j));
    }
    loss += RowLoss(settings, y, &d_y);
    for (size_t c = 0; c < columns.size(); ++c) {
      const double slope = activated ? Slope(f, scores(i, columns[c])) : 1.0;
      (*gradient)(i, columns[c]) = d_y[c] * slope;
    }
  }
  return loss;
}

}  // namespace stint::reference
