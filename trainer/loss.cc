// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The stages of loss.h: which kernel runs over which sessions. The kernels: loss_softmax-inl.h
// (cross-entropy, xe_logit), loss_max-inl.h (BPR-max, TOP1-max), loss_pairwise-inl.h (BPR, TOP1).
#include "trainer/loss.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "trainer/loss.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

#include <type_traits>

#include "trainer/exact_math.h"
#include "trainer/loss-inl.h"
#include "trainer/loss_max-inl.h"
#include "trainer/loss_pairwise-inl.h"
#include "trainer/loss_softmax-inl.h"
#include "trainer/parameters.h"

HWY_BEFORE_NAMESPACE();
namespace stint::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Compiles `kernel` for what is known before its loops: how the activation is applied, and whether
// any column can be left out.
template <class Kernel>
HWY_INLINE void ForKind(const LossConfig& config, const LossBatch& batch, const Kernel& kernel) {
  const auto masked = [&](auto kind) HWY_ATTR {
    HasMask(batch) ? kernel(kind, std::true_type()) : kernel(kind, std::false_type());
  };
  using Plain = std::integral_constant<ValueKind, ValueKind::kPlain>;
  using Elu = std::integral_constant<ValueKind, ValueKind::kElu>;
  using Any = std::integral_constant<ValueKind, ValueKind::kAny>;
  switch (ValueKindOf(config.activation)) {
    case ValueKind::kPlain:
      return masked(Plain());
    case ValueKind::kElu:
      return config.loss == Loss::kBprMax ? masked(Elu()) : masked(Any());
    case ValueKind::kAny:
      return masked(Any());
  }
}

bool IsSoftmax(const LossConfig& config) {
  return config.loss == Loss::kCrossEntropy || config.loss == Loss::kXeLogit;
}

template <bool kMasked>
void SoftmaxPartials(const LossConfig& config, const LossBatch& batch, size_t begin, size_t end,
                     float* partial) {
  for (size_t lane = 0; lane < batch.batch; lane += hn::Lanes(D())) {
    if (config.label_smoothing > 0.0f) {
      SoftmaxPartial<kMasked, true>(config, batch, begin, end, lane, partial);
    } else {
      SoftmaxPartial<kMasked, false>(config, batch, begin, end, lane, partial);
    }
  }
}

template <bool kMasked>
void SoftmaxGradients(const LossConfig& config, const LossBatch& batch, size_t begin, size_t end,
                      const float* partial, const float* statistics) {
  for (size_t lane = 0; lane < batch.batch; lane += hn::Lanes(D())) {
    if (config.label_smoothing > 0.0f) {
      SoftmaxGradient<kMasked, true>(batch, begin, end, lane, partial, statistics);
    } else {
      SoftmaxGradient<kMasked, false>(batch, begin, end, lane, partial, statistics);
    }
  }
}

void LossTargets(const LossConfig& config, const LossBatch& batch, float* statistics) {
  const D d;
  HWY_ALIGN float score[kRowAlignment];
  HWY_ALIGN float correction[kRowAlignment];
  const ValueKind kind = IsSoftmax(config) ? ValueKind::kPlain : ValueKindOf(config.activation);
  for (size_t lane = 0; lane < batch.batch; lane += hn::Lanes(d)) {
    for (size_t i = 0; i < hn::Lanes(d); ++i) {
      const size_t c = lane + i;
      const bool real = c < batch.rows;
      score[i] = real ? batch.scores[c * batch.batch + c] : 0.0f;
      correction[i] = real && batch.correction != nullptr ? batch.correction[c] : 0.0f;
    }
    const V x = hn::Sub(hn::Load(d, score), hn::Load(d, correction));
    // As in ForKind: a target's value must be the value that its column gets, to the bit.
    V y = x;
    if (kind == ValueKind::kElu && config.loss == Loss::kBprMax) {
      y = Value<ValueKind::kElu>(d, config.activation, x);
    } else if (kind != ValueKind::kPlain) {
      y = Value<ValueKind::kAny>(d, config.activation, x);
    }
    StoreRow(d, batch, y, statistics, kTarget, lane);
  }
}

