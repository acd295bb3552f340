// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Path -> the file's bytes, mapped read-only.
#ifndef STINT_RUNTIME_MAPPED_FILE_H_
#define STINT_RUNTIME_MAPPED_FILE_H_

#include <cstddef>
#include <cstdint>

#include "runtime/status.h"

namespace stint {

// A mapping starts on a page, so at a multiple of 64 bytes.
struct MappedFile {
  const uint8_t* data = nullptr;  // [size], null for none
  size_t size = 0;
};

// STINT_IO_ERROR if the file cannot be opened or mapped or is no regular file, STINT_NOT_A_MODEL if
// it is empty, STINT_UNSUPPORTED on systems without files (open a buffer there).
[[nodiscard]] Status MapFile(const char* path, MappedFile* file, stint_error* error);
// Does nothing for an empty MappedFile.
void UnmapFile(MappedFile* file);

}  // namespace stint

#endif  // STINT_RUNTIME_MAPPED_FILE_H_
