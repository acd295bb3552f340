// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Item rows and hidden states -> principal axes, turned at random.
#include "trainer/projection.h"

// Plain code in one order: the same bits on every machine, whatever its vectors.
#define EIGEN_DONT_VECTORIZE
#define EIGEN_DONT_PARALLELIZE
#define EIGEN_MPL2_ONLY
#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "schema/panel.h"
#include "trainer/cascade_cost.h"
#include "trainer/random.h"

namespace stint {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr size_t kSeeds = 256;
constexpr size_t kMostSeedVectors = 128;
constexpr uint64_t kRandomStream = 2001;

// Every so many-th row, so that no more than kMostSampledRows are looked at.
size_t Stride(size_t rows) { return (rows + kMostSampledRows - 1) / kMostSampledRows; }

// Covariance around zero of samples [n, H], divided by its trace. Zero where all is zero.
MatrixXd Shape(const MatrixXd& samples) {
  MatrixXd shape = samples.transpose() * samples;
  const double trace = shape.trace();
  if (trace > 0) shape /= trace;
  return shape;
}

// A random orthogonal matrix [n, n]: the Q of normal numbers.
MatrixXd RandomRotation(size_t n) {
  const RandomCounter random(0, kRandomStream);
  const Eigen::Index size = static_cast<Eigen::Index>(n);
  MatrixXd normal(size, size);
  uint64_t drawn = 0;
  for (Eigen::Index i = 0; i < size; ++i) {
    for (Eigen::Index j = 0; j < size; ++j) {
      double sum = -6.0;  // of twelve uniform numbers: no function whose bits differ by machine
      for (int k = 0; k < 12; ++k) sum += random.Unit(drawn++);
      normal(i, j) = sum;
    }
  }
  return Eigen::HouseholderQR<MatrixXd>(normal).householderQ();
}

// Items by how often they stand among the best of the given hidden states.
std::vector<uint32_t> FrequentItems(const CascadeInput& input) {
  constexpr size_t kBest = 40;
  const size_t items = input.rows.rows;
  const size_t width = input.rows.cols;
  std::vector<float> scores(items);
  std::vector<uint32_t> order(items);
  std::vector<uint32_t> hits(items);
  const size_t vectors = std::min<size_t>(input.hidden.size(), kMostSeedVectors);
  for (size_t v = 0; v < vectors; ++v) {
    const std::vector<float>& h = input.hidden[v * input.hidden.size() / vectors];
    for (size_t i = 0; i < items; ++i) {
      const float* const row = input.rows.Row(i);
      float sum = input.biases ? input.biases[i] : 0.0f;
      for (size_t j = 0; j < width; ++j) sum += row[j] * h[j];
      scores[i] = sum;
    }
    std::iota(order.begin(), order.end(), 0u);
    const size_t best = std::min(kBest, items);
    std::partial_sort(order.begin(), order.begin() + static_cast<ptrdiff_t>(best), order.end(),
                      [&](uint32_t a, uint32_t b) { return scores[a] > scores[b]; });
    for (size_t i = 0; i < best; ++i) ++hits[order[i]];
  }
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(),
                   [&](uint32_t a, uint32_t b) { return hits[a] > hits[b]; });
  order.resize(std::min(kSeeds, items));
  return order;
}

// Rounding U h of the hidden states to 127 levels: the share of the norm that most of them lose.
double RoundingShare(const CascadeInput& input, const Projection& projection) {
  constexpr double kUsual = 0.008;  // of normal numbers
  const size_t width = input.rows.cols;
  std::vector<double> shares;
  for (const std::vector<float>& h : input.hidden) {
    std::vector<double> a(projection.columns);
    double most = 0;
    double norm = 0;
    for (size_t r = 0; r < projection.columns; ++r) {
      for (size_t j = 0; j < width; ++j) {
        a[r] += double{projection.rows[r * width + j]} * double{h[j]};
      }
      most = std::max(most, std::fabs(a[r]));
      norm += a[r] * a[r];
    }
    if (most < 1e-20) continue;
    double off = 0;
    for (const double x : a) {
      const double q = std::nearbyint(x / most * 127.0);
      off += (x - q * most / 127.0) * (x - q * most / 127.0);
    }
    shares.push_back(std::sqrt(off / norm));
  }
  if (shares.empty()) return double{static_cast<float>(kUsual)};
  std::sort(shares.begin(), shares.end());
  return double{static_cast<float>(1.02 * shares[shares.size() * 9 / 10])};
}

