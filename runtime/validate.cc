// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Parts of a model file whose size is right -> whether their values are.
#include "runtime/validate.h"

#include <cstring>

namespace stint {
namespace {

uint32_t FloatBits(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof(bits));
  return bits;
}

// Index of the first of `count` floats that is not finite or beyond the limit, else `count`. With
// `signs` false negative ones are bad as well. Infinities and NaN have larger bits than any finite
// float. Blocks without an early exit, so that the inner loop is vectorized.
size_t FirstBad(const float* values, size_t count, bool signs) {
  const uint32_t mask = signs ? 0x7FFFFFFFu : 0xFFFFFFFFu;
  const uint32_t limit = FloatBits(kLargestWeight);
  for (size_t i = 0; i < count;) {
    const size_t end = count - i < 256 ? count : i + 256;
    uint32_t bad = 0;
    for (size_t j = i; j < end; ++j) bad |= (FloatBits(values[j]) & mask) > limit;
    if (bad) {
      while ((FloatBits(values[i]) & mask) <= limit) ++i;
      return i;
    }
    i = end;
  }
  return count;
}

bool AllZero(const float* values, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    if (FloatBits(values[i]) != 0) return false;
  }
  return true;
}

Status BadValue(const char* name, const char* what, uint32_t row, float value, stint_error* error) {
  return Fail(error, STINT_CORRUPT, "section '%s': %s of row %u is %g", name, what, row,
              static_cast<double>(value));
}

Status CheckInt8Tile(const char* name, const Panels& panels, uint32_t tile, stint_error* error) {
  const uint8_t* const bytes = panels.data + tile * panels.tile_bytes;
  const float* const scales = reinterpret_cast<const float*>(bytes);  // [64]
  const float* const biases = scales + kTileRows;                     // [64]
  const uint8_t* const codes = bytes + kInt8HeaderBytes;
  const uint32_t first_row = tile * kTileRows;

  size_t bad = FirstBad(scales, kTileRows, /*signs=*/false);
  if (bad < kTileRows) {
    return BadValue(name, "scale", first_row + static_cast<uint32_t>(bad), scales[bad], error);
  }
  bad = FirstBad(biases, kTileRows, /*signs=*/true);
  if (bad < kTileRows) {
    return BadValue(name, "bias", first_row + static_cast<uint32_t>(bad), biases[bad], error);
  }
  if (std::memchr(codes, 0, panels.tile_bytes - kInt8HeaderBytes)) {
    return Fail(error, STINT_CORRUPT, "section '%s': a code of tile %u is -128", name, tile);
  }
  const uint32_t rows = panels.rows - first_row < kTileRows ? panels.rows - first_row : kTileRows;
  const uint32_t steps = static_cast<uint32_t>(PanelSteps(panels.cols));
  bool padded =
      AllZero(scales + rows, kTileRows - rows) && AllZero(biases + rows, kTileRows - rows);
  for (uint32_t p = 0; p < steps; ++p) {
    const uint8_t* const step = codes + size_t{p} * kStepBytes;
    for (uint32_t b = rows * kStepColumns; b < kStepBytes; ++b) padded &= step[b] == kCodeZero;
  }
  for (uint32_t c = panels.cols; c < steps * kStepColumns; ++c) {
    const uint8_t* const last = codes + size_t{steps - 1} * kStepBytes + c % kStepColumns;
    for (uint32_t lane = 0; lane < rows; ++lane) padded &= last[lane * kStepColumns] == kCodeZero;
  }
  if (!padded) return Fail(error, STINT_CORRUPT, "section '%s': padding of tile %u", name, tile);
  return STINT_OK;
}

Status CheckF32Tile(const char* name, const Panels& panels, uint32_t tile, stint_error* error) {
  const float* const values =
      reinterpret_cast<const float*>(panels.data + tile * panels.tile_bytes);  // [1 + cols, 64]
  const size_t count = panels.tile_bytes / sizeof(float);
  const uint32_t first_row = tile * kTileRows;
  const size_t bad = FirstBad(values, count, /*signs=*/true);
  if (bad < count) {
    return BadValue(name, bad < kTileRows ? "bias" : "a weight",
                    first_row + static_cast<uint32_t>(bad % kTileRows), values[bad], error);
  }
  const uint32_t rows = panels.rows - first_row < kTileRows ? panels.rows - first_row : kTileRows;
  for (size_t c = 0; rows < kTileRows && c <= panels.cols; ++c) {
    if (!AllZero(values + c * kTileRows + rows, kTileRows - rows)) {
      return Fail(error, STINT_CORRUPT, "section '%s': padding of tile %u", name, tile);
    }
  }
  return STINT_OK;
}

}  // namespace

