// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Looks behind stint.h, as tests/runtime does: a stage has no function of its own there.
#include "bench/bounds_scan.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <vector>

#include "runtime/cascade.h"
#include "runtime/session.h"

namespace stint::bench {

struct BoundsScan::Parts {
  stint_session* session;
  SessionState* state;
  CascadeKernels kernels = GetCascadeKernels();
  BoundScan scan = {};
  float threshold = 0;
  std::vector<uint32_t> items = std::vector<uint32_t>(kCandidateRoom);
  std::vector<float> bounds = std::vector<float>(kCandidateRoom);
};

BoundsScan::BoundsScan(stint_session* session)
    : parts_(std::make_unique<Parts>(
          Parts{.session = session, .state = reinterpret_cast<SessionState*>(session)})) {}

BoundsScan::~BoundsScan() = default;

void BoundsScan::Prepare(uint32_t k) {
  std::vector<stint_recommendation> top(k);
  size_t count = 0;
  if (stint_recommend(parts_->session, k, nullptr, top.data(), &count) != STINT_OK || count == 0 ||
      !PrepareBounds(parts_->state, &parts_->scan)) {
    throw std::runtime_error("no bounds for this session");
  }
  const double least = double{top[count - 1].score} * double{parts_->scan.bias_unit};
  parts_->threshold = static_cast<float>(least - std::fabs(least) * 0x1p-20);
}

size_t BoundsScan::Run() {
  const SessionState& s = *parts_->state;
  const Filter all = {s.model->items, s.deny, nullptr, nullptr, false};
  const size_t tiles = static_cast<size_t>(PanelTiles(s.model->items));
  size_t found = 0;
  for (size_t t = 0; t < tiles; t += kChunkTiles) {
    found +=
        parts_->kernels.bound_scan(parts_->scan, t, std::min(tiles, t + kChunkTiles), all,
                                   parts_->threshold, parts_->items.data(), parts_->bounds.data());
  }
  return found;
}

}  // namespace stint::bench
