// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Path -> the file's bytes, mapped read-only: POSIX, Windows, or not at all.
#include "runtime/mapped_file.h"

#if defined(_WIN32)
#define WIN32_LEAN_AND_MEAN
#define NOMINMAX
#include <windows.h>
#elif !defined(__wasm__) && (defined(__unix__) || defined(__APPLE__))
#define STINT_POSIX_FILES
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#endif

namespace stint {

#if defined(_WIN32)

Status MapFile(const char* path, MappedFile* file, stint_error* error) {
  wchar_t wide[4096];
  if (MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path, -1, wide, 4096) == 0) {
    return Fail(error, STINT_IO_ERROR, "%s: not a path in UTF-8", path);
  }
  const HANDLE handle = CreateFileW(wide, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_DELETE,
                                    nullptr, OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, nullptr);
  if (handle == INVALID_HANDLE_VALUE) {
    return Fail(error, STINT_IO_ERROR, "%s: cannot be opened (error %lu)", path, GetLastError());
  }
  LARGE_INTEGER size;
  Status status = STINT_OK;
  if (!GetFileSizeEx(handle, &size)) {
    status = Fail(error, STINT_IO_ERROR, "%s: no size (error %lu)", path, GetLastError());
  } else if (size.QuadPart == 0) {
    status = Fail(error, STINT_NOT_A_MODEL, "%s: the file is empty", path);
  } else {
    const HANDLE mapping = CreateFileMappingW(handle, nullptr, PAGE_READONLY, 0, 0, nullptr);
    void* data = mapping ? MapViewOfFile(mapping, FILE_MAP_READ, 0, 0, 0) : nullptr;
    if (data) {
      file->data = static_cast<const uint8_t*>(data);
      file->size = static_cast<size_t>(size.QuadPart);
    } else {
      status =
          Fail(error, STINT_IO_ERROR, "%s: cannot be mapped (error %lu)", path, GetLastError());
    }
    if (mapping) CloseHandle(mapping);  // the view keeps the mapping alive
  }
  CloseHandle(handle);
  return status;
}

void UnmapFile(MappedFile* file) {
  if (file->data) UnmapViewOfFile(file->data);
  *file = MappedFile();
}

#elif defined(STINT_POSIX_FILES)

namespace {

// strerror() is not thread-safe everywhere, and strerror_r() comes in two kinds. Null: some other.
const char* Reason(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return "no such file";
    case EACCES:
    case EPERM:
      return "no permission";
    case ENOMEM:
      return "no memory left";
    case EMFILE:
    case ENFILE:
      return "too many open files";
    case ENAMETOOLONG:
      return "the path is too long";
    case EIO:
      return "the device failed";
  }
  return nullptr;
}

Status FailErrno(stint_error* error, const char* path, const char* what, int number) {
  const char* reason = Reason(number);
  if (reason) return Fail(error, STINT_IO_ERROR, "%.200s: %s%s", path, what, reason);
  return Fail(error, STINT_IO_ERROR, "%.200s: %ssystem error %d", path, what, number);
}

}  // namespace

Status MapFile(const char* path, MappedFile* file, stint_error* error) {
  // O_NONBLOCK: opening a pipe must not wait for a writer.
  const int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return FailErrno(error, path, "", errno);
  struct stat info;
  Status status = STINT_OK;
  if (fstat(descriptor, &info) != 0) {
    status = FailErrno(error, path, "", errno);
  } else if (!S_ISREG(info.st_mode)) {
    status = Fail(error, STINT_IO_ERROR, "%.200s: not a regular file", path);
  } else if (info.st_size == 0) {
    status = Fail(error, STINT_NOT_A_MODEL, "%.200s: the file is empty", path);
  } else if (static_cast<uint64_t>(info.st_size) > SIZE_MAX / 2) {
    status = Fail(error, STINT_NOT_A_MODEL, "%.200s: %llu bytes are no stint model", path,
                  static_cast<unsigned long long>(info.st_size));
  } else {
    const size_t size = static_cast<size_t>(info.st_size);
    void* data = mmap(nullptr, size, PROT_READ, MAP_SHARED, descriptor, 0);
    if (data == MAP_FAILED) {
      status = FailErrno(error, path, "cannot be mapped: ", errno);
    } else {
      file->data = static_cast<const uint8_t*>(data);
      file->size = size;
    }
  }
  close(descriptor);  // the mapping stays
  return status;
}

void UnmapFile(MappedFile* file) {
  if (file->data) munmap(const_cast<uint8_t*>(file->data), file->size);
  *file = MappedFile();
}

#else

Status MapFile(const char* path, MappedFile*, stint_error* error) {
  return Fail(error, STINT_UNSUPPORTED, "%.200s: no files on this system, open a buffer", path);
}

void UnmapFile(MappedFile* file) { *file = MappedFile(); }

#endif

}  // namespace stint
