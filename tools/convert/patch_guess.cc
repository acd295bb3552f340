// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// What is known of a row -> what it will be.
#include <algorithm>
#include <bit>
#include <cfloat>
#include <cmath>

#include "schema/panel.h"
#include "tools/convert/patch_rows.h"

namespace stint {
namespace {

// Extended precision, as of the x87, would guess other numbers.
static_assert(FLT_EVAL_METHOD == 0, "float and double are computed as such");

constexpr double kCodeMiddle = 7.5;  // of scan tiles
constexpr double kLargestFloat = 3e38;

float Float(uint32_t bits) { return std::bit_cast<float>(bits); }

// Half upwards; nothing but exact operations, so that it is the same everywhere.
double Nearest(double x) { return std::floor(x + 0.5); }

// The codes of the old row under the new row's scale. Whatever the scales are, the result is codes.
void Rescale(double ratio, double zero, double low, double high, const Row& old, Row* guess) {
  for (size_t j = 0; j < old.body.size(); ++j) {
    const double code = Nearest((static_cast<double>(old.body[j]) - zero) * ratio) + zero;
    guess->body[j] = static_cast<uint32_t>(std::clamp(code, low, high));
  }
}

uint32_t Bf16NotBelow(float x) {
  const uint32_t bits = std::bit_cast<uint32_t>(x);
  return (bits >> 31 ? bits : bits + 0xFFFF) >> 16;
}

}  // namespace

RowGuess::RowGuess(const RowShape& shape, const CascadeSources* sources)
    : shape_(shape), sources_(sources) {
  if (!sources_ || !sources_->item_rows) {
    sources_ = nullptr;
    return;
  }
  if (shape_.form == RowForm::kScanTiles) ReadProjection();
  if (shape_.form != RowForm::kScanTiles && shape_.form != RowForm::kCandidateRows) {
    sources_ = nullptr;
  }
}

void RowGuess::ReadProjection() {
  const uint64_t rows = uint64_t{shape_.cols} + 1;
  const uint32_t width = sources_->projection.cols;
  if (shape_.cols > kMaxCascadeColumns || width > kMaxUnits ||  // no model's
      !sources_->projection_rows || sources_->projection.form != RowForm::kF32Panels ||
      sources_->projection.rows < rows || width != sources_->items.cols) {
    sources_ = nullptr;
    return;
  }
  projection_.resize(rows * width);
  Row row;
  for (uint64_t r = 0; r < rows; ++r) {
    GetRow(sources_->projection_rows, sources_->projection, r, &row);
    for (uint32_t j = 0; j < width; ++j) projection_[r * width + j] = double{Float(row.body[j])};
  }
}

bool RowGuess::ReadItem(uint64_t index) {
  if (!sources_ || index >= sources_->item_count || index >= sources_->items.rows) return false;
  const RowShape& shape = sources_->items;
  GetRow(sources_->item_rows, shape, index, &item_);
  values_.resize(shape.cols);
  if (shape.form == RowForm::kInt8Panels) {
    item_scale_ = Float(item_.head[0]);
    item_bias_ = Float(item_.head[1]);
    for (uint32_t j = 0; j < shape.cols; ++j) {
      values_[j] = double{item_scale_} * (static_cast<double>(item_.body[j]) - kCodeZero);
    }
    return true;
  }
  if (shape.form != RowForm::kF32Rows || !sources_->item_biases) return false;
  Row bias;
  GetRow(sources_->item_biases, {RowForm::kWords, sources_->item_count, 0}, index, &bias);
  item_bias_ = Float(bias.head[0]);
  float largest = 0;
  for (uint32_t j = 0; j < shape.cols; ++j) {
    values_[j] = double{Float(item_.body[j])};
    largest = std::max(largest, std::fabs(Float(item_.body[j])));
  }
  item_scale_ = largest / 127.0f;
  return true;
}

// product_ = U (x - mean), in the order of trainer/cascade_codes.cc.
void RowGuess::Project() {
  const size_t width = sources_->projection.cols;
  const size_t columns = shape_.cols;
  const double* const mean = projection_.data() + columns * width;
  for (size_t j = 0; j < width; ++j) values_[j] -= mean[j];
  product_.resize(columns);
  for (size_t r = 0; r < columns; ++r) {
    const double* const u = projection_.data() + r * width;
    double sums[8] = {};
    size_t j = 0;
    for (; j + 8 <= width; j += 8) {
      for (size_t k = 0; k < 8; ++k) sums[k] += u[j + k] * values_[j + k];
    }
    for (; j < width; ++j) sums[0] += u[j] * values_[j];
    product_[r] =
        ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
  }
}

void RowGuess::Head(uint64_t index, const Row* old, Row* guess) {
  std::fill_n(guess->head, 4, 0u);
  if (old) std::copy_n(old->head, 4, guess->head);
  has_item_ = ReadItem(index);
  if (!has_item_) return;
  if (shape_.form == RowForm::kCandidateRows) {
    guess->head[0] = std::bit_cast<uint32_t>(item_scale_);
    guess->head[1] = std::bit_cast<uint32_t>(item_bias_);
    return;
  }
  Project();
  double largest = 0;
  for (const double c : product_) largest = std::max(largest, std::fabs(c));
  step_share_ = index / kInt4NibbleRows % 2 == 1 ? 1.0 / 16 : 1.0;
  const float step =
      static_cast<float>(std::min(step_share_ * largest / kCodeMiddle, kLargestFloat));
  guess->head[0] = Bf16NotBelow(item_bias_) << 16 | (guess->head[0] & 0xFFFF);
  guess->head[1] = std::bit_cast<uint32_t>(step) >> 16;
}

void RowGuess::Body(const Row* old, const Row& known, Row* guess) {
  const bool bytes = shape_.Bits() == 8;
  guess->body.assign(shape_.Body(), bytes ? kCodeZero : 0u);
  if (shape_.form == RowForm::kScanTiles && has_item_) {
    const double step = double{Float(known.head[1] << 16)} / step_share_;
    for (size_t j = 0; j < product_.size(); ++j) {
      const double code = Nearest(product_[j] / step + kCodeMiddle);
      // A comparison with NaN is false.
      guess->body[j] = code > 0 ? static_cast<uint32_t>(std::min(code, 15.0)) : 0u;
    }
    return;
  }
  if (shape_.form == RowForm::kCandidateRows && has_item_) {
    const bool codes = sources_->items.form == RowForm::kInt8Panels;
    const size_t count = std::min<size_t>(values_.size(), guess->body.size());
    for (size_t j = 0; j < count; ++j) {
      if (codes) {
        guess->body[j] = item_.body[j];
        continue;
      }
      const double code = Nearest(values_[j] / double{Float(known.head[0])});
      if (std::fabs(code) <= 127) guess->body[j] = static_cast<uint32_t>(code + kCodeZero);
    }
    return;
  }
  if (!old) return;
  guess->body = old->body;
  const bool scaled = shape_.form == RowForm::kInt8Panels || shape_.form == RowForm::kInt8Rows ||
                      shape_.form == RowForm::kInt4Panels;
  if (!scaled || known.head[0] == old->head[0]) return;
  const double ratio = double{Float(old->head[0])} / double{Float(known.head[0])};
  if (!(std::fabs(ratio) <= 1e3)) return;  // not for NaN either
  if (bytes) {
    Rescale(ratio, kCodeZero, 1, 255, *old, guess);
  } else {
    Rescale(ratio, kInt4Zero, 0, 15, *old, guess);
  }
}

}  // namespace stint