void LossPartial(const LossConfig& config, const LossBatch& batch, size_t begin, size_t end,
                 const float* targets, float* partial) {
  if (IsSoftmax(config)) {
    return HasMask(batch) ? SoftmaxPartials<true>(config, batch, begin, end, partial)
                          : SoftmaxPartials<false>(config, batch, begin, end, partial);
  }
  ForKind(config, batch, [&](auto value_kind, auto masked) HWY_ATTR {
    constexpr ValueKind kKind = decltype(value_kind)::value;
    constexpr bool kMasked = decltype(masked)::value;
    for (size_t lane = 0; lane < batch.batch; lane += hn::Lanes(D())) {
      if (config.loss == Loss::kBprMax) {
        BprMaxPartial<kKind, kMasked>(config, batch, begin, end, lane, targets, partial);
      } else if constexpr (kKind != ValueKind::kElu) {
        if (config.loss == Loss::kTop1Max) {
          Top1MaxPartial<kKind, kMasked>(config, batch, begin, end, lane, targets, partial);
        } else if (config.loss == Loss::kTop1) {
          Top1Partial<kKind, kMasked>(config, batch, begin, end, lane, targets, partial);
        } else {
          BprPartial<kKind, kMasked>(config, batch, begin, end, lane, targets, partial);
        }
      }
    }
  });
}

// The blocks' sums under the common maximum, in order; then what the gradient and the loss need.
void CombineBlocks(const LossConfig& config, const LossBatch& batch, const float* partials,
                   size_t blocks, float* statistics) {
  for (size_t lane = 0; lane < batch.batch; lane += hn::Lanes(D())) {
    if (IsSoftmax(config)) {
      SoftmaxCombine(config, batch, partials, blocks, lane, statistics);
    } else if (config.loss == Loss::kBprMax || config.loss == Loss::kTop1Max) {
      MaxCombine(config, batch, partials, blocks, lane, statistics);
    } else {
      PairwiseCombine(config, batch, partials, blocks, lane, statistics);
    }
  }
}

void LossGradient(const LossConfig& config, const LossBatch& batch, size_t begin, size_t end,
                  const float* partial, const float* statistics) {
  if (IsSoftmax(config)) {
    return HasMask(batch) ? SoftmaxGradients<true>(config, batch, begin, end, partial, statistics)
                          : SoftmaxGradients<false>(config, batch, begin, end, partial, statistics);
  }
  ForKind(config, batch, [&](auto value_kind, auto masked) HWY_ATTR {
    constexpr ValueKind kKind = decltype(value_kind)::value;
    constexpr bool kMasked = decltype(masked)::value;
    for (size_t lane = 0; lane < batch.batch; lane += hn::Lanes(D())) {
      if (config.loss == Loss::kBprMax) {
        BprMaxGradient<kKind, kMasked>(config, batch, begin, end, lane, statistics);
      } else if constexpr (kKind != ValueKind::kElu) {
        if (config.loss == Loss::kTop1Max) {
          Top1MaxGradient<kKind, kMasked>(config, batch, begin, end, lane, statistics);
        } else if (config.loss == Loss::kTop1) {
          PairwiseGradient<kKind, kMasked, true>(config, batch, begin, end, lane, statistics);
        } else {
          PairwiseGradient<kKind, kMasked, false>(config, batch, begin, end, lane, statistics);
        }
      }
    }
  });
}

}  // namespace stint::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace stint {
namespace {

// Guards the logarithm (ALGORITHM section 6).
constexpr double kTinyReported = 1e-24;
constexpr double kLog2 = 0.693147180559945309;

// Of session i, before its weight. What the rows hold: see the Combine of each kernel.
double RowLoss(const LossConfig& config, const LossBatch& batch, const float* statistics,
               size_t i) {
  const auto row = [&](LossStatistic r) -> double { return statistics[r * batch.batch + i]; };
  switch (config.loss) {
    case Loss::kCrossEntropy:
    case Loss::kXeLogit: {
      const bool guarded = config.loss == Loss::kCrossEntropy;
      const double n = row(kCount);
      const double log_sum = Log(row(kNorm));
      const double own =
          guarded ? -Log(row(kSquares) + kTinyReported) : log_sum + row(kMaximum) - row(kTarget);
      if (!(config.label_smoothing > 0.0f) || n == 1) return own;
      const double b = config.label_smoothing / (n - 1);
      return (1 - b * n) * own + b * (n * log_sum - row(kMean));
    }
    case Loss::kBpr:
      return row(kPairwise) + Log(row(kSquares)) + kLog2 * (row(kSum) + 1);
    case Loss::kTop1:
      return (row(kPairwise) + 0.5) / row(kCount);
    case Loss::kTop1Max:
      return row(kPairwise);
    case Loss::kBprMax:
      return -Log(row(kPairwise) + kTinyReported) + double{config.bpreg} * row(kSquares);
  }
  return 0;
}

}  // namespace

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
  double total = 0;
  for (size_t i = 0; i < batch.rows; ++i) {
    total += RowLoss(config, batch, statistics, i);
  }
  return total * batch.weight;
}

void LossGradient(const LossConfig& config, const LossBatch& batch, size_t begin, size_t end,
                  const float* partial, const float* statistics) {
  HWY_DYNAMIC_DISPATCH(LossGradient)(config, batch, begin, end, partial, statistics);
}

}  // namespace stint
#endif  // HWY_ONCE
