// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// One item -> the session's next hidden state.
#ifndef STINT_RUNTIME_STEP_H_
#define STINT_RUNTIME_STEP_H_

#include <cstdint>

#include "runtime/session.h"

namespace stint {

// item < session->model->items.
void Step(uint32_t item, SessionState* session) STINT_NONBLOCKING;

}  // namespace stint

#endif  // STINT_RUNTIME_STEP_H_
