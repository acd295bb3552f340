// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Streams of bytes <-> the compressed pieces of a patch, one after the other: each its size, its
// compressed size (u32 both) and a zstd frame.
#ifndef STINT_TOOLS_CONVERT_PATCH_STREAMS_H_
#define STINT_TOOLS_CONVERT_PATCH_STREAMS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace stint {

// Appends a stream to `patch`. With a prefix it is what differs from that.
void AppendStream(std::span<const uint8_t> bytes, std::span<const uint8_t> prefix,
                  std::vector<uint8_t>* patch);
inline void AppendStream(const std::vector<uint8_t>& bytes, std::vector<uint8_t>* patch) {
  AppendStream(bytes, {}, patch);
}

// Reads one stream piece by piece, in little memory whatever its size.
class StreamReader {
 public:
  StreamReader(std::span<const uint8_t> frame, uint64_t size);
  ~StreamReader();
  StreamReader(StreamReader&&) noexcept;

  // Throws std::runtime_error if there is less.
  void Read(void* bytes, size_t size);
  uint8_t Byte();
  template <class T>
  T Number() {
    T value;
    Read(&value, sizeof(value));
    return value;
  }
  uint64_t left() const { return left_; }
  // Throws std::runtime_error unless all was read.
  void Finish();

 private:
  void Fill();

  struct Decoder;
  std::unique_ptr<Decoder> decoder_;
  std::vector<uint8_t> buffer_;
  size_t begin_ = 0, end_ = 0;  // of what is decoded and not read
  uint64_t left_;
};

// The streams of a patch, in their order. Throws std::runtime_error "reason" where they are not
// what they have to be.
class StreamCursor {
 public:
  explicit StreamCursor(std::span<const uint8_t> bytes) : bytes_(bytes) {}

  // A stream of at most `most` bytes.
  StreamReader Open(uint64_t most);
  // A stream of `size` bytes.
  StreamReader OpenExactly(uint64_t size);
  // A stream that is what differs from `prefix`, of exactly `size` bytes.
  void Read(std::span<const uint8_t> prefix, uint8_t* out, uint64_t size);
  // What the next stream says of its size.
  uint64_t NextSize() const;
  // Throws if something is left.
  void Finish() const;

 private:
  std::span<const uint8_t> Next(uint64_t* size);

  std::span<const uint8_t> bytes_;
};

}  // namespace stint

#endif  // STINT_TOOLS_CONVERT_PATCH_STREAMS_H_
