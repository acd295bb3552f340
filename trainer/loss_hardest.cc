// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Scores of a mini-batch -> the k-th largest negative score of every session.
//
// All sessions of a vector at once, by bisection over the ordered bits of a float: a pass over the
// columns counts the scores at or above the middle. It ends as soon as k are left (about 15 passes
// over 2048 scores, at most 32), then one more pass takes the smallest of them.
#include "trainer/loss.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "trainer/loss_hardest.cc"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

#include <algorithm>
#include <limits>

#include "trainer/loss-inl.h"

HWY_BEFORE_NAMESPACE();
namespace stint::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using DI = hn::RebindToSigned<D>;
using VI = hn::Vec<DI>;

// A float's bits -> integers in the order of the floats; its own inverse.
HWY_INLINE VI Ordered(DI di, VI bits) {
  return hn::Xor(bits, hn::And(hn::ShiftRight<31>(bits), hn::Set(di, 0x7fffffff)));
}

// The corrected scores of column c, and the lanes in which they count. (Loops that take this, and
// no function for a loop's body: vectors captured by reference must lie in memory, and g++ 12 with
// AddressSanitizer does not align it to 64 bytes there.)
HWY_INLINE V Candidate(D d, const LossBatch& batch, size_t lane, size_t c, M& counts) {
  const V x =
      hn::Sub(hn::Load(d, batch.scores + c * batch.batch + lane), CorrectionAt(d, batch, c));
  M out = Excluded(d, batch, c, lane, x);
  if (c < batch.rows) out = hn::Or(out, IsTarget(d, lane, c));
  counts = hn::Not(out);
  return x;
}

// -1 in the lanes of the mask: subtracted, it counts them.
HWY_INLINE VI MinusOnes(DI di, M m) { return hn::VecFromMask(di, hn::RebindMask(di, m)); }

HWY_INLINE V HardestThreshold(D d, const LossBatch& batch, size_t k, size_t lane) {
  const DI di;
  const size_t begin = batch.exclude_batch ? batch.rows : 0;
  const V infinity = hn::Set(d, std::numeric_limits<float>::infinity());
  const VI wanted = hn::Set(di, static_cast<int32_t>(std::min<size_t>(k, INT32_MAX)));
  // NaN is in no comparison, so it is no candidate.
  V smallest = infinity, largest = hn::Neg(infinity);
  VI count = hn::Zero(di);
  for (size_t c = begin; c < batch.columns; ++c) {
    M counts;
    const V x = Candidate(d, batch, lane, c, counts);
    smallest = hn::IfThenElse(hn::And(counts, hn::Lt(x, smallest)), x, smallest);
    largest = hn::IfThenElse(hn::And(counts, hn::Gt(x, largest)), x, largest);
    count = hn::Sub(count, MinusOnes(di, hn::And(counts, hn::Eq(x, x))));
  }
  const auto enough = hn::Ge(count, wanted);
  // At or above `low` lie at least k (`count` of them), at or above `high` fewer.
  VI low = Ordered(di, hn::BitCast(di, smallest));
  VI high = hn::Add(Ordered(di, hn::BitCast(di, largest)), hn::Set(di, 1));
  for (;;) {
    const auto apart = hn::Gt(high, hn::Add(low, hn::Set(di, 1)));
    const auto rest = hn::And(enough, hn::And(apart, hn::Ne(count, wanted)));
    if (hn::AllFalse(di, rest)) break;
    // The mean without overflow, rounded down.
    const VI middle = hn::Add(hn::And(low, high), hn::ShiftRight<1>(hn::Xor(low, high)));
    const V at = hn::BitCast(d, Ordered(di, middle));
    VI above = hn::Zero(di);
    for (size_t c = begin; c < batch.columns; ++c) {
      M counts;
      const V x = Candidate(d, batch, lane, c, counts);
      above = hn::Sub(above, MinusOnes(di, hn::And(counts, hn::Ge(x, at))));
    }
    const auto take = hn::Ge(above, wanted);
    low = hn::IfThenElse(hn::And(rest, take), middle, low);
    count = hn::IfThenElse(hn::And(rest, take), above, count);
    high = hn::IfThenElse(hn::AndNot(take, rest), middle, high);
  }
  const V at = hn::BitCast(d, Ordered(di, low));
  V threshold = infinity;
  for (size_t c = begin; c < batch.columns; ++c) {
    M counts;
    const V x = Candidate(d, batch, lane, c, counts);
    const M take = hn::And(counts, hn::And(hn::Ge(x, at), hn::Lt(x, threshold)));
    threshold = hn::IfThenElse(take, x, threshold);
  }
  return hn::IfThenElse(hn::RebindMask(d, enough), threshold, hn::Neg(infinity));
}

void HardestThresholds(const LossBatch& scores, size_t k, size_t lane_begin, size_t lane_end,
                       float* thresholds) {
  const D d;
  LossBatch batch = scores;
  batch.thresholds = nullptr;
  for (size_t lane = lane_begin; lane < lane_end; lane += hn::Lanes(d)) {
    hn::StoreU(HardestThreshold(d, batch, k, lane), d, thresholds + lane);
  }
}

}  // namespace stint::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace stint {
HWY_EXPORT(HardestThresholds);
void HardestThresholds(const LossBatch& batch, size_t k, size_t lane_begin, size_t lane_end,
                       float* thresholds) {
  HWY_DYNAMIC_DISPATCH(HardestThresholds)(batch, k, lane_begin, lane_end, thresholds);
}
}  // namespace stint
#endif  // HWY_ONCE
