// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Item rows -> projection, 4-bit codes with bounds, and candidate rows. Everything that the runtime
// takes for a bound is computed in double and rounded outward.
#include "trainer/cascade.h"

#include <omp.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <string>

#include "schema/panel.h"
#include "trainer/projection.h"
#include "trainer/quantize.h"

namespace stint {
namespace {

constexpr double kCodeMiddle = 7.5;
constexpr double kLargestNibble = 15.0;
// Steps that are tried, as shares of what would just hold the largest value: clipping a few values
// leaves less residual than coarse steps for all.
constexpr double kClips[] = {1.0, 0.92, 0.84, 0.76, 0.68, 0.6};

int Threads(const CascadeInput& input) {
  return input.threads > 0 ? static_cast<int>(input.threads) : omp_get_max_threads();
}

// The least float that is not below x >= 0; doubles of the bounds carry rounding errors of some
// thousand units, which the factor covers.
float Up(double x) {
  return x == 0 ? 0.0f
                : std::nextafter(static_cast<float>(x * (1.0 + 0x1p-36)),
                                 std::numeric_limits<float>::infinity());
}

// bfloat16 is the upper half of a float.
uint16_t NearestBf16(float x) {
  const uint32_t bits = std::bit_cast<uint32_t>(x);
  return static_cast<uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}
uint16_t Bf16NotBelow(float x) {
  const uint32_t bits = std::bit_cast<uint32_t>(x);
  // Cutting bits off lowers a magnitude: too low for a positive number alone.
  return static_cast<uint16_t>((bits >> 31 ? bits : bits + 0xFFFF) >> 16);
}
float FromBf16(uint16_t x) { return std::bit_cast<float>(uint32_t{x} << 16); }

// Codes of one row and what they miss.
struct Coded {
  uint16_t step = 0;  // bf16
  double residual = 0;
  double norm = 0;  // of the values that the codes stand for
  std::vector<uint8_t> codes;
};

void CodeWithStep(const std::vector<double>& c, double step, Coded* out) {
  double residual = 0;
  double norm = 0;
  for (size_t j = 0; j < c.size(); ++j) {
    const double code =
        step > 0 ? std::clamp(std::nearbyint(c[j] / step + kCodeMiddle), 0.0, kLargestNibble) : 0.0;
    const double value = step * (code - kCodeMiddle);
    out->codes[j] = static_cast<uint8_t>(code);
    residual += (c[j] - value) * (c[j] - value);
    norm += value * value;
  }
  out->residual = std::sqrt(residual);
  out->norm = std::sqrt(norm);
}

Coded Code(const std::vector<double>& c) {
  double largest = 0;
  for (const double x : c) largest = std::max(largest, std::fabs(x));
  Coded best, tried;
  best.codes.resize(c.size());
  tried.codes.resize(c.size());
  best.residual = std::numeric_limits<double>::infinity();
  for (const double clip : kClips) {
    tried.step = NearestBf16(static_cast<float>(clip * largest / kCodeMiddle));
    CodeWithStep(c, static_cast<double>(FromBf16(tried.step)), &tried);
    if (tried.residual < best.residual) std::swap(best, tried);
  }
  return best;
}

// What the bounds of a row are made of.
struct RowBound {
  double rho = 0;
  double tau = 0;
  double norm = 0;    // of the values
  bool free = false;  // too large for the units of the others: it is always a candidate
};

// The unit of 255 levels that hold all values but a few that are far beyond the others.
float UnitOf(std::vector<double> values) {
  const size_t few = 16 + values.size() / 100000;
  std::sort(values.begin(), values.end());
  double most = values.back();
  if (values.size() > 2 * few) {
    const double regular = values[values.size() - 1 - few];
    if (most > 2 * regular) most = regular;
  }
  return Up(most / 255.0);
}

uint32_t Levels(double value, float unit) {
  const double level = unit > 0 ? std::ceil(value * (1.0 + 0x1p-36) / double{unit}) : 0.0;
  return level <= 255.0 ? static_cast<uint32_t>(level) : 256;  // 256: it has none
}

class Builder {
 public:
  Builder(const CascadeInput& input, const Projection& projection)
      : input_(input),
        projection_(projection),
        width_(input.rows.cols),
        tile_bytes_(ScanTileBytes(projection.columns)) {}

