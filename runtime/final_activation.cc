// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// A score -> its final activation; an activation -> its name.
#include "runtime/final_activation.h"

#include <hwy/highway.h>

#include <cstdio>
#include <cstdlib>

#include "runtime/activation-inl.h"

namespace stint {

// One value needs no dispatch: the kernel of the baseline target, which has the bits of all others.
float FinalActivation(const ActivationParams& f, float score) {
  namespace hn = hwy::HWY_NAMESPACE;
  const hn::CappedTag<float, 1> d;
  return hn::GetLane(HWY_NAMESPACE::Activate(d, f, hn::Set(d, score)));
}

namespace {

// Appends a dash and the number. The decimal point of the process' locale becomes a point.
size_t AppendNumber(float value, char* text, size_t size) {
  char number[24];
  int length = 0;
  for (int digits = 1; digits <= 9; ++digits) {  // 9 digits tell any two floats apart
    length = std::snprintf(number, sizeof(number), "%.*g", digits, static_cast<double>(value));
    if (std::strtof(number, nullptr) == value) break;
  }
  for (int i = 0; i < length; ++i) {
    const char c = number[i];
    const bool part = (c >= '0' && c <= '9') || c == 'e' || c == '+' || c == '-';
    if (!part) number[i] = '.';
  }
  return static_cast<size_t>(std::snprintf(text, size, "-%s", number));
}

}  // namespace

void WriteActivationName(const ActivationParams& f, char* text, size_t size) {
  const char* const names[] = {"softmax", "linear", "elu", "tanh", "relu", "leaky", "selu"};
  size_t used =
      static_cast<size_t>(std::snprintf(text, size, "%s", names[static_cast<unsigned>(f.kind)]));
  if (f.kind == ActivationKind::kSelu) used += AppendNumber(f.scale, text + used, size - used);
  if (f.alpha != 0.0f) AppendNumber(f.alpha, text + used, size - used);
}

}  // namespace stint
