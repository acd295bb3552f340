// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Values -> bounded text, in place of the C library's printf: the same in every locale, no memory
// of its own, and a wasm module takes no arithmetic of long doubles along (31.3 KB gzipped in place
// of 42.1).
#ifndef STINT_RUNTIME_TEXT_H_
#define STINT_RUNTIME_TEXT_H_

#include <cstdarg>
#include <cstddef>

#if defined(__GNUC__)
#define STINT_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define STINT_PRINTF(text, first)
#endif

namespace stint {

// Writes to text[size], size >= 1; ends it with a zero byte, and cuts it where there is no room.
// Returns the length that was written. Conversions are those of printf: %s, %d, %u, %x with l, ll
// or z; a width, filled up with zeros, of numbers; a precision of %s, which is the most characters.
// %g is a float: the fewest digits that are read back as the same one.
size_t Format(char* text, size_t size, const char* format, ...) STINT_PRINTF(3, 4);
size_t FormatArguments(char* text, size_t size, const char* format, va_list arguments);

}  // namespace stint

#endif  // STINT_RUNTIME_TEXT_H_
