// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// BPR-max and TOP1-max (arXiv 1706.03847; ALGORITHM section 6): the stages of loss.h for 16
// sessions. Both weigh the negatives by their softmax w. A session's own target is left out of
// maximum, numerator and denominator alike, so that it never becomes 0 / 0 by scores; where a
// session has no negative that counts, its loss and gradient are 0.
//
// With e = exp(y - max), q = sigmoid(target - y) = 1 / (1 + e E), E = exp(max - target): one
// exponential serves both. E is kept within [2^-100, 2^100]: what differs by that lies below tiny.
//   bpr-max   j != i: w_j ((A - q_j^2) / (A + tiny) + bpreg (y_j (y_j + 2) - R))
//             i: -S / (A + tiny);  A, R, S the means of q, y^2, q (1 - q) under w
//   top1-max  j != i: w_j (t_j - L + q_j (1 - q_j) + 2 y_j u_j (1 - u_j)), t_j = 1 - q_j + u_j,
//             u = sigmoid(y^2);  i: -S;  L, S the means of t, q (1 - q) under w
// all times the slope of the final activation.

#if defined(STINT_TRAINER_LOSS_MAX_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef STINT_TRAINER_LOSS_MAX_INL_H_
#undef STINT_TRAINER_LOSS_MAX_INL_H_
#else
#define STINT_TRAINER_LOSS_MAX_INL_H_
#endif

#include <hwy/highway.h>

#include "trainer/loss-inl.h"

