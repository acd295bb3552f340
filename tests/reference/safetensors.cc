// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// A safetensors file -> arrays of the kinds that tests need.
#include "tests/reference/safetensors.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <stdexcept>
#include <utility>

#include "tools/convert/tensors.h"
#include "trainer/model_bytes.h"

namespace stint::reference {
namespace {

static_assert(sizeof(float) == 4 && sizeof(double) == 8);

// 0 for a kind that no test needs.
size_t ElementSize(const std::string& dtype) {
  if (dtype == "F64" || dtype == "I64") return 8;
  if (dtype == "F32" || dtype == "I32") return 4;
  if (dtype == "U8") return 1;
  return 0;
}

[[noreturn]] void Fail(const std::string& path, const std::string& reason) {
  throw std::runtime_error(path + ": " + reason);
}

// Little-endian bytes -> one unsigned integer of their width.
template <typename Bits>
Bits Load(const uint8_t* bytes) {
  Bits bits = 0;
  for (size_t i = 0; i < sizeof(Bits); ++i) {
    bits = static_cast<Bits>(bits | (static_cast<Bits>(bytes[i]) << (8 * i)));
  }
  return bits;
}

template <typename To, typename Bits>
To Decode(const uint8_t* bytes) {
  static_assert(sizeof(To) == sizeof(Bits));
  const Bits bits = Load<Bits>(bytes);
  To value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

double DoubleAt(const Tensor& tensor, size_t i) {
  const uint8_t* bytes = tensor.bytes.data();
  if (tensor.dtype == "F64") return Decode<double, uint64_t>(bytes + 8 * i);
  if (tensor.dtype == "F32") return Decode<float, uint32_t>(bytes + 4 * i);
  throw std::runtime_error("dtype " + tensor.dtype + " is no float");
}

int64_t IntAt(const Tensor& tensor, size_t i) {
  const uint8_t* bytes = tensor.bytes.data();
  if (tensor.dtype == "I64") return Decode<int64_t, uint64_t>(bytes + 8 * i);
  if (tensor.dtype == "I32") return Decode<int32_t, uint32_t>(bytes + 4 * i);
  if (tensor.dtype == "U8") return bytes[i];
  throw std::runtime_error("dtype " + tensor.dtype + " is no integer");
}

template <typename T>
std::vector<T> IntsThatFit(const Tensor& tensor) {
  std::vector<T> out(tensor.size());
  for (size_t i = 0; i < out.size(); ++i) {
    const int64_t value = IntAt(tensor, i);
    if (value < static_cast<int64_t>(std::numeric_limits<T>::min()) ||
        (sizeof(T) < 8 && value > static_cast<int64_t>(std::numeric_limits<T>::max()))) {
      throw std::runtime_error("value " + std::to_string(value) + " is out of range");
    }
    out[i] = static_cast<T>(value);
  }
  return out;
}

}  // namespace

size_t Tensor::size() const {
  size_t n = 1;
  for (const size_t dim : shape) n *= dim;
  return n;
}

size_t Tensor::dim(size_t axis) const {
  if (axis >= shape.size()) throw std::runtime_error("no axis " + std::to_string(axis));
  return shape[axis];
}

std::vector<double> Tensor::AsDouble() const {
  std::vector<double> out(size());
  const bool is_float = dtype[0] == 'F';
  for (size_t i = 0; i < out.size(); ++i) {
    if (is_float) {
      out[i] = DoubleAt(*this, i);
      continue;
    }
    const int64_t value = IntAt(*this, i);
    if (value > (int64_t{1} << 53) || value < -(int64_t{1} << 53)) {
      throw std::runtime_error("value " + std::to_string(value) + " is no exact double");
    }
    out[i] = static_cast<double>(value);
  }
  return out;
}

std::vector<float> Tensor::AsFloat() const {
  std::vector<float> out(size());
  for (size_t i = 0; i < out.size(); ++i) out[i] = static_cast<float>(DoubleAt(*this, i));
  return out;
}

std::vector<int64_t> Tensor::AsInt64() const { return IntsThatFit<int64_t>(*this); }
std::vector<int32_t> Tensor::AsInt32() const { return IntsThatFit<int32_t>(*this); }
std::vector<uint32_t> Tensor::AsUint32() const { return IntsThatFit<uint32_t>(*this); }

const Tensor& Safetensors::operator[](const std::string& name) const {
  const auto found = tensors.find(name);
  if (found == tensors.end()) Fail(path, "no tensor '" + name + "'");
  return found->second;
}

const std::string& Safetensors::Option(const std::string& name) const {
  const auto found = metadata.find(name);
  if (found == metadata.end()) Fail(path, "no option '" + name + "'");
  return found->second;
}

double Safetensors::Number(const std::string& name) const {
  const std::string& text = Option(name);
  size_t used = 0;
  double value = 0;
  try {
    value = std::stod(text, &used);
  } catch (const std::exception&) {
    used = 0;
  }
  if (used == 0 || used != text.size()) {
    Fail(path, "option '" + name + "': '" + text + "' is not a number");
  }
  return value;
}

Safetensors ParseSafetensors(const std::vector<uint8_t>& bytes, const std::string& path) {
  AlignedBytes aligned(bytes.size());
  std::copy(bytes.begin(), bytes.end(), aligned.data());
  const Tensors read = stint::ParseSafetensors(std::move(aligned), path);
  Safetensors file;
  file.path = path;
  file.metadata = read.metadata;
  for (const auto& [name, tensor] : read.tensors) {
    const std::string dtype = Name(tensor.kind);
    if (ElementSize(dtype) == 0) Fail(path, "tensor '" + name + "': no test needs " + dtype);
    file.tensors[name] = {dtype,
                          {tensor.shape.begin(), tensor.shape.end()},
                          {tensor.bytes.begin(), tensor.bytes.end()}};
  }
  return file;
}

Safetensors ReadSafetensors(const std::string& path) {
  const AlignedBytes bytes = ReadAligned(path);
  return ParseSafetensors({bytes.data(), bytes.data() + bytes.size()}, path);
}

std::vector<std::string> ListFiles(const std::string& folder, const std::string& prefix,
                                   const std::string& suffix) {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.size() >= prefix.size() + suffix.size() && name.starts_with(prefix) &&
        name.ends_with(suffix)) {
      paths.push_back(entry.path().string());
    }
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::string Stem(const std::string& path) { return std::filesystem::path(path).stem().string(); }

}  // namespace stint::reference
