// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Weight matrices -> panels and rows of the model file (schema/panel.h), and back.
#ifndef STINT_TRAINER_QUANTIZE_H_
#define STINT_TRAINER_QUANTIZE_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "trainer/options.h"
#include "trainer/parameters.h"

namespace stint {

// One row as int8 codes: scale = max|row| / 127, code = row / scale rounded half to even, so
// |row - scale * code| <= scale / 2 (1 + 2^-22). A row whose largest weight is below 1e-30 becomes
// scale 0, codes 0. `codes` is [cols].
float QuantizeRow(const float* row, size_t cols, int8_t* codes);

// One row as 4-bit codes: weight = scale * (code - 8), code in [0, 15], scale of either sign. Of
// scales that clip the largest weights more or less, the one with the least sum of squared errors,
// fitted to its codes. A row whose largest weight is below 1e-30 becomes scale 0, codes 0. `codes`
// is [cols].
float QuantizeRow4(const float* row, size_t cols, uint8_t* codes);

// A weight as bfloat16, rounded half to even; finite for magnitudes up to 1e15.
uint16_t RoundToBf16(float weight);

// The kind of the layers' matrices and of input rows in a model of `dtype`.
DType LayerDType(DType dtype);

// Bytes of `weights` in panels: a multiple of 64.
size_t PackedSize(DType dtype, size_t rows, size_t cols);

// Writes the panels of `weights` and of `bias` ([rows], or null for zeros) to `out`, PackedSize()
// bytes. Throws std::runtime_error that starts with `name` if a weight is not finite or larger
// than the format allows.
void PackPanels(const std::string& name, DType dtype, const Matrix& weights, const float* bias,
                uint8_t* out);

// The weights that panels stand for; `weights` has the matrix' shape, `bias` is [rows] or null.
void UnpackPanels(DType dtype, const uint8_t* panels, Matrix* weights, float* bias);

// The same of rows, RowsSize() bytes, int8 or f32. A row of `weights` is `parts` rows of the file,
// each with a scale of its own: the gates of a one-hot input differ in size. weights.cols is a
// multiple of it.
size_t RowsSize(DType dtype, size_t rows, size_t cols, size_t parts);
void PackRows(const std::string& name, DType dtype, const Matrix& weights, size_t parts,
              uint8_t* out);
void UnpackRows(DType dtype, const uint8_t* rows, size_t parts, Matrix* weights);

}  // namespace stint

#endif  // STINT_TRAINER_QUANTIZE_H_
