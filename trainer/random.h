// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// (seed, stream, index) -> random bits. Counter-based: every draw is a pure function
// of its index, so results do not depend on the number of threads or on the order in
// which they are drawn.
#ifndef STINT_TRAINER_RANDOM_H_
#define STINT_TRAINER_RANDOM_H_

#include <cstdint>

namespace stint {

// What a stream of random numbers is for; streams are independent of each other.
enum class RandomStream : uint64_t {
  kInitialize = 1,
  kNegatives = 2,
  kDropoutEmbedding = 3,
  kDropoutHidden = 4,  // + layer
  kSessionOrder = uint64_t{1} << 32,
};

// Bijective 64-bit mixer: the finalizer of SplitMix64 (Steele, Lea, Flood, "Fast
// splittable pseudorandom number generators", OOPSLA 2014, variant 13).
constexpr uint64_t kMixFirst = 0xBF58476D1CE4E5B9u, kMixSecond = 0x94D049BB133111EBu;
inline uint64_t MixBits(uint64_t x) {
  x ^= x >> 30;
  x *= kMixFirst;
  x ^= x >> 27;
  x *= kMixSecond;
  return x ^ (x >> 31);
}

// A stream of 64-bit draws: SplitMix64 whose start is mixed from seed and stream.
class RandomCounter {
 public:
  RandomCounter(uint64_t seed, uint64_t stream)
      : key_(MixBits(MixBits(seed + kGolden) + stream * kGolden)) {}

  uint64_t Bits(uint64_t index) const { return MixBits(key_ + (index + 1) * kGolden); }
  // Uniform in [0, 1), a multiple of 2^-53.
  double Unit(uint64_t index) const { return static_cast<double>(Bits(index) >> 11) * 0x1p-53; }

  static constexpr uint64_t kGolden = 0x9E3779B97F4A7C15u;
  uint64_t key() const { return key_; }

 private:
  uint64_t key_;
};

}  // namespace stint

#endif  // STINT_TRAINER_RANDOM_H_
