// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Parts of a model file whose size is right -> whether their values are.
#include "runtime/validate.h"

#include <cmath>
#include <cstring>

#include "runtime/item_ids.h"
#include "schema/panel.h"

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

Status BadPadding(const Section& section, uint32_t tile, stint_error* error) {
  return Fail(error, STINT_CORRUPT, "section '%s': padding of tile %u", section.name, tile);
}

Status CheckInt8Tile(const Section& section, uint32_t tile, stint_error* error) {
  const char* const name = section.name;
  const uint8_t* const bytes = section.data + tile * section.unit_bytes;
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
  if (std::memchr(codes, 0, section.unit_bytes - kInt8HeaderBytes)) {
    return Fail(error, STINT_CORRUPT, "section '%s': a code of tile %u is -128", name, tile);
  }
  const uint32_t rows = section.rows - first_row < kTileRows ? section.rows - first_row : kTileRows;
  const uint32_t steps = static_cast<uint32_t>(PanelSteps(section.cols));
  bool padded =
      AllZero(scales + rows, kTileRows - rows) && AllZero(biases + rows, kTileRows - rows);
  for (uint32_t p = 0; p < steps; ++p) {
    const uint8_t* const step = codes + size_t{p} * kStepBytes;
    for (uint32_t b = rows * kStepColumns; b < kStepBytes; ++b) padded &= step[b] == kCodeZero;
  }
  for (uint32_t c = section.cols; c < steps * kStepColumns; ++c) {
    const uint8_t* const last = codes + size_t{steps - 1} * kStepBytes + c % kStepColumns;
    for (uint32_t lane = 0; lane < rows; ++lane) padded &= last[lane * kStepColumns] == kCodeZero;
  }
  if (!padded) return Fail(error, STINT_CORRUPT, "section '%s': padding of tile %u", name, tile);
  return STINT_OK;
}

Status CheckF32Tile(const Section& section, uint32_t tile, stint_error* error) {
  const char* const name = section.name;
  const float* const values =
      reinterpret_cast<const float*>(section.data + tile * section.unit_bytes);  // [1 + cols, 64]
  const size_t count = section.unit_bytes / sizeof(float);
  const uint32_t first_row = tile * kTileRows;
  const size_t bad = FirstBad(values, count, /*signs=*/true);
  if (bad < count) {
    return BadValue(name, bad < kTileRows ? "bias" : "a weight",
                    first_row + static_cast<uint32_t>(bad % kTileRows), values[bad], error);
  }
  const uint32_t rows = section.rows - first_row < kTileRows ? section.rows - first_row : kTileRows;
  for (size_t c = 0; rows < kTileRows && c <= section.cols; ++c) {
    if (!AllZero(values + c * kTileRows + rows, kTileRows - rows)) {
      return Fail(error, STINT_CORRUPT, "section '%s': padding of tile %u", name, tile);
    }
  }
  return STINT_OK;
}

Status CheckBf16Tile(const Section& section, uint32_t tile, stint_error* error) {
  const uint8_t* const bytes = section.data + tile * section.unit_bytes;
  const float* const biases = reinterpret_cast<const float*>(bytes);  // [64]
  const uint16_t* const weights =
      reinterpret_cast<const uint16_t*>(bytes + kF32HeaderBytes);  // [cols, 64]
  const uint32_t first_row = tile * kTileRows;
  const size_t bad = FirstBad(biases, kTileRows, /*signs=*/true);
  if (bad < kTileRows) {
    return BadValue(section.name, "bias", first_row + static_cast<uint32_t>(bad), biases[bad],
                    error);
  }
  const uint32_t limit = FloatBits(kLargestWeight) >> 16;
  const size_t count = size_t{section.cols} * kTileRows;
  uint32_t beyond = 0;
  for (size_t i = 0; i < count; ++i) beyond |= (weights[i] & 0x7FFFu) > limit;
  if (beyond) {
    size_t i = 0;
    while ((weights[i] & 0x7FFFu) <= limit) ++i;
    const uint32_t lane = static_cast<uint32_t>(i % 2 * kBf16HalfRows + i % kTileRows / 2);
    const uint32_t bits = uint32_t{weights[i]} << 16;
    float value;
    std::memcpy(&value, &bits, sizeof(value));
    return BadValue(section.name, "a weight", first_row + lane, value, error);
  }
  const uint32_t rows = section.rows - first_row < kTileRows ? section.rows - first_row : kTileRows;
  bool padded = AllZero(biases + rows, kTileRows - rows);
  for (uint32_t lane = rows; lane < kTileRows; ++lane) {
    for (size_t c = 0; c < section.cols; ++c) {
      padded &= weights[c * kTileRows + Bf16PlaceOf(lane)] == 0;
    }
  }
  return padded ? STINT_OK : BadPadding(section, tile, error);
}

