// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Sections of a model file <-> rows.
#include "tools/convert/patch_rows.h"

#include <bit>
#include <cstring>

#include "schema/panel.h"

namespace stint {
namespace {

uint32_t Word(const uint8_t* at) {
  uint32_t word;
  std::memcpy(&word, at, sizeof(word));
  return word;
}
void PutWord(uint32_t word, uint8_t* at) { std::memcpy(at, &word, sizeof(word)); }

size_t PaddedCols(uint32_t cols) { return PanelSteps(cols) * kStepColumns; }

PanelKind KindOf(RowForm form) {
  switch (form) {
    case RowForm::kInt8Panels:
      return PanelKind::kInt8;
    case RowForm::kBf16Panels:
      return PanelKind::kBf16;
    case RowForm::kInt4Panels:
      return PanelKind::kInt4;
    default:
      return PanelKind::kF32;
  }
}

uint64_t TileBytes(const RowShape& shape) {
  return shape.form == RowForm::kScanTiles ? ScanTileBytes(shape.cols)
                                           : PanelTileBytes(KindOf(shape.form), shape.cols);
}

uint64_t PlainRowBytes(const RowShape& shape) {
  switch (shape.form) {
    case RowForm::kInt8Rows:
      return RowBytes(true, shape.cols);
    case RowForm::kF32Rows:
      return RowBytes(false, shape.cols);
    case RowForm::kCandidateRows:
      return CandidateRowBytes(shape.cols);
    default:
      return sizeof(uint32_t);
  }
}

// Where the halves of a scan tile have the step of a row: high or low half of a word.
struct StepPlace {
  size_t byte;
};
StepPlace StepPlaceOf(size_t lane) {
  const size_t word = lane / kInt4BlockRows * kInt4NibbleRows + lane % kInt4NibbleRows;
  const bool low = lane / kInt4NibbleRows % 2 == 1;
  return {kScanBoundBytes + word * sizeof(uint32_t) + (low ? 0 : 2)};
}

// Visits all fields of a row in their order with the place of each: head(k, byte, bytes) and
// body(j, byte, shift), bits as the form has them.
template <class Head, class Body>
void VisitRow(const RowShape& shape, uint64_t row, const Head& head, const Body& body) {
  const size_t lane = static_cast<size_t>(row % kTileRows);
  const uint64_t tile = shape.Tiled() ? row / kTileRows * TileBytes(shape) : 0;
  const size_t count = shape.Body();
  switch (shape.form) {
    case RowForm::kInt8Panels:
      head(0, tile + 4 * lane, 4);
      head(1, tile + 4 * (kTileRows + lane), 4);
      for (size_t j = 0; j < count; ++j) {
        body(j, tile + kInt8HeaderBytes + j / 4 * kStepBytes + 4 * lane + j % 4, 0);
      }
      return;
    case RowForm::kF32Panels:
      head(0, tile + 4 * lane, 4);
      for (size_t j = 0; j < count; ++j) {
        body(j, tile + kF32HeaderBytes + (j * kTileRows + lane) * 4, 0);
      }
      return;
    case RowForm::kBf16Panels:
      head(0, tile + 4 * lane, 4);
      for (size_t j = 0; j < count; ++j) {
        body(j, tile + kF32HeaderBytes + j * kBf16ColumnBytes + 2 * Bf16PlaceOf(lane), 0);
      }
      return;
    case RowForm::kInt4Panels:
    case RowForm::kScanTiles: {
      const bool scan = shape.form == RowForm::kScanTiles;
      head(0, tile + 4 * lane, 4);
      if (scan) {
        head(1, tile + StepPlaceOf(lane).byte, 2);
      } else {
        head(1, tile + 4 * (kTileRows + lane), 4);
      }
      const Int4Place place = Int4PlaceOf(lane);
      const uint64_t codes = tile + (scan ? kScanHeaderBytes : kInt8HeaderBytes) + place.byte;
      for (size_t j = 0; j < count; ++j) {
        body(j, codes + j / 4 * kInt4StepBytes + j % 4, place.shift);
      }
      return;
    }
    case RowForm::kInt8Rows: {
      const uint64_t at = row * PlainRowBytes(shape);
      head(0, at, 4);
      for (size_t j = 0; j < count; ++j) body(j, at + 4 + j, 0);
      return;
    }
    case RowForm::kF32Rows: {
      const uint64_t at = row * PlainRowBytes(shape);
      for (size_t j = 0; j < count; ++j) body(j, at + 4 * j, 0);
      return;
    }
    case RowForm::kCandidateRows: {
      const uint64_t at = row * PlainRowBytes(shape);
      for (size_t k = 0; k < 4; ++k) head(k, at + count + 4 * k, 4);
      for (size_t j = 0; j < count; ++j) body(j, at + j, 0);
      return;
    }
    case RowForm::kWords:
      head(0, row * sizeof(uint32_t), 4);
      return;
  }
}

}  // namespace

size_t RowShape::Heads() const {
  constexpr uint8_t kHeads[kRowForms] = {2, 1, 1, 2, 1, 0, 2, 4, 1};
  return kHeads[static_cast<size_t>(form)];
}

size_t RowShape::Body() const {
  switch (form) {
    case RowForm::kInt8Panels:
    case RowForm::kInt4Panels:
    case RowForm::kInt8Rows:
    case RowForm::kScanTiles:
      return PaddedCols(cols);
    case RowForm::kF32Panels:
    case RowForm::kBf16Panels:
    case RowForm::kF32Rows:
      return cols;
    case RowForm::kCandidateRows:
      return static_cast<size_t>(CandidateRowBytes(cols)) - kCandidateTailBytes;
    case RowForm::kWords:
      return 0;
  }
  return 0;
}

uint32_t RowShape::Bits() const {
  constexpr uint8_t kBits[kRowForms] = {8, 32, 16, 4, 8, 32, 4, 8, 32};
  return kBits[static_cast<size_t>(form)];
}

bool RowShape::Tiled() const {
  return form == RowForm::kInt8Panels || form == RowForm::kF32Panels ||
         form == RowForm::kBf16Panels || form == RowForm::kInt4Panels ||
         form == RowForm::kScanTiles;
}

uint64_t RowShape::Bytes() const {
  return Tiled() ? rows / kTileRows * TileBytes(*this) : rows * PlainRowBytes(*this);
}

void GetRow(const uint8_t* section, const RowShape& shape, uint64_t row, Row* out) {
  out->body.resize(shape.Body());
  const auto head = [&](size_t k, uint64_t at, size_t bytes) {
    out->head[k] =
        bytes == 4 ? Word(section + at) : static_cast<uint32_t>(section[at] | section[at + 1] << 8);
  };
  uint32_t* const body = out->body.data();
  switch (shape.Bits()) {
    case 4:
      VisitRow(shape, row, head, [&](size_t j, uint64_t at, uint32_t shift) {
        body[j] = section[at] >> shift & 15u;
      });
      return;
    case 8:
      VisitRow(shape, row, head, [&](size_t j, uint64_t at, uint32_t) { body[j] = section[at]; });
      return;
    case 16:
      VisitRow(shape, row, head, [&](size_t j, uint64_t at, uint32_t) {
        body[j] = static_cast<uint32_t>(section[at] | section[at + 1] << 8);
      });
      return;
    default:
      VisitRow(shape, row, head,
               [&](size_t j, uint64_t at, uint32_t) { body[j] = Word(section + at); });
  }
}

void PutRow(const Row& row, const RowShape& shape, uint64_t index, uint8_t* section) {
  const auto head = [&](size_t k, uint64_t at, size_t bytes) {
    std::memcpy(section + at, &row.head[k], bytes);  // little-endian
  };
  const uint32_t* const body = row.body.data();
  switch (shape.Bits()) {
    case 4:
      VisitRow(shape, index, head, [&](size_t j, uint64_t at, uint32_t shift) {
        section[at] = static_cast<uint8_t>((section[at] & (0xF0u >> shift)) | body[j] << shift);
      });
      return;
    case 8:
      VisitRow(shape, index, head, [&](size_t j, uint64_t at, uint32_t) {
        section[at] = static_cast<uint8_t>(body[j]);
      });
      return;
    case 16:
      VisitRow(shape, index, head,
               [&](size_t j, uint64_t at, uint32_t) { std::memcpy(section + at, &body[j], 2); });
      return;
    default:
      VisitRow(shape, index, head,
               [&](size_t j, uint64_t at, uint32_t) { PutWord(body[j], section + at); });
  }
}

static_assert(std::endian::native == std::endian::little, "files are little-endian");

}  // namespace stint
