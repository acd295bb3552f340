// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// A model -> a hash of all that the runtime computes with it in fixed sessions: hidden states,
// scores, ranks, recommendations with and without filters, probabilities, exported state. With the
// C API alone, so that it can be built for devices that have neither googletest nor the trainer.
#ifndef STINT_TESTS_DEVICE_DEVICE_BITS_H_
#define STINT_TESTS_DEVICE_DEVICE_BITS_H_

#include <cstdint>

#include "stint/stint.h"

namespace stint {

// Of the hashes of DeviceModels() one after the other, on every CPU. Made on x86-64 (AVX3_DL),
// 2026-11; a change of the arithmetic changes it and needs a new format version.
inline constexpr uint64_t kDeviceBits = 0x5e0fde9d12dc20f3;

// 0, with *failed the call, if a call of the runtime fails.
uint64_t DeviceBits(const stint_model* model, const char** failed);

// XXH3 of numbers one after the other.
uint64_t HashOf(const uint64_t* numbers, size_t count);

}  // namespace stint

#endif  // STINT_TESTS_DEVICE_DEVICE_BITS_H_
