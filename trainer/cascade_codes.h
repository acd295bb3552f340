// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// One item row -> its 4-bit codes in a cascade's subspace, and what they miss (runtime/cascade.h).
#ifndef STINT_TRAINER_CASCADE_CODES_H_
#define STINT_TRAINER_CASCADE_CODES_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "trainer/cascade.h"
#include "trainer/projection.h"

namespace stint {

// The least float that is not below x >= 0; doubles of the bounds carry rounding errors of some
// thousand units, which a factor covers.
float FloatNotBelow(double x);

// bfloat16 is the upper half of a float.
uint16_t NearestBf16(float x);
uint16_t Bf16NotBelow(float x);
float FromBf16(uint16_t x);

struct CodedRow {
  uint16_t step = 0;           // bf16
  std::vector<uint8_t> codes;  // [M] in [0, 15]
  // What its bound is made of.
  double rho = 0;
  double tau = 0;
  double norm = 0;  // of the values that the codes stand for
};

// Turns rows into codes; one for each thread.
class RowCoder {
 public:
  RowCoder(const CascadeInput& input, const Projection& projection);

  // Valid until the next call.
  const CodedRow& Code(size_t item);

 private:
  void ReadRow(size_t item);
  void Project(double* norm_x, double* norm_c);
  void CodeWithStep(double step, CodedRow* out) const;

  const CascadeInput& input_;
  const Projection& projection_;
  std::vector<int8_t> int8_codes_;  // [H]
  std::vector<double> x_;           // [H] the row that scores are defined by, minus the mean
  std::vector<double> c_;           // [M]
  CodedRow best_, tried_;
};

}  // namespace stint

#endif  // STINT_TRAINER_CASCADE_CODES_H_