  // Codes and steps of all rows, then, with what is known of all, their bounds.
  void ScanTiles(CascadeSections* out) {
    const size_t items = input_.rows.rows;
    const ptrdiff_t tiles = static_cast<ptrdiff_t>(PanelTiles(items));
    const int threads = Threads(input_);
    out->codes.resize(static_cast<size_t>(tiles) * tile_bytes_);
    std::vector<RowBound> bounds(items);
#pragma omp parallel for num_threads(threads) schedule(static)
    for (ptrdiff_t t = 0; t < tiles; ++t) {
      const size_t tile = static_cast<size_t>(t);
      CodeTile(tile, out->codes.data() + tile * tile_bytes_, bounds.data() + tile * kTileRows);
    }
    std::vector<double> rho, tau;
    for (const RowBound& bound : bounds) {
      rho.push_back(bound.rho);
      tau.push_back(bound.tau);
    }
    out->rho_unit = UnitOf(std::move(rho));
    out->tau_unit = UnitOf(std::move(tau));
    double omega = 0;
    for (size_t i = 0; i < items; ++i) {
      const uint32_t rho_level = Levels(bounds[i].rho, out->rho_unit);
      const uint32_t tau_level = Levels(bounds[i].tau, out->tau_unit);
      uint32_t bias = Bf16NotBelow(Bias(i));
      if (rho_level > 255 || tau_level > 255) {
        PutBound(i, kFreeBias << 16, out);
        continue;
      }
      omega = std::max(omega, bounds[i].norm);
      out->largest_bias =
          std::max(out->largest_bias, std::fabs(FromBf16(static_cast<uint16_t>(bias))));
      PutBound(i, bias << 16 | tau_level << 8 | rho_level, out);
    }
    out->omega = Up(omega);
  }

  void CandidateRow(size_t item, uint8_t* out) const {
    const size_t bytes = CandidateRowBytes(width_);
    std::vector<int8_t> codes(width_);
    const float* const row = input_.rows.Row(item);
    const float scale = QuantizeRow(row, width_, codes.data());
    double missed = 0;
    std::memset(out, kCodeZero, bytes);
    for (size_t j = 0; j < width_; ++j) {
      out[j] = static_cast<uint8_t>(codes[j] + kCodeZero);
      const double miss = double{row[j]} - double{scale} * codes[j];
      missed += miss * miss;
    }
    const float tail[4] = {scale, input_.biases ? input_.biases[item] : 0.0f,
                           input_.int8 ? 0.0f : Up(std::sqrt(missed)), 0.0f};
    std::memcpy(out + bytes - sizeof(tail), tail, sizeof(tail));
  }

 private:
  static constexpr uint32_t kFreeBias = 0x7F7F;  // the largest bf16

  float Bias(size_t item) const { return input_.biases ? input_.biases[item] : 0.0f; }

  void PutBound(size_t item, uint32_t bound, CascadeSections* out) const {
    uint8_t* const tile = out->codes.data() + item / kTileRows * tile_bytes_;
    std::memcpy(tile + item % kTileRows * sizeof(bound), &bound, sizeof(bound));
  }

  void CodeTile(size_t tile, uint8_t* out, RowBound* bounds) const {
    const size_t columns = projection_.columns;
    uint8_t* const steps = out + kScanBoundBytes;
    uint8_t* const codes = out + kScanHeaderBytes;
    std::memset(out, 0, tile_bytes_);
    std::vector<double> x(width_), c(columns);
    const size_t first = tile * kTileRows;
    const size_t rows = std::min<size_t>(kTileRows, input_.rows.rows - first);
    for (size_t lane = 0; lane < rows; ++lane) {
      double norm_x = 0;
      double norm_c = 0;
      Row(first + lane, x.data());
      Project(x, &c, &norm_x, &norm_c);
      const Coded coded = Code(c);
      RowBound& bound = bounds[lane];
      bound.rho =
          coded.residual + projection_.skew * std::sqrt(norm_c) + projection_.kappa * coded.norm;
      // |t|^2 = |x|^2 - 2 |c|^2 + <c, U U^T c>; in double 1 - 1 leaves some units.
      bound.tau =
          std::sqrt(std::max(0.0, norm_x - (1.0 - projection_.skew) * norm_c) + 0x1p-40 * norm_x);
      bound.norm = coded.norm;
      const bool high = lane % 32 >= 16;
      const uint16_t step = high ? NearestBf16(FromBf16(coded.step) / 16.0f) : coded.step;
      std::memcpy(steps + (lane / 32 * 16 + lane % 16) * sizeof(uint32_t) + (high ? 0 : 2), &step,
                  sizeof(step));
      uint8_t* const block = codes + lane / 32 * 64 + lane % 16 * kStepColumns;
      for (size_t j = 0; j < columns; ++j) {
        block[j / kStepColumns * kScanStepBytes + j % kStepColumns] |=
            static_cast<uint8_t>(coded.codes[j] << (high ? 4 : 0));
      }
    }
  }

