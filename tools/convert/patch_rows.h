// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// A row of a section, however it lies in the file (schema/panel.h) <-> a few head words and a body
// of numbers; and what a row will be, guessed from rows that are known: its older self, or the item
// row that a cascade's row comes from. A patch holds what differs from the guess.
#ifndef STINT_TOOLS_CONVERT_PATCH_ROWS_H_
#define STINT_TOOLS_CONVERT_PATCH_ROWS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace stint {

// Forms of rows; the numbers stand in patches.
enum class RowForm : uint8_t {
  kInt8Panels = 0,     // head: scale, bias; body: bytes
  kF32Panels = 1,      // head: bias; body: words
  kBf16Panels = 2,     // head: bias; body: halves
  kInt4Panels = 3,     // head: scale, bias; body: nibbles
  kInt8Rows = 4,       // head: scale; body: bytes
  kF32Rows = 5,        // body: words
  kScanTiles = 6,      // head: bounds, step; body: nibbles
  kCandidateRows = 7,  // head: scale, bias, residual, 0; body: bytes
  kWords = 8,          // head: a number
};
inline constexpr uint8_t kRowForms = 9;
inline constexpr uint32_t kMaxRowCols = 65535;

struct RowShape {
  RowForm form = RowForm::kWords;
  uint64_t rows = 0;  // as stored: those of tiles up to a multiple of 64
  uint32_t cols = 0;

  size_t Heads() const;
  size_t Body() const;     // numbers, padding of columns too
  uint32_t Bits() const;   // of a number of the body: 4, 8, 16 or 32
  uint64_t Bytes() const;  // of the section; rows < 2^33, cols <= kMaxRowCols
  bool Tiled() const;      // then rows is a multiple of 64
  // Every row has four bytes at least: what is done for each row is bounded by the file's size.
  bool HasBytes() const { return rows > 0 && (cols > 0 || form == RowForm::kWords); }
  friend bool operator==(const RowShape&, const RowShape&) = default;
};

struct Row {
  uint32_t head[4] = {};
  std::vector<uint32_t> body;
};

// section: [shape.Bytes()], row < shape.rows. Reserves row->body.
void GetRow(const uint8_t* section, const RowShape& shape, uint64_t row, Row* out);
void PutRow(const Row& row, const RowShape& shape, uint64_t index, uint8_t* section);

// What rows of a cascade follow from, of the new model; nullptr: not known.
struct CascadeSources {
  RowShape items;  // int8 panels or float rows
  const uint8_t* item_rows = nullptr;
  const uint8_t* item_biases = nullptr;  // f32 [items] of float rows
  uint64_t item_count = 0;
  RowShape projection;  // f32 panels of [M + 1, H]
  const uint8_t* projection_rows = nullptr;
};

// Guesses rows of one section. The arithmetic is in double, without contraction and in one order,
// so that all devices guess alike.
class RowGuess {
 public:
  // `sources` outlives this; only for a cascade's rows.
  RowGuess(const RowShape& shape, const CascadeSources* sources);

  // The head of row `index`, whose older self is `old` (nullptr: none).
  void Head(uint64_t index, const Row* old, Row* guess);
  // The body of the row that Head() was called for last, now that its head is known.
  void Body(const Row* old, const Row& known, Row* guess);

 private:
  bool ReadItem(uint64_t index);  // false: no source
  void ReadProjection();
  void Project();

  RowShape shape_;
  const CascadeSources* sources_;
  std::vector<double> projection_;  // [M + 1, H]
  Row item_;
  bool has_item_ = false;
  float item_scale_ = 0, item_bias_ = 0;
  std::vector<double> values_;   // [H] of the item row
  std::vector<double> product_;  // [M]
  double step_share_ = 1;        // the part of a scan tile's step that is stored
};

}  // namespace stint

#endif  // STINT_TOOLS_CONVERT_PATCH_ROWS_H_
