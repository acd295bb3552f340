// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The options of one recommendation -> what a scan asks about an item.
#include "runtime/filter.h"

#include <cstring>

namespace stint {
namespace {

// An allow list is scored row by row where it has fewer entries than the catalog divided by this;
// else a scan over all tiles, which leaves out those without an allowed item, is faster.
constexpr size_t kListShare = 16;

bool AllBelow(const uint32_t* list, size_t count, uint32_t items) {
  if (count > 0 && !list) return false;
  for (size_t i = 0; i < count; ++i) {
    if (list[i] >= items) return false;
  }
  return true;
}

// Zeroes the words that have a bit of the list.
void ClearWords(const uint32_t* list, size_t count, uint64_t* bits) {
  for (size_t i = 0; i < count; ++i) bits[list[i] / 64] = 0;
}

}  // namespace

stint_status CheckOptions(const stint_recommend_options& options, uint32_t items) {
  const bool good = AllBelow(options.deny, options.deny_count, items) &&
                    AllBelow(options.allow, options.allow_count, items);
  return good ? STINT_OK : STINT_INVALID_ARGUMENT;
}

Candidates SetFilter(const stint_recommend_options& options, SessionState* session) {
  uint64_t* const deny = session->deny;
  Candidates out = {options.exclude_seen != 0, options.allow_bits, nullptr, 0,
                    options.allow || options.allow_bits};
  if (options.allow && options.allow_count <= session->model->items / kListShare) {
    out.list = options.allow;
    out.list_size = options.allow_count;
  } else if (options.allow) {
    std::memset(deny, 0xFF, session->words * sizeof(uint64_t));
    for (size_t i = 0; i < options.allow_count; ++i) {
      deny[options.allow[i] / 64] &= ~(uint64_t{1} << options.allow[i] % 64);
    }
  }
  for (size_t i = 0; i < options.deny_count; ++i) {
    deny[options.deny[i] / 64] |= uint64_t{1} << options.deny[i] % 64;
  }
  return out;
}

void ClearFilter(const stint_recommend_options& options, const Candidates& candidates,
                 SessionState* session) {
  if (options.allow && !candidates.list) {
    std::memset(session->deny, 0, session->words * sizeof(uint64_t));
    return;
  }
  ClearWords(options.deny, options.deny_count, session->deny);
  ClearWords(candidates.list, candidates.list_size, session->deny);
}

}  // namespace stint
