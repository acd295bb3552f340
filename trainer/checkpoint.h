// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// State of a training run -> one file, and back. Little-endian, without gaps:
//
//   offset  bytes
//   0       8      "STINTCKP"
//   8       4      format version, 1
//   12      4      0
//   16      8      H, bytes of the header
//   24      8      XXH3-64 of the 24 bytes before and of the header
//   32      H      header: a JSON object; "arrays" names all that follow, in order: [{"name": ...,
//                  "bytes": ..., "xxh3": "16 hexadecimal digits"}, ...]
//   32 + H         the arrays, one after the other, to the end of the file
//
// So no byte can change unseen.
#ifndef STINT_TRAINER_CHECKPOINT_H_
#define STINT_TRAINER_CHECKPOINT_H_

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace stint {

// An array to be saved; borrowed.
struct SavedArray {
  std::string name;
  const void* data = nullptr;  // [bytes]
  size_t bytes = 0;
};

// What a checkpoint holds. Every part of the program has a key of its own in the header.
struct CheckpointContent {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  std::vector<SavedArray> arrays;
};

// Puts the file in place when it is complete (trainer/atomic_file.h). Throws std::runtime_error
// "path: reason".
void WriteCheckpoint(const std::string& path, const CheckpointContent& content);

// A file that was opened, and all of it verified.
class Checkpoint {
 public:
  // Throws std::runtime_error "path: what is wrong", for whatever bytes the file holds.
  explicit Checkpoint(const std::string& path);
  ~Checkpoint();
  Checkpoint(Checkpoint&& other) noexcept;
  Checkpoint& operator=(Checkpoint&& other) noexcept;

  const std::string& path() const { return path_; }
  const nlohmann::ordered_json& header() const { return header_; }
  bool Has(const std::string& name) const { return Find(name) != nullptr; }
  // Of the header, and so of all that it has checksums of.
  std::string Fingerprint() const;
  // Bytes of an array; 0 if there is none of that name.
  size_t Bytes(const std::string& name) const;
  // Fills `data`. Throws std::runtime_error if there is no such array, if it has another size, or
  // if the file has changed since it was opened.
  void Read(const std::string& name, void* data, size_t bytes) const;
  // "path: message" as std::runtime_error, for those who find more to say against the content.
  [[noreturn]] void Fail(const std::string& message) const;

 private:
  struct Array {
    std::string name;
    uint64_t offset = 0;
    uint64_t bytes = 0;
    uint64_t xxh3 = 0;
  };
  const Array* Find(const std::string& name) const;
  void ReadHeader(uint64_t file_size);
  uint64_t HashOf(const nlohmann::ordered_json& entry) const;
  void ReadAt(uint64_t offset, void* data, size_t bytes) const;
  void Verify(const Array& array) const;

  std::string path_;
  int file_ = -1;
  nlohmann::ordered_json header_;
  std::vector<Array> arrays_;
};

// Doubles in a header keep their bits, not finite ones too.
nlohmann::ordered_json BitsOf(double value);
double DoubleOf(const nlohmann::ordered_json& bits);
// 16 hexadecimal digits, and back. Throws std::runtime_error.
std::string HexOf(uint64_t value);
uint64_t ParseHex(const std::string& text);

}  // namespace stint

#endif  // STINT_TRAINER_CHECKPOINT_H_
