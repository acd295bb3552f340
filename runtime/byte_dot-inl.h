// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Four codes x four signed bytes, added to a 32-bit sum: one instruction where the target has it.
//
// Arm multiplies signed by signed bytes: there the codes lose their offset of 128 on the way, and
// sums come out smaller by 128 times that of the vector. kByteOffset tells it; after it is taken
// into account the integers are the same on every target.

#if defined(STINT_RUNTIME_BYTE_DOT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef STINT_RUNTIME_BYTE_DOT_INL_H_
#undef STINT_RUNTIME_BYTE_DOT_INL_H_
#else
#define STINT_RUNTIME_BYTE_DOT_INL_H_
#endif

#include <hwy/highway.h>

#include <cstdint>

// Which instruction; at most one of the three.
#undef STINT_DOT_AVX_VNNI
#if HWY_TARGET == HWY_AVX2 && (STINT_SECOND_BUILD || defined(__AVXVNNI__))
#define STINT_DOT_AVX_VNNI 1
#else
#define STINT_DOT_AVX_VNNI 0
#endif
#undef STINT_DOT_NEON
#if HWY_TARGET_IS_NEON && HWY_ARCH_ARM_A64 && \
    (STINT_SECOND_BUILD || defined(__ARM_FEATURE_DOTPROD) || HWY_TARGET == HWY_NEON_BF16)
#define STINT_DOT_NEON 1
#else
#define STINT_DOT_NEON 0
#endif
#undef STINT_DOT_HIGHWAY
#if (HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3_DL) || HWY_TARGET_IS_SVE
#define STINT_DOT_HIGHWAY 1
#else
#define STINT_DOT_HIGHWAY 0
#endif

// Whether there is one. Else Highway's byte product widens both operands each time: kernels do
// better to keep one of them 16 bits wide.
#undef STINT_BYTE_DOT
#define STINT_BYTE_DOT (STINT_DOT_AVX_VNNI || STINT_DOT_NEON || STINT_DOT_HIGHWAY)

#if STINT_BYTE_DOT
HWY_BEFORE_NAMESPACE();
namespace stint {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// What CodeDot() adds to a code before it multiplies.
constexpr int32_t kByteOffset = HWY_ARCH_ARM ? 0 : 128;

// sum + the products of four unsigned bytes, each below 128, and four signed ones, by lane.
template <class D, class VU, class VI, class V>
HWY_INLINE V SmallByteDot(D d, VU u, VI q, V sum) {
#if STINT_DOT_AVX_VNNI
  (void)d;
  return V{_mm256_dpbusd_avx_epi32(sum.raw, u.raw, q.raw)};
#elif STINT_DOT_NEON
  (void)d;
  return V(vdotq_s32(sum.raw, vreinterpretq_s8_u8(u.raw), q.raw));
#elif HWY_TARGET_IS_SVE
  return hn::SumOfMulQuadAccumulate(d, hn::BitCast(hn::Repartition<int8_t, D>(), u), q, sum);
#else
  return hn::SumOfMulQuadAccumulate(d, u, q, sum);
#endif
}

// sum + the products of four codes (bytes of code + 128, here code + kByteOffset) and four signed
// bytes, by lane.
template <class D, class VU, class VI, class V>
HWY_INLINE V CodeDot(D d, VU u, VI q, V sum) {
  if (kByteOffset == 128) return SmallByteDot(d, u, q, sum);  // which takes all bytes there
  const hn::Repartition<uint8_t, D> du8;
  return SmallByteDot(d, hn::Xor(u, hn::Set(du8, uint8_t{128})), q, sum);
}

}  // namespace HWY_NAMESPACE
}  // namespace stint
HWY_AFTER_NAMESPACE();
#endif  // STINT_BYTE_DOT

#endif  // STINT_RUNTIME_BYTE_DOT_INL_H_
