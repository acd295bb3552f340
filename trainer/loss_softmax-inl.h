// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Cross-entropy and xe_logit (ALGORITHM section 6): the stages of loss.h for 16 sessions. Their
// final activation is softmax, always.
//
// With e_j = exp(s_j - max), p_j = e_j / sum and n columns that count:
//   l_j = -log p_j; of the target in cross-entropy -log(p_i + tiny)
//   loss = a l_i + b sum_j l_j, a = 1 - smoothing n / (n - 1), b = smoothing / (n - 1)
//   d loss / d s_k = p_k (a f + b n) - b - [k = i] a f, f = 1, in cross-entropy p_i / (p_i + tiny)
// The published code has its guard in all of the smoothed terms; without it there the gradient of
// a score far below the others does not fade, and the sums need no logarithm a column. The two
// differ where p_j < 1e-17. With n = 1 there is nothing to tell apart: loss and gradient are 0.

#if defined(STINT_TRAINER_LOSS_SOFTMAX_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef STINT_TRAINER_LOSS_SOFTMAX_INL_H_
#undef STINT_TRAINER_LOSS_SOFTMAX_INL_H_
#else
#define STINT_TRAINER_LOSS_SOFTMAX_INL_H_
#endif

#include <hwy/highway.h>

#include "trainer/loss-inl.h"

HWY_BEFORE_NAMESPACE();
namespace stint {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// In place of e for a column that does not count: e itself is never negative.
constexpr float kExcludedExp = -1.0f;

// Scores become e under the block's own maximum, so that the gradient takes no exponential again;
// kSquares is the sum of s - maximum.
template <bool kMasked, bool kSmoothed>
void SoftmaxPartial(const LossConfig& config, const LossBatch& batch, size_t begin, size_t end,
                    size_t lane, float* partial) {
  const D d;
  const V maximum = ValuesAndMaximum<ValueKind::kPlain, kMasked, /*kWithTarget=*/true>(
      d, config, batch, begin, end, lane);
  V sum = hn::Zero(d), below = hn::Zero(d), count = hn::Zero(d);
  for (size_t c = begin; c < end; ++c) {
    float* at = batch.scores + c * batch.batch + lane;
    const V y = hn::Load(d, at);
    const V x = hn::Sub(y, maximum);
    const V e = ExpNonPositive(d, x);
    if constexpr (kMasked) {
      const M out = IsExcludedValue(d, y);
      hn::Store(hn::IfThenElse(out, hn::Set(d, kExcludedExp), e), d, at);
      sum = hn::Add(sum, hn::IfThenZeroElse(out, e));
      below = hn::Add(below, hn::IfThenZeroElse(out, x));
      count = hn::Add(count, hn::IfThenZeroElse(out, hn::Set(d, 1.0f)));
    } else {
      hn::Store(e, d, at);
      sum = hn::Add(sum, e);
      if constexpr (kSmoothed) below = hn::Add(below, x);
    }
  }
  if constexpr (!kMasked) count = hn::Set(d, static_cast<float>(end - begin));
  StoreRow(d, batch, maximum, partial, kMaximum, lane);
  StoreRow(d, batch, sum, partial, kSum, lane);
  StoreRow(d, batch, below, partial, kSquares, lane);
  StoreRow(d, batch, count, partial, kCount, lane);
}

// Leaves weight (a f + b n) / sum in kSum, weight a f in kPairwise, weight b in kSlope; and for the
// loss: p_i in kSquares, the sum of e in kNorm, the sum of s - maximum in kMean, n in kCount.
inline void SoftmaxCombine(const LossConfig& config, const LossBatch& batch, const float* partials,
                           size_t blocks, size_t lane, float* statistics) {
  const D d;
  const V one = hn::Set(d, 1.0f);
  const V tiny = hn::Set(d, kTiny);
  const V maximum = CombinedMaximum(d, batch, partials, blocks, lane);
  V sum = hn::Zero(d), below = hn::Zero(d), count = hn::Zero(d);
  for (size_t b = 0; b < blocks; ++b) {
    const float* partial = PartialOf(batch, partials, b);
    const V n = LoadRow(d, batch, partial, kCount, lane);
    const V x = hn::Sub(LoadRow(d, batch, partial, kMaximum, lane), maximum);
    sum = hn::MulAdd(ExpNonPositive(d, x), LoadRow(d, batch, partial, kSum, lane), sum);
    below = hn::Add(below, hn::MulAdd(n, x, LoadRow(d, batch, partial, kSquares, lane)));
    count = hn::Add(count, n);
  }
  const V target = LoadRow(d, batch, statistics, kTarget, lane);
  const V p = hn::Div(ExpNonPositive(d, hn::Sub(target, maximum)), sum);
  V f = one;
  if (config.loss == Loss::kCrossEntropy) f = hn::Div(p, hn::Add(p, tiny));
  V a = one, b = hn::Zero(d);
  if (config.label_smoothing > 0.0f) {
    const M several = hn::Gt(count, one);
    const V others = hn::IfThenElse(several, hn::Sub(count, one), one);
    b = hn::IfThenElseZero(several, hn::Div(hn::Set(d, config.label_smoothing), others));
    a = hn::NegMulAdd(b, count, one);
  }
  const V weight = RowWeight(d, batch, lane);
  const V af = hn::Mul(a, f);
  StoreRow(d, batch, maximum, statistics, kMaximum, lane);
  StoreRow(d, batch, hn::Div(hn::Mul(weight, hn::MulAdd(b, count, af)), sum), statistics, kSum,
           lane);
  StoreRow(d, batch, hn::Mul(weight, af), statistics, kPairwise, lane);
  StoreRow(d, batch, hn::Mul(weight, b), statistics, kSlope, lane);
  StoreRow(d, batch, p, statistics, kSquares, lane);
  StoreRow(d, batch, sum, statistics, kNorm, lane);
  StoreRow(d, batch, below, statistics, kMean, lane);
  StoreRow(d, batch, count, statistics, kCount, lane);
}

template <bool kMasked, bool kSmoothed>
void SoftmaxGradient(const LossBatch& batch, size_t begin, size_t end, size_t lane,
                     const float* partial, const float* statistics) {
  const D d;
  const V of_block = hn::Sub(LoadRow(d, batch, partial, kMaximum, lane),
                             LoadRow(d, batch, statistics, kMaximum, lane));
  const V scale = hn::Mul(ExpNonPositive(d, of_block), LoadRow(d, batch, statistics, kSum, lane));
  const V of_target = LoadRow(d, batch, statistics, kPairwise, lane);
  const V spread = LoadRow(d, batch, statistics, kSlope, lane);
  const auto column = [&](size_t c, bool may_be_target) HWY_ATTR {
    float* at = batch.scores + c * batch.batch + lane;
    const V e = hn::Load(d, at);
    V g = kSmoothed ? hn::MulSub(e, scale, spread) : hn::Mul(e, scale);
    if (may_be_target) g = hn::IfThenElse(IsTarget(d, lane, c), hn::Sub(g, of_target), g);
    if constexpr (kMasked) g = hn::IfThenZeroElse(hn::Eq(e, hn::Set(d, kExcludedExp)), g);
    hn::Store(g, d, at);
  };
  size_t c = begin;
  for (; c < end && c < batch.rows; ++c) column(c, true);
  for (; c < end; ++c) column(c, false);
}

}  // namespace HWY_NAMESPACE
}  // namespace stint
HWY_AFTER_NAMESPACE();

#endif  // STINT_TRAINER_LOSS_SOFTMAX_INL_H_
