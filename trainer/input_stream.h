// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// A file or standard input, plain or compressed -> its plain bytes, piece by piece.
#ifndef STINT_TRAINER_INPUT_STREAM_H_
#define STINT_TRAINER_INPUT_STREAM_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace stint {

// Compression is told by the first bytes, not by the name: gzip (also several members
// one after another) and zstd (also several frames); anything else is plain. Every
// failure is a std::runtime_error "path: reason".
class InputStream {
 public:
  // `path` "-" is standard input, named "<stdin>" in messages.
  explicit InputStream(const std::string& path);
  ~InputStream();
  InputStream(const InputStream&) = delete;
  InputStream& operator=(const InputStream&) = delete;

  // Up to `size` plain bytes; 0 at the end alone. Corrupt or cut compressed data throws.
  size_t Read(char* out, size_t size);

  // The share of the file that Read() has used, in [0, 1]; 0 where the size is not known (a pipe).
  double ShareRead() const;

  // How messages call it.
  const std::string& name() const { return name_; }

 private:
  enum class Format { kPlain, kGzip, kZstd };
  struct Codec;  // state of zlib or zstd

  [[noreturn]] void Fail(const std::string& reason) const;
  bool Refill();  // false at the end of the file
  void Detect();
  size_t ReadPlain(char* out, size_t size);
  size_t ReadGzip(char* out, size_t size);
  size_t ReadZstd(char* out, size_t size);

  std::string name_;
  int fd_ = -1;
  bool owns_fd_ = false;
  uint64_t file_bytes_ = 0;  // 0: not known
  uint64_t read_bytes_ = 0;  // of the file, up to raw_end_
  Format format_ = Format::kPlain;
  std::unique_ptr<Codec> codec_;
  bool inside_ = false;       // in a gzip member or zstd frame that has not ended
  std::vector<uint8_t> raw_;  // [256 KiB] bytes of the file
  size_t raw_begin_ = 0;      // raw_[raw_begin_, raw_end_) is not yet used
  size_t raw_end_ = 0;
};

}  // namespace stint

#endif  // STINT_TRAINER_INPUT_STREAM_H_
