// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Preloaded into a process: counts its calls of write(), pwrite(), fsync(), fdatasync() and
// rename() on what lies in one folder, and lets chosen ones fail. Told by the environment:
//
//   STINT_FAULT_FOLDER   absolute path
//   STINT_FAULT_KIND     enospc, eio: the call fails so; short: a write does half of its bytes
//   STINT_FAULT_FIRST    number of the first call that fails, from 1; 0: none
//   STINT_FAULT_LAST     number of the last one
//   STINT_FAULT_COUNT    file that gets the number of calls, at the end
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

std::atomic<long> calls{0};

const char* Setting(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

bool InFolder(const char* path) {
  const char* folder = Setting("STINT_FAULT_FOLDER");
  const size_t n = std::strlen(folder);
  return n > 0 && std::strncmp(path, folder, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

bool InFolder(int file) {
  char link[64], path[4096];
  std::snprintf(link, sizeof(link), "/proc/self/fd/%d", file);
  const ssize_t n = readlink(link, path, sizeof(path) - 1);
  if (n <= 0) return false;
  path[n] = '\0';
  return InFolder(path);
}

// Counts a call; whether it is one of those chosen.
bool Chosen() {
  const long call = ++calls;
  return call >= std::atol(Setting("STINT_FAULT_FIRST")) &&
         call <= std::atol(Setting("STINT_FAULT_LAST"));
}

bool IsShort() { return std::strcmp(Setting("STINT_FAULT_KIND"), "short") == 0; }

int Error() { return std::strcmp(Setting("STINT_FAULT_KIND"), "eio") == 0 ? EIO : ENOSPC; }

template <class Function>
Function* Next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

template <class Call>
auto OnFile(int file, Call call) -> decltype(call()) {
  if (InFolder(file) && Chosen() && !IsShort()) {
    errno = Error();
    return -1;
  }
  return call();
}

template <class Call>
ssize_t Write(int file, size_t n, Call call) {
  if (InFolder(file) && Chosen()) {
    if (IsShort()) return call((n + 1) / 2);
    errno = Error();
    return -1;
  }
  return call(n);
}

__attribute__((destructor)) void Report() {
  const char* path = Setting("STINT_FAULT_COUNT");
  if (*path == '\0') return;
  std::FILE* file = std::fopen(path, "w");
  if (file == nullptr) return;
  std::fprintf(file, "%ld", calls.load());
  std::fclose(file);
}

}  // namespace

extern "C" {

ssize_t write(int file, const void* data, size_t n) {
  static const auto next = Next<ssize_t(int, const void*, size_t)>("write");
  return Write(file, n, [&](size_t size) { return next(file, data, size); });
}

ssize_t pwrite(int file, const void* data, size_t n, off_t offset) {
  static const auto next = Next<ssize_t(int, const void*, size_t, off_t)>("pwrite");
  return Write(file, n, [&](size_t size) { return next(file, data, size, offset); });
}

int fsync(int file) {
  static const auto next = Next<int(int)>("fsync");
  return OnFile(file, [&] { return next(file); });
}

int fdatasync(int file) {
  static const auto next = Next<int(int)>("fdatasync");
  return OnFile(file, [&] { return next(file); });
}

int rename(const char* from, const char* to) {
  static const auto next = Next<int(const char*, const char*)>("rename");
  if (InFolder(to) && Chosen() && !IsShort()) {
    errno = Error();
    return -1;
  }
  return next(from, to);
}

}  // extern "C"