Status CheckInt4Tile(const Section& section, uint32_t tile, stint_error* error) {
  const uint8_t* const bytes = section.data + tile * section.unit_bytes;
  const float* const scales = reinterpret_cast<const float*>(bytes);  // [64]
  const float* const biases = scales + kTileRows;                     // [64]
  const uint8_t* const codes = bytes + kInt8HeaderBytes;
  const uint32_t first_row = tile * kTileRows;
  const size_t bad = FirstBad(scales, 2 * kTileRows, /*signs=*/true);
  if (bad < 2 * kTileRows) {
    return BadValue(section.name, bad < kTileRows ? "scale" : "bias",
                    first_row + static_cast<uint32_t>(bad % kTileRows), scales[bad], error);
  }
  const uint32_t rows = section.rows - first_row < kTileRows ? section.rows - first_row : kTileRows;
  const size_t steps = static_cast<size_t>(PanelSteps(section.cols));
  bool padded =
      AllZero(scales + rows, kTileRows - rows) && AllZero(biases + rows, kTileRows - rows);
  for (uint32_t lane = rows; lane < kTileRows; ++lane) {
    const Int4Place place = Int4PlaceOf(lane);
    for (size_t c = 0; c < steps * kStepColumns; ++c) {
      const uint8_t byte = codes[c / kStepColumns * kInt4StepBytes + place.byte + c % kStepColumns];
      padded &= (byte >> place.shift & 15) == 0;
    }
  }
  for (uint32_t b = 0; b < kInt4StepBytes && section.cols % kStepColumns != 0; ++b) {
    if (b % kStepColumns < section.cols % kStepColumns) continue;
    padded &= codes[(steps - 1) * kInt4StepBytes + b] == 0;
  }
  return padded ? STINT_OK : BadPadding(section, tile, error);
}

Status CheckRow(const Section& section, bool int8, uint32_t row, stint_error* error) {
  const uint8_t* const bytes = section.data + row * section.unit_bytes;
  const float* const values = reinterpret_cast<const float*>(bytes);  // int8: the scale alone
  const size_t count = int8 ? 1 : section.cols;
  const size_t bad = FirstBad(values, count, /*signs=*/!int8);
  if (bad < count) {
    return BadValue(section.name, int8 ? "scale" : "a weight", row, values[bad], error);
  }
  if (!int8) return STINT_OK;
  const uint8_t* const codes = bytes + sizeof(float);
  if (std::memchr(codes, 0, section.cols)) {
    return Fail(error, STINT_CORRUPT, "section '%s': a code of row %u is -128", section.name, row);
  }
  for (size_t c = section.cols; c < section.unit_bytes - sizeof(float); ++c) {
    if (codes[c] != kCodeZero) {
      return Fail(error, STINT_CORRUPT, "section '%s': padding of row %u", section.name, row);
    }
  }
  return STINT_OK;
}

// The bf16 numbers of a tile: no infinity, no NaN. Whether the bounds are true is another question,
// of the whole model: a wrong one may cost an item its place, but leads out of no array.
Status CheckScanTile(const Section& section, uint32_t tile, stint_error* error) {
  const uint8_t* const bytes = section.data + tile * section.unit_bytes;
  uint16_t numbers[kTileRows + kTileRows];  // steps as they lie, then biases
  std::memcpy(numbers, bytes + kScanBoundBytes, kTileRows * sizeof(uint16_t));
  for (uint32_t i = 0; i < kTileRows; ++i) {
    std::memcpy(&numbers[kTileRows + i], bytes + i * sizeof(uint32_t) + 2, sizeof(uint16_t));
  }
  for (const uint16_t number : numbers) {
    if ((number & 0x7F80) != 0x7F80) continue;
    return Fail(error, STINT_CORRUPT, "section '%s': tile %u has a number that is not finite",
                section.name, tile);
  }
  return STINT_OK;
}

