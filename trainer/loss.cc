// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

#include "trainer/loss.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "trainer/loss.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

#include <cmath>

#include "runtime/math-inl.h"
#include "trainer/parameters.h"

HWY_BEFORE_NAMESPACE();
namespace stint::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::CappedTag<float, kRowAlignment>;
using V = hn::Vec<D>;

// Guards the divisions as the published losses do (ALGORITHM section 6).
constexpr float kTiny = 1e-24f;
// Below every score, and finite, so that differences of two such are 0 and not NaN.
constexpr float kLowest = -1e30f;

// sigmoid(x) right relative to its own size, small as it may be: BPR-max takes its logarithm and
// divides by it. (The runtime's is right to 2e-7 of one: a target 18 below its negatives would have
// no gradient.) Relative error <= 3e-7 down to x = -87; `other` is 1 - sigmoid(x), as exact.
HWY_INLINE V PairwiseSigmoid(D d, V x, V& other) {
  const V one = hn::Set(d, 1.0f);
  const V e = Exp(d, hn::Neg(x));
  const V q = hn::Div(one, hn::Add(one, e));
  other = hn::Mul(e, q);
  return q;
}

// A score's value: the logQ correction taken off and the final activation applied. Softmax is
// not applied here: it is part of cross-entropy.
HWY_INLINE V Value(D d, const LossConfig& config, V score, V correction) {
  V y = hn::Sub(score, correction);
  if (config.activation.kind == ActivationKind::kElu) {
    const V below =
        hn::Mul(hn::Set(d, config.activation.alpha), hn::Sub(Exp(d, y), hn::Set(d, 1.0f)));
    y = hn::IfThenElse(hn::Lt(y, hn::Zero(d)), below, y);
  }
  return y;
}

// The derivative of the final activation by its value: for ELU, alpha e^x = y + alpha.
HWY_INLINE V ValueSlope(D d, const LossConfig& config, V y) {
  const V one = hn::Set(d, 1.0f);
  if (config.activation.kind != ActivationKind::kElu) return one;
  return hn::IfThenElse(hn::Lt(y, hn::Zero(d)), hn::Add(y, hn::Set(d, config.activation.alpha)),
                        one);
}

HWY_INLINE V CorrectionAt(D d, const LossBatch& batch, size_t c) {
  return hn::Set(d, batch.correction != nullptr ? batch.correction[c] : 0.0f);
}

// All ones in the lane whose target is column c, for lanes starting at `lane`.
HWY_INLINE hn::Mask<D> IsTarget(D d, size_t lane, size_t c) {
  return hn::Eq(hn::Iota(d, static_cast<float>(lane)), hn::Set(d, static_cast<float>(c)));
}

void LossTargets(const LossConfig& config, const LossBatch& batch, float* statistics) {
  const D d;
  HWY_ALIGN float score[kRowAlignment];
  HWY_ALIGN float correction[kRowAlignment];
  for (size_t lane = 0; lane < batch.batch; lane += hn::Lanes(d)) {
    for (size_t i = 0; i < hn::Lanes(d); ++i) {
      const size_t c = lane + i;
      const bool real = c < batch.rows;
      score[i] = real ? batch.scores[c * batch.batch + c] : 0.0f;
      correction[i] = real && batch.correction != nullptr ? batch.correction[c] : 0.0f;
    }
    hn::Store(Value(d, config, hn::Load(d, score), hn::Load(d, correction)), d,
              statistics + kTarget * batch.batch + lane);
  }
}

// Cross-entropy: maximum and sum of exponentials over all columns of the block.
void CrossEntropyPartial(const LossConfig& config, const LossBatch& batch, size_t begin, size_t end,
                         size_t lane, float* partial) {
  const D d;
  V maximum = hn::Set(d, kLowest);
  for (size_t c = begin; c < end; ++c) {
    float* at = batch.scores + c * batch.batch + lane;
    const V y = Value(d, config, hn::Load(d, at), CorrectionAt(d, batch, c));
    hn::Store(y, d, at);
    maximum = hn::IfThenElse(hn::Gt(y, maximum), y, maximum);
  }
  V sum = hn::Zero(d);
  for (size_t c = begin; c < end; ++c) {
    const V y = hn::Load(d, batch.scores + c * batch.batch + lane);
    sum = hn::Add(sum, Exp(d, hn::Sub(y, maximum)));
  }
  hn::Store(maximum, d, partial + kMaximum * batch.batch + lane);
  hn::Store(sum, d, partial + kSum * batch.batch + lane);
}

