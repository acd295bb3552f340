// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// A weight matrix [rows, cols] -> where each of its weights stands in the model file.
//
// Panels, for products with the whole matrix:
// Tiles of 64 rows follow each other; one tile is one sequential stream for the kernels:
//   int8: [scale f32 x 64][bias f32 x 64][steps of 4 columns: 256 bytes each]
//         in step p, byte 4 * lane + j = code + 128 of row `lane`, column 4 p + j;
//         weight = scale * code, code in [-127, 127]
//   f32:  [bias f32 x 64][columns: 64 floats each, one a row]
// and, of item rows:
//   bf16: [bias f32 x 64][columns: 128 bytes each]
//         word w < 32 of a column has the weight of row w in its low half and of row w + 32 in its
//         high half: a shift and a mask make floats of them
//   int4: [scale f32 x 64][bias f32 x 64][steps of 4 columns: 128 bytes each]
//         in step p, byte 4 * lane + j of block b (64 bytes, b = 0 or 1) has the code of column
//         4 p + j of row 32 b + lane in its low and of row 32 b + lane + 16 in its high four bits,
//         lane < 16; weight = scale * (code - 8), code in [0, 15], the scale of either sign: the
//         larger weights of a row may lie on the side of -8. (Levels code - 7.5 with one sign: 6 to
//         12 % more squared error in rows like Gaussian or Laplacian ones, 8 % less in uniform.)
// Padding: columns up to a multiple of 4 have code 0 (byte 128 of int8, bits 0 of int4, where the
// vector is zero anyway); rows up to a multiple of 64 have scale 0, bias 0, code 0 or weight 0.
// Every tile is a multiple of 64 bytes.
// (Four streams 2 KB apart fell to a quarter of the bandwidth.)
//
// Rows, for matrices of which single rows are read: a row of panels would touch a cache line every
// four columns, here it is one piece. Rows follow each other:
//   int8: [scale f32][bytes, code + 128 each, up to a multiple of 4 columns with code 0];
//         weight = scale * code, code in [-127, 127]
//   f32:  [columns]
//
// Scan tiles, of the cascade (runtime/cascade.h): 64 rows of M 4-bit codes each, one after the
// other:
//   [bounds u32 x 64][steps u32 x 32][steps of 4 columns: 128 bytes each]
//   - bounds: the bias as bf16, rounded up, in the upper half, then tau u8, then rho u8 (lowest); a
//     row without a bound has rho and tau 0 and the largest bias, 0x7F7F
//   - steps: number 16 b + lane has the bf16 step of row 32 b + lane in its upper half and a
//     sixteenth of that of row 32 b + lane + 16 in its lower half, b = 0 or 1, lane < 16
//   - in step p, byte 4 * lane + j of block b (64 bytes) has the code of column 4 p + j of row
//     32 b + lane in its low and of row 32 b + lane + 16 in its high four bits;
//     value = step * (code - 7.5), code in [0, 15]. Rows up to a multiple of 64: all zero.
// Candidate rows, of the cascade, each a multiple of 64 bytes: [bytes, code + 128 each, and bytes
// 128]
//   [scale f32][bias f32][residual f32][0 f32]; weight = scale * code. The residual is the norm of
//   what the codes miss, rounded up; 0 beside int8 panels, whose codes these are.
#ifndef STINT_SCHEMA_PANEL_H_
#define STINT_SCHEMA_PANEL_H_

#include <cstddef>
#include <cstdint>