  // The row that scores are defined by.
  void Row(size_t item, double* out) const {
    const float* const row = input_.rows.Row(item);
    if (!input_.int8) {
      std::copy_n(row, width_, out);
      return;
    }
    std::vector<int8_t> codes(width_);
    const double scale = double{QuantizeRow(row, width_, codes.data())};
    for (size_t j = 0; j < width_; ++j) out[j] = scale * codes[j];
  }

  // x -> x minus the mean, its squared norm, c = U x and its squared norm.
  void Project(std::vector<double>& x, std::vector<double>* c, double* norm_x,
               double* norm_c) const {
    *norm_x = 0;
    for (size_t j = 0; j < width_; ++j) {
      x[j] -= projection_.mean[j];
      *norm_x += x[j] * x[j];
    }
    *norm_c = 0;
    for (size_t r = 0; r < projection_.columns; ++r) {
      const float* const u = projection_.rows.data() + r * width_;
      double sums[8] = {};
      size_t j = 0;
      for (; j + 8 <= width_; j += 8) {
        for (size_t k = 0; k < 8; ++k) sums[k] += double{u[j + k]} * x[j + k];
      }
      for (; j < width_; ++j) sums[0] += double{u[j]} * x[j];
      const double sum =
          ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
      (*c)[r] = sum;
      *norm_c += sum * sum;
    }
  }

  const CascadeInput& input_;
  const Projection& projection_;
  const size_t width_;
  const size_t tile_bytes_;
};

}  // namespace

uint32_t UsualCascadeColumns(size_t width) {
  const size_t half = width / 2 / kStepColumns * kStepColumns;
  return static_cast<uint32_t>(std::clamp<size_t>(half, kStepColumns, kMaxCascadeColumns));
}

CascadeSections BuildCascade(const CascadeInput& input) {
  const size_t width = input.rows.cols;
  const size_t items = input.rows.rows;
  if (width < kMinCascadeWidth || width > kMaxCascadeWidth) {
    throw std::runtime_error("a cascade for rows of " + std::to_string(width) +
                             " numbers; it has " + std::to_string(kMinCascadeWidth) + " to " +
                             std::to_string(kMaxCascadeWidth));
  }
  const int threads = Threads(input);
  const Projection projection =
      FitProjection(input, input.columns > 0 ? input.columns : UsualCascadeColumns(width));
  Builder builder(input, projection);

  CascadeSections out;
  out.columns = static_cast<uint32_t>(projection.columns);
  out.skew = Up(projection.skew);
  out.kappa = static_cast<float>(projection.kappa);
  builder.ScanTiles(&out);
  const size_t row_bytes = CandidateRowBytes(width);
  out.rows.resize(items * row_bytes);
#pragma omp parallel for num_threads(threads) schedule(static)
  for (ptrdiff_t i = 0; i < static_cast<ptrdiff_t>(items); ++i) {
    builder.CandidateRow(static_cast<size_t>(i),
                         out.rows.data() + static_cast<size_t>(i) * row_bytes);
  }

  // The projection with the mean row behind it, as panels.
  std::vector<float> padded((projection.columns + 1) * RoundUp(width, kRowAlignment));
  const Matrix matrix = {padded.data(), projection.columns + 1, width,
                         RoundUp(width, kRowAlignment)};
  for (size_t r = 0; r < projection.columns; ++r) {
    std::copy_n(projection.rows.data() + r * width, width, matrix.Row(r));
  }
  std::copy_n(projection.mean.data(), width, matrix.Row(projection.columns));
  out.projection.resize(PackedSize(DType::kF32, matrix.rows, width));
  PackPanels("projection", DType::kF32, matrix, nullptr, out.projection.data());
  out.seeds = projection.seeds;
  return out;
}

}  // namespace stint
