// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Functions of libc that allocate, lock or call the system -> the same, counted. A definition in
// the program goes before that of a shared library, for all libraries (interposition). glibc.
#include "tests/runtime/counted_calls.h"

#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstddef>
#include <cstdlib>

namespace {

std::atomic<uint64_t> allocations{0}, bytes{0}, locks{0}, system_calls{0};

void CountMemory(size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  bytes.fetch_add(size, std::memory_order_relaxed);
}

// The function that would be called if there were none here.
void* Next(const char* name, std::atomic<void*>* known) {
  void* function = known->load(std::memory_order_relaxed);
  if (!function) {
    function = dlsym(RTLD_NEXT, name);
    if (!function) std::abort();
    known->store(function, std::memory_order_relaxed);
  }
  return function;
}

}  // namespace

namespace stint {

CallCounts CountedCalls() { return {allocations, bytes, locks, system_calls}; }

}  // namespace stint

// COUNTED(counter, result, name, (parameters), (arguments)): a function that counts and passes on.
#define COUNTED(counter, result, name, parameters, arguments)        \
  result name parameters {                                           \
    using Function = result(*) parameters;                           \
    static std::atomic<void*> next{nullptr};                         \
    counter.fetch_add(1, std::memory_order_relaxed);                 \
    return reinterpret_cast<Function>(Next(#name, &next)) arguments; \
  }

extern "C" {

// ---- Memory; the names that glibc has for its own
void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* block, size_t size);
void* __libc_memalign(size_t alignment, size_t size);

void* malloc(size_t size) noexcept {
  CountMemory(size);
  return __libc_malloc(size);
}
void* calloc(size_t count, size_t size) noexcept {
  CountMemory(count * size);
  return __libc_calloc(count, size);
}
void* realloc(void* block, size_t size) noexcept {
  CountMemory(size);
  return __libc_realloc(block, size);
}
void* memalign(size_t alignment, size_t size) noexcept {
  CountMemory(size);
  return __libc_memalign(alignment, size);
}
void* aligned_alloc(size_t alignment, size_t size) noexcept { return memalign(alignment, size); }
int posix_memalign(void** block, size_t alignment, size_t size) noexcept {
  void* const made = memalign(alignment, size);
  if (!made) return ENOMEM;
  *block = made;
  return 0;
}

COUNTED(system_calls, void*, mmap, (void* at, size_t n, int p, int f, int fd, off_t o) noexcept,
        (at, n, p, f, fd, o))
COUNTED(system_calls, int, munmap, (void* at, size_t size) noexcept, (at, size))
COUNTED(system_calls, int, mprotect, (void* at, size_t size, int p) noexcept, (at, size, p))
COUNTED(system_calls, int, madvise, (void* at, size_t size, int a) noexcept, (at, size, a))
COUNTED(system_calls, int, brk, (void* end) noexcept, (end))
COUNTED(system_calls, void*, sbrk, (intptr_t bytes) noexcept, (bytes))
COUNTED(system_calls, ssize_t, read, (int fd, void* to, size_t size), (fd, to, size))
COUNTED(system_calls, ssize_t, write, (int fd, const void* from, size_t n), (fd, from, n))
long syscall(long number, ...) noexcept {
  static std::atomic<void*> next{nullptr};
  system_calls.fetch_add(1, std::memory_order_relaxed);
  va_list list;
  va_start(list, number);
  long a[6];
  for (long& argument : a) argument = va_arg(list, long);
  va_end(list);
  using Function = long (*)(long, ...);
  return reinterpret_cast<Function>(Next("syscall", &next))(number, a[0], a[1], a[2], a[3], a[4],
                                                            a[5]);
}

COUNTED(locks, int, pthread_mutex_lock, (pthread_mutex_t * m) noexcept, (m))
COUNTED(locks, int, pthread_mutex_trylock, (pthread_mutex_t * m) noexcept, (m))
COUNTED(locks, int, pthread_rwlock_rdlock, (pthread_rwlock_t * l) noexcept, (l))
COUNTED(locks, int, pthread_rwlock_wrlock, (pthread_rwlock_t * l) noexcept, (l))
COUNTED(locks, int, pthread_spin_lock, (pthread_spinlock_t * l) noexcept, (l))
COUNTED(locks, int, pthread_cond_wait, (pthread_cond_t * c, pthread_mutex_t* m), (c, m))
COUNTED(locks, int, pthread_once, (pthread_once_t * once, void (*f)()), (once, f))
COUNTED(locks, int, sem_wait, (sem_t * semaphore), (semaphore))
// Of variables that are made when a function is first called.
int __cxa_guard_acquire(long long* guard);
COUNTED(locks, int, __cxa_guard_acquire, (long long* guard), (guard))

}  // extern "C"