namespace stint {

inline constexpr uint32_t kFormatVersion =
    3;  // the newest one; schema/model.fbs says which holds what

inline constexpr uint32_t kTileRows = 64;
inline constexpr uint32_t kStepColumns = 4;
inline constexpr uint32_t kStepBytes = kTileRows * kStepColumns;
inline constexpr uint32_t kInt8HeaderBytes = 2 * kTileRows * sizeof(float);  // scales, biases
inline constexpr uint32_t kF32HeaderBytes = kTileRows * sizeof(float);       // biases
inline constexpr uint8_t kCodeZero = 128;                                    // byte of code 0

enum class PanelKind : uint8_t { kInt8, kF32, kBf16, kInt4 };
inline constexpr uint32_t kInt4StepBytes = kStepBytes / 2;
inline constexpr uint32_t kInt4BlockRows = 32;            // of 64 bytes of a step
inline constexpr uint32_t kInt4NibbleRows = 16;           // between the rows of a byte
inline constexpr int32_t kInt4Zero = 8;                   // code of weight 0
inline constexpr uint32_t kBf16HalfRows = kTileRows / 2;  // between the rows of a word
inline constexpr uint32_t kBf16ColumnBytes = kTileRows * 2;

// What a file may hold. Weights beyond kLargestWeight are refused: below it no sum of products
// leaves the range of float (1e15^2 * 16384 < 3.4e38, int8 scales included), so no NaN can arise.
inline constexpr uint32_t kMaxLayers = 16;
inline constexpr uint32_t kMaxUnits = 16384;
inline constexpr uint32_t kMaxItems = 0x7FFFFFFF;
inline constexpr uint32_t kMaxSelfTests = 1024;
inline constexpr uint64_t kMaxFileBytes = 0x7FFFFFFF;
inline constexpr float kLargestWeight = 1e15f;
inline constexpr float kLargestNorm = 1e18f;  // of rows of such weights
// Of the parameters alpha and scale of activations, which are above zero.
inline constexpr float kLargestActivationParameter = 1e6f;

constexpr uint64_t PanelTiles(uint64_t rows) { return (rows + kTileRows - 1) / kTileRows; }
constexpr uint64_t PanelSteps(uint64_t cols) { return (cols + kStepColumns - 1) / kStepColumns; }
// Bytes of a tile and of a whole matrix. For rows < 2^33 and cols < 2^16 nothing wraps.
constexpr uint64_t PanelTileBytes(bool int8, uint64_t cols) {
  return int8 ? kInt8HeaderBytes + PanelSteps(cols) * kStepBytes
              : kF32HeaderBytes + cols * kTileRows * sizeof(float);
}
constexpr uint64_t PanelBytes(bool int8, uint64_t rows, uint64_t cols) {
  return PanelTiles(rows) * PanelTileBytes(int8, cols);
}
constexpr uint64_t PanelTileBytes(PanelKind kind, uint64_t cols) {
  return kind == PanelKind::kBf16   ? kF32HeaderBytes + cols * kBf16ColumnBytes
         : kind == PanelKind::kInt4 ? kInt8HeaderBytes + PanelSteps(cols) * kInt4StepBytes
                                    : PanelTileBytes(kind == PanelKind::kInt8, cols);
}
constexpr uint64_t PanelBytes(PanelKind kind, uint64_t rows, uint64_t cols) {
  return PanelTiles(rows) * PanelTileBytes(kind, cols);
}

// Where a row of an int4 tile has its first code in a step, and the shift of its four bits there.
struct Int4Place {
  uint32_t byte;
  uint32_t shift;
};
constexpr Int4Place Int4PlaceOf(size_t lane) {
  return {static_cast<uint32_t>(lane / kInt4BlockRows * (kInt4StepBytes / 2) +
                                lane % kInt4NibbleRows * kStepColumns),
          static_cast<uint32_t>(lane / kInt4NibbleRows % 2 * 4)};
}
// Which of the 64 halves of a column of a bf16 tile a row has (little-endian).
constexpr size_t Bf16PlaceOf(size_t lane) {
  return lane % kBf16HalfRows * 2 + lane / kBf16HalfRows;
}
// The same of rows: multiples of 4.
constexpr uint64_t RowBytes(bool int8, uint64_t cols) {
  return int8 ? sizeof(float) + PanelSteps(cols) * kStepColumns : cols * sizeof(float);
}
constexpr uint64_t RowsBytes(bool int8, uint64_t rows, uint64_t cols) {
  return rows * RowBytes(int8, cols);
}

// Of the cascade: a scan tile of M columns, a candidate row.
inline constexpr uint32_t kMaxCascadeColumns = 512;
inline constexpr uint32_t kMaxCascadeSeeds = 1024;
inline constexpr uint32_t kScanBoundBytes = kTileRows * sizeof(uint32_t);
inline constexpr uint32_t kScanHeaderBytes = kScanBoundBytes + kTileRows * 2;
inline constexpr uint32_t kScanStepBytes = kStepBytes / 2;
inline constexpr uint32_t kCandidateTailBytes = 4 * sizeof(float);
constexpr uint64_t ScanTileBytes(uint64_t columns) {
  return kScanHeaderBytes + PanelSteps(columns) * kScanStepBytes;
}
constexpr uint64_t CandidateRowBytes(uint64_t cols) {
  return (kCandidateTailBytes + PanelSteps(cols) * kStepColumns + 63) / 64 * 64;
}

}  // namespace stint

#endif  // STINT_SCHEMA_PANEL_H_
