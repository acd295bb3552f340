// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

#include "trainer/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <stdexcept>

namespace stint {
namespace {

constexpr char kTemporary[] = ".tmp";

[[noreturn]] void Fail(const std::string& path, int error) {
  throw std::runtime_error(path + ": " + std::strerror(error));
}

// Where `path` leads through links, or `path` itself where nothing is yet.
std::string Resolve(const std::string& path) {
  const std::unique_ptr<char, void (*)(void*)> real(realpath(path.c_str(), nullptr), std::free);
  return real ? real.get() : path;
}

// A signal may break off a sync.
int Sync(int file) {
  int result = 0;
  do {
    result = fsync(file);
  } while (result != 0 && errno == EINTR);
  return result;
}

// The rename itself reaches the disk with the folder. Returns an error number; some file systems
// cannot sync a folder, and some folders can be written to but not opened: no error.
int SyncFolderOf(const std::string& target) {
  const size_t slash = target.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : target.substr(0, slash + 1);
  const int directory = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return 0;
  const int error = Sync(directory) == 0 ? 0 : errno;
  close(directory);
  return error == EIO || error == ENOSPC || error == EDQUOT ? error : 0;
}

}  // namespace

AtomicFile::AtomicFile(const std::string& path) : path_(path) {
  struct stat old = {};
  const bool exists = stat(path.c_str(), &old) == 0;
  if (exists && S_ISDIR(old.st_mode)) Fail(path, EISDIR);
  if (exists && !S_ISREG(old.st_mode)) {
    file_ = open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (file_ < 0) Fail(path, errno);
    return;
  }
  target_ = Resolve(path);
  errno = EEXIST;
  for (int attempt = 0; file_ < 0 && errno == EEXIST && attempt < 100; ++attempt) {
    temporary_ = target_ + kTemporary + std::to_string(getpid()) + "-" + std::to_string(attempt);
    file_ = open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  }
  if (file_ < 0) Fail(path, errno);
  // Best effort: an owner may not be ours to set, and that must not lose a trained model.
  if (exists && fchmod(file_, old.st_mode & 07777) != 0) errno = 0;
}

AtomicFile::~AtomicFile() {
  if (file_ >= 0) close(file_);
  if (!temporary_.empty()) unlink(temporary_.c_str());
}

void AtomicFile::Write(const void* data, size_t size) {
  const auto* at = static_cast<const char*>(data);
  while (size > 0) {
    // In parts: some systems refuse more than 2^31 - 4096 bytes at once.
    const ssize_t written = write(file_, at, std::min<size_t>(size, 1 << 30));
    if (written > 0) {  // perhaps less than asked for: the rest is asked for again
      at += written;
      size -= static_cast<size_t>(written);
    } else if (written == 0) {
      Fail(path_, ENOSPC);  // POSIX has no such answer; asking on and on would hang
    } else if (errno != EINTR) {
      Fail(path_, errno);
    }
  }
}

void AtomicFile::Commit() {
  int error = !temporary_.empty() && Sync(file_) != 0 ? errno : 0;
  if (close(file_) != 0 && error == 0) error = errno;
  file_ = -1;
  if (temporary_.empty()) {
    if (error != 0) Fail(path_, error);
    return;
  }
  if (error == 0 && rename(temporary_.c_str(), target_.c_str()) != 0) error = errno;
  if (error != 0) Fail(path_, error);  // the destructor removes the temporary file
  temporary_.clear();
  if ((error = SyncFolderOf(target_)) != 0) Fail(path_, error);
}

bool IsLeftOver(const std::string& name, const std::string& target) {
  const std::string start = target + kTemporary;
  return name.size() > start.size() && name.compare(0, start.size(), start) == 0 &&
         name.find_first_not_of("0123456789-", start.size()) == std::string::npos;
}

}  // namespace stint