// What projections of all widths have in common.
struct Axes {
  MatrixXd vectors;  // [H, H] principal axes in columns, the leading one last
  VectorXd mean;     // [H]
};

Axes FitAxes(const CascadeInput& input) {
  const size_t items = input.rows.rows;
  const size_t width = input.rows.cols;
  const size_t stride = Stride(items);
  const size_t count = (items + stride - 1) / stride;
  const Eigen::Index h = static_cast<Eigen::Index>(width);
  MatrixXd rows(static_cast<Eigen::Index>(count), h);
  for (size_t i = 0; i < count; ++i) {
    for (size_t j = 0; j < width; ++j) {
      rows(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j)) =
          double{input.rows.Row(i * stride)[j]};
    }
  }
  Axes axes;
  axes.mean = rows.colwise().mean();
  rows.rowwise() -= axes.mean.transpose();
  // Every second one: the others tell what the axes are worth (cascade_cost.cc).
  MatrixXd states(static_cast<Eigen::Index>(input.hidden.size() + 1) / 2, h);
  for (Eigen::Index i = 0; i < states.rows(); ++i) {
    for (size_t j = 0; j < width; ++j) {
      states(i, static_cast<Eigen::Index>(j)) = double{input.hidden[2 * static_cast<size_t>(i)][j]};
    }
  }
  axes.vectors =
      Eigen::SelfAdjointEigenSolver<MatrixXd>(Shape(rows) + Shape(states)).eigenvectors();
  return axes;
}

Projection Turn(const CascadeInput& input, const Axes& axes, size_t columns) {
  const size_t width = input.rows.cols;
  Projection out;
  out.columns = columns;
  const Eigen::Index m = static_cast<Eigen::Index>(columns);
  const MatrixXd turned = RandomRotation(columns) * axes.vectors.rightCols(m).transpose();
  for (size_t j = 0; j < width; ++j) {
    out.mean.push_back(static_cast<float>(axes.mean(static_cast<Eigen::Index>(j))));
  }
  for (Eigen::Index r = 0; r < m; ++r) {
    for (Eigen::Index j = 0; j < turned.cols(); ++j) {
      out.rows.push_back(static_cast<float>(turned(r, j)));
    }
  }
  double skew = 0;
  for (size_t a = 0; a < columns; ++a) {
    for (size_t b = 0; b < columns; ++b) {
      double dot = a == b ? -1.0 : 0.0;
      for (size_t j = 0; j < width; ++j) {
        dot += double{out.rows[a * width + j]} * double{out.rows[b * width + j]};
      }
      skew += dot * dot;
    }
  }
  out.skew = std::sqrt(skew) * (1.0 + 0x1p-20) + 1e-12;  // its own rounding in double
  out.kappa = RoundingShare(input, out);
  return out;
}

// The multiples of 8 about eighths of the width, and the width itself.
std::vector<size_t> Candidates(size_t width) {
  const size_t most = std::min<size_t>(width / kStepColumns * kStepColumns, kMaxCascadeColumns);
  std::vector<size_t> columns;
  for (size_t eighth = 2; eighth < 8; ++eighth) {
    const size_t m = RoundUp(width * eighth / 8, 8);
    if (m < most && (columns.empty() || m > columns.back())) columns.push_back(m);
  }
  columns.push_back(most);
  return columns;
}

}  // namespace

Projection FitProjection(const CascadeInput& input) {
  const Axes axes = FitAxes(input);
  const size_t most = Candidates(input.rows.cols).back();
  Projection best;
  if (input.columns > 0) {
    best = Turn(input, axes, std::min<size_t>(RoundUp(input.columns, kStepColumns), most));
  } else {
    double least = std::numeric_limits<double>::infinity();
    for (const size_t columns : Candidates(input.rows.cols)) {
      Projection tried = Turn(input, axes, columns);
      const double cost = ExpectedCost(input, tried);
      if (cost < least) {
        least = cost;
        best = std::move(tried);
      }
    }
  }
  best.seeds = FrequentItems(input);
  return best;
}

}  // namespace stint