Status CheckPanels(const char* name, bool int8, const Panels& panels, stint_error* error) {
  for (uint32_t tile = 0; tile < panels.tiles; ++tile) {
    STINT_RETURN_IF_ERROR(int8 ? CheckInt8Tile(name, panels, tile, error)
                               : CheckF32Tile(name, panels, tile, error));
  }
  return STINT_OK;
}

Status CheckRows(const char* name, bool int8, const Rows& rows, stint_error* error) {
  for (uint32_t r = 0; r < rows.rows; ++r) {
    const uint8_t* const bytes = rows.data + r * rows.row_bytes;
    const float* const values = reinterpret_cast<const float*>(bytes);  // int8: the scale alone
    const size_t count = int8 ? 1 : rows.cols;
    const size_t bad = FirstBad(values, count, /*signs=*/!int8);
    if (bad < count) return BadValue(name, int8 ? "scale" : "a weight", r, values[bad], error);
    if (!int8) continue;
    const uint8_t* const codes = bytes + sizeof(float);
    if (std::memchr(codes, 0, rows.cols)) {
      return Fail(error, STINT_CORRUPT, "section '%s': a code of row %u is -128", name, r);
    }
    for (size_t c = rows.cols; c < rows.row_bytes - sizeof(float); ++c) {
      if (codes[c] != kCodeZero) {
        return Fail(error, STINT_CORRUPT, "section '%s': padding of row %u", name, r);
      }
    }
  }
  return STINT_OK;
}

Status CheckActivation(const char* name, uint32_t kind, float alpha, float scale,
                       stint_error* error) {
  if (kind > static_cast<uint32_t>(ActivationKind::kSelu)) {
    return Fail(error, STINT_CORRUPT, "%s activation is %u", name, kind);
  }
  const ActivationKind known = static_cast<ActivationKind>(kind);
  const bool selu = known == ActivationKind::kSelu;
  const bool has_alpha =
      selu || known == ActivationKind::kElu || known == ActivationKind::kLeakyRelu;
  const auto in_range = [](float x) { return x > 0 && x <= kLargestActivationParameter; };
  if (has_alpha ? !in_range(alpha) : alpha != 0.0f) {
    return Fail(error, STINT_CORRUPT, "alpha of the %s activation is %g", name,
                static_cast<double>(alpha));
  }
  if (selu ? !in_range(scale) : scale != 1.0f) {
    return Fail(error, STINT_CORRUPT, "scale of the %s activation is %g", name,
                static_cast<double>(scale));
  }
  return STINT_OK;
}

Status CheckText(const char* name, const char* text, size_t length, stint_error* error) {
  if (length > 0 && std::memchr(text, 0, length)) {
    return Fail(error, STINT_CORRUPT, "text '%s' holds a zero byte", name);
  }
  return STINT_OK;
}

Status CheckNameOffsets(const uint32_t* offsets, uint32_t items, size_t bytes, stint_error* error) {
  if (offsets[0] != 0) {
    return Fail(error, STINT_CORRUPT, "section 'id_name_offsets': starts with %u", offsets[0]);
  }
  for (uint32_t i = 0; i < items; ++i) {
    if (offsets[i + 1] < offsets[i]) {
      return Fail(error, STINT_CORRUPT, "section 'id_name_offsets': %u after %u at item %u",
                  offsets[i + 1], offsets[i], i);
    }
  }
  if (offsets[items] != bytes) {
    return Fail(error, STINT_CORRUPT,
                "section 'id_name_offsets': ends with %u, names have %zu bytes", offsets[items],
                bytes);
  }
  return STINT_OK;
}

Status CheckIdOrder(const BoundModel& model, stint_error* error) {
  for (uint32_t i = 0; i < model.items; ++i) {
    const uint32_t item = model.id_order[i];
    if (item >= model.items) {
      return Fail(error, STINT_CORRUPT, "section 'id_order': item %u of %u", item, model.items);
    }
    if (i == 0) continue;
    // Strictly rising ids: no item and no id stands twice, so this is a permutation.
    const uint32_t before = model.id_order[i - 1];
    bool rises;
    if (model.id_numbers) {
      rises = model.id_numbers[before] < model.id_numbers[item];
    } else {
      rises = CompareNames(model, before, model.id_names + model.name_offsets[item],
                           model.name_offsets[item + 1] - model.name_offsets[item]) < 0;
    }
    if (!rises) {
      return Fail(error, STINT_CORRUPT, "section 'id_order': ids do not rise at position %u", i);
    }
  }
  return STINT_OK;
}

}  // namespace stint
