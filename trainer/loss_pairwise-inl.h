// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// BPR and TOP1 (arXiv 1511.06939, section 3.1.3; ALGORITHM section 6): the stages of loss.h for 16
// sessions. With v_j = sigmoid(y_j - target), u = sigmoid(y^2), n columns that count, the target
// among them:
//   bpr   log 2 + sum over j != i of -log(1 - v_j);  j != i: v_j
//   top1  (1/2 + sum over j != i of (v_j + u_j)) / n;
//         j != i: (v_j (1 - v_j) + 2 y_j u_j (1 - u_j)) / n;  i: minus the first of these summed
// The target of bpr has minus the sum of the others; all times the slope of the final activation.

#if defined(STINT_TRAINER_LOSS_PAIRWISE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef STINT_TRAINER_LOSS_PAIRWISE_INL_H_
#undef STINT_TRAINER_LOSS_PAIRWISE_INL_H_
#else
#define STINT_TRAINER_LOSS_PAIRWISE_INL_H_
#endif

#include <hwy/highway.h>

#include <algorithm>

#include "trainer/loss-inl.h"

HWY_BEFORE_NAMESPACE();
namespace stint {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Of a column that does not count, and of the session's own target.
template <bool kMasked>
HWY_INLINE V CountedOrZero(D d, const LossBatch& batch, size_t c, size_t lane, V y, V v) {
  if (c < batch.rows) v = hn::IfThenZeroElse(IsTarget(d, lane, c), v);
  if constexpr (kMasked) v = hn::IfThenZeroElse(IsExcludedValue(d, y), v);
  return v;
}

// product >= 1 -> its mantissa, in [1, 2); the exponent is added to `exponents`. NaN stays NaN.
HWY_INLINE V TakeExponent(D d, V product, V& exponents) {
  const hn::RebindToSigned<D> di;
  const auto bits = hn::BitCast(di, product);
  const auto exponent = hn::Sub(hn::ShiftRight<23>(bits), hn::Set(di, 127));
  exponents = hn::Add(exponents, hn::ConvertTo(d, exponent));
  const auto mantissa = hn::And(bits, hn::Set(di, 0x007fffff));
  const V m = hn::BitCast(d, hn::Or(mantissa, hn::Set(di, 0x3f800000)));
  return hn::IfThenElse(hn::Eq(product, product), m, product);
}

// -log(1 - v) = max(x, 0) + log(1 + exp(-|x|)), x = y - target. The first summands go to
// kPairwise; of the second ones the product of the 1 + exp(-|x|): mantissa in kSquares, exponent in
// kSum. So a session takes one logarithm, at the end. kSlope is the sum of v.
template <ValueKind kKind, bool kMasked>
void BprPartial(const LossConfig& config, const LossBatch& batch, size_t begin, size_t end,
                size_t lane, const float* targets, float* partial) {
  const D d;
  const V zero = hn::Zero(d), one = hn::Set(d, 1.0f);
  const V target = hn::Load(d, targets + lane);
  V linear = zero, product = one, exponents = zero, slope = zero;
  for (size_t first = begin; first < end; first += 64) {  // 2^64: the product stays finite
    for (size_t c = first; c < std::min(end, first + 64); ++c) {
      const V y = ValueAt<kKind, kMasked>(d, config, batch, c, lane);
      const V x = hn::Sub(y, target);
      const V e = ExpNonPositive(d, hn::Neg(hn::Abs(x)));
      const V factor = hn::Add(one, e);
      const V v = hn::Div(hn::IfThenElse(hn::Lt(x, zero), e, one), factor);
      const V above = hn::IfThenZeroElse(hn::Lt(x, zero), x);
      linear = hn::Add(linear, CountedOrZero<kMasked>(d, batch, c, lane, y, above));
      product = hn::Add(product, hn::Mul(product, CountedOrZero<kMasked>(d, batch, c, lane, y, e)));
      slope = hn::Add(slope, CountedOrZero<kMasked>(d, batch, c, lane, y, v));
    }
    product = TakeExponent(d, product, exponents);
  }
  StoreRow(d, batch, linear, partial, kPairwise, lane);
  StoreRow(d, batch, product, partial, kSquares, lane);
  StoreRow(d, batch, exponents, partial, kSum, lane);
  StoreRow(d, batch, slope, partial, kSlope, lane);
}

// kPairwise: sum of v + u; kSlope: sum of v (1 - v); kCount: columns that count but for the target.
template <ValueKind kKind, bool kMasked>
void Top1Partial(const LossConfig& config, const LossBatch& batch, size_t begin, size_t end,
                 size_t lane, const float* targets, float* partial) {
  const D d;
  const V zero = hn::Zero(d), one = hn::Set(d, 1.0f);
  const V target = hn::Load(d, targets + lane);
  V pairwise = zero, slope = zero, count = zero;
  for (size_t c = begin; c < end; ++c) {
    const V y = ValueAt<kKind, kMasked>(d, config, batch, c, lane);
    const V x = hn::Sub(y, target);
    const V e = ExpNonPositive(d, hn::Neg(hn::Abs(x)));
    const V f = ExpNonPositive(d, hn::Neg(hn::Mul(y, y)));
    const V a = hn::Add(one, e), b = hn::Add(one, f);
    const V of_both = hn::Div(one, hn::Mul(a, b));
    const V of_a = hn::Mul(of_both, b), u = hn::Mul(of_both, a);
    const V v = hn::IfThenElse(hn::Lt(x, zero), hn::Mul(e, of_a), of_a);
    const V counts = CountedOrZero<kMasked>(d, batch, c, lane, y, one);
    // A product would let a value that is infinite through as NaN.
    pairwise = hn::Add(pairwise, CountedOrZero<kMasked>(d, batch, c, lane, y, hn::Add(v, u)));
    slope = hn::Add(slope,
                    CountedOrZero<kMasked>(d, batch, c, lane, y, hn::Mul(hn::Mul(e, of_a), of_a)));
    count = hn::Add(count, counts);
  }
  StoreRow(d, batch, pairwise, partial, kPairwise, lane);
  StoreRow(d, batch, slope, partial, kSlope, lane);
  StoreRow(d, batch, count, partial, kCount, lane);
}

// Leaves a column's weight in kNorm (weight; TOP1: weight / n), the target's gradient in kSlope,
// and for the loss the sums; of TOP1 also n in kCount.
inline void PairwiseCombine(const LossConfig& config, const LossBatch& batch, const float* partials,
                            size_t blocks, size_t lane, float* statistics) {
  const D d;
  V pairwise = hn::Zero(d), slope = hn::Zero(d), exponents = hn::Zero(d);
  V product = hn::Set(d, 1.0f), count = hn::Set(d, 1.0f);
  for (size_t b = 0; b < blocks; ++b) {
    const float* partial = PartialOf(batch, partials, b);
    pairwise = hn::Add(pairwise, LoadRow(d, batch, partial, kPairwise, lane));
    slope = hn::Add(slope, LoadRow(d, batch, partial, kSlope, lane));
    if (config.loss == Loss::kTop1) {
      count = hn::Add(count, LoadRow(d, batch, partial, kCount, lane));
    } else {
      exponents = hn::Add(exponents, LoadRow(d, batch, partial, kSum, lane));
      product = hn::Mul(product, LoadRow(d, batch, partial, kSquares, lane));
      product = TakeExponent(d, product, exponents);
    }
  }
  const V weight = hn::Div(RowWeight(d, batch, lane), count);
  StoreRow(d, batch, weight, statistics, kNorm, lane);
  StoreRow(d, batch, hn::Neg(hn::Mul(weight, slope)), statistics, kSlope, lane);
  StoreRow(d, batch, pairwise, statistics, kPairwise, lane);
  StoreRow(d, batch, product, statistics, kSquares, lane);
  StoreRow(d, batch, exponents, statistics, kSum, lane);
  StoreRow(d, batch, count, statistics, kCount, lane);
}

template <ValueKind kKind, bool kMasked, bool kTop1>
void PairwiseGradient(const LossConfig& config, const LossBatch& batch, size_t begin, size_t end,
                      size_t lane, const float* statistics) {
  const D d;
  const V zero = hn::Zero(d), one = hn::Set(d, 1.0f);
  const V target = LoadRow(d, batch, statistics, kTarget, lane);
  const V weight = LoadRow(d, batch, statistics, kNorm, lane);
  const V of_target = LoadRow(d, batch, statistics, kSlope, lane);
  for (size_t c = begin; c < end; ++c) {
    float* at = batch.scores + c * batch.batch + lane;
    const V y = hn::Load(d, at);
    const V x = hn::Sub(y, target);
    const V e = ExpNonPositive(d, hn::Neg(hn::Abs(x)));
    V g;
    if constexpr (kTop1) {
      const V f = ExpNonPositive(d, hn::Neg(hn::Mul(y, y)));
      const V a = hn::Add(one, e), b = hn::Add(one, f);
      const V of_both = hn::Div(one, hn::Mul(a, b));
      const V of_a = hn::Mul(of_both, b), u = hn::Mul(of_both, a);
      // 2 y first: f is 2^-100 at the least, not 0, however large y.
      g = hn::MulAdd(hn::Mul(hn::Add(y, y), hn::Mul(f, u)), u, hn::Mul(hn::Mul(e, of_a), of_a));
    } else {
      g = hn::Div(hn::IfThenElse(hn::Lt(x, zero), e, one), hn::Add(one, e));
    }
    g = hn::Mul(g, weight);
    if (c < batch.rows) g = hn::IfThenElse(IsTarget(d, lane, c), of_target, g);
    g = TimesValueSlope<kKind>(d, config.activation, y, g);
    if constexpr (kMasked) g = hn::IfThenZeroElse(IsExcludedValue(d, y), g);
    hn::Store(g, d, at);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace stint
HWY_AFTER_NAMESPACE();

#endif  // STINT_TRAINER_LOSS_PAIRWISE_INL_H_
