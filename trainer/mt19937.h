// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Seed -> the stream of numpy's legacy generator (numpy.random.seed, numpy.random.rand), from which
// the official GRU4Rec codes draw their start values.
#ifndef STINT_TRAINER_MT19937_H_
#define STINT_TRAINER_MT19937_H_

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace stint {

// Where a start value is rounded to float32.
enum class BlockRounding {
  kFirst,  // the uniform number; all arithmetic after it is in float32 (the PyTorch code)
  kLast,   // the result of arithmetic in double (the Theano code)
};

class NumpyRandom {
 public:
  explicit NumpyRandom(uint32_t seed) : generator_(seed) {}

  // Uniform in [0, 1), a multiple of 2^-53 of two draws.
  double Unit() {
    const uint64_t high = generator_() >> 5;
    const uint64_t low = generator_() >> 6;
    return static_cast<double>((high << 26) + low) * 0x1p-53;
  }

  // [rows, cols] of U(-s, s), s = sqrt(6 / (rows + cols)), drawn row by row.
  std::vector<float> Block(size_t rows, size_t cols, BlockRounding rounding);

 private:
  std::mt19937 generator_;
};

}  // namespace stint

#endif  // STINT_TRAINER_MT19937_H_
