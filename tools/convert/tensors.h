// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// A safetensors or npz file <-> named arrays of numbers. Files are hostile until checked: every
// length, offset and product is, before anything is allocated or read by it.
#ifndef STINT_TOOLS_CONVERT_TENSORS_H_
#define STINT_TOOLS_CONVERT_TENSORS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "trainer/model_bytes.h"

namespace stint {

enum class ElementKind {
  kF64,
  kF32,
  kF16,
  kBf16,
  kI64,
  kI32,
  kI16,
  kI8,
  kU64,
  kU32,
  kU16,
  kU8,
  kBool
};
size_t ElementBytes(ElementKind kind);
const char* Name(ElementKind kind);  // "F32", as safetensors says it

struct Tensor {
  ElementKind kind = ElementKind::kF32;
  std::vector<uint64_t> shape;
  uint64_t byte_count = 0;
  // Row-major, little-endian, of any alignment: byte_count of them, or none and a function that
  // unpacks them. What an archive promises is unpacked when its shape has been found right.
  std::span<const uint8_t> bytes;
  std::function<AlignedBytes()> unpack;

  uint64_t size() const { return byte_count / ElementBytes(kind); }
  std::string Shape() const;  // "[3, 4]"
};
std::string ShapeText(const std::vector<uint64_t>& shape);

// A file's tensors by name, and the bytes behind them.
class Tensors {
 public:
  explicit Tensors(std::string file) : path(std::move(file)) {}
  Tensors(Tensors&&) = default;
  Tensors& operator=(Tensors&&) = default;

  // Throws std::runtime_error "path: tensor 'name': reason".
  [[noreturn]] void Fail(const std::string& name, const std::string& reason) const;

  // A tensor as float32, rounded half to even. Fails for what is no kind of float, a value that is
  // not finite, or one beyond 1e15, which no model holds.
  std::vector<float> Floats(const std::string& name) const;

  // Bytes that live as long as this; the span says where.
  std::span<const uint8_t> Own(AlignedBytes bytes);
  // A tensor of floats of its own.
  void Add(const std::string& name, std::vector<uint64_t> shape, const std::vector<float>& values);

  std::string path;
  std::map<std::string, Tensor> tensors;
  std::map<std::string, std::string> metadata;  // of safetensors

 private:
  std::list<AlignedBytes> storage_;
};

// Bytes of a tensor of `shape`; false if they are more than `most`, whatever the product is.
bool TensorBytes(ElementKind kind, const std::vector<uint64_t>& shape, uint64_t most,
                 uint64_t* bytes);

// Throw std::runtime_error "path: reason", or Fail().
Tensors ReadSafetensors(const std::string& path);
Tensors ReadNpz(const std::string& path);
// The same of a file's bytes; `path` is for messages.
Tensors ParseSafetensors(AlignedBytes bytes, const std::string& path);
Tensors ParseNpz(AlignedBytes bytes, const std::string& path);

// A safetensors file of them, by name; the data of each at a multiple of 8 bytes.
std::string SafetensorsBytes(const Tensors& tensors);

}  // namespace stint

#endif  // STINT_TOOLS_CONVERT_TENSORS_H_
