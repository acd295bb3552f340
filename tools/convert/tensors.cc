// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Numbers of any float kind -> floats.
#include "tools/convert/tensors.h"

#include <bit>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "schema/panel.h"

namespace stint {
namespace {

static_assert(std::endian::native == std::endian::little, "tensors are read as they lie");

struct KindRow {
  ElementKind kind;
  const char* name;
  size_t bytes;
};
constexpr KindRow kKinds[] = {
    {ElementKind::kF64, "F64", 8},   {ElementKind::kF32, "F32", 4}, {ElementKind::kF16, "F16", 2},
    {ElementKind::kBf16, "BF16", 2}, {ElementKind::kI64, "I64", 8}, {ElementKind::kI32, "I32", 4},
    {ElementKind::kI16, "I16", 2},   {ElementKind::kI8, "I8", 1},   {ElementKind::kU64, "U64", 8},
    {ElementKind::kU32, "U32", 4},   {ElementKind::kU16, "U16", 2}, {ElementKind::kU8, "U8", 1},
    {ElementKind::kBool, "BOOL", 1},
};

const KindRow& RowOf(ElementKind kind) {
  for (const KindRow& row : kKinds) {
    if (row.kind == kind) return row;
  }
  throw std::logic_error("a tensor of no kind");
}

template <typename T>
T Load(const uint8_t* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof(value));
  return value;
}

// IEEE 754 half precision; subnormal numbers and infinities as they are.
double FromHalf(uint16_t bits) {
  const int exponent = bits >> 10 & 31;
  const int fraction = bits & 1023;
  const double sign = bits >> 15 != 0 ? -1.0 : 1.0;
  if (exponent == 31) return sign * (fraction == 0 ? HUGE_VAL : std::nan(""));
  if (exponent == 0) return sign * std::ldexp(fraction, -24);
  return sign * std::ldexp(fraction + 1024, exponent - 25);
}

double NumberAt(ElementKind kind, const uint8_t* at) {
  switch (kind) {
    case ElementKind::kF64:
      return Load<double>(at);
    case ElementKind::kF32:
      return double{Load<float>(at)};
    case ElementKind::kBf16:
      return double{std::bit_cast<float>(uint32_t{Load<uint16_t>(at)} << 16)};
    default:
      return FromHalf(Load<uint16_t>(at));
  }
}

}  // namespace

size_t ElementBytes(ElementKind kind) { return RowOf(kind).bytes; }
const char* Name(ElementKind kind) { return RowOf(kind).name; }

std::string ShapeText(const std::vector<uint64_t>& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) {
    if (i > 0) text += ", ";
    text += std::to_string(shape[i]);
  }
  return text + "]";
}
std::string Tensor::Shape() const { return ShapeText(shape); }

bool TensorBytes(ElementKind kind, const std::vector<uint64_t>& shape, uint64_t most,
                 uint64_t* bytes) {
  *bytes = ElementBytes(kind);
  bool empty = false;
  for (const uint64_t n : shape) empty |= n == 0;
  if (empty) {
    *bytes = 0;
    return true;
  }
  for (const uint64_t n : shape) {
    if (*bytes > most / n) return false;  // by division: no product wraps round
    *bytes *= n;
  }
  return true;
}

void Tensors::Fail(const std::string& name, const std::string& reason) const {
  throw std::runtime_error(path + ": tensor '" + name + "': " + reason);
}

std::vector<float> Tensors::Floats(const std::string& name) const {
  const auto found = tensors.find(name);
  if (found == tensors.end()) Fail(name, "is not there");
  const Tensor& tensor = found->second;
  const bool is_float = tensor.kind == ElementKind::kF64 || tensor.kind == ElementKind::kF32 ||
                        tensor.kind == ElementKind::kF16 || tensor.kind == ElementKind::kBf16;
  if (!is_float) {
    Fail(name,
         std::string("elements are ") + Name(tensor.kind) + ", weights are F64, F32, F16 or BF16");
  }
  AlignedBytes unpacked;
  const uint8_t* at = tensor.bytes.data();
  if (tensor.unpack) {
    unpacked = tensor.unpack();
    at = unpacked.data();
  }
  std::vector<float> values(tensor.size());
  const size_t step = ElementBytes(tensor.kind);
  for (uint64_t i = 0; i < values.size(); ++i) {
    const double value = NumberAt(tensor.kind, at + i * step);
    values[i] = static_cast<float>(value);
    if (!(std::fabs(values[i]) <= kLargestWeight)) {  // NaN too
      char text[40];
      std::snprintf(text, sizeof(text), "%g", value);
      Fail(name, "element " + std::to_string(i) + " is " + text +
                     ", weights are finite numbers up to 1e15");
    }
  }
  return values;
}

std::span<const uint8_t> Tensors::Own(AlignedBytes bytes) {
  storage_.push_back(std::move(bytes));
  return {storage_.back().data(), storage_.back().size()};
}

void Tensors::Add(const std::string& name, std::vector<uint64_t> shape,
                  const std::vector<float>& values) {
  AlignedBytes bytes(values.size() * sizeof(float));
  if (!values.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  Tensor tensor;
  tensor.shape = std::move(shape);
  tensor.byte_count = bytes.size();
  tensor.bytes = Own(std::move(bytes));
  tensors[name] = std::move(tensor);
}

}  // namespace stint
