// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// A CPU -> how many float32 multiplications and additions a second its registers can do: what every
// product is measured against.
#ifndef STINT_BENCH_FMA_PEAK_H_
#define STINT_BENCH_FMA_PEAK_H_

namespace stint::bench {

// GFLOP/s of `threads` threads that do nothing but independent fused multiply-adds on registers,
// with the widest vectors that the trainer uses; the best of a second.
double FmaPeak(int threads);

}  // namespace stint::bench

#endif  // STINT_BENCH_FMA_PEAK_H_