// BPR-max: the same over the negatives of each session (its own target left out of maximum and
// sums alike, so that the softmax over negatives never becomes 0 / 0), and its weighted means.
void BprMaxPartial(const LossConfig& config, const LossBatch& batch, size_t begin, size_t end,
                   size_t lane, const float* targets, float* partial) {
  const D d;
  const V target = hn::Load(d, targets + lane);
  V maximum = hn::Set(d, kLowest);
  for (size_t c = begin; c < end; ++c) {
    float* at = batch.scores + c * batch.batch + lane;
    const V y = Value(d, config, hn::Load(d, at), CorrectionAt(d, batch, c));
    hn::Store(y, d, at);
    const V other = c < batch.rows ? hn::IfThenElse(IsTarget(d, lane, c), maximum, y) : y;
    maximum = hn::IfThenElse(hn::Gt(other, maximum), other, maximum);
  }
  V sum = hn::Zero(d), pairwise = hn::Zero(d), squares = hn::Zero(d), slope = hn::Zero(d);
  for (size_t c = begin; c < end; ++c) {
    const V y = hn::Load(d, batch.scores + c * batch.batch + lane);
    V e = Exp(d, hn::Sub(y, maximum));
    if (c < batch.rows) e = hn::IfThenZeroElse(IsTarget(d, lane, c), e);
    V other;
    const V q = PairwiseSigmoid(d, hn::Sub(target, y), other);
    const V eq = hn::Mul(e, q);
    sum = hn::Add(sum, e);
    pairwise = hn::Add(pairwise, eq);
    squares = hn::MulAdd(e, hn::Mul(y, y), squares);
    slope = hn::MulAdd(eq, other, slope);
  }
  hn::Store(maximum, d, partial + kMaximum * batch.batch + lane);
  hn::Store(sum, d, partial + kSum * batch.batch + lane);
  hn::Store(pairwise, d, partial + kPairwise * batch.batch + lane);
  hn::Store(squares, d, partial + kSquares * batch.batch + lane);
  hn::Store(slope, d, partial + kSlope * batch.batch + lane);
}

void LossPartial(const LossConfig& config, const LossBatch& batch, size_t begin, size_t end,
                 const float* targets, float* partial) {
  for (size_t lane = 0; lane < batch.batch; lane += hn::Lanes(D())) {
    if (config.loss == Loss::kCrossEntropy) {
      CrossEntropyPartial(config, batch, begin, end, lane, partial);
    } else {
      BprMaxPartial(config, batch, begin, end, lane, targets, partial);
    }
  }
}

// The blocks' sums under the common maximum, in order; then, in place, what the gradient needs.
void CombineBlocks(const LossConfig& config, const LossBatch& batch, const float* partials,
                   size_t blocks, float* statistics) {
  const D d;
  const V tiny = hn::Set(d, kTiny);
  const size_t n = batch.batch;
  const bool bpr_max = config.loss == Loss::kBprMax;
  for (size_t lane = 0; lane < n; lane += hn::Lanes(d)) {
    const auto load = [&](size_t block, size_t row) HWY_ATTR {
      return hn::Load(d, partials + (block * kLossStatistics + row) * n + lane);
    };
    const auto store = [&](V v, size_t row)
                           HWY_ATTR { hn::Store(v, d, statistics + row * n + lane); };
    V maximum = hn::Set(d, kLowest);
    for (size_t b = 0; b < blocks; ++b) {
      const V m = load(b, kMaximum);
      maximum = hn::IfThenElse(hn::Gt(m, maximum), m, maximum);
    }
    V sum = hn::Zero(d), pairwise = hn::Zero(d), squares = hn::Zero(d), slope = hn::Zero(d);
    for (size_t b = 0; b < blocks; ++b) {
      const V scale = Exp(d, hn::Sub(load(b, kMaximum), maximum));
      sum = hn::MulAdd(scale, load(b, kSum), sum);
      if (!bpr_max) continue;
      pairwise = hn::MulAdd(scale, load(b, kPairwise), pairwise);
      squares = hn::MulAdd(scale, load(b, kSquares), squares);
      slope = hn::MulAdd(scale, load(b, kSlope), slope);
    }
    // Padding lanes have no weight, hence no gradient.
    const auto real =
        hn::Lt(hn::Iota(d, static_cast<float>(lane)), hn::Set(d, static_cast<float>(batch.rows)));
    const V weight = hn::IfThenElseZero(real, hn::Set(d, batch.weight));
    store(maximum, kMaximum);
    if (bpr_max) {
      const V mean_q = hn::Div(pairwise, sum);
      const V mean_square = hn::Div(squares, sum);
      store(hn::Div(weight, sum), kSum);
      store(mean_q, kPairwise);
      store(mean_square, kSquares);
      store(hn::Neg(hn::Mul(weight, hn::Div(hn::Div(slope, sum), hn::Add(mean_q, tiny)))), kSlope);
    } else {
      const V target = hn::Load(d, statistics + kTarget * n + lane);
      const V p = hn::Div(Exp(d, hn::Sub(target, maximum)), sum);
      const V factor = hn::Mul(weight, hn::Div(p, hn::Add(p, tiny)));
      store(hn::Div(factor, sum), kSum);
      store(factor, kPairwise);
      store(p, kSquares);
    }
  }
}

