// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The bytes of a model file in memory -> a file that is either the old one or the new one.
#include "trainer/model_bytes.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>

namespace stint {
namespace {

[[noreturn]] void Fail(const std::string& path, int error) {
  throw std::runtime_error(path + ": " + std::strerror(error));
}

// 0, or the error number of the write, sync or close that failed. Closes `file`.
int WriteAndClose(int file, std::span<const uint8_t> bytes, bool sync) {
  int error = 0;
  while (!bytes.empty() && error == 0) {
    // In parts: some systems refuse more than 2^31 - 4096 bytes at once.
    const ssize_t written = write(file, bytes.data(), std::min<size_t>(bytes.size(), 1 << 30));
    if (written >= 0) {
      bytes = bytes.subspan(static_cast<size_t>(written));
    } else if (errno != EINTR) {
      error = errno;
    }
  }
  if (error == 0 && sync && fsync(file) != 0) error = errno;
  if (close(file) != 0 && error == 0) error = errno;
  return error;
}

// Where `path` leads through links, or `path` itself where nothing is yet.
std::string Resolve(const std::string& path) {
  const std::unique_ptr<char, void (*)(void*)> real(realpath(path.c_str(), nullptr), std::free);
  return real ? real.get() : path;
}

}  // namespace

AlignedBytes::AlignedBytes(size_t size) : size_(size) {
  if (size > SIZE_MAX - 64) throw std::bad_alloc();
  data_ =
      static_cast<uint8_t*>(std::aligned_alloc(64, std::max<size_t>((size + 63) / 64 * 64, 64)));
  if (!data_) throw std::bad_alloc();
}

AlignedBytes::AlignedBytes(AlignedBytes&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

AlignedBytes& AlignedBytes::operator=(AlignedBytes&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

AlignedBytes::~AlignedBytes() { std::free(data_); }

void WriteFileAtomically(const std::string& path, std::span<const uint8_t> bytes) {
  struct stat old = {};
  const bool exists = stat(path.c_str(), &old) == 0;
  if (exists && S_ISDIR(old.st_mode)) Fail(path, EISDIR);
  if (exists && !S_ISREG(old.st_mode)) {
    const int file = open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (file < 0) Fail(path, errno);
    if (const int error = WriteAndClose(file, bytes, /*sync=*/false)) Fail(path, error);
    return;
  }
  const std::string target = Resolve(path);
  std::string temporary;
  int file = -1;
  errno = EEXIST;
  for (int attempt = 0; file < 0 && errno == EEXIST && attempt < 100; ++attempt) {
    temporary = target + ".tmp" + std::to_string(getpid()) + "-" + std::to_string(attempt);
    file = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  }
  if (file < 0) Fail(path, errno);
  // Best effort: an owner may not be ours to set, and that must not lose a trained model.
  if (exists && fchmod(file, old.st_mode & 07777) != 0) errno = 0;
  int error = WriteAndClose(file, bytes, /*sync=*/true);
  if (error == 0 && rename(temporary.c_str(), target.c_str()) != 0) error = errno;
  if (error != 0) {
    unlink(temporary.c_str());
    Fail(path, error);
  }
  // The rename itself reaches the disk with the folder; some file systems cannot sync one.
  const size_t slash = target.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : target.substr(0, slash + 1);
  const int directory = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory >= 0) {
    (void)fsync(directory);
    close(directory);
  }
}

}  // namespace stint
