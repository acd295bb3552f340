// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Status codes inside the runtime: what can fail returns one, nothing throws, aborts or prints.
#ifndef STINT_RUNTIME_STATUS_H_
#define STINT_RUNTIME_STATUS_H_

#include <cassert>

#include "runtime/text.h"
#include "stint/stint.h"

// Invariants of our own code only, never a property of a file or of an argument.
#define STINT_DASSERT(condition) assert(condition)

#define STINT_RETURN_IF_ERROR(expression)              \
  do {                                                 \
    const stint_status status_or_ok = (expression);    \
    if (status_or_ok != STINT_OK) return status_or_ok; \
  } while (0)

// Functions that neither allocate nor block; checked by RealtimeSanitizer where there is one.
#if defined(__clang__) && defined(__has_cpp_attribute)
#if __has_cpp_attribute(clang::nonblocking)
#define STINT_NONBLOCKING [[clang::nonblocking]]
#endif
#endif
#ifndef STINT_NONBLOCKING
#define STINT_NONBLOCKING
#endif

namespace stint {

using Status = stint_status;

// Fills `error`, which may be null, by Format() (text.h), and returns `status`.
Status Fail(stint_error* error, Status status, const char* format, ...) STINT_PRINTF(3, 4);

}  // namespace stint

#endif  // STINT_RUNTIME_STATUS_H_