Status CheckCandidateRow(const Section& section, uint32_t row, stint_error* error) {
  float tail[4];  // scale, bias, residual, 0
  std::memcpy(tail, section.data + (row + size_t{1}) * section.unit_bytes - sizeof(tail),
              sizeof(tail));
  for (uint32_t i = 0; i < 4; ++i) {
    if (i == 1 ? std::fabs(tail[i]) <= kLargestWeight : tail[i] >= 0 && tail[i] <= kLargestNorm) {
      continue;
    }
    return Fail(error, STINT_CORRUPT, "section '%s': number %u of row %u is %g", section.name, i,
                row, static_cast<double>(tail[i]));
  }
  return STINT_OK;
}

Status CheckUnit(const Section& section, uint32_t unit, stint_error* error) {
  switch (section.contents) {
    case Contents::kInt8Panels:
      return CheckInt8Tile(section, unit, error);
    case Contents::kF32Panels:
      return CheckF32Tile(section, unit, error);
    case Contents::kBf16Panels:
      return CheckBf16Tile(section, unit, error);
    case Contents::kInt4Panels:
      return CheckInt4Tile(section, unit, error);
    case Contents::kInt8Rows:
      return CheckRow(section, /*int8=*/true, unit, error);
    case Contents::kF32Rows:
      return CheckRow(section, /*int8=*/false, unit, error);
    case Contents::kScanTiles:
      return CheckScanTile(section, unit, error);
    case Contents::kCandidateRows:
      return CheckCandidateRow(section, unit, error);
    case Contents::kOther:
      break;
  }
  return STINT_OK;
}

}  // namespace

Status CheckValues(const Section& section, size_t begin, size_t end, stint_error* error) {
  if (section.contents == Contents::kOther) return STINT_OK;
  const uint32_t last = static_cast<uint32_t>(end / section.unit_bytes);
  for (uint32_t i = static_cast<uint32_t>(begin / section.unit_bytes); i < last; ++i) {
    STINT_RETURN_IF_ERROR(CheckUnit(section, i, error));
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

Status CheckNameOffsets(const BoundModel& model, stint_error* error) {
  const uint32_t* const offsets = model.name_offsets;
  if (offsets[0] != 0) {
    return Fail(error, STINT_CORRUPT, "section 'id_name_offsets': starts with %u", offsets[0]);
  }
  for (uint32_t i = 0; i < model.items; ++i) {
    if (offsets[i + 1] < offsets[i]) {
      return Fail(error, STINT_CORRUPT, "section 'id_name_offsets': %u after %u at item %u",
                  offsets[i + 1], offsets[i], i);
    }
  }
  if (offsets[model.items] != model.name_bytes) {
    return Fail(error, STINT_CORRUPT,
                "section 'id_name_offsets': ends with %u, names have %zu bytes",
                offsets[model.items], model.name_bytes);
  }
  return STINT_OK;
}

Status CheckIdOrder(const BoundModel& model, stint_error* error) {
  // Strictly rising ids: no item and no id stands twice, so this is a permutation.
  int64_t number = 0;  // the id before
  const uint8_t* name = nullptr;
  size_t length = 0;
  for (uint32_t i = 0; i < model.items; ++i) {
    const uint32_t item = model.id_order[i];
    if (item >= model.items) {
      return Fail(error, STINT_CORRUPT, "section 'id_order': item %u of %u", item, model.items);
    }
    bool rises;
    if (model.id_numbers) {
      const int64_t next = model.id_numbers[item];
      rises = number < next;
      number = next;
    } else {
      size_t next_length;
      const uint8_t* const next = NameOf(model, item, &next_length);
      rises = CompareNames(name, length, next, next_length) < 0;
      name = next;
      length = next_length;
    }
    if (i > 0 && !rises) {
      return Fail(error, STINT_CORRUPT, "section 'id_order': ids do not rise at position %u", i);
    }
  }
  return STINT_OK;
}

}  // namespace stint
