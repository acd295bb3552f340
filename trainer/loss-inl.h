// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// What the kernels of all losses share: scores -> values, which of them count, and an exponential
// for arguments that are not positive.
//
// One vector is 16 sessions or fewer, one step goes down one column. Fused multiply-adds are
// written where they are wanted, so every target that has them computes the same bits.

#if defined(STINT_TRAINER_LOSS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef STINT_TRAINER_LOSS_INL_H_
#undef STINT_TRAINER_LOSS_INL_H_
#else
#define STINT_TRAINER_LOSS_INL_H_
#endif

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include <cstddef>
#include <cstdint>
#include <limits>

#include "runtime/activation-inl.h"
#include "trainer/loss.h"
#include "trainer/parameters.h"

HWY_BEFORE_NAMESPACE();
namespace stint {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::CappedTag<float, kRowAlignment>;
using V = hn::Vec<D>;
using M = hn::Mask<D>;

// Guards the divisions as the published losses do (ALGORITHM section 6).
constexpr float kTiny = 1e-24f;
// Below every score, and finite, so that differences of two such are 0 and not NaN.
constexpr float kLowest = -1e30f;
// Stands in place of the value of a column that does not count for a session.
constexpr float kExcludedValue = -std::numeric_limits<float>::infinity();
// ln 2^-100, where ExpNonPositive ends: its results there lie so far below kTiny that nothing that
// is divided by it or compared with it can tell them from 0.
constexpr float kLowestExponent = -69.3147180f;

// exp(x) for x <= 0: relative error <= 1e-7 + 2e-8 |x|, exactly 1 at 0; 2^-100 below x = -69.3;
// NaN for NaN. For x > 0 the result is any number, infinity and NaN among them. 13 operations where
// the runtime's Exp has 23: no upper limit, no selection for NaN, fused. (Two vectors side by side,
// to overlap their chains of operations: no gain.) x log2(e) = n + r, |r| <= 1/2; 2^r = 1 + r C(r),
// minimax (2.6e-9); 2^n by its exponent bits.
HWY_INLINE V ExpNonPositive(D d, V x) {
  const hn::RebindToSigned<D> di;
  const V log2e = hn::Set(d, 0x1.715476p+0f);
  x = hn::Max(hn::Set(d, kLowestExponent), x);  // in this order NaN stays NaN on every target
  // Adding 1.5 * 2^23 rounds to the nearest integer; with 127 added as well, n + 127, which is the
  // exponent field of 2^n, then stands in the low mantissa bits.
  const V magic = hn::Set(d, 12582912.0f + 127.0f);
  const V shifted = hn::MulAdd(x, log2e, magic);
  const V r = hn::MulSub(x, log2e, hn::Sub(shifted, magic));
  V p = hn::Set(d, 0x1.470b4ap-13f);
  p = hn::MulAdd(p, r, hn::Set(d, 0x1.5f7276p-10f));
  p = hn::MulAdd(p, r, hn::Set(d, 0x1.3b270ep-7f));
  p = hn::MulAdd(p, r, hn::Set(d, 0x1.c6ae72p-5f));
  p = hn::MulAdd(p, r, hn::Set(d, 0x1.ebfbe2p-3f));
  p = hn::MulAdd(p, r, hn::Set(d, 0x1.62e432p-1f));
  p = hn::MulAdd(p, r, hn::Set(d, 1.0f));
  return hn::Mul(p, hn::BitCast(d, hn::ShiftLeft<23>(hn::BitCast(di, shifted))));
}

// exp(x) within [2^-100, 2^100].
HWY_INLINE V ExpWithin(D d, V x) {
  const V e = ExpNonPositive(d, hn::Neg(hn::Abs(x)));
  return hn::IfThenElse(hn::Gt(x, hn::Zero(d)), hn::Div(hn::Set(d, 1.0f), e), e);
}

// How a kernel treats the final activation: compiled apart, so that the two that training uses
// most have no choice left in their loops.
enum class ValueKind { kPlain, kElu, kAny };  // kPlain: the corrected score itself

inline ValueKind ValueKindOf(const ActivationParams& f) {
  if (f.kind == ActivationKind::kLinear || f.kind == ActivationKind::kSoftmax) {
    return ValueKind::kPlain;
  }
  return f.kind == ActivationKind::kElu ? ValueKind::kElu : ValueKind::kAny;
}

// A corrected score's value: the final activation. Softmax is not applied here: it is part of
// cross-entropy.
template <ValueKind kKind>
HWY_INLINE V Value(D d, const ActivationParams& f, V x) {
  if constexpr (kKind == ValueKind::kPlain) return x;
  if constexpr (kKind == ValueKind::kAny) return Activate(d, f, x);
  const V alpha = hn::Set(d, f.alpha);
  const V below = hn::MulSub(alpha, ExpNonPositive(d, x), alpha);
  return hn::IfThenElse(hn::Lt(x, hn::Zero(d)), below, x);
}

// g times the derivative of the final activation, by its value.
template <ValueKind kKind>
HWY_INLINE V TimesValueSlope(D d, const ActivationParams& f, V y, V g) {
  if constexpr (kKind == ValueKind::kPlain) return g;
  if constexpr (kKind == ValueKind::kAny) return hn::Mul(g, ActivationSlope(d, f, y));
  // alpha e^x = y + alpha
  const V below = hn::Mul(g, hn::Add(y, hn::Set(d, f.alpha)));
  return hn::IfThenElse(hn::Lt(y, hn::Zero(d)), below, g);
}

HWY_INLINE V CorrectionAt(D d, const LossBatch& batch, size_t c) {
  return hn::Set(d, batch.correction != nullptr ? batch.correction[c] : 0.0f);
}

// All ones in the lane whose target is column c, for lanes starting at `lane`.
HWY_INLINE M IsTarget(D d, size_t lane, size_t c) {
  return hn::Eq(hn::Iota(d, static_cast<float>(lane)), hn::Set(d, static_cast<float>(c)));
}

inline bool HasMask(const LossBatch& batch) {
  return batch.exclude_batch || batch.exclude_hits || batch.thresholds != nullptr;
}

// Lanes for which column c does not count; `x` are its corrected scores. Never a session's target.
HWY_INLINE M Excluded(D d, const LossBatch& batch, size_t c, size_t lane, V x) {
  const hn::RebindToSigned<D> di;
  M out = hn::MaskFalse(d);
  if (batch.thresholds != nullptr) out = hn::Lt(x, hn::LoadU(d, batch.thresholds + lane));
  if (batch.exclude_hits) {
    const auto hit = hn::Eq(hn::Set(di, batch.items[c]), hn::LoadU(di, batch.targets + lane));
    out = hn::Or(out, hn::RebindMask(d, hit));
  }
  if (c >= batch.rows) return out;
  if (batch.exclude_batch) out = hn::Eq(hn::Zero(d), hn::Zero(d));
  return hn::AndNot(IsTarget(d, lane, c), out);
}

// Columns [begin, end) of 16 sessions: scores become values; returns the largest of those that
// count, kLowest where there is none. `kWithTarget`: the session's own target counts as well.
template <ValueKind kKind, bool kMasked, bool kWithTarget>
HWY_INLINE V ValuesAndMaximum(D d, const LossConfig& config, const LossBatch& batch, size_t begin,
                              size_t end, size_t lane) {
  const ActivationParams f = config.activation;
  const bool store = kKind != ValueKind::kPlain || kMasked || batch.correction != nullptr;
  V maximum = hn::Set(d, kLowest);
  const auto column = [&](size_t c, bool may_be_target) HWY_ATTR {
    float* at = batch.scores + c * batch.batch + lane;
    hwy::Prefetch(at + 8 * batch.batch);  // rows lie too far apart for the hardware: 3 to 6 %
    const V x = hn::Sub(hn::Load(d, at), CorrectionAt(d, batch, c));
    V y = Value<kKind>(d, f, x);
    if constexpr (kMasked) {
      y = hn::IfThenElse(Excluded(d, batch, c, lane, x), hn::Set(d, kExcludedValue), y);
    }
    if (store) hn::Store(y, d, at);
    if (!kWithTarget && may_be_target) y = hn::IfThenElse(IsTarget(d, lane, c), maximum, y);
    maximum = hn::Max(y, maximum);
  };
  size_t c = begin;
  for (; c < end && c < batch.rows; ++c) column(c, true);
  for (; c < end; ++c) column(c, false);
  return maximum;
}

// The same where no maximum is wanted.
template <ValueKind kKind, bool kMasked>
HWY_INLINE V ValueAt(D d, const LossConfig& config, const LossBatch& batch, size_t c, size_t lane) {
  float* at = batch.scores + c * batch.batch + lane;
  const V x = hn::Sub(hn::Load(d, at), CorrectionAt(d, batch, c));
  V y = Value<kKind>(d, config.activation, x);
  if constexpr (kMasked) {
    y = hn::IfThenElse(Excluded(d, batch, c, lane, x), hn::Set(d, kExcludedValue), y);
  }
  hn::Store(y, d, at);
  return y;
}

HWY_INLINE M IsExcludedValue(D d, V y) { return hn::Eq(y, hn::Set(d, kExcludedValue)); }

// The weight of a session's loss, 0 in padding lanes.
HWY_INLINE V RowWeight(D d, const LossBatch& batch, size_t lane) {
  const M real =
      hn::Lt(hn::Iota(d, static_cast<float>(lane)), hn::Set(d, static_cast<float>(batch.rows)));
  return hn::IfThenElseZero(real, hn::Set(d, batch.weight));
}

// Row `row` of statistics or of a block's partial sums.
HWY_INLINE V LoadRow(D d, const LossBatch& batch, const float* rows, size_t row, size_t lane) {
  return hn::Load(d, rows + row * batch.batch + lane);
}
HWY_INLINE void StoreRow(D d, const LossBatch& batch, V v, float* rows, size_t row, size_t lane) {
  hn::Store(v, d, rows + row * batch.batch + lane);
}
HWY_INLINE const float* PartialOf(const LossBatch& batch, const float* partials, size_t block) {
  return partials + block * kLossStatistics * batch.batch;
}

// Largest maximum of all blocks.
HWY_INLINE V CombinedMaximum(D d, const LossBatch& batch, const float* partials, size_t blocks,
                             size_t lane) {
  V maximum = hn::Set(d, kLowest);
  for (size_t b = 0; b < blocks; ++b) {
    const V m = LoadRow(d, batch, PartialOf(batch, partials, b), kMaximum, lane);
    maximum = hn::IfThenElse(hn::Gt(m, maximum), m, maximum);
  }
  return maximum;
}

}  // namespace HWY_NAMESPACE
}  // namespace stint
HWY_AFTER_NAMESPACE();

#endif  // STINT_TRAINER_LOSS_INL_H_
