// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Item rows -> projection, 4-bit codes with bounds, and candidate rows. Everything that the runtime
// takes for a bound is computed in double and rounded outward.
#include "trainer/cascade.h"

#include <omp.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <string>

#include "schema/panel.h"
#include "trainer/cascade_codes.h"
#include "trainer/projection.h"
#include "trainer/quantize.h"

namespace stint {
namespace {

int Threads(const CascadeInput& input) {
  return input.threads > 0 ? static_cast<int>(input.threads) : omp_get_max_threads();
}

// What the bounds of a row are made of.
struct RowBound {
  double rho = 0;
  double tau = 0;
  double norm = 0;
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
  return FloatNotBelow(most / 255.0);
}

uint32_t Levels(double value, float unit) {
  if (value == 0) return 0;
  const double level = unit > 0 ? std::ceil(value * (1.0 + 0x1p-36) / double{unit}) : 256.0;
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
#pragma omp parallel num_threads(threads)
    {
      RowCoder coder(input_, projection_);
#pragma omp for schedule(static)
      for (ptrdiff_t t = 0; t < tiles; ++t) {
        const size_t tile = static_cast<size_t>(t);
        CodeTile(tile, &coder, out->codes.data() + tile * tile_bytes_,
                 bounds.data() + tile * kTileRows);
      }
    }
    std::vector<double> rho, tau;
    for (const RowBound& bound : bounds) {
      rho.push_back(bound.rho);
      tau.push_back(bound.tau);
    }
    out->rho_unit = UnitOf(std::move(rho));
    out->tau_unit = UnitOf(std::move(tau));
    double omega = 0;
    uint64_t rho_levels = 0;
    uint64_t tau_levels = 0;
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
      rho_levels += rho_level;
      tau_levels += tau_level;
    }
    out->mean_rho =
        static_cast<float>(static_cast<double>(rho_levels) / static_cast<double>(items));
    out->mean_tau =
        static_cast<float>(static_cast<double>(tau_levels) / static_cast<double>(items));
    out->omega = FloatNotBelow(omega);
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
                           input_.int8 ? 0.0f : FloatNotBelow(std::sqrt(missed)), 0.0f};
    std::memcpy(out + bytes - sizeof(tail), tail, sizeof(tail));
  }

 private:
  static constexpr uint32_t kFreeBias = 0x7F7F;  // the largest bf16

  float Bias(size_t item) const { return input_.biases ? input_.biases[item] : 0.0f; }

  void PutBound(size_t item, uint32_t bound, CascadeSections* out) const {
    uint8_t* const tile = out->codes.data() + item / kTileRows * tile_bytes_;
    std::memcpy(tile + item % kTileRows * sizeof(bound), &bound, sizeof(bound));
  }

  void CodeTile(size_t tile, RowCoder* coder, uint8_t* out, RowBound* bounds) const {
    uint8_t* const steps = out + kScanBoundBytes;
    uint8_t* const codes = out + kScanHeaderBytes;
    std::memset(out, 0, tile_bytes_);
    const size_t first = tile * kTileRows;
    const size_t rows = std::min<size_t>(kTileRows, input_.rows.rows - first);
    for (size_t lane = 0; lane < rows; ++lane) {
      const CodedRow& row = coder->Code(first + lane);
      bounds[lane] = {row.rho, row.tau, row.norm};
      const bool high = lane % 32 >= 16;
      const uint16_t step = high ? NearestBf16(FromBf16(row.step) / 16.0f) : row.step;
      std::memcpy(steps + (lane / 32 * 16 + lane % 16) * sizeof(uint32_t) + (high ? 0 : 2), &step,
                  sizeof(step));
      uint8_t* const block = codes + lane / 32 * 64 + lane % 16 * kStepColumns;
      for (size_t j = 0; j < row.codes.size(); ++j) {
        block[j / kStepColumns * kScanStepBytes + j % kStepColumns] |=
            static_cast<uint8_t>(row.codes[j] << (high ? 4 : 0));
      }
    }
  }

  const CascadeInput& input_;
  const Projection& projection_;
  const size_t width_;
  const size_t tile_bytes_;
};

}  // namespace

CascadeSections BuildCascade(const CascadeInput& input) {
  const size_t width = input.rows.cols;
  const size_t items = input.rows.rows;
  if (width < kMinCascadeWidth || width > kMaxCascadeWidth) {
    throw std::runtime_error("a cascade for rows of " + std::to_string(width) +
                             " numbers; it has " + std::to_string(kMinCascadeWidth) + " to " +
                             std::to_string(kMaxCascadeWidth));
  }
  const int threads = Threads(input);
  const Projection projection = FitProjection(input);
  Builder builder(input, projection);

  CascadeSections out;
  out.columns = static_cast<uint32_t>(projection.columns);
  out.skew = FloatNotBelow(projection.skew);
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
