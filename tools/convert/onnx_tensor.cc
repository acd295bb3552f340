// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Tensors of ONNX -> numbers.
#include <bit>
#include <cstring>
#include <utility>

#include "tools/convert/onnx_axes.h"
#include "tools/convert/onnx_graph.h"
#include "tools/convert/tensors.h"

namespace stint {
namespace {

using onnx::TensorProto;

static_assert(std::endian::native == std::endian::little, "raw data is read as it lies");
constexpr uint64_t kMostBytes = INT32_MAX;

std::string KindText(int kind) {
  return TensorProto::DataType_IsValid(kind)
             ? TensorProto::DataType_Name(static_cast<TensorProto::DataType>(kind))
             : "of kind " + std::to_string(kind);
}

ElementKind KindOf(const TensorProto& tensor, const std::string& name, const Tensors& file) {
  switch (tensor.data_type()) {
    case TensorProto::FLOAT:
      return ElementKind::kF32;
    case TensorProto::DOUBLE:
      return ElementKind::kF64;
    case TensorProto::FLOAT16:
      return ElementKind::kF16;
    case TensorProto::BFLOAT16:
      return ElementKind::kBf16;
    case TensorProto::INT64:
      return ElementKind::kI64;
    case TensorProto::INT32:
      return ElementKind::kI32;
    default:
      file.Fail(name, "elements are " + KindText(tensor.data_type()) +
                          "; FLOAT, DOUBLE, FLOAT16, BFLOAT16, INT64 and INT32 are read");
  }
}

// A repeated field -> bytes.
template <typename T, typename Field>
AlignedBytes BytesOf(const Field& field) {
  AlignedBytes bytes(static_cast<size_t>(field.size()) * sizeof(T));
  uint8_t* to = bytes.data();
  for (const auto value : field) {
    const T element = static_cast<T>(value);
    std::memcpy(to, &element, sizeof(T));
    to += sizeof(T);
  }
  return bytes;
}

AlignedBytes HalvesOf(const TensorProto& tensor, const std::string& name, const Tensors& file) {
  for (const int32_t value : tensor.int32_data()) {
    if (value < 0 || value > UINT16_MAX) {
      file.Fail(name, "int32_data of " + std::to_string(value) + " are no 16 bits");
    }
  }
  return BytesOf<uint16_t>(tensor.int32_data());
}

AlignedBytes TypedData(const TensorProto& tensor, ElementKind kind, const std::string& name,
                       const Tensors& file) {
  switch (kind) {
    case ElementKind::kF32:
      return BytesOf<float>(tensor.float_data());
    case ElementKind::kF64:
      return BytesOf<double>(tensor.double_data());
    case ElementKind::kI64:
      return BytesOf<int64_t>(tensor.int64_data());
    case ElementKind::kI32:
      return BytesOf<int32_t>(tensor.int32_data());
    default:
      return HalvesOf(tensor, name, file);
  }
}

std::vector<uint64_t> CheckedShape(const TensorProto& tensor, const std::string& name,
                                   const Tensors& file) {
  if (static_cast<size_t>(tensor.dims_size()) > kMostAxes) {
    file.Fail(name, std::to_string(tensor.dims_size()) + " dims, " + std::to_string(kMostAxes) +
                        " are the most");
  }
  std::vector<uint64_t> shape;
  for (const int64_t n : tensor.dims()) {
    if (n < 0) file.Fail(name, "dims of " + std::to_string(n));
    shape.push_back(static_cast<uint64_t>(n));
  }
  return shape;
}

uint64_t BytesOfData(const TensorProto& tensor, ElementKind kind) {
  if (tensor.has_raw_data()) return tensor.raw_data().size();
  const auto bytes = [&](int elements) {
    return static_cast<uint64_t>(elements) * ElementBytes(kind);
  };
  switch (kind) {
    case ElementKind::kF32:
      return bytes(tensor.float_data_size());
    case ElementKind::kF64:
      return bytes(tensor.double_data_size());
    case ElementKind::kI64:
      return bytes(tensor.int64_data_size());
    default:
      return bytes(tensor.int32_data_size());
  }
}

// Kind and shape of a tensor whose data is as long as they say; its bytes are not there yet.
Tensor CheckedTensor(const TensorProto& proto, const std::string& name, const Tensors& file) {
  if (proto.data_location() == TensorProto::EXTERNAL || proto.external_data_size() > 0) {
    file.Fail(name, "its data is in another file; save the model with all its data in one");
  }
  if (proto.has_segment()) file.Fail(name, "is stored in segments");
  Tensor tensor;
  tensor.kind = KindOf(proto, name, file);
  tensor.shape = CheckedShape(proto, name, file);
  if (!TensorBytes(tensor.kind, tensor.shape, kMostBytes, &tensor.byte_count)) {
    file.Fail(name, "shape " + tensor.Shape() + " is 2 GiB or more");
  }
  const uint64_t there = BytesOfData(proto, tensor.kind);
  if (there != tensor.byte_count) {
    file.Fail(name, std::to_string(there) + " bytes of data, shape " + tensor.Shape() + " of " +
                        stint::Name(tensor.kind) + " has " + std::to_string(tensor.byte_count));
  }
  return tensor;
}

// One tensor as the files of tensors have it; raw data stays where it is.
Tensors Read(const TensorProto& proto, const std::string& name, const std::string& path) {
  Tensors file(path);
  Tensor tensor = CheckedTensor(proto, name, file);
  if (proto.has_raw_data()) {
    const std::string& raw = proto.raw_data();
    tensor.bytes = {reinterpret_cast<const uint8_t*>(raw.data()), raw.size()};
  } else {
    tensor.bytes = file.Own(TypedData(proto, tensor.kind, name, file));
  }
  file.tensors[name] = tensor;
  return file;
}

}  // namespace

std::vector<uint64_t> DimsOf(const TensorProto& tensor, const std::string& name,
                             const std::string& path) {
  return CheckedTensor(tensor, name, Tensors(path)).shape;
}

std::vector<float> FloatsOf(const TensorProto& tensor, const std::string& name,
                            const std::string& path) {
  return Read(tensor, name, path).Floats(name);
}

bool IsInteger(const TensorProto& tensor) {
  return tensor.data_type() == TensorProto::INT64 || tensor.data_type() == TensorProto::INT32;
}

std::vector<int64_t> FewIntegersOf(const TensorProto& proto, const std::string& name,
                                   const std::string& path) {
  // Before anything is copied: many nodes may ask for the same tensor.
  uint64_t bytes = 0;
  if (!TensorBytes(ElementKind::kI64, DimsOf(proto, name, path), kMostAxes * sizeof(int64_t),
                   &bytes)) {
    Tensors(path).Fail(name, "more than " + std::to_string(kMostAxes) +
                                 " integers where an array's axes are meant");
  }
  const Tensors file = Read(proto, name, path);
  const Tensor& tensor = file.tensors.at(name);
  if (!IsInteger(proto)) {
    file.Fail(name, std::string("elements are ") + stint::Name(tensor.kind) + ", not integers");
  }
  std::vector<int64_t> values;
  for (uint64_t i = 0; i < tensor.size(); ++i) {
    int64_t wide = 0;
    int32_t narrow = 0;
    if (tensor.kind == ElementKind::kI64) {
      std::memcpy(&wide, tensor.bytes.data() + i * sizeof(wide), sizeof(wide));
    } else {
      std::memcpy(&narrow, tensor.bytes.data() + i * sizeof(narrow), sizeof(narrow));
      wide = narrow;
    }
    values.push_back(wide);
  }
  return values;
}

}  // namespace stint
