// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// A safetensors file -> named arrays with shapes, and its string options.
#ifndef STINT_TESTS_REFERENCE_SAFETENSORS_H_
#define STINT_TESTS_REFERENCE_SAFETENSORS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace stint::reference {

// One array, row-major. The accessors convert where no value changes by it and throw
// std::runtime_error where one could: floats are never read as integers.
struct Tensor {
  std::string dtype;  // "F64", "F32", "I64", "I32", "U8"
  std::vector<size_t> shape;
  std::vector<uint8_t> bytes;  // [product(shape) * element size]

  size_t size() const;                     // product(shape)
  size_t dim(size_t axis) const;           // throws std::runtime_error past the last axis
  std::vector<double> AsDouble() const;    // any dtype but I64 beyond 2^53
  std::vector<float> AsFloat() const;      // F32, and F64 rounded to nearest
  std::vector<int64_t> AsInt64() const;    // integers
  std::vector<int32_t> AsInt32() const;    // integers that fit
  std::vector<uint32_t> AsUint32() const;  // integers that fit
};

struct Safetensors {
  std::string path;
  std::map<std::string, std::string> metadata;  // the map "__metadata__"
  std::map<std::string, Tensor> tensors;

  bool Has(const std::string& name) const { return tensors.count(name) != 0; }
  const Tensor& operator[](const std::string& name) const;   // throws std::runtime_error
  const std::string& Option(const std::string& name) const;  // throws std::runtime_error
  double Number(const std::string& name) const;  // an option as a number; throws the same
};

// Reads a whole file. Throws std::runtime_error "path: reason" if it cannot be read or is
// malformed: sizes are checked before anything is allocated or read by them.
Safetensors ReadSafetensors(const std::string& path);
// The same from bytes; `path` only for messages.
Safetensors ParseSafetensors(const std::vector<uint8_t>& bytes, const std::string& path);

// Paths of the files in `folder` whose names start with `prefix` and end with `suffix`, by name.
std::vector<std::string> ListFiles(const std::string& folder, const std::string& prefix,
                                   const std::string& suffix);
// "torch_none_16_xe" of ".../torch_none_16_xe.safetensors".
std::string Stem(const std::string& path);

}  // namespace stint::reference

#endif  // STINT_TESTS_REFERENCE_SAFETENSORS_H_
