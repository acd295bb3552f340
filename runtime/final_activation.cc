// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// A score -> its final activation; an activation -> its name.
#include "runtime/final_activation.h"

#include <hwy/highway.h>

#include "runtime/activation-inl.h"
#include "runtime/text.h"

namespace stint {

// One value needs no dispatch: the kernel of the baseline target, which has the bits of all others.
float FinalActivation(const ActivationParams& f, float score) {
  namespace hn = hwy::HWY_NAMESPACE;
  const hn::CappedTag<float, 1> d;
  return hn::GetLane(HWY_NAMESPACE::Activate(d, f, hn::Set(d, score)));
}

void WriteActivationName(const ActivationParams& f, char* text, size_t size) {
  const char* const names[] = {"softmax", "linear", "elu", "tanh", "relu", "leaky", "selu"};
  const char* const name = names[static_cast<unsigned>(f.kind)];
  if (f.kind == ActivationKind::kSelu) {
    Format(text, size, "%s-%g-%g", name, static_cast<double>(f.scale),
           static_cast<double>(f.alpha));
  } else if (f.alpha != 0.0f) {
    Format(text, size, "%s-%g", name, static_cast<double>(f.alpha));
  } else {
    Format(text, size, "%s", name);
  }
}

}  // namespace stint