// p_j - [j = i], times p_i / (p_i + tiny).
void CrossEntropyGradient(const LossBatch& batch, size_t begin, size_t end, size_t lane,
                          const float* statistics) {
  const D d;
  const V maximum = hn::Load(d, statistics + kMaximum * batch.batch + lane);
  // LossCombine leaves weight * factor / sum here, and weight * factor in kPairwise.
  const V scale = hn::Load(d, statistics + kSum * batch.batch + lane);
  const V factor = hn::Load(d, statistics + kPairwise * batch.batch + lane);
  for (size_t c = begin; c < end; ++c) {
    float* at = batch.scores + c * batch.batch + lane;
    V g = hn::Mul(Exp(d, hn::Sub(hn::Load(d, at), maximum)), scale);
    if (c < batch.rows) g = hn::IfThenElse(IsTarget(d, lane, c), hn::Sub(g, factor), g);
    hn::Store(g, d, at);
  }
}

// j != i: w_j ((A - q_j^2) / (A + tiny) + bpreg (y_j (y_j + 2) - R)); i: -D / (A + tiny), with
// A, R, D the means of q, y^2, q (1 - q) under the weights w; times the activation's slope.
void BprMaxGradient(const LossConfig& config, const LossBatch& batch, size_t begin, size_t end,
                    size_t lane, const float* statistics) {
  const D d;
  const V two = hn::Set(d, 2.0f);
  const V bpreg = hn::Set(d, config.bpreg);
  const V tiny = hn::Set(d, kTiny);
  const V target = hn::Load(d, statistics + kTarget * batch.batch + lane);
  const V maximum = hn::Load(d, statistics + kMaximum * batch.batch + lane);
  const V scale = hn::Load(d, statistics + kSum * batch.batch + lane);  // weight / sum of e
  const V mean_q = hn::Load(d, statistics + kPairwise * batch.batch + lane);
  const V mean_square = hn::Load(d, statistics + kSquares * batch.batch + lane);
  const V of_target = hn::Load(d, statistics + kSlope * batch.batch + lane);  // its gradient
  const V inverse = hn::Div(hn::Set(d, 1.0f), hn::Add(mean_q, tiny));
  for (size_t c = begin; c < end; ++c) {
    float* at = batch.scores + c * batch.batch + lane;
    const V y = hn::Load(d, at);
    const V w = hn::Mul(Exp(d, hn::Sub(y, maximum)), scale);
    V other;
    const V q = PairwiseSigmoid(d, hn::Sub(target, y), other);
    const V rank = hn::Mul(hn::NegMulAdd(q, q, mean_q), inverse);
    const V regular = hn::MulSub(y, hn::Add(y, two), mean_square);
    V g = hn::Mul(w, hn::MulAdd(bpreg, regular, rank));
    if (c < batch.rows) g = hn::IfThenElse(IsTarget(d, lane, c), of_target, g);
    hn::Store(hn::Mul(g, ValueSlope(d, config, y)), d, at);
  }
}

void LossGradient(const LossConfig& config, const LossBatch& batch, size_t begin, size_t end,
                  const float* statistics) {
  for (size_t lane = 0; lane < batch.batch; lane += hn::Lanes(D())) {
    if (config.loss == Loss::kCrossEntropy) {
      CrossEntropyGradient(batch, begin, end, lane, statistics);
    } else {
      BprMaxGradient(config, batch, begin, end, lane, statistics);
    }
  }
}

}  // namespace stint::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace stint {

// Guards the logarithm (ALGORITHM section 6).
constexpr double kTinyReported = 1e-24;

HWY_EXPORT(LossTargets);
HWY_EXPORT(LossPartial);
HWY_EXPORT(CombineBlocks);
HWY_EXPORT(LossGradient);

LossConfig LossConfig::Of(const Options& options) {
  return {.loss = options.loss,
          .activation = options.final_activation.Params(),
          .bpreg = static_cast<float>(options.bpreg),
          .label_smoothing = static_cast<float>(options.label_smoothing)};
}

void LossTargets(const LossConfig& config, const LossBatch& batch, float* statistics) {
  HWY_DYNAMIC_DISPATCH(LossTargets)(config, batch, statistics);
}

void LossPartial(const LossConfig& config, const LossBatch& batch, size_t begin, size_t end,
                 const float* targets, float* partial) {
  HWY_DYNAMIC_DISPATCH(LossPartial)(config, batch, begin, end, targets, partial);
}

double LossCombine(const LossConfig& config, const LossBatch& batch, const float* partials,
                   size_t blocks, float* statistics) {
  HWY_DYNAMIC_DISPATCH(CombineBlocks)(config, batch, partials, blocks, statistics);
  const bool bpr_max = config.loss == Loss::kBprMax;
  const float* share = statistics + (bpr_max ? kPairwise : kSquares) * batch.batch;
  const float* square = statistics + kSquares * batch.batch;
  double total = 0;  // only reported: the library's logarithm may differ between machines
  for (size_t i = 0; i < batch.rows; ++i) {
    total -= std::log(static_cast<double>(share[i]) + kTinyReported);
    if (bpr_max) total += static_cast<double>(config.bpreg) * square[i];
  }
  return total * batch.weight;
}

void LossGradient(const LossConfig& config, const LossBatch& batch, size_t begin, size_t end,
                  const float* statistics) {
  HWY_DYNAMIC_DISPATCH(LossGradient)(config, batch, begin, end, statistics);
}

}  // namespace stint
#endif  // HWY_ONCE