HWY_BEFORE_NAMESPACE();
namespace stint {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// A negative's value y and e; both 0 where the column does not count.
template <bool kMasked>
HWY_INLINE void Negative(D d, const LossBatch& batch, size_t c, bool may_be_target, size_t lane,
                         V maximum, V& y, V& e) {
  y = hn::Load(d, batch.scores + c * batch.batch + lane);
  e = ExpNonPositive(d, hn::Sub(y, maximum));
  if (may_be_target) e = hn::IfThenZeroElse(IsTarget(d, lane, c), e);
  if constexpr (kMasked) {
    const M out = IsExcludedValue(d, y);
    e = hn::IfThenZeroElse(out, e);
    y = hn::IfThenZeroElse(out, y);
  }
}

// 1 / a and 1 / b by one division; relative error <= 2e-7.
HWY_INLINE void Inverses(D d, V a, V b, V& of_a, V& of_b) {
  const V of_both = hn::Div(hn::Set(d, 1.0f), hn::Mul(a, b));
  of_a = hn::Mul(of_both, b);
  of_b = hn::Mul(of_both, a);
}

// Calls column(c, may_be_target) for columns [begin, end). (Two columns side by side, with one
// division for both: as fast to 1 %. The divider works beside the multipliers.)
template <class Column>
HWY_INLINE void ForColumns(const LossBatch& batch, size_t begin, size_t end, const Column& column) {
  size_t c = begin;
  for (; c < end && c < batch.rows; ++c) column(c, true);
  for (; c < end; ++c) column(c, false);
}

template <ValueKind kKind, bool kMasked>
void BprMaxPartial(const LossConfig& config, const LossBatch& batch, size_t begin, size_t end,
                   size_t lane, const float* targets, float* partial) {
  const D d;
  const V one = hn::Set(d, 1.0f);
  const V maximum =
      ValuesAndMaximum<kKind, kMasked, /*kWithTarget=*/false>(d, config, batch, begin, end, lane);
  const V to_target = ExpWithin(d, hn::Sub(maximum, hn::Load(d, targets + lane)));
  V sum = hn::Zero(d), pairwise = hn::Zero(d), squares = hn::Zero(d), slope = hn::Zero(d);
  ForColumns(batch, begin, end, [&](size_t c, bool may_be_target) HWY_ATTR {
    V y, e;
    Negative<kMasked>(d, batch, c, may_be_target, lane, maximum, y, e);
    const V ratio = hn::Mul(e, to_target);
    const V q = hn::Div(one, hn::Add(ratio, one));
    const V eq = hn::Mul(e, q);
    sum = hn::Add(sum, e);
    pairwise = hn::Add(pairwise, eq);
    squares = hn::MulAdd(hn::Mul(e, y), y, squares);
    slope = hn::MulAdd(eq, hn::Mul(ratio, q), slope);  // ratio q = 1 - q
  });
  StoreRow(d, batch, maximum, partial, kMaximum, lane);
  StoreRow(d, batch, sum, partial, kSum, lane);
  StoreRow(d, batch, pairwise, partial, kPairwise, lane);
  StoreRow(d, batch, squares, partial, kSquares, lane);
  StoreRow(d, batch, slope, partial, kSlope, lane);
}

// kPairwise holds the sum of e t here.
template <ValueKind kKind, bool kMasked>
void Top1MaxPartial(const LossConfig& config, const LossBatch& batch, size_t begin, size_t end,
                    size_t lane, const float* targets, float* partial) {
  const D d;
  const V one = hn::Set(d, 1.0f);
  const V maximum =
      ValuesAndMaximum<kKind, kMasked, /*kWithTarget=*/false>(d, config, batch, begin, end, lane);
  const V to_target = ExpWithin(d, hn::Sub(maximum, hn::Load(d, targets + lane)));
  V sum = hn::Zero(d), pairwise = hn::Zero(d), slope = hn::Zero(d);
  for (size_t c = begin; c < end; ++c) {
    V y, e, q, u;
    Negative<kMasked>(d, batch, c, c < batch.rows, lane, maximum, y, e);
    const V ratio = hn::Mul(e, to_target);
    Inverses(d, hn::Add(ratio, one), hn::Add(ExpNonPositive(d, hn::Neg(hn::Mul(y, y))), one), q, u);
    const V above = hn::Mul(ratio, q);  // 1 - q
    sum = hn::Add(sum, e);
    pairwise = hn::MulAdd(e, hn::Add(above, u), pairwise);
    slope = hn::MulAdd(hn::Mul(e, q), above, slope);
  }
  StoreRow(d, batch, maximum, partial, kMaximum, lane);
  StoreRow(d, batch, sum, partial, kSum, lane);
  StoreRow(d, batch, pairwise, partial, kPairwise, lane);
  StoreRow(d, batch, hn::Zero(d), partial, kSquares, lane);
  StoreRow(d, batch, slope, partial, kSlope, lane);
}

// Leaves weight / sum of e in kSum, the means in kPairwise and kSquares, the target's gradient
// (before the slope of the activation) in kSlope, E in kNorm.
inline void MaxCombine(const LossConfig& config, const LossBatch& batch, const float* partials,
                       size_t blocks, size_t lane, float* statistics) {
  const D d;
  const bool bpr_max = config.loss == Loss::kBprMax;
  const V maximum = CombinedMaximum(d, batch, partials, blocks, lane);
  V sum = hn::Zero(d), pairwise = hn::Zero(d), squares = hn::Zero(d), slope = hn::Zero(d);
  for (size_t b = 0; b < blocks; ++b) {
    const float* partial = PartialOf(batch, partials, b);
    const V x = hn::Sub(LoadRow(d, batch, partial, kMaximum, lane), maximum);
    const V scale = ExpNonPositive(d, x);
    sum = hn::MulAdd(scale, LoadRow(d, batch, partial, kSum, lane), sum);
    pairwise = hn::MulAdd(scale, LoadRow(d, batch, partial, kPairwise, lane), pairwise);
    squares = hn::MulAdd(scale, LoadRow(d, batch, partial, kSquares, lane), squares);
    slope = hn::MulAdd(scale, LoadRow(d, batch, partial, kSlope, lane), slope);
  }
  // No negatives: weight 0, and means that give a loss of 0 (A = 1; L = 0). NaN is not 0.
  const M none = hn::Eq(sum, hn::Zero(d));
  const V weight = hn::IfThenZeroElse(none, RowWeight(d, batch, lane));
  sum = hn::IfThenElse(none, hn::Set(d, 1.0f), sum);
  pairwise = hn::IfThenElse(none, hn::Set(d, bpr_max ? 1.0f : 0.0f), hn::Div(pairwise, sum));
  V of_target = hn::Neg(hn::Mul(weight, hn::Div(slope, sum)));
  if (bpr_max) of_target = hn::Div(of_target, hn::Add(pairwise, hn::Set(d, kTiny)));
  const V target = LoadRow(d, batch, statistics, kTarget, lane);
  StoreRow(d, batch, maximum, statistics, kMaximum, lane);
  StoreRow(d, batch, hn::Div(weight, sum), statistics, kSum, lane);
  StoreRow(d, batch, pairwise, statistics, kPairwise, lane);
  StoreRow(d, batch, hn::Div(squares, sum), statistics, kSquares, lane);
  StoreRow(d, batch, of_target, statistics, kSlope, lane);
  StoreRow(d, batch, ExpWithin(d, hn::Sub(maximum, target)), statistics, kNorm, lane);
}

// The gradient by the value, g, in place of the value.
template <ValueKind kKind, bool kMasked>
HWY_INLINE void StoreGradient(D d, const LossConfig& config, const LossBatch& batch, size_t c,
                              bool may_be_target, size_t lane, V of_target, V g) {
  float* at = batch.scores + c * batch.batch + lane;
  const V y = hn::Load(d, at);
  if (may_be_target) g = hn::IfThenElse(IsTarget(d, lane, c), of_target, g);
  g = TimesValueSlope<kKind>(d, config.activation, y, g);
  if constexpr (kMasked) g = hn::IfThenZeroElse(IsExcludedValue(d, y), g);
  hn::Store(g, d, at);
}

template <ValueKind kKind, bool kMasked>
void BprMaxGradient(const LossConfig& config, const LossBatch& batch, size_t begin, size_t end,
                    size_t lane, const float* statistics) {
  const D d;
  const V one = hn::Set(d, 1.0f), two = hn::Set(d, 2.0f);
  const V bpreg = hn::Set(d, config.bpreg);
  const V maximum = LoadRow(d, batch, statistics, kMaximum, lane);
  const V scale = LoadRow(d, batch, statistics, kSum, lane);
  const V mean_q = LoadRow(d, batch, statistics, kPairwise, lane);
  const V mean_square = LoadRow(d, batch, statistics, kSquares, lane);
  const V of_target = LoadRow(d, batch, statistics, kSlope, lane);
  const V to_target = LoadRow(d, batch, statistics, kNorm, lane);
  const V inverse_mean = hn::Div(one, hn::Add(mean_q, hn::Set(d, kTiny)));
  // (A - q^2) / (A + tiny) + bpreg (y (y + 2) - R) = constant - q^2 / (A + tiny) + bpreg y (y + 2)
  const V constant = hn::MulSub(mean_q, inverse_mean, hn::Mul(bpreg, mean_square));
  ForColumns(batch, begin, end, [&](size_t c, bool may_be_target) HWY_ATTR {
    V y, e;
    Negative<kMasked>(d, batch, c, may_be_target, lane, maximum, y, e);
    const V q = hn::Div(one, hn::MulAdd(e, to_target, one));
    V g = hn::NegMulAdd(hn::Mul(q, q), inverse_mean, constant);
    g = hn::MulAdd(hn::Mul(y, hn::Add(y, two)), bpreg, g);
    StoreGradient<kKind, kMasked>(d, config, batch, c, may_be_target, lane, of_target,
                                  hn::Mul(hn::Mul(e, scale), g));
  });
}

template <ValueKind kKind, bool kMasked>
void Top1MaxGradient(const LossConfig& config, const LossBatch& batch, size_t begin, size_t end,
                     size_t lane, const float* statistics) {
  const D d;
  const V one = hn::Set(d, 1.0f);
  const V maximum = LoadRow(d, batch, statistics, kMaximum, lane);
  const V scale = LoadRow(d, batch, statistics, kSum, lane);
  const V mean = LoadRow(d, batch, statistics, kPairwise, lane);
  const V of_target = LoadRow(d, batch, statistics, kSlope, lane);
  const V to_target = LoadRow(d, batch, statistics, kNorm, lane);
  for (size_t c = begin; c < end; ++c) {
    V y, e, q, u;
    Negative<kMasked>(d, batch, c, c < batch.rows, lane, maximum, y, e);
    const V ratio = hn::Mul(e, to_target);
    const V f = ExpNonPositive(d, hn::Neg(hn::Mul(y, y)));
    Inverses(d, hn::Add(ratio, one), hn::Add(f, one), q, u);
    const V above = hn::Mul(ratio, q);
    const V slope_u = hn::Mul(u, hn::Mul(f, u));
    V g = hn::Sub(hn::Add(above, u), mean);
    g = hn::MulAdd(q, above, g);
    g = hn::MulAdd(hn::Add(y, y), slope_u, g);
    StoreGradient<kKind, kMasked>(d, config, batch, c, c < batch.rows, lane, of_target,
                                  hn::Mul(hn::Mul(e, scale), g));
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace stint
HWY_AFTER_NAMESPACE();

#endif  // STINT_TRAINER_LOSS_MAX_INL_H_
