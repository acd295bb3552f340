// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// One item row -> 4-bit codes and what they miss, in double, rounded outward.
#include "trainer/cascade_codes.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

#include "trainer/quantize.h"

namespace stint {
namespace {

constexpr double kCodeMiddle = 7.5;
constexpr double kLargestNibble = 15.0;
// Steps that are tried, as shares of what would just hold the largest value: clipping a few values
// leaves less residual than coarse steps for all.
constexpr double kClips[] = {1.0, 0.92, 0.84, 0.76, 0.68, 0.6};

}  // namespace

float FloatNotBelow(double x) {
  return x == 0 ? 0.0f
                : std::nextafter(static_cast<float>(x * (1.0 + 0x1p-36)),
                                 std::numeric_limits<float>::infinity());
}

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

RowCoder::RowCoder(const CascadeInput& input, const Projection& projection)
    : input_(input),
      projection_(projection),
      int8_codes_(input.rows.cols),
      x_(input.rows.cols),
      c_(projection.columns) {
  best_.codes.resize(projection.columns);
  tried_.codes.resize(projection.columns);
}

const CodedRow& RowCoder::Code(size_t item) {
  double norm_x = 0;
  double norm_c = 0;
  ReadRow(item);
  Project(&norm_x, &norm_c);
  double largest = 0;
  for (const double c : c_) largest = std::max(largest, std::fabs(c));
  best_.rho = std::numeric_limits<double>::infinity();
  for (const double clip : kClips) {
    tried_.step = NearestBf16(static_cast<float>(clip * largest / kCodeMiddle));
    CodeWithStep(double{FromBf16(tried_.step)}, &tried_);
    if (tried_.rho < best_.rho) std::swap(best_, tried_);
  }
  best_.rho += projection_.skew * std::sqrt(norm_c) + projection_.kappa * best_.norm;
  // |t|^2 = |x|^2 - 2 |c|^2 + <c, U U^T c>; in double 1 - 1 leaves some units.
  best_.tau =
      std::sqrt(std::max(0.0, norm_x - (1.0 - projection_.skew) * norm_c) + 0x1p-40 * norm_x);
  return best_;
}

void RowCoder::ReadRow(size_t item) {
  const float* const row = input_.rows.Row(item);
  const size_t width = input_.rows.cols;
  if (input_.int8) {
    const double scale = double{QuantizeRow(row, width, int8_codes_.data())};
    for (size_t j = 0; j < width; ++j) x_[j] = scale * int8_codes_[j];
  } else {
    std::copy_n(row, width, x_.data());
  }
  for (size_t j = 0; j < width; ++j) x_[j] -= double{projection_.mean[j]};
}

// c = U x and both squared norms.
void RowCoder::Project(double* norm_x, double* norm_c) {
  const size_t width = input_.rows.cols;
  for (const double x : x_) *norm_x += x * x;
  for (size_t r = 0; r < projection_.columns; ++r) {
    const float* const u = projection_.rows.data() + r * width;
    double sums[8] = {};
    size_t j = 0;
    for (; j + 8 <= width; j += 8) {
      for (size_t k = 0; k < 8; ++k) sums[k] += double{u[j + k]} * x_[j + k];
    }
    for (; j < width; ++j) sums[0] += double{u[j]} * x_[j];
    const double sum =
        ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
    c_[r] = sum;
    *norm_c += sum * sum;
  }
}

// rho comes out as the residual alone.
void RowCoder::CodeWithStep(double step, CodedRow* out) const {
  double residual = 0;
  double norm = 0;
  for (size_t j = 0; j < c_.size(); ++j) {
    const double code =
        step > 0 ? std::clamp(std::nearbyint(c_[j] / step + kCodeMiddle), 0.0, kLargestNibble)
                 : 0.0;
    const double value = step * (code - kCodeMiddle);
    out->codes[j] = static_cast<uint8_t>(code);
    residual += (c_[j] - value) * (c_[j] - value);
    norm += value * value;
  }
  out->rho = std::sqrt(residual);
  out->norm = std::sqrt(norm);
}

}  // namespace stint
