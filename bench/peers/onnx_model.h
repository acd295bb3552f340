// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Item rows -> the bytes of an ONNX file that scores a hidden state and returns the k best items.
#ifndef STINT_BENCH_PEERS_ONNX_MODEL_H_
#define STINT_BENCH_PEERS_ONNX_MODEL_H_

#include <string>

#include "trainer/parameters.h"

namespace stint::bench {

// Inputs "hidden" float [1, units] and "k" int64 [1], outputs "scores" float [1, k] and "items"
// int64 [1, k]. float32: MatMul, Add, TopK. int8: what quantization tools write, the rows as int8
// with a scale each, the hidden state quantized at run time: DynamicQuantizeLinear, MatMulInteger,
// Cast, Mul, Mul, Add, TopK.
std::string OnnxModel(const Parameters& parameters, bool int8);

}  // namespace stint::bench

#endif  // STINT_BENCH_PEERS_ONNX_MODEL_H_
