// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

#include "trainer/aligned_floats.h"

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include <cstring>
#include <new>

namespace stint {
namespace {

constexpr auto kLine = std::align_val_t(64);
// Rows are gathered at random from tens of megabytes, columns of blocks are strided: on 4 KiB pages
// every row would miss the TLB.
constexpr size_t kHugePage = size_t{2} << 20;
constexpr auto kPage = std::align_val_t(kHugePage);

}  // namespace

void AlignedFloats::Free::operator()(float* p) const { ::operator delete(p, huge ? kPage : kLine); }

AlignedFloats::AlignedFloats(size_t size) : size_(size) {
  size_t bytes = (size * sizeof(float) + 63) / 64 * 64;
  const bool huge = bytes >= kHugePage;
  if (huge) bytes = (bytes + kHugePage - 1) / kHugePage * kHugePage;
  void* block = ::operator new(bytes, huge ? kPage : kLine);
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  if (huge) (void)madvise(block, bytes, MADV_HUGEPAGE);  // advice: nothing to do if refused
#endif
  std::memset(block, 0, bytes);
  data_ = std::unique_ptr<float[], Free>(static_cast<float*>(block), Free{huge});
}

}  // namespace stint
